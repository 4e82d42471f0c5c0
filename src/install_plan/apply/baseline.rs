//! What each probe target answered before anything was changed, and what its later answers prove in
//! comparison.

use crate::probe::{KeyCheck, ProbeTarget, ProbeVerdict, TlsHandshake};
use crate::system::tls::{ProbeError, clear_text};
use crate::wording::with_causes;

use super::prove::{HANDSHAKE_TIMEOUT, ProbeAnswer};

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

/// Returns the baseline of each of these answers. Targets that serve only another key type than the
/// wanted one are distinguished from those that certctl does not support.
pub(super) fn observe(answers: &[ProbeAnswer]) -> Vec<TargetBaseline> {
    let mut baselines: Vec<TargetBaseline> = answers
        .iter()
        .map(|probe| TargetBaseline::new(&probe.answer))
        .collect();
    let unclear: Vec<usize> = (0..answers.len())
        .filter(|&index| {
            let is_limited = answers[index].target.algorithm.is_some();
            is_limited
                && matches!(
                    baselines[index].kind,
                    BaselineKind::Unsupported | BaselineKind::Alert
                )
        })
        .collect();
    let targets: Vec<ProbeTarget> = unclear
        .iter()
        .map(|&index| ProbeTarget {
            algorithm: None,
            ..answers[index].target.clone()
        })
        .collect();
    let of_any_type = clear_text::probe_with_fallback(&targets, HANDSHAKE_TIMEOUT);
    for (index, answer) in unclear.into_iter().zip(of_any_type) {
        if answer.is_ok() {
            baselines[index].kind = BaselineKind::OtherKeyType;
        }
    }
    baselines
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
        had_no_alert && self.answer.as_ref().is_err_and(ProbeError::is_alert)
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
