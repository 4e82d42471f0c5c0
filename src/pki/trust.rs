//! What a chain must end in: Mozilla's list, compiled in, or the certificates of a file.

use rustls::pki_types::{CertificateDer, TrustAnchor};

use super::certificate::Certificate;

/// Where the anchors come from; printed with every verdict.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TrustSource {
    /// Mozilla's root store as compiled in.
    Mozilla,
    /// A file of the user's; holds its path.
    File(String),
}

impl std::fmt::Display for TrustSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mozilla => f.write_str("Mozilla's list"),
            Self::File(path) => f.write_str(path),
        }
    }
}

/// Trust anchors (RFC 5280 6.1.1 d).
#[derive(Clone, Debug)]
pub struct TrustAnchors {
    source: TrustSource,
    anchors: Vec<TrustAnchor<'static>>,
    /// The certificates of a file; an anchor itself keeps neither dates nor constraints.
    certificates: Vec<Certificate>,
}

impl TrustAnchors {
    /// Mozilla's root store.
    #[must_use]
    pub fn mozilla() -> Self {
        Self {
            source: TrustSource::Mozilla,
            anchors: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            certificates: Vec::new(),
        }
    }

    /// The certificates of a file; whoever names the file trusts them, roots or not.
    #[must_use]
    pub fn from_certificates(path: &str, certificates: &[Certificate]) -> Self {
        let anchor = |certificate: &Certificate| {
            let der = CertificateDer::from(certificate.der());
            webpki::anchor_from_trusted_cert(&der).ok().map(|anchor| anchor.to_owned())
        };
        Self {
            source: TrustSource::File(path.to_owned()),
            anchors: certificates.iter().filter_map(anchor).collect(),
            certificates: certificates.to_vec(),
        }
    }

    /// Where they come from.
    #[must_use]
    pub fn source(&self) -> &TrustSource {
        &self.source
    }

    /// The anchors, for path validation.
    #[must_use]
    pub fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }

    /// True when there is none: the file held no certificate that can be an anchor.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The certificates of the file that signed `certificate`; none of Mozilla's, whose roots are judged by Mozilla.
    pub(super) fn signers_of(&self, certificate: &Certificate) -> Vec<&Certificate> {
        self.certificates.iter().filter(|signer| certificate.is_signed_by(signer)).collect()
    }

    /// The anchors whose subject is the issuer of `certificate`, as DER `SubjectPublicKeyInfo`.
    pub(super) fn issuers_of(&self, certificate: &Certificate) -> impl Iterator<Item = Vec<u8>> {
        let issuer = super::der::split(certificate.issuer_der()).map(|(name, _)| name.value.to_vec());
        self.anchors
            .iter()
            .filter(move |anchor| Some(anchor.subject.as_ref()) == issuer.as_deref())
            .map(|anchor| webpki::spki_for_anchor(anchor).as_ref().to_vec())
    }
}
