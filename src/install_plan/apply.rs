//! Runs plans, and rolls back those that fail. Each step is noted as started before it runs, because
//! a step that fails halfway may have taken effect. Everything here happens under the lock of the
//! tree, on one thread.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

use super::plan::{InstallPlan, PlanEnd, PlanStep, RollbackTarget, keeps_new_files};
use crate::install_plan::plan::scheduler::{NextAction, PlanProgress, PlanScheduler};
use crate::pki::certificate::Certificate;
use crate::probe::{ProbePatience, ProbeTarget};
use crate::store::layout::{FOLDER_MODE, LineageLayout};
use crate::system::fs::lock::FileLock;
use crate::system::fs::{files, folders};
use crate::system::process::FinishedCommand;
use crate::system::signals::InterruptSignal;
use crate::webserver::model;

pub(crate) mod answer;
mod baseline;
mod certificate;
pub(crate) mod error;
pub(crate) mod hook;
mod kept_sources;
pub(crate) mod new_paths;
mod previous_fault;
mod probe_round;
pub(crate) mod prove;

pub(crate) use answer::ProbeAnswer;
use certificate::RollbackExtent;
pub(crate) use certificate::{PlanContext, PlanKind, SavedOptions};
pub(crate) use error::StepError;
pub(crate) use kept_sources::{save_settings, use_kept_anchors};
pub(crate) use probe_round::{HANDSHAKE_TIMEOUT, probe_groups};

use error::InstallError;
use hook::HookResult;
use prove::ProbeGoal;

/// The outcome of one plan.
#[derive(Debug, Default)]
pub(crate) struct AppliedPlan {
    /// The last answer of each probe target.
    pub probes: Vec<ProbeAnswer>,
    /// The answers of blocks with other files, after everything had succeeded.
    pub other_probes: Vec<ProbeAnswer>,
    /// Why the plan failed, and how it was rolled back; `None` when every step succeeded.
    pub failed: Option<FailedPlan>,
    /// Warnings of the tests that succeeded. Untrusted text.
    pub test_warnings: Vec<String>,
    /// How the command of `--after` ended; `None` where it was not to be run.
    pub hook: Option<HookResult>,
    /// Harmless failures after the install had succeeded: the history, old releases.
    pub harmless_failures: Vec<(PlanStep, StepError)>,
}

/// A plan that a step has ended.
#[derive(Debug)]
pub(crate) struct FailedPlan {
    /// Why the step failed; several plans may share it.
    pub cause: Rc<StepError>,
    /// Why the new files stay although the previous ones could be restored.
    pub held: Option<String>,
    /// Every step that was started.
    pub attempted: Vec<PlanStep>,
    /// The steps of the rollback that succeeded.
    pub undone: Vec<PlanStep>,
    /// The steps of the rollback that failed or were skipped, and why.
    pub not_undone: Vec<(PlanStep, Rc<StepError>)>,
}

/// Takes the lock of the tree; creates its folder first.
///
/// # Errors
/// [`InstallError::LockHeld`] after `wait`, [`InstallError::Interrupted`], or the system's reason.
pub(crate) fn lock_tree(
    layout: &LineageLayout,
    wait: Duration,
    interrupt: &InterruptSignal,
) -> Result<FileLock, InstallError> {
    let path = layout.lock();
    let acquired = folders::run_in_folder(files::parent(&path), FOLDER_MODE, || {
        FileLock::acquire(&path, wait, || interrupt.signal().is_some())
    })?;
    acquired.ok_or_else(|| match interrupt.signal() {
        Some(signal) => InstallError::Interrupted { signal },
        None => InstallError::LockHeld { path, waited: wait },
    })
}

/// Several plans that run as one transaction.
#[derive(Debug)]
pub(crate) struct PlanRun<'a> {
    /// One context per plan, in the same order.
    pub contexts: Vec<PlanContext<'a>>,
    /// How long servers are probed.
    pub patience: ProbePatience,
    /// The time of the history entries.
    pub now: Timestamp,
    /// Stops the run: before the switch nothing has changed, after it the plans are rolled back.
    /// `None` once everything is rolled back.
    pub interrupt: Option<&'a InterruptSignal>,
}

type RunScheduler<'a> = PlanScheduler<'a, Rc<StepError>>;

