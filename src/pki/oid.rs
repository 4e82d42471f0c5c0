//! Short names of the object identifiers that are common in certificates; dotted numbers for
//! others.

use x509_parser::oid_registry::asn1_rs::{Oid, oid};

/// The string type of an attribute value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum StringType {
    /// `IA5String`: ASCII.
    Ia5,
    /// `PrintableString`: letters, digits, spaces and `'()+,-./:=?`.
    Printable,
    /// `UTF8String`.
    Utf8,
}

/// A known type of attribute in a name.
#[derive(Debug)]
pub(super) struct AttributeType {
    pub oid: Oid<'static>,
    /// Its name in RFC 4514 3, or else in OpenSSL (for example those of EVG 9.2).
    pub name: &'static str,
    /// Another name that is accepted.
    also: &'static str,
    pub letters: StringType,
    /// The maximum length of its value in characters (RFC 5280 A.1, X.520, BR 7.1.4.2); 0 if there
    /// is no limit.
    pub most: usize,
}

const fn attribute(
    oid: Oid<'static>,
    name: &'static str,
    also: &'static str,
    letters: StringType,
    most: usize,
) -> AttributeType {
    AttributeType {
        oid,
        name,
        also,
        letters,
        most,
    }
}

static ATTRIBUTES: [AttributeType; 28] = {
    use StringType::{Ia5, Printable, Utf8};
    [
        attribute(oid!(2.5.4.3), "CN", "commonName", Utf8, 64),
        attribute(oid!(2.5.4.4), "SN", "surname", Utf8, 64),
        attribute(oid!(2.5.4.5), "serialNumber", "", Printable, 64),
        attribute(oid!(2.5.4.6), "C", "countryName", Printable, 2),
        attribute(oid!(2.5.4.7), "L", "localityName", Utf8, 128),
        attribute(oid!(2.5.4.8), "ST", "stateOrProvinceName", Utf8, 128),
        attribute(oid!(2.5.4.9), "street", "streetAddress", Utf8, 128),
        attribute(oid!(2.5.4.10), "O", "organizationName", Utf8, 64),
        attribute(oid!(2.5.4.11), "OU", "organizationalUnitName", Utf8, 64),
        attribute(oid!(2.5.4.12), "title", "", Utf8, 64),
        attribute(oid!(2.5.4.15), "businessCategory", "", Utf8, 128),
        attribute(oid!(2.5.4.17), "postalCode", "", Utf8, 40),
        attribute(oid!(2.5.4.18), "postOfficeBox", "", Utf8, 40),
        attribute(oid!(2.5.4.42), "GN", "givenName", Utf8, 64),
        attribute(oid!(2.5.4.43), "initials", "", Utf8, 64),
        attribute(oid!(2.5.4.44), "generationQualifier", "", Utf8, 64),
        attribute(oid!(2.5.4.45), "x500UniqueIdentifier", "", Utf8, 0),
        attribute(oid!(2.5.4.46), "dnQualifier", "", Printable, 64),
        attribute(oid!(2.5.4.65), "pseudonym", "", Utf8, 128),
        attribute(oid!(2.5.4.97), "organizationIdentifier", "", Utf8, 0),
        attribute(oid!(0.9.2342.19200300.100.1.1), "UID", "userId", Utf8, 256),
        attribute(
            oid!(0.9.2342.19200300.100.1.25),
            "DC",
            "domainComponent",
            Ia5,
            63,
        ),
        attribute(oid!(1.2.643.100.1), "OGRN", "", Utf8, 0),
        attribute(oid!(1.2.643.3.131.1.1), "INN", "", Utf8, 0),
        attribute(oid!(1.2.840.113549.1.9.1), "emailAddress", "E", Ia5, 255),
        attribute(
            oid!(1.3.6.1.4.1.311.60.2.1.1),
            "jurisdictionL",
            "jurisdictionLocalityName",
            Utf8,
            128,
        ),
        attribute(
            oid!(1.3.6.1.4.1.311.60.2.1.2),
            "jurisdictionST",
            "jurisdictionStateOrProvinceName",
            Utf8,
            128,
        ),
        attribute(
            oid!(1.3.6.1.4.1.311.60.2.1.3),
            "jurisdictionC",
            "jurisdictionCountryName",
            Printable,
            2,
        ),
    ]
};

/// Finds the attribute with this identifier.
pub(super) fn find_attribute(oid: &Oid<'_>) -> Option<&'static AttributeType> {
    ATTRIBUTES.iter().find(|known| known.oid == *oid)
}

/// Finds the attribute by one of its names, in any case.
pub(super) fn find_attribute_by_name(name: &str) -> Option<&'static AttributeType> {
    if name.is_empty() {
        return None;
    }
    ATTRIBUTES.iter().find(|known| {
        known.name.eq_ignore_ascii_case(name) || known.also.eq_ignore_ascii_case(name)
    })
}

/// The name of an attribute; its dotted number if it is unknown.
pub(super) fn attribute_name(oid: &Oid<'_>) -> String {
    find_attribute(oid).map_or_else(|| oid.to_id_string(), |known| known.name.to_owned())
}

/// The name of the attribute whose identifier has these octets, if it is known.
pub(super) fn attribute_name_of(octets: &[u8]) -> Option<&'static str> {
    // Comparing the last octet first is fast: nearly all differ there.
    ATTRIBUTES
        .iter()
        .find(|known| {
            known.oid.as_bytes().last() == octets.last() && known.oid.as_bytes() == octets
        })
        .map(|known| known.name)
}

