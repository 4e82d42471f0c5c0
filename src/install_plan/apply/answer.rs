//! What one probe target answered, before anything was changed and now, and what that proves.

use crate::probe::{KeyCheck, ProbeTarget, ProbeVerdict, TlsHandshake};
use crate::system::tls::ProbeError;
use crate::wording::with_causes;

/// The kind of answer before anything was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BaselineKind {
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
    pub(super) kind: BaselineKind,
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
    pub(super) fn new(answer: &Result<(TlsHandshake, ProbeVerdict), ProbeError>) -> Self {
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
    use super::{ProbeAnswer, TargetBaseline};
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
