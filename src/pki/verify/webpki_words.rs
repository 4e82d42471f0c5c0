//! What webpki refuses, in words for people.

use webpki::Error;

use crate::pki::client_rules::{BrokenRule, EARLY_DATE, NAME_SPELLING, UNIQUE_IDENTIFIERS};

/// Returns whether webpki is known to refuse this although RFC 5280 allows it: certctl's own rules
/// judge it. `strict` are the rules that the chain breaks and that only strict clients apply.
pub(super) fn is_stricter(error: &Error, strict: &[BrokenRule]) -> bool {
    let breaks = |rule| strict.iter().any(|broken| std::ptr::eq(broken.rule, rule));
    match error {
        // Each has a rule of certctl's own, which found nothing.
        Error::NameConstraintViolation
        | Error::PathLenConstraintViolated
        | Error::UnsupportedCriticalExtension
        | Error::InvalidNetworkMaskConstraint
        | Error::MalformedNameConstraint
        | Error::InvalidSerialNumber => true,
        // The search for the path has checked each signature; webpki searches a path of its own,
        // and tries the wrong one of two certificates of the same name.
        Error::InvalidSignatureForPublicKey => true,
        Error::UnknownIssuer => breaks(&NAME_SPELLING),
        Error::BadDerTime | Error::InvalidCertValidity | Error::CertNotValidYet { .. } => {
            breaks(&EARLY_DATE)
        }
        Error::BadDer | Error::MalformedExtensions | Error::TrailingData(_) => {
            breaks(&UNIQUE_IDENTIFIERS) || breaks(&EARLY_DATE)
        }
        _ => false,
    }
}

/// Describes an error of webpki about a chain that certctl's own rules accept.
pub(super) fn describe_strictness(error: &Error) -> &'static str {
    match error {
        Error::InvalidSignatureForPublicKey | Error::UnknownIssuer => {
            "rustls finds no path through certificates of the same name (a CA that certifies its \
                own new key)"
        }
        other => describe_error(other),
    }
}

/// Describes an error.
pub(super) fn describe_error(error: &Error) -> &'static str {
    match error {
        Error::BadDer | Error::TrailingData(_) => {
            "a certificate in it is not encoded as the standard requires (DER, RFC 5280 4.1)"
        }
        Error::BadDerTime | Error::InvalidCertValidity => {
            "a certificate in it has a date that is not written as the standard requires (RFC 5280 \
                4.1.2.5)"
        }
        Error::CaUsedAsEndEntity => {
            "the server certificate is marked as a CA (basic constraints, RFC 5280 4.2.1.9)"
        }
        Error::CertExpired { .. } => "a certificate in it has expired",
        Error::CertNotValidForName(_) => "the certificate is not valid for the host",
        Error::CertNotValidYet { .. } => "a certificate in it is not valid yet",
        Error::CertRevoked | Error::CertDistrusted => "a certificate in it was revoked",
        Error::EmptyEkuExtension => {
            "a certificate in it has an empty extended key usage (RFC 5280 4.2.1.12)"
        }
        Error::EndEntityUsedAsCa => {
            "a certificate in it is used as a CA but is not one (basic constraints, RFC 5280 \
                4.2.1.9)"
        }
        Error::ExtensionValueInvalid | Error::MalformedExtensions => {
            "a certificate in it has an extension that is malformed or occurs twice (RFC 5280 4.2)"
        }
        Error::InvalidSerialNumber => {
            "a certificate in it has a serial number that is longer than 20 octets (RFC 5280 \
                4.1.2.2)"
        }
        Error::InvalidNetworkMaskConstraint | Error::MalformedNameConstraint => {
            "a CA in it has malformed name constraints (RFC 5280 4.2.1.10)"
        }
        Error::InvalidSignatureForPublicKey => "a signature in it is invalid",
        Error::MalformedDnsIdentifier | Error::UnsupportedNameType => {
            "a certificate in it has a name that is not a DNS name or address (RFC 5280 4.2.1.6)"
        }
        Error::MaximumNameConstraintComparisonsExceeded => {
            "its names and name constraints are too many to be compared"
        }
        Error::MaximumPathDepthExceeded => {
            "it contains more than 6 intermediates, which Firefox and rustls refuse"
        }
        Error::MaximumPathBuildCallsExceeded | Error::MaximumSignatureChecksExceeded => {
            "it contains too many certificates with the same names"
        }
        Error::NameConstraintViolation => {
            "a CA in it may not issue for these names (name constraints, RFC 5280 4.2.1.10)"
        }
        Error::PathLenConstraintViolated => {
            "it contains more CAs than one of them allows (path length, RFC 5280 4.2.1.9)"
        }
        Error::RequiredEkuNotFoundContext(_) => {
            "a certificate in it may not be used for TLS servers (extended key usage, RFC 5280 \
                4.2.1.12)"
        }
        Error::SignatureAlgorithmMismatch => {
            "a certificate in it names two different signature algorithms (RFC 5280 4.1.1.2)"
        }
        Error::UnknownIssuer => "the issuer of a certificate in it was not found",
        Error::UnsupportedCertVersion => {
            "a certificate in it is not of version 3 (RFC 5280 4.1.2.1)"
        }
        Error::UnsupportedCriticalExtension => {
            "a certificate in it has an unknown critical extension (RFC 5280 4.2)"
        }
        Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "a signature in it has an algorithm that clients do not accept"
        }
        _ => "a certificate in it does not follow RFC 5280",
    }
}
