//! Certificate revocation lists (RFC 5280 5): issuer, dates, and revoked serial numbers.

use crate::pki::fingerprint::Fingerprint;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use x509_parser::extensions::{GeneralName, IssuerAlternativeName};
use x509_parser::oid_registry::asn1_rs::{Oid, oid};
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};
use x509_parser::x509::ReasonCode;

use super::certificate::{Certificate, printable_name, to_timestamp};
use super::oid;

/// A certificate revocation list. The signature of one that is passed as a file is not checked; that
/// of a downloaded one is (`downloaded_list`).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RevocationList {
    /// The issuer in RFC 4514 order. Untrusted text.
    pub issuer: String,
    /// The time of issue.
    pub this_update: Timestamp,
    /// When the next one is due.
    pub next_update: Option<Timestamp>,
    /// Its number, decimal (RFC 5280 5.2.3).
    pub number: Option<String>,
    /// How many certificates it revokes.
    pub revoked: usize,
    /// The algorithm of its signature.
    pub signature_algorithm: String,
    /// SHA-256 of the DER.
    pub sha256: String,
    /// Whether it lists only the changes since another list (RFC 5280 5.2.4).
    pub delta: bool,
    /// The serial numbers of the certificates that it revokes.
    serials: SerialsByIssuer,
    /// The serial numbers that it removes from its base list.
    removed: SerialsByIssuer,
}

/// Serial numbers, as in [`Certificate::serial`], by the DER of the issuer's name.
type SerialsByIssuer = HashMap<Vec<u8>, HashSet<String>>;

/// The entries of a list.
struct RevokedSerials {
    revoked: SerialsByIssuer,
    /// Serial numbers that are removed from an earlier list.
    removed: SerialsByIssuer,
}

impl RevokedSerials {
    fn collect(list: &CertificateRevocationList<'_>) -> Self {
        let mut revoked = SerialsByIssuer::new();
        let mut removed = SerialsByIssuer::new();
        // In an indirect list, an entry without an issuer has that of the previous entry.
        let mut issuer = list.issuer().as_raw().to_vec();
        revoked.insert(issuer.clone(), HashSet::new());
        for entry in list.iter_revoked_certificates() {
            if let Some(entry_issuer) = entry_issuer(entry) {
                issuer = entry_issuer;
            }
            let serials = if is_removal(entry) {
                &mut removed
            } else {
                &mut revoked
            };
            serials
                .entry(issuer.clone())
                .or_default()
                .insert(hex::encode(entry.raw_serial()));
        }
        Self { revoked, removed }
    }
}

/// `deltaCRLIndicator` (RFC 5280 5.2.4).
const DELTA: Oid<'_> = oid!(2.5.29.27);
/// `certificateIssuer` of an entry (RFC 5280 5.3.3).
const ENTRY_ISSUER: Oid<'_> = oid!(2.5.29.29);

impl RevocationList {
    /// Parses DER; `None` if it is not a revocation list.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (rest, list) = CertificateRevocationList::from_der(der).ok()?;
        let der = &der[..der.len() - rest.len()];
        let RevokedSerials { revoked, removed } = RevokedSerials::collect(&list);
        let is_delta = list
            .extensions()
            .iter()
            .any(|extension| extension.oid == DELTA);
        Some(Self {
            issuer: printable_name(list.issuer()),
            this_update: to_timestamp(list.last_update()),
            next_update: list.next_update().map(to_timestamp),
            number: list.crl_number().map(ToString::to_string),
            revoked: revoked.values().map(HashSet::len).sum(),
            signature_algorithm: oid::signature(&list.signature_algorithm.algorithm),
            sha256: Fingerprint::of(der).to_string(),
            delta: is_delta,
            serials: revoked,
            removed,
        })
    }

    /// Returns whether it revokes `certificate` (issuer and serial number; RFC 5280 5.3).
    #[must_use]
    pub fn revokes(&self, certificate: &Certificate) -> bool {
        lists_serial(&self.serials, certificate)
    }

    /// Returns whether it removes `certificate` from an earlier list (`removeFromCRL`, RFC 5280
    /// 5.3.1).
    #[must_use]
    pub fn removes(&self, certificate: &Certificate) -> bool {
        lists_serial(&self.removed, certificate)
    }

    /// Returns the issuers of the certificates in it, as DER names.
    pub fn issuers(&self) -> impl Iterator<Item = &[u8]> {
        self.serials
            .keys()
            .chain(self.removed.keys())
            .map(Vec::as_slice)
    }
}

fn lists_serial(serials: &SerialsByIssuer, certificate: &Certificate) -> bool {
    serials
        .get(certificate.issuer_der())
        .is_some_and(|serials| serials.contains(&certificate.serial))
}

/// Returns whether an entry removes a certificate from an earlier list.
fn is_removal(entry: &RevokedCertificate<'_>) -> bool {
    entry
        .reason_code()
        .is_some_and(|(_, reason)| reason == ReasonCode::RemoveFromCRL)
}

fn entry_issuer(entry: &RevokedCertificate<'_>) -> Option<Vec<u8>> {
    let extension = entry
        .extensions()
        .iter()
        .find(|extension| extension.oid == ENTRY_ISSUER)?;
    let (_, names) = IssuerAlternativeName::from_der(extension.value).ok()?;
    names.general_names.iter().find_map(|name| match name {
        GeneralName::DirectoryName(name) => Some(name.as_raw().to_vec()),
        _ => None,
    })
}
