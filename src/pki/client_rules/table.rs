//! The rules as data: the section of the standard, what breaking them means, and which clients refuse
//! the chain. As of 2026-11-29: tests/client_rules.rs compares the rules with OpenSSL 3.0, Python's ssl,
//! GnuTLS 3.7 and rustls-webpki 0.103, tests/real_clients.rs some of them with curl and Chromium. What
//! Go and Firefox refuse follows from their documentation; no test runs them.

use super::clients::TlsClient::{self, Chrome, Firefox, GnuTls, Go, OpenSsl, Rustls, StrictPython};

/// Whether a chain that breaks a rule may be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RuleVerdict {
    /// OpenSSL, Go or a browser refuses it.
    Refused,
    /// Only stricter clients refuse it. In five rules these include Go or a browser: RFC 5280 allows
    /// such chains, OpenSSL accepts them, and standards and test suites rely on them (name comparison
    /// by RFC 5280 7.1, self-issued certificates, directory names in constraints as BR 7.1.2.5.2
    /// requires, old roots; RSA keys for old cipher suites). An error would refuse what works with
    /// most clients; the warning names those that it does not work with.
    RefusedBySome,
}

/// One rule, with the clients that refuse a chain that breaks it.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct ClientRule {
    /// Its name in the documentation.
    pub id: &'static str,
    /// The section of the standard.
    pub section: &'static str,
    pub verdict: RuleVerdict,
    pub clients: &'static [TlsClient],
    /// What breaks it.
    pub summary: &'static str,
}

macro_rules! rules {
    ($($name:ident: $id:literal, $section:literal, $verdict:ident, $clients:expr, $summary:literal;)*) => {
        $(pub(in crate::pki) static $name: ClientRule = ClientRule {
            id: $id,
            section: $section,
            verdict: RuleVerdict::$verdict,
            clients: &$clients,
            summary: $summary,
        };)*

        /// All rules, in the order of the documentation.
        pub(crate) static RULES: &[&ClientRule] = &[$(&$name),*];
    };
}

