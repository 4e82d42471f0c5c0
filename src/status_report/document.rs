//! `certctl.status/1`, and a row as JSON.

use serde_json::{Value, json};

use crate::finding::{Finding, NextStep};
use crate::inventory::item::{HeldKey, ItemLocation, ItemOrigin};
use crate::inventory::schedule::{PaymentCoverage, ScheduledRenewal, ValidationMethod};
use crate::inventory::{RowState, RowVerdict};
use crate::pki::certificate::Certificate;
use crate::report;
use crate::status_report::{JudgedRow, StatusOutcome, WrittenFile};

/// Returns the document of the whole outcome.
pub(crate) fn status_json(outcome: &StatusOutcome) -> Value {
    let mut findings = outcome.findings.clone();
    findings.extend(outcome.rows.iter().flat_map(findings_with_name));
    let next: Vec<&NextStep> = outcome
        .rows
        .iter()
        .filter(|one| one.row.verdict() != RowVerdict::Fine)
        .flat_map(|one| &one.next)
        .collect();
    json!({
        "schema": "certctl.status/1",
        "verdict": outcome.verdict().name(),
        // The files of `--html` and the like report on the machine; they do not change it.
        "changed": false,
        "machine": outcome.machine,
        "at": outcome.at,
        "rows": outcome.rows.iter().map(row).collect::<Vec<_>>(),
        "outputs": outcome.written.iter().map(output).collect::<Vec<_>>(),
        "findings": findings,
        "next": next,
    })
}

fn output(written: &WrittenFile) -> Value {
    json!({"format": written.format, "path": report::path_text(&written.path)})
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
            json!({"kind": "address", "address": address, "name": name})
        }
        ItemLocation::File { path, origin } => {
            let mut document =
                json!({"kind": "file", "path": report::path_text(path), "found": origin.name()});
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
