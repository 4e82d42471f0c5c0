//! What can be wrong with a chain or a pair, each with its code.

use jiff::Timestamp;

use crate::pki::key::{KeyAlgorithm, PublicKeyId};
use crate::pki::name::listed;
use crate::pki::trust::TrustSource;

/// What is wrong with a chain or a pair: facts only; the advice is `failure`'s.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChainProblem {
    /// The leaf is a CA certificate.
    #[error("{label} is a CA's certificate, not a site's")]
    CaAsLeaf {
        /// The certificate in words.
        label: String,
    },
    /// After its last second.
    #[error("the certificate {label} ended on {not_after}")]
    Expired {
        /// The certificate in words.
        label: String,
        /// When it expired.
        not_after: Timestamp,
        /// Whether it is the site's own certificate.
        leaf: bool,
    },
    /// A host that the certificate is not for.
    #[error("the certificate is not for {host}: it names {}", listed(names))]
    HostNotCovered {
        /// The host asked for.
        host: String,
        /// What the certificate names.
        names: Vec<String>,
    },
    /// An issuer is missing.
    #[error(
        "an intermediate certificate is missing: nothing here issued {subject}; its issuer is \
            {issuer}; nginx starts, and curl and phones say \"unable to get local issuer \
            certificate\""
    )]
    MissingIntermediate {
        /// The certificate without issuer, in words.
        subject: String,
        /// The issuer that is wanted.
        issuer: String,
        /// Where the CA offers it.
        urls: Vec<String>,
        /// Whose roots it does not lead to.
        trust: TrustSource,
    },
    /// The site's certificate names no site.
    #[error(
        "the certificate {label} has no subject alternative name: no client accepts it for any host"
    )]
    NoNames {
        /// The certificate in words.
        label: String,
    },
    /// Before its first second.
    #[error("the certificate {label} is not valid before {not_before}; it is now {at}")]
    NotYetValid {
        /// The certificate in words.
        label: String,
        /// When it begins to be valid.
        not_before: Timestamp,
        /// The instant of the judgement.
        at: Timestamp,
    },
    /// Path validation refused it for a reason that has no variant of its own.
    #[error("the chain is refused: {reason}")]
    Refused {
        /// The verifier's words.
        reason: String,
    },
    /// The site's certificate signed itself.
    #[error("{label} is self-signed: no CA stands behind it")]
    SelfSigned {
        /// The certificate in words.
        label: String,
    },
    /// The bag holds too many certificates of the same names.
    #[error(
        "no chain was found within the number of signatures that are checked: the files hold too \
            many certificates of the same names"
    )]
    TooManyCandidates,
    /// The chain is complete but nobody trusts its root.
    #[error("the chain ends in {root}, which is not in {source_name}")]
    UnknownRoot {
        /// The root in words.
        root: String,
        /// Whose list it was looked up in.
        source_name: String,
    },
    /// RSA below 2048 bits (CA/B Forum BR 6.1.5).
    #[error(
        "the certificate {label} has a key of kind {algorithm}: too short, no CA may issue for it \
            and clients refuse it"
    )]
    WeakKey {
        /// The certificate in words.
        label: String,
        /// The kind of its key.
        algorithm: KeyAlgorithm,
    },
    /// A signature that nobody trusts today.
    #[error(
        "the signature of {issuer} on {subject} is of a kind that nobody trusts today (SHA-1, MD5 \
            or a short key)"
    )]
    WeakSignature {
        /// The certificate with that signature, in words.
        subject: String,
        /// The issuer that is missing.
        issuer: String,
    },
    /// The key is of another kind than the certificate's: `nginx -t` passes this.
    #[error(
        "the private key is {key}, the certificate {label} carries a key of kind {leaf}: they \
            cannot belong together; nginx -t accepts them, and then every handshake fails"
    )]
    WrongKeyKind {
        /// The algorithm of the private key.
        key: KeyAlgorithm,
        /// The algorithm of the certificate's key.
        leaf: KeyAlgorithm,
        /// The certificate in words.
        label: String,
    },
    /// Same kind, another key.
    #[error("the private key does not belong to the certificate {label}: the key is {}, the \
        certificate carries {}; servers say \"key values mismatch\"", key.short(), leaf.short())]
    WrongKey {
        /// The id of the private key.
        key: PublicKeyId,
        /// The id of the certificate's key.
        leaf: PublicKeyId,
        /// The certificate in words.
        label: String,
    },
}

impl ChainProblem {
    /// The stable code of the finding.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::CaAsLeaf { .. } => "ca-as-leaf",
            Self::Expired { leaf: true, .. } => "expired",
            Self::Expired { leaf: false, .. } => "intermediate-expired",
            Self::HostNotCovered { .. } => "host-not-covered",
            Self::MissingIntermediate { .. } => "missing-intermediate",
            Self::NoNames { .. } => "no-names",
            Self::NotYetValid { .. } => "not-yet-valid",
            Self::Refused { .. } => "chain-refused",
            Self::SelfSigned { .. } => "self-signed",
            Self::TooManyCandidates => "too-many-candidates",
            Self::UnknownRoot { .. } => "unknown-root",
            Self::WeakKey { .. } => "weak-key",
            Self::WeakSignature { .. } => "weak-signature",
            Self::WrongKey { .. } => "wrong-key",
            Self::WrongKeyKind { .. } => "wrong-key-type",
        }
    }
}
