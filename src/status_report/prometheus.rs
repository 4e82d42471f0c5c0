//! `--prometheus`: the rows as metrics, in the text format that node_exporter's textfile collector
//! reads (<https://prometheus.io/docs/instrumenting/exposition_formats/>). Names and labels are a
//! contract, listed in the README.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::finding::{Finding, Severity};
use crate::inventory::{RowState, RowVerdict, StatusRow};
use crate::pki::baseline_dates::midnight_utc;
use crate::report::escape;
use crate::status_report::{JudgedRow, StatusOutcome};

/// Returns the metrics of all rows that are not superseded, and of the run.
pub(crate) fn metrics(outcome: &StatusOutcome) -> String {
    let rows: Vec<&JudgedRow> = outcome
        .rows
        .iter()
        .filter(|one| one.row.state != RowState::Superseded)
        .collect();
    let mut out = Metrics::default();
    add_dates(&mut out, &rows);
    add_problems(&mut out, &rows);
    add_row_counts(&mut out, &rows);
    add_run(&mut out, outcome);
    out.text
}

/// Adds when each certificate expires, is due for renewal, and is paid until.
fn add_dates(out: &mut Metrics, rows: &[&JudgedRow]) {
    let certificates: Vec<&StatusRow> = rows
        .iter()
        .map(|one| &one.row)
        .filter(|row| row.certificate.is_some())
        .collect();
    out.family(
        "certctl_certificate_expiry_timestamp_seconds",
        "Expiry of the certificate, or of an intermediate that it depends on if that is earlier.",
    );
    for row in &certificates {
        out.instant(&labels(row), row.expiry);
    }
    out.family(
        "certctl_certificate_due_timestamp_seconds",
        "Time from which renewal is due.",
    );
    for row in &certificates {
        out.instant(&labels(row), row.due);
    }
    out.family(
        "certctl_certificate_paid_until_timestamp_seconds",
        "End of the paid order term.",
    );
    for row in &certificates {
        out.instant(&labels(row), row.paid_until.map(midnight_utc));
    }
}

/// Adds the codes of the errors of each row.
fn add_problems(out: &mut Metrics, rows: &[&JudgedRow]) {
    out.family(
        "certctl_certificate_problem",
        "1 for each reason why the certificate, request or key is due or wrong.",
    );
    for one in rows {
        let mut codes: Vec<&str> = errors(&one.findings).map(|finding| finding.code).collect();
        codes.sort_unstable();
        codes.dedup();
        for code in codes {
            let mut labels = labels(&one.row);
            labels.push(("code", code.to_owned()));
            out.sample(&labels, 1);
        }
    }
}

/// Adds how many rows have each verdict.
fn add_row_counts(out: &mut Metrics, rows: &[&JudgedRow]) {
    out.family(
        "certctl_rows",
        "Number of certificates, requests and keys with each verdict.",
    );
    for verdict in [RowVerdict::Fine, RowVerdict::Due, RowVerdict::Wrong] {
        let count = rows
            .iter()
            .filter(|one| one.row.verdict() == verdict)
            .count();
        out.count(&[("verdict", verdict.name().to_owned())], count);
    }
}

/// Adds how much could not be checked, and the time of the run.
fn add_run(out: &mut Metrics, outcome: &StatusOutcome) {
    out.family(
        "certctl_unreadable",
        "Number of files, folders and servers that could not be checked.",
    );
    out.count(&[], errors(&outcome.findings).count());
    out.family("certctl_status_timestamp_seconds", "Time of the last run.");
    out.instant(&[], Some(outcome.at));
}

fn errors(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
}

/// Returns the labels that identify a row.
fn labels(row: &StatusRow) -> Vec<(&'static str, String)> {
    let sha256 = row
        .certificate
        .as_ref()
        .map(|certificate| certificate.sha256())
        .unwrap_or_default();
    vec![
        ("name", row.name.clone()),
        ("state", row.state.name().to_owned()),
        ("key_algorithm", row.algorithm.to_string()),
        ("key_id", row.key_id.to_string()),
        ("sha256", sha256),
    ]
}

#[derive(Default)]
struct Metrics {
    text: String,
    name: &'static str,
}

impl Metrics {
    fn family(&mut self, name: &'static str, help: &str) {
        self.name = name;
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn instant(&mut self, labels: &[(&'static str, String)], at: Option<Timestamp>) {
        if let Some(at) = at {
            self.sample(labels, at.as_second());
        }
    }

    fn count(&mut self, labels: &[(&'static str, String)], count: usize) {
        self.sample(labels, i64::try_from(count).unwrap_or(i64::MAX));
    }

    fn sample(&mut self, labels: &[(&'static str, String)], value: i64) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", quoted(value)))
            .collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        let _ = writeln!(self.text, "{}{labels} {value}", self.name);
    }
}

/// Foreign text in a label: `\`, `"` and line breaks are escaped, other control characters made
/// visible first.
fn quoted(value: &str) -> String {
    escape(value, &[])
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
}
