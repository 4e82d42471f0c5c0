//! A rule that one certificate breaks, before its place in the chain is known.

use super::clients::TlsClient;
use super::table::ClientRule;

/// A rule that a certificate breaks.
pub(super) struct Breach {
    pub rule: &'static ClientRule,
    /// How it breaks the rule.
    pub how: String,
    /// Clients of the rule that accept this way.
    pub accepting: Vec<TlsClient>,
}

impl Breach {
    pub(super) fn new(rule: &'static ClientRule, how: impl Into<String>) -> Self {
        Self {
            rule,
            how: how.into(),
            accepting: Vec::new(),
        }
    }

    pub(super) fn except(mut self, accepting: &[TlsClient]) -> Self {
        self.accepting.extend_from_slice(accepting);
        self
    }
}

pub(super) fn breach(rule: &'static ClientRule, how: &str) -> Option<Breach> {
    Some(Breach::new(rule, how))
}
