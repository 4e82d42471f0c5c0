//! The targets that the addresses of `--probe` stand for.

use std::collections::BTreeSet;

use super::discover::ServerDiscovery;
use crate::failure::Failure;
use crate::pki::name::DnsName;
use crate::probe::{ProbeTarget, StartTls};
use crate::store::settings::LineageSettings;
use crate::webserver::model::name::probe_host;

/// Resolves every address of `--probe`, for every name of the certificate. A protocol that starts in
/// plain text is chosen by the port and by `--starttls`.
///
/// # Errors
/// When an address is malformed or cannot be resolved.
pub(super) fn resolve_probes(
    discovery: &mut ServerDiscovery,
    settings: &LineageSettings,
    names: &[DnsName],
) -> Result<Vec<ProbeTarget>, Failure> {
    let mut addresses = Vec::new();
    for probe in &settings.probe {
        addresses.extend_from_slice(discovery.resolve_probe(probe)?);
    }
    let ports: BTreeSet<u16> = addresses.iter().map(|address| address.port()).collect();
    let mut targets = Vec::new();
    for address in addresses {
        let starttls = match ports.len() {
            1 => settings
                .starttls
                .or_else(|| StartTls::from_port(address.port())),
            _ => StartTls::for_port_of_many(address.port(), settings.starttls),
        };
        targets.extend(names.iter().map(|name| ProbeTarget {
            starttls,
            ..ProbeTarget::new(address, probe_host(name))
        }));
    }
    Ok(targets)
}
