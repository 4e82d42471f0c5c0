//! The transaction of `install` and `rollback`: observe, plan, lock, observe again where something
//! has changed, run, report.

use std::time::Duration;

use jiff::Timestamp;

use super::hook_call;
use super::outcome::TransactionOutcome;
use super::plan_fingerprint;
use super::preflight::disk_space::SpaceReservation;
use super::preflight::{self, PreflightState};
use super::request::{InstallRequest, RunMode};
use super::site_check::{SiteCheck, SiteReport};
use super::stale_servers::{RecentReload, ReplacedFiles, StaleServerScan};
use crate::advice::install_command;
use crate::audit::AuditAction;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::install_plan::apply::error::InstallError;
use crate::install_plan::apply::{self, AppliedPlan, PlanContext, PlanKind, PlanRun, SavedOptions};
use crate::install_plan::plan::{InstallPlan, PlanStep};
use crate::probe::ProbePatience;
use crate::store::disk::{self, StagedRelease, kept_files};
use crate::store::layout::LineageLayout;
use crate::system::fs::lock::FileLock;

/// How many releases are written before the lock is taken, at most: each keeps a file descriptor open
/// until it gets its final name.
const BUILT_AHEAD: usize = 64;

/// How long to wait for the lock without `--lock-timeout`.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// The result of each request; `None` while it is undecided.
type RequestResults = Vec<Option<Result<TransactionOutcome, Failure>>>;

/// A request that is planned.
struct PlannedRequest {
    /// Its position among the requests.
    index: usize,
    situation: PreflightState,
    plan: InstallPlan,
}

/// The decision about a request before anything is changed.
enum RequestDecision {
    /// The request ends with this result.
    Final(Box<Result<TransactionOutcome, Failure>>),
    /// This plan is to be run.
    Planned(Box<PreflightState>, Box<InstallPlan>),
}

/// Runs one request. A dry run and a refusal end with an outcome, too.
///
/// # Errors
/// When files cannot be used, the lock is held by another certctl, or a signal arrives. A failure
/// after the switch is an outcome, which says what was rolled back.
pub(crate) fn run(
    context: &Context,
    request: &InstallRequest<'_>,
) -> Result<TransactionOutcome, Failure> {
    let mut results = run_all(context, std::slice::from_ref(request))?;
    results.pop().unwrap_or_else(|| {
        Err(Failure::new(
            FailureKind::Internal,
            "the install returned no result",
        ))
    })
}

/// Runs several requests in one transaction: each server is tested and reloaded once, and only
/// failed requests are rolled back. Returns the result of each, in their order.
///
/// # Errors
/// What prevents all of them from starting: another certctl holds the lock, or a signal arrives.
pub(crate) fn run_all(
    context: &Context,
    requests: &[InstallRequest<'_>],
) -> Result<Vec<Result<TransactionOutcome, Failure>>, Failure> {
    if context.interrupt.listen().is_err() {
        context
            .sink
            .show_detail("cannot handle signals: a signal ends the command at once");
    }
    let situations = preflight::observe_requests(context, requests)?;
    if let Some(signal) = context.interrupt.signal() {
        return Err(InstallError::Interrupted { signal }.into());
    }
    let mut transaction = Transaction::new(context, requests);
    for (index, situation) in situations.into_iter().enumerate() {
        transaction.prepare(index, situation);
    }
    transaction.run_planned()?;
    Ok(transaction.results.into_iter().flatten().collect())
}

/// The requests of a transaction, and their results so far.
struct Transaction<'a, 'b> {
    context: &'a Context,
    requests: &'a [InstallRequest<'b>],
    results: RequestResults,
    planned: Vec<PlannedRequest>,
    /// The releases that were written before the lock was taken, by request.
    staged: Vec<Option<StagedRelease>>,
    space: SpaceReservation,
}

