//! What came of a changeover, for people and programs. `install` and `rollback` end with it.

use crate::install::preflight::PreflightState;
use crate::install::request::again;
use crate::install::servers::ServerUse;
use crate::install::servers::new_block::{self, BlockPlacement};
use std::path::PathBuf;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::Value;

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::install_plan::apply::{AppliedPlan, FailedPlan, ProbeAnswer, StepError};
use crate::install_plan::plan::{
    self, InstallPlan, PlanEnd, PlanStep, RollbackTarget, ServerState,
};
use crate::pki::certificate::Certificate;
use crate::webserver::control::ServerProgram;
use crate::webserver::model::ServerSoftware;

mod dry_run;
mod failed;
mod render;

/// The verdicts of the contract.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum InstallVerdict {
    /// In place; there is nothing to ask.
    Files,
    /// In place, and seen at every address.
    Live,
    /// In place, and nobody serves it yet.
    NotServed,
    /// Failed after the switch, and not all was taken back.
    NotTakenBack,
    Planned,
    Refused,
    /// Failed after the switch; all is as it was.
    TakenBack,
    /// It was all there.
    Unchanged,
}

impl InstallVerdict {
    /// Its name in JSON.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Live => "live",
            Self::NotServed => "not-served",
            Self::NotTakenBack => "rollback-failed",
            Self::Planned => "planned",
            Self::Refused => "refused",
            Self::TakenBack => "rolled-back",
            Self::Unchanged => "unchanged",
        }
    }

    /// The exit code of the process.
    #[must_use]
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Files | Self::Live | Self::Planned | Self::Unchanged => 0,
            Self::NotServed | Self::Refused => 1,
            Self::TakenBack => 5,
            Self::NotTakenBack => 6,
        }
    }
}

/// What was seen at one address for one name.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct ProbeResult {
    address: String,
    name: String,
    sha256: Option<String>,
    protocol: Option<&'static str>,
}

impl From<&ProbeAnswer> for ProbeResult {
    fn from(probe: &ProbeAnswer) -> Self {
        let handshake = probe.answer.as_ref().ok().map(|(handshake, _)| handshake);
        Self {
            address: probe.target.address.to_string(),
            name: probe.target.name.clone(),
            sha256: handshake.map(crate::probe::TlsHandshake::sha256),
            protocol: handshake.map(|handshake| handshake.protocol),
        }
    }
}

/// The whole of it.
#[derive(Debug)]
pub(crate) struct TransactionOutcome {
    pub verdict: InstallVerdict,
    /// Whether anything that servers read is other than before.
    pub changed: bool,
    pub name: String,
    /// The certificate that it is about.
    pub leaf: Certificate,
    /// What was, or would be done; none when it was refused.
    pub plan: Option<InstallPlan>,
    pub seen: Vec<ProbeResult>,
    pub findings: Vec<Finding>,
    /// What to do now.
    pub next: Vec<NextStep>,
    /// The commands that start the servers that are all that is missing; `next` has them too.
    pub start: Vec<String>,
    release: String,
    chain_path: String,
    key_path: String,
    key_mode: u32,
    /// What of the way back ended well, and what not.
    back: (Vec<String>, Vec<String>),
    /// The server's part, in words: `nginx -t ok, reloaded`.
    server: Vec<String>,
    /// What the next round goes by.
    settings: Value,
    /// What a dry run leaves to do, of each server.
    then: Vec<String>,
    folder: PathBuf,
}

impl TransactionOutcome {
    fn new(situation: &PreflightState, verdict: InstallVerdict, plan: Option<InstallPlan>) -> Self {
        let PreflightState {
            layout,
            wanted,
            serving,
            ..
        } = situation;
        Self {
            verdict,
            changed: false,
            name: layout.stem().to_owned(),
            leaf: wanted.leaf().clone(),
            plan,
            seen: serving.probes.iter().map(ProbeResult::from).collect(),
            findings: serving.findings.clone(),
            next: Vec::new(),
            start: Vec::new(),
            release: wanted.id.to_string(),
            chain_path: layout.chain_path().display().to_string(),
            key_path: layout.key_path().display().to_string(),
            key_mode: wanted.access.mode,
            back: (Vec::new(), Vec::new()),
            server: Vec::new(),
            settings: situation.settings.shown(),
            then: Vec::new(),
            folder: layout.folder(),
        }
    }

    /// Whether other files were in place before and can be gone back to.
    #[must_use]
    pub(crate) fn replaced(&self) -> bool {
        let back = self
            .plan
            .as_ref()
            .filter(|plan| !plan.steps.is_empty())
            .map(|plan| &plan.back);
        let well = matches!(self.verdict, InstallVerdict::Live | InstallVerdict::Files);
        well && matches!(back, Some(RollbackTarget::To(id)) if id.as_str() != self.release)
    }

