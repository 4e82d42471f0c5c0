//! One certificate (RFC 5280): its DER as given and the facts that the rest of the program asks
//! for.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::ops::Range;

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::asn1_rs::{Oid, oid};
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use super::key::{KeyAlgorithm, PublicKeyId, sha256};
use super::name::DnsName;
use super::{der, oid, pem, signature};

mod fast_path;

/// Why bytes are no certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CertificateError {
    /// Not X.509, or damaged.
    #[error("not a certificate")]
    Malformed,
}

/// What the extensions of a certificate allow it; all that they do not mention is allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CertificateUsage {
    /// `keyCertSign` (RFC 5280 4.2.1.3).
    pub signs_certificates: bool,
    /// A bit of the key usage that a TLS handshake needs: `digitalSignature`, `keyEncipherment` or
    /// `keyAgreement`.
    pub serves: bool,
    /// `serverAuth` or `anyExtendedKeyUsage` (RFC 5280 4.2.1.12).
    pub for_servers: bool,
    /// `serverAuth` itself, or no extended key usage at all: what clients ask of every CA of a
    /// chain.
    pub server_auth: bool,
    /// `clientAuth`.
    pub for_clients: bool,
    /// `pathLenConstraint`: as many CAs may follow (RFC 5280 4.2.1.9).
    pub path_length: Option<u32>,
    /// Not said to be no CA's: `cA` is true, or there are no basic constraints (old roots have
    /// none).
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

/// A certificate that was read. Reading is not trusting: see `verify`.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: Vec<u8>,
    /// Where in `der` they stand.
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
    /// The first instant of validity.
    pub not_before: Timestamp,
    /// The last second of validity: still valid at it (RFC 5280 4.1.2.5).
    pub not_after: Timestamp,
    /// The serial number, lower-case hex.
    pub serial: String,
    /// `cA` of the basic constraints.
    pub is_ca: bool,
    /// What else its extensions allow.
    pub usage: CertificateUsage,
    /// It has name constraints (RFC 5280 4.2.1.10).
    pub is_constrained: bool,
    /// The subject key identifier (RFC 5280 4.2.1.2): a hint which of a CA's keys it is, no proof.
    pub subject_key: Option<Vec<u8>>,
    /// The authority key identifier (RFC 5280 4.2.1.1): the same hint for its issuer.
    pub authority_key: Option<Vec<u8>>,
    /// `caIssuers` URLs of the authority information access (RFC 5280 4.2.2.1).
    pub issuer_urls: Vec<String>,
    /// The kind of key.
    pub algorithm: KeyAlgorithm,
    /// The identity of the key.
    pub key_id: PublicKeyId,
    /// SHA-256 of the DER.
    pub fingerprint: [u8; 32],
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl Certificate {
    /// Reads DER; what follows the certificate is left out.
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
            not_before: instant(parsed.validity().not_before),
            not_after: instant(parsed.validity().not_after),
            serial: hex::encode(parsed.raw_serial()),
            is_ca: false,
            usage: CertificateUsage::default(),
            is_constrained: false,
            subject_key: None,
            authority_key: None,
            issuer_urls: Vec::new(),
            algorithm: KeyAlgorithm::of_spki(spki),
            key_id: PublicKeyId::of_spki(spki),
            fingerprint: sha256(der),
        };
        for extension in parsed.extensions() {
            certificate.take(extension.parsed_extension());
        }
        Ok(certificate)
    }

    fn take(&mut self, extension: &ParsedExtension<'_>) {
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
            }
            ParsedExtension::SubjectAlternativeName(san) => {
                for name in &san.general_names {
                    match name {
                        GeneralName::DNSName(dns) => self.dns_names.push((*dns).to_owned()),
                        GeneralName::IPAddress(octets) => self.ip_addresses.extend(address(octets)),
                        _ => {}
                    }
                }
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                for description in access.iter() {
                    if let (true, GeneralName::URI(url)) = (
                        description.access_method == CA_ISSUERS,
                        &description.access_location,
                    ) {
                        self.issuer_urls.push((*url).to_owned());
                    }
                }
            }
            _ => {}
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

    /// The DER of the subject: what an issued certificate repeats as its issuer.
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
        hex::encode(self.fingerprint)
    }

    /// Subject and issuer are the same name: a root, or a certificate that stands for itself.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject_der() == self.issuer_der()
    }

    /// Whether it may be a site's: no CA's, and no old root, which says no more of itself than its
    /// own name (version 1, or no basic constraints).
    #[must_use]
    pub fn is_site(&self) -> bool {
        let nameless = self.dns_names.is_empty() && self.ip_addresses.is_empty();
        !(self.is_ca || self.is_self_issued() && nameless)
    }

    /// Whether `issuer` made the signature on `self` (name and signature; not dates, not usages).
    #[must_use]
    pub fn is_signed_by(&self, issuer: &Self) -> bool {
        self.issuer_der() == issuer.subject_der()
            && signature::check(&self.der, issuer.spki()).is_ok()
    }

    /// Whether it may be used for `host` by its alternative names (RFC 9525: never by its common
    /// name).
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        if let Ok(wanted) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return self.ip_addresses.contains(&wanted);
        }
        self.dns_names
            .iter()
            .filter_map(|name| DnsName::presented(name))
            .any(|name| name.covers(host))
    }

    /// Whether `at` lies between its dates, both included, to the second as they are written (RFC
    /// 5280 4.1.2.5).
    #[must_use]
    pub fn is_in_date(&self, at: Timestamp) -> bool {
        (self.not_before.as_second()..=self.not_after.as_second()).contains(&at.as_second())
    }

    /// The greater, the rather it is to be used: valid at `at` first, then the newest.
    #[must_use]
    pub fn rank(&self, at: Timestamp) -> (bool, Timestamp, Timestamp) {
        (self.is_in_date(at), self.not_before, self.not_after)
    }

    /// The certificate in a few words: its first DNS name, else its subject's common name, else its
    /// subject.
    #[must_use]
    pub fn label(&self) -> String {
        if let (false, Some(name)) = (self.is_ca, self.dns_names.first()) {
            return shortened(name);
        }
        match parts(&self.subject).find_map(|part| part.strip_prefix("CN=")) {
            Some(name) => shortened(name),
            None if self.subject.is_empty() => format!("serial {}", shortened(&self.serial)),
            None => shortened(&self.subject),
        }
    }
}

