//! The TXT records of dns-01 (RFC 8555 8.4), published and removed as `dcv-publish` does: checked at the
//! zone's own servers before the CA is asked, and removed by their exact value afterwards.

use std::rc::Rc;
use std::time::Duration;

use super::journal::OrderJournal;
use super::order_run::OrderRun;
use super::publisher::{RecordPublisher, open_named};
use crate::advice::{order as advice, order_checks};
use crate::dcv::answer::RecordKind;
use crate::dcv::expectation::expect_record;
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::publication::{
    PublicationMode, PublicationRequest, PublicationSettings, publish_record, remove_published,
};
use crate::system::acme::PendingChallenge;
use crate::system::dns::ResolverList;
use crate::validation::expected::ExpectedRecord;

/// How long the zone's servers are queried for a new record.
pub(crate) const PUBLICATION_LIMIT: Duration = Duration::from_secs(300);
/// The label of the records.
const LABEL: &str = "_acme-challenge";

/// How records are published and checked; the same for all records of an order.
fn settings<'a>(run: &OrderRun<'a>) -> PublicationSettings<'a> {
    PublicationSettings {
        context: run.context,
        resolvers: ResolverList::new(&run.spec.resolvers),
        mode: PublicationMode::Change,
        unchecked: run.spec.unchecked,
        limit: PUBLICATION_LIMIT,
    }
}

/// Publishes each record, and checks it. Returns warnings.
///
/// # Errors
/// When a record could not be confirmed: the CA is not asked then.
pub(super) fn publish_records(
    run: &OrderRun<'_>,
    publisher: &RecordPublisher,
    records: &[ExpectedRecord],
) -> Result<Vec<Finding>, Failure> {
    let settings = settings(run);
    let mut warnings = Vec::new();
    for record in records {
        let request = PublicationRequest {
            record,
            choice: &publisher.choice,
            provider: &*publisher.provider,
            state: run.state,
            replaceable: None,
        };
        let published = publish_record(&settings, &request)?;
        if published.exit_code != 0 {
            return Err(order_checks::record_not_published(
                &published.name,
                published.exit_code,
                &published.findings,
                run.spec.renewal_as_order(run.context),
            ));
        }
        let findings = published.findings.into_iter();
        warnings.extend(findings.filter(|finding| finding.severity == Severity::Warning));
    }
    Ok(warnings)
}

/// The record as `dcv-publish` would publish and check it. The zone is found through the DNS.
pub(super) fn expected_record(challenge: &PendingChallenge) -> ExpectedRecord {
    let name = format!("{LABEL}.{}", challenge.name);
    let mut expected = expect_record(
        &name,
        &challenge.name,
        RecordKind::Txt,
        &challenge.dns_value,
    );
    challenge.name.clone_into(&mut expected.domain);
    ExpectedRecord {
        request: String::new(),
        ca: None,
        expected: Rc::new(expected),
        names: vec![challenge.name.clone()],
    }
}

/// Removes the records of an order. One that cannot be removed stays in the list of published records,
/// and is a warning.
pub(super) fn remove_records(
    run: &OrderRun<'_>,
    journal: &mut OrderJournal<'_>,
) -> Result<Vec<Finding>, Failure> {
    if journal.entry.records.is_empty() {
        return Ok(Vec::new());
    }
    let settings = settings(run);
    let mut warnings = Vec::new();
    for entry in run.state.published_records()? {
        if !journal.entry.records.contains(&entry.value) {
            continue;
        }
        // The provider that has published it: this run may validate in another way.
        let provider = open_named(run.context, &entry.provider);
        let removed = provider.map(|provider| {
            let removed = remove_published(&settings, run.state, &entry, &*provider);
            removed.exit_code == 0
        });
        if !removed.unwrap_or(false) {
            let words = run.context.command_words("dcv-publish");
            warnings.push(advice::record_not_removed(words, &entry.name));
        }
    }
    journal.forget_records()?;
    Ok(warnings)
}
