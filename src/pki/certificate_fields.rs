//! Fields of a certificate as they are encoded, for the rules that clients apply: extensions with
//! their criticality, key identifiers, alternative names.

use crate::pki::der::{self, BOOLEAN, DerElement, DerElements, OCTET_STRING, split_element};
use crate::pki::folded_name::FoldedName;

/// Context-specific tags of the body (RFC 5280 4.1): the version, both unique identifiers, the
/// extensions.
const VERSION: u8 = 0xa0;
const ISSUER_UNIQUE_ID: u8 = 0x81;
const SUBJECT_UNIQUE_ID: u8 = 0x82;
const EXTENSIONS: u8 = 0xa3;

/// Values of `id-ce` extensions: the last arc below 2.5.29.
pub(super) const SUBJECT_KEY_IDENTIFIER: u8 = 14;
pub(super) const KEY_USAGE: u8 = 15;
pub(super) const SUBJECT_ALT_NAME: u8 = 17;
pub(super) const BASIC_CONSTRAINTS: u8 = 19;
pub(super) const NAME_CONSTRAINTS: u8 = 30;
pub(super) const CRL_DISTRIBUTION_POINTS: u8 = 31;
pub(super) const CERTIFICATE_POLICIES: u8 = 32;
pub(super) const POLICY_MAPPINGS: u8 = 33;
pub(super) const AUTHORITY_KEY_IDENTIFIER: u8 = 35;
pub(super) const POLICY_CONSTRAINTS: u8 = 36;
pub(super) const EXTENDED_KEY_USAGE: u8 = 37;
pub(super) const INHIBIT_ANY_POLICY: u8 = 54;

/// One `Extension` (RFC 5280 4.1.2.9).
#[derive(Clone, Copy, Debug)]
pub(super) struct ExtensionField<'a> {
    /// The octets of its object identifier.
    pub id: &'a [u8],
    pub criticality: Criticality,
    /// The DER inside of its OCTET STRING.
    pub value: &'a [u8],
}

/// Whether a client must refuse a certificate if it does not know the extension.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Criticality {
    Critical,
    Ignorable,
}

impl ExtensionField<'_> {
    /// The last arc, if it is a standard extension (2.5.29).
    pub(super) fn standard_number(&self) -> Option<u8> {
        match self.id {
            [0x55, 0x1d, number] => Some(*number),
            _ => None,
        }
    }

    pub(super) fn is_critical(&self) -> bool {
        self.criticality == Criticality::Critical
    }
}

/// The fields of a certificate as they are encoded.
#[derive(Clone, Debug)]
pub(super) struct CertificateFields<'a> {
    /// 1, 2 or 3.
    pub version: u8,
    /// The octets of the serial number.
    pub serial: &'a [u8],
    /// The issuer and subject as whole elements.
    pub issuer: &'a [u8],
    pub subject: &'a [u8],
    /// The two dates of the validity.
    pub dates: Vec<DerElement<'a>>,
    /// Whether it has unique identifiers (RFC 5280 4.1.2.8).
    pub has_unique_identifiers: bool,
    pub extensions: Vec<ExtensionField<'a>>,
}

impl<'a> CertificateFields<'a> {
    /// Reads a DER certificate; `None` if it is not encoded as RFC 5280 4.1 says.
    pub(super) fn read(certificate: &'a [u8]) -> Option<Self> {
        let (outer, _) = split_element(certificate)?;
        let (body, _) = split_element(outer.value)?;
        let mut parts = DerElements(body.value);
        let version = match parts.take(VERSION) {
            Some(version) => version.value.last()?.checked_add(1)?,
            None => 1,
        };
        let serial = parts.next()?.value;
        parts.next()?;
        let issuer = parts.next()?.whole;
        let dates = DerElements(parts.next()?.value).read_all()?;
        let subject = parts.next()?.whole;
        parts.next()?;
        let issuer_id = parts.take(ISSUER_UNIQUE_ID);
        let subject_id = parts.take(SUBJECT_UNIQUE_ID);
        let extensions = match parts.take(EXTENSIONS) {
            Some(extensions) => read_extensions(extensions.value)?,
            None => Vec::new(),
        };
        parts.0.is_empty().then_some(Self {
            version,
            serial,
            issuer,
            subject,
            dates,
            has_unique_identifiers: issuer_id.or(subject_id).is_some(),
            extensions,
        })
    }

