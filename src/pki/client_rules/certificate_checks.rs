//! The rules for one certificate of a chain, each by its role.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ParsedPublicKey,
    VerificationAlgorithm,
};
use x509_parser::oid_registry::asn1_rs::Oid;

use super::breach::{Breach, breach};
use super::chain_link::{ChainLink, ChainRole};
use super::clients::TlsClient::{GnuTls, Go, OpenSsl, StrictPython};
use super::table;
use super::{dates, malformed_extensions, odd_names, root_checks};
use crate::pki::certificate_fields::{
    self as fields, AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS, CertificateFields, ExtensionField,
    SUBJECT_ALT_NAME, SUBJECT_KEY_IDENTIFIER, is_empty_name,
};
use crate::pki::der;
use crate::pki::key::{self, KeyAlgorithm};
use crate::pki::oid;

/// Returns the rules that one certificate breaks in its role.
pub(super) fn check_certificate(link: &ChainLink<'_>) -> Vec<Breach> {
    let mut found = check_extensions(&link.fields);
    found.extend(check_encoding(link));
    found.extend(check_point(link));
    found.extend(malformed_extensions::check(&link.fields));
    found.extend(dates::check_dates(link));
    found.extend(odd_names::check(&link.fields));
    match link.role {
        ChainRole::Leaf => found.extend(check_leaf(link)),
        ChainRole::Intermediate => found.extend(check_intermediate(link)),
        ChainRole::Root => found.extend(root_checks::check_root(link)),
    }
    found.extend(check_strictly(link));
    found
}

/// RFC 5280 4.2: critical and repeated extensions.
fn check_extensions(fields: &CertificateFields<'_>) -> Vec<Breach> {
    let mut found = Vec::new();
    for (place, extension) in fields.extensions.iter().enumerate() {
        let earlier = &fields.extensions[..place];
        if earlier.iter().any(|one| one.id == extension.id) {
            let what = format!("its extension {} occurs twice", extension_name(extension));
            let breach = Breach::new(&table::DUPLICATE_EXTENSION, what);
            found.push(if malformed_extensions::is_read_by_openssl(extension) {
                breach
            } else {
                breach.except(&[OpenSsl, StrictPython])
            });
        }
        if extension.is_critical() {
            found.extend(check_critical(extension));
        }
    }
    found
}

fn check_critical(extension: &ExtensionField<'_>) -> Option<Breach> {
    match extension.standard_number() {
        Some(AUTHORITY_KEY_IDENTIFIER) => breach(
            &table::CRITICAL_KEY_IDENTIFIER,
            "its authority key identifier is marked critical",
        ),
        Some(SUBJECT_KEY_IDENTIFIER) => breach(
            &table::CRITICAL_KEY_IDENTIFIER,
            "its subject key identifier is marked critical",
        ),
        Some(
            fields::CERTIFICATE_POLICIES
            | fields::POLICY_MAPPINGS
            | fields::POLICY_CONSTRAINTS
            | fields::INHIBIT_ANY_POLICY,
        ) => {
            let name = extension_name(extension);
            let how = format!("its extension {name} is marked critical");
            let is_known_to_gnutls = matches!(
                extension.standard_number(),
                Some(fields::CERTIFICATE_POLICIES | fields::INHIBIT_ANY_POLICY)
            );
            let breach = Breach::new(&table::CRITICAL_POLICY, how);
            Some(if is_known_to_gnutls {
                breach.except(&[GnuTls])
            } else {
                breach
            })
        }
        Some(
            fields::KEY_USAGE
            | SUBJECT_ALT_NAME
            | BASIC_CONSTRAINTS
            | fields::NAME_CONSTRAINTS
            | fields::CRL_DISTRIBUTION_POINTS
            | fields::EXTENDED_KEY_USAGE,
        ) => None,
        _ => {
            let rule = if is_informing(extension) {
                &table::CRITICAL_INFORMATION
            } else {
                &table::CRITICAL_EXTENSION
            };
            let name = extension_name(extension);
            let how = format!("clients do not support its critical extension {name}");
            Some(Breach::new(rule, how))
        }
    }
}

