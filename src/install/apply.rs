//! Runs a plan, and takes it back. Each step is noted as attempted before it is run: a step that fails halfway may have
//! worked. Everything here happens under the lock of the tree, on one thread.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::layout::{FOLDER_MODE, Layout, PRIVATE_FOLDER_MODE, PUBLIC_MODE, Pointer, ReleaseId, pointer_text};
use super::plan::{Back, InstallPlan, Kept, Step, stays, undo};
use super::release::Release;
use super::server::Server;
use super::settings::{SETTINGS_LIMIT, Settings};
use crate::live::{self, Handshake, Patience, ProbeTarget, Turn, Verdict};
use crate::pki::certificate::Certificate;
use crate::system::clock::{self, Stopwatch};
use crate::system::files::{self, FileError};
use crate::system::folders;
use crate::system::lock::Lock;
use crate::system::process::{Finished, ProcessError};
use crate::system::signals::Interrupt;
use crate::system::tls::{ProbeError, probe_all};

pub mod error;
pub mod guard;
pub mod settle;
pub mod store;

use error::InstallError;
use store::Staged;

/// One handshake may take that long.
const HANDSHAKE: Duration = Duration::from_secs(3);

/// What is needed to run a plan.
#[derive(Debug)]
pub struct Machine<'a> {
    /// Where everything lies.
    pub layout: &'a Layout,
    /// The release that the plan is for.
    pub wanted: &'a Release,
    /// It, built; none when it is there already.
    pub staged: Option<Staged>,
    /// The pair that is taken over, where there is one.
    pub taken: Option<&'a Release>,
    /// What is tested and reloaded.
    pub server: &'a Server,
    /// Whom to ask for what.
    pub targets: &'a [ProbeTarget],
    /// How long to ask.
    pub patience: Patience,
    /// What is remembered.
    pub settings: Settings,
    /// What was remembered before.
    pub settings_before: Settings,
    /// The plain files that this run has kept.
    pub kept: Vec<Kept>,
    /// Whom the way back demands to be served by the files before: who was before, where that was asked.
    pub demanded: Vec<ProbeTarget>,
    /// The instant of the history's entry.
    pub now: Timestamp,
    /// Ends it before the switch, takes it back after; none on the way back.
    pub interrupt: Option<&'a Interrupt>,
}

/// One answer to the question what is served.
#[derive(Debug)]
pub struct Probe {
    /// Whom, and for which name.
    pub target: ProbeTarget,
    /// What came, and what it proves.
    pub answer: Result<(Handshake, Verdict), ProbeError>,
}

impl Probe {
    /// True when it is the release, leaf and whole chain.
    #[must_use]
    pub fn agrees(&self) -> bool {
        matches!(&self.answer, Ok((_, Verdict::Same)))
    }
}

/// Why a step did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A file could not be used, or is not what it was.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// A signal came.
    #[error("interrupted by signal {0}")]
    Interrupted(i32),
    /// Not every address serves the release.
    #[error("not every address serves it")]
    NotServed(Vec<Probe>),
    /// A command could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The server could not be reloaded.
    #[error("the reload failed")]
    Reload(Finished),
    /// Left out because something before it failed.
    #[error("left out: the test before it failed")]
    Skipped,
    /// The server refuses its configuration.
    #[error("the server's test failed")]
    Test(Finished),
}

impl From<FileError> for Trouble {
    fn from(error: FileError) -> Self {
        Self::Install(error.into())
    }
}

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Applied {
    /// What was asked last, and answered.
    pub probes: Vec<Probe>,
    /// What ended it, and how it was taken back; none when every step ended well.
    pub failed: Option<Failed>,
    /// What went wrong after the end, without harm: the history, old releases.
    pub afterwards: Vec<(Step, Trouble)>,
}

/// A plan that was ended by a step.
#[derive(Debug)]
pub struct Failed {
    /// What was wrong.
    pub trouble: Trouble,
    /// Every step that was begun.
    pub attempted: Vec<Step>,
    /// What of the way back ended well.
    pub back: Vec<Step>,
    /// What of it did not.
    pub not_back: Vec<(Step, Trouble)>,
}

/// Takes the lock of the tree, making its folder first.
///
/// # Errors
/// [`InstallError::LockHeld`] after `wait`, [`InstallError::Interrupted`], or the system's reason.
pub fn lock(layout: &Layout, wait: Duration, interrupt: &Interrupt) -> Result<Lock, InstallError> {
    folders::make(&layout.base(), FOLDER_MODE)?;
    let path = layout.lock();
    match Lock::wait(&path, wait, || interrupt.signal().is_some())? {
        Some(lock) => Ok(lock),
        None => Err(match interrupt.signal() {
            Some(signal) => InstallError::Interrupted { signal },
            None => InstallError::LockHeld { path, waited: wait },
        }),
    }
}

