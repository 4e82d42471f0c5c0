//! Checks records once: queries the zone's servers and the resolvers, and judges each record as a CA
//! would see it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::advice;
use crate::context::Context;
use crate::dcv::answer::{DnsAnswer, DnsSurvey, ServerRole, ZoneServerCoverage};
use crate::dcv::ca::Ca;
use crate::dcv::caa::CaaAnswers;
use crate::dcv::expectation::{ExpectationSource, ExpectedAnswer};
use crate::dcv::judge::{DcvVerdict, RecordJudgement, ServerJudgement, judge_record};
use crate::dcv::record::DcvRecord;
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::report::{Label, TextOutput};
use crate::system::dns::{self, RecordQuery, ResolverList};
use crate::validation::expected::ExpectedRecord;
use crate::validation::zone_health::{self, ZoneHealth};

/// The check of one record.
#[derive(Clone, Debug)]
pub(crate) struct RecordCheck {
    /// The request's file as it is printed; empty for a record without a request.
    pub request: String,
    /// The CA, if one is known.
    pub ca: Option<Ca>,
    /// What would satisfy the CA.
    pub expected: Rc<ExpectedAnswer>,
    /// The verdict with each server's answer.
    pub judgement: RecordJudgement,
    /// The state of DNSSEC, CAA and the zone's servers.
    pub zone_health: ZoneHealth,
    /// Whether only the given resolvers were to be queried, and not the zone's own servers.
    pub is_limited_to_resolvers: bool,
}

/// Checks all records once.
pub(crate) fn check_records(
    context: &Context,
    resolvers: &ResolverList,
    records: &[ExpectedRecord],
) -> Result<Vec<RecordCheck>, Failure> {
    let queries: Vec<RecordQuery> = records.iter().map(record_query).collect();
    let surveys = dns::survey(&queries, resolvers, &context.interrupt)?;
    // Where no server answers, no further queries are sent.
    let names: Vec<String> = records
        .iter()
        .zip(&surveys)
        .filter(|(_, survey)| has_answer(survey))
        .flat_map(|(record, _)| record.names.iter().cloned())
        .collect();
    let caa = dns::caa(&names, resolvers, &context.interrupt)?;
    Ok(judge_surveys(context.now(), records, surveys, &caa))
}

fn has_answer(survey: &DnsSurvey) -> bool {
    survey
        .server_answers
        .iter()
        .flat_map(|server| &server.answers)
        .any(|query| query.answer.is_answer())
}

/// Returns the DNS query for a record.
pub(crate) fn record_query(record: &ExpectedRecord) -> RecordQuery {
    let expected = &record.expected;
    let mut names = Vec::new();
    for (_, name) in expected.names_to_query(None) {
        names.push(name.into_owned());
    }
    RecordQuery {
        domain: expected.domain.clone(),
        registrable_domain: expected.registrable_domain(),
        kind: expected.record.kind,
        names,
        values: expected.values.clone(),
    }
}

/// Judges the answers about each record; `caa` contains the CAA records of all names.
pub(crate) fn judge_surveys(
    now: Timestamp,
    records: &[ExpectedRecord],
    surveys: Vec<DnsSurvey>,
    caa: &HashMap<String, CaaAnswers>,
) -> Vec<RecordCheck> {
    let mut checks = Vec::with_capacity(records.len());
    for (record, survey) in records.iter().zip(surveys) {
        let mut expected = Rc::clone(&record.expected);
        if let Some(zone) = &survey.zone {
            Rc::make_mut(&mut expected).set_zone(zone);
        }
        let mut judgement: RecordJudgement = judge_record(&expected, &survey);
        let zone_health = ZoneHealth::judge(&mut judgement, &survey, record, caa, now);
        checks.push(RecordCheck {
            request: record.request.clone(),
            ca: record.ca,
            expected,
            judgement,
            zone_health,
            is_limited_to_resolvers: survey.zone_server_coverage
                == ZoneServerCoverage::NotRequested,
        });
    }
    checks
}

/// Ranks a judgement: 0 visible, 1 no server answered, 2 not visible. The highest decides (product
/// contract, "dcv-check").
pub(crate) fn severity(judgement: &RecordJudgement) -> u8 {
    match judgement.verdict {
        DcvVerdict::Visible => 0,
        DcvVerdict::Unreachable if !judgement.answered => 1,
        _ => 2,
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct RecordDocument<'a> {
    #[serde(flatten)]
    record: &'a DcvRecord,
    request: Option<&'a str>,
    verdict: &'static str,
    dnssec: &'static str,
    caa: Vec<Value>,
    servers: Vec<ServerDocument<'a>>,
}

#[derive(Debug, Serialize)]
struct ServerDocument<'a> {
    address: Option<SocketAddr>,
    name: Option<&'a str>,
    role: &'static str,
    answer: &'static str,
    verdict: &'static str,
    at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<&'a [String]>,
}

