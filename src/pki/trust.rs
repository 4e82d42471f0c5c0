//! Trust anchors: Mozilla's list, which is compiled in, the system's roots, or the certificates of
//! a file.

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, TrustAnchor};

use super::certificate::Certificate;
use super::der;
use super::key::PublicKeyId;

/// The date of the compiled list: what Mozilla trusted for TLS servers then (crate webpki-roots
/// 1.0.10, made from the `IncludedCACertificateReportPEMCSV` report of ccadb.org).
pub(crate) const MOZILLA_DATE: &str = "2026-10-19";

/// The source of the trust anchors; printed with every verdict.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TrustSource {
    /// Mozilla's root store as compiled in.
    Mozilla,
    /// The roots of this machine.
    System,
    /// A file that the user gave; holds its path.
    File(String),
}

impl TrustSource {
    /// Returns which rules apply to certificates with such an anchor: the anchors of a file are not
    /// public CAs.
    #[must_use]
    pub fn scope(&self) -> TrustScope {
        if matches!(self, Self::File(_)) {
            TrustScope::Private
        } else {
            TrustScope::Public
        }
    }
}

impl std::fmt::Display for TrustSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mozilla => write!(f, "Mozilla's list of {MOZILLA_DATE}"),
            Self::System => f.write_str("this system's roots"),
            Self::File(path) => f.write_str(path),
        }
    }
}

/// Which rules apply to a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TrustScope {
    /// All rules, including those for public CAs.
    Public,
    /// A private CA: only the rules for all certificates.
    Private,
}

/// Returns the certificates of a file that are trusted: if it has CA certificates, not those that it
/// has below them, such as the server certificate in the zip of a company's CA.
#[must_use]
pub(crate) fn select_anchors(mut certificates: Vec<Certificate>) -> Vec<Certificate> {
    if certificates.iter().any(|one| one.is_ca) {
        certificates.retain(|one| one.is_ca || one.is_self_issued());
    }
    certificates
}

/// Trust anchors (RFC 5280 6.1.1 d).
#[derive(Clone, Debug)]
pub struct TrustAnchors {
    source: TrustSource,
    anchors: Vec<TrustAnchor<'static>>,
    /// The certificates of the anchors, which themselves have neither dates nor usages. Empty for
    /// Mozilla's list: Mozilla checks its roots.
    certificates: Vec<Certificate>,
}

impl TrustAnchors {
    /// The compiled list of Mozilla.
    #[must_use]
    pub fn mozilla() -> Self {
        Self {
            source: TrustSource::Mozilla,
            anchors: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            certificates: Vec::new(),
        }
    }

    /// The certificates of a file that the user trusts, roots or not.
    #[must_use]
    pub fn from_certificates(path: &str, certificates: &[Certificate]) -> Self {
        Self::new(TrustSource::File(path.to_owned()), certificates)
    }

    /// The roots of this machine.
    #[must_use]
    pub fn system(certificates: &[Certificate]) -> Self {
        Self::new(TrustSource::System, certificates)
    }

    /// Selects those of this machine's roots (DER) that have one of `names` (DER) as their subject.
    /// No other can end a chain with these names, and parsing all of them would take longer than
    /// verifying the chain.
    #[must_use]
    pub fn system_named(roots: &[Vec<u8>], names: &[&[u8]]) -> Self {
        let names: Vec<&[u8]> = names
            .iter()
            .filter_map(|name| der::split_element(name))
            .map(|(name, _)| name.value)
            .collect();
        let certificates: Vec<Certificate> = roots
            .iter()
            .filter(|root| has_subject(root, &names))
            .filter_map(|root| Certificate::from_der(root).ok())
            .collect();
        Self::system(&certificates)
    }

    fn new(source: TrustSource, certificates: &[Certificate]) -> Self {
        let mut anchors = Vec::new();
        for certificate in certificates {
            let der = CertificateDer::from(certificate.der());
            if let Ok(anchor) = webpki::anchor_from_trusted_cert(&der) {
                anchors.push(anchor.to_owned());
            }
        }
        Self {
            source,
            anchors,
            certificates: certificates.to_vec(),
        }
    }

    /// The source of the anchors.
    #[must_use]
    pub fn source(&self) -> &TrustSource {
        &self.source
    }