impl Machine<'_> {
    /// Runs `plan` to its end, or back.
    pub fn run(mut self, plan: &InstallPlan) -> Applied {
        let mut applied = Applied::default();
        let mut attempted = Vec::new();
        self.ask_before(plan);
        for step in &plan.steps {
            let settled = attempted.iter().any(|step| matches!(step, Step::Record { .. }));
            let signal = self.signal().filter(|_| !settled && !matches!(step, Step::Record { .. }));
            if let Some(signal) = signal {
                applied.failed = Some(self.back(plan, attempted, Trouble::Interrupted(signal), &mut applied.probes));
                break;
            }
            attempted.push(step.clone());
            match self.step(step, &mut applied.probes) {
                Ok(()) => {}
                Err(trouble) if matches!(step, Step::Record { .. } | Step::Prune) => {
                    applied.afterwards.push((step.clone(), trouble));
                }
                Err(trouble) => {
                    applied.failed = Some(self.back(plan, attempted, trouble, &mut applied.probes));
                    break;
                }
            }
        }
        applied
    }

    /// An address that did not serve the files before (a mistyped one) is not asked for them on the way back.
    fn ask_before(&mut self, plan: &InstallPlan) {
        let Back::To(id) = &plan.back else { return };
        let asks = plan.steps.iter().any(|step| matches!(step, Step::Prove { release, .. } if release != id));
        let Some(certificates) = asks.then(|| self.certificates(id).ok()).flatten() else { return };
        let served = ask(self.targets, &certificates).into_iter().filter(Probe::agrees);
        let served: Vec<ProbeTarget> = served.map(|probe| probe.target).collect();
        if !served.is_empty() {
            self.demanded = served;
        }
    }

    fn certificates(&self, id: &ReleaseId) -> Result<Vec<Certificate>, FileError> {
        match [Some(self.wanted), self.taken].into_iter().flatten().find(|release| release.id == *id) {
            Some(release) => Ok(release.certificates.clone()),
            None => Ok(store::load(self.layout, id)?.map(|release| release.certificates).unwrap_or_default()),
        }
    }

    fn signal(&self) -> Option<i32> {
        self.interrupt.and_then(Interrupt::signal)
    }

    fn back(&mut self, plan: &InstallPlan, attempted: Vec<Step>, trouble: Trouble, probes: &mut Vec<Probe>) -> Failed {
        let (mut back, mut not_back) = (Vec::new(), Vec::new());
        self.interrupt = None;
        for step in undo(plan, &attempted, &self.kept).steps {
            let refused = not_back.iter().any(|(step, _)| matches!(step, Step::TestServer { .. }));
            let done = match &step {
                Step::Reload { .. } if refused => Err(Trouble::Skipped),
                step => self.step(step, probes),
            };
            match done {
                Ok(()) => back.push(step),
                Err(trouble) => not_back.push((step, trouble)),
            }
        }
        let remembered = attempted.iter().find(|step| matches!(step, Step::Remember { .. }));
        if let (Some(step), false) = (remembered, stays(plan, &attempted)) {
            self.settings = self.settings.clone().with_server_of(self.settings_before.clone());
            if let Err(error) = self.remember_again() {
                not_back.push((step.clone(), error.into()));
            }
        }
        Failed { trouble, attempted, back, not_back }
    }

    fn step(&mut self, step: &Step, probes: &mut Vec<Probe>) -> Result<(), Trouble> {
        let layout = self.layout;
        match step {
            Step::BackUp { path } => {
                let backup = folders::back_up_beside(path)?;
                self.kept.push(Kept { path: path.clone(), backup });
            }
            Step::Link { path, text } => self.link(path, text)?,
            Step::MarkProven { to, .. } => folders::link(&layout.pointer(Pointer::Proven), &pointer_text(to))?,
            Step::Prove { release, .. } => self.prove(release, probes)?,
            Step::Prune => self.prune()?,
            Step::Record { release, before } => self.record(release, before.as_ref())?,
            Step::Reload { .. } => passed(self.server.reload()?).map_err(Trouble::Reload)?,
            Step::Remember { .. } => self.remember()?,
            Step::Restore { path, backup } => folders::restore(path, backup)?,
            Step::Switch { to, .. } => folders::link(&layout.pointer(Pointer::Live), &pointer_text(to))?,
            Step::TakeOver { .. } => {
                if let Some(taken) = self.taken {
                    store::stage(layout, taken)?.publish(layout, taken)?;
                }
            }
            Step::TestServer { .. } => passed(self.server.test()?).map_err(Trouble::Test)?,
            Step::Unlink { path } => folders::unlink(path)?,
            Step::Unpoint { pointer } => folders::remove(&layout.pointer(*pointer))?,
            Step::WriteRelease { .. } => {
                let staged = match self.staged.take() {
                    Some(staged) => staged,
                    None => store::stage(layout, self.wanted)?,
                };
                staged.publish(layout, self.wanted)?;
            }
        }
        Ok(())
    }

    fn link(&self, path: &Path, text: &Path) -> Result<(), FileError> {
        let secret = self.layout.links().iter().any(|link| link.path == path && link.piece.is_secret());
        let mode = if secret { PRIVATE_FOLDER_MODE } else { FOLDER_MODE };
        folders::make(files::parent(path), mode)?;
        folders::link(path, text)
    }

    fn remember(&self) -> Result<(), InstallError> {
        let path = self.layout.settings();
        folders::make(&self.layout.folder(), FOLDER_MODE)?;
        let text = self.settings.to_json().map_err(|source| InstallError::Settings { path: path.clone(), source })?;
        Ok(files::replace(&path, text.as_bytes(), PUBLIC_MODE)?)
    }

    /// The way back, on a full disk too: where nothing was written nothing has to be, and what was not there can go.
    fn remember_again(&self) -> Result<(), InstallError> {
        let path = self.layout.settings();
        let bytes = files::read(&path, SETTINGS_LIMIT).unwrap_or_default();
        if Settings::parse(&bytes).unwrap_or_default() == self.settings_before {
            return Ok(());
        }
        match self.remember() {
            Err(_) if self.settings_before == Settings::default() => Ok(folders::remove(&path)?),
            other => other,
        }
    }

    fn record(&mut self, release: &ReleaseId, before: Option<&ReleaseId>) -> Result<(), InstallError> {
        self.settings.record(release.clone(), before.cloned(), self.now);
        self.remember()
    }

    /// What `live` and `proven` name stays, and what a rollback goes to.
    fn prune(&self) -> Result<(), InstallError> {
        let wanted = &self.wanted.id;
        let keep = [Some(wanted), self.settings.before(wanted)];
        store::prune(self.layout, &keep.into_iter().flatten().cloned().collect::<Vec<_>>())?;
        Ok(store::sweep(self.layout)?)
    }

    fn prove(&self, id: &ReleaseId, probes: &mut Vec<Probe>) -> Result<(), Trouble> {
        let certificates = self.certificates(id)?;
        let targets = if *id == self.wanted.id { self.targets } else { &self.demanded };
        let (found, signal) = ask_until(targets, &certificates, self.patience, || self.signal());
        let served = found.iter().all(Probe::agrees);
        match signal {
            Some(signal) => Err(Trouble::Interrupted(signal)),
            None if served => {
                *probes = found;
                Ok(())
            }
            None => Err(Trouble::NotServed(found)),
        }
    }
}

