//! The fields that a dry run of `install` or `rollback` adds to its document.

use serde_json::{Value, json};

use super::outcome::{self, TransactionOutcome};
use super::preflight::PreflightState;
use super::request::{InstallGoal, InstallRequest};
use crate::report::{self, DryRunSummary};

/// What stands for the id of a placeholder's release: its key, and so the id, is new in each run.
const NEW_PLACEHOLDER: &str = "placeholder";

/// Summarizes a dry run that was planned or refused.
#[must_use]
pub(super) fn summarize(
    situation: &PreflightState,
    request: &InstallRequest<'_>,
    outcome: &TransactionOutcome,
) -> DryRunSummary {
    let observed = &situation.disk.observed;
    let release = &situation.wanted.id;
    let considered = json!({
        "name": request.stem,
        "goal": goal(request.goal),
        "release": release,
        "names": situation.wanted.leaf().dns_names,
        "mode": situation.wanted.access.mode.to_string(),
        "owner": situation.wanted.access.owner,
        "allow": request.allow,
        "settings": situation.settings.options_json(),
        "settings_before": situation.settings_before.options_json(),
        "observed": observed,
        "deployed": situation.disk.deployed,
        "configurations": configurations(situation),
        "plan": outcome.plan,
        "findings": report::considered_findings(&outcome.findings),
    });
    let considered = mask_process_ids(considered);
    let is_new = !observed.releases.contains(release);
    let considered = match request.goal {
        InstallGoal::Placeholder(_) if is_new => mask(considered, release.as_str()),
        _ => considered,
    };
    let plan = outcome.plan.as_ref();
    DryRunSummary {
        would_change: plan.is_some_and(outcome::would_change),
        plan_id: report::plan_id(considered),
    }
}

/// A digest of the configuration of each server. It has more than what the plan depends on: a reload
/// activates all of it.
fn configurations(situation: &PreflightState) -> Vec<Option<&str>> {
    let uses = situation.serving.uses.iter();
    uses.map(|server_use| server_use.observed.config_digest())
        .collect()
}

/// Replaces process ids in reload commands (`kill -HUP 123`): a server that was started again is the
/// same one.
fn mask_process_ids(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains("kill -") => {
            let words = text.split(' ').map(|word| {
                let is_number = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
                if is_number { "PID" } else { word }
            });
            Value::String(words.collect::<Vec<&str>>().join(" "))
        }
        Value::Array(elements) => elements.into_iter().map(mask_process_ids).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, one)| (name, mask_process_ids(one)))
            .collect(),
        other => other,
    }
}

fn goal(goal: InstallGoal<'_>) -> &'static str {
    match goal {
        InstallGoal::Install(_) => "install",
        InstallGoal::Placeholder(_) => "placeholder",
        InstallGoal::Rollback(_) => "rollback",
    }
}

/// Replaces the id of a placeholder's release wherever it is.
fn mask(value: Value, id: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(id, NEW_PLACEHOLDER)),
        Value::Array(elements) => elements.into_iter().map(|one| mask(one, id)).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, one)| (name, mask(one, id)))
            .collect(),
        other => other,
    }
}