/// Returns whether GnuTLS knows the extension: issuerAltName, privateKeyUsagePeriod,
/// authorityInfoAccess, tlsFeature.
fn is_informing(extension: &ExtensionField<'_>) -> bool {
    matches!(extension.standard_number(), Some(16 | 18))
        || matches!(
            extension.id,
            [0x2b, 6, 1, 5, 5, 7, 1, 1] | [0x2b, 6, 1, 5, 5, 7, 1, 24]
        )
}

/// Names an extension for people; its OID as numbers if it has no known name.
fn extension_name(extension: &ExtensionField<'_>) -> String {
    oid::extension(&Oid::new(extension.id.into()))
}

/// RFC 5480 2.2: the first octet of a point is 4 unless it is compressed.
fn is_uncompressed(link: &ChainLink<'_>) -> bool {
    let point = der::split_public_key(link.certificate.spki()).map(|(_, point)| point);
    !matches!(point, Some([2 | 3 | 6 | 7, ..]))
}

/// RFC 5480 2.2.
fn check_point(link: &ChainLink<'_>) -> Option<Breach> {
    let is_on_curve = matches!(
        link.certificate.algorithm,
        KeyAlgorithm::EcdsaP256 | KeyAlgorithm::EcdsaP384 | KeyAlgorithm::EcdsaP521
    );
    if !is_on_curve || is_uncompressed(link) {
        return None;
    }
    let how = "the point of its EC key is compressed";
    let breach = Breach::new(&table::COMPRESSED_KEY, how);
    Some(match link.role {
        // GnuTLS reads it; it cannot check a signature by it.
        ChainRole::Leaf => breach.except(&[GnuTls]),
        _ => breach,
    })
}

/// Fields that some clients do not accept in any certificate.
fn check_encoding(link: &ChainLink<'_>) -> Vec<Breach> {
    let fields = &link.fields;
    let mut found = Vec::new();
    if fields.serial.first().is_some_and(|first| first & 0x80 != 0) {
        found.extend(breach(
            &table::NEGATIVE_SERIAL,
            "its serial number is negative",
        ));
    }
    if matches!(
        fields.serial,
        [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..]
    ) {
        found.extend(breach(
            &table::MALFORMED_SERIAL,
            "its serial number is not encoded as DER requires, so OpenSSL does not load it",
        ));
    }
    if key::has_explicit_curve(link.certificate.spki()) {
        found.extend(breach(
            &table::EXPLICIT_CURVE,
            "its key spells out the parameters of its curve",
        ));
    }
    if link.certificate.not_before.as_second() < 0 {
        found.extend(breach(
            &table::EARLY_DATE,
            "it is valid since a day before 1970",
        ));
    }
    if fields.has_unique_identifiers {
        found.extend(breach(
            &table::UNIQUE_IDENTIFIERS,
            "it has unique identifiers",
        ));
    }
    found
}

fn check_leaf(link: &ChainLink<'_>) -> Vec<Breach> {
    let mut found = Vec::new();
    found.extend(check_purpose(link));
    found.extend(check_ocsp_purpose(link));
    found.extend(check_leaf_usage(link));
    found.extend(check_leaf_key(link));
    found
}

/// RFC 5280 4.2.1.3 and RFC 8446 4.4.2.2: the server signs its handshake.
fn check_leaf_usage(link: &ChainLink<'_>) -> Option<Breach> {
    let usage = link.fields.key_usage()?;
    if usage.allows_signatures() {
        return None;
    }
    let is_rsa = matches!(link.certificate.algorithm, KeyAlgorithm::Rsa(_));
    if is_rsa && usage.allows_encipherment() {
        return breach(
            &table::RSA_ENCIPHERMENT,
            "its key may encipher but not sign (key usage without digitalSignature), so it works \
                only with old cipher suites",
        );
    }
    breach(
        &table::KEY_USAGE,
        "its key may not sign a TLS handshake (key usage without digitalSignature)",
    )
}

