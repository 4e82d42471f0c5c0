//! What there is to show: the rows, each with what to do about it.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::finding::{Finding, Next, Severity};
use crate::inventory::reason::day;
use crate::inventory::schedule::{Paid, Proof, Round};
use crate::inventory::{Row, Verdict};

/// What `status` ends with.
#[derive(Debug)]
pub(crate) struct StatusOutcome {
    /// The instant of the judgement.
    pub at: Timestamp,
    /// The rows, the most pressing first.
    pub rows: Vec<Judged>,
    /// What could not be looked at, and what was passed over.
    pub findings: Vec<Finding>,
    /// How many columns there are; none in a pipe.
    pub width: Option<usize>,
    /// The files that were written.
    pub written: Vec<Written>,
}

/// A file that was written.
#[derive(Debug)]
pub(crate) struct Written {
    /// `prometheus` or `ics`.
    pub format: &'static str,
    pub path: PathBuf,
}

/// A row with what to do about it.
#[derive(Debug)]
pub(crate) struct Judged {
    pub row: Row,
    /// Its reasons with their steps.
    pub findings: Vec<Finding>,
    /// What to do, the first thing first.
    pub next: Vec<Next>,
}

impl StatusOutcome {
    /// The worst of all rows; what could not be looked at is not fine.
    #[must_use]
    pub(crate) fn verdict(&self) -> Verdict {
        let unseen = self
            .findings
            .iter()
            .any(|finding| finding.severity == Severity::Error);
        let worst = self
            .rows
            .iter()
            .map(|one| one.row.verdict())
            .max()
            .unwrap_or(Verdict::Fine);
        if unseen { Verdict::Wrong } else { worst }
    }
}

/// What a round needs: `a new request, a reissue, a new proof of control; for at most 100 days`.
pub(super) fn needs(round: &Round) -> String {
    let order = match round.paid {
        Some(Paid::Purchase) => ", a purchase",
        Some(Paid::Reissue) => ", a reissue",
        None => "",
    };
    let proof = match round.proof {
        Proof::New => "a new proof of control".to_owned(),
        Proof::Reused(until) => format!(
            "no new proof of control where the CA goes by the one until {}",
            day(until)
        ),
    };
    format!(
        "a new request{order}, {proof}; for at most {} days",
        round.most_days
    )
}
