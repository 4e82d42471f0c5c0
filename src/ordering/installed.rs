//! Compares what is ordered with the certificate that exists already.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::document::{OrderOutcome, OrderVerdict};
use super::obtained::list_obtained;
use super::spec::{
    CertificatePlace, InstallChoice, NameExpansion, OrderSpec, OrderTiming, RenewedCertificate,
};
use crate::advice::order as advice;
use crate::context::Context;
use crate::failure::Failure;
use crate::install::installed;
use crate::pki::certificate::Certificate;
use crate::pki::key::KeyAlgorithm;
use crate::wording::day;

/// The result of the comparison.
pub(super) enum InstalledComparison {
    /// A certificate is needed, with a key of this algorithm.
    Order(KeyAlgorithm),
    Unchanged(Box<OrderOutcome>),
}

/// Returns whether a certificate is needed.
///
/// # Errors
/// When the new names would be added to those of the existing certificate without `--expand`, or the
/// existing one is not completely installed.
pub(super) fn compare_with_installed(
    context: &Context,
    spec: &OrderSpec,
) -> Result<InstalledComparison, Failure> {
    if let OrderTiming::Renewal(renewed) = &spec.timing {
        return compare_with_renewed(context, spec, renewed);
    }
    let existing = match spec.install {
        InstallChoice::Install | InstallChoice::Together => installed_leaf(context, spec)?,
        InstallChoice::FilesOnly => newest_in_folder(context, spec),
    };
    let Some(leaf) = existing else {
        return Ok(InstalledComparison::Order(KeyAlgorithm::EcdsaP256));
    };
    let has_same_names = compare_names(spec, &leaf)?;
    let due = context
        .renew_before(None)?
        .due(leaf.not_before, leaf.not_after);
    let is_due = due <= context.now() || !has_same_names;
    if is_due || spec.timing == OrderTiming::Now {
        return Ok(InstalledComparison::Order(leaf.algorithm));
    }
    let unchanged = unchanged_outcome(spec, &leaf, due);
    Ok(InstalledComparison::Unchanged(Box::new(unchanged)))
}

/// Returns whether the certificate that was found to be due is still the live one. Another certctl may
/// have replaced it while this one waited for the lock.
fn compare_with_renewed(
    context: &Context,
    spec: &OrderSpec,
    renewed: &RenewedCertificate,
) -> Result<InstalledComparison, Failure> {
    let leaf = match renewed.place {
        CertificatePlace::Installed => installed_leaf(context, spec)?,
        CertificatePlace::Folder => newest_in_folder(context, spec),
    };
    let Some(leaf) = leaf else {
        return Ok(InstalledComparison::Order(KeyAlgorithm::EcdsaP256));
    };
    if leaf.sha256() == renewed.sha256 {
        return Ok(InstalledComparison::Order(leaf.algorithm));
    }
    let mut unchanged = OrderOutcome::new(spec, OrderVerdict::Unchanged);
    unchanged.not_after = Some(leaf.not_after);
    unchanged.summary = format!(
        "{} was renewed in the meantime; the certificate expires {}",
        spec.name,
        day(leaf.not_after)
    );
    Ok(InstalledComparison::Unchanged(Box::new(unchanged)))
}

/// Returns whether the certificate has exactly the names that are ordered.
///
/// # Errors
/// When names would be added without `--expand`.
fn compare_names(spec: &OrderSpec, leaf: &Certificate) -> Result<bool, Failure> {
    let texts = spec.name_texts();
    let wanted: BTreeSet<&str> = texts.iter().map(String::as_str).collect();
    let addresses: Vec<String> = leaf.ip_addresses.iter().map(ToString::to_string).collect();
    let names = leaf.dns_names.iter().chain(&addresses);
    let names: BTreeSet<&str> = names.map(String::as_str).collect();
    let is_expansion = wanted.is_superset(&names) && wanted.len() > names.len();
    if is_expansion && spec.expansion == NameExpansion::Refused {
        let new: Vec<&str> = wanted.difference(&names).copied().collect();
        return Err(advice::expand_names(&spec.name, &new));
    }
    Ok(wanted == names)
}

/// The outcome for a certificate that is not due.
fn unchanged_outcome(spec: &OrderSpec, leaf: &Certificate, due: Timestamp) -> OrderOutcome {
    let mut unchanged = OrderOutcome::new(spec, OrderVerdict::Unchanged);
    unchanged.not_after = Some(leaf.not_after);
    unchanged.not_before = Some(due);
    unchanged.summary = format!(
        "the certificate of {} expires {} and is not due before {}: nothing was ordered",
        spec.name,
        day(leaf.not_after),
        day(due)
    );
    unchanged
}

/// The certificate that is installed under this name.
fn installed_leaf(context: &Context, spec: &OrderSpec) -> Result<Option<Certificate>, Failure> {
    match installed::load_live_leaf(context, &spec.name)? {
        Some((leaf, true)) => Ok(Some(leaf)),
        // Ordering another one would not finish that install.
        Some((leaf, false)) if leaf.is_in_date(context.now()) => Err(advice::finish_install_first(
            context.root.as_deref(),
            &spec.name,
        )),
        Some((_, false)) | None => Ok(None),
    }
}

/// The newest certificate of this name in the working directory.
fn newest_in_folder(context: &Context, spec: &OrderSpec) -> Option<Certificate> {
    let obtained = list_obtained(context, spec).into_iter();
    let newest = obtained.max_by_key(|obtained| obtained.leaf.not_after);
    newest.map(|newest| newest.leaf)
}
