//! What comes of it.

use super::rules::Rule;

/// Something that a CA, or whoever uses the certificate, will not like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Fault {
    pub rule: &'static Rule,
    /// How it is broken.
    pub what: String,
    /// What would mend it.
    pub cure: Option<Cure>,
}

/// A change to what is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Cure {
    Add(Vec<String>),
    Leave(Vec<String>),
    /// A key of the usual kind, made for this request.
    NewKey,
    /// A company's own CA.
    Private,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.what, self.rule.source)
    }
}

impl Fault {
    pub(crate) fn new(rule: &'static Rule, what: impl Into<String>) -> Self {
        Self {
            rule,
            what: what.into(),
            cure: None,
        }
    }

    pub(crate) fn cured_by(self, cure: Cure) -> Self {
        Self {
            cure: Some(cure),
            ..self
        }
    }
}
