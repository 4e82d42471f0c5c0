//! What `status` found, and how it is shown: the rows, each with what to do about it.

pub(crate) mod calendar;
mod columns;
pub(crate) mod document;
pub(crate) mod page;
pub(crate) mod prometheus;
pub(crate) mod table;

use std::path::PathBuf;

use jiff::Timestamp;

use crate::finding::{Finding, NextStep, Severity};
use crate::inventory::schedule::{PaymentCoverage, ScheduledRenewal, ValidationMethod};
use crate::inventory::{RowVerdict, StatusRow};
use crate::wording::day;

/// What `status` ends with.
#[derive(Debug)]
pub(crate) struct StatusOutcome {
    /// The instant of the judgement.
    pub at: Timestamp,
    /// The rows, the most pressing first.
    pub rows: Vec<JudgedRow>,
    /// What could not be read, and what was skipped.
    pub findings: Vec<Finding>,
    /// How many columns there are; none in a pipe.
    pub width: Option<usize>,
    /// The files that were written.
    pub written: Vec<WrittenFile>,
}

/// A file that was written.
#[derive(Debug)]
pub(crate) struct WrittenFile {
    /// `prometheus` or `ics`.
    pub format: &'static str,
    pub path: PathBuf,
}

/// A row with what to do about it.
#[derive(Debug)]
pub(crate) struct JudgedRow {
    pub row: StatusRow,
    /// Its reasons with their steps.
    pub findings: Vec<Finding>,
    /// What to do, the first thing first.
    pub next: Vec<NextStep>,
}

impl StatusOutcome {
    /// The worst verdict of all rows; what could not be read counts as wrong.
    #[must_use]
    pub(crate) fn verdict(&self) -> RowVerdict {
        let unseen = self
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        let worst = self
            .rows
            .iter()
            .map(|one| one.row.verdict())
            .max()
            .unwrap_or(RowVerdict::Fine);
        if unseen { RowVerdict::Wrong } else { worst }
    }
}

/// What a renewal needs: `a new request, a reissue, a new proof of control; for at most 100 days`.
pub(crate) fn requirements_in_words(round: &ScheduledRenewal) -> String {
    let order = match round.payment {
        Some(PaymentCoverage::Purchase) => ", a purchase",
        Some(PaymentCoverage::Reissue) => ", a reissue",
        None => "",
    };
    let proof = match round.validation {
        ValidationMethod::New => "a new proof of control".to_owned(),
        ValidationMethod::Reused(until) => format!(
            "no new proof of control where the CA goes by the one until {}",
            day(until)
        ),
    };
    format!(
        "a new request{order}, {proof}; for at most {} days",
        round.max_days
    )
}
