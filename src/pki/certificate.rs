//! One certificate (RFC 5280): its DER as given, and the fields that the rest of the program uses.

use crate::pki::fingerprint::Fingerprint;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::ops::Range;

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{
    AuthorityInfoAccess, AuthorityKeyIdentifier, GeneralName, ParsedExtension,
};
use x509_parser::oid_registry::asn1_rs::{Oid, oid};
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use super::folded_name::FoldedName;
use super::key::{KeyAlgorithm, PublicKeyId};
use super::name::DnsName;
use super::{der, oid, pem, signature};

mod fast_path;

/// Why bytes cannot be read as a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CertificateError {
    /// Not X.509, or damaged.
    #[error("not a certificate")]
    Malformed,
}

/// The usages that the extensions of a certificate allow; usages that they do not restrict are
/// allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CertificateUsage {
    /// `keyCertSign` (RFC 5280 4.2.1.3).
    pub signs_certificates: bool,
    /// The key usage has a bit that a TLS handshake needs: `digitalSignature`, `keyEncipherment` or
    /// `keyAgreement`.
    pub serves: bool,
    /// `serverAuth` or `anyExtendedKeyUsage` (RFC 5280 4.2.1.12).
    pub for_servers: bool,
    /// `serverAuth` itself, or no extended key usage at all: what clients require of every CA of a
    /// chain.
    pub server_auth: bool,
    /// `clientAuth`.
    pub for_clients: bool,
    /// `pathLenConstraint`: how many CAs may follow (RFC 5280 4.2.1.9).
    pub path_length: Option<u32>,
    /// `cA` is true, or there are no basic constraints (old roots have none).
    pub may_be_root: bool,
}

impl Default for CertificateUsage {
    fn default() -> Self {
        Self {
            signs_certificates: true,
            serves: true,
            for_servers: true,
            server_auth: true,
            for_clients: false,
            path_length: None,
            may_be_root: true,
        }
    }
}

/// A certificate that was parsed but not verified: see `verify`.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: Vec<u8>,
    /// The ranges of these fields in `der`.
    spki: Range<usize>,
    subject_der: Range<usize>,
    issuer_der: Range<usize>,
    /// The subject in RFC 4514 order, readable.
    pub subject: String,
    /// The issuer in RFC 4514 order, readable.
    pub issuer: String,
    /// `dNSName` entries of the subject alternative name, as written.
    pub dns_names: Vec<String>,
    /// `iPAddress` entries of the subject alternative name.
    pub ip_addresses: Vec<IpAddr>,
    /// The first second of validity.
    pub not_before: Timestamp,
    /// The last second of validity, included (RFC 5280 4.1.2.5).
    pub not_after: Timestamp,
    /// The serial number, lower-case hex.
    pub serial: String,
    /// `cA` of the basic constraints.
    pub is_ca: bool,
    /// The usages that its extensions allow.
    pub usage: CertificateUsage,
    /// Whether it has name constraints (RFC 5280 4.2.1.10).
    pub is_constrained: bool,
    /// The subject key identifier (RFC 5280 4.2.1.2): a hint, not a proof, which key of a CA it is.
    pub subject_key: Option<Vec<u8>>,
    /// The authority key identifier (RFC 5280 4.2.1.1): the same hint for its issuer.
    pub authority_key: Option<Vec<u8>>,
    /// The certificate of the issuer that the authority key identifier names besides its key; rare.
    pub(super) authority_certificate: Option<CertificateReference>,
    /// `caIssuers` URLs of the authority information access (RFC 5280 4.2.2.1).
    pub issuer_urls: Vec<String>,
    /// The algorithm of the key.
    pub algorithm: KeyAlgorithm,
    /// The key id.
    pub key_id: PublicKeyId,
    /// SHA-256 of the DER.
    pub fingerprint: Fingerprint,
}

/// A certificate by its issuer and serial number (RFC 5280 4.2.1.1).
#[derive(Clone, Debug)]
pub(super) struct CertificateReference {
    issuer: Option<FoldedName>,
    /// Lower-case hex.
    serial: Option<String>,
}

impl CertificateReference {
    fn read(id: &AuthorityKeyIdentifier<'_>) -> Option<Self> {
        let names = id.authority_cert_issuer.iter().flatten();
        let issuer = names
            .filter_map(|name| match name {
                GeneralName::DirectoryName(name) => FoldedName::of(name.as_raw()),
                _ => None,
            })
            .next();
        let serial = id.authority_cert_serial.map(hex::encode);
        (issuer.is_some() || serial.is_some()).then_some(Self { issuer, serial })
    }

