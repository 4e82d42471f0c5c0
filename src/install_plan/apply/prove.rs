//! Probes what servers serve: once, or until they all serve what they should.

use std::time::Duration;

use super::baseline::{self, TargetBaseline};
use crate::pki::certificate::Certificate;
use crate::probe::{
    self, KeyCheck, ProbeDecision, ProbePatience, ProbeTarget, ProbeVerdict, TlsHandshake,
};
use crate::system::clock::{self, Stopwatch};
use crate::system::tls::{ProbeError, clear_text, probe_all};

/// The longest time that one handshake may take.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a target that certctl does not support must fail as before until that is accepted: a
/// server that reloads gracefully uses its old configuration for some time.
const INCONCLUSIVE_AFTER: Duration = Duration::from_secs(2);

/// After so many rounds in a row with a new alert, probing ends: retrying does not help.
const ALERT_ROUNDS: u32 = 2;

/// What one target served.
#[derive(Debug)]
pub struct ProbeAnswer {
    /// The address, and the name in the handshake (SNI).
    pub target: ProbeTarget,
    /// The handshake and what it proves, or why there was none.
    pub answer: Result<(TlsHandshake, ProbeVerdict), ProbeError>,
    /// Whether an earlier probe of this target found the release: its answers vary.
    pub agreed_earlier: bool,
    /// What it answered before anything was changed, if it was probed then.
    pub baseline: Option<TargetBaseline>,
    /// Whether it refuses clients that accept any key type with an alert, too; only determined where
    /// it served another key type before.
    pub refuses_all: bool,
}

impl ProbeAnswer {
    /// Whether the target serves the release, leaf and full chain.
    #[must_use]
    pub fn agrees(&self) -> bool {
        matches!(&self.answer, Ok((_, ProbeVerdict::Matches)))
    }

    /// Whether it serves the release, and did not prove that it has the key.
    #[must_use]
    pub(crate) fn agrees_without_key(&self) -> bool {
        let answer = self.answer.as_ref();
        self.agrees() && answer.is_ok_and(|(handshake, _)| handshake.key == KeyCheck::Unchecked)
    }
}

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
    pub(crate) index: usize,
    pub(crate) targets: Vec<ProbeTarget>,
    /// What each target answered before; empty where that is not known.
    pub(crate) baselines: Vec<TargetBaseline>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) goal: ProbeGoal,
    pub(crate) probes: Vec<ProbeAnswer>,
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

/// The targets of one request, what they answered before (may be empty), and what they should serve.
#[derive(Clone, Copy, Debug)]
struct ProbeRequest<'a> {
    targets: &'a [ProbeTarget],
    baselines: &'a [TargetBaseline],
    certificates: &'a [Certificate],
}

/// Probes every target of every group once, all at the same time. A group is the targets and the
/// certificates that they should serve; the answers come grouped alike.
#[must_use]
pub(crate) fn probe_groups(groups: &[(&[ProbeTarget], &[Certificate])]) -> Vec<Vec<ProbeAnswer>> {
    let requests: Vec<ProbeRequest<'_>> = groups
        .iter()
        .map(|&(targets, certificates)| ProbeRequest {
            targets,
            baselines: &[],
            certificates,
        })
        .collect();
    probe_requests(&requests)
}

fn probe_requests(requests: &[ProbeRequest<'_>]) -> Vec<Vec<ProbeAnswer>> {
    let mut targets: Vec<ProbeTarget> = Vec::new();
    let mut baselines: Vec<Option<TargetBaseline>> = Vec::new();
    for request in requests {
        targets.extend(request.targets.iter().cloned());
        let known = request.baselines.iter().cloned().map(Some);
        let unknown = std::iter::repeat(None);
        baselines.extend(known.chain(unknown).take(request.targets.len()));
    }
    let mut answers = probe_all(&targets, HANDSHAKE_TIMEOUT);
    clear_text::fall_back(&targets, &mut answers, |index| {
        baselines[index]
            .as_ref()
            .is_none_or(TargetBaseline::allows_clear_text)
    });
    let mut answers = answers.into_iter().zip(baselines);
    let mut grouped = Vec::new();
    for request in requests {
        let mut probes = Vec::new();
        for (target, (answer, baseline)) in request.targets.iter().zip(answers.by_ref()) {
            probes.push(ProbeAnswer {
                target: target.clone(),
                answer: answer.map(|handshake| judge_handshake(handshake, request.certificates)),
                agreed_earlier: false,
                baseline,
                refuses_all: false,
            });
        }
        grouped.push(probes);
    }
    grouped
}

fn judge_handshake(
    handshake: TlsHandshake,
    certificates: &[Certificate],
) -> (TlsHandshake, ProbeVerdict) {
    let verdict = probe::compare_handshake(&handshake, certificates);
    (handshake, verdict)
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
    let answers = probe_requests(&requests);
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
