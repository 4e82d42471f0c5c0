//! Whether bytes are what they were made from: read again as anybody would, and compared.

use super::error::ExportError;
use super::format::ExportFormat;
use super::pkcs7;
use super::pkcs12::{self, Pkcs12Protection};
use super::render::ExportSource;
use crate::delivery::{CaDelivery, DeliveryInput, DeliveryLimits, RepairKind};
use crate::pki::certificate::Certificate;
use crate::pki::key::PublicKeyId;

/// Reads `bytes` as `format` and compares them with `pair`: the same certificates in the same order
/// (a p7b has none), the same key or none.
///
/// # Errors
/// [`ExportError::Differs`].
pub(crate) fn read_back(
    format: ExportFormat,
    bytes: &[u8],
    pair: ExportSource<'_>,
    protection: Option<Pkcs12Protection<'_>>,
) -> Result<(), ExportError> {
    let all = pair.chain.certificates();
    let wanted: Vec<Certificate> = match format {
        ExportFormat::Cert | ExportFormat::Der => all[..1].to_vec(),
        ExportFormat::Chain => pair.chain.intermediates().to_vec(),
        ExportFormat::P7b => sorted(all.to_vec()),
        ExportFormat::Haproxy | ExportFormat::Pem | ExportFormat::Pfx => all.to_vec(),
    };
    let key = pair.key.filter(|_| format.holds_key()).map(|key| key.id());
    let read = match format {
        ExportFormat::P7b => read_pkcs7(bytes),
        ExportFormat::Pfx => protection.and_then(|protection| read_pkcs12(bytes, protection)),
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
    let delivery = CaDelivery::read(
        vec![DeliveryInput::new("", bytes.to_vec())],
        &DeliveryLimits::default(),
    )
    .ok()?;
    let keys = delivery.keys.iter().map(|key| key.id()).collect();
    // What had to be mended is not what was written.
    let whole = delivery.ignored.is_empty()
        && delivery
            .repairs
            .iter()
            .all(|repair| repair.what == RepairKind::Der);
    whole.then(|| (delivery.bag(), keys))
}

fn read_pkcs7(bytes: &[u8]) -> Option<Contents> {
    let block = ::pem::parse(bytes)
        .ok()
        .filter(|block| block.tag() == "PKCS7")?;
    Some((sorted(pkcs7::decode(block.contents())?), Vec::new()))
}

fn read_pkcs12(bytes: &[u8], protection: Pkcs12Protection<'_>) -> Option<Contents> {
    let (certificates, keys) = pkcs12::decode(bytes, protection.password)?;
    (pkcs12::strength(bytes) == protection.strength)
        .then(|| (certificates, keys.iter().map(|key| key.id()).collect()))
}

fn sorted(mut certificates: Vec<Certificate>) -> Vec<Certificate> {
    certificates.sort_by(|a, b| a.der().cmp(b.der()));
    certificates
}
