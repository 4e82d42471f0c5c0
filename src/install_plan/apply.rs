//! Runs plans, and takes back what failed. Each step is noted as begun before it is run: a step
//! that fails halfway may have worked. Everything here happens under the lock of the tree, on one
//! thread.

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

use super::plan::{Back, InstallPlan, Step, stays};
use crate::install_plan::plan::scheduler::{Act, Course, Way};
use crate::pki::certificate::Certificate;
use crate::probe::{Patience, ProbeTarget};
use crate::store::layout::{FOLDER_MODE, Layout};
use crate::system::fs::lock::Lock;
use crate::system::fs::{files, folders};
use crate::system::signals::Interrupt;
use crate::webserver::model;

mod certificate;
pub(crate) mod error;
mod prove;

pub(crate) use certificate::Hand;
pub(crate) use error::Trouble;
pub(crate) use prove::Probe;
pub(crate) use prove::ask_groups;

use error::InstallError;
use prove::Asked;

/// What came of one plan.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// What was asked last, and answered.
    pub probes: Vec<Probe>,
    /// What ended it, and how it was taken back; none when every step ended well.
    pub failed: Option<Failed>,
    /// What went wrong after the end, without harm: the history, old releases.
    pub afterwards: Vec<(Step, Trouble)>,
}

/// A plan that was ended by a step.
#[derive(Debug)]
pub(crate) struct Failed {
    /// What was wrong; several plans may share it.
    pub trouble: Rc<Trouble>,
    /// Every step that was begun.
    pub attempted: Vec<Step>,
    /// What of the way back ended well.
    pub back: Vec<Step>,
    /// What of it did not.
    pub not_back: Vec<(Step, Rc<Trouble>)>,
}

/// Takes the lock of the tree, making its folder first.
///
/// # Errors
/// [`InstallError::LockHeld`] after `wait`, [`InstallError::Interrupted`], or the system's reason.
pub(crate) fn lock(
    layout: &Layout,
    wait: Duration,
    interrupt: &Interrupt,
) -> Result<Lock, InstallError> {
    let path = layout.lock();
    let take = || Lock::wait(&path, wait, || interrupt.signal().is_some());
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
pub(crate) struct Run<'a> {
    pub hands: Vec<Hand<'a>>,
    /// How long the servers are asked.
    pub patience: Patience,
    /// The instant of the history's entries.
    pub now: Timestamp,
    /// Ends it before the switch, takes it back after; none once all go back.
    pub interrupt: Option<&'a Interrupt>,
}

