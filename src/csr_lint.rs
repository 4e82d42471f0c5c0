//! Checks before the order is paid whether a CA would accept a request: names, subject and key, by
//! the rules for all public CAs and those that each CA publishes. A private CA has its own rules.
//! Pure.

mod fault;
mod homographs;
mod key;
mod names;
mod request;
mod rules;
mod subject;

pub(crate) use self::fault::{LintFault, RequestChange, repair_together};
pub(crate) use self::request::{EarlierContent, LintedRequest, ReusedKey};
pub use self::rules::codes;
pub(crate) use self::rules::parse_allowable_code;
use crate::dcv::ca::Ca;

/// Returns everything that a CA would object to in `request`, faults of the names first.
#[must_use]
pub(crate) fn find_faults(request: &LintedRequest<'_>) -> Vec<LintFault> {
    let mut faults = Vec::new();
    if request.ca != Some(Ca::Private) {
        faults.extend(names::check_names(request));
        faults.extend(subject::check_for_public_ca(request));
        faults.extend(key::check_for_public_ca(request));
    }
    faults.extend(homographs::check_names(request.names));
    faults.extend(subject::check_subject(request.subject));
    faults.extend(key::check_reuse(request.reused_key.as_ref()));
    faults.extend(key::check_earlier_content(request));
    faults
}

#[cfg(test)]
mod tests;