impl PlanRun<'_> {
    /// Runs each plan to its end, or rolls it back.
    pub(crate) fn run(&mut self, plans: &[InstallPlan]) -> Vec<AppliedPlan> {
        let mut applied: Vec<AppliedPlan> = plans.iter().map(|_| AppliedPlan::default()).collect();
        let mut scheduler = PlanScheduler::new(plans);
        self.observe_baselines(plans);
        while let Some(action) = scheduler.next_action() {
            match self.signal() {
                Some(signal) if !finishes_despite_signal(&scheduler, &action) => {
                    self.interrupt_plans(&mut scheduler, signal);
                }
                _ => self.perform(&mut scheduler, action, &mut applied),
            }
        }
        for (index, progress) in scheduler.into_progress().into_iter().enumerate() {
            finish_plan(progress, &mut self.contexts[index], &mut applied[index]);
        }
        self.probe_other_files(plans, &mut applied);
        applied
    }

    /// Probes once what blocks with other files serve, where the plan has succeeded. They do not
    /// read the new certificate, so their answers never cause a rollback.
    fn probe_other_files(&self, plans: &[InstallPlan], applied: &mut [AppliedPlan]) {
        let succeeded: Vec<usize> = (0..plans.len())
            .filter(|&index| plans[index].end == PlanEnd::Proven && applied[index].failed.is_none())
            .collect();
        let groups: Vec<(&[ProbeTarget], &[Certificate])> = succeeded
            .iter()
            .map(|&index| {
                let context = &self.contexts[index];
                (
                    context.other_targets.as_slice(),
                    context.wanted.certificates.as_slice(),
                )
            })
            .collect();
        for (&index, probes) in succeeded.iter().zip(probe_round::probe_groups(&groups)) {
            applied[index].other_probes = probes;
        }
    }

    /// Runs the command of `--after` for each plan that has succeeded, one after the other.
    pub(crate) fn run_hooks(
        &mut self,
        plans: &[InstallPlan],
        applied: &mut [AppliedPlan],
        interrupt: &InterruptSignal,
    ) {
        let contexts = self.contexts.iter_mut();
        for ((plan, context), applied) in plans.iter().zip(contexts).zip(applied) {
            let is_hook = |step: &PlanStep| matches!(step, PlanStep::RunHook { .. });
            if plan.steps.iter().any(is_hook) && applied.failed.is_none() {
                applied.hook = context.run_hook(&applied.probes, interrupt);
            }
        }
    }

    fn signal(&self) -> Option<i32> {
        self.interrupt.and_then(InterruptSignal::signal)
    }

    /// Starts the rollback, which no further signal stops.
    fn interrupt_plans(&mut self, scheduler: &mut RunScheduler<'_>, signal: i32) {
        self.interrupt = None;
        self.hold_served_plans(scheduler);
        scheduler.interrupt(&Rc::new(StepError::Interrupted(signal)));
    }

    fn perform(
        &mut self,
        scheduler: &mut RunScheduler<'_>,
        action: NextAction,
        applied: &mut [AppliedPlan],
    ) {
        match action {
            NextAction::RunStep(index, step) => {
                self.run_step(scheduler, index, &step, &mut applied[index]);
            }
            NextAction::AskServer(step, indices) => {
                let finished = self.ask_server(scheduler, &step, &indices);
                if let (PlanStep::TestServer { .. }, Some(finished)) = (&step, finished) {
                    for index in indices {
                        let warnings = model::test_warnings(&finished.output);
                        applied[index].test_warnings.extend(warnings);
                    }
                }
            }
            NextAction::Flush(folder) => flush(scheduler, &folder),
            NextAction::Prove(steps) => self.prove(scheduler, steps, applied),
        }
    }

    /// Probes every target before anything changes. After a rollback, those that serve the previous
    /// certificate now must serve it again; if none does (a mistyped address, say), each must answer
    /// as now.
    fn observe_baselines(&mut self, plans: &[InstallPlan]) {
        let mut previous: Vec<(usize, Vec<Certificate>)> = Vec::new();
        for (index, plan) in plans.iter().enumerate() {
            let is_probed = |step: &PlanStep| matches!(step, PlanStep::Prove { .. });
            if plan.steps.iter().any(is_probed) {
                let certificates = previous_certificates(plan, &self.contexts[index]);
                previous.push((index, certificates.unwrap_or_default()));
            }
        }
        let groups: Vec<(&[ProbeTarget], &[Certificate])> = previous
            .iter()
            .map(|(index, certificates)| (self.contexts[*index].targets, certificates.as_slice()))
            .collect();
        let answers = probe_round::probe_groups(&groups);
        for ((index, certificates), probes) in previous.iter().zip(answers) {
            let context = &mut self.contexts[*index];
            context.set_baselines(&probes, certificates);
            context.previous_fault =
                previous_fault::find(certificates, &context.wanted.certificates, self.now);
        }
    }

    fn run_step(
        &mut self,
        scheduler: &mut RunScheduler<'_>,
        index: usize,
        step: &PlanStep,
        applied: &mut AppliedPlan,
    ) {
        scheduler.start_step(index, step);
        let context = &mut self.contexts[index];
        match context.run_step(step, scheduler.steps_after(index), self.now) {
            Ok(backup) => {
                if let Some(backup) = backup {
                    scheduler.add_backup(index, backup);
                }
                scheduler.complete_step(&[index]);
            }
            Err(error) if matches!(step, PlanStep::Record { .. } | PlanStep::Prune) => {
                applied.harmless_failures.push((step.clone(), error));
                scheduler.complete_step(&[index]);
            }
            Err(error) => scheduler.fail_step(index, Rc::new(error)),
        }
    }

    /// Runs one test or one reload for all plans of that server; returns how it ended, if it
    /// succeeded.
    fn ask_server(
        &self,
        scheduler: &mut RunScheduler<'_>,
        step: &PlanStep,
        indices: &[usize],
    ) -> Option<FinishedCommand> {
        for &index in indices {
            scheduler.start_step(index, step);
        }
        match self.run_server_step(step, indices) {
            Ok(finished) => {
                scheduler.complete_step(indices);
                if let PlanStep::Reload { .. } = step {
                    scheduler.probe_again_after_reload(step);
                }
                finished
            }
            Err(error) => {
                let named = match &error {
                    StepError::Test(finished) | StepError::Reload(finished) => {
                        self.plans_named_in(&finished.output)
                    }
                    _ => Vec::new(),
                };
                self.hold_served_plans(scheduler);
                scheduler.fail_server_step(step, &named, &Rc::new(error));
                None
            }
        }
    }

    /// Runs the command of a test or a reload; `None` if nothing had to be run.
    fn run_server_step(
        &self,
        step: &PlanStep,
        indices: &[usize],
    ) -> Result<Option<FinishedCommand>, StepError> {
        let first = indices.first().map(|&index| &self.contexts[index]);
        let server = first
            .and_then(|context| context.server_of_step(step))
            .ok_or_else(|| StepError::NoServer(step.to_string()))?;
        let (finished, to_error): (_, fn(FinishedCommand) -> StepError) = match step {
            PlanStep::TestServer { .. } => (server.test()?, StepError::Test),
            _ => (server.reload()?, StepError::Reload),
        };
        match finished {
            Some(finished) if !finished.succeeded() => Err(to_error(finished)),
            finished => Ok(finished),
        }
    }

    /// The plans whose deployed paths a server's output names.
    fn plans_named_in(&self, output: &str) -> Vec<usize> {
        let mut named = Vec::new();
        for (index, context) in self.contexts.iter().enumerate() {
            let mut paths = context.paths.iter();
            if paths.any(|path| model::names_path(output, path)) {
                named.push(index);
            }
        }
        named
    }

    fn prove(
        &mut self,
        scheduler: &mut RunScheduler<'_>,
        steps: Vec<(usize, PlanStep)>,
        applied: &mut [AppliedPlan],
    ) {
        let mut groups = Vec::new();
        for (index, step) in steps {
            scheduler.start_step(index, &step);
            let PlanStep::Prove { release, .. } = &step else {
                continue;
            };
            match self.contexts[index].probe_group(index, release) {
                Ok(group) => groups.push(group),
                Err(error) => scheduler.fail_step(index, Rc::new(error.into())),
            }
        }
        let signal = prove::probe_until(&mut groups, self.patience, || self.signal());
        if let Some(signal) = signal {
            return self.interrupt_plans(scheduler, signal);
        }
        for group in groups {
            let index = group.index;
            // Where the rollback could not reload a server, only an answer proves that it serves the
            // previous certificate.
            let needs_evidence =
                group.goal == ProbeGoal::Restored && scheduler.has_skipped_undo(index);
            if group.is_accepted() && !(needs_evidence && group.is_inconclusive()) {
                applied[index].probes = group.probes;
                scheduler.complete_step(&[index]);
            } else {
                self.hold_if_served(scheduler, index, &group.probes);
                scheduler.fail_step(index, Rc::new(StepError::NotServed(group.probes)));
            }
        }
    }
}

