//! The steps for several certificates together.

use crate::advice::{install_command, servers};
use crate::context::Context;
use crate::finding::{Finding, NextStep};
use crate::install::outcome::{TransactionOutcome, start_then_install};

/// One step that rolls back all certificates with these names.
#[must_use]
pub(super) fn rollback_step(context: &Context, names: &[&str]) -> Option<NextStep> {
    let root = context.root.as_deref();
    match names {
        [] => None,
        [name] => Some(install_command::restore_previous(root, name)),
        several => Some(install_command::restore_several(root, several)),
    }
}

/// Replaces the steps of the certificates that need servers to be started by one step for all.
pub(super) fn merge_start_steps<'a>(
    context: &Context,
    transactions: impl Iterator<Item = &'a mut TransactionOutcome>,
) -> Option<NextStep> {
    let mut start: Vec<String> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    let mut findings: Vec<Finding> = Vec::new();
    for transaction in transactions {
        if transaction.start_commands.is_empty() {
            continue;
        }
        transaction.next.clear();
        names.push(&transaction.name);
        findings.extend_from_slice(&transaction.findings);
        for command in &transaction.start_commands {
            if !start.contains(command) {
                start.push(command.clone());
            }
        }
    }
    if names.is_empty() {
        return None;
    }
    let start = start_then_install(context, &start, &names);
    Some(servers::free_before_start(start, &findings))
}
