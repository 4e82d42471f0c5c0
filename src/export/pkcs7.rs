//! Certificates as PKCS#7: a `SignedData` that signs nothing (RFC 5652 5.1, RFC 5751 3.8), which
//! Windows and Java call p7b. Written byte by byte so that no certificate is encoded again; read
//! back with the parser of another crate.

use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use x509_parser::oid_registry::asn1_rs::{Oid, ToDer, oid};

use super::error::ExportError;
use super::format::ExportFormat;
use crate::pki::certificate::Certificate;
use crate::pki::der::{self, encode_element};

/// Encodes certificates as DER. The set is sorted (X.690 11.6); programs that read it find the leaf
/// themselves.
pub(super) fn encode(certificates: &[Certificate]) -> Result<Vec<u8>, ExportError> {
    let mut set: Vec<&[u8]> = certificates.iter().map(Certificate::der).collect();
    set.sort_unstable();
    let nothing = encode_element(der::SEQUENCE, &[&encode_oid(&oid!(1.2.840.113549.1.7.1))?]);
    let certificates = encode_element(der::CONTEXT_0, &set);
    let empty = encode_element(der::SET, &[]);
    let version = encode_element(der::INTEGER, &[&[1]]);
    let signed = encode_element(
        der::SEQUENCE,
        &[&version, &empty, &nothing, &certificates, &empty],
    );
    let content = encode_element(der::CONTEXT_0, &[&signed]);
    Ok(encode_element(
        der::SEQUENCE,
        &[&encode_oid(&oid!(1.2.840.113549.1.7.2))?, &content],
    ))
}

fn encode_oid(oid: &Oid<'_>) -> Result<Vec<u8>, ExportError> {
    oid.to_der_vec().map_err(|error| ExportError::Unpackable {
        format: ExportFormat::P7b,
        reason: error.to_string(),
    })
}

/// Decodes the certificates in the order of the set; `None` if one cannot be read.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<Certificate>> {
    use cms::cert::x509::der::{Decode, Encode};

    let content = ContentInfo::from_der(bytes).ok()?;
    let signed: SignedData = content.content.decode_as().ok()?;
    let mut certificates = Vec::new();
    for choice in signed.certificates?.0.iter() {
        let CertificateChoices::Certificate(certificate) = choice else {
            return None;
        };
        let der = certificate.to_der().ok()?;
        certificates.push(Certificate::from_der(&der).ok()?);
    }
    Some(certificates)
}
