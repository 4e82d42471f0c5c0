//! Queries the servers of a zone after a change, as `dcv-check` does: each address, twice, the second
//! time with repeated questions, so that servers behind one address that do not agree are noticed.

use std::rc::Rc;
use std::time::Duration;

use crate::dcv::answer::{
    DnsAnswer, DnsServerId, DnsSurvey, ServerRole, SurroundingAnswers, ZoneServerCoverage,
};
use crate::dcv::judge::{DcvVerdict, judge_record};
use crate::failure::{Failure, FailureKind};
use crate::publication::model::PublicationSettings;
use crate::publishing::zone_record::RecordLocation;
use crate::system::clock::{self, Stopwatch};
use crate::system::dns;
use crate::validation::expected::ExpectedRecord;
use crate::validation::record_check::{RecordCheck, check_records, summary};
use crate::wording::time_of_day;

/// Seconds between checks; the last value repeats.
const PAUSES: [u64; 6] = [1, 2, 3, 5, 8, 15];
/// The time between the first and the second check that see the record.
const BETWEEN: Duration = Duration::from_secs(1);

/// The last answers of the zone's servers.
#[derive(Debug)]
pub(crate) enum ZoneView {
    /// Every one of them has the record, each time.
    Everywhere(Vec<RecordCheck>),
    /// At least one does not have it, or not every time.
    Missing(Vec<RecordCheck>),
    /// None of them could be queried.
    Unknown(Vec<RecordCheck>),
}

/// Queries the zone's servers until all of them have the record, or the time is over. Then lets
/// `propagation` pass.
///
/// # Errors
/// A signal.
pub(super) fn await_record(
    settings: &PublicationSettings<'_>,
    record: &ExpectedRecord,
    location: &RecordLocation,
    propagation: Duration,
) -> Result<ZoneView, Failure> {
    let records = records_to_check(record, location);
    let watch = Stopwatch::start();
    let mut shown = String::new();
    let mut done = 0;
    loop {
        let checks = check_records(settings.context, &settings.resolvers, &records)?;
        if is_unknown(&checks) {
            return Ok(ZoneView::Unknown(checks));
        }
        let mut last = checks;
        if is_visible(&last) {
            wait(settings, BETWEEN)?;
            last = check_records(settings.context, &settings.resolvers, &records)?;
            if is_visible(&last) && agrees_repeatedly(settings, &last)? {
                wait(settings, propagation)?;
                return Ok(ZoneView::Everywhere(last));
            }
        }
        let left = settings.limit.saturating_sub(watch.elapsed());
        if left.is_zero() {
            return Ok(ZoneView::Missing(last));
        }
        show(settings, &last, &mut shown);
        wait(settings, pause_after(done).min(left))?;
        done += 1;
    }
}

/// Queries the zone's servers until none of them has the record, or the time is over. Calls
/// `remove_again` whenever one still has it. Returns the last check, and `None` once the record is
/// gone.
///
/// # Errors
/// A signal.
pub(super) fn await_absence(
    settings: &PublicationSettings<'_>,
    record: &ExpectedRecord,
    location: &RecordLocation,
    remove_again: &mut dyn FnMut(),
) -> Result<Option<Vec<RecordCheck>>, Failure> {
    let records = records_to_check(record, location);
    let watch = Stopwatch::start();
    let mut done = 0;
    loop {
        let checks = check_records(settings.context, &settings.resolvers, &records)?;
        if !is_unknown(&checks) && is_gone(&checks) {
            return Ok(None);
        }
        let left = settings.limit.saturating_sub(watch.elapsed());
        if left.is_zero() || is_unknown(&checks) {
            return Ok(Some(checks));
        }
        remove_again();
        wait(settings, pause_after(done).min(left))?;
        done += 1;
    }
}

/// The pause after a number of checks.
fn pause_after(checks: usize) -> Duration {
    let index = checks.min(PAUSES.len() - 1);
    Duration::from_secs(PAUSES[index])
}

