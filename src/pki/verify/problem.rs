//! Problems of a chain or of a certificate and its key, with their codes.

use jiff::Timestamp;

use crate::pki::client_rules::BrokenRule;
use crate::pki::key::{KeyAlgorithm, PublicKeyId};
use crate::pki::name::join_listed;
use crate::pki::trust::TrustSource;
use crate::wording::{date_and_time, day};

/// A problem of a chain or of a certificate and its key. The advice is in `advice`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChainProblem {
    /// A rule that OpenSSL, Go or a browser applies.
    #[error("{0}")]
    BrokenRule(BrokenRule),
    /// The leaf is a CA certificate.
    #[error("{label} is a CA certificate, not a server certificate")]
    CaAsLeaf {
        /// The label of the certificate.
        label: String,
    },
    /// The certificate has expired.
    #[error("the certificate {label} expired on {}", day(*not_after))]
    Expired {
        /// The label of the certificate.
        label: String,
        /// The expiry date.
        not_after: Timestamp,
        /// Whether it is the leaf.
        leaf: bool,
    },
    /// A host that the certificate does not cover (RFC 9525 6.3).
    #[error(
        "the certificate does not cover {host}; it covers {}",
        join_listed(names)
    )]
    HostNotCovered {
        /// The requested host.
        host: String,
        /// The names of the certificate.
        names: Vec<String>,
    },
    /// An issuer is missing.
    #[error(
        "an intermediate certificate is missing: {subject} was issued by {issuer}, which was not \
            found; servers start without it, but curl and phones report \"unable to get local \
            issuer certificate\""
    )]
    MissingIntermediate {
        /// The label of the certificate without issuer.
        subject: String,
        /// The name of the missing issuer.
        issuer: String,
        /// The URLs where the CA publishes it.
        urls: Vec<String>,
        /// The trust anchors that it does not lead to.
        trust: TrustSource,
    },
    /// The leaf has no subject alternative name.
    #[error(
        "the certificate {label} has no subject alternative name, so no client accepts it for any \
            host"
    )]
    NoNames {
        /// The label of the certificate.
        label: String,
    },
    /// The certificate is not valid yet.
    #[error("the certificate {label} is not valid before {}; the time is {}",
        date_and_time(*not_before), date_and_time(*at))]
    NotYetValid {
        /// The label of the certificate.
        label: String,
        /// The start of its validity.
        not_before: Timestamp,
        /// The time of the verification.
        at: Timestamp,
    },
    /// Path validation refused it for a reason that has no variant of its own.
    #[error("path validation failed: {reason}")]
    Refused {
        /// The reason in words.
        reason: String,
    },
    /// The leaf is self-signed.
    #[error("{label} is self-signed, not issued by a CA")]
    SelfSigned {
        /// The label of the certificate.
        label: String,
    },
    /// The bag holds too many certificates of the same names.
    #[error(
        "no chain was found within the limit of signature checks: the files contain too many \
            certificates with the same names"
    )]
    TooManyCandidates,
    /// The issuer is in neither the bag nor a public list, and the certificate does not name a URL of
    /// it: an intermediate, or the root of a company's own CA.
    #[error(
        "the issuer of {subject} was not found: {issuer} is neither with it nor in {source_name}; \
            it is a missing intermediate or the root of a company's own CA"
    )]
    UnknownIssuer {
        /// The label of the certificate without issuer.
        subject: String,
        /// The name of the issuer.
        issuer: String,
        /// The list of trusted roots that lacks it.
        source_name: String,
    },
    /// The chain is complete but its root is not trusted.
    #[error("the root {root} is not trusted: it is not in {source_name}")]
    UnknownRoot {
        /// The label of the root.
        root: String,
        /// The list of trusted roots that lacks it.
        source_name: String,
    },
    /// RSA below 2048 bits (CA/B Forum BR 6.1.5).
    #[error(
        "the key of the certificate {label} ({algorithm}) is too short: CAs may not issue \
            certificates for it, and clients refuse it"
    )]
    WeakKey {
        /// The label of the certificate.
        label: String,
        /// The algorithm of its key.
        algorithm: KeyAlgorithm,
    },
    /// A signature with an algorithm that is no longer trusted.
    #[error(
        "the signature of {issuer} on {subject} uses an algorithm that is no longer trusted (SHA-1, \
            MD5 or a short key)"
    )]
    WeakSignature {
        /// The label of the certificate with that signature.
        subject: String,
        /// The issuer that is missing.
        issuer: String,
    },
    /// The key has another algorithm than the certificate's key, which `nginx -t` accepts.
    #[error(
        "the private key ({key}) does not match the certificate {label}, whose key is {leaf}; \
            `nginx -t` accepts them, but every handshake fails"
    )]
    WrongKeyKind {
        /// The algorithm of the private key.
        key: KeyAlgorithm,
        /// The algorithm of the certificate's key.
        leaf: KeyAlgorithm,
        /// The label of the certificate.
        label: String,
    },
    /// The key has the same algorithm, but is another one.
    #[error("the private key does not match the certificate {label}: the key is {}, the \
        certificate contains {}; servers report \"key values mismatch\"", key.short(), leaf.short())]
    WrongKey {
        /// The id of the private key.
        key: PublicKeyId,
        /// The id of the certificate's key.
        leaf: PublicKeyId,
        /// The label of the certificate.
        label: String,
    },
}

impl ChainProblem {
    /// The stable code of the finding.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BrokenRule(broken) => broken.code(),
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
            Self::UnknownIssuer { .. } => "unknown-issuer",
            Self::UnknownRoot { .. } => "unknown-root",
            Self::WeakKey { .. } => "weak-key",
            Self::WeakSignature { .. } => "weak-signature",
            Self::WrongKey { .. } => "wrong-key",
            Self::WrongKeyKind { .. } => "wrong-key-type",
        }
    }
}
