//! What `dcv-check` ends with, as text and as JSON.

use std::net::SocketAddr;
use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;

use crate::advice;
use crate::commands::dcv_check::select::ChosenRecords;
use crate::commands::dcv_check::zone_health::{self, ZoneHealth};
use crate::context::Context;
use crate::dcv::answer::DnsAnswer;
use crate::dcv::ca::Ca;
use crate::dcv::expectation::{ExpectationSource, ExpectedAnswer};
use crate::dcv::judge::{DcvVerdict, RecordJudgement, ServerJudgement};
use crate::dcv::record::DcvRecord;
use crate::finding::{Finding, NextStep, Severity};
use crate::report::{Outcome, TextOutput};

/// One record, and what servers say of it.
#[derive(Clone, Debug)]
pub(crate) struct RecordCheck {
    /// The request's file, as people read it; empty where a record alone was given.
    pub request: String,
    /// The CA, if one is known.
    pub ca: Option<Ca>,
    /// What would satisfy the CA.
    pub expected: Rc<ExpectedAnswer>,
    /// What it comes to.
    pub judgement: RecordJudgement,
    /// What was found around it.
    pub around: ZoneHealth,
}

/// What `dcv-check` ends with.
#[derive(Debug)]
pub(crate) struct DcvCheckOutcome {
    /// The worst of all records.
    pub verdict: DcvVerdict,
    /// One for each record.
    pub checks: Vec<RecordCheck>,
    /// Why, and what to do; each once.
    pub findings: Vec<Finding>,
    /// Whether a `.dcv` file was written.
    pub changed: bool,
    /// The requests that a record given belongs to, and the files that it was kept in.
    matched: Vec<String>,
    kept: Vec<String>,
    lines: NextLines,
    announced: bool,
}

/// The command lines to go on with; the same for all that one run ends with.
#[derive(Clone, Debug)]
pub(super) struct NextLines {
    /// The words of the one to wait with.
    again: Rc<[String]>,
    /// The one to install with, but for the file.
    install: Rc<str>,
}

impl NextLines {
    /// `again`: the words of the one to wait with.
    pub(super) fn new(context: &Context, again: Vec<String>) -> Self {
        Self {
            again: again.into(),
            install: NextStep::run(&context.again("install")).text.into(),
        }
    }

    /// The same but for the words to wait with.
    pub(super) fn waiting_with(&self, again: Vec<String>) -> Self {
        Self {
            again: again.into(),
            install: Rc::clone(&self.install),
        }
    }
}

impl DcvCheckOutcome {
    pub(super) fn new(chosen: &ChosenRecords, lines: NextLines) -> Self {
        Self {
            verdict: DcvVerdict::Unreachable,
            checks: Vec::new(),
            findings: Vec::new(),
            changed: !chosen.kept.is_empty(),
            matched: chosen.matched.clone(),
            kept: chosen
                .kept
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            lines,
            announced: false,
        }
    }

    /// The same for one line of a list.
    pub(super) fn of_line(lines: NextLines) -> Self {
        let none = ChosenRecords {
            selected: Vec::new(),
            strays: Vec::new(),
            kept: Vec::new(),
            matched: Vec::new(),
        };
        Self::new(&none, lines)
    }