fn passed(finished: Option<Finished>) -> Result<(), Finished> {
    match finished {
        Some(finished) if !finished.succeeded() => Err(finished),
        _ => Ok(()),
    }
}

/// Asks every target once.
#[must_use]
pub fn ask(targets: &[ProbeTarget], certificates: &[Certificate]) -> Vec<Probe> {
    let answers = probe_all(targets, HANDSHAKE);
    let judged = |handshake: Handshake| {
        let verdict = live::judge(&handshake, certificates);
        (handshake, verdict)
    };
    let probe = |(target, answer): (&ProbeTarget, Result<Handshake, ProbeError>)| Probe {
        target: target.clone(),
        answer: answer.map(judged),
    };
    targets.iter().zip(answers).map(probe).collect()
}

/// Asks until every target shows the certificates in enough rounds, the time is up, or a signal comes.
fn ask_until(
    targets: &[ProbeTarget],
    certificates: &[Certificate],
    patience: Patience,
    signal: impl Fn() -> Option<i32>,
) -> (Vec<Probe>, Option<i32>) {
    let begun = Stopwatch::start();
    let mut agreed = 0;
    loop {
        let probes = ask(targets, certificates);
        agreed = if probes.iter().all(Probe::agrees) { agreed + 1 } else { 0 };
        match (patience.after(agreed, begun.passed()), signal()) {
            (Turn::Proven | Turn::GaveUp, _) => return (probes, None),
            (Turn::Again(_), Some(signal)) => return (probes, Some(signal)),
            (Turn::Again(pause), None) => clock::sleep(pause),
        }
    }
}
