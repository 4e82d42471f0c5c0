//! Reads exported files back, as any program would, and compares them with their source.

use super::error::ExportError;
use super::format::ExportFormat;
use super::pkcs7;
use super::pkcs12::{self, Pkcs12Protection};
use super::render::ExportSource;
use crate::delivery::{CaDelivery, DeliveryInput, DeliveryLimits, RepairKind};
use crate::pki::certificate::Certificate;
use crate::pki::key::PublicKeyId;

/// Reads `bytes` as `format` and compares them with `source`: the same certificates in the same
/// order (a p7b has no order), the same key or none.
///
/// # Errors
/// [`ExportError::Differs`].
pub(crate) fn verify_export(
    format: ExportFormat,
    bytes: &[u8],
    source: ExportSource<'_>,
    protection: Option<Pkcs12Protection<'_>>,
) -> Result<(), ExportError> {
    let all = source.chain.certificates();
    let expected: Vec<Certificate> = match format {
        ExportFormat::Cert | ExportFormat::Der => all[..1].to_vec(),
        ExportFormat::Chain => source.chain.intermediates().to_vec(),
        ExportFormat::P7b => sort_by_der(all.to_vec()),
        ExportFormat::Haproxy | ExportFormat::Pem | ExportFormat::Pfx => all.to_vec(),
    };
    let key = source
        .key
        .filter(|_| format.includes_key())
        .map(|key| key.id());
    let read = match format {
        ExportFormat::P7b => read_pkcs7(bytes),
        ExportFormat::Pfx => protection.and_then(|protection| read_pkcs12(bytes, protection)),
        _ => read_plain(bytes),
    };
    match read {
        Some((certificates, keys)) if certificates == expected && keys == Vec::from_iter(key) => {
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
    // certctl never writes a file that needs repairs.
    let is_intact = delivery.ignored.is_empty()
        && delivery
            .repairs
            .iter()
            .all(|repair| repair.kind == RepairKind::Der);
    is_intact.then(|| (delivery.clone_certificates(), keys))
}

fn read_pkcs7(bytes: &[u8]) -> Option<Contents> {
    let block = ::pem::parse(bytes)
        .ok()
        .filter(|block| block.tag() == "PKCS7")?;
    Some((sort_by_der(pkcs7::decode(block.contents())?), Vec::new()))
}

fn read_pkcs12(bytes: &[u8], protection: Pkcs12Protection<'_>) -> Option<Contents> {
    let (certificates, keys) = pkcs12::decode(bytes, protection.password)?;
    (pkcs12::detect_strength(bytes) == protection.strength)
        .then(|| (certificates, keys.iter().map(|key| key.id()).collect()))
}

fn sort_by_der(mut certificates: Vec<Certificate>) -> Vec<Certificate> {
    certificates.sort_by(|a, b| a.der().cmp(b.der()));
    certificates
}
