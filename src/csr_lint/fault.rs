//! A fault of a request, and the change that repairs it.

use super::rules::RequestRule;
use crate::finding::Severity;

/// Something that the CA or the users of the certificate may object to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LintFault {
    pub rule: &'static RequestRule,
    /// How the request breaks the rule.
    pub description: String,
    /// The changes that repair it. Those of errors repair all errors of the request together.
    pub repair: Vec<RequestChange>,
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
            repair: Vec::new(),
        }
    }

    pub(crate) fn repaired_by(self, change: RequestChange) -> Self {
        Self {
            repair: vec![change],
            ..self
        }
    }
}

/// Gives every error, except those whose codes are `allowed`, the changes that repair all of them: a
/// command that repairs one would be refused because of the others. `total` is the number of names.
pub(crate) fn repair_together(faults: &mut [LintFault], allowed: &[&str], total: usize) {
    let is_repairable_error = |fault: &LintFault| {
        let is_error = fault.rule.severity == Severity::Error;
        is_error && !fault.repair.is_empty() && !allowed.contains(&fault.rule.code)
    };
    let mut together: Vec<RequestChange> = Vec::new();
    for fault in faults.iter().filter(|fault| is_repairable_error(fault)) {
        for change in &fault.repair {
            add_change(&mut together, change);
        }
    }
    let omits_all = together
        .iter()
        .any(|change| matches!(change, RequestChange::Omit(names) if names.len() >= total));
    if omits_all || together.contains(&RequestChange::Private) {
        together
            .retain(|change| !matches!(change, RequestChange::Omit(_) | RequestChange::Private));
        together.insert(0, RequestChange::Private);
    }
    for fault in faults {
        if is_repairable_error(fault) {
            fault.repair.clone_from(&together);
        }
    }
}

fn add_change(changes: &mut Vec<RequestChange>, change: &RequestChange) {
    if let RequestChange::Omit(more) = change {
        for known in changes.iter_mut() {
            if let RequestChange::Omit(names) = known {
                names.extend(more.iter().cloned());
                return;
            }
        }
    }
    if !changes.contains(change) {
        changes.push(change.clone());
    }
}
