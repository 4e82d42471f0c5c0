//! Runs the commands of a rehearsal as if a user had typed them, and keeps what they printed.

use std::time::Duration;

use clap::Parser;

use super::outcome::{self, RehearsalProof, RehearseOutcome};
use super::setup::RehearsalRun;
use super::step::{CommandResult, ExpectedResult, OutsideEvent, RehearsalStep, ShownRecord};
use crate::advice;
use crate::commands::{csr, dcv_check, install, order, renew};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, shell_word};
use crate::pki::certificate::Certificate;
use crate::rehearsal::web::RehearsalSite;
use crate::report::{self, Outcome, TextOutput};
use crate::system::fs::scratch::ScratchFolder;
use crate::system::serve::web::{SiteVisit, visit};

/// A reload command that succeeds without any effect.
pub(super) const IDLE_RELOAD: &str = "true";

/// The commands of the scenarios. Their words are parsed as typed, so that what is printed is what
/// runs.
#[derive(Debug, Parser)]
#[command(name = "certctl", no_binary_name = true)]
enum RehearsalCommand {
    Csr(csr::CsrArgs),
    DcvCheck(dcv_check::DcvCheckArgs),
    Install(Box<install::InstallArgs>),
    Order(Box<order::OrderArgs>),
    Renew(Box<renew::RenewArgs>),
}

/// Why a scenario ended early.
pub(super) enum EarlyEnd {
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

/// What happens in a rehearsal.
pub(super) trait RehearsalScenario<'a> {
    /// The paragraphs before the first step.
    fn intro(&self) -> Vec<String>;

    /// How the same is done with a real certificate.
    fn real_step(&self) -> NextStep;

    /// Runs all steps.
    fn play(&mut self) -> Result<RehearsalProof, EarlyEnd>;

    /// The parties and the steps so far.
    fn rehearsal(&self) -> &RehearsalRun<'a>;

    /// Returns the steps.
    fn into_rehearsal(self) -> RehearsalRun<'a>;
}

/// Runs a scenario in the folder of the rehearsal.
///
/// # Errors
/// When the rehearsal itself cannot continue. A step with an unexpected result is an outcome.
pub(super) fn play<'a>(
    mut scenario: impl RehearsalScenario<'a>,
    scratch: &ScratchFolder,
) -> Result<RehearseOutcome, Failure> {
    let intro = scenario.intro();
    let rehearsal = scenario.rehearsal();
    rehearsal
        .pause
        .print(|text| outcome::print_intro(&intro, text));
    let mut findings = Vec::new();
    let proof = match scenario.play() {
        Ok(proof) => Some(proof),
        Err(EarlyEnd::Unexpected(finding)) => {
            findings.push(finding);
            None
        }
        Err(EarlyEnd::Failed(failure)) => return Err(failure),
    };
    let real_step = scenario.real_step();
    let rehearsal = scenario.into_rehearsal();
    Ok(RehearseOutcome {
        name: rehearsal.name,
        folder: scratch.path().to_owned(),
        intro,
        is_printed: rehearsal.pause.prints_each_step(),
        steps: rehearsal.steps,
        proof,
        findings,
        real_step,
    })
}

impl RehearsalRun<'_> {
    /// Runs one command line as if a user had typed it.
    pub(super) fn run_command(
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
    pub(super) fn show_last_step(&self) -> Result<(), Failure> {
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
            RehearsalCommand::Order(args) => command_result(order::run(&self.inner, args)),
            RehearsalCommand::Renew(args) => command_result(renew::run(&self.inner, args)),
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
    pub(super) fn visit(&self) -> Result<SiteVisit, EarlyEnd> {
        let host = self.visited_host();
        let address = self.web.address();
        let now = self.inner.now();
        visit(address, &host, self.root.der(), now)
            .map_err(|error| unexpected(format!("a visitor got an error: {error}")))
    }

    /// The host that visitors open; a wildcard does not cover its base name.
    pub(super) fn visited_host(&self) -> String {
        if self.name.is_wildcard() {
            format!("www.{}", self.name.base())
        } else {
            self.name.as_str().to_owned()
        }
    }

    pub(super) fn add_event(&mut self, actor: &'static str, event: String) {
        if let Some(step) = self.steps.last_mut() {
            step.events.push(OutsideEvent {
                actor,
                event,
                record: None,
            });
        }
    }

    pub(super) fn add_record_event(
        &mut self,
        actor: &'static str,
        event: &str,
        record: ShownRecord,
    ) {
        self.add_event(actor, event.to_owned());
        let step = self.steps.last_mut();
        if let Some(event) = step.and_then(|step| step.events.last_mut()) {
            event.record = Some(record);
        }
    }

    /// The words of `install` and `order` that say how the site is tested and reloaded; `reload` replaces
    /// the server's own reload command.
    pub(super) fn server_words(&self, reload: Option<&str>) -> Vec<String> {
        let mut words = vec![
            "--trust".to_owned(),
            self.root_path.display().to_string(),
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
        words
    }

    /// The command that reloads the embedded server; nginx has its own.
    pub(super) fn reload_command(&self) -> Option<String> {
        match &self.web {
            RehearsalSite::Embedded { reload, .. } => {
                let file = reload.display().to_string();
                Some(format!("touch {}", shell_word(&file)))
            }
            RehearsalSite::Nginx(_) => None,
        }
    }

    /// Visits the site, which has to serve the certificate `new`.
    pub(super) fn prove(&mut self, new: &Certificate) -> Result<RehearsalProof, EarlyEnd> {
        let visit = self.visit()?;
        if visit.leaf != new.der() {
            return Err(unexpected(
                "a visitor does not get the new certificate, although it was reported live",
            ));
        }
        let host = self.visited_host();
        let event = format!("A visitor of https://{host} gets the new certificate");
        self.add_event("visitor", event);
        Ok(RehearsalProof {
            address: self.web.address().to_string(),
            protocol: visit.protocol,
            sha256: new.sha256(),
            not_after: new.not_after,
        })
    }
}

fn parse_command(words: &[&str]) -> Result<RehearsalCommand, EarlyEnd> {
    let mut command = RehearsalCommand::try_parse_from(words).map_err(anyhow::Error::from)?;
    if let RehearsalCommand::Install(args) = &mut command
        && args.deployment.reload == [IDLE_RELOAD]
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

pub(super) fn unexpected(message: impl Into<String>) -> EarlyEnd {
    let finding = Finding::error("rehearsal-unexpected", message);
    EarlyEnd::Unexpected(finding.with_step(advice::rehearsal::report_unexpected()))
}
