//! What comes of it.

use super::rules::RequestRule;

/// Something that a CA, or whoever uses the certificate, will not like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LintFault {
    pub rule: &'static RequestRule,
    /// How it is broken.
    pub what: String,
    /// What would mend it.
    pub cure: Option<RequestChange>,
}

/// A change to what is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum RequestChange {
    Add(Vec<String>),
    Leave(Vec<String>),
    /// A key of the usual kind, made for this request.
    NewKey,
    /// A company's own CA.
    Private,
}

impl std::fmt::Display for LintFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.what, self.rule.source)
    }
}

impl LintFault {
    pub(crate) fn new(rule: &'static RequestRule, what: impl Into<String>) -> Self {
        Self {
            rule,
            what: what.into(),
            cure: None,
        }
    }

    pub(crate) fn cured_by(self, cure: RequestChange) -> Self {
        Self {
            cure: Some(cure),
            ..self
        }
    }
}
