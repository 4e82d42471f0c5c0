//! Why a transaction failed, and what it leaves: which certificate is still served, and which files
//! stay.

use std::collections::BTreeSet;
use std::path::Path;

use super::evidence;
use super::unread_key;
use crate::advice::servers;
use crate::finding::Finding;
use crate::install::preflight::PreflightState;
use crate::install_plan::apply::{ProbeAnswer, StepError};
use crate::install_plan::plan::{InstallPlan, PlanStep, RollbackTarget};
use crate::store::disk;
use crate::wording::with_causes;

/// Whether the new files are kept despite the failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NewFiles {
    Removed,
    Stay,
}

/// Reports a step that failed after the install had succeeded.
pub(super) fn report_unfinished(step: &PlanStep, error: &StepError) -> Finding {
    let message = format!(
        "the certificate is installed, but a later step failed: {step}: {}",
        with_causes(error)
    );
    Finding::warning("follow-up-failed", message)
}

/// Explains why the new files stay in spite of the failure, if they do.
pub(super) fn explain_what_stays(
    situation: &PreflightState,
    plan: &InstallPlan,
    held: Option<&str>,
    new_files: NewFiles,
) -> Option<Finding> {
    let wanted = &situation.wanted.id;
    let stay = new_files == NewFiles::Stay;
    if let Some(why) = held {
        return Some(report_useless_files(why));
    }
    match &plan.back {
        RollbackTarget::Stay(why) if stay => Some(report_useless_files(why)),
        RollbackTarget::Nothing { .. } if stay => Some(report_nothing_before(
            situation,
            "the new files stay: the server was reloaded with them, and there were none before",
        )),
        RollbackTarget::Unproven(id) if id == wanted => Some(report_nothing_before(
            situation,
            "these files stay: the server uses them, and there were none before",
        )),
        RollbackTarget::To(id) if id == wanted => {
            let message = format!(
                "version {id} stays: it is the last one that was verified live, so there is \
                    nothing to roll back to"
            );
            let root = situation.layout.root();
            let root = (root != Path::new("/")).then_some(root);
            let next = servers::check_what_is_served(root, situation.layout.stem());
            Some(Finding::warning("no-previous-version", message).with_step(next))
        }
        _ => None,
    }
}

fn report_useless_files(why: &str) -> Finding {
    let message = format!("the new files stay instead of the previous ones: {why}");
    Finding::warning("previous-files-broken", message)
}

fn report_nothing_before(situation: &PreflightState, message: &str) -> Finding {
    let blocks = situation.serving.blocks().join(", ");
    Finding::warning("no-previous-version", message).with_step(servers::remove_blocks(&blocks))
}

/// The fingerprint of the certificate that the rollback restores.
fn old_fingerprint(situation: &PreflightState, plan: &InstallPlan) -> Option<String> {
    let RollbackTarget::To(id) = &plan.back else {
        return None;
    };
    // A certificate that was taken over is in plain files again.
    let taken_over = situation.disk.taken_over.as_ref();
    if let Some(release) = taken_over.filter(|release| release.id == *id) {
        return Some(release.leaf().sha256());
    }
    let release = disk::load(&situation.layout, id).ok()??;
    Some(release.leaf().sha256())
}

fn serves(probe: &ProbeAnswer, fingerprint: &str) -> bool {
    probe
        .answer
        .as_ref()
        .is_ok_and(|(handshake, _)| handshake.sha256() == fingerprint)
}

/// Reports a reload that worked in part: an address sometimes serves the new certificate and
/// sometimes the old one. Old worker processes still accept connections, or another server listens
/// there too.
fn check_partly_reloaded(
    situation: &PreflightState,
    plan: &InstallPlan,
    error: &StepError,
) -> Option<Finding> {
    let StepError::NotServed(probes) = error else {
        return None;
    };
    let old = old_fingerprint(situation, plan)?;
    if !probes
        .iter()
        .all(|probe| probe.agrees() || serves(probe, &old))
    {
        return None;
    }
    let new_addresses: BTreeSet<_> = probes
        .iter()
        .filter(|probe| probe.agrees() || probe.agreed_earlier)
        .map(|probe| probe.target.address)
        .collect();
    let old_addresses: BTreeSet<_> = probes
        .iter()
        .filter(|probe| serves(probe, &old))
        .map(|probe| probe.target.address)
        .collect();
    let mixed: Vec<String> = old_addresses
        .intersection(&new_addresses)
        .map(ToString::to_string)
        .collect();
    if mixed.is_empty() {
        return None;
    }
    let message = format!(
        "{} sometimes serves the new certificate and sometimes the old one: old worker processes \
            still accept connections, or another server listens there too",
        mixed.join(", ")
    );
    let finding = Finding::error("reload-partial", message);
    let next = servers::find_other_listeners();
    Some(next.into_iter().fold(finding, Finding::with_step))
}

