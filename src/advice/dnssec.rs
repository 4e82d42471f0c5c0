//! Advice for DNSSEC signatures that do not validate.

use crate::dcv::dnssec::{DnssecFault, DnssecFlaw, DnssecState};
use crate::finding::{Finding, NextStep, shell_word};
use crate::wording::date_and_time;

/// One finding for each kind of flaw of a zone; none if nothing is wrong.
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

const REJECTED: &str = "CAs reject all answers from this zone";

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

/// The finding for `faults`, which are of one zone and one kind.
fn finding(faults: &[&DnssecFault]) -> Finding {
    let zone = &faults[0].zone;
    let flaw = &faults[0].flaw;
    let record_sets: Vec<&str> = faults
        .iter()
        .filter_map(|fault| record_set(&fault.flaw))
        .collect();
    let record_sets = record_sets.join(", ");
    let servers = servers(faults);
    let message = match flaw {
        DnssecFlaw::NoKey => {
            format!("the parent zone has a DS record for {zone}, but {zone} has no DNSKEY record")
        }
        DnssecFlaw::OtherKey => format!("the DS record of {zone} matches none of the zone's keys"),
        DnssecFlaw::Expired(_, until) => format!(
            "DNSSEC signatures of {zone} expired at {}: {record_sets}",
            date_and_time(*until)
        ),
        DnssecFlaw::NotYet(_, from) => format!(
            "DNSSEC signatures of {zone} are not valid before {}: {record_sets}",
            date_and_time(*from)
        ),
        DnssecFlaw::Unsigned(_) => format!(
            "{zone} is signed, but these records have no signature by its keys: {record_sets}"
        ),
        DnssecFlaw::Wrong(_) => {
            format!("DNSSEC signatures of {zone} do not match the records: {record_sets}")
        }
    };
    let message = format!("{message}; {REJECTED} (found at {servers})");
    Finding::error(code(flaw), message).with_step(repair(flaw, zone))
}

fn repair(flaw: &DnssecFlaw, zone: &str) -> NextStep {
    let zone = shell_word(zone);
    match flaw {
        DnssecFlaw::NoKey => NextStep::run_shell(
            "See the DS record, then delete it at the registrar or have the zone signed again",
            format!("dig DS {zone}"),
        ),
        DnssecFlaw::OtherKey => NextStep::run_shell(
            "See the zone's keys, then enter the DS record of the key in use at the registrar",
            format!("dig DNSKEY {zone}"),
        ),
        DnssecFlaw::Expired(..) => NextStep::say(
            "Have the zone signed again where it is signed, and find out why that stopped",
        ),
        DnssecFlaw::NotYet(..) => NextStep::say(
            "Correct the clock of the machine that signs the zone, and have it signed again",
        ),
        DnssecFlaw::Unsigned(_) => NextStep::say(
            "Have the whole zone signed again where it is signed, and reload it on all its servers",
        ),
        DnssecFlaw::Wrong(_) => NextStep::say(
            "Have the zone signed again: the records were changed after they were signed",
        ),
    }
}

/// The record set that a flaw is about.
fn record_set(flaw: &DnssecFlaw) -> Option<&str> {
    match flaw {
        DnssecFlaw::NoKey | DnssecFlaw::OtherKey => None,
        DnssecFlaw::Expired(record_set, _)
        | DnssecFlaw::NotYet(record_set, _)
        | DnssecFlaw::Unsigned(record_set)
        | DnssecFlaw::Wrong(record_set) => Some(record_set),
    }
}

/// The servers that showed these faults, without duplicates.
fn servers(faults: &[&DnssecFault]) -> String {
    let mut servers: Vec<&str> = Vec::new();
    for server in faults.iter().flat_map(|fault| &fault.servers) {
        if !servers.contains(&server.as_str()) {
            servers.push(server);
        }
    }
    servers.join(", ")
}
