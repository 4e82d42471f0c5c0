//! From a verified pair to the pair that servers read, or back to the files before: look, plan,
//! lock, look again where something has changed, run, report. `install` and `rollback` are two ways
//! into it.

use std::time::Duration;

use super::outcome::TransactionOutcome;
use super::preflight::disk_space::SpaceReservation;
use super::preflight::{self, PreflightState};
use super::request::{InstallRequest, RunMode};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::install_plan::apply::error::InstallError;
use crate::install_plan::apply::{self, PlanContext, PlanRun};
use crate::install_plan::plan::{InstallPlan, PlanStep};
use crate::store::disk::{self, StagedRelease};
use crate::store::layout::LineageLayout;
use crate::system::fs::lock::FileLock;

/// As many releases are built before the lock; each keeps a descriptor open until it has its name.
const BUILT_AHEAD: usize = 64;

/// An order that is under way.
struct Begun {
    /// Which of the orders.
    index: usize,
    situation: PreflightState,
    plan: InstallPlan,
}

/// Does it, or shows it, or says why not.
///
/// # Errors
/// When files cannot be used, the lock is held, or a signal came. What failed after the switch is
/// no error but an outcome: it says what was taken back.
pub(crate) fn run(
    context: &Context,
    order: &InstallRequest<'_>,
) -> Result<TransactionOutcome, Failure> {
    let mut done = run_all(context, std::slice::from_ref(order))?;
    done.pop().unwrap_or_else(|| {
        Err(Failure::new(
            FailureKind::Internal,
            "an order came to nothing",
        ))
    })
}

/// The same for several pairs in one transaction: each server is tested and reloaded once, and only
/// what failed goes back. What came of each, in their order.
///
/// # Errors
/// What keeps all of them from being begun: the lock is held, a signal came.
pub(crate) fn run_all(
    context: &Context,
    orders: &[InstallRequest<'_>],
) -> Result<Vec<Result<TransactionOutcome, Failure>>, Failure> {
    if context.interrupt.listen().is_err() {
        context
            .sink
            .detail("signals cannot be listened to; they end this at once");
    }
    let mut done: Vec<Option<Result<TransactionOutcome, Failure>>> =
        orders.iter().map(|_| None).collect();
    let mut staged: Vec<Option<StagedRelease>> = orders.iter().map(|_| None).collect();
    let (mut begun, mut room): (Vec<Begun>, _) = (Vec::new(), SpaceReservation::default());
    let situations = preflight::look(context, orders)?;
    if let Some(signal) = context.interrupt.signal() {
        return Err(InstallError::Interrupted { signal }.into());
    }
    for (index, (situation, order)) in situations.into_iter().zip(orders).enumerate() {
        let (situation, plan) = match begin(situation, order, &mut room) {
            Ok(planned) => planned,
            Err(decided) => {
                done[index] = Some(*decided);
                continue;
            }
        };
        // Built before the lock, so that nobody waits for it.
        if let (Some(PlanStep::WriteRelease { .. }), true) =
            (plan.steps.first(), begun.len() < BUILT_AHEAD)
        {
            match disk::stage(&situation.layout, &situation.wanted) {
                Ok(built) => staged[index] = Some(built),
                Err(error) => {
                    done[index] = Some(Err(error.into()));
                    continue;
                }
            }
        }
        begun.push(Begun {
            index,
            situation,
            plan,
        });
    }
    if let (Some(one), Some(order)) = (begun.first(), orders.first()) {
        let (_lock, turn) = lock(context, &one.situation.layout, order.lock_timeout)?;
        disk::sweep(
            &begun
                .iter()
                .map(|one| &one.situation.layout)
                .collect::<Vec<_>>(),
        )?;
        if turn == LockWait::Waited || !begun.iter().all(|one| one.situation.marks.hold()) {
            begun = look_again(context, orders, &begun, &mut done)?;
        }
        carry_out(context, orders, begun, staged, &mut done);
    }
    Ok(done.into_iter().flatten().collect())
}

/// What is to be done, or what there is to say without doing it.
fn decide(
    situation: Result<PreflightState, Failure>,
    order: &InstallRequest<'_>,
) -> Result<(PreflightState, InstallPlan), Box<Result<TransactionOutcome, Failure>>> {
    let situation = situation.map_err(|failure| Box::new(Err(failure)))?;
    if let Some(refused) = situation.refusal() {
        return Err(Box::new(Ok(TransactionOutcome::refused(
            &situation, refused,
        ))));
    }
    let plan = situation.plan(order.goal);
    Ok((situation, plan))
}

/// The same, before anything is written: for this there must be room. A dry run ends here.
fn begin(
    situation: Result<PreflightState, Failure>,
    order: &InstallRequest<'_>,
    room: &mut SpaceReservation,
) -> Result<(PreflightState, InstallPlan), Box<Result<TransactionOutcome, Failure>>> {
    let (situation, plan) = decide(situation, order)?;
    room.take(&situation, &plan)
        .map_err(|error| Box::new(Err(error.into())))?;
    if order.mode == RunMode::DryRun {
        return Err(Box::new(Ok(TransactionOutcome::planned(&situation, plan))));
    }
    Ok((situation, plan))
}

/// How the lock was come by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LockWait {
    AtOnce,
    Waited,
}

