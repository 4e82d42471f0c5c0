//! From a verified pair to the pair that servers read, or back to the files before: look, plan, lock, look again, run,
//! report. `install` and `rollback` are two ways into it.

use std::time::Duration;

use crate::context::Context;
use crate::failure::Failure;
use crate::install::apply::error::InstallError;
use crate::install::apply::store::{self, Staged};
use crate::install::apply::{self, Machine};
use crate::install::layout::Layout;
use crate::install::plan::Step;
use crate::system::lock::Lock;

pub mod allow;
pub mod back;
pub mod block;
pub mod check;
pub mod installed;
pub mod order;
pub mod outcome;
pub mod placeholder;
pub mod removal;
pub mod serving;
pub mod situation;
pub mod tree;

use order::{Mode, Order};
use outcome::Changeover;
use situation::Situation;

/// Does it, or shows it, or says why not.
///
/// # Errors
/// When files cannot be used, the lock is held, or a signal came. What failed after the switch is no error but an
/// outcome: it says what was taken back.
pub fn run(context: &Context, order: &Order<'_>) -> Result<Changeover, Failure> {
    if context.interrupt.listen().is_err() {
        context.sink.detail("signals cannot be listened to; they end this at once");
    }
    let situation = Situation::look(context, order)?;
    if let Some(signal) = context.interrupt.signal() {
        return Err(InstallError::Interrupted { signal }.into());
    }
    if let Some(refused) = situation.refusal() {
        return Ok(Changeover::refused(&situation, refused));
    }
    let plan = situation.plan(order.goal);
    if order.mode == Mode::DryRun {
        return Ok(Changeover::planned(&situation, plan));
    }
    // Built before the lock, so that nobody waits for it.
    let staged = match plan.steps.first() {
        Some(Step::WriteRelease { .. }) => Some(store::stage(&situation.layout, &situation.wanted)?),
        _ => None,
    };
    let _lock = lock(context, &situation.layout, order.lock_timeout)?;
    store::sweep(&situation.layout)?;
    under_lock(context, order, staged)
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
fn under_lock(context: &Context, order: &Order<'_>, staged: Option<Staged>) -> Result<Changeover, Failure> {
    let situation = Situation::look(context, order)?;
    if let Some(refused) = situation.refusal() {
        return Ok(Changeover::refused(&situation, refused));
    }
    let plan = situation.plan(order.goal);
    for step in &plan.steps {
        context.sink.detail(&step.to_string());
    }
    let machine = Machine {
        layout: &situation.layout,
        wanted: &situation.wanted,
        staged: staged.filter(|staged| staged.access() == situation.wanted.access),
        taken: situation.sight.present.as_ref(),
        server: &situation.serving.server,
        targets: &situation.serving.targets,
        patience: order.patience,
        kept: Vec::new(),
        demanded: situation.serving.targets.clone(),
        settings: situation.settings.clone(),
        settings_before: situation.settings_before.clone(),
        now: context.now().round(jiff::Unit::Second).unwrap_or_else(|_| context.now()),
        interrupt: Some(&context.interrupt),
    };
    let applied = machine.run(&plan);
    Changeover::applied(context, &situation, plan, applied)
}