impl RecordCheck {
    /// Returns the names of the zone's own servers.
    pub(crate) fn zone_servers(&self) -> impl Iterator<Item = &str> {
        let judgements = self.judgement.server_judgements.iter();
        judgements.filter_map(|one| {
            let is_own = one.server.role == ServerRole::Authoritative;
            one.server.name.as_deref().filter(|_| is_own)
        })
    }

    /// Whether the reseller's record is needed to compare the answers with.
    pub(crate) fn needs_reseller_record(&self) -> bool {
        self.expected.source == ExpectationSource::Unknown
            || self.judgement.verdict == DcvVerdict::Unchecked
    }

    pub(crate) fn findings(&self) -> Vec<Finding> {
        let reasons = self.judgement.reasons.iter().map(Finding::from);
        let mut findings: Vec<Finding> = reasons
            .filter_map(|finding| self.zone_health.explain(finding))
            .collect();
        findings.extend(self.zone_health.findings.iter().cloned());
        let unconfirmed_ca = self
            .ca
            .filter(|_| self.expected.source != ExpectationSource::Reseller);
        findings.extend(unconfirmed_ca.and_then(advice::dcv::not_confirmed));
        findings
    }

    /// Returns the errors that waiting does not fix: mistakes in the record, and what keeps the CA from
    /// issuing although it sees the record.
    pub(crate) fn lasting_errors(&self) -> Vec<Finding> {
        let reasons = self.judgement.reasons.iter();
        let mistakes = reasons.filter(|reason| reason.needs_change());
        let mut errors: Vec<Finding> = mistakes.map(Finding::from).collect();
        errors.retain(|finding| finding.severity == Severity::Error);
        errors.extend(self.zone_health.errors().cloned());
        errors
    }

    pub(crate) fn document(&self) -> RecordDocument<'_> {
        RecordDocument {
            record: &self.expected.record,
            request: (!self.request.is_empty()).then_some(&self.request),
            verdict: self.judgement.verdict.word(),
            dnssec: self.zone_health.dnssec.word(),
            caa: self
                .zone_health
                .caa
                .iter()
                .map(zone_health::ruling_json)
                .collect(),
            servers: self
                .judgement
                .server_judgements
                .iter()
                .map(server_document)
                .collect(),
        }
    }

    /// Prints what each server answered, the record, and the result.
    pub(crate) fn print(&self, text: &mut TextOutput) {
        let servers = &self.judgement.server_judgements;
        let is_visible = servers.iter().any(|one| one.verdict == DcvVerdict::Visible);
        let is_absent = self.judgement.verdict == DcvVerdict::Absent && !is_visible;
        if !is_absent {
            let kind = if is_visible { "validation" } else { "expected" };
            let line = format!("{kind} record in zone {}:", self.expected.record.zone);
            text.add(Label::Found, line);
            self.add_record(text);
        }
        match servers_by_answer(servers).as_slice() {
            // The finding lists the servers.
            [(answer, _)] if is_absent => {
                let subject = match servers.len() {
                    1 => "it says",
                    _ => "all of them say",
                };
                text.add(Label::Note, format!("{subject}: {answer}"));
            }
            _ => self.print_answers(text),
        }
        if is_absent {
            self.print_missing(text);
        }
        if self.judgement.verdict == DcvVerdict::Visible {
            let zone_health = self.zone_health.in_words();
            let visible = "the record is visible at all servers that were queried";
            if self.zone_health.errors().next().is_some() {
                text.add(Label::Found, format!("{visible}{zone_health}"));
            } else {
                let line = format!("{visible}, so the CA would see it now{zone_health}");
                text.add(Label::Done, line);
            }
        }
    }

    /// Prints the record that is to be published.
    pub(crate) fn print_missing(&self, text: &mut TextOutput) {
        text.add(Label::Next, self.publish_sentence());
        self.add_record(text);
    }

    /// Adds type, host and value, as a DNS provider's console asks for them.
    fn add_record(&self, text: &mut TextOutput) {
        let record = &self.expected.record;
        let value = record.value.as_deref().or(record.shape.as_deref());
        let fields = [
            ("Type", record.kind.word()),
            ("Host", &record.relative_name),
            ("Value", value.unwrap_or_default()),
        ];
        let known = if value.is_some() { 3 } else { 2 };
        text.add_fields(&fields[..known]);
    }

    /// Prints what each server answered.
    pub(crate) fn print_answers(&self, text: &mut TextOutput) {
        for (answer, servers) in servers_by_answer(&self.judgement.server_judgements) {
            text.add(Label::Found, format!("{answer}: {}", servers.join(", ")));
        }
    }

    /// Returns what each server answered, as in the document of `dcv-check`.
    pub(crate) fn server_documents(&self) -> Vec<Value> {
        let judgements = self.judgement.server_judgements.iter();
        judgements
            .map(|one| serde_json::to_value(server_document(one)).unwrap_or_default())
            .collect()
    }

    /// Says where to add the record, which follows.
    fn publish_sentence(&self) -> String {
        let record = &self.expected.record;
        let zone = &record.zone;
        let sentence = format!("Add this record in the DNS provider's console for {zone}");
        if record.value.is_some() {
            return format!("{sentence}:");
        }
        let ca = self.ca.map_or("the CA", Ca::title);
        format!("{sentence}; {ca} shows its complete value:")
    }
}

