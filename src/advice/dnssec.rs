//! Advice for DNSSEC signatures that do not validate.

use jiff::Timestamp;

use crate::dcv::dnssec::{DnssecFault, DnssecFlaw, DnssecState};
use crate::finding::{Finding, NextStep};

/// One for each kind of flaw of a zone; none where nothing is wrong.
impl From<&DnssecState> for Vec<Finding> {
    fn from(state: &DnssecState) -> Self {
        let DnssecState::Broken(faults) = state else {
            return Self::new();
        };
        let mut groups: Vec<Vec<&DnssecFault>> = Vec::new();
        for fault in faults {
            let group = groups.iter_mut().find(|group| {
                group[0].zone == fault.zone && code(&group[0].flaw) == code(&fault.flaw)
            });
            match group {
                Some(group) => group.push(fault),
                None => groups.push(vec![fault]),
            }
        }
        groups.iter().map(|group| finding(group)).collect()
    }
}

const REJECTED: &str = "CAs reject every answer from it";

fn code(flaw: &DnssecFlaw) -> &'static str {
    match flaw {
        DnssecFlaw::NoKey => "dnssec-ds-without-key",
        DnssecFlaw::OtherKey => "dnssec-ds-mismatch",
        DnssecFlaw::Expired(..) => "dnssec-expired",
        DnssecFlaw::NotYet(..) => "dnssec-not-yet-valid",
        DnssecFlaw::Unsigned(_) => "dnssec-signature-missing",
        DnssecFlaw::Wrong(_) => "dnssec-bogus",
    }
}

/// `faults` are of one zone and one kind.
fn finding(faults: &[&DnssecFault]) -> Finding {
    let zone = &faults[0].zone;
    let flaw = &faults[0].flaw;
    let whats: Vec<&str> = faults
        .iter()
        .filter_map(|fault| what(&fault.flaw))
        .collect();
    let whats = whats.join(", ");
    let at = servers(faults);
    let (message, next) = match flaw {
        DnssecFlaw::NoKey => (
            format!(
                "the zone above has a DS record for {zone}, but the zone has no DNSKEY: \
                    {REJECTED}; seen at {at}"
            ),
            format!(
                "take the DS record out at the registrar, or have the zone signed again:  dig DS \
                    {zone}"
            ),
        ),
        DnssecFlaw::OtherKey => (
            format!("the DS record of {zone} is of none of its keys: {REJECTED}; seen at {at}"),
            format!(
                "put the DS record of the key in use in its place at the registrar:  dig DNSKEY \
                    {zone}"
            ),
        ),
        DnssecFlaw::Expired(_, until) => (
            format!(
                "DNSSEC signatures of {zone} were valid until {}: {REJECTED}; {whats}, seen at {at}",
                time(*until)
            ),
            "have the zone signed again where it is signed, and see why that stopped".to_owned(),
        ),
        DnssecFlaw::NotYet(_, from) => (
            format!(
                "DNSSEC signatures of {zone} are valid from {} only: {REJECTED}; {whats}, seen at \
                    {at}",
                time(*from)
            ),
            "set the clock of the machine that signs, and have the zone signed again".to_owned(),
        ),
        DnssecFlaw::Unsigned(_) => (
            format!(
                "{zone} is signed, but these records have no signature of its keys: {REJECTED}; \
                    {whats}, at {at}"
            ),
            "have the whole zone signed again where it is signed, and loaded at all its servers"
                .to_owned(),
        ),
        DnssecFlaw::Wrong(_) => (
            format!(
                "DNSSEC signatures of {zone} are not of these records: {REJECTED}; {whats}, seen \
                    at {at}"
            ),
            "have the zone signed again: it was changed after it was signed".to_owned(),
        ),
    };
    Finding::error(code(flaw), message).with_step(NextStep::say(next))
}

fn what(flaw: &DnssecFlaw) -> Option<&str> {
    match flaw {
        DnssecFlaw::NoKey | DnssecFlaw::OtherKey => None,
        DnssecFlaw::Expired(what, _)
        | DnssecFlaw::NotYet(what, _)
        | DnssecFlaw::Unsigned(what)
        | DnssecFlaw::Wrong(what) => Some(what),
    }
}

/// The servers that showed these faults, each once.
fn servers(faults: &[&DnssecFault]) -> String {
    let mut servers: Vec<&str> = Vec::new();
    for server in faults.iter().flat_map(|fault| &fault.servers) {
        if !servers.contains(&server.as_str()) {
            servers.push(server);
        }
    }
    servers.join(", ")
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
