//! The outcome of `status` and its formats: text, JSON, HTML, calendar, Prometheus metrics.

pub(crate) mod calendar;
mod columns;
pub(crate) mod document;
pub(crate) mod page;
pub(crate) mod prometheus;
pub(crate) mod table;

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use crate::finding::{Finding, NextStep, Severity};
use crate::inventory::schedule::{PaymentCoverage, ScheduledRenewal, ValidationMethod};
use crate::inventory::{RowVerdict, StatusRow};
use crate::system::environment;
use crate::wording::day;

/// The outcome of `status`.
#[derive(Debug)]
pub(crate) struct StatusOutcome {
    pub machine: MachineIdentity,
    /// The time that dates were evaluated at.
    pub at: Timestamp,
    /// The rows, the most pressing first.
    pub rows: Vec<JudgedRow>,
    /// What could not be read, and what was skipped.
    pub findings: Vec<Finding>,
    /// The width of a line of text, in columns.
    pub width: usize,
    /// Whether text goes to a terminal.
    pub is_terminal: bool,
    /// Whether only rows that need action are shown as text.
    pub is_quiet: bool,
    /// The files that were written.
    pub written: Vec<WrittenFile>,
}

/// The machine that the outcome is about, and the version of certctl on it.
#[derive(Debug, Serialize)]
pub(crate) struct MachineIdentity {
    pub hostname: String,
    version: &'static str,
}

impl MachineIdentity {
    #[must_use]
    pub(crate) fn read() -> Self {
        Self {
            hostname: environment::hostname(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// A file that was written.
#[derive(Debug)]
pub(crate) struct WrittenFile {
    /// `prometheus`, `ics` or `html`.
    pub format: &'static str,
    pub path: PathBuf,
}

/// A row with its findings and next steps.
#[derive(Debug)]
pub(crate) struct JudgedRow {
    pub row: StatusRow,
    /// One finding for each of its reasons, in the same order.
    pub findings: Vec<Finding>,
    /// What to do, the most urgent step first.
    pub next: Vec<NextStep>,
}

impl StatusOutcome {
    /// Returns the worst verdict of all rows; if something could not be read, that is `Wrong`.
    #[must_use]
    pub(crate) fn verdict(&self) -> RowVerdict {
        let is_incomplete = self
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        let worst = self
            .rows
            .iter()
            .map(|one| one.row.verdict())
            .max()
            .unwrap_or(RowVerdict::Fine);
        if is_incomplete {
            RowVerdict::Wrong
        } else {
            worst
        }
    }
}

/// Returns what a renewal needs: `a new request, a reissue, a new domain validation; valid for at
/// most 100 days`.
pub(crate) fn requirements_in_words(renewal: &ScheduledRenewal) -> String {
    let payment = match renewal.payment {
        Some(PaymentCoverage::Purchase) => ", a purchase",
        Some(PaymentCoverage::Reissue) => ", a reissue",
        None => "",
    };
    let validation = match renewal.validation {
        ValidationMethod::New => "a new domain validation".to_owned(),
        ValidationMethod::Reused(until) => format!(
            "no new domain validation if the CA reuses the one that it may use until {}",
            day(until)
        ),
    };
    format!(
        "a new request{payment}, {validation}; valid for at most {} days",
        renewal.max_days
    )
}