/// The record at exactly its place, and if that is delegated, also where the CA looks for it.
fn records_to_check(record: &ExpectedRecord, location: &RecordLocation) -> Vec<ExpectedRecord> {
    let exact = record.expected.at_exactly(&location.name, &location.zone);
    let is_delegated = location.name != record.expected.record.name;
    let mut records = vec![ExpectedRecord {
        expected: Rc::new(exact),
        names: if is_delegated {
            Vec::new()
        } else {
            record.names.clone()
        },
        ..record.clone()
    }];
    if is_delegated {
        records.push(record.clone());
    }
    records
}

fn is_visible(checks: &[RecordCheck]) -> bool {
    checks
        .iter()
        .all(|check| check.judgement.verdict == DcvVerdict::Visible)
}

/// Returns whether no server of the zone answered anything.
fn is_unknown(checks: &[RecordCheck]) -> bool {
    checks.iter().any(|check| {
        let mut answers = check.judgement.server_judgements.iter();
        !answers.any(|one| is_of_zone(check, &one.server) && one.decisive_answer.is_answer())
    })
}

/// Returns whether every server of the zone that answers does not have the record.
fn is_gone(checks: &[RecordCheck]) -> bool {
    checks.iter().all(|check| {
        let judgements = check.judgement.server_judgements.iter();
        judgements
            .filter(|one| is_of_zone(check, &one.server))
            .all(|one| match one.verdict {
                DcvVerdict::Absent | DcvVerdict::Different => true,
                DcvVerdict::Unreachable => one.decisive_answer == DnsAnswer::NoRoute,
                DcvVerdict::Visible | DcvVerdict::Unchecked | DcvVerdict::WrongPlace => false,
            })
    })
}

/// Returns whether a server is one of the zone's own. Where only one given server is queried, that one
/// counts.
fn is_of_zone(check: &RecordCheck, server: &DnsServerId) -> bool {
    let judgements = check.judgement.server_judgements.iter();
    let has_own = judgements
        .clone()
        .any(|one| one.server.role == ServerRole::Authoritative);
    server.role == ServerRole::Authoritative || (!has_own && check.is_limited_to_resolvers)
}

/// Asks each server that has the record several times more.
fn agrees_repeatedly(
    settings: &PublicationSettings<'_>,
    checks: &[RecordCheck],
) -> Result<bool, Failure> {
    // The first check is about the place where the record was written.
    let Some(check) = checks.first() else {
        return Ok(false);
    };
    let mut servers = Vec::new();
    for one in &check.judgement.server_judgements {
        let is_reachable = one.decisive_answer != DnsAnswer::NoRoute;
        if is_reachable && is_of_zone(check, &one.server) {
            servers.push(one.server.clone());
        }
    }
    let record = &check.expected.record;
    let interrupt = &settings.context.interrupt;
    let server_answers = dns::query_repeatedly(&servers, &record.name, record.kind, interrupt)?;
    let survey = DnsSurvey {
        zone: Some(record.zone.clone()),
        zone_server_coverage: ZoneServerCoverage::NotRequested,
        server_answers,
        surroundings: SurroundingAnswers::default(),
    };
    Ok(judge_record(&check.expected, &survey).verdict == DcvVerdict::Visible)
}

/// Prints which servers do not have the record yet, if that has changed.
fn show(settings: &PublicationSettings<'_>, checks: &[RecordCheck], shown: &mut String) {
    let summary = summary(checks);
    if summary != *shown {
        let now = time_of_day(clock::now());
        let line = format!("{now}  {summary}");
        settings.context.sink.show_progress(&line);
        *shown = summary;
    }
}

/// Sleeps until `pause` is over or a signal arrives.
fn wait(settings: &PublicationSettings<'_>, pause: Duration) -> Result<(), Failure> {
    match clock::sleep_until_signal(pause, &settings.context.interrupt) {
        Some(signal) => Err(Failure::new(
            FailureKind::Interrupted(signal),
            "interrupted while the zone's servers were queried",
        )),
        None => Ok(()),
    }
}
