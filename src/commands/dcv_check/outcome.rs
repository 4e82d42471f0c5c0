//! The outcome of `dcv-check`, as text and as JSON.

use std::net::SocketAddr;
use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;

use crate::advice::{self, dcv_check_command};
use crate::commands::dcv_check::select::ChosenRecords;
use crate::commands::dcv_check::zone_health::{self, ZoneHealth};
use crate::context::Context;
use crate::dcv::answer::DnsAnswer;
use crate::dcv::ca::Ca;
use crate::dcv::expectation::{ExpectationSource, ExpectedAnswer};
use crate::dcv::judge::{DcvVerdict, RecordJudgement, ServerJudgement};
use crate::dcv::record::DcvRecord;
use crate::finding::{Finding, NextStep, Severity};
use crate::report::{Label, Outcome, TextOutput};

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
}

/// The outcome of `dcv-check`.
#[derive(Debug)]
pub(crate) struct DcvCheckOutcome {
    /// The worst verdict of all records.
    pub verdict: DcvVerdict,
    /// One check for each record.
    pub checks: Vec<RecordCheck>,
    /// The findings about all records, without duplicates.
    pub findings: Vec<Finding>,
    /// Whether a `.dcv` file was written.
    pub changed: bool,
    /// The requests that a given record belongs to.
    matched: Vec<String>,
    /// The `.dcv` files that were written.
    written: Vec<String>,
    commands: FollowUpCommands,
    announced: bool,
}

/// The command lines for next steps; the same for all records of one run.
#[derive(Clone, Debug)]
pub(super) struct FollowUpCommands {
    /// The words of the command line that waits.
    wait: Rc<[String]>,
    /// The words of the command line that installs.
    install: Rc<[String]>,
}

impl FollowUpCommands {
    pub(super) fn new(context: &Context, wait_command: Vec<String>) -> Self {
        Self {
            wait: wait_command.into(),
            install: context.command_words("install").into(),
        }
    }

    /// Returns the same with another command line that waits.
    pub(super) fn with_wait_command(&self, wait_command: Vec<String>) -> Self {
        Self {
            wait: wait_command.into(),
            install: Rc::clone(&self.install),
        }
    }
}

impl DcvCheckOutcome {
    pub(super) fn new(chosen: &ChosenRecords, commands: FollowUpCommands) -> Self {
        Self {
            verdict: DcvVerdict::Unreachable,
            checks: Vec::new(),
            findings: Vec::new(),
            changed: !chosen.written.is_empty(),
            matched: chosen.matched.clone(),
            written: chosen
                .written
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            commands,
            announced: false,
        }
    }

    /// Returns an empty outcome for one line of a list.
    pub(super) fn without_request(commands: FollowUpCommands) -> Self {
        Self::new(&ChosenRecords::default(), commands)
    }

