//! Finds the published records that a certificate no longer needs.

use crate::context::Context;
use crate::inputs::folder;
use crate::pki::certificate::Certificate;
use crate::state::{PublicationStage, PublishedRecord, StateFolder};

/// The first label of records that stay for all later orders (draft-ietf-acme-dns-persist).
const PERSISTENT: &str = "_validation-persist.";
/// How long before its issuance a certificate may become valid, in seconds: some CAs use the beginning
/// of the day, or of the day before.
const BACKDATED: i64 = 48 * 3600;

/// Returns the owner names of the published records that were needed only until this certificate was
/// issued. This is advice: what cannot be read is omitted.
#[must_use]
pub(crate) fn needless_records(context: &Context, leaf: &Certificate) -> Vec<String> {
    let state = StateFolder::find(context.root.as_deref());
    let entries = state.and_then(|state| state.published_records());
    let mut names = Vec::new();
    for entry in entries.unwrap_or_default() {
        if is_needless(&entry, leaf) && !names.contains(&entry.name) {
            names.push(entry.name);
        }
    }
    names
}

fn is_needless(entry: &PublishedRecord, leaf: &Certificate) -> bool {
    entry.stage == PublicationStage::Published
        && !entry.name.starts_with(PERSISTENT)
        && covers(entry, leaf)
        && is_later(entry, leaf)
        && has_its_key(entry, leaf)
}

/// Whether the certificate has all names that the record validates.
fn covers(entry: &PublishedRecord, leaf: &Certificate) -> bool {
    let has = |name: &String| {
        leaf.dns_names
            .iter()
            .any(|one| one.eq_ignore_ascii_case(name))
    };
    if entry.names.is_empty() {
        has(&entry.domain)
    } else {
        entry.names.iter().all(has)
    }
}

/// Whether the certificate was issued after the record was published.
fn is_later(entry: &PublishedRecord, leaf: &Certificate) -> bool {
    leaf.not_before.as_second() + BACKDATED >= entry.at.as_second()
}

/// Whether the certificate is that of the record's request; true for a record without one.
fn has_its_key(entry: &PublishedRecord, leaf: &Certificate) -> bool {
    let Some(path) = &entry.request else {
        return true;
    };
    let found = folder::read_file(path).map(|found| found.requests);
    let mut requests = found.into_iter().flatten();
    requests.any(|request| request.value.key_id == leaf.key_id)
}