rules! {
    CA_KEY_USAGE: "ca-key-usage", "RFC 5280 4.2.1.3", Refused,
        [OpenSsl, Go, Chrome, Firefox, GnuTls, StrictPython],
        "a CA's key usage lacks keyCertSign";
    COMPRESSED_KEY: "compressed-key", "RFC 5480 2.2", Refused,
        [Go, GnuTls],
        "an EC key whose point is compressed or in the hybrid form";
    CRITICAL_EXTENSION: "critical-extension", "RFC 5280 4.2", Refused,
        [OpenSsl, Go, Chrome, Firefox, GnuTls, Rustls, StrictPython],
        "a critical extension that clients do not know, in any certificate including the root";
    CRITICAL_KEY_IDENTIFIER: "critical-key-identifier", "RFC 5280 4.2.1.1, 4.2.1.2", Refused,
        [OpenSsl, Go, Rustls, StrictPython],
        "a key identifier that is marked critical, in any certificate including the root";
    CRITICAL_INFORMATION: "critical-information", "RFC 5280 4.2", Refused,
        [OpenSsl, Go, Chrome, Firefox, Rustls, StrictPython],
        "an extension that is critical although it only informs, such as authorityInfoAccess";
    DUPLICATE_EXTENSION: "duplicate-extension", "RFC 5280 4.2", Refused,
        [OpenSsl, Go, Chrome, Firefox, StrictPython],
        "an extension that occurs twice";
    DUPLICATE_POLICY: "duplicate-policy", "RFC 5280 4.2.1.4", Refused,
        [Go, Chrome],
        "a certificate policy that occurs twice (Go from 1.24 on)";
    EMPTY_CONSTRAINTS: "empty-constraints", "RFC 5280 4.2.1.10", Refused,
        [Go, Chrome],
        "name constraints that name nothing";
    ISSUER_IDENTIFIER: "issuer-identifier", "RFC 5280 4.2.1.1", Refused,
        [OpenSsl, GnuTls, StrictPython],
        "an authority key identifier with another key identifier than the issuer's";
    ISSUER_SERIAL: "issuer-serial", "RFC 5280 4.2.1.1", Refused,
        [OpenSsl, StrictPython],
        "an authority key identifier with the name or serial number of another certificate";
    KEY_USAGE: "key-usage", "RFC 5280 4.2.1.3, RFC 8446 4.4.2.2", Refused,
        [Chrome, Firefox, GnuTls],
        "a server key that may not sign handshakes (an ECDSA key without digitalSignature)";
    NAME_CONSTRAINTS: "name-constraints", "RFC 5280 4.2.1.10", Refused,
        [OpenSsl, Go, Chrome, Firefox, GnuTls, Rustls, StrictPython],
        "a name that a CA above may not certify";
    MALFORMED_SERIAL: "malformed-serial", "X.690 8.3.2", Refused,
        [OpenSsl, Go, Chrome, StrictPython],
        "a serial number that is empty or has padding, so that servers do not load the certificate";
    MALFORMED_DATE: "malformed-date", "RFC 5280 4.1.2.5", Refused,
        [OpenSsl, Chrome, Firefox, Rustls, StrictPython],
        "a date without seconds, with an offset or a fraction, or one that does not exist";
    MALFORMED_EXTENSION: "malformed-extension", "RFC 5280 4.2.1", Refused,
        [OpenSsl, Go, Chrome, StrictPython],
        "an extension that is not encoded as it is defined";
    MALFORMED_NAME: "malformed-name", "RFC 5280 4.1.2.4, 4.2.1.6", Refused,
        [Go, Chrome],
        "a name with characters that its string type does not have, or an invalid address or URI";
    NEGATIVE_SERIAL: "negative-serial", "RFC 5280 4.1.2.2", Refused,
        [Go],
        "a negative serial number";
    ROOT_NOT_A_CA: "root-not-a-ca", "RFC 5280 4.2.1.9", Refused,
        [OpenSsl, Go, StrictPython],
        "a root of version 3 with neither basic constraints nor key usage";
    ROOT_PURPOSE: "root-purpose", "RFC 5280 4.2.1.12", Refused,
        [OpenSsl, Go, StrictPython],
        "a root whose extended key usage lacks serverAuth";
    NOT_A_CA: "not-a-ca", "RFC 5280 4.2.1.9", Refused,
        [OpenSsl, Go, Chrome, Firefox, GnuTls, Rustls, StrictPython],
        "an issuer whose basic constraints do not make it a CA";
    ODD_CONSTRAINTS: "odd-constraints", "RFC 5280 4.2.1.10", Refused,
        [Go, Chrome, Firefox, Rustls],
        "name constraints with an invalid mask or name, or with a `minimum` that is spelled out";
    OCSP_PURPOSE: "ocsp-purpose", "RFC 6960 4.2.2.2", Refused,
        [Firefox],
        "a server certificate that may also sign OCSP responses";
    PURPOSE_ANY: "purpose-any", "RFC 5280 4.2.1.12", Refused,
        [OpenSsl, StrictPython, Rustls],
        "an extended key usage that has anyExtendedKeyUsage in place of serverAuth";
    PATH_LENGTH: "path-length", "RFC 5280 4.2.1.9", Refused,
        [OpenSsl, Go, Chrome, Firefox, GnuTls, Rustls, StrictPython],
        "more CAs below a CA than its path length allows";
    PATH_LENGTH_SIZE: "path-length-size", "RFC 5280 4.2.1.9", Refused,
        [Go, Chrome, Firefox, GnuTls, Rustls],
        "a path length above 127 (Firefox), 255 (Chrome, rustls), 31 bits (GnuTLS) or 63 bits (Go)";
    POLICY_REQUIRED: "policy-required", "RFC 5280 4.2.1.11, 6.1", Refused,
        [Go, Chrome],
        "a CA that requires a policy for which the chain has none (Go from 1.24 on)";
    ROOT_NOT_SELF_SIGNED: "root-not-self-signed", "RFC 5280 3.2", Refused,
        [OpenSsl],
        "a root whose key identifier or signature algorithm is not that of its own key";
    SERVER_PURPOSE: "server-purpose", "RFC 5280 4.2.1.12", Refused,
        [OpenSsl, Go, Chrome, Firefox, GnuTls, Rustls, StrictPython],
        "an extended key usage without serverAuth";
    UNCHECKED_CONSTRAINTS: "unchecked-constraints", "RFC 5280 4.2.1.10", Refused,
        [OpenSsl, Go, Chrome, Firefox, Rustls, StrictPython],
        "name constraints that clients cannot evaluate";
    UNSUPPORTED_KEY: "unsupported-key", "BR 6.1.5", Refused,
        [Go, Chrome, Firefox, Rustls],
        "a server key of an algorithm or on a curve that TLS clients do not support";
    UNUSABLE_KEY: "unusable-key", "BR 6.1.6", Refused,
        [OpenSsl, Go, Chrome, Firefox, GnuTls, Rustls, StrictPython],
        "a server key that is not valid: a point that is not on its curve";
    AUTHORITY_IDENTIFIER_MISSING: "authority-identifier-missing", "RFC 5280 4.2.1.1", RefusedBySome,
        [StrictPython],
        "a certificate below the root without an authority key identifier";
    BASIC_CONSTRAINTS_NOT_CRITICAL: "basic-constraints-not-critical", "RFC 5280 4.2.1.9", RefusedBySome,
        [StrictPython],
        "basic constraints of a CA that are not critical";
    CA_KEY_USAGE_MISSING: "ca-key-usage-missing", "RFC 5280 4.2.1.3", RefusedBySome,
        [StrictPython],
        "a CA without key usage";
    CRITICAL_POLICY: "critical-policy", "RFC 5280 4.2.1.4, 4.2.1.5, 4.2.1.11, 4.2.1.14", RefusedBySome,
        [GnuTls, Rustls],
        "a critical extension about certificate policies (GnuTLS knows some; Go before 1.24 refuses most of them too)";
    DIRECTORY_CONSTRAINTS: "directory-constraints", "RFC 5280 4.2.1.10", RefusedBySome,
        [Go, GnuTls, Rustls],
        "name constraints on directory names (Go refuses them if they are critical, GnuTLS if they exclude)";
    EARLY_DATE: "early-date", "RFC 5280 4.1.2.5", RefusedBySome,
        [Rustls],
        "a date before 1970";
    EMPTY_VALUE: "empty-value", "RFC 5280 4.1.2.6, 4.2.1.6", RefusedBySome,
        [GnuTls],
        "an alternative name or an attribute of the subject that is empty";
    EMPTY_ALTERNATIVE_NAMES: "empty-alternative-names", "RFC 5280 4.2.1.6", RefusedBySome,
        [StrictPython],
        "a subject alternative name without a name";
    EMPTY_NAME: "empty-name", "RFC 5280 4.1.2.4, 4.1.2.6", RefusedBySome,
        [StrictPython],
        "a CA without a subject";
    EXPLICIT_CURVE: "explicit-curve", "RFC 5480 2.1.1", Refused,
        [Go, Chrome, Firefox, Rustls, StrictPython],
        "an EC key with explicit curve parameters";
    KEY_CERT_SIGN_IN_LEAF: "key-cert-sign-in-leaf", "RFC 5280 4.2.1.9", RefusedBySome,
        [StrictPython],
        "a server certificate with keyCertSign";
    NAME_SPELLING: "name-spelling", "RFC 5280 7.1", RefusedBySome,
        [Go, Firefox, GnuTls, Rustls],
        "an issuer's name that is spelled differently in the certificate it issued";
    OLD_VERSION: "old-version", "RFC 5280 4.1.2.1", RefusedBySome,
        [StrictPython],
        "a root of version 1, or extensions in a certificate of version 1 or 2";
    PATH_LENGTH_MISPLACED: "path-length-misplaced", "RFC 5280 4.2.1.9", RefusedBySome,
        [StrictPython],
        "a path length in a certificate that may not sign certificates";
    ROOT_WITHOUT_CONSTRAINTS: "root-without-constraints", "RFC 5280 4.2.1.9", RefusedBySome,
        [Go, StrictPython],
        "a root with a key usage and without basic constraints";
    RSA_ENCIPHERMENT: "rsa-encipherment", "RFC 5280 4.2.1.3", RefusedBySome,
        [Chrome, Firefox, GnuTls],
        "an RSA server key that may encipher and not sign, as TLS 1.3 and ECDHE need";
    SELF_ISSUED_LENGTH: "self-issued-length", "RFC 5280 4.2.1.9, 6.1.4", RefusedBySome,
        [Go, GnuTls, Rustls],
        "a path length that holds only if self-issued certificates do not count";
    STRICT_ENCODING: "strict-encoding", "RFC 5280 4.1", RefusedBySome,
        [Rustls],
        "an encoding or a field that other clients ignore";
    SUBJECT_IDENTIFIER_MISSING: "subject-identifier-missing", "RFC 5280 4.2.1.2", RefusedBySome,
        [StrictPython],
        "a CA without a subject key identifier";
    SUBJECT_NAME_NOT_CRITICAL: "subject-name-not-critical", "RFC 5280 4.2.1.6", RefusedBySome,
        [StrictPython],
        "an empty subject whose alternative names are not critical";
    UNIQUE_IDENTIFIERS: "unique-identifiers", "RFC 5280 4.1.2.8", RefusedBySome,
        [Rustls],
        "a certificate with unique identifiers";
}