    /// The certificates of the anchors; none for Mozilla's list.
    pub(crate) fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The anchors, for a TLS client.
    pub(crate) fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }

    /// Returns whether there is no anchor, because the file contains no certificate that can be
    /// one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The anchors with that name (DER) and key, for path validation.
    pub(super) fn with_key(&self, name: &[u8], key: PublicKeyId) -> Vec<TrustAnchor<'static>> {
        self.named(name)
            .filter(|anchor| key_of(anchor) == key)
            .cloned()
            .collect()
    }

    /// Returns whether an anchor has that name (DER) and key.
    pub(crate) fn has_name(&self, name: &[u8], key: PublicKeyId) -> bool {
        self.named(name).any(|anchor| key_of(anchor) == key)
    }

    /// The keys of the anchors whose subject is `name` (DER), as DER `SubjectPublicKeyInfo`.
    pub(super) fn keys_of(&self, name: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        self.named(name)
            .map(|anchor| webpki::spki_for_anchor(anchor).as_ref().to_vec())
    }

    /// The certificates of the anchor with that key; none for Mozilla's list.
    pub(super) fn certificates_with_key(
        &self,
        key: PublicKeyId,
    ) -> impl Iterator<Item = &Certificate> {
        self.certificates
            .iter()
            .filter(move |certificate| certificate.key_id == key)
    }

    /// The name constraints of the anchor with that key: the content of their SEQUENCE.
    pub(super) fn constraints_with_key(&self, key: PublicKeyId) -> Option<&[u8]> {
        self.anchors
            .iter()
            .filter(|anchor| anchor.name_constraints.is_some() && key_of(anchor) == key)
            .find_map(|anchor| anchor.name_constraints.as_deref())
    }

    /// The names (DER) and keys (DER `SubjectPublicKeyInfo`) of all anchors.
    pub(super) fn names_and_keys(&self) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
        self.anchors.iter().map(|anchor| {
            let name = der::encode_element(der::SEQUENCE, &[anchor.subject.as_ref()]);
            (name, webpki::spki_for_anchor(anchor).as_ref().to_vec())
        })
    }

    fn named(&self, name: &[u8]) -> impl Iterator<Item = &TrustAnchor<'static>> {
        let name = der::split_element(name).map(|(name, _)| name.value.to_vec());
        self.anchors
            .iter()
            .filter(move |anchor| Some(anchor.subject.as_ref()) == name.as_deref())
    }

    /// Returns why the anchor with that key does not permit `below` intermediates at `at`. If it
    /// has several certificates, one that permits them is enough.
    pub(super) fn find_refusal(
        &self,
        key: PublicKeyId,
        below: usize,
        at: Timestamp,
    ) -> Option<String> {
        let mut first = None;
        for certificate in self.certificates.iter().filter(|one| one.key_id == key) {
            match self.fault(certificate, below, at) {
                None => return None,
                Some(fault) => first.get_or_insert(fault),
            };
        }
        first
    }

    fn fault(&self, anchor: &Certificate, below: usize, at: Timestamp) -> Option<String> {
        let label = anchor.label();
        let source = &self.source;
        let usage = anchor.usage;
        let below = u32::try_from(below).unwrap_or(u32::MAX);
        let root = format!("the root {label} in {source}");
        if !anchor.is_in_date(at) {
            let from = anchor.not_before;
            let to = anchor.not_after;
            return Some(format!("{root} is valid only from {from} to {to}"));
        }
        if !usage.may_be_root {
            return Some(format!(
                "{label} in {source} is no CA's certificate (basic constraints, RFC 5280 4.2.1.9)"
            ));
        }
        if !usage.signs_certificates {
            return Some(format!(
                "{root} may not sign certificates (key usage, RFC 5280 4.2.1.3)"
            ));
        }
        if usage.path_length.is_some_and(|most| below > most) {
            return Some(format!(
                "{root} allows fewer CAs below it (path length, RFC 5280 4.2.1.9)"
            ));
        }
        (!usage.for_servers)
            .then(|| format!("{root} is not meant for TLS servers (extended key usage)"))
    }
}

/// Returns whether `root` (DER) has one of `names` (values of DER names) as its subject.
fn has_subject(root: &[u8], names: &[&[u8]]) -> bool {
    let root = CertificateDer::from(root);
    webpki::anchor_from_trusted_cert(&root)
        .is_ok_and(|anchor| names.contains(&anchor.subject.as_ref()))
}

fn key_of(anchor: &TrustAnchor<'_>) -> PublicKeyId {
    PublicKeyId::of_spki(webpki::spki_for_anchor(anchor).as_ref())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_date_of_the_list_is_that_of_the_crate() {
        let locked = include_str!("../../Cargo.lock")
            .contains("name = \"webpki-roots\"\nversion = \"1.0.10\"\n");
        assert!(
            locked,
            "another list: give MOZILLA_DATE the day that it was published on crates.io"
        );
    }
}
