//! The scenario: an old certificate, a new one, and two common mistakes.

use std::time::Duration;

use clap::Parser;

use super::outcome::{self, RehearsalProof, RehearseOutcome};
use super::pause::StepPause;
use super::setup::{RehearsalRun, RehearsalServer, zone_of};
use super::step::{CommandResult, ExpectedResult, OutsideEvent, RehearsalStep, ShownRecord};
use crate::advice;
use crate::commands::{csr, dcv_check, install};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, shell_word};
use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::rehearsal::reseller::{PendingOrder, RehearsalReseller, RetryResult, ValidationAttempt};
use crate::rehearsal::web::{OLD_DAYS, RehearsalSite};
use crate::report::{self, Outcome, TextOutput};
use crate::system::fs::files;
use crate::system::fs::scratch::ScratchFolder;
use crate::system::serve::web::{SiteVisit, visit};
use crate::wording::day;

/// A reload command that succeeds without any effect.
const IDLE_RELOAD: &str = "true";

/// The commands of the scenario. Their words are parsed as typed, so that what is printed is what
/// runs.
#[derive(Debug, Parser)]
#[command(name = "certctl", no_binary_name = true)]
enum RehearsalCommand {
    Csr(csr::CsrArgs),
    DcvCheck(dcv_check::DcvCheckArgs),
    Install(Box<install::InstallArgs>),
}