    /// Nothing was touched, for these reasons.
    #[must_use]
    pub(crate) fn refused(situation: &PreflightState, reasons: Vec<Finding>) -> Self {
        let mut refused = Self::new(situation, InstallVerdict::Refused, None);
        refused.findings.extend(reasons);
        refused
    }

    #[must_use]
    pub(crate) fn planned(situation: &PreflightState, plan: InstallPlan) -> Self {
        let then = Self::left_to_do(situation, plan.end);
        Self {
            then,
            ..Self::new(situation, InstallVerdict::Planned, Some(plan))
        }
    }

    /// A run.
    ///
    /// # Errors
    /// When it ended before anything that servers read was changed, or by a signal.
    pub(crate) fn applied(
        context: &Context,
        situation: &PreflightState,
        plan: InstallPlan,
        applied: AppliedPlan,
    ) -> Result<Self, Failure> {
        let mut done = Self::new(situation, InstallVerdict::Unchanged, None);
        done.findings.extend(
            applied
                .afterwards
                .iter()
                .map(|(step, trouble)| afterwards(step, trouble)),
        );
        if !applied.probes.is_empty() {
            done.seen = applied.probes.iter().map(ProbeResult::from).collect();
        }
        match applied.failed {
            None => done.ended_well(context, situation, &plan),
            Some(failed) => done.failed(situation, &plan, failed)?,
        }
        done.plan = Some(plan);
        Ok(done)
    }

    fn ended_well(&mut self, context: &Context, situation: &PreflightState, plan: &InstallPlan) {
        let asks =
            |step: &PlanStep| matches!(step, PlanStep::TestServer { .. } | PlanStep::Prove { .. });
        self.changed = plan
            .steps
            .iter()
            .any(|step| !asks(step) && !only_noted(step));
        self.server = server_words(&plan.steps);
        self.verdict = match plan.end {
            PlanEnd::NotNamed | PlanEnd::Partly | PlanEnd::Stopped => InstallVerdict::NotServed,
            PlanEnd::Proven if plan.steps.iter().all(only_noted) => InstallVerdict::Unchanged,
            PlanEnd::Proven if self.seen.is_empty() => InstallVerdict::Files,
            PlanEnd::Proven => InstallVerdict::Live,
        };
        match plan.end {
            PlanEnd::NotNamed => self.not_named(context, situation),
            PlanEnd::Stopped => self.stopped(context, situation),
            PlanEnd::Partly => self.next.push(again(context, &["install", &self.name])),
            PlanEnd::Proven => {}
        }
    }

    /// Each server that does not name the pair yet gets its block; then the install is taken up.
    fn not_named(&mut self, context: &Context, situation: &PreflightState) {
        let again = again(context, &["install", &self.name]);
        let waits = |one: &&ServerUse| one.state == ServerState::NotNamed;
        let (mut moves, mut by_hand) = (Vec::new(), Vec::new());
        for one in situation.serving.uses.iter().filter(waits) {
            let block = new_block::write(context, situation, one);
            self.findings.push(block.finding());
            match block.next(one) {
                BlockPlacement::Move(command) => moves.push(command),
                BlockPlacement::ByHand(step) => by_hand.push(step),
                BlockPlacement::Nothing => {}
            }
        }
        self.next.append(&mut by_hand);
        match moves.is_empty() {
            true => self.next.push(again),
            false => self.next.push(NextStep::say(format!(
                "{} && {}",
                moves.join(" && "),
                again.text
            ))),
        }
    }

    fn stopped(&mut self, context: &Context, situation: &PreflightState) {
        let stopped = situation
            .serving
            .uses
            .iter()
            .filter(|one| matches!(one.state, ServerState::Stopped(_)));
        let programs: Vec<&ServerProgram> = stopped.filter_map(ServerUse::program).collect();
        for program in &programs {
            let title = program.software().title();
            let message = format!("{title} does not run; its test of the new files is fine");
            self.findings
                .push(Finding::error("server-not-running", message));
        }
        self.start = programs
            .iter()
            .map(|program| program.start_command())
            .collect();
        self.next
            .push(start_then_install(context, &self.start, &[&self.name]));
    }