/// The lock of the tree; a wait is told.
pub(super) fn lock(
    context: &Context,
    layout: &LineageLayout,
    timeout: Duration,
) -> Result<(FileLock, LockWait), InstallError> {
    match apply::lock(layout, Duration::ZERO, &context.interrupt) {
        Err(InstallError::LockHeld { .. }) if !timeout.is_zero() => {
            context.sink.event(&format!(
                "another certctl is at work; waiting for it, at most {} s",
                timeout.as_secs()
            ));
            Ok((
                apply::lock(layout, timeout, &context.interrupt)?,
                LockWait::Waited,
            ))
        }
        other => Ok((other?, LockWait::AtOnce)),
    }
}

/// What is there has changed, or may have while another certctl held the lock: everything is looked
/// at again.
fn look_again(
    context: &Context,
    orders: &[InstallRequest<'_>],
    begun: &[Begun],
    done: &mut [Option<Result<TransactionOutcome, Failure>>],
) -> Result<Vec<Begun>, Failure> {
    let again: Vec<InstallRequest<'_>> =
        begun.iter().map(|one| orders[one.index].clone()).collect();
    let mut anew = Vec::new();
    for (situation, &Begun { index, .. }) in
        preflight::look(context, &again)?.into_iter().zip(begun)
    {
        match decide(situation, &orders[index]) {
            Ok((situation, plan)) => anew.push(Begun {
                index,
                situation,
                plan,
            }),
            Err(decided) => done[index] = Some(*decided),
        }
    }
    Ok(anew)
}

/// Runs what is planned, under the lock.
fn carry_out(
    context: &Context,
    orders: &[InstallRequest<'_>],
    begun: Vec<Begun>,
    mut staged: Vec<Option<StagedRelease>>,
    done: &mut [Option<Result<TransactionOutcome, Failure>>],
) {
    let apart = |Begun {
                     index,
                     situation,
                     plan,
                 }| ((index, situation), plan);
    let (pairs, plans): (Vec<(usize, PreflightState)>, Vec<InstallPlan>) =
        begun.into_iter().map(apart).unzip();
    for step in plans.iter().flat_map(|plan| &plan.steps) {
        context.sink.detail(&step.to_string());
    }
    let hands = pairs
        .iter()
        .map(|(index, situation)| hand(situation, staged[*index].take()));
    let patience = orders
        .first()
        .map(|order| order.patience)
        .unwrap_or_default();
    let now = context
        .now()
        .round(jiff::Unit::Second)
        .unwrap_or_else(|_| context.now());
    let run = PlanRun {
        hands: hands.collect(),
        patience,
        now,
        interrupt: Some(&context.interrupt),
    };
    let applied = run.run(&plans);
    for (((index, situation), plan), applied) in pairs.iter().zip(plans).zip(applied) {
        done[*index] = Some(TransactionOutcome::applied(
            context, situation, plan, applied,
        ));
    }
}

fn hand(situation: &PreflightState, staged: Option<StagedRelease>) -> PlanContext<'_> {
    let serving = &situation.serving;
    PlanContext {
        layout: &situation.layout,
        wanted: &situation.wanted,
        staged: staged.filter(|staged| staged.access() == situation.wanted.access),
        taken: situation.sight.present.as_ref(),
        servers: serving
            .uses
            .iter()
            .map(|one| (one.looked.software(), &one.looked.server))
            .collect(),
        paths: serving
            .spelled
            .iter()
            .map(|link| link.path.clone())
            .collect(),
        targets: &serving.targets,
        settings: situation.settings.clone(),
        settings_before: situation.settings_before.clone(),
        demanded: serving.targets.clone(),
    }
}
