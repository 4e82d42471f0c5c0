//! The scenario: an old certificate, a new one, and the two most expensive mistakes.

use std::time::Duration;

use clap::Parser;
use serde_json::Value;

use super::outcome::{RehearsalProof, RehearseOutcome};
use super::setup::{RehearsalRun, RehearsalServer, zone_of};
use super::step::{ExpectedResult, OutsideEvent, RehearsalStep};
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
use crate::report::Outcome;
use crate::system::fs::files;
use crate::system::fs::scratch::ScratchFolder;
use crate::system::serve::web::{SiteVisit, visit};
use crate::wording::day;

/// A reload command that succeeds without any effect.
const IDLE_RELOAD: &str = "true";

/// The commands of the scenario. Their lines are parsed here, so that what is printed is what runs.
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

/// How a command ended.
struct CommandResult {
    exit_code: u8,
    /// What it prints with `--json`.
    document: Value,
}

/// Sets up the surroundings in `scratch` and runs the scenario.
pub(super) fn run(
    context: &Context,
    server: RehearsalServer,
    name: &DnsName,
    scratch: &ScratchFolder,
) -> Result<RehearseOutcome, Failure> {
    let folder = scratch.path().to_owned();
    // So that a signal stops whatever was started.
    context
        .interrupt
        .listen()
        .map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
    let mut rehearsal = RehearsalRun::set_up(context, server, name, scratch)?;
    let intro = rehearsal.intro();
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
        steps: rehearsal.steps,
        proof,
        findings,
    })
}

impl RehearsalRun {
    fn intro(&self) -> Vec<String> {
        let folder = self.inner.directory.display();
        let name = self.name.as_str();
        let address = self.web.address();
        vec![
            "The whole round of a certificate with the real commands; the shop and its CA, the DNS \
                and the web server are"
                .to_owned(),
            format!("certctl's own, on this machine alone. Files: {folder}/ (each command runs \
                with -C {folder} --root {folder})."),
            format!("The site https://{name} ({address}) shows a certificate that ends in \
                {OLD_DAYS} days: time for a new one."),
        ]
    }

    fn run(&mut self) -> Result<RehearsalProof, EarlyEnd> {
        let order = self.order()?;
        self.publish_at_doubled_name(&order)?;
        let new = self.publish(&order)?;
        self.install_with_idle_reload()?;
        self.install(&new)
    }

    fn order(&mut self) -> Result<PendingOrder, EarlyEnd> {
        let name = self.name.as_str().to_owned();
        self.run_command(
            "A key, which never leaves this machine, and a request (CSR), which the shop gets",
            &["csr", &name, "--ca", "namecheap"],
            ExpectedResult {
                exit_code: 0,
                verdict: None,
            },
        )?;
        let request = self.inner.path_of(format!("{}.csr", self.name.file_stem()));
        let request = files::read(&request, 65536)?;
        let order = self.reseller.order(&request)?;
        self.add_event(
            "shop",
            format!(
                "prove that it is yours: CNAME {} to {}",
                order.host, order.target
            ),
        );
        Ok(order)
    }