    fn is_for(&self, certificate: &Certificate) -> bool {
        let serial = self.serial.as_ref();
        serial.is_none_or(|serial| *serial == certificate.serial)
            && (self.issuer.is_none() || self.issuer == FoldedName::of(certificate.issuer_der()))
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl Certificate {
    /// Parses DER; bytes after the certificate are ignored.
    ///
    /// # Errors
    /// See [`CertificateError`].
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let (rest, parsed) =
            X509Certificate::from_der(der).map_err(|_| CertificateError::Malformed)?;
        let der = &der[..der.len() - rest.len()];
        let spki = parsed.public_key().raw;
        let mut certificate = Self {
            der: der.to_vec(),
            spki: place(spki, der),
            subject_der: place(parsed.subject().as_raw(), der),
            issuer_der: place(parsed.issuer().as_raw(), der),
            subject: printable_name(parsed.subject()),
            issuer: printable_name(parsed.issuer()),
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            not_before: to_timestamp(parsed.validity().not_before),
            not_after: to_timestamp(parsed.validity().not_after),
            serial: hex::encode(parsed.raw_serial()),
            is_ca: false,
            usage: CertificateUsage::default(),
            is_constrained: false,
            subject_key: None,
            authority_key: None,
            authority_certificate: None,
            issuer_urls: Vec::new(),
            algorithm: KeyAlgorithm::of_spki(spki),
            key_id: PublicKeyId::of_spki(spki),
            fingerprint: Fingerprint::of(der),
        };
        for extension in parsed.extensions() {
            certificate.add_extension(extension.parsed_extension());
        }
        Ok(certificate)
    }

    fn add_extension(&mut self, extension: &ParsedExtension<'_>) {
        match extension {
            ParsedExtension::BasicConstraints(basic) => {
                self.is_ca = basic.ca;
                self.usage.path_length = basic.path_len_constraint;
                self.usage.may_be_root = basic.ca;
            }
            ParsedExtension::KeyUsage(usage) => {
                self.usage.signs_certificates = usage.key_cert_sign();
                self.usage.serves =
                    usage.digital_signature() || usage.key_encipherment() || usage.key_agreement();
            }
            ParsedExtension::ExtendedKeyUsage(purposes) => {
                self.usage.for_servers = purposes.any || purposes.server_auth;
                self.usage.server_auth = purposes.server_auth;
                self.usage.for_clients = purposes.client_auth;
            }
            ParsedExtension::NameConstraints(_) => self.is_constrained = true,
            ParsedExtension::SubjectKeyIdentifier(id) => self.subject_key = Some(id.0.to_vec()),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                self.authority_key = id.key_identifier.as_ref().map(|id| id.0.to_vec());
                self.authority_certificate = CertificateReference::read(id);
            }
            ParsedExtension::SubjectAlternativeName(san) => self.add_names(&san.general_names),
            ParsedExtension::AuthorityInfoAccess(access) => self.add_issuer_urls(access),
            _ => {}
        }
    }

    fn add_names(&mut self, names: &[GeneralName<'_>]) {
        for name in names {
            match name {
                GeneralName::DNSName(dns) => self.dns_names.push((*dns).to_owned()),
                GeneralName::IPAddress(octets) => {
                    self.ip_addresses.extend(parse_ip_address(octets))
                }
                _ => {}
            }
        }
    }

    fn add_issuer_urls(&mut self, access: &AuthorityInfoAccess<'_>) {
        for description in access.iter() {
            if description.access_method != CA_ISSUERS {
                continue;
            }
            if let GeneralName::URI(url) = &description.access_location {
                self.issuer_urls.push((*url).to_owned());
            }
        }
    }

    /// The DER as given.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.der[self.spki.clone()]
    }

    /// The DER of the subject, which certificates issued by it repeat as their issuer.
    #[must_use]
    pub fn subject_der(&self) -> &[u8] {
        &self.der[self.subject_der.clone()]
    }

    /// The DER of the issuer.
    #[must_use]
    pub fn issuer_der(&self) -> &[u8] {
        &self.der[self.issuer_der.clone()]
    }

    /// A `CERTIFICATE` block.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    /// SHA-256 of the DER, lower-case hex.
    #[must_use]
    pub fn sha256(&self) -> String {
        self.fingerprint.to_string()
    }

