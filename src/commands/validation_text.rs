//! How `csr` and `renew` show a record for domain validation.

use crate::dcv::ca::Ca;
use crate::dcv::record::DcvRecord;
use crate::report::{Label, TextOutput};

/// Adds the record with its fields: all of it if it is known, otherwise the form of what `ca` shows.
pub(super) fn add_record(text: &mut TextOutput, record: &DcvRecord, ca: Option<Ca>) {
    text.add(Label::Next, introduction(record, ca));
    let shape = record.shape.as_deref().unwrap_or_default();
    let value = record.value.as_deref().unwrap_or(shape);
    text.add_fields(&[
        ("Type", record.kind.word()),
        ("Host", &record.relative_name),
        ("Value", value),
    ]);
    if record.validates.len() > 1 {
        let names = record.validates.join(", ");
        text.add_continuation(format!("It validates {names}."));
    }
    if record.value.is_none() && ca.is_none() {
        text.add_continuation(
            "If the CA shows another CNAME or TXT record (as DigiCert, GlobalSign, GoDaddy and AWS \
                do), add that one.",
        );
    }
}

fn introduction(record: &DcvRecord, ca: Option<Ca>) -> String {
    let place = format!(
        "in your DNS provider's console for the zone {}",
        record.zone
    );
    let kind = record.kind.word();
    match (&record.value, ca) {
        (Some(_), _) => format!("Add this record {place}:"),
        (None, Some(ca)) => {
            let title = ca.title();
            format!(
                "{title} then shows a {kind} record. Add it {place}; only {title} knows the parts \
                    in angle brackets:"
            )
        }
        (None, None) => format!(
            "If the CA then shows a {kind} record of this form (as Sectigo, SSL.com and their \
                resellers do), add it {place}; only the CA knows the parts in angle brackets:"
        ),
    }
}
