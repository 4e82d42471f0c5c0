//! Asks servers what they serve: once, or until they all serve what they should.

use std::time::Duration;

use crate::pki::certificate::Certificate;
use crate::probe::{self, ProbeDecision, ProbePatience, ProbeTarget, ProbeVerdict, TlsHandshake};
use crate::system::clock::{self, Stopwatch};
use crate::system::tls::{ProbeError, probe_all};

/// One handshake may take that long.
const HANDSHAKE: Duration = Duration::from_secs(3);

/// One answer to the question what is served.
#[derive(Debug)]
pub struct ProbeAnswer {
    /// Whom, and for which name.
    pub target: ProbeTarget,
    /// What came, and what it proves.
    pub answer: Result<(TlsHandshake, ProbeVerdict), ProbeError>,
    /// True when an earlier round showed the release there: what is there answers now so, now so.
    pub earlier: bool,
}

impl ProbeAnswer {
    /// True when it is the release, leaf and whole chain.
    #[must_use]
    pub fn agrees(&self) -> bool {
        matches!(&self.answer, Ok((_, ProbeVerdict::Same)))
    }
}

/// What one pair is asked for, and what was answered last.
#[derive(Debug)]
pub(crate) struct ProbeGroup {
    /// The pair's place among those of the run.
    pub(crate) pair: usize,
    pub(crate) targets: Vec<ProbeTarget>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) probes: Vec<ProbeAnswer>,
}

/// Asks every target of every group once, all at the same time.
#[must_use]
pub(crate) fn ask_groups(groups: &[(&[ProbeTarget], &[Certificate])]) -> Vec<Vec<ProbeAnswer>> {
    let targets: Vec<ProbeTarget> = groups
        .iter()
        .flat_map(|(targets, _)| targets.iter().cloned())
        .collect();
    let mut answers = probe_all(&targets, HANDSHAKE).into_iter();
    let of_group = |(targets, certificates): &(&[ProbeTarget], &[Certificate])| {
        let judged = |handshake: TlsHandshake| {
            let verdict = probe::judge(&handshake, certificates);
            (handshake, verdict)
        };
        let answered = targets.iter().zip(answers.by_ref());
        answered
            .map(|(target, answer)| ProbeAnswer {
                target: target.clone(),
                answer: answer.map(judged),
                earlier: false,
            })
            .collect()
    };
    groups.iter().map(of_group).collect()
}

/// Asks until every pair is shown at all of its targets in enough rounds, the time is up, or a
/// signal comes. A pair that is proven is not asked for again.
pub(crate) fn ask_until(
    all: &mut [ProbeGroup],
    patience: ProbePatience,
    signal: impl Fn() -> Option<i32>,
) -> Option<i32> {
    let begun = Stopwatch::start();
    let mut open: Vec<(&mut ProbeGroup, u32)> = all.iter_mut().map(|one| (one, 0)).collect();
    loop {
        let groups: Vec<_> = open
            .iter()
            .map(|(one, _)| (&one.targets[..], &one.certificates[..]))
            .collect();
        let answers = ask_groups(&groups);
        for ((one, agreed), mut probes) in open.iter_mut().zip(answers) {
            for (probe, last) in probes.iter_mut().zip(&one.probes) {
                probe.earlier = last.earlier || last.agrees();
            }
            *agreed = if probes.iter().all(ProbeAnswer::agrees) {
                *agreed + 1
            } else {
                0
            };
            one.probes = probes;
        }
        let passed = begun.passed();
        open.retain(|(_, agreed)| {
            matches!(patience.after(*agreed, passed), ProbeDecision::Again(_))
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