/// BR 6.1.5 and 6.1.6: an algorithm of TLS, and a valid point of its curve.
fn check_leaf_key(link: &ChainLink<'_>) -> Option<Breach> {
    let algorithm: &'static dyn VerificationAlgorithm = match link.certificate.algorithm {
        KeyAlgorithm::EcdsaP256 => &ECDSA_P256_SHA256_ASN1,
        KeyAlgorithm::EcdsaP384 => &ECDSA_P384_SHA384_ASN1,
        KeyAlgorithm::EcdsaP521 => &ECDSA_P521_SHA512_ASN1,
        KeyAlgorithm::Ed25519 | KeyAlgorithm::Rsa(_) => return None,
        KeyAlgorithm::Unknown if key::has_explicit_curve(link.certificate.spki()) => return None,
        KeyAlgorithm::Unknown => {
            return breach(
                &table::UNSUPPORTED_KEY,
                "its key is neither RSA nor Ed25519 nor on P-256, P-384 or P-521",
            );
        }
    };
    let (_, point) = der::split_public_key(link.certificate.spki())?;
    ParsedPublicKey::new(algorithm, point).err()?;
    if !is_uncompressed(link) {
        return None;
    }
    breach(&table::UNUSABLE_KEY, "its key is not a point on its curve")
}

fn check_intermediate(link: &ChainLink<'_>) -> Vec<Breach> {
    let certificate = link.certificate;
    let mut found = Vec::new();
    let has_odd_constraints = malformed_extensions::has_odd_basic_constraints(&link.fields);
    if (!certificate.is_ca && !has_odd_constraints) || link.fields.version < 3 {
        found.extend(breach(
            &table::NOT_A_CA,
            "it issued a certificate of the chain but is not a CA (basic constraints)",
        ));
    }
    if !certificate.usage.signs_certificates {
        let how = "it may not sign certificates (key usage without keyCertSign)";
        let breach = Breach::new(&table::CA_KEY_USAGE, how);
        // To Go, a key usage without any bit is as good as none.
        found.push(match link.fields.key_usage() {
            Some(usage) if usage.is_empty() => breach.except(&[Go]),
            _ => breach,
        });
    }
    found.extend(check_purpose(link));
    found
}

/// RFC 5280 4.2.1.12: clients require serverAuth of the leaf, and of CAs that restrict usages.
fn check_purpose(link: &ChainLink<'_>) -> Option<Breach> {
    let usage = link.certificate.usage;
    if usage.server_auth {
        return None;
    }
    if usage.for_servers {
        return breach(
            &table::PURPOSE_ANY,
            "its extended key usage has anyExtendedKeyUsage, but not serverAuth",
        );
    }
    let purposes = link.fields.purposes().unwrap_or_default();
    let has = |wanted: &[u8]| purposes.contains(&wanted);
    let mut accepting = Vec::new();
    if purposes.is_empty() {
        accepting.extend([Go, GnuTls]);
    }
    if has(&MICROSOFT_STEP_UP) || has(&NETSCAPE_STEP_UP) {
        accepting.extend([OpenSsl, StrictPython]);
    }
    if has(&NETSCAPE_STEP_UP) && link.role != ChainRole::Leaf {
        accepting.push(GnuTls);
    }
    let how = "its extended key usage lacks serverAuth (TLS servers)";
    Some(Breach::new(&table::SERVER_PURPOSE, how).except(&accepting))
}

/// The purposes of "server gated cryptography", which OpenSSL takes for serverAuth.
const MICROSOFT_STEP_UP: [u8; 10] = [0x2b, 6, 1, 4, 1, 0x82, 0x37, 10, 3, 3];
const NETSCAPE_STEP_UP: [u8; 9] = [0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 4, 1];
/// id-kp-OCSPSigning.
const OCSP_SIGNING: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 3, 9];

