//! What a chain must end in: Mozilla's list, compiled in, the system's roots, or the certificates
//! of a file.

use jiff::Timestamp;
use rustls::pki_types::{CertificateDer, TrustAnchor};

use super::certificate::Certificate;
use super::der;
use super::key::PublicKeyId;

/// The day of Mozilla's list as compiled in: what it trusted for TLS servers (crate webpki-roots
/// 1.0.10, made from the `IncludedCACertificateReportPEMCSV` report of ccadb.org).
pub(crate) const MOZILLA_DATE: &str = "2026-10-19";

/// Where the anchors come from; printed with every verdict.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TrustSource {
    /// Mozilla's root store as compiled in.
    Mozilla,
    /// The roots of this machine.
    System,
    /// A file of the user's; holds its path.
    File(String),
}

impl TrustSource {
    /// By whose rules what leads to it is judged: a file of somebody's own is of no public CA.
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

/// By whose rules a certificate is judged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TrustScope {
    /// Those for public CAs too.
    Public,
    /// A company's own CA: those that bind everybody.
    Private,
}

/// Trust anchors (RFC 5280 6.1.1 d).
#[derive(Clone, Debug)]
pub struct TrustAnchors {
    source: TrustSource,
    anchors: Vec<TrustAnchor<'static>>,
    /// The certificates that they were made of; an anchor itself keeps neither dates nor usages.
    /// None of Mozilla's, whose roots are judged by Mozilla.
    certificates: Vec<Certificate>,
}

impl TrustAnchors {
    /// The list that is compiled in.
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
        Self::made_of(TrustSource::File(path.to_owned()), certificates)
    }

    /// The roots of this machine.
    #[must_use]
    pub fn system(certificates: &[Certificate]) -> Self {
        Self::made_of(TrustSource::System, certificates)
    }

    /// Those of this machine's roots (DER) that have one of `names` (DER) as their subject: no
    /// other can end a chain in which these are the names, and to read all of them takes longer
    /// than to judge the chain.
    #[must_use]
    pub fn system_named(roots: &[Vec<u8>], names: &[&[u8]]) -> Self {
        let names: Vec<&[u8]> = names
            .iter()
            .filter_map(|name| der::split(name))
            .map(|(name, _)| name.value)
            .collect();
        let meant = |root: &&Vec<u8>| {
            let root = CertificateDer::from(root.as_slice());
            webpki::anchor_from_trusted_cert(&root)
                .is_ok_and(|anchor| names.contains(&anchor.subject.as_ref()))
        };
        let meant = roots
            .iter()
            .filter(meant)
            .filter_map(|root| Certificate::from_der(root).ok());
        Self::system(&meant.collect::<Vec<_>>())
    }

    fn made_of(source: TrustSource, certificates: &[Certificate]) -> Self {
        let anchor = |certificate: &Certificate| {
            let der = CertificateDer::from(certificate.der());
            webpki::anchor_from_trusted_cert(&der)
                .ok()
                .map(|anchor| anchor.to_owned())
        };
        let anchors = certificates.iter().filter_map(anchor).collect();
        Self {
            source,
            anchors,
            certificates: certificates.to_vec(),
        }
    }

    /// Where they come from.
    #[must_use]
    pub fn source(&self) -> &TrustSource {
        &self.source
    }

    /// True when there is none: the file held no certificate that can be an anchor.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The anchors of that name (DER) and key, for path validation.
    pub(super) fn of(&self, name: &[u8], key: PublicKeyId) -> Vec<TrustAnchor<'static>> {
        self.named(name)
            .filter(|anchor| key_of(anchor) == key)
            .cloned()
            .collect()
    }

    /// The keys of the anchors whose subject is `name` (DER), as DER `SubjectPublicKeyInfo`.
    pub(super) fn keys_of(&self, name: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        self.named(name)
            .map(|anchor| webpki::spki_for_anchor(anchor).as_ref().to_vec())
    }

    fn named(&self, name: &[u8]) -> impl Iterator<Item = &TrustAnchor<'static>> {
        let name = der::split(name).map(|(name, _)| name.value.to_vec());
        self.anchors
            .iter()
            .filter(move |anchor| Some(anchor.subject.as_ref()) == name.as_deref())
    }

    /// Why the anchor with that key may not stand above `below` intermediates at `at`; one
    /// certificate of it that is fine is enough.
    pub(super) fn refusal(&self, key: PublicKeyId, below: usize, at: Timestamp) -> Option<String> {
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
        let (label, source, usage) = (anchor.label(), &self.source, anchor.usage);
        let below = u32::try_from(below).unwrap_or(u32::MAX);
        let root = format!("the root {label} in {source}");
        if !anchor.is_in_date(at) {
            let (from, to) = (anchor.not_before, anchor.not_after);
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

fn key_of(anchor: &TrustAnchor<'_>) -> PublicKeyId {
    PublicKeyId::of_spki(webpki::spki_for_anchor(anchor).as_ref())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_lists_day_is_that_of_the_crate() {
        let locked = include_str!("../../Cargo.lock")
            .contains("name = \"webpki-roots\"\nversion = \"1.0.10\"\n");
        assert!(
            locked,
            "another list: give MOZILLA_DATE the day that it was published on crates.io"
        );
    }
}
