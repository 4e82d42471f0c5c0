//! `--prometheus`: the rows as metrics, in the text format that node_exporter's textfile collector
//! reads (<https://prometheus.io/docs/instrumenting/exposition_formats/>). Names and labels are a
//! contract, listed in the README.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::inventory::{RowState, RowVerdict, StatusRow};
use crate::status_report::{JudgedRow, StatusOutcome};

pub(crate) fn metrics(outcome: &StatusOutcome) -> String {
    let rows: Vec<&JudgedRow> = outcome
        .rows
        .iter()
        .filter(|one| one.row.state != RowState::Superseded)
        .collect();
    let certificates = || {
        rows.iter()
            .map(|one| &one.row)
            .filter(|row| row.certificate.is_some())
    };
    let mut out = Metrics::default();
    out.family(
        "certctl_certificate_expiry_timestamp_seconds",
        "The end of a certificate, or the earlier one of an intermediate that it depends on.",
    );
    certificates().for_each(|row| out.instant(&labels(row), row.ends));
    out.family(
        "certctl_certificate_due_timestamp_seconds",
        "From when on its next round is due.",
    );
    certificates().for_each(|row| out.instant(&labels(row), row.due));
    out.family(
        "certctl_certificate_paid_until_timestamp_seconds",
        "The end of the term that is paid for.",
    );
    certificates().for_each(|row| {
        out.instant(
            &labels(row),
            row.paid_until.map(crate::pki::baseline_dates::begin),
        )
    });
    out.family(
        "certctl_certificate_problem",
        "1 for each reason why a row is due or wrong.",
    );
    for one in &rows {
        let pressing = one
            .findings
            .iter()
            .filter(|finding| finding.severity == crate::finding::Severity::Error);
        let mut codes: Vec<&str> = pressing.map(|finding| finding.code).collect();
        codes.sort_unstable();
        codes.dedup();
        codes.into_iter().for_each(|code| {
            out.sample(
                &[labels(&one.row), vec![("code", code.to_owned())]].concat(),
                1,
            )
        });
    }
    out.family(
        "certctl_rows",
        "Certificates, requests and keys by what is to be said of them.",
    );
    for verdict in [RowVerdict::Fine, RowVerdict::Due, RowVerdict::Wrong] {
        let count = rows
            .iter()
            .filter(|one| one.row.verdict() == verdict)
            .count();
        out.sample(
            &[("verdict", verdict.name().to_owned())],
            i64::try_from(count).unwrap_or(i64::MAX),
        );
    }
    out.family("certctl_unreadable", "What could not be looked at.");
    let unseen = outcome
        .findings
        .iter()
        .filter(|finding| finding.severity == crate::finding::Severity::Error)
        .count();
    out.sample(&[], i64::try_from(unseen).unwrap_or(i64::MAX));
    out.family(
        "certctl_status_timestamp_seconds",
        "When certctl looked last.",
    );
    out.instant(&[], Some(outcome.at));
    out.text
}

/// What a row is told by.
fn labels(row: &StatusRow) -> Vec<(&'static str, String)> {
    vec![
        ("name", row.name.clone()),
        ("state", row.state.name().to_owned()),
        ("key_algorithm", row.algorithm.to_string()),
        ("key_id", row.key_id.to_string()),
        (
            "sha256",
            row.certificate
                .as_ref()
                .map(|one| one.sha256())
                .unwrap_or_default(),
        ),
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
    crate::report::escape(value, &[])
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
}
