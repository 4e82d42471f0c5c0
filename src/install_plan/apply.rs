//! Runs plans, and takes back what failed. Each step is noted as begun before it is run: a step
//! that fails halfway may have worked. Everything here happens under the lock of the tree, on one
//! thread.

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

use super::plan::{InstallPlan, PlanStep, RollbackTarget, stays};
use crate::install_plan::plan::scheduler::{NextAction, PlanProgress, PlanScheduler};
use crate::pki::certificate::Certificate;
use crate::probe::{ProbePatience, ProbeTarget};
use crate::store::layout::{FOLDER_MODE, LineageLayout};
use crate::system::fs::lock::FileLock;
use crate::system::fs::{files, folders};
use crate::system::signals::InterruptSignal;
use crate::webserver::model;

mod certificate;
pub(crate) mod error;
mod prove;

pub(crate) use certificate::PlanContext;
pub(crate) use error::StepError;
pub(crate) use prove::ProbeAnswer;
pub(crate) use prove::ask_groups;

use error::InstallError;
use prove::ProbeGroup;

/// What came of one plan.
#[derive(Debug, Default)]
pub(crate) struct AppliedPlan {
    /// What was asked last, and answered.
    pub probes: Vec<ProbeAnswer>,
    /// What ended it, and how it was taken back; none when every step ended well.
    pub failed: Option<FailedPlan>,
    /// What went wrong after the end, without harm: the history, old releases.
    pub afterwards: Vec<(PlanStep, StepError)>,
}

/// A plan that was ended by a step.
#[derive(Debug)]
pub(crate) struct FailedPlan {
    /// What was wrong; several plans may share it.
    pub trouble: Rc<StepError>,
    /// Every step that was begun.
    pub attempted: Vec<PlanStep>,
    /// What of the way back ended well.
    pub back: Vec<PlanStep>,
    /// What of it did not.
    pub not_back: Vec<(PlanStep, Rc<StepError>)>,
}

/// Takes the lock of the tree, making its folder first.
///
/// # Errors
/// [`InstallError::LockHeld`] after `wait`, [`InstallError::Interrupted`], or the system's reason.
pub(crate) fn lock(
    layout: &LineageLayout,
    wait: Duration,
    interrupt: &InterruptSignal,
) -> Result<FileLock, InstallError> {
    let path = layout.lock();
    let take = || FileLock::wait(&path, wait, || interrupt.signal().is_some());
    match folders::within(files::parent(&path), FOLDER_MODE, take)? {
        Some(lock) => Ok(lock),
        None => Err(match interrupt.signal() {
            Some(signal) => InstallError::Interrupted { signal },
            None => InstallError::LockHeld { path, waited: wait },
        }),
    }
}

/// Several pairs at once.
#[derive(Debug)]
pub(crate) struct PlanRun<'a> {
    pub hands: Vec<PlanContext<'a>>,
    /// How long the servers are asked.
    pub patience: ProbePatience,
    /// The instant of the history's entries.
    pub now: Timestamp,
    /// Ends it before the switch, takes it back after; none once all go back.
    pub interrupt: Option<&'a InterruptSignal>,
}

