//! What `renew` ends with, as text and as JSON.

use serde_json::{Value, json};

use super::round::{PreparedRequest, RenewalAttempt, RenewalFiles, RenewalResult};
use crate::commands::renew::select::NotYetDue;
use crate::dcv::ca::Ca;
use crate::dcv::record::DcvRecord;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep};
use crate::inventory::reason::day;
use crate::inventory::schedule::{PaymentCoverage, ValidationMethod};
use crate::report::{Outcome, TextOutput, shown};

/// What `renew` ends with.
#[derive(Debug)]
pub(crate) struct RenewOutcome {
    rounds: Vec<RenewalAttempt>,
    /// Certificates that have time.
    waiting: NotYetDue,
    /// What could not be looked at or prepared.
    findings: Vec<Finding>,
    exit_code: u8,
}

impl RenewOutcome {
    pub(super) fn new(
        rounds: Vec<RenewalAttempt>,
        failures: Vec<(String, Failure)>,
        waiting: NotYetDue,
        mut findings: Vec<Finding>,
    ) -> Self {
        // What could not be looked at may be due.
        let exit_code = u8::from(!failures.is_empty() || !findings.is_empty());
        findings.extend(
            failures
                .into_iter()
                .map(|(name, failure)| not_prepared(&name, failure)),
        );
        Self {
            rounds,
            waiting,
            findings,
            exit_code,
        }
    }

    fn verdict(&self) -> &'static str {
        if self.rounds.is_empty() {
            "nothing-due"
        } else {
            "prepared"
        }
    }
}

/// A certificate whose next round could not be prepared, while that of others was.
fn not_prepared(name: &str, failure: Failure) -> Finding {
    let causes = std::iter::once(failure.message)
        .chain(failure.causes)
        .collect::<Vec<_>>()
        .join(": ");
    let finding = Finding::error("request-not-prepared", format!("{name}: {causes}"));
    failure.next.into_iter().fold(finding, Finding::with)
}

