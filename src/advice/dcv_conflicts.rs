//! Advice for other data at the name of a validation record.

use std::net::IpAddr;

use crate::dcv::answer::RecordKind;
use crate::dcv::reason::ConflictingRecord;
use crate::finding::{Finding, NextStep};

/// Other data is at the record's own name.
pub(super) fn conflicting_record(at: &str, conflict: &ConflictingRecord) -> Finding {
    match conflict {
        ConflictingRecord::Addresses(addresses) => flattened_cname(at, addresses),
        ConflictingRecord::Alias(target) => alias_without_text(at, target),
        ConflictingRecord::Beside(other) => Finding::warning(
            "cname-conflicts-with-records",
            format!(
                "{at} has both a CNAME and a {} record, which the DNS forbids (RFC 1034 3.6.2); \
                    some resolvers fail",
                other.word()
            ),
        )
        .with_step(NextStep::say(format!(
            "Delete the {} record at {at}",
            other.word()
        ))),
        ConflictingRecord::Blocking(other) => Finding::error(
            "records-conflict-with-cname",
            format!(
                "{at} has a {} record and no CNAME; the two cannot exist at the same name",
                other.word()
            ),
        )
        .with_step(NextStep::say(format!(
            "Delete the {} record at {at}, then add the CNAME",
            other.word()
        ))),
        ConflictingRecord::SeveralAliases {
            right,
            wrong,
            expected,
        } => several_aliases(at, right.as_deref(), wrong, expected.as_deref()),
        ConflictingRecord::Wildcard(answer) => Finding::error(
            "wildcard-answers",
            format!("{at} does not exist; a wildcard record (*) answers for every name: {answer}"),
        )
        .with_step(NextStep::say(
            "Add the record itself: it takes precedence over the wildcard",
        )),
        ConflictingRecord::WrongType { wanted, found } => wrong_type(at, *wanted, *found),
    }
}

/// A name with several CNAME records: resolvers choose one of them, or reject all.
fn several_aliases(
    at: &str,
    right: Option<&str>,
    wrong: &[String],
    expected: Option<&str>,
) -> Finding {
    let count = wrong.len() + usize::from(right.is_some());
    let targets: Vec<&str> = right
        .into_iter()
        .chain(wrong.iter().map(String::as_str))
        .collect();
    let message = format!(
        "{at} has {count} CNAME records, of which a name can have only one (RFC 1034 3.6.2): {}",
        targets.join(", ")
    );
    let step = match (right, expected) {
        (Some(_), _) => NextStep::say("Delete the CNAME records with these values at that name")
            .with_lines(wrong.iter().cloned()),
        (None, Some(value)) => {
            NextStep::say("Delete all of them, and add one CNAME record with this value")
                .with_lines([value.to_owned()])
        }
        (None, None) => {
            NextStep::say("Delete all but the one that the CA shows for the order that is open now")
        }
    };
    Finding::error("several-cnames", message).with_step(step)
}

/// A TXT record is expected at an alias whose target has none.
fn alias_without_text(at: &str, target: &str) -> Finding {
    let message =
        format!("{at} is an alias (CNAME) for {target}, which does not have the TXT record");
    // Only a name with an underscore serves no clients: another alias may be the site's.
    let next = if at.starts_with('_') {
        format!(
            "Delete the CNAME at {at} and add the TXT record there, or add the TXT record at \
                {target}"
        )
    } else {
        format!("Add the TXT record at {target}, or choose another validation method at the CA")
    };
    Finding::error("alias-without-text", message).with_step(NextStep::say(next))
}

/// The DNS provider publishes the addresses of the CNAME's target.
fn flattened_cname(at: &str, addresses: &[IpAddr]) -> Finding {
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    Finding::error(
        "cname-flattened",
        format!(
            "{at} has addresses instead of the CNAME, which the DNS provider resolves or proxies: \
                {}",
            addresses.join(", ")
        ),
    )
    .with_step(NextStep::say(
        "Switch off proxy and CNAME flattening for this record (\"DNS only\"), and enter it as \
            CNAME, not as ALIAS",
    ))
}

/// The value is published in a record of another type.
fn wrong_type(at: &str, wanted: RecordKind, found: RecordKind) -> Finding {
    let code = if wanted == RecordKind::Txt {
        "cname-instead-of-txt"
    } else {
        "txt-instead-of-cname"
    };
    let wanted = wanted.word();
    let found = found.word();
    Finding::error(
        code,
        format!("the value at {at} is in a {found} record; the CA queries {wanted}"),
    )
    .with_step(NextStep::say(format!(
        "Replace the {found} record with a {wanted} record that has the same value"
    )))
}
