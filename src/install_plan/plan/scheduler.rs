//! Runs several plans as one schedule: first the changes of every plan, then one test and one reload
//! per server, then one probe of everything, and last the bookkeeping. The caller takes
//! [`PlanScheduler::next_action`], performs it and reports how it ended. A plan that failed is rolled
//! back on all its servers, which are tested and reloaded again, while the others continue. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::backup::BackedUpFile;
use super::step::{InstallPlan, PlanStep};
use super::undo::plan_undo;

/// The next thing to do. Plans are named by their index.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum NextAction {
    /// Run a step of one plan alone.
    RunStep(usize, PlanStep),
    /// Test or reload a server, once for all of these plans.
    AskServer(PlanStep, Vec<usize>),
    /// Flush a folder that several plans have changed, once: the next action relies on it.
    Flush(PathBuf),
    /// Probe for each of these plans as its step says, all at once.
    Prove(Vec<(usize, PlanStep)>),
}

/// The order of steps over all plans. A rollback starts at once. No link replaces a file before all
/// backups are flushed, and no plan is switched before all links are. Bookkeeping comes last: until
/// then everything can be rolled back.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum StepRank {
    Undo,
    Write,
    BackUp,
    Link,
    Switch,
    Copy,
    Test,
    Reload,
    Prove,
    Settle,
}

/// The progress of one plan.
#[derive(Debug)]
pub(crate) struct PlanProgress<'a, T> {
    pub plan: &'a InstallPlan,
    /// Every step that was started before a failure.
    pub attempted: Vec<PlanStep>,
    /// The plain files that were backed up.
    pub backups: Vec<BackedUpFile>,
    /// Why the plan is rolled back; `None` when it is not.
    pub failure: Option<T>,
    /// Why the new files stay in spite of a failure: they are served, and the previous certificate is
    /// of no use.
    pub held: Option<String>,
    /// The steps of the rollback that succeeded.
    pub undone: Vec<PlanStep>,
    /// The steps of the rollback that failed, and why; `None` where the step was skipped because a
    /// test before it failed.
    pub not_undone: Vec<(PlanStep, Option<T>)>,
    /// The steps still to run, the last first.
    pending: Vec<PlanStep>,
}

impl<'a, T> PlanProgress<'a, T> {
    fn new(plan: &'a InstallPlan) -> Self {
        Self {
            plan,
            attempted: Vec::new(),
            backups: Vec::new(),
            failure: None,
            held: None,
            undone: Vec::new(),
            not_undone: Vec::new(),
            pending: plan
                .steps
                .iter()
                .rev()
                .filter(is_scheduled)
                .cloned()
                .collect(),
        }
    }

    fn rank(&self) -> Option<StepRank> {
        Some(match self.pending.last()? {
            PlanStep::TestServer { .. } => StepRank::Test,
            PlanStep::Reload { .. } => StepRank::Reload,
            PlanStep::Prove { .. } => StepRank::Prove,
            _ if self.failure.is_some() => StepRank::Undo,
            PlanStep::BackUp { .. } | PlanStep::Keep { .. } => StepRank::BackUp,
            PlanStep::Link { .. } => StepRank::Link,
            PlanStep::Copy { .. } => StepRank::Copy,
            _ if self.pending.iter().all(is_bookkeeping) => StepRank::Settle,
            // A certificate that is taken over becomes live before a link shows it.
            PlanStep::Switch { .. } if !self.pending.iter().any(changes_deployed_path) => {
                StepRank::Switch
            }
            _ => StepRank::Write,
        })
    }

    fn has_attempted(&self, wanted: impl Fn(&PlanStep) -> bool) -> bool {
        self.attempted.iter().any(wanted)
    }

    /// Whether the plan has not failed and can still be rolled back.
    fn can_fail(&self) -> bool {
        self.failure.is_none()
            && !self.has_attempted(|step| matches!(step, PlanStep::Record { .. }))
    }
}

/// The command of `--after` is run when all plans have ended.
fn is_scheduled(step: &&PlanStep) -> bool {
    !matches!(step, PlanStep::RunHook { .. })
}

fn is_bookkeeping(step: &PlanStep) -> bool {
    matches!(
        step,
        PlanStep::MarkProven { .. } | PlanStep::Record { .. } | PlanStep::Prune
    )
}

fn changes_deployed_path(step: &PlanStep) -> bool {
    deployed_path(step).is_some()
}

/// The path that the step changes together with those of other plans.
fn deployed_path(step: &PlanStep) -> Option<&Path> {
    match step {
        PlanStep::BackUp { path } | PlanStep::Keep { path } | PlanStep::Link { path, .. } => {
            Some(path)
        }
        _ => None,
    }
}

/// All plans and their progress.
#[derive(Debug)]
pub(crate) struct PlanScheduler<'a, T> {
    plans: Vec<PlanProgress<'a, T>>,
    /// The plans with pending steps, by the rank of the next one.
    queue: BTreeSet<(StepRank, usize)>,
    /// Folders to flush, and the plans whose changes are in them.
    unflushed: BTreeMap<(StepRank, PathBuf), BTreeSet<usize>>,
}