impl PlanRun<'_> {
    /// Keeps the new files of a plan that is about to fail, if `probes` found them served and the
    /// previous certificate is of no use.
    fn hold_if_served(
        &self,
        scheduler: &mut RunScheduler<'_>,
        index: usize,
        probes: &[ProbeAnswer],
    ) {
        if let Some(fault) = &self.contexts[index].previous_fault
            && is_served(probes)
        {
            scheduler.hold_new_files(index, fault);
        }
    }

    /// As [`Self::hold_if_served`] for several plans, which are probed once.
    fn hold_served_plans(&self, scheduler: &mut RunScheduler<'_>) {
        let indices: Vec<usize> = (0..self.contexts.len())
            .filter(|&index| self.contexts[index].previous_fault.is_some())
            .collect();
        let groups: Vec<(&[ProbeTarget], &[Certificate])> = indices
            .iter()
            .map(|&index| {
                let context = &self.contexts[index];
                (context.targets, context.wanted.certificates.as_slice())
            })
            .collect();
        for (&index, probes) in indices.iter().zip(probe_round::probe_groups(&groups)) {
            self.hold_if_served(scheduler, index, &probes);
        }
    }
}

/// Whether some address serves the new certificate, now or in an earlier round of probes.
fn is_served(probes: &[ProbeAnswer]) -> bool {
    probes
        .iter()
        .any(|probe| probe.agrees() || probe.agreed_earlier)
}

