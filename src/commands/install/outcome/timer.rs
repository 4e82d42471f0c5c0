//! The last line of `install`: what lets this machine renew by itself.

use crate::advice::renewal_timer::{self, TimerWork};
use crate::context::Context;
use crate::finding::NextStep;
use crate::install::installed;
use crate::install::outcome::TransactionOutcome;
use crate::system::renewal_timer::find_renewal_timer;

/// How to let this machine renew what was installed, if nothing does. Under `--root` that is another
/// machine, and a placeholder is not renewed.
pub(super) fn missing_timer(
    context: &Context,
    transactions: &[&TransactionOutcome],
) -> Option<NextStep> {
    if context.root.is_some() {
        return None;
    }
    let mut works = transactions
        .iter()
        .filter_map(|one| timer_work(context, one));
    let work = works.next()?;
    renewal_timer::start_timer(find_renewal_timer(), work)
}

/// What a timer does for a certificate; nothing for a placeholder.
fn timer_work(context: &Context, done: &TransactionOutcome) -> Option<TimerWork> {
    let settings = installed::read_settings(context, &done.name).ok()?;
    let placeholder = settings.placeholder.map(|id| id.to_string());
    if placeholder.as_ref() == Some(&done.release) {
        return None;
    }
    Some(match settings.order {
        Some(_) => TimerWork::Order,
        None => TimerWork::Prepare,
    })
}