fn server_document(one: &ServerJudgement) -> ServerDocument<'_> {
    let (value, values) = match &one.decisive_answer {
        DnsAnswer::Cname(value) => (Some(value.as_str()), None),
        DnsAnswer::Txt(values) => (None, Some(values.as_slice())),
        _ => (None, None),
    };
    ServerDocument {
        address: one.server.address,
        name: one.server.name.as_deref(),
        role: one.server.role.word(),
        answer: one.decisive_answer.word(),
        verdict: one.verdict.word(),
        at: &one.decisive_name,
        value,
        values,
    }
}

/// Describes the answer of a server.
pub(crate) fn answer_in_words(judgement: &ServerJudgement) -> String {
    match judgement.verdict {
        DcvVerdict::Visible => "visible".to_owned(),
        DcvVerdict::Unchecked => "found, but its unique value was not checked".to_owned(),
        DcvVerdict::Different => "another value".to_owned(),
        DcvVerdict::WrongPlace => format!("found at another name ({})", judgement.decisive_name),
        DcvVerdict::Absent | DcvVerdict::Unreachable => {
            missing_in_words(&judgement.decisive_answer)
        }
    }
}

fn missing_in_words(answer: &DnsAnswer) -> String {
    let words = match answer {
        DnsAnswer::Failed(reason) => return format!("no answer ({reason})"),
        DnsAnswer::NoName(_) => "absent (NXDOMAIN: the name does not exist)",
        DnsAnswer::NoData(_) => "absent (NODATA: the name has only other types of record)",
        DnsAnswer::Cname(_) | DnsAnswer::Txt(_) | DnsAnswer::Addresses(_) | DnsAnswer::Mx(_) => {
            "absent"
        }
        DnsAnswer::Cnames(_) => "several CNAME records",
        DnsAnswer::Bogus => "rejected, because its DNSSEC signatures are invalid",
        DnsAnswer::Lame => "not authoritative for the zone",
        DnsAnswer::Refused => "REFUSED",
        DnsAnswer::ServFail => "SERVFAIL",
        DnsAnswer::NoTcp => "truncated over UDP, no answer over TCP",
        DnsAnswer::Timeout => "no usable answer within the time limit",
        DnsAnswer::Closed => "not listening",
        DnsAnswer::NoAddress => "not queried, because its address was not found",
        DnsAnswer::NoRoute => "not queried, because it is unreachable from this machine",
    };
    words.to_owned()
}

/// Groups the servers by what they answered: `visible` with the servers that have the record.
fn servers_by_answer(judgements: &[ServerJudgement]) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for judgement in judgements {
        let answer = answer_in_words(judgement);
        let server = judgement.server.to_string();
        match groups.iter_mut().find(|(known, _)| *known == answer) {
            Some((_, servers)) => servers.push(server),
            None => groups.push((answer, vec![server])),
        }
    }
    groups
}

/// Groups the servers by verdict, in one line: `absent at a, b; visible at c`.
pub(crate) fn summary(checks: &[RecordCheck]) -> String {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for one in checks
        .iter()
        .flat_map(|check| &check.judgement.server_judgements)
    {
        if one.decisive_answer == DnsAnswer::NoRoute {
            continue;
        }
        let verdict = one.verdict.word();
        let server = server_name(one);
        match groups.iter_mut().find(|(word, _)| *word == verdict) {
            Some((_, servers)) if servers.contains(&server) => {}
            Some((_, servers)) => servers.push(server),
            None => groups.push((verdict, vec![server])),
        }
    }
    if groups.is_empty() {
        return "no server is reachable from this machine".to_owned();
    }
    let lines: Vec<String> = groups
        .iter()
        .map(|(verdict, servers)| format!("{verdict} at {}", servers.join(", ")))
        .collect();
    lines.join("; ")
}

/// Returns the name of the server, or its address if it has no name.
fn server_name(judgement: &ServerJudgement) -> String {
    let server = &judgement.server;
    server.name.clone().unwrap_or_else(|| server.to_string())
}