/// Why the scenario ended early.
enum EarlyEnd {
    /// A step had an unexpected result.
    Unexpected(Finding),
    /// The rehearsal itself could not continue.
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for EarlyEnd {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Sets up reseller, DNS zone and web server in `scratch` and runs the scenario.
pub(super) fn run(
    context: &Context,
    server: RehearsalServer,
    name: &DnsName,
    scratch: &ScratchFolder,
    pause: StepPause<'_>,
) -> Result<RehearseOutcome, Failure> {
    let folder = scratch.path().to_owned();
    // From here on a signal stops the web server too.
    context
        .interrupt
        .listen()
        .map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
    let mut rehearsal = RehearsalRun::set_up(context, server, name, scratch, pause)?;
    let intro = rehearsal.intro();
    rehearsal
        .pause
        .print(|text| outcome::print_intro(&intro, text));
    let mut findings = Vec::new();
    let proof = match rehearsal.run() {
        Ok(proof) => Some(proof),
        Err(EarlyEnd::Unexpected(finding)) => {
            findings.push(finding);
            None
        }
        Err(EarlyEnd::Failed(failure)) => return Err(failure),
    };
    Ok(RehearseOutcome {
        name: name.clone(),
        folder,
        intro,
        is_printed: rehearsal.pause.prints_each_step(),
        steps: rehearsal.steps,
        proof,
        findings,
    })
}

impl RehearsalRun<'_> {
    fn intro(&self) -> Vec<String> {
        let folder = self.inner.directory.display();
        let host = self.visited_host();
        let address = self.web.address();
        let server = match &self.web {
            RehearsalSite::Embedded { .. } => {
                "The reseller with its CA, the DNS server and the web \
                server are built into certctl"
            }
            RehearsalSite::Nginx(_) => {
                "The reseller with its CA and the DNS server are built into \
                certctl; the web server is the nginx of this machine"
            }
        };
        vec![
            format!(
                "This is a rehearsal: it runs the real commands, but only on this machine and \
                in the folder {folder}. {server}."
            ),
            format!(
                "The site https://{host} ({address}) has a certificate that expires in \
                {OLD_DAYS} days, so it needs a new one."
            ),
        ]
    }

    fn run(&mut self) -> Result<RehearsalProof, EarlyEnd> {
        let order = self.order()?;
        self.publish_at_doubled_name(&order)?;
        let new = self.publish(&order)?;
        self.install_with_idle_reload()?;
        let proof = self.install(&new)?;
        self.show_last_step()?;
        Ok(proof)
    }

    fn order(&mut self) -> Result<PendingOrder, EarlyEnd> {
        let name = self.name.as_str().to_owned();
        self.run_command(
            "You make a private key, which never leaves this machine, and a certificate signing \
                request (CSR), which you paste at the reseller",
            &["csr", &name, "--ca", "namecheap"],
            ExpectedResult {
                exit_code: 0,
                verdict: None,
            },
        )?;
        let request = self.inner.path_of(format!("{}.csr", self.name.file_stem()));
        let request = files::read(&request, 65536)?;
        let order = self.reseller.order(&request)?;
        let record = ShownRecord {
            host: order.host.clone(),
            target: order.target.clone(),
        };
        self.add_record_event(
            "reseller",
            "The reseller shows the record that you have to publish, with its full host name",
            record,
        );
        Ok(order)
    }

    fn publish_at_doubled_name(&mut self, order: &PendingOrder) -> Result<(), EarlyEnd> {
        let published = self.zone.add_cname(&order.host, &order.target)?;
        self.add_event(
            "dns-provider",
            format!(
                "You enter this full host name in the DNS provider's console, a common mistake: \
                    the console appends the zone, so the record is published at {published}"
            ),
        );
        let record = format!("{} CNAME {}", order.host, order.target);
        let resolver = self.dns.address().to_string();
        self.run_command(
            "You let certctl check the record before the CA does; it reports that the record is \
                at the wrong name",
            &["dcv-check", "--record", &record, "--resolver", &resolver],
            ExpectedResult {
                exit_code: 1,
                verdict: Some("wrong-place"),
            },
        )?;
        match self.reseller.retry(order)? {
            RetryResult::Issued(_) => Err(unexpected(
                "the reseller issued a certificate for a record at the wrong name",
            )),
            RetryResult::NotIssued(_) => {
                let event = "You choose Retry at the reseller; its CA does not find the record and \
                    issues nothing";
                self.add_event("reseller", event.to_owned());
                Ok(())
            }
        }
    }

    fn publish(&mut self, order: &PendingOrder) -> Result<Certificate, EarlyEnd> {
        self.zone.remove(&order.host);
        let host = order
            .host
            .strip_suffix(zone_of(&self.name))
            .map_or(order.host.as_str(), |host| host.trim_end_matches('.'));
        let published = self.zone.add_cname(host, &order.target)?;
        self.add_event(
            "dns-provider",
            format!(
                "In the DNS provider's console you change the host to {host}, so the record is \
                    now published at {published}"
            ),
        );
        let resolver = self.dns.address().to_string();
        self.run_command(
            "You let certctl check again; it stored the reseller's record, so you need not repeat \
                it",
            &["dcv-check", "--resolver", &resolver],
            ExpectedResult {
                exit_code: 0,
                verdict: Some("visible"),
            },
        )?;
        match self.reseller.retry(order)? {
            RetryResult::NotIssued(ValidationAttempt::Other(value)) => Err(unexpected(format!(
                "the reseller found the record with the value {value}"
            ))),
            RetryResult::NotIssued(_) => Err(unexpected("the reseller did not find the record")),
            RetryResult::Issued(leaf) => {
                self.receive_zip(order, &leaf)?;
                Ok(*leaf)
            }
        }
    }

    /// Writes the zip that the reseller sends by email.
    fn receive_zip(&mut self, order: &PendingOrder, leaf: &Certificate) -> Result<(), EarlyEnd> {
        self.zip = RehearsalReseller::zip_name(order);
        let path = self.inner.path_of(&self.zip);
        let zip = self.reseller.pack(order, leaf)?;
        files::create_new(&path, &zip, Mode::new(0o644))?;
        let event = format!(
            "You choose Retry at the reseller; its CA finds the record and issues the certificate, \
                which you save as {}",
            path.display()
        );
        self.add_event("reseller", event);
        Ok(())
    }

    fn install_with_idle_reload(&mut self) -> Result<(), EarlyEnd> {
        self.run_install(
            "You install the certificate with a reload command that succeeds but does nothing; \
                certctl detects that the old certificate is still served, and rolls back",
            Some(IDLE_RELOAD),
            ExpectedResult {
                exit_code: 5,
                verdict: Some("rolled-back"),
            },
        )?;
        let visit = self.visit()?;
        if visit.leaf != self.old.der() {
            return Err(unexpected(
                "the site does not serve the old certificate after the rollback",
            ));
        }
        self.add_event(
            "visitor",
            format!(
                "A visitor of https://{} gets the old certificate, which expires on {}, and no \
                    error",
                self.visited_host(),
                day(self.old.not_after)
            ),
        );
        Ok(())
    }

    fn install(&mut self, new: &Certificate) -> Result<RehearsalProof, EarlyEnd> {
        let reload = match &self.web {
            RehearsalSite::Embedded { reload, .. } => Some(format!(
                "touch {}",
                shell_word(&reload.display().to_string())
            )),
            RehearsalSite::Nginx(_) => None,
        };
        self.run_install(
            "You install it with the right reload command; certctl replaces certificate and key in \
                one step, reloads the server and verifies that it serves the new certificate",
            reload.as_deref(),
            ExpectedResult {
                exit_code: 0,
                verdict: Some("live"),
            },
        )?;
        let visit = self.visit()?;
        if visit.leaf != new.der() {
            return Err(unexpected(
                "a visitor does not get the new certificate, although install reported it live",
            ));
        }
        let event = format!(
            "A visitor of https://{} gets the new certificate",
            self.visited_host()
        );
        self.add_event("visitor", event);
        Ok(RehearsalProof {
            address: self.web.address().to_string(),
            protocol: visit.protocol,
            sha256: new.sha256(),
            not_after: new.not_after,
        })
    }

    /// Installs the zip; `reload` replaces the server's own reload command.
    fn run_install(
        &mut self,
        title: &'static str,
        reload: Option<&str>,
        expected: ExpectedResult,
    ) -> Result<(), EarlyEnd> {
        let zip = self.inner.path_of(&self.zip).display().to_string();
        let root = self.root_path.display().to_string();
        let mut words = vec![
            "install".to_owned(),
            zip,
            "--trust".to_owned(),
            root,
            "--server".to_owned(),
        ];
        match &self.web {
            RehearsalSite::Embedded { server, .. } => {
                let address = server.address().to_string();
                words.extend(["none".to_owned(), "--probe".to_owned(), address]);
            }
            RehearsalSite::Nginx(_) => {
                let config = self.inner.path_of("nginx/nginx.conf").display().to_string();
                words.extend(["nginx".to_owned(), "--server-config".to_owned(), config]);
            }
        }
        if let Some(command) = reload {
            words.extend(["--reload".to_owned(), command.to_owned()]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.run_command(title, &words, expected)
    }

    /// Runs one command line as if a user had typed it.
    fn run_command(
        &mut self,
        title: &'static str,
        words: &[&str],
        expected: ExpectedResult,
    ) -> Result<(), EarlyEnd> {
        self.show_last_step()?;
        self.check_interrupt()?;
        let command = parse_command(words)?;
        let step = RehearsalStep {
            title,
            argv: self.argv(words),
            expected,
            result: self.execute(&command)?,
            events: Vec::new(),
        };
        let deviation = step.deviation();
        self.steps.push(step);
        match deviation {
            None => Ok(()),
            Some(deviation) => {
                let number = self.steps.len();
                Err(unexpected(format!("step {number} {deviation}")))
            }
        }
    }

    /// With `--step`: prints the last step with its events and waits for Enter.
    fn show_last_step(&self) -> Result<(), Failure> {
        let Some(step) = self.steps.last() else {
            return Ok(());
        };
        let number = self.steps.len();
        self.pause.print(|text| step.print(number, text));
        self.pause.wait(&self.inner.interrupt)
    }

    fn check_interrupt(&self) -> Result<(), Failure> {
        let Some(signal) = self.inner.interrupt.signal() else {
            return Ok(());
        };
        let progress = format!(
            "{} of its steps were completed; no file outside of its folder was changed",
            self.steps.len()
        );
        let failure = Failure::new(
            FailureKind::Interrupted(signal),
            "the rehearsal was interrupted",
        );
        Err(failure.because(progress))
    }

    fn execute(&self, command: &RehearsalCommand) -> Result<CommandResult, Failure> {
        match command {
            RehearsalCommand::Csr(args) => command_result(csr::run(&self.inner, args)),
            RehearsalCommand::DcvCheck(args) => command_result(dcv_check::run(&self.inner, args)),
            RehearsalCommand::Install(args) => command_result(install::run(&self.inner, args)),
        }
    }

    /// Returns all words of a command line, with the options for the rehearsal's folder and time.
    fn argv(&self, words: &[&str]) -> Vec<String> {
        let folder = self.inner.directory.display().to_string();
        let mut argv = vec![
            "certctl".to_owned(),
            "-C".to_owned(),
            folder.clone(),
            "--root".to_owned(),
            folder,
        ];
        if let Some(at) = self.inner.at {
            argv.extend(["--at".to_owned(), at.to_string()]);
        }
        for word in words {
            argv.push((*word).to_owned());
        }
        argv
    }

    /// Visits the site like a browser that trusts the reseller's root.
    fn visit(&self) -> Result<SiteVisit, EarlyEnd> {
        let host = self.visited_host();
        let address = self.web.address();
        let now = self.inner.now();
        visit(address, &host, self.root.der(), now)
            .map_err(|error| unexpected(format!("a visitor got an error: {error}")))
    }

    /// The host that visitors open; a wildcard does not cover its base name.
    fn visited_host(&self) -> String {
        if self.name.is_wildcard() {
            format!("www.{}", self.name.base())
        } else {
            self.name.as_str().to_owned()
        }
    }

    fn add_event(&mut self, actor: &'static str, event: String) {
        if let Some(step) = self.steps.last_mut() {
            step.events.push(OutsideEvent {
                actor,
                event,
                record: None,
            });
        }
    }

    fn add_record_event(&mut self, actor: &'static str, event: &str, record: ShownRecord) {
        self.add_event(actor, event.to_owned());
        let step = self.steps.last_mut();
        if let Some(event) = step.and_then(|step| step.events.last_mut()) {
            event.record = Some(record);
        }
    }
}

fn parse_command(words: &[&str]) -> Result<RehearsalCommand, EarlyEnd> {
    let mut command = RehearsalCommand::try_parse_from(words).map_err(anyhow::Error::from)?;
    if let RehearsalCommand::Install(args) = &mut command
        && args.reload.as_deref() == Some(IDLE_RELOAD)
    {
        // The server serves the old certificate however long it is probed.
        args.patience.deadline = Duration::from_millis(300);
    }
    Ok(command)
}

/// Returns what a command printed, as text and as JSON; a signal ends the rehearsal too.
fn command_result<O: Outcome>(result: Result<O, Failure>) -> Result<CommandResult, Failure> {
    let mut output = TextOutput::default();
    match result {
        Ok(outcome) => {
            outcome.human(&mut output);
            Ok(CommandResult {
                exit_code: outcome.exit_code(),
                output,
                document: report::document(&outcome),
            })
        }
        Err(failure) if matches!(failure.kind, FailureKind::Interrupted(_)) => Err(failure),
        Err(failure) => {
            output.add_failure(&failure);
            Ok(CommandResult {
                exit_code: failure.kind.exit_code(),
                output,
                document: failure.json(),
            })
        }
    }
}

fn unexpected(message: impl Into<String>) -> EarlyEnd {
    let finding = Finding::error("rehearsal-unexpected", message);
    EarlyEnd::Unexpected(finding.with_step(advice::rehearsal::report_unexpected()))
}
