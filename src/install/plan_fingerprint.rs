//! The fields that a dry run of `install` or `rollback` adds to its document.

use std::path::Path;

use serde_json::{Value, json};

use super::outcome::{self, TransactionOutcome};
use super::preflight::PreflightState;
use super::request::{InstallGoal, InstallRequest};
use crate::pki::fingerprint::Fingerprint;
use crate::report::{self, DryRunSummary};
use crate::system::command_words;
use crate::system::fs::files;

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
    let mut considered = json!({
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
    let programs = programs(situation);
    if !programs.is_empty() {
        considered["programs"] = json!(programs);
    }
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

/// The maximum number of bytes of a program that counts.
const PROGRAM_LIMIT: u64 = 16 * 1024 * 1024;

/// A digest of each file that the commands of `--test`, `--reload` and `--after` name: what was approved
/// is what the scripts did then.
fn programs(situation: &PreflightState) -> Vec<(String, String)> {
    let settings = &situation.settings;
    let commands = settings.test.iter().chain(&settings.reload);
    let mut words: Vec<String> = Vec::new();
    for command in commands {
        words.extend(command_words::split_command(command).unwrap_or_default());
    }
    if let Some(hook) = &situation.hook {
        words.extend(hook.argv.iter().cloned());
    }
    words.sort();
    words.dedup();
    let mut programs = Vec::new();
    for word in words {
        if let Ok(bytes) = files::read(Path::new(&word), PROGRAM_LIMIT) {
            programs.push((word, hex::encode(Fingerprint::of(&bytes).as_slice())));
        }
    }
    programs
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