/// The name of a signature algorithm in OpenSSL.
pub(super) fn signature(oid: &Oid<'_>) -> String {
    named(
        oid,
        &[
            (oid!(1.2.840.10045.4.1), "ecdsa-with-SHA1"),
            (oid!(1.2.840.10045.4.3.1), "ecdsa-with-SHA224"),
            (oid!(1.2.840.10045.4.3.2), "ecdsa-with-SHA256"),
            (oid!(1.2.840.10045.4.3.3), "ecdsa-with-SHA384"),
            (oid!(1.2.840.10045.4.3.4), "ecdsa-with-SHA512"),
            (oid!(1.2.840.113549.1.1.2), "md2WithRSAEncryption"),
            (oid!(1.2.840.113549.1.1.4), "md5WithRSAEncryption"),
            (oid!(1.2.840.113549.1.1.5), "sha1WithRSAEncryption"),
            (oid!(1.2.840.113549.1.1.10), "rsassaPss"),
            (oid!(1.2.840.113549.1.1.11), "sha256WithRSAEncryption"),
            (oid!(1.2.840.113549.1.1.12), "sha384WithRSAEncryption"),
            (oid!(1.2.840.113549.1.1.13), "sha512WithRSAEncryption"),
            (oid!(1.2.840.113549.1.1.14), "sha224WithRSAEncryption"),
            (oid!(1.2.840.10040.4.3), "dsa-with-SHA1"),
            (oid!(2.16.840.1.101.3.4.3.2), "dsa-with-SHA256"),
            (oid!(1.3.101.112), "ed25519"),
            (oid!(1.3.101.113), "ed448"),
        ],
    )
}

/// The name of an extension (RFC 5280 4.2) or of an attribute of a request (RFC 2986).
pub(super) fn extension(oid: &Oid<'_>) -> String {
    named(
        oid,
        &[
            (oid!(2.5.29.14), "subjectKeyIdentifier"),
            (oid!(2.5.29.15), "keyUsage"),
            (oid!(2.5.29.17), "subjectAltName"),
            (oid!(2.5.29.18), "issuerAltName"),
            (oid!(2.5.29.19), "basicConstraints"),
            (oid!(2.5.29.20), "cRLNumber"),
            (oid!(2.5.29.28), "issuingDistributionPoint"),
            (oid!(2.5.29.30), "nameConstraints"),
            (oid!(2.5.29.31), "cRLDistributionPoints"),
            (oid!(2.5.29.32), "certificatePolicies"),
            (oid!(2.5.29.33), "policyMappings"),
            (oid!(2.5.29.35), "authorityKeyIdentifier"),
            (oid!(2.5.29.36), "policyConstraints"),
            (oid!(2.5.29.37), "extKeyUsage"),
            (oid!(2.5.29.54), "inhibitAnyPolicy"),
            (oid!(1.3.6.1.5.5.7.1.1), "authorityInfoAccess"),
            (oid!(1.3.6.1.5.5.7.1.24), "tlsFeature"),
            (
                oid!(1.3.6.1.4.1.11129.2.4.2),
                "signedCertificateTimestampList",
            ),
            (oid!(1.3.6.1.4.1.11129.2.4.3), "ctPoison"),
            (oid!(1.2.840.113549.1.9.2), "unstructuredName"),
            (oid!(1.2.840.113549.1.9.7), "challengePassword"),
            (oid!(1.2.840.113549.1.9.14), "extensionRequest"),
            (oid!(1.3.6.1.4.1.311.13.2.3), "osVersion"),
            (oid!(1.3.6.1.4.1.311.21.20), "requestClientInfo"),
            (oid!(1.3.6.1.4.1.311.13.2.2), "enrollmentCSP"),
        ],
    )
}

/// The name of an extended key usage that the parser does not name (RFC 5280 4.2.1.12).
pub(super) fn purpose(oid: &Oid<'_>) -> String {
    named(
        oid,
        &[
            (oid!(1.3.6.1.4.1.311.10.3.3), "microsoftSGC"),
            (oid!(1.3.6.1.4.1.311.20.2.2), "smartcardLogon"),
            (oid!(2.16.840.1.113730.4.1), "netscapeSGC"),
            (oid!(1.3.6.1.5.2.3.5), "kerberosKDC"),
        ],
    )
}

/// The name of a certificate policy: those of the CA/B Forum (BR 7.1.6.1, EVG 7.1.6.4), anyPolicy.
pub(super) fn policy(oid: &str) -> Option<&'static str> {
    match oid {
        "2.5.29.32.0" => Some("any"),
        "2.23.140.1.1" => Some("extended validation"),
        "2.23.140.1.2.1" => Some("domain validated"),
        "2.23.140.1.2.2" => Some("organization validated"),
        "2.23.140.1.2.3" => Some("individual validated"),
        _ => None,
    }
}

fn named(oid: &Oid<'_>, known: &[(Oid<'_>, &str)]) -> String {
    let name = known
        .iter()
        .find(|(candidate, _)| candidate == oid)
        .map(|(_, name)| (*name).to_owned());
    name.unwrap_or_else(|| oid.to_id_string())
}
