//! From a verified pair to the pair that servers read, or back to the files before: look, plan, lock, look again, run,
//! report. `install` and `rollback` are two ways into it.

use std::time::Duration;

use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::install::apply::error::InstallError;
use crate::install::apply::store::{self, Staged};
use crate::install::apply::{self, Hand, Run};
use crate::install::layout::Layout;
use crate::install::plan::{InstallPlan, Step};
use crate::system::lock::Lock;

pub mod allow;
pub mod back;
pub mod block;
pub mod check;
pub mod fleet;
pub mod installed;
pub mod order;
pub mod outcome;
pub mod placeholder;
pub mod readers;
pub mod removal;
pub mod room;
pub mod serving;
pub mod situation;
pub mod tree;
pub mod unread;

use order::{Mode, Order};
use outcome::Changeover;
use room::Room;
use situation::Situation;

/// As many releases are built before the lock; each keeps a descriptor open until it has its name.
const BUILT_AHEAD: usize = 64;

/// Does it, or shows it, or says why not.
///
/// # Errors
/// When files cannot be used, the lock is held, or a signal came. What failed after the switch is no error but an
/// outcome: it says what was taken back.
pub fn run(context: &Context, order: &Order<'_>) -> Result<Changeover, Failure> {
    let mut done = run_all(context, std::slice::from_ref(order))?;
    done.pop().unwrap_or_else(|| Err(Failure::new(Kind::Internal, "an order came to nothing")))
}

/// The same for several pairs in one transaction: each server is tested and reloaded once, and only what failed goes
/// back. What came of each, in their order.
///
/// # Errors
/// What keeps all of them from being begun: the lock is held, a signal came.
pub fn run_all(context: &Context, orders: &[Order<'_>]) -> Result<Vec<Result<Changeover, Failure>>, Failure> {
    if context.interrupt.listen().is_err() {
        context.sink.detail("signals cannot be listened to; they end this at once");
    }
    let mut done: Vec<Option<Result<Changeover, Failure>>> = orders.iter().map(|_| None).collect();
    let mut staged: Vec<Option<Staged>> = orders.iter().map(|_| None).collect();
    let (mut layouts, mut room) = (Vec::new(), Room::default());
    let situations = situation::look(context, orders)?;
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
        if let (Some(Step::WriteRelease { .. }), true) = (plan.steps.first(), layouts.len() < BUILT_AHEAD) {
            match store::stage(&situation.layout, &situation.wanted) {
                Ok(built) => staged[index] = Some(built),
                Err(error) => {
                    done[index] = Some(Err(error.into()));
                    continue;
                }
            }
        }
        layouts.push(situation.layout);
    }
    if let (Some(layout), Some(order)) = (layouts.first(), orders.first()) {
        let _lock = lock(context, layout, order.lock_timeout)?;
        store::sweep(&layouts)?;
        under_lock(context, orders, staged, &mut done)?;
    }
    Ok(done.into_iter().flatten().collect())
}

/// What is to be done, or what there is to say without doing it.
fn decide(
    situation: Result<Situation, Failure>,
    order: &Order<'_>,
) -> Result<(Situation, InstallPlan), Box<Result<Changeover, Failure>>> {
    let situation = situation.map_err(|failure| Box::new(Err(failure)))?;
    if let Some(refused) = situation.refusal() {
        return Err(Box::new(Ok(Changeover::refused(&situation, refused))));
    }
    let plan = situation.plan(order.goal);
    Ok((situation, plan))
}

/// The same, before anything is written: for this there must be room. A dry run ends here.
fn begin(
    situation: Result<Situation, Failure>,
    order: &Order<'_>,
    room: &mut Room,
) -> Result<(Situation, InstallPlan), Box<Result<Changeover, Failure>>> {
    let (situation, plan) = decide(situation, order)?;
    room.take(&situation, &plan).map_err(|error| Box::new(Err(error.into())))?;
    if order.mode == Mode::DryRun {
        return Err(Box::new(Ok(Changeover::planned(&situation, plan))));
    }
    Ok((situation, plan))
}

/// The lock of the tree; a wait is told.
fn lock(context: &Context, layout: &Layout, timeout: Duration) -> Result<Lock, InstallError> {
    match apply::lock(layout, Duration::ZERO, &context.interrupt) {
        Err(InstallError::LockHeld { .. }) if !timeout.is_zero() => {
            context.sink.event(&format!("another certctl is at work; waiting for it, at most {} s", timeout.as_secs()));
            apply::lock(layout, timeout, &context.interrupt)
        }
        other => other,
    }
}

/// What is there may have changed while another certctl held the lock: everything is looked at again.
fn under_lock(
    context: &Context,
    orders: &[Order<'_>],
    mut staged: Vec<Option<Staged>>,
    done: &mut [Option<Result<Changeover, Failure>>],
) -> Result<(), Failure> {
    let open: Vec<usize> = (0..orders.len()).filter(|&index| done[index].is_none()).collect();
    let again: Vec<Order<'_>> = open.iter().map(|&index| orders[index].clone()).collect();
    let (mut indices, mut situations, mut plans) = (Vec::new(), Vec::new(), Vec::new());
    for (situation, &index) in situation::look(context, &again)?.into_iter().zip(&open) {
        match decide(situation, &orders[index]) {
            Ok((situation, plan)) => {
                indices.push(index);
                situations.push(situation);
                plans.push(plan);
            }
            Err(decided) => done[index] = Some(*decided),
        }
    }
    for step in plans.iter().flat_map(|plan| &plan.steps) {
        context.sink.detail(&step.to_string());
    }
    let hands = situations.iter().zip(&indices).map(|(situation, &index)| hand(situation, staged[index].take()));
    let patience = orders.first().map(|order| order.patience).unwrap_or_default();
    let now = context.now().round(jiff::Unit::Second).unwrap_or_else(|_| context.now());
    let run = Run { hands: hands.collect(), patience, now, interrupt: Some(&context.interrupt) };
    let applied = run.run(&plans);
    for (((situation, plan), applied), index) in situations.iter().zip(plans).zip(applied).zip(indices) {
        done[index] = Some(Changeover::applied(context, situation, plan, applied));
    }
    Ok(())
}

fn hand(situation: &Situation, staged: Option<Staged>) -> Hand<'_> {
    let serving = &situation.serving;
    Hand {
        layout: &situation.layout,
        wanted: &situation.wanted,
        staged: staged.filter(|staged| staged.access() == situation.wanted.access),
        taken: situation.sight.present.as_ref(),
        servers: serving.uses.iter().map(|one| (one.looked.software(), &one.looked.server)).collect(),
        paths: serving.spelled.iter().map(|link| link.path.clone()).collect(),
        targets: &serving.targets,
        settings: situation.settings.clone(),
        settings_before: situation.settings_before.clone(),
        demanded: serving.targets.clone(),
    }
}
