//! What the command of `--after` learns about the certificate, and the finding about one that is not
//! run.

use serde_json::Map;

use crate::finding::Finding;
use crate::install::preflight::PreflightState;
use crate::install_plan::apply::hook::HookCall;
use crate::install_plan::plan::InstallPlan;
use crate::store::disk;
use crate::store::settings::DueHook;

/// Returns what is needed to run the command for a plan; none if it is not due.
#[must_use]
pub(super) fn prepare(situation: &PreflightState, plan: &InstallPlan) -> Option<HookCall> {
    let wanted = &situation.wanted.id;
    let hook = situation.hook.as_ref()?;
    if !hook.is_due(plan, wanted) {
        return None;
    }
    let due = hook.saved_due(wanted).cloned().unwrap_or_else(|| DueHook {
        release: wanted.clone(),
        previous: previous_fingerprint(situation),
        other: Map::new(),
    });
    Some(HookCall {
        argv: hook.argv.clone(),
        deadline: hook.deadline,
        variables: variables(situation, &due),
        due,
    })
}

/// Returns the finding about a command that is due and that the plan does not run.
#[must_use]
pub(super) fn report_skipped(situation: &PreflightState, plan: &InstallPlan) -> Option<Finding> {
    let hook = situation.hook.as_ref()?;
    let is_skipped = hook.is_skipped(plan, &situation.wanted.id);
    is_skipped.then(|| not_run(&hook.text))
}

/// Returns the finding about a command that was not run: what servers serve was not verified.
#[must_use]
pub(super) fn not_run(command: &str) -> Finding {
    let message = format!(
        "`{command}` (`--after`) was not run, because what servers serve was not verified; the next \
         install that verifies it runs the command"
    );
    Finding::warning("hook-not-run", message)
}

/// The fingerprint of the certificate that was verified before, else of the one in the files that are
/// replaced.
fn previous_fingerprint(situation: &PreflightState) -> Option<String> {
    let wanted = situation.wanted.leaf().sha256();
    let proven = situation.disk.observed.proven.as_ref();
    let proven = proven.and_then(|id| disk::load_public(&situation.layout, id).ok().flatten());
    let deployed = situation.disk.deployed.as_ref();
    proven
        .map(|release| release.leaf().sha256())
        .into_iter()
        .chain(deployed.map(|deployed| deployed.sha256().to_owned()))
        .find(|sha256| *sha256 != wanted)
}

/// The environment variables about the certificate; they name the key's path and never hold the key.
fn variables(situation: &PreflightState, due: &DueHook) -> Vec<(String, String)> {
    let layout = &situation.layout;
    let leaf = situation.wanted.leaf();
    let addresses = leaf.ip_addresses.iter().map(ToString::to_string);
    let names: Vec<String> = leaf.dns_names.iter().cloned().chain(addresses).collect();
    let key_path = layout.key_path().map(|key| key.display().to_string());
    // Empty if the key is not a file.
    let key_path = key_path.unwrap_or_default();
    let pairs = [
        ("NAME", layout.stem().to_owned()),
        ("NAMES", names.join(" ")),
        ("CHAIN_PATH", layout.chain_path().display().to_string()),
        ("KEY_PATH", key_path),
        ("NOT_AFTER", leaf.not_after.to_string()),
        ("FINGERPRINT", leaf.sha256()),
        (
            "PREVIOUS_FINGERPRINT",
            due.previous.clone().unwrap_or_default(),
        ),
        ("RELEASE", situation.wanted.id.to_string()),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (format!("CERTCTL_{name}"), value))
        .collect()
}
