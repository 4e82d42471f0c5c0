//! The CNAME records that the reseller asks for. Its API decides what they are; what certctl computes
//! from the request is compared with them, and never published.

use std::rc::Rc;

use crate::advice::namecheap as advice;
use crate::dcv::answer::RecordKind;
use crate::dcv::ca::Ca;
use crate::dcv::expectation::expect_record;
use crate::dcv::record::{host_label, target_labels};
use crate::dcv::reseller_record::climb;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::namecheap::ResellerRecord;
use crate::ordering::spec::OrderSpec;
use crate::pki::request::SigningRequest;
use crate::state::JournaledRecord;
use crate::validation::expected::ExpectedRecord;

/// The longest name in the DNS, in characters (RFC 1035 2.3.4).
const NAME_LIMIT: usize = 253;
const LABEL_LIMIT: usize = 63;

/// Checks that the records are names in the DNS at or below what is ordered: they are the text of
/// another machine, and certctl changes a zone because of them.
///
/// # Errors
/// When one of them is not.
pub(super) fn accept_records(
    spec: &OrderSpec,
    records: &[ResellerRecord],
) -> Result<Vec<JournaledRecord>, Failure> {
    let mut accepted: Vec<JournaledRecord> = Vec::new();
    for record in records {
        let host = normalized(&record.host);
        let target = normalized(&record.target);
        let domain = validated_domain(spec, &host);
        let domain = domain.filter(|_| is_name(&host) && is_name(&target));
        let Some(domain) = domain else {
            return Err(advice::record_not_acceptable(&record.host, &record.target));
        };
        let record = JournaledRecord {
            domain,
            host,
            target,
        };
        if !accepted.contains(&record) {
            accepted.push(record);
        }
    }
    Ok(accepted)
}

fn normalized(text: &str) -> String {
    text.trim().trim_end_matches('.').to_ascii_lowercase()
}

/// Returns the ordered name that a record at `host` validates: its domain is the name without its
/// wildcard, or a parent of it that the name's owner has registered.
fn validated_domain(spec: &OrderSpec, host: &str) -> Option<String> {
    let (label, domain) = host.split_once('.')?;
    let mut names = spec.names.dns();
    let found = names.find(|name| climb(name.base()).iter().any(|one| one == domain));
    found
        .filter(|_| label.starts_with('_'))
        .map(|_| domain.to_owned())
}

/// Returns whether a text can be a name in the DNS: letters, digits, hyphens and underscores.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_LIMIT).contains(&label.len())
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    text.len() <= NAME_LIMIT && text.contains('.') && text.split('.').all(is_label)
}

/// Returns a warning for each record that is not the one that follows from the request.
pub(super) fn compare_with_request(
    records: &[JournaledRecord],
    request: &SigningRequest,
) -> Vec<Finding> {
    let label = format!("{}.", host_label(request)).to_ascii_lowercase();
    let target = format!("{}.", target_labels(request)).to_ascii_lowercase();
    let is_other = |record: &&JournaledRecord| {
        !record.host.starts_with(&label) || !record.target.starts_with(&target)
    };
    let others = records.iter().filter(is_other);
    others
        .map(|record| advice::record_differs(&record.host))
        .collect()
}

/// Returns the records as `dcv-publish` publishes and checks them.
pub(super) fn expected_records(
    spec: &OrderSpec,
    records: &[JournaledRecord],
) -> Vec<ExpectedRecord> {
    let mut expected = Vec::new();
    for record in records {
        let kind = RecordKind::Cname;
        let mut answer = expect_record(&record.host, &record.domain, kind, &record.target);
        record.domain.clone_into(&mut answer.domain);
        let below = format!(".{}", record.domain);
        let mut names = spec.name_texts();
        names.retain(|name| *name == record.domain || name.ends_with(&below));
        expected.push(ExpectedRecord {
            request: String::new(),
            ca: Some(Ca::Namecheap),
            expected: Rc::new(answer),
            names,
        });
    }
    expected
}