    fn failed(
        &mut self,
        situation: &PreflightState,
        plan: &InstallPlan,
        failed: FailedPlan,
    ) -> Result<(), Failure> {
        let wanted = &situation.wanted.id;
        let begun = failed.attempted.iter().any(|step| match step {
            PlanStep::Switch { to, .. } => to == wanted,
            PlanStep::TestServer { .. } | PlanStep::Reload { .. } | PlanStep::Prove { .. } => true,
            _ => false,
        });
        let moved = failed
            .attempted
            .iter()
            .any(|step| matches!(step, PlanStep::Switch { to, .. } if to == wanted))
            || !failed.back.is_empty()
            || !failed.not_back.is_empty();
        let files_stay = plan::stays(plan, &failed.attempted);
        let stays = files_stay || matches!(&plan.back, RollbackTarget::To(id) if id == wanted);
        self.back = (
            failed.back.iter().map(ToString::to_string).collect(),
            failed
                .not_back
                .iter()
                .map(|(step, trouble)| format!("{step}: {}", told(trouble)))
                .collect(),
        );
        self.verdict = match (moved, stays || !is_back(&failed)) {
            (false, _) => InstallVerdict::NotServed,
            (true, true) => InstallVerdict::NotTakenBack,
            (true, false) => InstallVerdict::TakenBack,
        };
        let links = |step: &PlanStep| {
            !matches!(
                step,
                PlanStep::TestServer { .. } | PlanStep::Reload { .. } | PlanStep::Prove { .. }
            )
        };
        self.changed = moved && (stays || failed.not_back.iter().any(|(step, _)| links(step)));
        if let StepError::Interrupted(signal) = *failed.trouble {
            let there = if files_stay {
                "the new files stay: there is nothing to go back to"
            } else {
                "it was taken back, but not whole"
            };
            return Err(self.interrupted(signal, there));
        }
        if !begun && failed.not_back.is_empty() {
            return Err(early(failed.trouble));
        }
        self.seen.clear();
        if let StepError::NotServed(probes) = &*failed.trouble {
            self.seen = probes.iter().map(ProbeResult::from).collect();
        }
        let known = failed::still_before(situation, plan, &failed.trouble)
            .or_else(|| failed::half_taken(situation, plan, &failed.trouble));
        self.findings
            .push(known.unwrap_or_else(|| (&*failed.trouble).into()));
        self.findings
            .extend(failed::what_stays(situation, plan, files_stay));
        Ok(())
    }

    fn interrupted(&self, signal: i32, there: &str) -> Failure {
        let failure = Failure::new(
            FailureKind::Interrupted(signal),
            format!("interrupted by signal {signal}"),
        );
        let failure = match self.verdict {
            InstallVerdict::NotTakenBack => failure.because(there),
            InstallVerdict::TakenBack => {
                failure.because("it was taken back: what servers read is as it was")
            }
            _ => failure.because("before the switch: what servers read is as it was"),
        };
        let failure = failure.with(NextStep::say(
            "type the same again: it takes up where this stands",
        ));
        self.back.1.iter().fold(failure, |failure, left| {
            failure.because(format!("not back: {left}"))
        })
    }
}

/// The line that starts servers and then has these proven.
#[must_use]
pub(crate) fn start_then_install(context: &Context, start: &[String], names: &[&str]) -> NextStep {
    let words: Vec<&str> = ["install"].iter().chain(names).copied().collect();
    NextStep::say(format!(
        "{} && {}",
        start.join(" && "),
        again(context, &words).text
    ))
}

/// A date without its time: the day on which it is.
#[must_use]
pub(crate) fn day(at: Timestamp) -> String {
    jiff::tz::Offset::UTC.to_datetime(at).date().to_string()
}

/// Whether the site is as it was: every step back ended well, or, where a test or a reload did not,
/// the server was seen to serve the files before at every address all the same.
fn is_back(failed: &FailedPlan) -> bool {
    let seen = failed
        .back
        .iter()
        .any(|step| matches!(step, PlanStep::Prove { .. }));
    let asked =
        |step: &PlanStep| matches!(step, PlanStep::TestServer { .. } | PlanStep::Reload { .. });
    failed.not_back.iter().all(|(step, _)| seen && asked(step))
}

/// Whether a step changes nothing but what the next round goes by.
fn only_noted(step: &PlanStep) -> bool {
    matches!(step, PlanStep::Remember { .. })
}

/// What the servers did, in words: each once.
fn server_words(steps: &[PlanStep]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for step in steps {
        let word = match step {
            PlanStep::TestServer {
                server: Some(ServerSoftware::Nginx),
                ..
            } => "nginx -t ok".to_owned(),
            PlanStep::TestServer {
                server: Some(other),
                ..
            } => format!("{}'s test ok", other.title()),
            PlanStep::TestServer { server: None, .. } => "test ok".to_owned(),
            PlanStep::Reload { .. } => "reloaded".to_owned(),
            _ => continue,
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

fn afterwards(step: &PlanStep, trouble: &StepError) -> Finding {
    let message = format!(
        "the certificate is in place, but one thing after it failed: {step}: {}",
        told(trouble)
    );
    Finding::warning("follow-up-failed", message)
}

/// An error with its causes on one line.
fn told(trouble: &StepError) -> String {
    let mut said = trouble.to_string();
    let mut source = std::error::Error::source(trouble);
    while let Some(cause) = source {
        said.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    said
}

fn early(trouble: Rc<StepError>) -> Failure {
    match Rc::try_unwrap(trouble) {
        Ok(StepError::Install(error)) => error.into(),
        Ok(StepError::Process(error)) => error.into(),
        Ok(other) => Failure::of(FailureKind::Io, &other),
        Err(shared) => Failure::of(FailureKind::Io, &*shared),
    }
}
