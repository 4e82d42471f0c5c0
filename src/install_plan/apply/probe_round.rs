//! One round of probes: every target of several groups, all at the same time.

use std::time::Duration;

use super::answer::{ProbeAnswer, TargetBaseline};
use crate::pki::certificate::Certificate;
use crate::probe::{self, ProbeTarget, ProbeVerdict, TlsHandshake};
use crate::system::tls::{ProbeError, clear_text, probe_all};

/// The longest time that one handshake may take.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(3);

/// The targets of one request, what they answered before (may be empty), and what they should serve.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProbeRequest<'a> {
    pub targets: &'a [ProbeTarget],
    pub baselines: &'a [TargetBaseline],
    pub certificates: &'a [Certificate],
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

pub(super) fn probe_requests(requests: &[ProbeRequest<'_>]) -> Vec<Vec<ProbeAnswer>> {
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
    let judged = requests.iter().map(|request| {
        let count = request.targets.len();
        request.judge(answers.by_ref().take(count))
    });
    judged.collect()
}

impl ProbeRequest<'_> {
    /// Compares the answers of its targets with what they should serve.
    fn judge(
        &self,
        answers: impl Iterator<Item = (Result<TlsHandshake, ProbeError>, Option<TargetBaseline>)>,
    ) -> Vec<ProbeAnswer> {
        let mut probes = Vec::new();
        for (target, (answer, baseline)) in self.targets.iter().zip(answers) {
            probes.push(ProbeAnswer {
                target: target.clone(),
                answer: answer.map(|handshake| judge_handshake(handshake, self.certificates)),
                agreed_earlier: false,
                baseline,
                refuses_all: false,
            });
        }
        probes
    }
}

fn judge_handshake(
    handshake: TlsHandshake,
    certificates: &[Certificate],
) -> (TlsHandshake, ProbeVerdict) {
    let verdict = probe::compare_handshake(&handshake, certificates);
    (handshake, verdict)
}
