//! Probes until servers serve what they should.

use std::time::Duration;

use super::answer::{ProbeAnswer, TargetBaseline};
use super::baseline;
use super::probe_round::{self, ProbeRequest};
use crate::pki::certificate::Certificate;
use crate::probe::{ProbeDecision, ProbePatience, ProbeTarget};
use crate::system::clock::{self, Stopwatch};

/// How long a target that certctl does not support must fail as before until that is accepted: a
/// server that reloads gracefully uses its old configuration for some time.
const INCONCLUSIVE_AFTER: Duration = Duration::from_secs(2);

/// After so many rounds in a row with a new alert, probing ends: retrying does not help.
const ALERT_ROUNDS: u32 = 2;

/// What the targets of a group should answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ProbeGoal {
    /// The installed release.
    Installed,
    /// The restored release; where no target served it before, the same answer as before.
    Restored,
}

/// The targets to probe for one plan, and their latest answers.
#[derive(Debug)]
pub(crate) struct ProbeGroup {
    /// The index of the plan within the run.
    pub index: usize,
    pub targets: Vec<ProbeTarget>,
    /// What each target answered before; empty where that is not known.
    pub baselines: Vec<TargetBaseline>,
    pub certificates: Vec<Certificate>,
    pub goal: ProbeGoal,
    pub probes: Vec<ProbeAnswer>,
}

impl ProbeGroup {
    /// Whether an answer is what it should be, or no evidence.
    fn accepts(&self, probe: &ProbeAnswer) -> bool {
        let is_accepted = match self.goal {
            ProbeGoal::Installed => probe.is_inconclusive(),
            ProbeGoal::Restored => probe.is_as_before(),
        };
        probe.agrees() || is_accepted
    }

    /// Whether every target answers as it should, or its answer is no evidence.
    pub(crate) fn is_accepted(&self) -> bool {
        self.probes.iter().all(|probe| self.accepts(probe))
    }

    /// Whether some answer is no evidence of what the target serves.
    pub(crate) fn is_inconclusive(&self) -> bool {
        self.probes.iter().any(ProbeAnswer::is_inconclusive)
    }
}

/// A group that is still probed.
struct OpenGroup<'a> {
    group: &'a mut ProbeGroup,
    /// How many probes in a row found the release at every target.
    agreed: u32,
    /// How many probes in a row found a new alert.
    alerted: u32,
}

/// Probes until every group agrees at all of its targets often enough, the time is up, a signal
/// arrives, which is returned, or a target refuses clients with an alert that it did not send
/// before. A group that is decided is not probed again.
pub(crate) fn probe_until(
    groups: &mut [ProbeGroup],
    patience: ProbePatience,
    signal: impl Fn() -> Option<i32>,
) -> Option<i32> {
    let started = Stopwatch::start();
    let mut open: Vec<OpenGroup<'_>> = groups
        .iter_mut()
        .map(|group| OpenGroup {
            group,
            agreed: 0,
            alerted: 0,
        })
        .collect();
    loop {
        probe_open_groups(&mut open, started.elapsed());
        let passed = started.elapsed();
        open.retain(|group| {
            group.alerted < ALERT_ROUNDS
                && matches!(
                    patience.decide_next(group.agreed, passed),
                    ProbeDecision::ProbeAgain(_)
                )
        });
        if open.is_empty() {
            return None;
        }
        match signal() {
            Some(signal) => return Some(signal),
            None => clock::sleep(patience.pause),
        }
    }
}

fn probe_open_groups(open: &mut [OpenGroup<'_>], passed: Duration) {
    let requests: Vec<ProbeRequest<'_>> = open
        .iter()
        .map(|open| ProbeRequest {
            targets: &open.group.targets,
            baselines: &open.group.baselines,
            certificates: &open.group.certificates,
        })
        .collect();
    let answers = probe_round::probe_requests(&requests);
    for (open, mut probes) in open.iter_mut().zip(answers) {
        for (probe, last) in probes.iter_mut().zip(&open.group.probes) {
            probe.agreed_earlier = last.agreed_earlier || last.agrees();
        }
        if open.group.goal == ProbeGoal::Installed {
            baseline::find_refusals(&mut probes);
        }
        open.group.probes = probes;
        open.count(passed);
    }
}

impl OpenGroup<'_> {
    /// Counts the rounds that agreed, and those with a new alert.
    fn count(&mut self, passed: Duration) {
        let group = &self.group;
        let is_early = passed < INCONCLUSIVE_AFTER;
        let agrees = |probe: &ProbeAnswer| {
            probe.agrees() || group.accepts(probe) && !(is_early && probe.is_inconclusive())
        };
        self.agreed = if group.probes.iter().all(agrees) {
            self.agreed + 1
        } else {
            0
        };
        let has_alert = group.goal == ProbeGoal::Installed
            && group.probes.iter().any(ProbeAnswer::is_new_alert);
        self.alerted = if has_alert { self.alerted + 1 } else { 0 };
    }
}
