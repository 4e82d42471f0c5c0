//! Writes a certificate and its key in an export format.

use zeroize::Zeroizing;

use super::error::ExportError;
use super::format::ExportFormat;
use super::pkcs7;
use super::pkcs12::{self, Pkcs12Protection};
use crate::pki::certificate::Certificate;
use crate::pki::chain::Chain;
use crate::pki::key::PrivateKey;
use crate::pki::pem;

/// The certificate to export.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExportSource<'a> {
    /// The name of its files, without extension.
    pub name: &'a str,
    /// The certificate and its intermediates.
    pub chain: &'a Chain,
    /// The key, if it was found.
    pub key: Option<&'a PrivateKey>,
    /// The places that were searched for the key, in words.
    pub searched_places: &'a str,
}

impl<'a> ExportSource<'a> {
    /// Returns the key; fails if it is missing, since `format` includes it.
    fn require_key(&self, format: ExportFormat) -> Result<&'a PrivateKey, ExportError> {
        self.key.ok_or_else(|| ExportError::NoKey {
            format,
            label: self.chain.leaf().label(),
            searched_places: self.searched_places.to_owned(),
        })
    }

    /// Returns the intermediates as PEM blocks; fails if there are none.
    fn intermediates_to_pem(&self) -> Result<String, ExportError> {
        let intermediates = self.chain.intermediates();
        if intermediates.is_empty() {
            return Err(ExportError::NoChain {
                label: self.chain.leaf().label(),
            });
        }
        Ok(intermediates.iter().map(Certificate::to_pem).collect())
    }
}

/// Writes `source` as `format`; the bytes are wiped when dropped.
///
/// # Errors
/// See [`ExportError`].
pub(crate) fn render_export(
    format: ExportFormat,
    source: ExportSource<'_>,
    protection: Option<Pkcs12Protection<'_>>,
) -> Result<Zeroizing<Vec<u8>>, ExportError> {
    let chain = source.chain;
    let bytes = match format {
        ExportFormat::Cert => chain.leaf().to_pem().into_bytes(),
        ExportFormat::Chain => source.intermediates_to_pem()?.into_bytes(),
        ExportFormat::Der => chain.leaf().der().to_vec(),
        ExportFormat::Haproxy => {
            return Ok(join_pem(&chain.to_pem(), source.require_key(format)?));
        }
        ExportFormat::P7b => {
            let der = pkcs7::encode(chain.certificates())?;
            pem::encode("PKCS7", &der).into_bytes()
        }
        ExportFormat::Pem => chain.to_pem().into_bytes(),
        ExportFormat::Pfx => {
            let key = source.require_key(format)?;
            let protection = protection.ok_or(ExportError::NoPassword(format))?;
            return pkcs12::encode(source.name, chain.certificates(), key, protection);
        }
    };
    Ok(Zeroizing::new(bytes))
}

/// Joins chain and key in one buffer that never grows: growing would leave copies of the key
/// behind.
fn join_pem(chain: &str, key: &PrivateKey) -> Zeroizing<Vec<u8>> {
    let key = key.to_pem();
    let mut bytes = Zeroizing::new(Vec::with_capacity(chain.len() + key.len()));
    bytes.extend_from_slice(chain.as_bytes());
    bytes.extend_from_slice(key.as_bytes());
    bytes
}