/// The bookkeeping of an install that has succeeded is finished even if a signal arrives.
fn finishes_despite_signal(scheduler: &RunScheduler<'_>, action: &NextAction) -> bool {
    matches!(action, NextAction::RunStep(_, PlanStep::Record { .. })) || scheduler.is_settling()
}

fn flush(scheduler: &mut RunScheduler<'_>, folder: &Path) {
    let error = files::sync_folder(folder).err();
    let failure = error.map(|error| Rc::new(StepError::from(error)));
    scheduler.finish_flush(folder, failure.as_ref());
}

/// The certificates that a rollback would restore, where the plan proves another release.
fn previous_certificates(
    plan: &InstallPlan,
    context: &PlanContext<'_>,
) -> Option<Vec<Certificate>> {
    let RollbackTarget::To(id) = &plan.back else {
        return None;
    };
    let proves_other = plan
        .steps
        .iter()
        .any(|step| matches!(step, PlanStep::Prove { release, .. } if release != id));
    if !proves_other {
        return None;
    }
    context.certificates(id).ok()
}

/// Ends a plan: what is left of a failed one is undone, and the options of one that succeeded are
/// saved.
fn finish_plan(
    progress: PlanProgress<'_, Rc<StepError>>,
    context: &mut PlanContext<'_>,
    applied: &mut AppliedPlan,
) {
    applied.failed = finish_failed_plan(progress, context);
    let failed = applied.failed.as_ref();
    if failed.is_none_or(|failed| failed.held.is_some()) {
        // Best effort: the next run removes leftovers.
        let _ = context.remove_kept();
    }
    if failed.is_none()
        && let Err(error) = context.save_proven_options()
    {
        let path = context.layout.settings();
        let failure = (PlanStep::Remember { path }, error.into());
        applied.harmless_failures.push(failure);
    }
}

/// How a plan that was rolled back ended; `None` for one that was not. Restores the saved
/// options.
fn finish_failed_plan(
    progress: PlanProgress<'_, Rc<StepError>>,
    context: &mut PlanContext<'_>,
) -> Option<FailedPlan> {
    let cause = progress.failure?;
    let mut not_undone: Vec<(PlanStep, Rc<StepError>)> = progress
        .not_undone
        .into_iter()
        .map(|(step, why)| (step, why.unwrap_or_else(|| Rc::new(StepError::Skipped))))
        .collect();
    let held = progress.held;
    let is_rolled_back = held.is_none() && !keeps_new_files(progress.plan, &progress.attempted);
    let is_as_before = is_rolled_back && not_undone.is_empty();
    if is_as_before {
        // What remains does no harm: empty folders, and files in certctl's own folder.
        let _ = context.remove_new_paths();
    }
    let extent = if is_as_before {
        RollbackExtent::Complete
    } else {
        RollbackExtent::Partial
    };
    let settings_step = progress
        .attempted
        .iter()
        .find(|step| matches!(step, PlanStep::Remember { .. }));
    if let Some(step) = settings_step
        && is_rolled_back
        && !(is_as_before && context.new_paths.has_new_lineage())
        && let Err(error) = context.restore_settings(extent)
    {
        not_undone.push((step.clone(), Rc::new(error.into())));
    }
    Some(FailedPlan {
        cause,
        held,
        attempted: progress.attempted,
        undone: progress.undone,
        not_undone,
    })
}
