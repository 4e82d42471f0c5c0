//! Whether a CA would take a request, looked at before money is spent: the names, the subject and
//! the key, by the rules that every public CA is bound to and by what each says of itself. A
//! company's own CA makes its own rules. Pure.

mod fault;
mod homographs;
mod key;
mod names;
mod request;
mod rules;
mod subject;

pub(crate) use self::fault::{LintFault, RequestChange};
pub(crate) use self::request::{EarlierContent, LintedRequest, ReusedKey};
pub(crate) use self::rules::code;
pub use self::rules::codes;
use crate::dcv::ca::Ca;

/// Everything that is wrong with `order`, the names first.
#[must_use]
pub(crate) fn faults(order: &LintedRequest<'_>) -> Vec<LintFault> {
    let mut faults = Vec::new();
    if order.ca != Some(Ca::Private) {
        faults.extend(names::faults(order));
        faults.extend(subject::public_faults(order));
        faults.extend(key::public_faults(order));
    }
    faults.extend(homographs::faults(order.names));
    faults.extend(subject::faults(order.subject));
    faults.extend(key::faults(order));
    faults
}

#[cfg(test)]
mod tests;
