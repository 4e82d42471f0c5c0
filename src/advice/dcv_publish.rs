//! Advice of `dcv-publish`: what to do about records that conflict, are not visible, or could not be
//! published.

use super::rerun::{RepeatOption, repeat_with};
use crate::dcv::ca::Ca;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::publishing::zone_record::{PublishableKind, RecordLocation, RecordValue};
use crate::system::dns::LocationError;

/// A part of the record's value is known only to the reseller.
#[must_use]
pub(crate) fn value_unknown(name: &str) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        format!("the value of the record {name} is not known completely"),
    )
}

/// Publishes with the reseller's record on stdin; `words` are the command line without it.
#[must_use]
pub(crate) fn publish_with_record(words: &[String]) -> NextStep {
    let words = [words, &["--record".to_owned(), "-".to_owned()]].concat();
    NextStep::run_certctl(
        "Run this command, paste the record that the CA shows (host and value), and press Ctrl-D",
        &words,
    )
    .later()
}

/// Lets certctl publish a record that a check did not find; `provider` has the zone.
#[must_use]
pub(crate) fn publish_through(provider: &str, words: &[String]) -> NextStep {
    let source = if words.iter().any(|word| word == "-") {
        "; paste the record that the CA shows"
    } else {
        ""
    };
    let sentence = format!("Or let certctl publish it through the API of {provider}{source}");
    NextStep::run_certctl(sentence, words).later()
}

/// Publishes the record of a new request through the provider that is configured.
#[must_use]
pub(crate) fn publish_for_request(ca: Option<Ca>, words: &[String]) -> NextStep {
    let end = "it publishes the record, and waits until all servers of the zone have it";
    let sentence = if words.iter().any(|word| word == "-") {
        let source = ca.map_or("the CA", Ca::title);
        format!(
            "Copy the whole record that {source} shows, start this command, and paste the record \
                into it; {end}"
        )
    } else {
        format!("When the CA has the request, start this command; {end}")
    };
    NextStep::run_certctl(sentence, words).later()
}

/// Removes the record that the CA no longer needs, once its certificate is installed.
#[must_use]
pub(crate) fn remove_needless(words: &[String]) -> NextStep {
    NextStep::run_certctl(
        "Remove the validation record, which this certificate no longer needs",
        words,
    )
    .later()
}

/// Publishes the record again, or queries the zone's servers for longer; `words` are the command line.
#[must_use]
pub(crate) fn publish_again(words: &[String]) -> NextStep {
    let sentence = if words.iter().any(|word| word == "--wait") {
        "Query the servers of the zone again until all of them have the record, for up to 2 hours"
    } else {
        "Repeat it"
    };
    NextStep::run_certctl(sentence, words)
}

/// Does what a dry run showed; `words` are the command line.
#[must_use]
pub(crate) fn carry_out(words: &[String]) -> NextStep {
    NextStep::run_certctl("If that is right, do it", words).later()
}

/// The step after a record that belongs to no request here.
#[must_use]
pub(crate) fn let_ca_validate() -> NextStep {
    NextStep::say("Let the CA validate now, and leave the record in place until it has")
}

/// Lists what `--dns` accepts, when neither the command line nor the configuration names a provider.
#[must_use]
pub(crate) fn choose_provider(words: &[String]) -> Failure {
    let choices = [words, &["--dns".to_owned(), "rfc2136".to_owned()]].concat();
    Failure::new(
        FailureKind::NotFound,
        "no DNS provider was given: neither --dns nor `dns` in config.toml is set",
    )
    .with_step(NextStep::run_certctl(
        "Name the provider with `--dns`: alidns, cloudflare, rfc2136, lexicon:NAME or exec:PROGRAM; \
            for a name server of your own",
        &choices,
    ))
}

/// The journal has no record for the names.
#[must_use]
pub(crate) fn nothing_to_remove(what: &str) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        format!("certctl has not published any record for {what}, so it removes none"),
    )
    .with_step(NextStep::say(
        "Remove a record that was published in another way in the console of the DNS provider",
    ))
}

/// Another record does not allow the new one.
#[must_use]
pub(crate) fn record_conflict(
    at: &RecordLocation,
    existing: &RecordValue,
    wanted: &RecordValue,
) -> Finding {
    let name = &at.name;
    let message = format!(
        "{name} already has a {} record with the value {}, and certctl has not published it; a {} \
            record cannot exist beside it",
        existing.kind.word(),
        existing.value,
        wanted.kind.word()
    );
    let finding = Finding::error("record-conflict", message);
    if existing.kind != PublishableKind::Cname {
        return finding.with_step(NextStep::say(format!(
            "Find out what needs the {} record, and remove it in the console of the DNS provider if \
                nothing does",
            existing.kind.word()
        )));
    }
    let option = RepeatOption {
        name: "--replace",
        value: Some(&existing.value),
    };
    let sentence = "If nothing needs the existing record, let certctl replace it";
    finding.with_step(repeat_with(sentence, &["dcv-publish"], &[option]).later())
}

/// The provider reported success, and its records are as before.
#[must_use]
pub(crate) fn nothing_done(provider: &str, name: &str) -> Finding {
    let message =
        format!("{provider} reported success, and its records at {name} are not as requested");
    let step = NextStep::say(
        "Check the records at this name in the console of the DNS provider, and the server's log",
    );
    Finding::error("provider-did-nothing", message).with_step(step)
}

/// Not all servers of the zone have the record.
#[must_use]
pub(crate) fn not_visible(at: &RecordLocation) -> Finding {
    let message = format!(
        "not all servers of the zone {} have the record at {} each time they are asked",
        at.zone, at.name
    );
    Finding::error("record-not-visible", message)
}

/// None of the zone's servers could be queried.
#[must_use]
pub(crate) fn unchecked_record(at: &RecordLocation) -> Finding {
    let message = format!(
        "none of the servers of the zone {} could be queried from this machine, so it is not known \
            whether they have the record",
        at.zone
    );
    Finding::error("unchecked-record", message)
}

/// A record that was removed is still served.
#[must_use]
pub(crate) fn still_visible(at: &RecordLocation) -> Finding {
    let message = format!(
        "the record at {} is removed at the provider; it was not confirmed that all servers of the \
            zone {} have removed it",
        at.name, at.zone
    );
    Finding::error("record-still-visible", message)
}

impl From<LocationError> for Failure {
    fn from(error: LocationError) -> Self {
        let kind = match &error {
            LocationError::Dns(_) | LocationError::NoZone { .. } => FailureKind::Network,
            LocationError::AliasLoop { .. } => FailureKind::Malformed,
            LocationError::NotDelegated(_) => FailureKind::NotFound,
        };
        let step = match error {
            LocationError::Dns(error) => return error.into(),
            LocationError::NoZone { .. } => NextStep::say(
                "Check that this machine can query name servers, or name a resolver that answers \
                    with `--resolver ADDRESS`",
            ),
            LocationError::AliasLoop { .. } => {
                NextStep::say("Correct the CNAME records in the console of the DNS provider")
            }
            LocationError::NotDelegated(_) => NextStep::say(
                "Check at the registrar that the domain is registered and has name servers",
            ),
        };
        Self::from_error(kind, &error).with_step(step)
    }
}