impl<'a, T: Clone> PlanScheduler<'a, T> {
    #[must_use]
    pub(crate) fn new(plans: impl IntoIterator<Item = &'a InstallPlan>) -> Self {
        let plans: Vec<PlanProgress<'a, T>> = plans.into_iter().map(PlanProgress::new).collect();
        let queue = plans
            .iter()
            .enumerate()
            .filter_map(|(index, progress)| Some((progress.rank()?, index)))
            .collect();
        Self {
            plans,
            queue,
            unflushed: BTreeMap::new(),
        }
    }

    /// The next action; `None` when everything is done.
    #[must_use]
    pub(crate) fn next_action(&self) -> Option<NextAction> {
        let first = self.queue.first();
        if let Some(((since, folder), _)) = self.unflushed.first_key_value()
            && first.is_none_or(|(rank, _)| since < rank)
        {
            return Some(NextAction::Flush(folder.clone()));
        }
        let &(rank, index) = first?;
        let step = self.plans[index].pending.last()?.clone();
        Some(match rank {
            StepRank::Undo
            | StepRank::Write
            | StepRank::BackUp
            | StepRank::Link
            | StepRank::Switch
            | StepRank::Copy
            | StepRank::Settle => NextAction::RunStep(index, step),
            StepRank::Prove => {
                let steps = self.steps_of_first_rank(rank);
                NextAction::Prove(steps.map(|(index, step)| (index, step.clone())).collect())
            }
            StepRank::Test | StepRank::Reload => {
                let same_step = self
                    .steps_of_first_rank(rank)
                    .filter(|(_, other)| **other == step);
                let indices = same_step.map(|(index, _)| index).collect();
                NextAction::AskServer(step, indices)
            }
        })
    }

    /// The plans whose next step has `rank`, the first rank of the queue, each with that step.
    fn steps_of_first_rank(&self, rank: StepRank) -> impl Iterator<Item = (usize, &PlanStep)> {
        self.queue
            .iter()
            .take_while(move |(other, _)| *other == rank)
            .filter_map(|&(_, index)| Some((index, self.plans[index].pending.last()?)))
    }

    /// Whether every step that can fail for an outside reason is done, so that only bookkeeping is
    /// left.
    #[must_use]
    pub(crate) fn is_settling(&self) -> bool {
        self.plans.iter().any(|progress| {
            progress.failure.is_none()
                && progress.has_attempted(|step| matches!(step, PlanStep::Record { .. }))
        })
    }

    /// The steps of one plan after its next one.
    pub(crate) fn steps_after(&self, index: usize) -> impl Iterator<Item = &PlanStep> {
        self.plans[index].pending.iter().rev().skip(1)
    }

    /// Notes that a step of one plan starts: a step that fails halfway may have taken effect.
    pub(crate) fn start_step(&mut self, index: usize, step: &PlanStep) {
        if self.plans[index].failure.is_none() {
            self.plans[index].attempted.push(step.clone());
        }
    }

    /// Notes a plain file that was backed up.
    pub(crate) fn add_backup(&mut self, index: usize, backup: BackedUpFile) {
        self.plans[index].backups.push(backup);
    }

    /// Notes that the next step of each of these plans succeeded.
    pub(crate) fn complete_step(&mut self, indices: &[usize]) {
        for &index in indices {
            self.note_unflushed_folder(index);
            self.advance(index, |progress, step| {
                if progress.failure.is_some() {
                    progress.undone.push(step);
                }
            });
        }
    }

    /// The folder of a backup or a link is flushed once all plans have changed it.
    fn note_unflushed_folder(&mut self, index: usize) {
        let progress = &self.plans[index];
        let changed = progress.pending.last().and_then(deployed_path);
        let folder = changed.and_then(Path::parent);
        let Some(rank @ (StepRank::BackUp | StepRank::Link)) = progress.rank() else {
            return;
        };
        if let Some(folder) = folder {
            self.unflushed
                .entry((rank, folder.to_owned()))
                .or_default()
                .insert(index);
        }
    }

    /// Notes that a folder was flushed or, with a reason, could not be: then every plan that
    /// changed it is rolled back.
    pub(crate) fn finish_flush(&mut self, folder: &Path, failure: Option<&T>) {
        let mut changed_by = BTreeSet::new();
        for rank in [StepRank::BackUp, StepRank::Link] {
            let indices = self.unflushed.remove(&(rank, folder.to_owned()));
            changed_by.extend(indices.into_iter().flatten());
        }
        let Some(why) = failure else {
            return;
        };
        changed_by.retain(|&index| self.plans[index].can_fail());
        for index in changed_by {
            self.roll_back(index, why.clone());
        }
    }

