//! What a failure left, and why: what still serves, what stays.

use std::collections::BTreeSet;

use crate::finding::{Finding, NextStep};
use crate::install::preflight::PreflightState;
use crate::install_plan::apply::{ProbeAnswer, StepError};
use crate::install_plan::plan::{InstallPlan, PlanStep, RollbackTarget};
use crate::store::disk;

/// Why the new files are there in spite of the failure, if they are.
pub(crate) fn what_stays(
    situation: &PreflightState,
    plan: &InstallPlan,
    files_stay: bool,
) -> Option<Finding> {
    let blocks = || situation.serving.blocks().join(", ");
    match &plan.back {
        RollbackTarget::Stay(why) if files_stay => Some(Finding::warning(
            "previous-files-broken",
            format!(
                "the files before were broken ({why}): \
                the new ones stay"
            ),
        )),
        RollbackTarget::Nothing { .. } if files_stay => Some(
            Finding::warning(
                "no-previous-version",
                "the server was told to load the new files and there were none before: they stay",
            )
            .with(NextStep::say(format!(
                "to be without them, take out the block first:  {}",
                blocks()
            ))),
        ),
        RollbackTarget::Unproven(id) if *id == situation.wanted.id => Some(
            Finding::warning(
                "no-previous-version",
                "there were no files before these, and the server loads them: they stay",
            )
            .with(NextStep::say(format!(
                "to be without them, take out the block first:  {}",
                blocks()
            ))),
        ),
        RollbackTarget::To(id) if *id == situation.wanted.id => Some(
            Finding::warning(
                "no-previous-version",
                format!(
                    "{id} is what was seen live last, what came after it was not: there is \
                    nothing to go back to, it stays"
                ),
            )
            .with(NextStep::say(format!(
                "see who serves what:  certctl install --check {}",
                situation.layout.stem()
            ))),
        ),
        _ => None,
    }
}

/// A reload that took in part: one address shows now the new certificate, now the one of before.
/// Old workers still take visitors, or another server listens there too.
pub(crate) fn half_taken(
    situation: &PreflightState,
    plan: &InstallPlan,
    trouble: &StepError,
) -> Option<Finding> {
    let (StepError::NotServed(probes), RollbackTarget::To(id)) = (trouble, &plan.back) else {
        return None;
    };
    let before = disk::load(&situation.layout, id)
        .ok()
        .flatten()?
        .leaf()
        .sha256();
    let old = |probe: &ProbeAnswer| {
        probe
            .answer
            .as_ref()
            .is_ok_and(|(handshake, _)| handshake.sha256() == before)
    };
    let new = |probe: &ProbeAnswer| probe.agrees() || probe.earlier;
    if !probes.iter().all(|probe| probe.agrees() || old(probe)) {
        return None;
    }
    let address = |probe: &ProbeAnswer| probe.target.address;
    let fresh: BTreeSet<_> = probes
        .iter()
        .filter(|probe| new(probe))
        .map(address)
        .collect();
    let mixed: BTreeSet<_> = probes
        .iter()
        .filter(|probe| old(probe))
        .map(address)
        .collect();
    let mixed: Vec<String> = mixed
        .intersection(&fresh)
        .map(ToString::to_string)
        .collect();
    let message = format!(
        "{} shows now the new certificate, now the one of before: old workers still take visitors, or another server \
         listens there too",
        mixed.join(", ")
    );
    let finding = Finding::error("reload-partial", message)
        .with(NextStep::say("see who listens there:  sudo ss -ltnp"))
        .with(NextStep::say("when the old ones are gone, install again"));
    (!mixed.is_empty()).then_some(finding)
}

/// A reload that said it worked and did not take: every address that was asked still shows the
/// certificate of before.
pub(crate) fn still_before(
    situation: &PreflightState,
    plan: &InstallPlan,
    trouble: &StepError,
) -> Option<Finding> {
    let (StepError::NotServed(probes), RollbackTarget::To(id)) = (trouble, &plan.back) else {
        return None;
    };
    let before = disk::load(&situation.layout, id)
        .ok()
        .flatten()?
        .leaf()
        .sha256();
    let shows = |probe: &ProbeAnswer| {
        probe
            .answer
            .as_ref()
            .is_ok_and(|(handshake, _)| handshake.sha256() == before)
    };
    if probes.is_empty() || !probes.iter().all(shows) {
        return None;
    }
    let addresses: BTreeSet<String> = probes
        .iter()
        .map(|probe| probe.target.address.to_string())
        .collect();
    let addresses = Vec::from_iter(addresses).join(", ");
    let reload = |step: &PlanStep| match step {
        PlanStep::Reload { command, .. } => Some(command.clone()),
        _ => None,
    };
    let commands: Vec<String> = plan.steps.iter().filter_map(reload).collect();
    let (cause, next) = match commands.as_slice() {
        [_, ..] => (
            format!(
                "the reload ({}) said that it worked and did not take",
                commands.join(", ")
            ),
            "find what makes your server read its files again, and pass it:  --reload COMMAND",
        ),
        [] => (
            "nothing told the server to read its files again".to_owned(),
            "pass what does:  --reload COMMAND",
        ),
    };
    let message = format!("{addresses} still shows the certificate of before: {cause}");
    Some(Finding::error("reload-no-effect", message).with(NextStep::say(next)))
}
