//! Short names for the object identifiers that people meet in certificates; the dotted number otherwise.

use x509_parser::oid_registry::asn1_rs::{Oid, oid};

/// A part of a name: RFC 4514 3, and what OpenSSL calls the others that certificates have (EVG 9.2 among them).
pub(super) fn attribute(oid: &Oid<'_>) -> String {
    named(
        oid,
        &[
            (oid!(2.5.4.3), "CN"),
            (oid!(2.5.4.4), "SN"),
            (oid!(2.5.4.5), "serialNumber"),
            (oid!(2.5.4.6), "C"),
            (oid!(2.5.4.7), "L"),
            (oid!(2.5.4.8), "ST"),
            (oid!(2.5.4.9), "street"),
            (oid!(2.5.4.10), "O"),
            (oid!(2.5.4.11), "OU"),
            (oid!(2.5.4.12), "title"),
            (oid!(2.5.4.15), "businessCategory"),
            (oid!(2.5.4.17), "postalCode"),
            (oid!(2.5.4.42), "GN"),
            (oid!(2.5.4.43), "initials"),
            (oid!(2.5.4.44), "generationQualifier"),
            (oid!(2.5.4.45), "x500UniqueIdentifier"),
            (oid!(2.5.4.46), "dnQualifier"),
            (oid!(2.5.4.65), "pseudonym"),
            (oid!(2.5.4.97), "organizationIdentifier"),
            (oid!(0.9.2342.19200300.100.1.1), "UID"),
            (oid!(0.9.2342.19200300.100.1.25), "DC"),
            (oid!(1.2.643.100.1), "OGRN"),
            (oid!(1.2.643.3.131.1.1), "INN"),
            (oid!(1.2.840.113549.1.9.1), "emailAddress"),
            (oid!(1.3.6.1.4.1.311.60.2.1.1), "jurisdictionL"),
            (oid!(1.3.6.1.4.1.311.60.2.1.2), "jurisdictionST"),
            (oid!(1.3.6.1.4.1.311.60.2.1.3), "jurisdictionC"),
        ],
    )
}

/// A signature algorithm as OpenSSL calls it.
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

/// An extension (RFC 5280 4.2) or an attribute of a request (RFC 2986).
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
            (oid!(1.3.6.1.4.1.11129.2.4.2), "signedCertificateTimestampList"),
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

/// What a key may be used for, beyond the usages that the parser names (RFC 5280 4.2.1.12).
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

/// A certificate policy: the reserved ones of the CA/B Forum (BR 7.1.6.1, EVG 7.1.6.4), anyPolicy.
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
    let name = known.iter().find(|(candidate, _)| candidate == oid).map(|(_, name)| (*name).to_owned());
    name.unwrap_or_else(|| oid.to_id_string())
}
