//! Observes what probe targets answer before anything is changed, and which of them refuse every
//! client afterwards.

use super::answer::{BaselineKind, ProbeAnswer, TargetBaseline};
use super::probe_round::{self, HANDSHAKE_TIMEOUT};
use crate::pki::certificate::Certificate;
use crate::probe::ProbeTarget;
use crate::system::tls::{ProbeError, clear_text};

/// A target as it was observed before anything was changed.
#[derive(Debug)]
pub(super) struct ObservedTarget {
    /// What it answered.
    pub baseline: TargetBaseline,
    /// The target to probe after a rollback: of any key type, if it served another one than the new
    /// certificate has.
    pub restored: ProbeTarget,
    /// What that target answered.
    pub restored_baseline: TargetBaseline,
    /// Whether it served the previous certificate.
    pub serves_previous: bool,
}

/// Returns what each of these answers shows; `previous` is the certificate that a rollback would
/// restore. Targets that serve only another key type than the wanted one are distinguished from
/// those that certctl does not support.
pub(super) fn observe(answers: &[ProbeAnswer], previous: &[Certificate]) -> Vec<ObservedTarget> {
    let mut observed: Vec<ObservedTarget> = answers
        .iter()
        .map(|probe| {
            let baseline = TargetBaseline::new(&probe.answer);
            ObservedTarget {
                restored: probe.target.clone(),
                restored_baseline: baseline.clone(),
                baseline,
                serves_previous: probe.agrees(),
            }
        })
        .collect();
    let mut unclear: Vec<&mut ObservedTarget> = observed
        .iter_mut()
        .filter(|target| {
            let may_serve_other = matches!(
                target.baseline.kind,
                BaselineKind::Unsupported | BaselineKind::Alert
            );
            target.restored.algorithm.is_some() && may_serve_other
        })
        .collect();
    let targets: Vec<ProbeTarget> = unclear
        .iter()
        .map(|target| of_any_key_type(&target.restored))
        .collect();
    let of_any_type = probe_round::probe_groups(&[(&targets, previous)])
        .into_iter()
        .flatten();
    for (target, answer) in unclear.iter_mut().zip(of_any_type) {
        if answer.answer.is_ok() {
            target.baseline.kind = BaselineKind::OtherKeyType;
            target.restored_baseline = TargetBaseline::new(&answer.answer);
            target.serves_previous = answer.agrees();
            target.restored = answer.target;
        }
    }
    observed
}

/// Finds the targets that served another key type than the wanted one and now refuse every client.
pub(super) fn find_refusals(probes: &mut [ProbeAnswer]) {
    let mut refusing: Vec<&mut ProbeAnswer> = probes
        .iter_mut()
        .filter(|probe| {
            let served_other = probe
                .baseline
                .as_ref()
                .is_some_and(|baseline| baseline.kind == BaselineKind::OtherKeyType);
            served_other && probe.answer.as_ref().is_err_and(ProbeError::is_alert)
        })
        .collect();
    let targets: Vec<ProbeTarget> = refusing
        .iter()
        .map(|probe| of_any_key_type(&probe.target))
        .collect();
    let answers = clear_text::probe_with_fallback(&targets, HANDSHAKE_TIMEOUT);
    for (probe, answer) in refusing.iter_mut().zip(answers) {
        probe.refuses_all = answer.is_err_and(|error| error.is_alert());
    }
}

fn of_any_key_type(target: &ProbeTarget) -> ProbeTarget {
    ProbeTarget {
        algorithm: None,
        ..target.clone()
    }
}
