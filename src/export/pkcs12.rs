//! Certificate, intermediates and key as PKCS#12 (RFC 7292), what Windows and Java call pfx.

use p12_keystore::{
    Certificate as Packed, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm,
    Pkcs12Archive, PrivateKey as PackedKey, PrivateKeyChain,
};
use zeroize::Zeroizing;

use super::error::ExportError;
use super::format::ExportFormat;
use crate::pki::certificate::Certificate;
use crate::pki::key::PrivateKey;

/// With which algorithms a file is locked.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Pkcs12Strength {
    /// Triple DES and SHA-1: all that Windows Server 2016, Windows 7 and Java 8 before 8u301 read.
    Legacy,
    /// AES-256 and SHA-256 (PBES2).
    #[default]
    Modern,
}

/// How a file is locked.
#[derive(Clone, Copy)]
pub(crate) struct Pkcs12Protection<'a> {
    /// The password; may be empty.
    pub password: &'a str,
    pub strength: Pkcs12Strength,
}

/// pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292 C), as it stands in a file.
const TRIPLE_DES: &[u8] = b"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x03";

/// The DER; `name` is what Windows and Java list it by.
pub(super) fn encode(
    name: &str,
    certificates: &[Certificate],
    key: &PrivateKey,
    protection: Pkcs12Protection<'_>,
) -> Result<Zeroizing<Vec<u8>>, ExportError> {
    if protection.password.chars().any(|c| u32::from(c) > 0xffff) {
        return Err(ExportError::Password);
    }
    let failed = |error: p12_keystore::error::Error| ExportError::Unpackable {
        format: ExportFormat::Pfx,
        reason: error.to_string(),
    };
    let packed = certificates
        .iter()
        .map(|one| Packed::from_der(one.der()))
        .collect::<Result<Vec<_>, _>>();
    let id = certificates
        .first()
        .map(|leaf| leaf.fingerprint.to_vec())
        .unwrap_or_default();
    let key = PackedKey::from_der(key.pkcs8()).map_err(failed)?;
    let mut store = KeyStore::new();
    store.add_entry(
        name,
        KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new(id, key, packed.map_err(failed)?)),
    );
    let (cipher, mac) = match protection.strength {
        Pkcs12Strength::Legacy => (
            EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc,
            MacAlgorithm::HmacSha1,
        ),
        Pkcs12Strength::Modern => (
            EncryptionAlgorithm::PbeWithHmacSha256AndAes256,
            MacAlgorithm::HmacSha256,
        ),
    };
    let writer = store
        .writer(protection.password)
        .encryption_algorithm(cipher)
        .mac_algorithm(mac);
    writer.write().map(Zeroizing::new).map_err(failed)
}

/// The certificates in their order, and the keys.
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

/// With which algorithms `bytes` are locked, as far as those written here go.
pub(super) fn strength(bytes: &[u8]) -> Pkcs12Strength {
    let legacy = bytes
        .windows(TRIPLE_DES.len())
        .any(|window| window == TRIPLE_DES);
    if legacy {
        Pkcs12Strength::Legacy
    } else {
        Pkcs12Strength::Modern
    }
}
