//! The rules for one certificate of a chain, each by its role.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ParsedPublicKey,
    VerificationAlgorithm,
};
use x509_parser::oid_registry::asn1_rs::Oid;

use super::chain_link::{ChainLink, ChainRole};
use super::table::{self, ClientRule};
use crate::pki::certificate::CertificateUsage;
use crate::pki::certificate_fields::{
    self as fields, AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS, CertificateFields, ExtensionField,
    SUBJECT_ALT_NAME, SUBJECT_KEY_IDENTIFIER, is_empty_name,
};
use crate::pki::der;
use crate::pki::key::{self, KeyAlgorithm};
use crate::pki::oid;

/// A rule that a certificate breaks, and how.
pub(super) type Breach = (&'static ClientRule, String);

/// Returns the rules that one certificate breaks in its role.
pub(super) fn check_certificate(link: &ChainLink<'_>) -> Vec<Breach> {
    let mut found = check_extensions(&link.fields);
    found.extend(check_encoding(link));
    match link.role {
        ChainRole::Leaf => found.extend(check_leaf(link)),
        ChainRole::Intermediate => found.extend(check_intermediate(link)),
        ChainRole::Root => found.extend(check_root(link)),
    }
    found.extend(check_strictly(link));
    found
}

fn breach(rule: &'static ClientRule, how: &str) -> Option<Breach> {
    Some((rule, how.to_owned()))
}

/// RFC 5280 4.2: critical and repeated extensions.
fn check_extensions(fields: &CertificateFields<'_>) -> Vec<Breach> {
    let mut found = Vec::new();
    for (place, extension) in fields.extensions.iter().enumerate() {
        let earlier = &fields.extensions[..place];
        if earlier.iter().any(|one| one.id == extension.id) {
            let what = format!("its extension {} occurs twice", extension_name(extension));
            found.push((&table::DUPLICATE_EXTENSION, what));
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
            Some((
                &table::CRITICAL_POLICY,
                format!("its extension {name} is marked critical"),
            ))
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
            Some((
                rule,
                format!("clients do not support its critical extension {name}"),
            ))
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

/// Fields that some clients do not accept in any certificate.
fn check_encoding(link: &ChainLink<'_>) -> Vec<Breach> {
    let fields = &link.fields;
    let is_negative = fields.serial.first().is_some_and(|first| first & 0x80 != 0);
    let is_malformed = matches!(
        fields.serial,
        [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..]
    );
    let starts_early = link.certificate.not_before.as_second() < 0;
    let has_explicit_curve = key::has_explicit_curve(link.certificate.spki());
    [
        is_negative
            .then(|| breach(&table::NEGATIVE_SERIAL, "its serial number is negative"))
            .flatten(),
        is_malformed
            .then(|| {
                breach(
                    &table::MALFORMED_SERIAL,
                    "its serial number is not encoded as DER requires, so OpenSSL does not load it",
                )
            })
            .flatten(),
        has_explicit_curve
            .then(|| {
                breach(
                    &table::EXPLICIT_CURVE,
                    "its key spells out the parameters of its curve",
                )
            })
            .flatten(),
        starts_early
            .then(|| breach(&table::EARLY_DATE, "it is valid since a day before 1970"))
            .flatten(),
        fields
            .has_unique_identifiers
            .then(|| breach(&table::UNIQUE_IDENTIFIERS, "it has unique identifiers"))
            .flatten(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn check_leaf(link: &ChainLink<'_>) -> Vec<Breach> {
    let certificate = link.certificate;
    let mut found = Vec::new();
    found.extend(check_purpose(certificate.usage));
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
    breach(&table::UNUSABLE_KEY, "its key is not a point on its curve")
}

fn check_intermediate(link: &ChainLink<'_>) -> Vec<Breach> {
    let certificate = link.certificate;
    let mut found = Vec::new();
    if !certificate.is_ca || link.fields.version < 3 {
        found.extend(breach(
            &table::NOT_A_CA,
            "it issued a certificate of the chain but is not a CA (basic constraints)",
        ));
    }
    if !certificate.usage.signs_certificates {
        found.extend(breach(
            &table::CA_KEY_USAGE,
            "it may not sign certificates (key usage without keyCertSign)",
        ));
    }
    found.extend(check_purpose(certificate.usage));
    found
}

/// RFC 5280 4.2.1.12: clients require serverAuth of the leaf, and of CAs that restrict usages.
fn check_purpose(usage: CertificateUsage) -> Option<Breach> {
    match (usage.server_auth, usage.for_servers) {
        (true, _) => None,
        (false, true) => breach(
            &table::PURPOSE_ANY,
            "its extended key usage has anyExtendedKeyUsage, but not serverAuth",
        ),
        (false, false) => breach(
            &table::SERVER_PURPOSE,
            "its extended key usage lacks serverAuth (TLS servers)",
        ),
    }
}

/// The rules for a root of which the certificate is known; dates, key usage and path length are
/// checked by `TrustAnchors::find_refusal`.
fn check_root(link: &ChainLink<'_>) -> Vec<Breach> {
    let fields = &link.fields;
    let mut found = Vec::new();
    if fields.version == 3 && fields.extension(BASIC_CONSTRAINTS).is_none() {
        found.extend(match fields.key_usage() {
            Some(_) => breach(
                &table::ROOT_WITHOUT_CONSTRAINTS,
                "the root has no basic constraints",
            ),
            None => breach(
                &table::ROOT_NOT_A_CA,
                "the root has neither basic constraints nor a key usage, so it is not a CA",
            ),
        });
    }
    if fields.version < 3 {
        found.extend(breach(
            &table::OLD_VERSION,
            "the root is a certificate of version 1, which cannot be marked as a CA",
        ));
    }
    if !link.certificate.usage.server_auth {
        found.extend(breach(
            &table::ROOT_PURPOSE,
            "the root may not issue certificates for TLS servers",
        ));
    }
    found
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
