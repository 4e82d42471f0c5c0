//! A rule that a chain breaks.

use super::clients::TlsClient;
use super::table::{ClientRule, RuleVerdict};
use crate::pki::name::join_listed;

/// A certificate of a chain that breaks a rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BrokenRule {
    pub(crate) rule: &'static ClientRule,
    /// The label of the certificate.
    pub label: String,
    /// How it breaks the rule.
    pub how: String,
    /// The clients that refuse it in this place, in the order of [`TlsClient::ALL`].
    pub(crate) clients: Vec<TlsClient>,
}

impl BrokenRule {
    pub(in crate::pki) fn new(rule: &'static ClientRule, label: String, how: String) -> Self {
        let clients = TlsClient::ALL
            .into_iter()
            .filter(|client| rule.clients.contains(client))
            .collect();
        Self {
            rule,
            label,
            how,
            clients,
        }
    }

    /// Removes clients that accept it in this place.
    pub(in crate::pki) fn except(mut self, accepting: &[TlsClient]) -> Self {
        self.clients.retain(|client| !accepting.contains(client));
        self
    }

    /// Returns whether it is a warning: see [`RuleVerdict::RefusedBySome`].
    pub(crate) fn is_only_strict(&self) -> bool {
        self.rule.verdict == RuleVerdict::RefusedBySome
    }

    pub(in crate::pki) fn is_refused_by(&self, client: TlsClient) -> bool {
        self.clients.contains(&client)
    }

    /// Returns whether another path, without the CA that has name constraints, may be accepted.
    pub(in crate::pki) fn is_about_constraints(&self) -> bool {
        ["name-constraints", "unchecked-constraints"].contains(&self.rule.id)
    }

    /// The code of its finding.
    pub(crate) fn code(&self) -> &'static str {
        match (self.rule.verdict, self.rule.id) {
            (_, "unsupported-key") => "unsupported-key-type",
            (_, "unusable-key") => "broken-key",
            (RuleVerdict::Refused, _) => "chain-refused",
            (RuleVerdict::RefusedBySome, _) => "refused-by-some-clients",
        }
    }
}

impl std::fmt::Display for BrokenRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut clients: Vec<String> = self.clients.iter().map(ToString::to_string).collect();
        let last = clients.pop().unwrap_or_default();
        let clients = match clients.as_slice() {
            [] => last,
            first => format!("{} and {last}", join_listed(first)),
        };
        let Self {
            rule, label, how, ..
        } = self;
        write!(f, "{label}: {how} ({}); refused by {clients}", rule.section)
    }
}
