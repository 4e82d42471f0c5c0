//! Whether bytes are what they were made from: read again as anybody would, and compared.

use super::error::ExportError;
use super::format::Format;
use super::pkcs7;
use super::pkcs12::{self, Protection};
use super::render::Pair;
use crate::delivery::{Delivery, Input, Limits, Mended};
use crate::pki::certificate::Certificate;
use crate::pki::key::PublicKeyId;

/// Reads `bytes` as `format` and compares them with `pair`: the same certificates in the same order
/// (a p7b has none), the same key or none.
///
/// # Errors
/// [`ExportError::Differs`].
pub(crate) fn read_back(
    format: Format,
    bytes: &[u8],
    pair: Pair<'_>,
    protection: Option<Protection<'_>>,
) -> Result<(), ExportError> {
    let all = pair.chain.certificates();
    let wanted: Vec<Certificate> = match format {
        Format::Cert | Format::Der => all[..1].to_vec(),
        Format::Chain => pair.chain.intermediates().to_vec(),
        Format::P7b => sorted(all.to_vec()),
        Format::Haproxy | Format::Pem | Format::Pfx => all.to_vec(),
    };
    let key = pair.key.filter(|_| format.holds_key()).map(|key| key.id());
    let read = match format {
        Format::P7b => read_pkcs7(bytes),
        Format::Pfx => protection.and_then(|protection| read_pkcs12(bytes, protection)),
        _ => read_plain(bytes),
    };
    match read {
        Some((certificates, keys)) if certificates == wanted && keys == Vec::from_iter(key) => {
            Ok(())
        }
        _ => Err(ExportError::Differs(format)),
    }
}

type Contents = (Vec<Certificate>, Vec<PublicKeyId>);

fn read_plain(bytes: &[u8]) -> Option<Contents> {
    let delivery = Delivery::read(vec![Input::new("", bytes.to_vec())], &Limits::default()).ok()?;
    let keys = delivery.keys.iter().map(|key| key.id()).collect();
    // What had to be mended is not what was written.
    let whole = delivery.ignored.is_empty()
        && delivery
            .repairs
            .iter()
            .all(|repair| repair.what == Mended::Der);
    whole.then(|| (delivery.bag(), keys))
}

fn read_pkcs7(bytes: &[u8]) -> Option<Contents> {
    let block = ::pem::parse(bytes)
        .ok()
        .filter(|block| block.tag() == "PKCS7")?;
    Some((sorted(pkcs7::decode(block.contents())?), Vec::new()))
}

fn read_pkcs12(bytes: &[u8], protection: Protection<'_>) -> Option<Contents> {
    let (certificates, keys) = pkcs12::decode(bytes, protection.password)?;
    (pkcs12::strength(bytes) == protection.strength)
        .then(|| (certificates, keys.iter().map(|key| key.id()).collect()))
}

fn sorted(mut certificates: Vec<Certificate>) -> Vec<Certificate> {
    certificates.sort_by(|a, b| a.der().cmp(b.der()));
    certificates
}
