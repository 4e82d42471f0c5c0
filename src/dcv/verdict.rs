//! What the answers about one record come to: a verdict for each server and for all of them, with
//! the reasons.

use super::answer::{DnsAnswer, DnsServerId};
use super::reason::DcvReason;

/// The verdict on one server, one record, or all of them. Ordered: the worse one counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum DcvVerdict {
    /// The CA would see it.
    Visible,
    /// No server answered, or not all of them.
    Unreachable,
    /// Something of this request is there, but its unique value was never compared with the shop's
    /// record.
    Unchecked,
    /// It is not there.
    Absent,
    /// It is there, at a name that the CA does not ask for.
    WrongPlace,
    /// Something else is there.
    Different,
}

impl DcvVerdict {
    /// The word in JSON.
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
}

/// What one server's answers come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServerJudgement {
    pub server: DnsServerId,
    /// What it comes to.
    pub verdict: DcvVerdict,
    /// The name whose answer decided.
    pub decisive_name: String,
    /// The answer that decided.
    pub decisive_answer: DnsAnswer,
    /// For how many seconds that may be remembered, where something is there.
    pub ttl: Option<u32>,
}

/// What all answers about one record come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RecordJudgement {
    pub verdict: DcvVerdict,
    /// False when no server answered the question.
    pub answered: bool,
    /// One for each server.
    pub server_judgements: Vec<ServerJudgement>,
    /// Why, each once.
    pub reasons: Vec<DcvReason>,
}