    /// Returns whether subject and issuer are the same name: a root, or another self-signed
    /// certificate.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject_der() == self.issuer_der()
    }

    /// Returns whether it may be a server certificate: neither a CA certificate nor an old root,
    /// which is self-issued without any alternative name (version 1, or no basic constraints).
    #[must_use]
    pub fn is_server_certificate(&self) -> bool {
        let nameless = self.dns_names.is_empty() && self.ip_addresses.is_empty();
        !(self.is_ca || self.is_self_issued() && nameless)
    }

    /// Returns whether `issuer` signed it: compares the name and checks the signature, not dates or
    /// usages.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &Self) -> bool {
        self.issuer_der() == issuer.subject_der()
            && signature::check_signature(&self.der, issuer.spki()).is_ok()
    }

    /// Returns whether its authority key identifier, as far as it has one, names the certificate
    /// `issuer`. What is absent in either is not compared, as in OpenSSL.
    #[must_use]
    pub(super) fn names_as_issuer(&self, issuer: &Self) -> bool {
        let is_same_key = match (&self.authority_key, &issuer.subject_key) {
            (Some(wanted), Some(own)) => wanted == own,
            _ => true,
        };
        let reference = self.authority_certificate.as_ref();
        is_same_key && reference.is_none_or(|reference| reference.is_for(issuer))
    }

    /// Returns whether it may be used for `host` by its alternative names (RFC 9525: never by its
    /// common name).
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        if let Ok(ip_address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return self.ip_addresses.contains(&ip_address);
        }
        self.dns_names
            .iter()
            .filter_map(|name| DnsName::parse_presented(name))
            .any(|name| name.covers(host))
    }

    /// Returns whether `at` is between its dates, both included, with a precision of one second
    /// (RFC 5280 4.1.2.5).
    #[must_use]
    pub fn is_in_date(&self, at: Timestamp) -> bool {
        (self.not_before.as_second()..=self.not_after.as_second()).contains(&at.as_second())
    }

    /// A sort key: the greatest is valid at `at`, then the newest.
    #[must_use]
    pub fn usability_rank(&self, at: Timestamp) -> (bool, Timestamp, Timestamp) {
        (self.is_in_date(at), self.not_before, self.not_after)
    }

    /// A short label: the first DNS name, else the common name of the subject, else the subject.
    #[must_use]
    pub fn label(&self) -> String {
        if !self.is_ca
            && let Some(name) = self.dns_names.first()
        {
            return shortened(name);
        }
        match split_name(&self.subject).find_map(|part| part.strip_prefix("CN=")) {
            Some(name) => shortened(name),
            None if self.subject.is_empty() => format!("serial {}", shortened(&self.serial)),
            None => shortened(&self.subject),
        }
    }
}

/// id-ad-caIssuers (RFC 5280 4.2.2.1).
const CA_ISSUERS: Oid<'static> = oid!(1.3.6.1.5.5.7.48.2);

/// Converts a time. 99991231235959Z, which means "no expiry" (RFC 5280 4.1.2.5), is a few hours
/// later than the greatest [`Timestamp`], which replaces it.
pub(super) fn to_timestamp(time: ASN1Time) -> Timestamp {
    let seconds = time
        .timestamp()
        .clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

pub(super) fn parse_ip_address(octets: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(octets)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from))
        .ok()
}

/// Formats a name as in RFC 4514: the most specific part first, `,` and `+` escaped. Untrusted
/// text: it is escaped again for the terminal when printed.
#[must_use]
pub(crate) fn printable_name(name: &X509Name<'_>) -> String {
    let mut parts = Vec::new();
    for rdn in name.iter_rdn() {
        let mut part = String::new();
        for attribute in rdn.iter() {
            if !part.is_empty() {
                part.push('+');
            }
            let name = oid::attribute_name(attribute.attr_type());
            // The value of a type without a known name is written in hex (RFC 4514 2.4).
            let text = attribute
                .as_str()
                .ok()
                .filter(|_| !name.starts_with(|c: char| c.is_ascii_digit()));
            let value = text.map_or_else(|| encode_value(attribute), escaped);
            // Writing to a String cannot fail.
            let _ = write!(part, "{name}={value}");
        }
        parts.push(part);
    }
    parts.reverse();
    parts.join(",")
}

/// The range of `part` in `whole`; `part` must be a slice of it.
fn place(part: &[u8], whole: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.len()
}

/// Escapes a value (RFC 4514 2.4): special characters, `#` at the start, spaces at both ends.
pub(super) fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (place, c) in value.chars().enumerate() {
        let at_end = c == ' ' && (place == 0 || place == last) || c == '#' && place == 0;
        if at_end || matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Encodes a value that is not text in hex (RFC 4514 2.4).
fn encode_value(attribute: &AttributeTypeAndValue<'_>) -> String {
    let tag = u8::try_from(attribute.attr_value().tag().0).unwrap_or_default();
    format!(
        "#{}",
        hex::encode(der::encode_element(tag, &[attribute.as_slice()]))
    )
}

/// Shortens untrusted text for a sentence.
fn shortened(text: &str) -> String {
    const MOST: usize = 200;
    if text.chars().count() <= MOST {
        text.to_owned()
    } else {
        format!("{}…", text.chars().take(MOST).collect::<String>())
    }
}

/// Splits a name as [`printable_name`] formats it; an escaped comma separates nothing.
fn split_name(name: &str) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    name.split(move |c| {
        let ends = c == ',' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })
}
