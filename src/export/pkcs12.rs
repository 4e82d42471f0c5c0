//! Certificate, intermediates and key as PKCS#12 (RFC 7292), which Windows and Java call pfx.

use p12_keystore::{
    Certificate as Packed, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm,
    Pkcs12Archive, PrivateKey as PackedKey, PrivateKeyChain,
};
use zeroize::Zeroizing;

use super::error::ExportError;
use super::format::ExportFormat;
use crate::pki::certificate::Certificate;
use crate::pki::key::PrivateKey;

/// The algorithms that encrypt a file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Pkcs12Strength {
    /// Triple DES and SHA-1: the only one that Windows Server 2016, Windows 7 and Java 8 before
    /// 8u301 read.
    Legacy,
    /// AES-256 and SHA-256 (PBES2).
    #[default]
    Modern,
}

/// How a file is encrypted.
#[derive(Clone, Copy)]
pub(crate) struct Pkcs12Protection<'a> {
    /// The password; may be empty.
    pub password: &'a str,
    pub strength: Pkcs12Strength,
}

/// The encoding of pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292 C).
const TRIPLE_DES: &[u8] = b"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x03";

/// Encodes certificates and key as DER; Windows and Java list them as `name`.
pub(super) fn encode(
    name: &str,
    certificates: &[Certificate],
    key: &PrivateKey,
    protection: Pkcs12Protection<'_>,
) -> Result<Zeroizing<Vec<u8>>, ExportError> {
    if protection.password.chars().any(|c| u32::from(c) > 0xffff) {
        return Err(ExportError::Password);
    }
    let store = key_store(name, certificates, key).map_err(unpackable)?;
    let writer = store
        .writer(protection.password)
        .encryption_algorithm(encryption_algorithm(protection.strength))
        .mac_algorithm(mac_algorithm(protection.strength));
    writer.write().map(Zeroizing::new).map_err(unpackable)
}

fn key_store(
    name: &str,
    certificates: &[Certificate],
    key: &PrivateKey,
) -> Result<KeyStore, p12_keystore::error::Error> {
    let key = PackedKey::from_der(key.pkcs8())?;
    let id = certificates
        .first()
        .map(|leaf| leaf.fingerprint.as_slice().to_vec())
        .unwrap_or_default();
    let certificates = certificates
        .iter()
        .map(|certificate| Packed::from_der(certificate.der()))
        .collect::<Result<Vec<_>, _>>()?;
    let entry = PrivateKeyChain::new(id, key, certificates);
    let mut store = KeyStore::new();
    store.add_entry(name, KeyStoreEntry::PrivateKeyChain(entry));
    Ok(store)
}

fn encryption_algorithm(strength: Pkcs12Strength) -> EncryptionAlgorithm {
    match strength {
        Pkcs12Strength::Legacy => EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc,
        Pkcs12Strength::Modern => EncryptionAlgorithm::PbeWithHmacSha256AndAes256,
    }
}

fn mac_algorithm(strength: Pkcs12Strength) -> MacAlgorithm {
    match strength {
        Pkcs12Strength::Legacy => MacAlgorithm::HmacSha1,
        Pkcs12Strength::Modern => MacAlgorithm::HmacSha256,
    }
}

fn unpackable(error: p12_keystore::error::Error) -> ExportError {
    ExportError::Unpackable {
        format: ExportFormat::Pfx,
        reason: error.to_string(),
    }
}

/// Decodes the certificates in their order, and the keys; `None` if anything cannot be read.
pub(super) fn decode(bytes: &[u8], password: &str) -> Option<(Vec<Certificate>, Vec<PrivateKey>)> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, password).ok()?;
    let certificates = archive
        .certs
        .iter()
        .map(|bag| Certificate::from_der(bag.cert.as_der()).ok());
    let keys = archive
        .keys
        .iter()
        .map(|bag| PrivateKey::from_der(bag.key.as_der()).ok());
    Some((
        certificates.collect::<Option<_>>()?,
        keys.collect::<Option<_>>()?,
    ))
}

/// Detects which of the two encryptions that certctl writes `bytes` use.
pub(super) fn detect_strength(bytes: &[u8]) -> Pkcs12Strength {
    let legacy = bytes
        .windows(TRIPLE_DES.len())
        .any(|window| window == TRIPLE_DES);
    if legacy {
        Pkcs12Strength::Legacy
    } else {
        Pkcs12Strength::Modern
    }
}