    /// The standard extension with that number.
    pub(super) fn extension(&self, number: u8) -> Option<&ExtensionField<'a>> {
        self.extensions
            .iter()
            .find(|extension| extension.standard_number() == Some(number))
    }

    pub(super) fn has_empty_subject(&self) -> bool {
        is_empty_name(self.subject)
    }

    /// The `GeneralName` elements of the subject alternative name; `None` without the extension.
    pub(super) fn alternative_names(&self) -> Option<Vec<DerElement<'a>>> {
        let extension = self.extension(SUBJECT_ALT_NAME)?;
        let (names, _) = split_element(extension.value)?;
        DerElements(names.value).read_all()
    }

    /// The key usage as bits, `digitalSignature` first; `None` if it is not restricted.
    pub(super) fn key_usage(&self) -> Option<KeyUsageBits> {
        let (bits, _) = split_element(self.extension(KEY_USAGE)?.value)?;
        Some(KeyUsageBits(bits.value.get(1).copied().unwrap_or(0)))
    }

    /// The object identifiers of the extended key usage; `None` without the extension or if it is
    /// malformed.
    pub(super) fn purposes(&self) -> Option<Vec<&'a [u8]>> {
        let (list, _) = split_element(self.extension(EXTENDED_KEY_USAGE)?.value)?;
        let ids = DerElements(list.value).read_all()?;
        Some(ids.into_iter().map(|id| id.value).collect())
    }

    /// Returns whether it has a subject key identifier without an octet.
    pub(super) fn has_empty_key_identifier(&self) -> bool {
        let extension = self.extension(SUBJECT_KEY_IDENTIFIER);
        let key = extension.and_then(|extension| split_element(extension.value));
        key.is_some_and(|(key, _)| key.value.is_empty())
    }

    pub(super) fn authority_key(&self) -> Option<AuthorityKeyField<'a>> {
        AuthorityKeyField::read(self.extension(AUTHORITY_KEY_IDENTIFIER)?.value)
    }
}

/// Returns whether a name has no attribute, as OpenSSL counts them.
pub(super) fn is_empty_name(name: &[u8]) -> bool {
    name_attributes(name).is_some_and(|attributes| attributes.is_empty())
}

/// The attributes of a `Name`, each the value of its SEQUENCE; `None` if it is malformed.
pub(super) fn name_attributes(name: &[u8]) -> Option<Vec<&[u8]>> {
    let (name, _) = split_element(name)?;
    let mut found = Vec::new();
    for part in DerElements(name.value).read_all()? {
        let attributes = DerElements(part.value).read_all()?;
        found.extend(attributes.into_iter().map(|attribute| attribute.value));
    }
    Some(found)
}

/// The first eight bits of a key usage (RFC 5280 4.2.1.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyUsageBits(u8);

impl KeyUsageBits {
    pub(super) fn allows_signatures(self) -> bool {
        self.0 & 0x80 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn allows_encipherment(self) -> bool {
        self.0 & 0x20 != 0
    }

    pub(super) fn allows_certificates(self) -> bool {
        self.0 & 0x04 != 0
    }
}

/// The authority key identifier (RFC 5280 4.2.1.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct AuthorityKeyField<'a> {
    pub key_identifier: Option<&'a [u8]>,
    /// The first directory name of `authorityCertIssuer`, a whole element.
    pub issuer: Option<&'a [u8]>,
    /// The octets of `authorityCertSerialNumber`.
    pub serial: Option<&'a [u8]>,
}

impl<'a> AuthorityKeyField<'a> {
    fn read(value: &'a [u8]) -> Option<Self> {
        let (outer, _) = split_element(value)?;
        let mut parts = DerElements(outer.value);
        let key_identifier = parts.take(0x80).map(|key| key.value);
        let issuers = parts.take(0xa1);
        let serial = parts.take(0x82).map(|serial| serial.value);
        let names = issuers.and_then(|names| DerElements(names.value).read_all());
        let issuer = names
            .into_iter()
            .flatten()
            .find(|name| name.tag == 0xa4)
            .map(|name| name.value);
        Some(Self {
            key_identifier,
            issuer,
            serial,
        })
    }
}

/// Whether an authority key identifier names a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum IdentifierMatch {
    /// Another name or serial number.
    OtherCertificate,
    /// Another key identifier.
    OtherKey,
    Same,
}

/// Compares an authority key identifier with a certificate, as OpenSSL does: what is absent in
/// either is not compared.
pub(super) fn compare_identifier(
    wanted: &AuthorityKeyField<'_>,
    issuer: &CertificateFields<'_>,
) -> IdentifierMatch {
    let own_key = issuer
        .extension(SUBJECT_KEY_IDENTIFIER)
        .and_then(|extension| split_element(extension.value))
        .map(|(key, _)| key.value);
    if let (Some(wanted), Some(own)) = (wanted.key_identifier, own_key)
        && wanted != own
    {
        return IdentifierMatch::OtherKey;
    }
    let is_other_serial = wanted.serial.is_some_and(|serial| serial != issuer.serial);
    let is_other_issuer = wanted
        .issuer
        .is_some_and(|name| FoldedName::of(name) != FoldedName::of(issuer.issuer));
    if is_other_serial || is_other_issuer {
        IdentifierMatch::OtherCertificate
    } else {
        IdentifierMatch::Same
    }
}

fn read_extensions(value: &[u8]) -> Option<Vec<ExtensionField<'_>>> {
    let (list, _) = split_element(value)?;
    let elements = DerElements(list.value).read_all()?;
    elements
        .into_iter()
        .map(|extension| {
            let mut parts = DerElements(extension.value);
            let id = parts.take(der::OBJECT_IDENTIFIER)?.value;
            let is_critical = parts
                .take(BOOLEAN)
                .is_some_and(|critical| critical.value.iter().any(|&octet| octet != 0));
            let criticality = if is_critical {
                Criticality::Critical
            } else {
                Criticality::Ignorable
            };
            let value = parts.take(OCTET_STRING)?.value;
            Some(ExtensionField {
                id,
                criticality,
                value,
            })
        })
        .collect()
}
