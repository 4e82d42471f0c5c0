//! What came of a changeover, for people and programs. `install` and `rollback` end with it.

use super::block::{self, Block, Placing};
use super::order::again;
use super::situation::Situation;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;

use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::finding::{Finding, Next};
use crate::install::apply::{Applied, Failed, Probe, Trouble};
use crate::install::plan::{self, Back, End, InstallPlan, Step};
use crate::install::site::Software;
use crate::pki::certificate::Certificate;

mod dry_run;
mod failed;
mod show;

/// The verdicts of the contract.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// In place; there is nothing to ask.
    Files,
    /// In place, and seen at every address.
    Live,
    /// In place, and nobody serves it yet.
    NotServed,
    /// Failed after the switch, and not all was taken back.
    NotTakenBack,
    /// Only shown.
    Planned,
    /// Nothing was touched.
    Refused,
    /// Failed after the switch; all is as it was.
    TakenBack,
    /// It was all there.
    Unchanged,
}

impl Verdict {
    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Live => "live",
            Self::NotServed => "not-served",
            Self::NotTakenBack => "not-taken-back",
            Self::Planned => "planned",
            Self::Refused => "refused",
            Self::TakenBack => "taken-back",
            Self::Unchanged => "unchanged",
        }
    }

    /// The exit code of the process.
    #[must_use]
    pub fn exit_code(self) -> u8 {
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
pub struct Seen {
    address: String,
    name: String,
    sha256: Option<String>,
    protocol: Option<&'static str>,
}

impl From<&Probe> for Seen {
    fn from(probe: &Probe) -> Self {
        let handshake = probe.answer.as_ref().ok().map(|(handshake, _)| handshake);
        Self {
            address: probe.target.address.to_string(),
            name: probe.target.name.clone(),
            sha256: handshake.map(crate::live::Handshake::sha256),
            protocol: handshake.map(|handshake| handshake.protocol),
        }
    }
}

/// The whole of it.
#[derive(Debug)]
pub struct Changeover {
    /// How it ended.
    pub verdict: Verdict,
    /// Whether anything that servers read is other than before.
    pub changed: bool,
    /// The pair's name.
    pub name: String,
    /// The certificate that it is about.
    pub leaf: Certificate,
    /// What was, or would be done; none when it was refused.
    pub plan: Option<InstallPlan>,
    /// What was seen.
    pub seen: Vec<Seen>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What to do now.
    pub next: Vec<Next>,
    release: String,
    chain_path: String,
    key_path: String,
    key_mode: u32,
    /// What of the way back ended well, and what not.
    back: (Vec<String>, Vec<String>),
    /// The server's part, in words: `nginx -t ok, reloaded`.
    server: Vec<&'static str>,
    /// What the next round goes by.
    settings: Value,
    /// The pair's.
    folder: PathBuf,
}

impl Changeover {
    fn new(situation: &Situation, verdict: Verdict, plan: Option<InstallPlan>) -> Self {
        let Situation { layout, wanted, serving, .. } = situation;
        Self {
            verdict,
            changed: false,
            name: layout.stem().to_owned(),
            leaf: wanted.leaf().clone(),
            plan,
            seen: serving.probes.iter().map(Seen::from).collect(),
            findings: serving.findings.clone(),
            next: Vec::new(),
            release: wanted.id.to_string(),
            chain_path: layout.chain_path().display().to_string(),
            key_path: layout.key_path().display().to_string(),
            key_mode: wanted.access.mode,
            back: (Vec::new(), Vec::new()),
            server: Vec::new(),
            settings: situation.settings.shown(),
            folder: layout.folder(),
        }
    }

    /// Whether other files were in place before and can be gone back to.
    #[must_use]
    pub fn replaced(&self) -> bool {
        let back = self.plan.as_ref().filter(|plan| !plan.steps.is_empty()).map(|plan| &plan.back);
        let well = matches!(self.verdict, Verdict::Live | Verdict::Files);
        well && matches!(back, Some(Back::To(id)) if id.as_str() != self.release)
    }

    /// Nothing was touched, for these reasons.
    #[must_use]
    pub fn refused(situation: &Situation, reasons: Vec<Finding>) -> Self {
        let mut refused = Self::new(situation, Verdict::Refused, None);
        refused.findings.extend(reasons);
        refused
    }

    /// A dry run.
    #[must_use]
    pub fn planned(situation: &Situation, plan: InstallPlan) -> Self {
        Self::new(situation, Verdict::Planned, Some(plan))
    }

    /// A run.
    ///
    /// # Errors
    /// When it ended before anything that servers read was changed, or by a signal.
    pub fn applied(
        context: &Context,
        situation: &Situation,
        plan: InstallPlan,
        applied: Applied,
    ) -> Result<Self, Failure> {
        let mut done = Self::new(situation, Verdict::Unchanged, None);
        done.findings.extend(applied.afterwards.iter().map(|(step, trouble)| afterwards(step, trouble)));
        if !applied.probes.is_empty() {
            done.seen = applied.probes.iter().map(Seen::from).collect();
        }
        match applied.failed {
            None => done.ended_well(context, situation, &plan),
            Some(failed) => done.failed(situation, &plan, failed)?,
        }
        done.plan = Some(plan);
        Ok(done)
    }

    fn ended_well(&mut self, context: &Context, situation: &Situation, plan: &InstallPlan) {
        let asks = |step: &Step| matches!(step, Step::TestServer { .. } | Step::Prove { .. });
        self.changed = plan.steps.iter().any(|step| !asks(step) && !only_noted(step));
        self.server = server_words(situation, &plan.steps);
        self.verdict = match plan.end {
            End::NotNamed | End::Partly | End::Stopped => Verdict::NotServed,
            End::Proven if plan.steps.iter().all(only_noted) => Verdict::Unchanged,
            End::Proven if self.seen.is_empty() => Verdict::Files,
            End::Proven => Verdict::Live,
        };
        match plan.end {
            End::NotNamed => {
                let block = block::write(context, situation);
                self.not_named(context, situation, &block);
            }
            End::Stopped => self.stopped(context, situation),
            End::Partly => self.next.push(again(context, &["install", &self.name])),
            End::Proven => {}
        }
    }

    fn not_named(&mut self, context: &Context, situation: &Situation, block: &Block) {
        let again = again(context, &["install", &self.name]);
        self.findings.push(block.finding());
        match block.next(situation) {
            Placing::Move(command) => self.next.push(Next::say(format!("{command} && {}", again.text))),
            Placing::ByHand(step) => self.next.extend([step, again]),
            Placing::Nothing => self.next.push(again),
        }
    }

    fn stopped(&mut self, context: &Context, situation: &Situation) {
        let Some(program) = situation.serving.server.program() else { return };
        let (start, title) = (program.start_command(), program.software().title());
        let again = again(context, &["install", &self.name]);
        let message = format!("{title} does not run; its test of the new files is fine");
        self.findings.push(Finding::error("server-not-running", message));
        self.next.push(Next::say(format!("{start} && {}", again.text)));
    }

    fn failed(&mut self, situation: &Situation, plan: &InstallPlan, failed: Failed) -> Result<(), Failure> {
        let wanted = &situation.wanted.id;
        let begun = failed.attempted.iter().any(|step| match step {
            Step::Switch { to, .. } => to == wanted,
            Step::TestServer { .. } | Step::Reload { .. } | Step::Prove { .. } => true,
            _ => false,
        });
        let moved = failed.attempted.iter().any(|step| matches!(step, Step::Switch { to, .. } if to == wanted))
            || !failed.back.is_empty()
            || !failed.not_back.is_empty();
        let files_stay = plan::stays(plan, &failed.attempted);
        let stays = files_stay || matches!(&plan.back, Back::To(id) if id == wanted);
        self.back = (
            failed.back.iter().map(ToString::to_string).collect(),
            failed.not_back.iter().map(|(step, trouble)| format!("{step}: {}", told(trouble))).collect(),
        );
        self.verdict = match (moved, stays || !is_back(&failed)) {
            (false, _) => Verdict::NotServed,
            (true, true) => Verdict::NotTakenBack,
            (true, false) => Verdict::TakenBack,
        };
        let links = |step: &Step| !matches!(step, Step::TestServer { .. } | Step::Reload { .. } | Step::Prove { .. });
        self.changed = moved && (stays || failed.not_back.iter().any(|(step, _)| links(step)));
        if let Trouble::Interrupted(signal) = failed.trouble {
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
        if let Trouble::NotServed(probes) = &failed.trouble {
            self.seen = probes.iter().map(Seen::from).collect();
        }
        self.findings
            .push(failed::still_before(situation, plan, &failed.trouble).unwrap_or_else(|| (&failed.trouble).into()));
        self.findings.extend(failed::what_stays(situation, plan, files_stay));
        Ok(())
    }

    /// Where it stood.
    fn interrupted(&self, signal: i32, there: &str) -> Failure {
        let failure = Failure::new(Kind::Interrupted(signal), format!("interrupted by signal {signal}"));
        let failure = match self.verdict {
            Verdict::NotTakenBack => failure.because(there),
            Verdict::TakenBack => failure.because("it was taken back: what servers read is as it was"),
            _ => failure.because("before the switch: what servers read is as it was"),
        };
        let failure = failure.with(Next::say("type the same again: it takes up where this stands"));
        self.back.1.iter().fold(failure, |failure, left| failure.because(format!("not back: {left}")))
    }
}

/// A date without its time: the day on which it is.
#[must_use]
pub fn day(at: Timestamp) -> String {
    jiff::tz::Offset::UTC.to_datetime(at).date().to_string()
}

/// Whether the site is as it was: every step back ended well, or, where a test or a reload did not, the server was seen
/// to serve the files before at every address all the same.
fn is_back(failed: &Failed) -> bool {
    let seen = failed.back.iter().any(|step| matches!(step, Step::Prove { .. }));
    let asked = |step: &Step| matches!(step, Step::TestServer { .. } | Step::Reload { .. });
    failed.not_back.iter().all(|(step, _)| seen && asked(step))
}

/// Whether a step changes nothing but what the next round goes by.
fn only_noted(step: &Step) -> bool {
    matches!(step, Step::Remember { .. })
}

fn server_words(situation: &Situation, steps: &[Step]) -> Vec<&'static str> {
    let nginx = situation.serving.server.program().is_some_and(|program| program.software() == Software::Nginx);
    let words = steps.iter().filter_map(|step| match step {
        Step::TestServer { .. } if nginx => Some("nginx -t ok"),
        Step::TestServer { .. } => Some("test ok"),
        Step::Reload { .. } => Some("reloaded"),
        _ => None,
    });
    words.collect()
}

fn afterwards(step: &Step, trouble: &Trouble) -> Finding {
    let message = format!("the certificate is in place, but one thing after it failed: {step}: {}", told(trouble));
    Finding::warning("not-finished", message)
}

/// An error with its causes on one line.
fn told(trouble: &Trouble) -> String {
    let mut said = trouble.to_string();
    let mut source = std::error::Error::source(trouble);
    while let Some(cause) = source {
        said.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    said
}

fn early(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Install(error) => error.into(),
        Trouble::Process(error) => error.into(),
        other => Failure::of(Kind::Io, &other),
    }
}
