//! A pair as bytes.

use zeroize::Zeroizing;

use super::error::ExportError;
use super::format::ExportFormat;
use super::pkcs7;
use super::pkcs12::{self, Pkcs12Protection};
use crate::pki::certificate::Certificate;
use crate::pki::chain::Chain;
use crate::pki::key::PrivateKey;
use crate::pki::pem;

/// What is given out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExportSource<'a> {
    /// What its files are called.
    pub name: &'a str,
    /// The certificate and its intermediates.
    pub chain: &'a Chain,
    /// The key, where it is here.
    pub key: Option<&'a PrivateKey>,
    /// Where the key was looked for, in words.
    pub looked: &'a str,
}

impl<'a> ExportSource<'a> {
    /// The key, which `format` holds.
    pub(super) fn key(&self, format: ExportFormat) -> Result<&'a PrivateKey, ExportError> {
        let (label, looked) = (self.chain.leaf().label(), self.looked.to_owned());
        self.key.ok_or(ExportError::NoKey {
            format,
            label,
            looked,
        })
    }
}

/// `pair` as `format`; the bytes are wiped when dropped.
///
/// # Errors
/// See [`ExportError`].
pub(crate) fn render(
    format: ExportFormat,
    pair: ExportSource<'_>,
    protection: Option<Pkcs12Protection<'_>>,
) -> Result<Zeroizing<Vec<u8>>, ExportError> {
    let blocks = |certificates: &[Certificate]| {
        certificates
            .iter()
            .map(Certificate::to_pem)
            .collect::<String>()
    };
    let bytes = match format {
        ExportFormat::Cert => pair.chain.leaf().to_pem().into_bytes(),
        ExportFormat::Chain if pair.chain.intermediates().is_empty() => {
            return Err(ExportError::NoChain {
                label: pair.chain.leaf().label(),
            });
        }
        ExportFormat::Chain => blocks(pair.chain.intermediates()).into_bytes(),
        ExportFormat::Der => pair.chain.leaf().der().to_vec(),
        ExportFormat::Haproxy => return combined(&pair.chain.to_pem(), pair.key(format)?),
        ExportFormat::P7b => {
            pem::encode("PKCS7", &pkcs7::encode(pair.chain.certificates())?).into_bytes()
        }
        ExportFormat::Pem => pair.chain.to_pem().into_bytes(),
        ExportFormat::Pfx => {
            let key = pair.key(format)?;
            let protection = protection.ok_or(ExportError::NoPassword(format))?;
            return pkcs12::encode(pair.name, pair.chain.certificates(), key, protection);
        }
    };
    Ok(Zeroizing::new(bytes))
}

/// In one buffer that never grows: growing would leave copies of the key behind.
fn combined(chain: &str, key: &PrivateKey) -> Result<Zeroizing<Vec<u8>>, ExportError> {
    let key = key.to_pem();
    let mut bytes = Zeroizing::new(Vec::with_capacity(chain.len() + key.len()));
    bytes.extend_from_slice(chain.as_bytes());
    bytes.extend_from_slice(key.as_bytes());
    Ok(bytes)
}
