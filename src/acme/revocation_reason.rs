//! Why a certificate is revoked (RFC 5280 5.3.1), as far as its owner may say so (BR 7.2.2).

use std::str::FromStr;

/// Why a certificate is revoked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RevocationReason {
    Unspecified,
    KeyCompromise,
    AffiliationChanged,
    Superseded,
    CessationOfOperation,
}

/// All reasons, in the order of `--help`.
pub(crate) const REASONS: [RevocationReason; 5] = [
    RevocationReason::Unspecified,
    RevocationReason::KeyCompromise,
    RevocationReason::AffiliationChanged,
    RevocationReason::Superseded,
    RevocationReason::CessationOfOperation,
];

impl RevocationReason {
    /// Returns the word for `--reason`.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "key-compromise",
            Self::AffiliationChanged => "affiliation-changed",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation-of-operation",
        }
    }

    /// Returns the number in requests; an unspecified reason is omitted (RFC 5280 5.3.1).
    #[must_use]
    pub(crate) fn number(self) -> Option<u8> {
        match self {
            Self::Unspecified => None,
            Self::KeyCompromise => Some(1),
            Self::AffiliationChanged => Some(3),
            Self::Superseded => Some(4),
            Self::CessationOfOperation => Some(5),
        }
    }
}

impl FromStr for RevocationReason {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = text.trim().to_ascii_lowercase();
        let mut words = Vec::new();
        for reason in REASONS {
            if reason.word() == word {
                return Ok(reason);
            }
            words.push(reason.word());
        }
        Err(format!("reasons: {}", words.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::{REASONS, RevocationReason};

    #[test]
    fn reasons_are_read_as_they_are_written() {
        for reason in REASONS {
            let read: RevocationReason = reason.word().to_uppercase().parse().unwrap();
            assert_eq!(read, reason);
        }
        assert!("certificate-hold".parse::<RevocationReason>().is_err());
    }
}
