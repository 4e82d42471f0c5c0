//! The settings of one run, and how the publication or removal of one record ends.

use std::time::Duration;

use crate::context::Context;
use crate::finding::Finding;
use crate::publishing::zone_record::RecordLocation;
use crate::system::dns::ResolverList;
use crate::validation::record_check::RecordCheck;

/// How the publication or removal of one record ended. Ordered: the worse one counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum PublicationVerdict {
    /// The record was there already, and every server of its zone has it.
    Unchanged,
    /// A dry run.
    Planned,
    Removed,
    Published,
    /// The zone's own servers could not be queried.
    Unchecked,
    /// The provider has it, and not all servers of its zone.
    NotVisible,
    /// Nothing was changed.
    Refused,
}

impl PublicationVerdict {
    /// Returns the word for JSON.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Planned => "planned",
            Self::Removed => "removed",
            Self::Published => "published",
            Self::Unchecked => "unchecked",
            Self::NotVisible => "not-visible",
            Self::Refused => "refused",
        }
    }
}

/// Whether anything is changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PublicationMode {
    /// The provider is asked to change its records.
    Change,
    /// The records are read, and what would be changed is reported.
    DryRun,
}

/// Whether a record counts although no server of its zone could be queried (`--allow
/// unchecked-record`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum UncheckedRule {
    /// It is reported as a warning, exit 0.
    Allow,
    /// It is an error.
    Refuse,
}

/// The code that `--allow` names.
pub(crate) const UNCHECKED_RECORD: &str = "unchecked-record";

/// What all records of one run have in common.
#[derive(Debug)]
pub(crate) struct PublicationSettings<'a> {
    pub context: &'a Context,
    /// The resolvers through which zones and their servers are found.
    pub resolvers: ResolverList,
    pub mode: PublicationMode,
    /// What follows if the zone's servers cannot be queried.
    pub unchecked: UncheckedRule,
    /// How long the zone's servers are queried again.
    pub limit: Duration,
}

/// How one record ended.
#[derive(Debug)]
pub(crate) struct Publication {
    /// The owner name that the CA queries.
    pub name: String,
    /// Where the record is; another name if the first is delegated.
    pub location: Option<RecordLocation>,
    /// The type of the record, as in zone files.
    pub kind: &'static str,
    /// The target of a CNAME without its final dot, or the text.
    pub value: String,
    pub verdict: PublicationVerdict,
    /// Whether the provider was asked to change something.
    pub changed: bool,
    /// The exit code for this record alone; the worst of all records counts.
    pub exit_code: u8,
    /// What a dry run would do.
    pub steps: Vec<String>,
    /// The last check of the zone's servers.
    pub checks: Vec<RecordCheck>,
    /// What was found about this record and its zone.
    pub findings: Vec<Finding>,
    /// The provider's name for people.
    pub provider: String,
}
