//! What each probe target answered before anything was changed, and what its later answers prove in
//! comparison.

use crate::probe::{KeyCheck, ProbeTarget, ProbeVerdict, TlsHandshake};
use crate::system::tls::{ProbeError, clear_text};
use crate::wording::with_causes;

use super::prove::{self, HANDSHAKE_TIMEOUT, ProbeAnswer};
use crate::pki::certificate::Certificate;

/// The kind of answer before anything was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum BaselineKind {
    /// A complete handshake.
    Handshake,
    /// A certificate, without a complete handshake.
    Certificate,
    /// No certificate of the wanted key type, but one of another.
    OtherKeyType,
    /// certctl supports nothing that the server requires.
    Unsupported,
    /// An alert for another reason.
    Alert,
    /// No TLS.
    NoAnswer,
}

/// What a target answered before anything was changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TargetBaseline {
    kind: BaselineKind,
    /// The SHA-256 of the served leaf, or why there was none.
    answer: String,
}

/// The answer of a target in comparable form.
fn comparable(answer: &Result<(TlsHandshake, ProbeVerdict), ProbeError>) -> String {
    match answer {
        Ok((handshake, _)) => handshake.sha256(),
        Err(error) => with_causes(error),
    }
}

impl TargetBaseline {
    fn new(answer: &Result<(TlsHandshake, ProbeVerdict), ProbeError>) -> Self {
        let kind = match answer {
            Ok((handshake, _)) => match handshake.key {
                KeyCheck::Checked => BaselineKind::Handshake,
                KeyCheck::Unchecked => BaselineKind::Certificate,
            },
            Err(ProbeError::Unsupported { .. }) => BaselineKind::Unsupported,
            Err(error) if error.is_alert() => BaselineKind::Alert,
            Err(_) => BaselineKind::NoAnswer,
        };
        Self {
            kind,
            answer: comparable(answer),
        }
    }

    /// Whether reading the certificate in the clear is evidence. Where a complete handshake worked
    /// before, only another one is.
    pub(super) fn allows_clear_text(&self) -> bool {
        self.kind != BaselineKind::Handshake
    }
}

/// A target as it was observed before anything was changed.
#[derive(Debug)]
pub(super) struct ObservedTarget {
    /// What it answered.
    pub(super) baseline: TargetBaseline,
    /// The target to probe after a rollback: of any key type, if it served another one than the new
    /// certificate has.
    pub(super) restored: ProbeTarget,
    /// What that target answered.
    pub(super) restored_baseline: TargetBaseline,
    /// Whether it served the previous certificate.
    pub(super) serves_previous: bool,
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
    let of_any_type = prove::probe_groups(&[(&targets, previous)])
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

impl ProbeAnswer {
    /// Whether the target answers as before anything was changed.
    #[must_use]
    pub(crate) fn is_as_before(&self) -> bool {
        let now = comparable(&self.answer);
        self.baseline
            .as_ref()
            .is_some_and(|baseline| baseline.answer == now)
    }

    /// Whether the probe is no evidence: it fails in the same way as before anything was changed,
    /// because certctl supports nothing that the server requires.
    #[must_use]
    pub(crate) fn is_inconclusive(&self) -> bool {
        let was_unsupported = self
            .baseline
            .as_ref()
            .is_some_and(|baseline| baseline.kind == BaselineKind::Unsupported);
        was_unsupported && self.is_as_before()
    }

    /// Whether clients are now refused with an alert where there was none before.
    #[must_use]
    pub(crate) fn is_new_alert(&self) -> bool {
        let had_no_alert = self.baseline.as_ref().is_some_and(|baseline| {
            matches!(
                baseline.kind,
                BaselineKind::Handshake | BaselineKind::Certificate | BaselineKind::NoAnswer
            )
        });
        let is_alert = self.answer.as_ref().is_err_and(ProbeError::is_alert);
        had_no_alert && is_alert || self.refuses_all
    }

    /// Whether the server speaks only TLS 1.3, with nothing that certctl supports: what it serves
    /// cannot be determined.
    #[must_use]
    pub(crate) fn is_unverifiable(&self) -> bool {
        self.answer.as_ref().is_err_and(ProbeError::is_unverifiable)
    }
}

#[cfg(test)]
mod tests {
    use super::TargetBaseline;
    use crate::install_plan::apply::prove::ProbeAnswer;
    use crate::probe::{KeyCheck, ProbeTarget, ProbeVerdict, TlsHandshake};
    use crate::system::tls::ProbeError;

    type Answer = Result<(TlsHandshake, ProbeVerdict), ProbeError>;

    fn served(leaf: u8, key: KeyCheck) -> Answer {
        let handshake = TlsHandshake {
            chain: vec![vec![leaf]],
            key,
            ..TlsHandshake::default()
        };
        Ok((handshake, ProbeVerdict::Matches))
    }

    fn alert(name: &str) -> ProbeError {
        ProbeError::Alert(name.to_owned())
    }

    fn unsupported(in_the_clear: &str) -> Answer {
        Err(ProbeError::Unsupported {
            handshake: Box::new(alert("HandshakeFailure")),
            clear_text: Box::new(alert(in_the_clear)),
            groups: "X25519".to_owned(),
        })
    }

    /// `as before`, `inconclusive`, `new alert`.
    fn judge(before: &Answer, now: Answer) -> (bool, bool, bool) {
        let probe = ProbeAnswer {
            target: ProbeTarget::new("127.0.0.1:443".parse().unwrap(), "a.example"),
            answer: now,
            agreed_earlier: false,
            baseline: Some(TargetBaseline::new(before)),
            refuses_all: false,
        };
        (
            probe.is_as_before(),
            probe.is_inconclusive(),
            probe.is_new_alert(),
        )
    }

    #[test]
    fn answers_are_compared_with_those_before() {
        let checked = || served(1, KeyCheck::Checked);
        let unchecked = || served(1, KeyCheck::Unchecked);
        let refused = || Err(ProbeError::Refused);
        let failure = || Err(alert("HandshakeFailure"));
        for (before, now, expected) in [
            (checked(), checked(), (true, false, false)),
            (
                checked(),
                served(2, KeyCheck::Checked),
                (false, false, false),
            ),
            (checked(), failure(), (false, false, true)),
            (checked(), refused(), (false, false, false)),
            (
                unchecked(),
                unsupported("HandshakeFailure"),
                (false, false, true),
            ),
            (refused(), failure(), (false, false, true)),
            (
                unsupported("ProtocolVersion"),
                unsupported("ProtocolVersion"),
                (true, true, false),
            ),
            (
                unsupported("ProtocolVersion"),
                unsupported("InternalError"),
                (false, false, false),
            ),
            (
                Err(alert("UnrecognisedName")),
                Err(alert("UnrecognisedName")),
                (true, false, false),
            ),
        ] {
            assert_eq!(judge(&before, now), expected, "{before:?}");
        }
    }

    #[test]
    fn clear_text_is_no_evidence_where_a_handshake_worked() {
        for (before, allowed) in [
            (served(1, KeyCheck::Checked), false),
            (served(1, KeyCheck::Unchecked), true),
            (unsupported("ProtocolVersion"), true),
            (Err(ProbeError::Refused), true),
        ] {
            let baseline = TargetBaseline::new(&before);
            assert_eq!(baseline.allows_clear_text(), allowed, "{before:?}");
        }
    }
}
