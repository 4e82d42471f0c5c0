//! Encodes a request (RFC 2986 4): subject, key, and the names as the only requested extension (RFC
//! 2985 5.4.2).

use std::net::IpAddr;

use rustls::pki_types::{AlgorithmIdentifier, alg_id};

use crate::pki::alt_name::{AltName, AltNames};
use crate::pki::der::{
    self, BIT_STRING, BOOLEAN, CONTEXT_0, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET,
};
use crate::pki::key::{KeyAlgorithm, KeyError, PrivateKey};
use crate::pki::subject::SubjectName;

/// 1.2.840.113549.1.9.14: extensionRequest (RFC 2985 5.4.2).
const EXTENSION_REQUEST: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e";
/// 2.5.29.17: subjectAltName (RFC 5280 4.2.1.6).
const ALTERNATIVE_NAMES: &[u8] = b"\x55\x1d\x11";

/// Builds the DER of a signed request.
pub(super) fn request(
    names: &AltNames,
    subject: &SubjectName,
    key: &PrivateKey,
) -> Result<Vec<u8>, KeyError> {
    signed(subject, key, &attribute(names, subject))
}

/// Encodes the attribute that requests `names`.
pub(super) fn attribute(names: &AltNames, subject: &SubjectName) -> Vec<u8> {
    let extensions = der::encode_element(SEQUENCE, &[&alternative_names(names, subject)]);
    let id = der::encode_element(OBJECT_IDENTIFIER, &[EXTENSION_REQUEST]);
    der::encode_element(SEQUENCE, &[&id, &der::encode_element(SET, &[&extensions])])
}

/// Signs a request with these concatenated attributes.
pub(super) fn signed(
    subject: &SubjectName,
    key: &PrivateKey,
    attributes: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let version = der::encode_element(INTEGER, &[&[0]]);
    let attributes = der::encode_element(CONTEXT_0, &[attributes]);
    let info = der::encode_element(
        SEQUENCE,
        &[&version, &subject.to_der(), key.spki(), &attributes],
    );
    let signature = key.sign(&info)?;
    let algorithm =
        der::encode_element(SEQUENCE, &[signature_algorithm(key.algorithm())?.as_ref()]);
    Ok(der::encode_element(
        SEQUENCE,
        &[
            &info,
            &algorithm,
            &der::encode_element(BIT_STRING, &[&[0], &signature]),
        ],
    ))
}

/// Encodes the extension; critical if the subject is empty.
fn alternative_names(names: &AltNames, subject: &SubjectName) -> Vec<u8> {
    let names: Vec<Vec<u8>> = names.iter().map(general_name).collect();
    let value = der::encode_element(
        SEQUENCE,
        &names.iter().map(Vec::as_slice).collect::<Vec<_>>(),
    );
    let critical = if subject.is_empty() {
        der::encode_element(BOOLEAN, &[&[0xff]])
    } else {
        Vec::new()
    };
    let id = der::encode_element(OBJECT_IDENTIFIER, &[ALTERNATIVE_NAMES]);
    der::encode_element(
        SEQUENCE,
        &[
            &id,
            &critical,
            &der::encode_element(OCTET_STRING, &[&value]),
        ],
    )
}

/// Encodes a `GeneralName`: `[1]` email address, `[2]` DNS name, `[7]` IP address.
fn general_name(name: &AltName) -> Vec<u8> {
    match name {
        AltName::Address(IpAddr::V4(address)) => der::encode_element(0x87, &[&address.octets()]),
        AltName::Address(IpAddr::V6(address)) => der::encode_element(0x87, &[&address.octets()]),
        AltName::Dns(name) => der::encode_element(0x82, &[name.as_str().as_bytes()]),
        AltName::Mailbox(mailbox) => der::encode_element(0x81, &[mailbox.as_bytes()]),
    }
}

/// The identifier of the algorithm that [`PrivateKey::sign`] uses.
fn signature_algorithm(key: KeyAlgorithm) -> Result<AlgorithmIdentifier, KeyError> {
    match key {
        KeyAlgorithm::EcdsaP256 => Ok(alg_id::ECDSA_SHA256),
        KeyAlgorithm::EcdsaP384 => Ok(alg_id::ECDSA_SHA384),
        KeyAlgorithm::EcdsaP521 => Ok(alg_id::ECDSA_SHA512),
        KeyAlgorithm::Ed25519 => Ok(alg_id::ED25519),
        KeyAlgorithm::Rsa(_) => Ok(alg_id::RSA_PKCS1_SHA256),
        KeyAlgorithm::Unknown => Err(KeyError::Sign),
    }
}