    pub(super) fn conclude(&mut self, checks: Vec<RecordCheck>, strays: &[Finding]) {
        let worst = checks
            .iter()
            .max_by_key(|check| (severity(&check.judgement), check.judgement.verdict));
        self.verdict = worst.map_or(DcvVerdict::Unreachable, |check| check.judgement.verdict);
        if !strays.is_empty() {
            // A record that belongs to nothing here was not compared with anything.
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

    /// The head of the report, said before the wait begins.
    pub(super) fn announce(&mut self, context: &Context) {
        self.announced = true;
        for line in self.belongs() {
            context.sink.event(&line);
        }
    }

    fn belongs(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for request in &self.matched {
            let kept = self
                .kept
                .iter()
                .find(|kept| kept.strip_suffix("dcv") == request.strip_suffix("csr"));
            let line = match kept {
                Some(kept) => format!("the record belongs to {request}; kept in {kept}"),
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
            let shop = self
                .checks
                .iter()
                .find_map(|check| check.ca)
                .map_or("the shop", Ca::title);
            let install = &self.lines.install;
            return vec![NextStep::say(format!(
                "press Retry at {shop}; leave the record there. When the zip has come:  sudo \
                    {install} FILE.zip"
            ))];
        }
        let mut again = self.lines.again.to_vec();
        let unknown = |check: &RecordCheck| {
            check.expected.source == ExpectationSource::Nowhere
                || check.judgement.verdict == DcvVerdict::Unchecked
        };
        if self.checks.iter().any(unknown) {
            again.extend(["--record".to_owned(), "-".to_owned()]);
        }
        vec![NextStep::run(&again)]
    }
}

/// 0 visible, 1 nobody answered, 2 judged not visible: the last counts more (product contract,
/// "dcv-check").
fn severity(judgement: &RecordJudgement) -> u8 {
    match judgement.verdict {
        DcvVerdict::Visible => 0,
        DcvVerdict::Unreachable if !judgement.answered => 1,
        _ => 2,
    }
}

/// One line on where all records stand: `absent at a, b; visible at c`.
pub(super) fn summary(checks: &[RecordCheck]) -> String {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for one in checks.iter().flat_map(|check| &check.judgement.standings) {
        if one.answer == DnsAnswer::NoRoute {
            continue;
        }
        let server = one
            .server
            .name
            .clone()
            .unwrap_or_else(|| one.server.to_string());
        match groups
            .iter_mut()
            .find(|(word, _)| *word == one.verdict.word())
        {
            Some((_, servers)) if servers.contains(&server) => {}
            Some((_, servers)) => servers.push(server),
            None => groups.push((one.verdict.word(), vec![server])),
        }
    }
    if groups.is_empty() {
        return "nobody was asked: no way there from here".to_owned();
    }
    let lines: Vec<String> = groups
        .iter()
        .map(|(word, servers)| format!("{word} at {}", servers.join(", ")))
        .collect();
    lines.join("; ")
}

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
        // Only a map with keys that are no text could fail, and there is none.
        serde_json::to_value(self.document()).unwrap_or_default()
    }

    fn human(&self, text: &mut TextOutput) {
        if !self.announced {
            for line in self.belongs() {
                text.fact("ok", line);
            }
        }
        for check in &self.checks {
            check.human(text);
        }
        text.findings(&self.findings);
        text.nexts(&self.next());
    }

    fn exit_code(&self) -> u8 {
        let wrong = self
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        match self
            .checks
            .iter()
            .map(|check| severity(&check.judgement))
            .max()
        {
            Some(0) if !wrong && self.verdict == DcvVerdict::Visible => 0,
            Some(1) if self.verdict == DcvVerdict::Unreachable => 4,
            _ => 1,
        }
    }
}

impl RecordCheck {
    fn findings(&self) -> Vec<Finding> {
        let reasons = self.judgement.reasons.iter().map(Finding::from);
        let mut findings: Vec<Finding> = reasons
            .filter_map(|finding| self.around.explain(finding))
            .collect();
        findings.extend(self.around.findings.iter().cloned());
        let guessed = self
            .ca
            .filter(|_| self.expected.source != ExpectationSource::Shop);
        findings.extend(guessed.and_then(advice::dcv::not_confirmed));
        findings
    }

    fn document(&self) -> RecordDocument<'_> {
        RecordDocument {
            record: &self.expected.record,
            request: (!self.request.is_empty()).then_some(&self.request),
            verdict: self.judgement.verdict.word(),
            dnssec: self.around.dnssec.word(),
            caa: self
                .around
                .caa
                .iter()
                .map(zone_health::ruling_json)
                .collect(),
            servers: self
                .judgement
                .standings
                .iter()
                .map(server_document)
                .collect(),
        }
    }