impl<'a, 'b> Transaction<'a, 'b> {
    fn new(context: &'a Context, requests: &'a [InstallRequest<'b>]) -> Self {
        Self {
            context,
            requests,
            results: requests.iter().map(|_| None).collect(),
            planned: Vec::new(),
            staged: requests.iter().map(|_| None).collect(),
            space: SpaceReservation::default(),
        }
    }

    /// Plans a request, and writes its release.
    fn prepare(&mut self, index: usize, situation: Result<PreflightState, Failure>) {
        let decision = begin(situation, &self.requests[index], &mut self.space);
        let (situation, plan) = match decision {
            RequestDecision::Planned(situation, plan) => (*situation, *plan),
            RequestDecision::Final(result) => {
                self.results[index] = Some(*result);
                return;
            }
        };
        let writes_release = matches!(plan.steps.first(), Some(PlanStep::WriteRelease { .. }));
        // Written before the lock is taken, so that no other certctl waits for it.
        if writes_release && self.planned.len() < BUILT_AHEAD {
            match disk::stage(&situation.layout, &situation.wanted) {
                Ok(staged) => self.staged[index] = Some(staged),
                Err(error) => {
                    self.results[index] = Some(Err(error.into()));
                    return;
                }
            }
        }
        self.planned.push(PlannedRequest {
            index,
            situation,
            plan,
        });
    }

    /// Takes the lock and runs the plans.
    fn run_planned(&mut self) -> Result<(), Failure> {
        let (Some(first), Some(request)) = (self.planned.first(), self.requests.first()) else {
            return Ok(());
        };
        let (_lock, wait) = take_lock(self.context, &first.situation.layout, request.lock_timeout)?;
        let layouts: Vec<&LineageLayout> = self
            .planned
            .iter()
            .map(|planned| &planned.situation.layout)
            .collect();
        disk::sweep(&layouts)?;
        kept_files::sweep(&layouts)?;
        if wait == LockWait::Waited || !self.still_holds() {
            self.plan_again()?;
        }
        self.carry_out();
        Ok(())
    }

    /// Whether nothing has changed since it was observed.
    fn still_holds(&self) -> bool {
        self.planned
            .iter()
            .all(|planned| planned.situation.fingerprints.are_unchanged())
    }

    /// Observes and plans everything again, because something has changed, or may have changed while
    /// another certctl held the lock.
    fn plan_again(&mut self) -> Result<(), Failure> {
        let before = std::mem::take(&mut self.planned);
        let requests: Vec<InstallRequest<'_>> = before
            .iter()
            .map(|planned| self.requests[planned.index].clone())
            .collect();
        let situations = preflight::observe_requests(self.context, &requests)?;
        for (situation, PlannedRequest { index, .. }) in situations.into_iter().zip(before) {
            match decide(situation, &self.requests[index]) {
                RequestDecision::Planned(situation, plan) => self.planned.push(PlannedRequest {
                    index,
                    situation: *situation,
                    plan: *plan,
                }),
                RequestDecision::Final(result) => self.results[index] = Some(*result),
            }
        }
        Ok(())
    }

    /// How long servers are probed, which is the same for all requests.
    fn patience(&self) -> ProbePatience {
        let first = self.requests.first();
        first.map(|request| request.patience).unwrap_or_default()
    }

    /// Runs the plans, under the lock.
    fn carry_out(&mut self) {
        let context = self.context;
        let mut staged = std::mem::take(&mut self.staged);
        let mut plans = Vec::new();
        let mut situations = Vec::new();
        for planned in std::mem::take(&mut self.planned) {
            plans.push(planned.plan);
            situations.push((planned.index, planned.situation));
        }
        show_steps(context, &plans);
        let contexts = situations
            .iter()
            .zip(&plans)
            .map(|((index, situation), plan)| plan_context(situation, plan, staged[*index].take()))
            .collect();
        let run = PlanRun {
            contexts,
            patience: self.patience(),
            now: whole_seconds(context.now()),
            interrupt: Some(&context.interrupt),
        };
        let (applied, sites) = run_between_visits(context, run, &situations, &plans);
        let results = plans.into_iter().zip(applied).zip(sites);
        for ((index, situation), ((plan, applied), sites)) in situations.iter().zip(results) {
            let result = TransactionOutcome::applied(context, situation, plan, applied, sites);
            self.results[*index] = Some(result);
        }
        self.find_stale_servers(&situations);
    }

    /// Searches for servers that still use the previous certificates.
    fn find_stale_servers(&mut self, situations: &[(usize, PreflightState)]) {
        let mut scan = StaleServerScan::default();
        for (index, situation) in situations {
            if let Some(Ok(outcome)) = &mut self.results[*index] {
                find_stale_servers(self.context, &mut scan, situation, outcome);
            }
        }
    }
}

/// Where no server was probed: searches for those that still use the previous certificate.
fn find_stale_servers(
    context: &Context,
    scan: &mut StaleServerScan,
    situation: &PreflightState,
    outcome: &mut TransactionOutcome,
) {
    if !outcome.is_unprobed() {
        return;
    }
    let stale = scan.find(context, &replaced_files(situation, outcome));
    outcome.record_stale(stale);
}

fn replaced_files<'a>(
    situation: &'a PreflightState,
    outcome: &'a TransactionOutcome,
) -> ReplacedFiles<'a> {
    ReplacedFiles {
        layout: &situation.layout,
        settings: &situation.settings,
        release: &situation.wanted,
        before: outcome.deployed_before(),
        reload: if outcome.has_reloaded() {
            RecentReload::Ran
        } else {
            RecentReload::Missing
        },
    }
}

/// Shows the steps of all plans (`-v`).
fn show_steps(context: &Context, plans: &[InstallPlan]) {
    for plan in plans {
        for step in &plan.steps {
            context.sink.show_detail(&plan.describe(step));
        }
    }
}

/// Runs the plans, and asks the sites before and after; last, it runs the commands of `--after`.
fn run_between_visits(
    context: &Context,
    mut run: PlanRun<'_>,
    situations: &[(usize, PreflightState)],
    plans: &[InstallPlan],
) -> (Vec<AppliedPlan>, Vec<SiteReport>) {
    let observed = || situations.iter().map(|(_, situation)| situation);
    observed().for_each(|situation| situation.serving.observe_unloaded_changes());
    let check = SiteCheck::visit_before(observed(), plans, &context.interrupt);
    let mut applied = run.run(plans);
    let sites = check.visit_after(&applied, &context.interrupt);
    run.run_hooks(plans, &mut applied, &context.interrupt);
    (applied, sites)
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    at.round(jiff::Unit::Second).unwrap_or(at)
}

