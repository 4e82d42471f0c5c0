//! Certificates as PKCS#7: a `SignedData` that signs nothing (RFC 5652 5.1, RFC 5751 3.8), what
//! Windows and Java call p7b. Written here, byte for byte, so that no certificate is encoded anew;
//! read back by another's parser.

use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use x509_parser::oid_registry::asn1_rs::{Oid, ToDer, oid};

use super::error::ExportError;
use super::format::ExportFormat;
use crate::pki::certificate::Certificate;
use crate::pki::der::{self, element};

/// The DER. A set has no order of its own (X.690 11.6 sorts it), and readers find the leaf by
/// themselves.
pub(super) fn encode(certificates: &[Certificate]) -> Result<Vec<u8>, ExportError> {
    let failed = |reason: String| ExportError::Unpackable {
        format: ExportFormat::P7b,
        reason,
    };
    let identifier = |oid: Oid<'_>| oid.to_der_vec().map_err(|error| failed(error.to_string()));
    let mut set: Vec<&[u8]> = certificates.iter().map(Certificate::der).collect();
    set.sort_unstable();
    let nothing = element(der::SEQUENCE, &[&identifier(oid!(1.2.840.113549.1.7.1))?]);
    let certificates = element(der::CONTEXT_0, &set);
    let empty = element(der::SET, &[]);
    let version = element(der::INTEGER, &[&[1]]);
    let signed = element(
        der::SEQUENCE,
        &[&version, &empty, &nothing, &certificates, &empty],
    );
    let content = element(der::CONTEXT_0, &[&signed]);
    Ok(element(
        der::SEQUENCE,
        &[&identifier(oid!(1.2.840.113549.1.7.2))?, &content],
    ))
}

/// The certificates in it, in the order of the set.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<Certificate>> {
    use cms::cert::x509::der::{Decode, Encode};

    let content = ContentInfo::from_der(bytes).ok()?;
    let signed: SignedData = content.content.decode_as().ok()?;
    let certificates = signed.certificates?;
    let one = |choice: &CertificateChoices| match choice {
        CertificateChoices::Certificate(one) => Certificate::from_der(&one.to_der().ok()?).ok(),
        CertificateChoices::Other(_) => None,
    };
    certificates.0.iter().map(one).collect()
}