    fn human(&self, text: &mut TextOutput) {
        let record = &self.expected.record;
        let there = |one: &ServerJudgement| one.verdict == DcvVerdict::Visible;
        if self.judgement.standings.iter().any(there) {
            let value = record.value.as_deref().unwrap_or_default();
            text.fact(
                "record",
                format!("{} {} {value}", record.name, record.kind.word()),
            );
        } else {
            text.act("add", self.entry());
        }
        let width = self
            .judgement
            .standings
            .iter()
            .map(|one| one.server.to_string().len())
            .max()
            .unwrap_or(0);
        for one in &self.judgement.standings {
            text.fact(
                "says",
                format!("{:width$}  {}", one.server.to_string(), says(one)),
            );
        }
        if self.judgement.verdict == DcvVerdict::Visible {
            let fine = self.around.fine();
            text.fact(
                "ok",
                format!("visible at all servers that were asked: the CA would see it now{fine}"),
            );
        }
    }

    /// What to type in the DNS provider's panel.
    fn entry(&self) -> String {
        let record = &self.expected.record;
        let at = format!(
            "in the panel of {}:  {} | host {}",
            record.zone,
            record.kind.word(),
            record.relative_name
        );
        match (&record.value, &record.shape) {
            (Some(value), _) => format!("{at} | value {value}"),
            (None, Some(shape)) => format!("{at} | the value that the shop shows: {shape}"),
            (None, None) => at,
        }
    }
}

fn server_document(one: &ServerJudgement) -> ServerDocument<'_> {
    let (value, values) = match &one.answer {
        DnsAnswer::Cname(value) => (Some(value.as_str()), None),
        DnsAnswer::Txt(values) => (None, Some(values.as_slice())),
        _ => (None, None),
    };
    ServerDocument {
        address: one.server.address,
        name: one.server.name.as_deref(),
        role: one.server.role.word(),
        answer: one.answer.word(),
        verdict: one.verdict.word(),
        at: &one.at,
        value,
        values,
    }
}

pub(super) fn says(one: &ServerJudgement) -> String {
    match (one.verdict, &one.answer) {
        (DcvVerdict::Visible, _) => "visible".to_owned(),
        (DcvVerdict::Unchecked, _) => "there, its unique value unchecked".to_owned(),
        (DcvVerdict::Different, _) => "another value".to_owned(),
        (DcvVerdict::WrongPlace, _) => format!("at another name: {}", one.at),
        (_, DnsAnswer::NoName(_)) => "absent (NXDOMAIN: nothing of that name)".to_owned(),
        (_, DnsAnswer::NoData(_)) => {
            "absent (NODATA: the name is there, with other types of record)".to_owned()
        }
        (
            _,
            DnsAnswer::Cname(_) | DnsAnswer::Txt(_) | DnsAnswer::Addresses(_) | DnsAnswer::Mx(_),
        ) => "absent".to_owned(),
        (_, DnsAnswer::Bogus) => "bogus: its DNSSEC signatures do not hold".to_owned(),
        (_, DnsAnswer::Lame) => "does not answer for the zone".to_owned(),
        (_, DnsAnswer::Refused) => "REFUSED".to_owned(),
        (_, DnsAnswer::ServFail) => "SERVFAIL".to_owned(),
        (_, DnsAnswer::Failed(reason)) => format!("no answer ({reason})"),
        (_, DnsAnswer::NoTcp) => "cut short by UDP, nothing by TCP".to_owned(),
        (_, DnsAnswer::Timeout) => "no usable answer in time".to_owned(),
        (_, DnsAnswer::Closed) => "nobody listens there".to_owned(),
        (_, DnsAnswer::NoAddress) => "not asked: no address was found for its name".to_owned(),
        (_, DnsAnswer::NoRoute) => "not asked: no way there from here".to_owned(),
    }
}
