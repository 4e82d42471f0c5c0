//! A list of revoked certificates (RFC 5280 5): whose, when, how many.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use x509_parser::extensions::{GeneralName, IssuerAlternativeName};
use x509_parser::oid_registry::asn1_rs::{Oid, oid};
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};
use x509_parser::x509::ReasonCode;

use super::certificate::{Certificate, instant, printable_name};
use super::key::sha256;
use super::oid;

/// What a list says. certctl fetches none: one that is given is believed, whoever signed it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RevocationList {
    /// The issuer in RFC 4514 order. Foreign text.
    pub issuer: String,
    /// When it was made.
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
    /// It only tells what changed since another list (RFC 5280 5.2.4).
    pub delta: bool,
    /// Whose certificates it revokes, and their serial numbers, as [`Certificate::serial`] writes
    /// them.
    serials: HashMap<Vec<u8>, HashSet<String>>,
    /// What it takes off the list that it is a delta to.
    lifted: HashMap<Vec<u8>, HashSet<String>>,
}

/// `deltaCRLIndicator` (RFC 5280 5.2.4).
const DELTA: Oid<'_> = oid!(2.5.29.27);
/// `certificateIssuer` of an entry (RFC 5280 5.3.3).
const ENTRY_ISSUER: Oid<'_> = oid!(2.5.29.29);

impl RevocationList {
    /// Reads DER; `None` where it is no list.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (rest, list) = CertificateRevocationList::from_der(der).ok()?;
        let (mut serials, mut lifted) =
            (HashMap::<Vec<u8>, HashSet<String>>::new(), HashMap::new());
        // The entries of an indirect list are of whom they name, and of the one before where they
        // name nobody.
        let mut issuer = list.issuer().as_raw().to_vec();
        serials.insert(issuer.clone(), HashSet::new());
        for entry in list.iter_revoked_certificates() {
            if let Some(other) = entry_issuer(entry) {
                issuer = other;
            }
            let lifts = entry
                .reason_code()
                .is_some_and(|(_, why)| why == ReasonCode::RemoveFromCRL);
            let to = if lifts { &mut lifted } else { &mut serials };
            to.entry(issuer.clone())
                .or_default()
                .insert(hex::encode(entry.raw_serial()));
        }
        Some(Self {
            issuer: printable_name(list.issuer()),
            this_update: instant(list.last_update()),
            next_update: list.next_update().map(instant),
            number: list.crl_number().map(ToString::to_string),
            revoked: serials.values().map(HashSet::len).sum(),
            signature_algorithm: oid::signature(&list.signature_algorithm.algorithm),
            sha256: hex::encode(sha256(&der[..der.len() - rest.len()])),
            delta: list
                .extensions()
                .iter()
                .any(|extension| extension.oid == DELTA),
            serials,
            lifted,
        })
    }

    /// Whether it revokes `certificate` (issuer and serial number; RFC 5280 5.3).
    #[must_use]
    pub fn revokes(&self, certificate: &Certificate) -> bool {
        has(&self.serials, certificate)
    }

    /// Whether it takes `certificate` off an earlier list (`removeFromCRL`, RFC 5280 5.3.1).
    #[must_use]
    pub fn lifts(&self, certificate: &Certificate) -> bool {
        has(&self.lifted, certificate)
    }

    /// Of whose certificates it says anything: the DER of their names.
    pub fn issuers(&self) -> impl Iterator<Item = &[u8]> {
        self.serials
            .keys()
            .chain(self.lifted.keys())
            .map(Vec::as_slice)
    }
}

fn has(all: &HashMap<Vec<u8>, HashSet<String>>, certificate: &Certificate) -> bool {
    all.get(certificate.issuer_der())
        .is_some_and(|serials| serials.contains(&certificate.serial))
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