    fn publish_at_doubled_name(&mut self, order: &PendingOrder) -> Result<(), EarlyEnd> {
        self.zone.add_cname(&order.host, &order.target)?;
        let record = format!("{} CNAME {}", order.host, order.target);
        let resolver = self.dns.address().to_string();
        self.run_command(
            "The record is published, with the usual mistake: the whole name as host, though the \
                DNS panel adds the zone",
            &["dcv-check", "--record", &record, "--resolver", &resolver],
            ExpectedResult {
                exit_code: 1,
                verdict: Some("wrong-place"),
            },
        )?;
        match self.reseller.retry(order)? {
            RetryResult::Issued(_) => Err(unexpected(
                "the shop issued for a record at the wrong place",
            )),
            RetryResult::NotIssued(_) => {
                self.add_event("shop", "we do not see the record".to_owned());
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
        self.zone.add_cname(host, &order.target)?;
        let resolver = self.dns.address().to_string();
        self.run_command(
            "Published again, with the host alone; certctl has kept the shop's record",
            &["dcv-check", "--resolver", &resolver],
            ExpectedResult {
                exit_code: 0,
                verdict: Some("visible"),
            },
        )?;
        match self.reseller.retry(order)? {
            RetryResult::NotIssued(ValidationAttempt::Other(value)) => {
                Err(unexpected(format!("the shop sees the value {value}")))
            }
            RetryResult::NotIssued(_) => Err(unexpected("the shop does not see the record")),
            RetryResult::Issued(leaf) => {
                self.receive_zip(order, &leaf)?;
                Ok(*leaf)
            }
        }
    }

    /// Writes the zip that the reseller sends by mail.
    fn receive_zip(&mut self, order: &PendingOrder, leaf: &Certificate) -> Result<(), EarlyEnd> {
        self.zip = RehearsalReseller::zip_name(order);
        let path = self.inner.path_of(&self.zip);
        let zip = self.reseller.pack(order, leaf)?;
        files::create_new(&path, &zip, Mode::new(0o644))?;
        let event = format!(
            "we see it, the domain is yours; by mail comes {}",
            path.display()
        );
        self.add_event("shop", event);
        Ok(())
    }

    fn install_with_idle_reload(&mut self) -> Result<(), EarlyEnd> {
        self.run_install(
            "Installed, with a reload that says it worked and did nothing: certctl looks, sees it, \
                and puts all back",
            Some(IDLE_RELOAD),
            ExpectedResult {
                exit_code: 5,
                verdict: Some("rolled-back"),
            },
        )?;
        let visit = self.visit()?;
        if visit.leaf != self.old.der() {
            return Err(unexpected(
                "the site does not show the old certificate again",
            ));
        }
        self.add_event(
            "visit",
            format!(
                "a visitor still sees the old certificate, until {}, and no error",
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
            "The same with the reload that this server knows: key and chain switch at once, and \
                the site is asked",
            reload.as_deref(),
            ExpectedResult {
                exit_code: 0,
                verdict: Some("live"),
            },
        )?;
        let visit = self.visit()?;
        if visit.leaf != new.der() {
            return Err(unexpected(
                "a visitor is not shown the new certificate, though install says so",
            ));
        }
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

    /// Runs one line as a user types it.
    fn run_command(
        &mut self,
        title: &'static str,
        words: &[&str],
        expected: ExpectedResult,
    ) -> Result<(), EarlyEnd> {
        self.check_interrupt()?;
        let command = parse_command(words)?;
        let result = self.execute(&command)?;
        let step = RehearsalStep {
            title,
            argv: self.argv(words),
            shown: shown_words(words),
            expected,
            exit_code: result.exit_code,
            document: result.document,
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

    fn check_interrupt(&self) -> Result<(), Failure> {
        let Some(signal) = self.inner.interrupt.signal() else {
            return Ok(());
        };
        let progress = format!(
            "after {} of its steps; nothing of it is in use",
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

    /// All words of a command line, with the rehearsal's folder and time.
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
        // A wildcard does not cover its base name.
        let host = if self.name.is_wildcard() {
            format!("www.{}", self.name.base())
        } else {
            self.name.as_str().to_owned()
        };
        let address = self.web.address();
        let now = self.inner.now();
        visit(address, &host, self.root.der(), now)
            .map_err(|error| unexpected(format!("a visitor was refused: {error}")))
    }

    fn add_event(&mut self, actor: &'static str, event: String) {
        if let Some(step) = self.steps.last_mut() {
            step.events.push(OutsideEvent { actor, event });
        }
    }
}

/// The words that are printed, without the options that are the same for all commands.
fn shown_words(words: &[&str]) -> Vec<String> {
    let mut shown = vec!["certctl".to_owned()];
    for word in words {
        shown.push((*word).to_owned());
    }
    shown
}

fn parse_command(words: &[&str]) -> Result<RehearsalCommand, EarlyEnd> {
    let mut command = RehearsalCommand::try_parse_from(words).map_err(anyhow::Error::from)?;
    if let RehearsalCommand::Install(args) = &mut command
        && args.reload.as_deref() == Some(IDLE_RELOAD)
    {
        // Nothing will change, however long the server is probed.
        args.patience.deadline = Duration::from_millis(300);
    }
    Ok(command)
}

/// The exit code and the document of a command; a signal ends the rehearsal too.
fn command_result<O: Outcome>(result: Result<O, Failure>) -> Result<CommandResult, Failure> {
    match result {
        Ok(outcome) => Ok(CommandResult {
            exit_code: outcome.exit_code(),
            document: outcome.json(),
        }),
        Err(failure) if matches!(failure.kind, FailureKind::Interrupted(_)) => Err(failure),
        Err(failure) => Ok(CommandResult {
            exit_code: failure.kind.exit_code(),
            document: failure.json(),
        }),
    }
}

fn unexpected(message: impl Into<String>) -> EarlyEnd {
    let finding = Finding::error("rehearsal-unexpected", message);
    EarlyEnd::Unexpected(finding.with_step(advice::rehearsal::report_unexpected()))
}
