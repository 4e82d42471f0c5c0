//! For certificates that are renewed by hand at a reseller: what would renew them without a person. It is
//! printed once for each certificate.

use jiff::SignedDuration;

use super::attempt::{RenewalAttempt, RenewalResult};
use crate::advice::renew_command as advice;
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::inventory::RenewBefore;
use crate::inventory::schedule::{self, RenewalTerms};
use crate::matching::file_names;
use crate::pki::baseline_dates::LIFETIME;

/// For how long the renewals are counted.
const COUNTED_DAYS: i64 = 2 * 365;
/// The number in the file names of the first renewal: the first request has none.
const FIRST_RENEWAL: u32 = 2;

/// Adds the notice to the request of the first renewal, in the run that prepares it.
pub(super) fn suggest_automatic(context: &Context, attempt: &mut RenewalAttempt) {
    if !matches!(attempt.ca, Some(Ca::Namecheap | Ca::Ssls)) || !is_first(&attempt.result) {
        return;
    }
    let now = context.now();
    let terms = RenewalTerms {
        expiry: attempt.not_after,
        due: now,
        validated_at: now,
        paid_until: None,
    };
    let end = now + SignedDuration::from_hours(24 * COUNTED_DAYS);
    let renewals = schedule::renewals(terms, RenewBefore::default(), now);
    let count = renewals.iter().filter(|one| one.due < end).count();
    let days = LIFETIME.at(now).map(|step| step.days);
    let note = advice::automatic_alternatives(&attempt.names, count, days);
    attempt.findings.push(note);
}

/// Returns whether a first renewal was prepared in this run.
fn is_first(result: &RenewalResult) -> bool {
    let RenewalResult::Prepared(prepared) = result else {
        return false;
    };
    let number = file_names::split_renewal_path(&prepared.files.request).1;
    prepared.is_new && number == FIRST_RENEWAL
}
