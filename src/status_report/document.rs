//! `certctl.status/1`, and a row as JSON.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::finding::Finding;
use crate::inventory::item::{HeldKey, ItemLocation, ItemOrigin};
use crate::inventory::schedule::{PaymentCoverage, ScheduledRenewal, ValidationMethod};
use crate::inventory::{RowState, RowVerdict};
use crate::pki::certificate::Certificate;
use crate::report;
use crate::status_report::{JudgedRow, StatusOutcome, WrittenFile};

/// The document of the whole outcome. It is serialized row by row: as one value, that of a fleet takes
/// up to 40 KiB per certificate.
pub(crate) struct StatusDocument<'a> {
    pub outcome: &'a StatusOutcome,
    /// One line for people; it becomes the second field.
    pub comment: Option<&'a str>,
}

impl StatusDocument<'_> {
    /// Returns the document as one value.
    #[must_use]
    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Serialize for StatusDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let outcome = self.outcome;
        let rows = outcome.rows.iter();
        let named = rows.clone().flat_map(findings_with_name);
        let open = rows
            .clone()
            .filter(|one| one.row.verdict() != RowVerdict::Fine);
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("schema", "certctl.status/1")?;
        if let Some(comment) = self.comment {
            fields.serialize_entry("comment", comment)?;
        }
        fields.serialize_entry("verdict", outcome.verdict().name())?;
        // The files of `--html` and the like report on the machine; they do not change it.
        fields.serialize_entry("changed", &false)?;
        fields.serialize_entry("machine", &outcome.machine)?;
        fields.serialize_entry("at", &outcome.at)?;
        fields.serialize_entry("rows", &ElementList(rows.map(row)))?;
        fields.serialize_entry("outputs", &ElementList(outcome.written.iter().map(output)))?;
        let findings = outcome.findings.iter().cloned().chain(named);
        fields.serialize_entry("findings", &ElementList(findings))?;
        fields.serialize_entry("next", &ElementList(open.flat_map(|one| &one.next)))?;
        fields.end()
    }
}

/// A list whose elements are made one at a time.
struct ElementList<I>(I);

impl<I> Serialize for ElementList<I>
where
    I: Iterator<Item: Serialize> + Clone,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

fn output(written: &WrittenFile) -> Value {
    json!({
        "format": written.format,
        "path": report::path_text(&written.path),
    })
}

/// Returns the findings of a row, each message prefixed with the name of the row.
fn findings_with_name(one: &JudgedRow) -> Vec<Finding> {
    let name = format!("{}: ", one.row.name);
    let mut findings = one.findings.clone();
    for finding in &mut findings {
        if !finding.message.starts_with(&name) {
            finding.message.insert_str(0, &name);
        }
    }
    findings
}

/// Returns a row as an object of the document.
pub(crate) fn row(one: &JudgedRow) -> Value {
    let row = &one.row;
    let certificate = row.certificate.as_deref();
    let due = row.due.filter(|_| row.state != RowState::Superseded);
    let places: Vec<Value> = row.locations.iter().map(location).collect();
    let keys: Vec<Value> = row
        .keys
        .iter()
        .map(|(place, key)| key_file(place, key))
        .collect();
    let requests: Vec<Value> = row.requests.iter().map(location).collect();
    let renewals: Vec<Value> = row.renewals.iter().map(renewal).collect();
    json!({
        "name": row.name,
        "names": row.names,
        "state": row.state.name(),
        "verdict": row.verdict().name(),
        "not_before": certificate.map(|one| one.not_before),
        "not_after": certificate.map(|one| one.not_after),
        "expires": row.expiry,
        "days_left": row.days_left,
        "due": due,
        "issuer": certificate.map(|one| &one.issuer),
        "serial": certificate.map(|one| &one.serial),
        "sha256": certificate.map(Certificate::sha256),
        "key": {"algorithm": row.algorithm.to_string(), "id": row.key_id.to_string()},
        "installed_as": row.installed_as,
        "places": places,
        "keys": keys,
        "requests": requests,
        "reasons": one.findings,
        "paid_until": row.paid_until.map(|day| day.to_string()),
        "dcv_reusable_until": row.validation_until,
        "renewals": renewals,
        "next": one.next,
    })
}

fn location(place: &ItemLocation) -> Value {
    match place {
        ItemLocation::Address { address, name } => {
            json!({
                "kind": "address",
                "address": address,
                "name": name,
            })
        }
        ItemLocation::File { path, origin } => {
            let mut document = json!({
                "kind": "file",
                "path": report::path_text(path),
                "found": origin.name(),
            });
            if let (ItemOrigin::Configured(software, block), Some(fields)) =
                (origin, document.as_object_mut())
            {
                fields.insert("server".to_owned(), json!(software.name()));
                fields.insert("block".to_owned(), json!(block));
            }
            document
        }
    }
}

fn key_file(place: &ItemLocation, key: &HeldKey) -> Value {
    let mut document = location(place);
    if let Some(fields) = document.as_object_mut() {
        fields.insert("mode".to_owned(), json!(key.mode.to_string()));
    }
    document
}

/// Returns when a renewal is due, and what it needs.
fn renewal(renewal: &ScheduledRenewal) -> Value {
    let order = renewal.payment.map(|paid| match paid {
        PaymentCoverage::Purchase => "buy",
        PaymentCoverage::Reissue => "reissue",
    });
    let (proof, validation_until) = match renewal.validation {
        ValidationMethod::New => ("new", None),
        ValidationMethod::Reused(until) => ("reusable", Some(until)),
    };
    json!({
        "due": renewal.due,
        "expires": renewal.previous_expiry,
        "most_days": renewal.max_days,
        "order": order,
        "request": "new",
        "dcv": proof,
        "dcv_reusable_until": validation_until,
    })
}
