//! Finds TLSA records (DANE) that are for the renewed certificate or its key, and not for the new one.

use crate::advice::renew_command as advice;
use crate::context::Context;
use crate::finding::Finding;
use crate::inputs::folder::read_file;
use crate::ordering::{KeyChoice, OrderOutcome, OrderSpec, OrderVerdict};
use crate::pki::certificate::Certificate;
use crate::pki::tlsa::TlsaRecord;
use crate::system::dns::{ResolverList, look_up_tlsa};

/// The ports whose records are looked up: mail servers, where DANE is used most, and web servers.
const PORTS: [u16; 2] = [25, 443];
/// How many names of a certificate are looked up at most.
const MOST_NAMES: usize = 50;

/// Warns of records that the renewal makes wrong. Records that cannot be looked up are not mentioned.
pub(super) fn warn_about_tlsa(
    context: &Context,
    spec: &OrderSpec,
    renewed: &Certificate,
    outcome: &OrderOutcome,
) -> Vec<Finding> {
    let is_renewed = matches!(
        outcome.verdict,
        OrderVerdict::Planned | OrderVerdict::Issued | OrderVerdict::Installed
    );
    if !is_renewed {
        return Vec::new();
    }
    let new = new_certificate(outcome);
    let names = record_names(renewed);
    let resolvers = ResolverList::new(&spec.resolvers);
    let found = look_up_tlsa(&names, &resolvers, &context.interrupt);
    let mut findings = Vec::new();
    for (name, records) in names.iter().zip(found.unwrap_or_default()) {
        let Some(wrong) = find_wrong(&records, renewed, new.as_ref(), spec.key) else {
            continue;
        };
        let value = new.as_ref().and_then(|new| wrong.value_for(new));
        findings.push(advice::tlsa_mismatch(name, value.as_deref()));
    }
    findings
}

/// The names at which records may be. A wildcard has no address of its own.
fn record_names(leaf: &Certificate) -> Vec<String> {
    let names = leaf.dns_names.iter();
    let names = names.filter(|name| !name.starts_with('*')).take(MOST_NAMES);
    names
        .flat_map(|name| PORTS.map(|port| format!("_{port}._tcp.{name}")))
        .collect()
}

/// The certificate of this run; `None` in a dry run.
fn new_certificate(outcome: &OrderOutcome) -> Option<Certificate> {
    let files = outcome.files.as_ref()?;
    let delivery = read_file(&files.chain).ok()?;
    delivery.clone_certificates().into_iter().next()
}

/// Returns a record that allows the renewed certificate, if none allows the new one.
fn find_wrong<'r>(
    records: &'r [TlsaRecord],
    renewed: &Certificate,
    new: Option<&Certificate>,
    key: KeyChoice,
) -> Option<&'r TlsaRecord> {
    let about_leaf = || records.iter().filter(|record| record.is_about_leaf());
    let is_right = |record: &TlsaRecord| match new {
        Some(new) => record.matches(new),
        None => key == KeyChoice::Reused && record.is_about_key(),
    };
    if about_leaf().any(is_right) {
        return None;
    }
    about_leaf().find(|record| record.matches(renewed))
}