impl Run<'_> {
    /// Runs the plan of each pair to its end, or back.
    pub(crate) fn run(mut self, plans: &[InstallPlan]) -> Vec<Applied> {
        let mut applied: Vec<Applied> = plans.iter().map(|_| Applied::default()).collect();
        let mut course = Course::new(plans);
        self.ask_before(plans);
        while let Some(act) = course.next() {
            let noting = || matches!(act, Act::Do(_, Step::Record { .. })) || course.is_settling();
            if let Some(signal) = self.signal().filter(|_| !noting()) {
                self.interrupted(&mut course, signal);
                continue;
            }
            match act {
                Act::Do(pair, step) => self.change(&mut course, pair, &step, &mut applied[pair]),
                Act::Ask(question, pairs) => self.question(&mut course, &question, &pairs),
                Act::Flush(folder) => {
                    let failed = files::sync_folder(&folder)
                        .err()
                        .map(|error| Rc::new(error.into()));
                    course.flushed(&folder, failed.as_ref());
                }
                Act::Prove(asked) => self.prove(&mut course, asked, &mut applied),
            }
        }
        let ways = course.into_ways().into_iter();
        for ((way, hand), applied) in ways.zip(&mut self.hands).zip(&mut applied) {
            applied.failed = failed(way, hand);
        }
        applied
    }

    fn signal(&self) -> Option<i32> {
        self.interrupt.and_then(Interrupt::signal)
    }

    /// From here on only the way back is gone, and that to its end.
    fn interrupted(&mut self, course: &mut Course<'_, Rc<Trouble>>, signal: i32) {
        self.interrupt = None;
        course.interrupted(&Rc::new(Trouble::Interrupted(signal)));
    }

    /// An address that did not serve the files before (a mistyped one) is not asked for them on the
    /// way back.
    fn ask_before(&mut self, plans: &[InstallPlan]) {
        let before = |(plan, hand): (&InstallPlan, &Hand<'_>)| {
            let Back::To(id) = &plan.back else {
                return None;
            };
            let asks = plan
                .steps
                .iter()
                .any(|step| matches!(step, Step::Prove { release, .. } if release != id));
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
            let served = answers.next().into_iter().flatten().filter(Probe::agrees);
            let served: Vec<ProbeTarget> = served.map(|probe| probe.target).collect();
            if !served.is_empty() {
                hand.demanded = served;
            }
        }
    }

    fn change(
        &mut self,
        course: &mut Course<'_, Rc<Trouble>>,
        pair: usize,
        step: &Step,
        applied: &mut Applied,
    ) {
        course.begins(pair, step);
        match self.hands[pair].change(step, course.after(pair), self.now) {
            Ok(kept) => {
                kept.into_iter().for_each(|kept| course.keeps(pair, kept));
                course.went_well(&[pair]);
            }
            Err(trouble) if matches!(step, Step::Record { .. } | Step::Prune) => {
                applied.afterwards.push((step.clone(), trouble));
                course.went_well(&[pair]);
            }
            Err(trouble) => course.failed(pair, Rc::new(trouble)),
        }
    }

    /// One test or one reload, for all pairs that the server reads.
    fn question(&self, course: &mut Course<'_, Rc<Trouble>>, question: &Step, pairs: &[usize]) {
        pairs.iter().for_each(|&pair| course.begins(pair, question));
        let server = pairs
            .first()
            .and_then(|&pair| self.hands[pair].server(question));
        let ended = match (server, question) {
            (Some(server), Step::TestServer { .. }) => server.test(),
            (Some(server), _) => server.reload(),
            (None, _) => return course.went_well(pairs),
        };
        match ended {
            Ok(Some(finished)) if !finished.succeeded() => {
                let named = self.named(&finished.output);
                let trouble = match question {
                    Step::TestServer { .. } => Trouble::Test(finished),
                    _ => Trouble::Reload(finished),
                };
                course.refused(question, &named, &Rc::new(trouble));
            }
            Ok(_) => {
                course.went_well(pairs);
                if let Step::Reload { .. } = question {
                    course.reloaded(question);
                }
            }
            Err(error) => course.refused(question, &[], &Rc::new(error.into())),
        }
    }

    /// The pairs whose paths a server's words name.
    fn named(&self, output: &str) -> Vec<usize> {
        let names = |hand: &Hand<'_>| {
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
        course: &mut Course<'_, Rc<Trouble>>,
        asked: Vec<(usize, Step)>,
        applied: &mut [Applied],
    ) {
        let mut all = Vec::new();
        for (pair, step) in asked {
            course.begins(pair, &step);
            let Step::Prove { release, .. } = &step else {
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
        for Asked { pair, probes, .. } in all {
            if probes.iter().all(Probe::agrees) {
                applied[pair].probes = probes;
                course.went_well(&[pair]);
            } else {
                course.failed(pair, Rc::new(Trouble::NotServed(probes)));
            }
        }
    }
}

/// How a pair that went back ended; its settings are then those of before as far as they speak of
/// servers.
fn failed(way: Way<'_, Rc<Trouble>>, hand: &mut Hand<'_>) -> Option<Failed> {
    let trouble = way.trouble?;
    let skipped = |why: Option<Rc<Trouble>>| why.unwrap_or_else(|| Rc::new(Trouble::Skipped));
    let mut not_back: Vec<_> = way
        .not_back
        .into_iter()
        .map(|(step, why)| (step, skipped(why)))
        .collect();
    let remembered = way
        .attempted
        .iter()
        .find(|step| matches!(step, Step::Remember { .. }));
    if let (Some(step), false) = (remembered, stays(way.plan, &way.attempted))
        && let Err(error) = hand.forget()
    {
        not_back.push((step.clone(), Rc::new(error.into())));
    }
    Some(Failed {
        trouble,
        attempted: way.attempted,
        back: way.back,
        not_back,
    })
}
