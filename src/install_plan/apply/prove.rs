//! Probes what servers serve: once, or until they all serve what they should.

use std::time::Duration;

use crate::pki::certificate::Certificate;
use crate::probe::{self, ProbeDecision, ProbePatience, ProbeTarget, ProbeVerdict, TlsHandshake};
use crate::system::clock::{self, Stopwatch};
use crate::system::tls::{ProbeError, probe_all};

/// The longest time that one handshake may take.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(3);

/// What one target served.
#[derive(Debug)]
pub struct ProbeAnswer {
    /// The address, and the name in the handshake (SNI).
    pub target: ProbeTarget,
    /// The handshake and what it proves, or why there was none.
    pub answer: Result<(TlsHandshake, ProbeVerdict), ProbeError>,
    /// Whether an earlier probe of this target found the release: its answers vary.
    pub agreed_earlier: bool,
}

impl ProbeAnswer {
    /// Whether the target serves the release, leaf and full chain.
    #[must_use]
    pub fn agrees(&self) -> bool {
        matches!(&self.answer, Ok((_, ProbeVerdict::Matches)))
    }
}

/// The targets to probe for one plan, and their latest answers.
#[derive(Debug)]
pub(crate) struct ProbeGroup {
    /// The index of the plan within the run.
    pub(crate) index: usize,
    pub(crate) targets: Vec<ProbeTarget>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) probes: Vec<ProbeAnswer>,
}

/// Probes every target of every group once, all at the same time. A group is the targets and the
/// certificates that they should serve; the answers come grouped alike.
#[must_use]
pub(crate) fn probe_groups(groups: &[(&[ProbeTarget], &[Certificate])]) -> Vec<Vec<ProbeAnswer>> {
    let targets: Vec<ProbeTarget> = groups
        .iter()
        .flat_map(|(targets, _)| targets.iter().cloned())
        .collect();
    let mut answers = probe_all(&targets, HANDSHAKE_TIMEOUT).into_iter();
    let mut grouped = Vec::new();
    for (targets, certificates) in groups {
        let mut probes = Vec::new();
        for (target, answer) in targets.iter().zip(answers.by_ref()) {
            probes.push(ProbeAnswer {
                target: target.clone(),
                answer: answer.map(|handshake| judge_handshake(handshake, certificates)),
                agreed_earlier: false,
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
}

/// Probes until every group agrees at all of its targets often enough, the time is up, or a signal
/// arrives, which is returned. A group that is proven is not probed again.
pub(crate) fn probe_until(
    groups: &mut [ProbeGroup],
    patience: ProbePatience,
    signal: impl Fn() -> Option<i32>,
) -> Option<i32> {
    let started = Stopwatch::start();
    let mut open: Vec<OpenGroup<'_>> = groups
        .iter_mut()
        .map(|group| OpenGroup { group, agreed: 0 })
        .collect();
    loop {
        probe_open_groups(&mut open);
        let passed = started.elapsed();
        open.retain(|OpenGroup { agreed, .. }| {
            matches!(
                patience.decide_next(*agreed, passed),
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

fn probe_open_groups(open: &mut [OpenGroup<'_>]) {
    let requests: Vec<_> = open
        .iter()
        .map(|open| (&open.group.targets[..], &open.group.certificates[..]))
        .collect();
    let answers = probe_groups(&requests);
    for (OpenGroup { group, agreed }, mut probes) in open.iter_mut().zip(answers) {
        for (probe, last) in probes.iter_mut().zip(&group.probes) {
            probe.agreed_earlier = last.agreed_earlier || last.agrees();
        }
        if probes.iter().all(ProbeAnswer::agrees) {
            *agreed += 1;
        } else {
            *agreed = 0;
        }
        group.probes = probes;
    }
}
