//! Advice where nothing renews certificates by itself.

use crate::finding::{Finding, NextStep};
use crate::system::renewal_timer::RenewalTimer;

/// The command that lets cron renew what is due.
const CRON_JOB: &str = "printf 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin\\n23 3,15 * * * root \
    certctl renew -q\\n' | sudo tee /etc/cron.d/certctl-renew";

/// What a timer does for a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TimerWork {
    /// It orders the next one.
    Order,
    /// It makes the next request, which a person hands to the CA.
    Prepare,
}

/// Returns how to let this machine renew by itself; `None` if it does, or that is not known.
#[must_use]
pub(crate) fn start_timer(timer: RenewalTimer, work: TimerWork) -> Option<NextStep> {
    let work = match work {
        TimerWork::Order => "renew it",
        TimerWork::Prepare => "prepare its renewal when it is due",
    };
    match timer {
        RenewalTimer::Runs | RenewalTimer::NotChecked => None,
        RenewalTimer::NotEnabled => Some(NextStep::run_shell(
            format!("Let the timer {work}"),
            "sudo systemctl enable --now certctl-renew.timer",
        )),
        RenewalTimer::OnlyCron => Some(NextStep::run_shell(
            format!("Let cron {work} (it looks twice a day)"),
            CRON_JOB,
        )),
        RenewalTimer::Absent => Some(NextStep::say(
            "Let this machine run `certctl renew` every day, for example by the units in \
                packaging/systemd of certctl's source",
        )),
    }
}

/// Reports that nothing renews the certificates that were ordered.
#[must_use]
pub(crate) fn no_timer(timer: RenewalTimer) -> Option<Finding> {
    let step = start_timer(timer, TimerWork::Order)?;
    let message = "nothing on this machine runs `certctl renew`, so the certificates that were \
        ordered are not renewed by themselves";
    Some(Finding::note("no-timer", message).with_step(step))
}
