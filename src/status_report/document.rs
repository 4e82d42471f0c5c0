//! `certctl.status/1`, and a row as JSON.

use serde_json::{Value, json};

use crate::finding::Finding;
use crate::inventory::item::{HeldKey, ItemLocation, ItemOrigin};
use crate::inventory::schedule::{PaymentCoverage, ScheduledRenewal, ValidationMethod};
use crate::inventory::{RowState, RowVerdict};
use crate::report;
use crate::status_report::{JudgedRow, StatusOutcome};

pub(crate) fn status(outcome: &StatusOutcome) -> Value {
    let findings: Vec<Finding> = outcome
        .findings
        .iter()
        .cloned()
        .chain(outcome.rows.iter().flat_map(by_name))
        .collect();
    let next: Vec<_> = outcome
        .rows
        .iter()
        .filter(|one| one.row.verdict() != RowVerdict::Fine)
        .flat_map(|one| &one.next)
        .collect();
    json!({
        "schema": "certctl.status/1",
        "verdict": outcome.verdict().name(),
        "at": outcome.at,
        "rows": outcome.rows.iter().map(row).collect::<Vec<_>>(),
        "outputs": outcome.written.iter().map(|one| json!({"format": one.format, "path": report::shown(&one.path)})).collect::<Vec<_>>(),
        "findings": findings,
        "next": next,
    })
}

/// The findings of a row, each with the name that it is about.
fn by_name(one: &JudgedRow) -> Vec<Finding> {
    let name = format!("{}: ", one.row.name);
    let said = |it: &Finding| match it.message.starts_with(&name) {
        true => it.clone(),
        false => Finding {
            message: format!("{name}{}", it.message),
            ..it.clone()
        },
    };
    one.findings.iter().map(said).collect()
}

pub(crate) fn row(one: &JudgedRow) -> Value {
    let row = &one.row;
    let certificate = row.certificate.as_deref();
    json!({
        "name": row.name,
        "names": row.names,
        "state": row.state.name(),
        "verdict": row.verdict().name(),
        "not_before": certificate.map(|one| one.not_before),
        "not_after": certificate.map(|one| one.not_after),
        "expires": row.ends,
        "days_left": row.days_left,
        "due": row.due.filter(|_| row.state != RowState::Superseded),
        "issuer": certificate.map(|one| &one.issuer),
        "serial": certificate.map(|one| &one.serial),
        "sha256": certificate.map(crate::pki::certificate::Certificate::sha256),
        "key": {"algorithm": row.algorithm.to_string(), "id": row.key_id.to_string()},
        "installed_as": row.stem,
        "places": row.places.iter().map(place).collect::<Vec<_>>(),
        "keys": row.keys.iter().map(key).collect::<Vec<_>>(),
        "requests": row.requests.iter().map(place).collect::<Vec<_>>(),
        "reasons": one.findings,
        "paid_until": row.paid_until.map(|day| day.to_string()),
        "dcv_reusable_until": row.proof_until,
        "renewals": row.rounds.iter().map(round).collect::<Vec<_>>(),
        "next": one.next,
    })
}

fn place(place: &ItemLocation) -> Value {
    match place {
        ItemLocation::Address { address, name } => {
            json!({"kind": "address", "address": address, "name": name})
        }
        ItemLocation::File { path, origin } => {
            let mut document =
                json!({"kind": "file", "path": report::shown(path), "found": origin.name()});
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

fn key((at, key): &(ItemLocation, HeldKey)) -> Value {
    let mut document = place(at);
    if let Some(fields) = document.as_object_mut() {
        fields.insert("mode".to_owned(), json!(format!("{:04o}", key.mode)));
    }
    document
}

/// When, and what it needs.
fn round(round: &ScheduledRenewal) -> Value {
    json!({
        "due": round.due,
        "expires": round.before,
        "most_days": round.most_days,
        "order": round.paid.map(|paid| match paid {
            PaymentCoverage::Purchase => "buy",
            PaymentCoverage::Reissue => "reissue",
        }),
        "request": "new",
        "dcv": match round.proof {
            ValidationMethod::New => "new",
            ValidationMethod::Reused(_) => "reusable",
        },
        "dcv_reusable_until": match round.proof {
            ValidationMethod::New => None,
            ValidationMethod::Reused(until) => Some(until),
        },
    })
}