    /// Adds the checks and all findings; `strays` are those about records that belong to no request.
    pub(super) fn conclude(&mut self, checks: Vec<RecordCheck>, strays: &[Finding]) {
        let worst = checks
            .iter()
            .max_by_key(|check| (severity(&check.judgement), check.judgement.verdict));
        self.verdict = worst.map_or(DcvVerdict::Unreachable, |check| check.judgement.verdict);
        if !strays.is_empty() {
            // A stray record was not compared with anything.
            self.verdict = self.verdict.max(DcvVerdict::Unchecked);
        }
        self.findings = strays.to_vec();
        for finding in checks.iter().flat_map(RecordCheck::findings) {
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
        self.checks = checks;
    }

    /// Prints which request the given records belong to, before the wait begins.
    pub(super) fn announce(&mut self, context: &Context) {
        self.announced = true;
        for line in self.matches_in_words() {
            context.sink.show_progress(&line);
        }
    }

    /// Says which request each given record belongs to, without duplicates.
    fn matches_in_words(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for request in &self.matched {
            let stem = request.strip_suffix("csr");
            let written = self
                .written
                .iter()
                .find(|path| path.strip_suffix("dcv") == stem);
            let line = match written {
                Some(path) => format!("the record belongs to {request}; saved in {path}"),
                None => format!("the record belongs to {request}"),
            };
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    fn next(&self) -> Vec<NextStep> {
        if self.exit_code() == 0 {
            let ca = self.checks.iter().find_map(|check| check.ca);
            let ca = ca.map_or("the CA", Ca::title);
            let install = &self.commands.install;
            return vec![dcv_check_command::install_after_record_check(ca, install)];
        }
        if self.checks.iter().any(RecordCheck::needs_reseller_record) {
            return vec![dcv_check_command::check_again_with_record(
                &self.commands.wait,
            )];
        }
        vec![dcv_check_command::check_again(&self.commands.wait)]
    }
}

/// Ranks a judgement: 0 visible, 1 no server answered, 2 not visible. The highest decides (product
/// contract, "dcv-check").
fn severity(judgement: &RecordJudgement) -> u8 {
    match judgement.verdict {
        DcvVerdict::Visible => 0,
        DcvVerdict::Unreachable if !judgement.answered => 1,
        _ => 2,
    }
}

/// Groups the servers by verdict, in one line: `absent at a, b; visible at c`.
pub(super) fn summary(checks: &[RecordCheck]) -> String {
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

/// Returns the name of the server, or its address if it has no name.
fn server_name(judgement: &ServerJudgement) -> String {
    let server = &judgement.server;
    server.name.clone().unwrap_or_else(|| server.to_string())
}

/// The JSON document of `dcv-check`.
#[derive(Debug, Serialize)]
pub(super) struct DcvDocument<'a> {
    schema: &'static str,
    verdict: &'static str,
    changed: bool,
    records: Vec<RecordDocument<'a>>,
    findings: &'a [Finding],
    next: Vec<NextStep>,
}

#[derive(Debug, Serialize)]
struct RecordDocument<'a> {
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

impl DcvCheckOutcome {
    /// Returns one line for people, without rendering the text: the first error, else the verdict.
    pub(super) fn comment(&self) -> &str {
        let mut findings = self.findings.iter();
        let error = findings.find(|finding| finding.severity == Severity::Error);
        error.map_or_else(|| self.verdict.comment(), |error| error.message.as_str())
    }

    pub(super) fn document(&self) -> DcvDocument<'_> {
        DcvDocument {
            schema: "certctl.dcv-check/1",
            verdict: self.verdict.word(),
            changed: self.changed,
            records: self.checks.iter().map(RecordCheck::document).collect(),
            findings: &self.findings,
            next: self.next(),
        }
    }
}

impl Outcome for DcvCheckOutcome {
    fn json(&self) -> Value {
        // Only a map with keys that are not strings could fail, and there is none.
        serde_json::to_value(self.document()).unwrap_or_default()
    }

    fn human(&self, text: &mut TextOutput) {
        if !self.announced {
            for line in self.matches_in_words() {
                text.add(Label::Found, line);
            }
        }
        let has_error = has_error(&self.findings);
        if has_error {
            text.add_findings(&self.findings);
        }
        for check in &self.checks {
            check.print(text);
        }
        if !has_error {
            text.add_findings(&self.findings);
        }
        text.add_next_steps(&self.next());
    }

    fn exit_code(&self) -> u8 {
        let has_error = has_error(&self.findings);
        let worst = self
            .checks
            .iter()
            .map(|check| severity(&check.judgement))
            .max();
        match worst {
            Some(0) if !has_error && self.verdict == DcvVerdict::Visible => 0,
            Some(1) if self.verdict == DcvVerdict::Unreachable => 4,
            _ => 1,
        }
    }
}

pub(super) fn has_error(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity == Severity::Error)
}

impl RecordCheck {
    /// Whether the reseller's record is needed to compare the answers with.
    fn needs_reseller_record(&self) -> bool {
        self.expected.source == ExpectationSource::Unknown
            || self.judgement.verdict == DcvVerdict::Unchecked
    }

    fn findings(&self) -> Vec<Finding> {
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

    fn document(&self) -> RecordDocument<'_> {
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
    fn print(&self, text: &mut TextOutput) {
        let servers = &self.judgement.server_judgements;
        let is_visible = servers.iter().any(|one| one.verdict == DcvVerdict::Visible);
        let is_absent = self.judgement.verdict == DcvVerdict::Absent && !is_visible;
        if !is_absent {
            let kind = if is_visible { "validation" } else { "expected" };
            let line = format!("{kind} record in zone {}:", self.expected.record.zone);
            text.add(Label::Found, line);
            self.add_record(text);
        }
        for (answer, servers) in servers_by_answer(servers) {
            text.add(Label::Found, format!("{answer}: {}", servers.join(", ")));
        }
        if is_absent {
            text.add(Label::Next, self.publish_sentence());
            self.add_record(text);
        }
        if self.judgement.verdict == DcvVerdict::Visible {
            let zone_health = self.zone_health.in_words();
            let line = format!(
                "the record is visible at all servers that were queried, so the CA would see it \
                    now{zone_health}"
            );
            text.add(Label::Done, line);
        }
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
pub(super) fn answer_in_words(judgement: &ServerJudgement) -> String {
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