/// Plans a request, unless it failed or is refused.
fn decide(
    situation: Result<PreflightState, Failure>,
    request: &InstallRequest<'_>,
) -> RequestDecision {
    let mut situation = match situation {
        Ok(situation) => situation,
        Err(failure) => return RequestDecision::Final(Box::new(Err(failure))),
    };
    situation.exclude_unreloaded();
    if let Some(reasons) = situation.refusal() {
        let mut refused = TransactionOutcome::refused(&situation, reasons);
        if request.mode == RunMode::DryRun {
            refused.dry_run = Some(plan_fingerprint::summarize(&situation, request, &refused));
        }
        return RequestDecision::Final(Box::new(Ok(refused)));
    }
    let plan = situation.plan(request.goal);
    if let Some(changed) = refuse_unapproved(&situation, request, &plan) {
        return RequestDecision::Final(Box::new(Ok(changed)));
    }
    RequestDecision::Planned(Box::new(situation), Box::new(plan))
}

/// Refuses a plan that is not the approved one: something has changed since the approval.
fn refuse_unapproved(
    situation: &PreflightState,
    request: &InstallRequest<'_>,
    plan: &InstallPlan,
) -> Option<TransactionOutcome> {
    let approved = request.approved.as_ref()?;
    let planned = TransactionOutcome::planned(situation, plan.clone());
    let id = plan_fingerprint::summarize(situation, request, &planned).plan_id;
    (id != *approved).then(|| {
        let finding = install_command::plan_changed(&id, approved);
        TransactionOutcome::refused(situation, vec![finding])
    })
}

/// Decides a request before anything is written: there must be enough disk space. A dry run ends
/// here.
fn begin(
    situation: Result<PreflightState, Failure>,
    request: &InstallRequest<'_>,
    space: &mut SpaceReservation,
) -> RequestDecision {
    let (situation, plan) = match decide(situation, request) {
        RequestDecision::Planned(situation, plan) => (situation, plan),
        decided @ RequestDecision::Final(_) => return decided,
    };
    if let Err(error) = space.reserve(&situation, &plan) {
        return RequestDecision::Final(Box::new(Err(error.into())));
    }
    if request.mode == RunMode::DryRun {
        let mut shown = TransactionOutcome::planned(&situation, *plan);
        shown.dry_run = Some(plan_fingerprint::summarize(&situation, request, &shown));
        return RequestDecision::Final(Box::new(Ok(shown)));
    }
    RequestDecision::Planned(situation, plan)
}

/// Whether another certctl held the lock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LockWait {
    AtOnce,
    Waited,
}

/// Takes the lock of the tree; reports when it has to wait.
pub(crate) fn take_lock(
    context: &Context,
    layout: &LineageLayout,
    timeout: Duration,
) -> Result<(FileLock, LockWait), InstallError> {
    match apply::lock_tree(layout, Duration::ZERO, &context.interrupt) {
        Err(InstallError::LockHeld { .. }) if !timeout.is_zero() => {
            context.sink.show_progress(&format!(
                "another certctl is running; waiting up to {} s for it to finish",
                timeout.as_secs()
            ));
            let lock = apply::lock_tree(layout, timeout, &context.interrupt)?;
            Ok((lock, LockWait::Waited))
        }
        other => Ok((other?, LockWait::AtOnce)),
    }
}

/// Returns what the steps of one plan need.
fn plan_context<'a>(
    situation: &'a PreflightState,
    plan: &InstallPlan,
    staged: Option<StagedRelease>,
) -> PlanContext<'a> {
    let serving = &situation.serving;
    PlanContext {
        layout: &situation.layout,
        wanted: &situation.wanted,
        staged: staged.filter(|staged| staged.access() == situation.wanted.access),
        taken_over: situation.disk.taken_over.as_ref(),
        servers: serving
            .uses
            .iter()
            .map(|server_use| (server_use.observed.software(), &server_use.observed.server))
            .collect(),
        paths: serving
            .configured_paths
            .iter()
            .map(|link| link.path.clone())
            .collect(),
        targets: &serving.targets,
        other_targets: situation.other_targets(),
        settings: situation.settings.clone(),
        settings_before: situation.settings_before.clone(),
        older_releases: situation.older_releases,
        kind: match situation.action {
            AuditAction::Rollback => PlanKind::Rollback,
            _ => PlanKind::Install,
        },
        saved: SavedOptions::Before,
        hook: hook_call::prepare(situation, plan),
        previous_fault: None,
        new_paths: &situation.disk.new_paths,
        rollback_targets: serving.targets.clone(),
        baselines: Vec::new(),
        rollback_baselines: Vec::new(),
    }
}
