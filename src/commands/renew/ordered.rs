//! The renewal of a certificate that is ordered through an API, as text and as JSON.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::earlier_tries::EarlierTries;
use crate::finding::{Finding, NextStep};
use crate::inputs::request_steps::RequestStep;
use crate::install::outcome::InstallVerdict;
use crate::ordering::{OrderOutcome, OrderSpec, OrderVerdict};
use crate::report::{self, Label, Outcome, TextOutput};
use crate::store::deployed::DeployedCertificate;
use crate::wording::day;

/// How much is printed about a success.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ReportDetail {
    All,
    Line,
}

/// A certificate that was ordered again.
#[derive(Debug)]
pub(super) struct OrderedRenewal {
    /// The certificate's name in /etc/ssl.
    pub name: String,
    /// The time from which it is due.
    pub due: Timestamp,
    /// The expiry date of the certificate that is renewed.
    pub not_after: Timestamp,
    /// What servers read before.
    pub before: Option<DeployedCertificate>,
    pub outcome: OrderOutcome,
    pub spec: OrderSpec,
    pub tries: EarlierTries,
    /// Whether little time is left until it expires.
    pub is_urgent: bool,
}

impl OrderedRenewal {
    /// The verdict of this renewal.
    pub(super) fn verdict(&self) -> &'static str {
        let installed = self.outcome.transaction.as_ref().map(|done| done.verdict);
        match (self.outcome.verdict, installed) {
            (OrderVerdict::Planned, _) => "planned",
            (OrderVerdict::Issued, _) => "ready",
            (OrderVerdict::Unchanged, _) if self.outcome.files.is_some() => "ready",
            (OrderVerdict::Unchanged, _) => "nothing-due",
            (
                OrderVerdict::Installed,
                Some(
                    InstallVerdict::Files
                    | InstallVerdict::Live
                    | InstallVerdict::LiveIncomplete
                    | InstallVerdict::NotServed
                    | InstallVerdict::Unchanged,
                ),
            ) => "renewed",
            _ => "pending",
        }
    }

    /// Returns whether it waits only for the CA.
    fn waits_for_ca(&self) -> bool {
        self.outcome.verdict == OrderVerdict::Pending && !self.outcome.has_failed()
    }

    /// The exit code: waiting is right as long as there is time.
    pub(super) fn exit_code(&self) -> u8 {
        if self.waits_for_ca() {
            return u8::from(self.is_urgent);
        }
        self.outcome.exit_code()
    }

    pub(super) fn is_changed(&self) -> bool {
        self.verdict() != "planned" && self.outcome.is_changed()
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        self.outcome.all_findings()
    }

    pub(super) fn next(&self) -> Vec<NextStep> {
        self.outcome.all_steps()
    }

    /// What the id of a dry run's plan depends on.
    pub(super) fn considered(&self) -> Value {
        json!([self.name, self.outcome.plan_id()])
    }

    /// The element of `certificates`.
    pub(super) fn json(&self) -> Value {
        let document = report::document(&self.outcome);
        let installed = &document["certificates"][0];
        let after = match &installed["after"] {
            Value::Null => json!(self.before),
            after => after.clone(),
        };
        let plan = match &installed["plan"] {
            Value::Null => report::plan_json::<RequestStep>(&[]),
            plan => plan.clone(),
        };
        let mut item = self.subject_json();
        item["verdict"] = json!(self.verdict());
        item["not_after"] = json!(self.not_after);
        item["due"] = json!(self.due);
        item["changed"] = json!(self.is_changed());
        item["planned"] = json!(self.verdict() == "planned");
        item["before"] = json!(self.before);
        item["after"] = after;
        item["plan"] = plan;
        item["findings"] = json!(self.findings());
        item["next"] = json!(self.next());
        item["ordered"] = document;
        item
    }

    /// The fields about what is ordered.
    fn subject_json(&self) -> Value {
        let ca = self.spec.ca.to_string();
        let mut item = without_request();
        item["name"] = json!(self.name);
        item["names"] = json!(self.spec.names.texts());
        item["ca"] = json!(ca);
        item
    }

    /// Prints all of it, or one line for a success among several.
    pub(super) fn print(&self, detail: ReportDetail, text: &mut TextOutput) {
        let is_success = self.exit_code() == 0 && self.outcome.verdict != OrderVerdict::Planned;
        if is_success && detail == ReportDetail::Line {
            let until = self.outcome.not_after.unwrap_or(self.not_after);
            let line = format!("{}: {}, expires {}", self.name, self.in_words(), day(until));
            text.add(Label::Done, line);
            return;
        }
        let state = format!(
            "{}: due for renewal from {}, expires {}",
            self.name,
            day(self.due),
            day(self.not_after)
        );
        text.add(Label::Found, state);
        self.outcome.human(text);
    }

    fn in_words(&self) -> &'static str {
        match self.verdict() {
            "renewed" => "renewed and installed",
            "ready" => "obtained and not installed",
            "nothing-due" => "renewed by another run",
            _ => "ordered; the CA needs more time",
        }
    }
}

/// The fields about a request that is sent by hand, and what comes before them.
fn without_request() -> Value {
    json!({
        "name": null,
        "verdict": null,
        "names": null,
        "not_after": null,
        "due": null,
        "changed": null,
        "planned": null,
        "ca": null,
        "paid_until": null,
        "order": null,
        "dcv": null,
        "dcv_reusable_until": null,
        "key": null,
        "request": null,
        "records": [],
    })
}
