//! A fault of a request, and the change that repairs it.

use super::rules::RequestRule;

/// Something that the CA or the users of the certificate may object to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LintFault {
    pub rule: &'static RequestRule,
    /// How the request breaks the rule.
    pub description: String,
    /// The change that repairs it, if there is one.
    pub repair: Option<RequestChange>,
}

/// A change to the request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum RequestChange {
    /// Add these names.
    Add(Vec<String>),
    /// Omit these names.
    Omit(Vec<String>),
    /// Use a new key of the default kind.
    NewKey,
    /// Let a private CA issue it.
    Private,
}

impl std::fmt::Display for LintFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.description, self.rule.source)
    }
}

impl LintFault {
    pub(crate) fn new(rule: &'static RequestRule, description: impl Into<String>) -> Self {
        Self {
            rule,
            description: description.into(),
            repair: None,
        }
    }

    pub(crate) fn repaired_by(self, change: RequestChange) -> Self {
        Self {
            repair: Some(change),
            ..self
        }
    }
}