fn check_ocsp_purpose(link: &ChainLink<'_>) -> Option<Breach> {
    let purposes = link.fields.purposes()?;
    purposes.contains(&OCSP_SIGNING.as_slice()).then_some(())?;
    breach(
        &table::OCSP_PURPOSE,
        "it may sign OCSP responses (extended key usage), which Firefox does not accept of a server",
    )
}

/// What only the strict mode of OpenSSL refuses (X509_V_FLAG_X509_STRICT), which Python sets since
/// 3.13.
fn check_strictly(link: &ChainLink<'_>) -> Vec<Breach> {
    let fields = &link.fields;
    let mut found = check_strict_names(link);
    found.extend(check_strict_usages(link));
    if fields.version < 3 {
        return found;
    }
    let has_authority_key = fields
        .authority_key()
        .is_some_and(|key| key.key_identifier.is_some());
    if link.role != ChainRole::Root && !has_authority_key {
        found.extend(breach(
            &table::AUTHORITY_IDENTIFIER_MISSING,
            "it has no authority key identifier with the issuer's key",
        ));
    }
    if link.certificate.is_ca && fields.extension(SUBJECT_KEY_IDENTIFIER).is_none() {
        found.extend(breach(
            &table::SUBJECT_IDENTIFIER_MISSING,
            "the CA has no subject key identifier",
        ));
    }
    found
}

fn check_strict_names(link: &ChainLink<'_>) -> Vec<Breach> {
    let fields = &link.fields;
    let is_ca = link.certificate.is_ca;
    let mut found = Vec::new();
    let san = fields.extension(SUBJECT_ALT_NAME);
    if is_empty_name(fields.issuer) {
        found.extend(breach(&table::EMPTY_NAME, "its issuer has an empty name"));
    }
    match san {
        _ if !fields.has_empty_subject() => {}
        Some(san) if !is_ca => {
            let how = "its subject is empty, but its alternative names are not critical";
            found.extend(
                (!san.is_critical())
                    .then(|| breach(&table::SUBJECT_NAME_NOT_CRITICAL, how))
                    .flatten(),
            );
        }
        _ => found.extend(breach(&table::EMPTY_NAME, "its subject is an empty name")),
    }
    let is_empty = fields
        .alternative_names()
        .is_some_and(|names| names.is_empty());
    if san.is_some() && is_empty {
        found.extend(breach(
            &table::EMPTY_ALTERNATIVE_NAMES,
            "its subject alternative name is empty",
        ));
    }
    found
}

fn check_strict_usages(link: &ChainLink<'_>) -> Vec<Breach> {
    let fields = &link.fields;
    let usage = fields.key_usage();
    let signs_certificates = usage.is_some_and(fields::KeyUsageBits::allows_certificates);
    let is_ca = link.certificate.is_ca;
    let mut found = Vec::new();
    if fields.version < 3 && !fields.extensions.is_empty() {
        found.extend(breach(
            &table::OLD_VERSION,
            "it has extensions, but is not of version 3",
        ));
    }
    if link.certificate.usage.path_length.is_some() && !(is_ca && signs_certificates) {
        found.extend(breach(
            &table::PATH_LENGTH_MISPLACED,
            "it has a path length, but may not sign certificates",
        ));
    }
    match (is_ca, fields.extension(BASIC_CONSTRAINTS)) {
        (true, Some(constraints)) if !constraints.is_critical() => found.extend(breach(
            &table::BASIC_CONSTRAINTS_NOT_CRITICAL,
            "its basic constraints are not marked critical",
        )),
        _ => {}
    }
    if is_ca && usage.is_none() {
        found.extend(breach(
            &table::CA_KEY_USAGE_MISSING,
            "the CA has no key usage",
        ));
    }
    if !is_ca && link.role == ChainRole::Leaf && signs_certificates {
        found.extend(breach(
            &table::KEY_CERT_SIGN_IN_LEAF,
            "its key usage allows it to sign certificates, but it is not a CA",
        ));
    }
    found
}