    /// Notes that the next step of one plan failed: the plan is rolled back. A plan that is being
    /// rolled back already skips that step.
    pub(crate) fn fail_step(&mut self, index: usize, why: T) {
        if self.plans[index].failure.is_some() {
            self.advance(index, |progress, step| {
                progress.not_undone.push((step, Some(why)));
            });
        } else {
            self.roll_back(index, why);
        }
    }

    /// Notes that a test or a reload failed. The plans that the server's output names (`named`) are
    /// rolled back if they have not settled; where it names none, all plans of that server are.
    /// Where none of them can be rolled back any more, the step is skipped.
    pub(crate) fn fail_server_step(&mut self, question: &PlanStep, named: &[usize], why: &T) {
        let of_server: Vec<usize> = (0..self.plans.len())
            .filter(|&index| {
                let progress = &self.plans[index];
                progress.can_fail() && progress.has_attempted(|step| step == question)
            })
            .collect();
        let mut blamed: Vec<usize> = of_server
            .iter()
            .copied()
            .filter(|index| named.contains(index))
            .collect();
        if blamed.is_empty() {
            blamed = of_server;
        }
        if blamed.is_empty() {
            self.skip_server_step(question, why);
        }
        for index in blamed {
            self.roll_back(index, why.clone());
        }
    }

    fn skip_server_step(&mut self, question: &PlanStep, why: &T) {
        for index in 0..self.plans.len() {
            if self.plans[index].pending.last() == Some(question) {
                self.fail_step(index, why.clone());
                self.skip_reload_after_failed_test(index, question);
            }
        }
    }

    /// Notes that a server was reloaded: plans that it already served are probed again.
    pub(crate) fn probe_again_after_reload(&mut self, question: &PlanStep) {
        for index in 0..self.plans.len() {
            let progress = &self.plans[index];
            let is_proven = progress.can_fail()
                && matches!(progress.rank(), None | Some(StepRank::Settle))
                && progress.has_attempted(|step| step == question);
            let steps = &progress.plan.steps;
            let prove = steps
                .iter()
                .rposition(|step| matches!(step, PlanStep::Prove { .. }));
            if let Some(prove) = prove
                && is_proven
            {
                let pending = steps[prove..]
                    .iter()
                    .rev()
                    .filter(is_scheduled)
                    .cloned()
                    .collect();
                self.dequeue(index);
                self.plans[index].pending = pending;
                self.enqueue(index);
            }
        }
    }

    /// Notes that the new files of a plan stay if it fails, and why.
    pub(crate) fn hold_new_files(&mut self, index: usize, why: &str) {
        let progress = &mut self.plans[index];
        if progress.failure.is_none() {
            progress.held = Some(why.to_owned());
        }
    }

    /// Whether a step of a plan's rollback failed or was skipped.
    #[must_use]
    pub(crate) fn has_skipped_undo(&self, index: usize) -> bool {
        !self.plans[index].not_undone.is_empty()
    }

    /// Rolls back every plan that has not settled.
    pub(crate) fn interrupt(&mut self, why: &T) {
        for index in 0..self.plans.len() {
            let progress = &self.plans[index];
            if progress.can_fail() && !progress.pending.is_empty() {
                self.roll_back(index, why.clone());
            }
        }
    }

    #[must_use]
    pub(crate) fn into_progress(self) -> Vec<PlanProgress<'a, T>> {
        self.plans
    }

    fn roll_back(&mut self, index: usize, why: T) {
        self.dequeue(index);
        let progress = &mut self.plans[index];
        progress.failure = Some(why);
        progress.pending = match progress.held {
            Some(_) => Vec::new(),
            None => plan_undo(progress.plan, &progress.attempted, &progress.backups).steps,
        };
        progress.pending.reverse();
        self.enqueue(index);
    }

    /// Skips the reload of a server whose test failed.
    fn skip_reload_after_failed_test(&mut self, index: usize, question: &PlanStep) {
        let PlanStep::TestServer {
            server: refusing, ..
        } = question
        else {
            return;
        };
        self.dequeue(index);
        let progress = &mut self.plans[index];
        let pending = std::mem::take(&mut progress.pending);
        for step in pending {
            match &step {
                PlanStep::Reload { server, .. } if server == refusing => {
                    progress.not_undone.push((step, None));
                }
                _ => progress.pending.push(step),
            }
        }
        self.enqueue(index);
    }

    fn advance(&mut self, index: usize, note: impl FnOnce(&mut PlanProgress<'a, T>, PlanStep)) {
        self.dequeue(index);
        if let Some(step) = self.plans[index].pending.pop() {
            note(&mut self.plans[index], step);
        }
        self.enqueue(index);
    }

    fn dequeue(&mut self, index: usize) {
        if let Some(rank) = self.plans[index].rank() {
            self.queue.remove(&(rank, index));
        }
    }

    fn enqueue(&mut self, index: usize) {
        if let Some(rank) = self.plans[index].rank() {
            self.queue.insert((rank, index));
        }
    }
}
