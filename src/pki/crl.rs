//! A list of revoked certificates (RFC 5280 5): whose, when, how many.

use std::collections::HashSet;

use jiff::Timestamp;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

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
    issuer_der: Vec<u8>,
    /// The serial numbers that it revokes, as [`Certificate::serial`] writes them.
    serials: HashSet<String>,
}

impl RevocationList {
    /// Reads DER; `None` where it is no list.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (rest, list) = CertificateRevocationList::from_der(der).ok()?;
        Some(Self {
            issuer: printable_name(list.issuer()),
            this_update: instant(list.last_update()),
            next_update: list.next_update().map(instant),
            number: list.crl_number().map(ToString::to_string),
            revoked: list.iter_revoked_certificates().count(),
            signature_algorithm: oid::signature(&list.signature_algorithm.algorithm),
            sha256: hex::encode(sha256(&der[..der.len() - rest.len()])),
            issuer_der: list.issuer().as_raw().to_vec(),
            serials: list.iter_revoked_certificates().map(|revoked| hex::encode(revoked.raw_serial())).collect(),
        })
    }

    /// Whether it revokes `certificate` (issuer and serial number; RFC 5280 5.3).
    #[must_use]
    pub fn revokes(&self, certificate: &Certificate) -> bool {
        self.issuer_der == certificate.issuer_der() && self.serials.contains(&certificate.serial)
    }
}