impl Outcome for RenewOutcome {
    fn json(&self) -> Value {
        let made = |round: &RenewalAttempt| matches!(&round.came, RenewalResult::Prepared(prepared) if prepared.made);
        let findings: Vec<&Finding> = self
            .findings
            .iter()
            .chain(self.rounds.iter().flat_map(|round| &round.findings))
            .collect();
        json!({
            "schema": "certctl.renew/1",
            "verdict": self.verdict(),
            "changed": self.rounds.iter().any(made),
            "certificates": self.rounds.iter().map(RenewalAttempt::json).collect::<Vec<_>>(),
            "not_due": self.waiting.count,
            "next_due": self.waiting.first.as_ref().map(|(name, due)| json!({ "name": name, "due": due })),
            "findings": findings,
            "next": self.rounds.iter().flat_map(RenewalAttempt::next).collect::<Vec<_>>(),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        self.rounds.iter().for_each(|round| round.human(text));
        text.findings(&self.findings);
        if !self.rounds.is_empty() || self.exit_code != 0 {
            return;
        }
        match &self.waiting.first {
            Some((name, due)) => {
                let count = self.waiting.count;
                let all = if count == 1 {
                    "1 certificate".to_owned()
                } else {
                    format!("{count} certificates")
                };
                text.fact(
                    "fine",
                    format!(
                        "nothing is due: {all}, the first of them from {} on: {name}",
                        day(*due)
                    ),
                );
            }
            None => text.fact(
                "fine",
                "nothing is due: no certificate is installed by certctl or in this folder",
            ),
        }
    }

    fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

impl RenewalAttempt {
    fn json(&self) -> Value {
        let prepared = if let RenewalResult::Prepared(prepared) = &self.came {
            Some(prepared.as_ref())
        } else {
            None
        };
        let files = match &self.came {
            RenewalResult::Planned(files) => Some(files),
            RenewalResult::Prepared(prepared) => Some(&prepared.files),
            RenewalResult::Ready(_) => None,
        };
        let (proof, until) = match self.proof {
            _ if self.ca == Some(Ca::Private) => (None, None),
            ValidationMethod::New => (Some("new"), None),
            ValidationMethod::Reused(until) => (Some("reusable"), Some(until)),
        };
        let order = self.paid.map(|paid| match paid {
            PaymentCoverage::Purchase => "buy",
            PaymentCoverage::Reissue => "reissue",
        });
        json!({
            "name": self.name,
            "names": self.names,
            "not_after": self.ends,
            "due": self.due,
            "changed": prepared.is_some_and(|prepared| prepared.made),
            "planned": matches!(self.came, RenewalResult::Planned(_)),
            "ca": self.ca.map(Ca::name),
            "paid_until": self.paid_until,
            "order": order,
            "dcv": proof,
            "dcv_reusable_until": until,
            "key": files.map(|files| key(files, prepared)),
            "request": files.map(|files| request(files, prepared)),
            "records": prepared.map(|prepared| prepared.records.as_slice()).unwrap_or_default(),
            "findings": self.findings,
            "next": self.next(),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        let names = self.names.join(", ");
        match &self.came {
            RenewalResult::Planned(files) => {
                text.fact(
                    "plan",
                    format!(
                        "make {}; the site keeps its pair: {names}",
                        self.files(files)
                    ),
                );
                text.fact("due", self.due_in_words());
                text.findings(&self.findings);
            }
            RenewalResult::Prepared(prepared) => {
                let again = if prepared.made { "" } else { " before" };
                let files = self.files(&prepared.files);
                text.act(
                    "",
                    format!(
                        "prepared{again}, not renewed: {names}; {files}; the site keeps its pair"
                    ),
                );
                text.fact("due", self.due_in_words());
                text.findings(&self.findings);
                self.steps(prepared, text);
            }
            RenewalResult::Ready(path) => {
                text.fact(
                    "found",
                    format!(
                        "{}: a newer certificate and its key, for {names}",
                        path.display()
                    ),
                );
                text.findings(&self.findings);
                text.nexts(&self.next());
            }
        }
    }

    fn files(&self, files: &RenewalFiles) -> String {
        format!(
            "{}, {} ({})",
            files.key.display(),
            files.request.display(),
            files.algorithm
        )
    }

    fn due_in_words(&self) -> String {
        format!("from {} on: it ends on {}", day(self.due), day(self.ends))
    }

    /// What a person does now, the request to paste between.
    fn steps(&self, prepared: &PreparedRequest, text: &mut TextOutput) {
        text.act("next", format!("1. {}", self.paste_here()));
        text.payload(prepared.request.to_pem());
        let whole = |record: &DcvRecord| {
            let DcvRecord {
                zone,
                relative_name: host,
                kind,
                value,
                ..
            } = record;
            let value = value.as_ref()?;
            Some(format!(
                "add in the panel of {zone}:  {} | host {host} | value {value}",
                kind.word()
            ))
        };
        let entries = prepared.records.iter().filter_map(whole);
        let steps = self.next().into_iter().skip(1).map(|step| match step.argv {
            Some(_) => format!("{}{}", self.record(prepared), step.text),
            None => step.text,
        });
        for (number, step) in entries.chain(steps).enumerate() {
            text.act("next", format!("{}. {step}", number + 2));
        }
    }

    fn paste_here(&self) -> String {
        let shop = self.ca.map(Ca::title);
        match (self.ca, self.paid, self.paid_until) {
            (Some(Ca::Private), ..) => "hand this request to your CA:".to_owned(),
            (ca, Some(PaymentCoverage::Purchase), Some(until)) => {
                let ends = format!("what is paid for ends on {}: buy again", until);
                match (ca, shop) {
                    (Some(Ca::Namecheap), _) => {
                        format!("{ends}, then Namecheap > Activate > paste:")
                    }
                    (_, Some(shop)) => format!("{ends} at {shop}, and paste:"),
                    (_, None) => format!("{ends} at the shop or CA, and paste:"),
                }
            }
            (Some(Ca::Namecheap), ..) => "Namecheap > Reissue > paste:".to_owned(),
            (Some(_), ..) => format!("{} > Reissue > paste:", shop.unwrap_or_default()),
            (None, ..) => "have it reissued where it was bought: paste".to_owned(),
        }
    }

    /// Why the record is looked for.
    fn record(&self, prepared: &PreparedRequest) -> &'static str {
        match self.proof {
            _ if is_whole(prepared) => "then wait until the CA can see it:  ",
            ValidationMethod::New => "then, a new record:  ",
            ValidationMethod::Reused(_) => "then, where it asks for a new record:  ",
        }
    }

    fn next(&self) -> Vec<NextStep> {
        match &self.came {
            RenewalResult::Planned(_) => Vec::new(),
            RenewalResult::Ready(path) => {
                let run = NextStep::run(
                    &[self.install.clone(), vec![path.display().to_string()]].concat(),
                );
                vec![NextStep {
                    text: format!("sudo {}", run.text),
                    ..run
                }]
            }
            RenewalResult::Prepared(prepared) => {
                let paste = self
                    .paste_here()
                    .replace(" paste:", "")
                    .trim_end_matches(',')
                    .to_owned();
                let pem = prepared.request.to_pem();
                let mut steps = vec![NextStep::say(paste).pasting(pem.lines().map(str::to_owned))];
                if self.ca != Some(Ca::Private) {
                    steps.push(self.look_for_it(prepared));
                }
                let install = NextStep::run(&self.install).text;
                steps.push(NextStep::say(format!(
                    "when the certificate has come:  sudo {install} FILE"
                )));
                steps
            }
        }
    }

    /// All that is to be published is known, or the shop shows it.
    fn look_for_it(&self, prepared: &PreparedRequest) -> NextStep {
        let complete = is_whole(prepared);
        let more: &[&str] = if complete {
            &["--wait"]
        } else {
            &["--wait", "--record", "-"]
        };
        let mut words = self.check.clone();
        words.extend(more.iter().map(|&word| word.to_owned()));
        words.extend(self.names.first().filter(|_| complete).cloned());
        NextStep::run(&words)
    }
}

/// All that is to be published is known.
fn is_whole(prepared: &PreparedRequest) -> bool {
    !prepared.records.is_empty() && prepared.records.iter().all(|record| record.complete)
}

fn key(files: &RenewalFiles, prepared: Option<&PreparedRequest>) -> Value {
    json!({
        "path": shown(&files.key),
        "algorithm": files.algorithm.to_string(),
        "id": prepared.map(|prepared| prepared.request.key_id.to_string()),
    })
}

fn request(files: &RenewalFiles, prepared: Option<&PreparedRequest>) -> Value {
    json!({
        "path": shown(&files.request),
        "md5": prepared.map(|prepared| prepared.request.md5()),
        "sha256": prepared.map(|prepared| prepared.request.sha256()),
        "subject": prepared.map(|prepared| prepared.request.subject.as_str()),
    })
}