/// Reports a reload that succeeded and had no effect: every probed address still serves the old
/// certificate.
fn check_still_old(
    situation: &PreflightState,
    plan: &InstallPlan,
    error: &StepError,
) -> Option<Finding> {
    let StepError::NotServed(probes) = error else {
        return None;
    };
    let old = old_fingerprint(situation, plan)?;
    if probes.is_empty() || !probes.iter().all(|probe| serves(probe, &old)) {
        return None;
    }
    let addresses: BTreeSet<String> = probes
        .iter()
        .map(|probe| probe.target.address.to_string())
        .collect();
    let addresses = Vec::from_iter(addresses).join(", ");
    let commands = reload_commands(plan);
    let (cause, next) = if commands.is_empty() {
        let cause = "no reload command was run".to_owned();
        (cause, servers::pass_reload())
    } else {
        let cause = format!(
            "the reload command (`{}`) succeeded but had no effect",
            commands.join(", ")
        );
        let server = &situation.settings.server;
        (cause, servers::pass_working_reload(&commands, server))
    };
    let message = format!("{addresses} still serves the old certificate: {cause}");
    Some(Finding::error("reload-no-effect", message).with_step(next))
}

/// Returns the finding about the step that failed.
pub(super) fn explain_cause(
    situation: &PreflightState,
    plan: &InstallPlan,
    error: &StepError,
) -> Finding {
    let cause = check_still_old(situation, plan, error)
        .or_else(|| check_partly_reloaded(situation, plan, error))
        .or_else(|| evidence::check_new_alert(error));
    let mut cause = unread_key::explain(situation, error, cause.unwrap_or_else(|| error.into()));
    let owners = find_port_owners(situation, error);
    if !owners.is_empty() {
        cause.next = vec![servers::free_addresses()];
    }
    cause.with_quote(owners)
}

/// Describes the processes that listen at the addresses of a server in its place, where that may be
/// why a step failed.
fn find_port_owners(situation: &PreflightState, error: &StepError) -> Vec<String> {
    match error {
        StepError::NotServed(_) | StepError::Reload(_) | StepError::Test(_) => {
            situation.serving.describe_other_owners()
        }
        StepError::Hook(_)
        | StepError::Install(_)
        | StepError::Interrupted(_)
        | StepError::Process(_)
        | StepError::NoServer(_)
        | StepError::Skipped => Vec::new(),
    }
}

/// Names the saved options that took part in a step of a server that failed: the command line does not
/// show them.
pub(super) fn name_saved_options(situation: &PreflightState, error: &StepError) -> Option<Finding> {
    let now = &situation.settings;
    let before = &situation.settings_before;
    let tests = before.test.iter().map(|command| ("--test", command));
    let reloads = before.reload.iter().map(|command| ("--reload", command));
    let probes = before.probe.iter().map(|probe| ("--probe", probe));
    let used: Vec<(&str, &String)> = match error {
        StepError::Test(_) => tests.collect(),
        StepError::Reload(_) => reloads.collect(),
        StepError::NotServed(_) => reloads.chain(probes).collect(),
        _ => Vec::new(),
    };
    let is_used = |(option, value): &(&str, &String)| match *option {
        "--test" => now.test.contains(value),
        "--reload" => now.reload.contains(value),
        _ => now.probe.contains(value),
    };
    let used: Vec<(&str, &String)> = used.into_iter().filter(is_used).collect();
    (!used.is_empty()).then(|| servers::report_saved_options(&used))
}

fn reload_commands(plan: &InstallPlan) -> Vec<String> {
    let commands = plan.steps.iter().filter_map(|step| match step {
        PlanStep::Reload { command, .. } => Some(command.clone()),
        _ => None,
    });
    commands.collect()
}