/// id-ad-caIssuers (RFC 5280 4.2.2.1).
const CA_ISSUERS: Oid<'static> = oid!(1.3.6.1.5.5.7.48.2);

/// 99991231235959Z, which means "no end" (RFC 5280 4.1.2.5), lies a few hours past what a
/// [`Timestamp`] holds.
pub(super) fn instant(time: ASN1Time) -> Timestamp {
    let seconds = time
        .timestamp()
        .clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

pub(super) fn address(octets: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(octets)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from))
        .ok()
}

/// A name as people read it (RFC 4514: the most specific part first, `,` and `+` escaped). Foreign
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
            // The value of a type that has no name here is written as it is encoded (RFC 4514 2.4).
            let text = attribute
                .as_str()
                .ok()
                .filter(|_| !name.starts_with(|c: char| c.is_ascii_digit()));
            let value = text.map_or_else(|| encoded(attribute), escaped);
            // Writing to a String cannot fail.
            let _ = write!(part, "{name}={value}");
        }
        parts.push(part);
    }
    parts.reverse();
    parts.join(",")
}

/// Where `part`, which is a part of `whole`, stands in it.
fn place(part: &[u8], whole: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr() - whole.as_ptr().addr();
    start..start + part.len()
}

/// RFC 4514 2.4: special characters anywhere, `#` at the start, blanks at both ends.
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

/// A value that is no text: its encoding in hex (RFC 4514 2.4).
fn encoded(attribute: &AttributeTypeAndValue<'_>) -> String {
    let tag = u8::try_from(attribute.attr_value().tag().0).unwrap_or_default();
    format!(
        "#{}",
        hex::encode(der::element(tag, &[attribute.as_slice()]))
    )
}

/// Words for a sentence: foreign text may go on for pages.
fn shortened(text: &str) -> String {
    const MOST: usize = 200;
    if text.chars().count() <= MOST {
        text.to_owned()
    } else {
        format!("{}…", text.chars().take(MOST).collect::<String>())
    }
}

/// The parts of a name as [`printable_name`] writes it: an escaped comma is a part's own.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    name.split(move |c| {
        let ends = c == ',' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })
}
