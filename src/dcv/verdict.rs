//! The judgement about one record: a verdict for each server and for all of them, with the reasons.

use super::answer::{DnsAnswer, DnsServerId};
use super::reason::DcvReason;

/// The verdict on one server, one record, or all of them. Ordered: the worse one counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum DcvVerdict {
    /// The CA would see it.
    Visible,
    /// None of the servers answered, or not all of them.
    Unreachable,
    /// A record of this request was found, but its unique value was never compared with the
    /// reseller's record.
    Unchecked,
    /// It was not found.
    Absent,
    /// It was found at a name that the CA does not query.
    WrongPlace,
    /// Another value was found.
    Different,
}

impl DcvVerdict {
    /// Returns the word for JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Visible => "visible",
            Self::Unreachable => "unreachable",
            Self::Unchecked => "unchecked",
            Self::Absent => "absent",
            Self::WrongPlace => "wrong-place",
            Self::Different => "different",
        }
    }

    /// Returns one line for people, for the streams of documents.
    #[must_use]
    pub fn comment(self) -> &'static str {
        match self {
            Self::Visible => "the CA would see the record",
            Self::Unreachable => "not all servers answered",
            Self::Unchecked => "the value was not compared with the reseller's record",
            Self::Absent => "the record was not found",
            Self::WrongPlace => "the record was found at a name that the CA does not query",
            Self::Different => "another value was found",
        }
    }
}

/// The judgement about one server's answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServerJudgement {
    pub server: DnsServerId,
    pub verdict: DcvVerdict,
    /// The name whose answer decided the verdict.
    pub decisive_name: String,
    /// The answer that decided the verdict.
    pub decisive_answer: DnsAnswer,
    /// For how many seconds the record may be cached, if there is one.
    pub ttl: Option<u32>,
}

/// The judgement about one record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RecordJudgement {
    pub verdict: DcvVerdict,
    /// Whether any server gave a result.
    pub answered: bool,
    /// One judgement for each server.
    pub server_judgements: Vec<ServerJudgement>,
    /// The reasons for the verdict, without duplicates.
    pub reasons: Vec<DcvReason>,
}