impl PlanRun<'_> {
    /// Runs the plan of each pair to its end, or back.
    pub(crate) fn run(mut self, plans: &[InstallPlan]) -> Vec<AppliedPlan> {
        let mut applied: Vec<AppliedPlan> = plans.iter().map(|_| AppliedPlan::default()).collect();
        let mut course = PlanScheduler::new(plans);
        self.ask_before(plans);
        while let Some(act) = course.next() {
            let noting = || {
                matches!(act, NextAction::Do(_, PlanStep::Record { .. })) || course.is_settling()
            };
            if let Some(signal) = self.signal().filter(|_| !noting()) {
                self.interrupted(&mut course, signal);
                continue;
            }
            match act {
                NextAction::Do(pair, step) => {
                    self.change(&mut course, pair, &step, &mut applied[pair])
                }
                NextAction::Ask(question, pairs) => self.question(&mut course, &question, &pairs),
                NextAction::Flush(folder) => {
                    let failed = files::sync_folder(&folder)
                        .err()
                        .map(|error| Rc::new(error.into()));
                    course.flushed(&folder, failed.as_ref());
                }
                NextAction::Prove(asked) => self.prove(&mut course, asked, &mut applied),
            }
        }
        let ways = course.into_ways().into_iter();
        for ((way, hand), applied) in ways.zip(&mut self.hands).zip(&mut applied) {
            applied.failed = failed(way, hand);
        }
        applied
    }

    fn signal(&self) -> Option<i32> {
        self.interrupt.and_then(InterruptSignal::signal)
    }

    /// From here on only the way back is gone, and that to its end.
    fn interrupted(&mut self, course: &mut PlanScheduler<'_, Rc<StepError>>, signal: i32) {
        self.interrupt = None;
        course.interrupted(&Rc::new(StepError::Interrupted(signal)));
    }

    /// An address that did not serve the files before (a mistyped one) is not asked for them on the
    /// way back.
    fn ask_before(&mut self, plans: &[InstallPlan]) {
        let before = |(plan, hand): (&InstallPlan, &PlanContext<'_>)| {
            let RollbackTarget::To(id) = &plan.back else {
                return None;
            };
            let asks = plan
                .steps
                .iter()
                .any(|step| matches!(step, PlanStep::Prove { release, .. } if release != id));
            asks.then(|| hand.certificates(id).ok()).flatten()
        };
        let asked: Vec<Option<Vec<Certificate>>> =
            plans.iter().zip(&self.hands).map(before).collect();
        let waiting = asked.iter().zip(&self.hands);
        let groups: Vec<(&[ProbeTarget], &[Certificate])> = waiting
            .filter_map(|(asked, hand)| Some((hand.targets, asked.as_deref()?)))
            .collect();
        let mut answers = prove::ask_groups(&groups).into_iter();
        for (hand, _) in self
            .hands
            .iter_mut()
            .zip(&asked)
            .filter(|(_, asked)| asked.is_some())
        {
            let served = answers
                .next()
                .into_iter()
                .flatten()
                .filter(ProbeAnswer::agrees);
            let served: Vec<ProbeTarget> = served.map(|probe| probe.target).collect();
            if !served.is_empty() {
                hand.demanded = served;
            }
        }
    }

    fn change(
        &mut self,
        course: &mut PlanScheduler<'_, Rc<StepError>>,
        pair: usize,
        step: &PlanStep,
        applied: &mut AppliedPlan,
    ) {
        course.begins(pair, step);
        match self.hands[pair].change(step, course.after(pair), self.now) {
            Ok(kept) => {
                kept.into_iter().for_each(|kept| course.keeps(pair, kept));
                course.went_well(&[pair]);
            }
            Err(trouble) if matches!(step, PlanStep::Record { .. } | PlanStep::Prune) => {
                applied.afterwards.push((step.clone(), trouble));
                course.went_well(&[pair]);
            }
            Err(trouble) => course.failed(pair, Rc::new(trouble)),
        }
    }

    /// One test or one reload, for all pairs that the server reads.
    fn question(
        &self,
        course: &mut PlanScheduler<'_, Rc<StepError>>,
        question: &PlanStep,
        pairs: &[usize],
    ) {
        pairs.iter().for_each(|&pair| course.begins(pair, question));
        let server = pairs
            .first()
            .and_then(|&pair| self.hands[pair].server(question));
        let ended = match (server, question) {
            (Some(server), PlanStep::TestServer { .. }) => server.test(),
            (Some(server), _) => server.reload(),
            (None, _) => return course.went_well(pairs),
        };
        match ended {
            Ok(Some(finished)) if !finished.succeeded() => {
                let named = self.named(&finished.output);
                let trouble = match question {
                    PlanStep::TestServer { .. } => StepError::Test(finished),
                    _ => StepError::Reload(finished),
                };
                course.refused(question, &named, &Rc::new(trouble));
            }
            Ok(_) => {
                course.went_well(pairs);
                if let PlanStep::Reload { .. } = question {
                    course.reloaded(question);
                }
            }
            Err(error) => course.refused(question, &[], &Rc::new(error.into())),
        }
    }

    /// The pairs whose paths a server's words name.
    fn named(&self, output: &str) -> Vec<usize> {
        let names = |hand: &PlanContext<'_>| {
            hand.paths
                .iter()
                .any(|path| model::names_path(output, path))
        };
        self.hands
            .iter()
            .enumerate()
            .filter(|(_, hand)| names(hand))
            .map(|(pair, _)| pair)
            .collect()
    }

    fn prove(
        &mut self,
        course: &mut PlanScheduler<'_, Rc<StepError>>,
        asked: Vec<(usize, PlanStep)>,
        applied: &mut [AppliedPlan],
    ) {
        let mut all = Vec::new();
        for (pair, step) in asked {
            course.begins(pair, &step);
            let PlanStep::Prove { release, .. } = &step else {
                continue;
            };
            match self.hands[pair].asked(pair, release) {
                Ok(one) => all.push(one),
                Err(error) => course.failed(pair, Rc::new(error.into())),
            }
        }
        let signal = prove::ask_until(&mut all, self.patience, || self.signal());
        if let Some(signal) = signal {
            return self.interrupted(course, signal);
        }
        for ProbeGroup { pair, probes, .. } in all {
            if probes.iter().all(ProbeAnswer::agrees) {
                applied[pair].probes = probes;
                course.went_well(&[pair]);
            } else {
                course.failed(pair, Rc::new(StepError::NotServed(probes)));
            }
        }
    }
}

/// How a pair that went back ended; its settings are then those of before as far as they speak of
/// servers.
fn failed(way: PlanProgress<'_, Rc<StepError>>, hand: &mut PlanContext<'_>) -> Option<FailedPlan> {
    let trouble = way.trouble?;
    let skipped = |why: Option<Rc<StepError>>| why.unwrap_or_else(|| Rc::new(StepError::Skipped));
    let mut not_back: Vec<_> = way
        .not_back
        .into_iter()
        .map(|(step, why)| (step, skipped(why)))
        .collect();
    let remembered = way
        .attempted
        .iter()
        .find(|step| matches!(step, PlanStep::Remember { .. }));
    if let (Some(step), false) = (remembered, stays(way.plan, &way.attempted))
        && let Err(error) = hand.forget()
    {
        not_back.push((step.clone(), Rc::new(error.into())));
    }
    Some(FailedPlan {
        trouble,
        attempted: way.attempted,
        back: way.back,
        not_back,
    })
}
