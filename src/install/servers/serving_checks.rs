//! Observes once what the servers of a certificate serve now, then checks each configuration against
//! the certificate. The checks are pure.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::coverage::{self, ConfigUnderCheck};
use super::discover::ServerDiscovery;
use super::other_files::OtherFiles;
use super::probe_targets::resolve_probes;
use super::related_files::{self, NewCertificate};
use super::{ServerUse, ServingState, names_of};
use crate::advice::pki::lint_finding;
use crate::delivery::{CaDelivery, DeliveryInput, DeliveryLimits};
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::install_plan::observe;
use crate::install_plan::plan::NameCoverage;
use crate::pki::certificate::Certificate;
use crate::pki::lint;
use crate::pki::name::DnsName;
use crate::pki::trust::TrustScope;
use crate::probe::ProbeTarget;
use crate::store::disk;
use crate::store::layout::{LineageLayout, ReleaseFile, ReleasePointer, StableLink};
use crate::store::settings::LineageSettings;
use crate::system::fs::files;
use crate::system::tls;
use crate::webserver::model::{InstalledPaths, ProbeTargets};

/// The checks of every configuration. Only [`coverage::check_reach`] reports errors: the certificate
/// cannot be probed.
const REPORTED: [fn(&ConfigUnderCheck<'_>) -> Vec<Finding>; 5] = [
    coverage::check_doubts,
    coverage::check_reach,
    coverage::check_names_never_covered,
    coverage::check_stapling,
    coverage::check_clashes,
];

/// The certificate that servers serve now, and the addresses to probe.
struct ServingObservation<'a> {
    /// The new chain, the leaf first; empty if there is no new certificate.
    chain: &'a [Certificate],
    /// The folder of the live release.
    live: PathBuf,
    names: &'a [DnsName],
    /// The values of `--probe`.
    probes: &'a [String],
    /// The addresses of `--probe` for every name; `None` with `--probe none`.
    probe_targets: Option<Vec<ProbeTarget>>,
    /// The certificate that servers read now.
    present: Option<Certificate>,
}

impl<'a> ServingObservation<'a> {
    /// Resolves the addresses to probe and reads the present certificate.
    fn read(
        discovery: &mut ServerDiscovery,
        layout: &LineageLayout,
        settings: &'a LineageSettings,
        chain: &'a [Certificate],
        names: &'a [DnsName],
    ) -> Result<Self, Failure> {
        let probes = &settings.probe;
        let probe_targets = if probes.iter().any(|probe| probe == "none") {
            None
        } else {
            Some(resolve_probes(discovery, settings, names)?)
        };
        Ok(Self {
            chain,
            live: layout.pointer(ReleasePointer::Live),
            names,
            probes,
            probe_targets,
            present: read_present(layout, settings)?,
        })
    }

    /// Warns if the present certificate allows client authentication and the new one does not.
    fn check_lost_client_auth(&self) -> Option<Finding> {
        let present = self.present.as_ref()?;
        let lost = lint::find_lost_client_auth(present, self.chain.first()?)?;
        Some(lint_finding(&lost, TrustScope::Public))
    }

    /// Checks the files that a server reads together with the certificate at `links`.
    fn check_related(&self, server_use: &ServerUse, links: &[StableLink]) -> Vec<Finding> {
        let Some(observation) = &server_use.observed.observation else {
            return Vec::new();
        };
        let related = related_files::find(observation, links);
        let new = NewCertificate {
            chain: self.chain,
            present: self.present.as_ref(),
            live: &self.live,
            server: &server_use.observed.server,
        };
        related_files::check(&related, new)
    }

    /// Adds the addresses of `--probe` to those of a configuration.
    fn complete_targets(&self, mut targets: Vec<ProbeTarget>) -> Vec<ProbeTarget> {
        let Some(probe_targets) = &self.probe_targets else {
            return Vec::new();
        };
        targets.extend(probe_targets.iter().cloned());
        targets
    }
}

impl ServingState {
    /// Observes what is served now, then checks every configuration against `certificates`.
    pub(super) fn check_configs(
        &mut self,
        discovery: &mut ServerDiscovery,
        layout: &LineageLayout,
        settings: &LineageSettings,
        certificates: &[Certificate],
    ) -> Result<(), Failure> {
        let names = super::dns_names(certificates);
        let observation =
            ServingObservation::read(discovery, layout, settings, certificates, &names)?;
        self.apply_checks(&observation);
        Ok(())
    }

    /// Checks every configuration, and records the addresses to probe.
    fn apply_checks(&mut self, observation: &ServingObservation<'_>) {
        self.findings.extend(observation.check_lost_client_auth());
        let present_names = observation.present.as_ref().map(names_of);
        let mut uses = std::mem::take(&mut self.uses);
        for server_use in &mut uses {
            let from_config = self.check_config(server_use, observation, present_names.as_deref());
            self.findings.extend(server_use.report_unprobed());
            let mut targets = observation.complete_targets(from_config);
            server_use.addresses = targets
                .iter()
                .map(|target| target.address.to_string())
                .collect();
            server_use.addresses.dedup();
            targets.retain(|target| !self.targets.contains(target));
            self.targets.extend(targets);
        }
        self.uses = uses;
    }

    /// Runs all checks on one configuration; returns the addresses at which it serves the certificate.
    fn check_config(
        &mut self,
        server_use: &mut ServerUse,
        observation: &ServingObservation<'_>,
        present_names: Option<&[DnsName]>,
    ) -> Vec<ProbeTarget> {
        let Some(server) = &server_use.observed.observation else {
            return Vec::new();
        };
        let Some(leaf) = observation.chain.first() else {
            return Vec::new();
        };
        let config = &server.config;
        let wanted = InstalledPaths {
            links: &self.configured_paths,
            names: observation.names,
            algorithm: leaf.algorithm,
        };
        let targets = ProbeTargets::find(config, &wanted);
        server_use.is_configured = config
            .blocks_naming(&self.configured_paths)
            .next()
            .is_some();
        let checked = ConfigUnderCheck {
            config,
            wanted: &wanted,
            links: &server_use.links,
            targets: &targets,
            probes: observation.probes,
            leaf,
            present_names,
            is_configured: server_use.is_configured,
        };
        let related = observation.check_related(server_use, &self.configured_paths);
        self.findings.extend(related);
        let result = CheckedConfig::new(&checked);
        server_use.coverage = result.coverage(observation);
        self.record_checks(server_use, result)
    }

    /// Records the results of a configuration; returns the addresses to probe.
    fn record_checks(
        &mut self,
        server_use: &mut ServerUse,
        mut result: CheckedConfig,
    ) -> Vec<ProbeTarget> {
        if !server_use.observed.can_probe() {
            result.targets.clear();
            result.other_files.clear();
        }
        server_use.add_other_files(result.other_files);
        self.findings.extend(result.findings);
        self.names_losing_coverage.extend(result.losing_coverage);
        result.targets
    }
}

/// The result of all checks of a configuration.
struct CheckedConfig {
    findings: Vec<Finding>,
    losing_coverage: Vec<Finding>,
    other_files: Vec<OtherFiles>,
    /// Where this machine serves the certificate.
    targets: Vec<ProbeTarget>,
}

impl CheckedConfig {
    fn new(checked: &ConfigUnderCheck<'_>) -> Self {
        let mut result = Self {
            findings: REPORTED.iter().flat_map(|check| check(checked)).collect(),
            losing_coverage: coverage::check_names_losing_coverage(checked),
            other_files: coverage::find_other_files(checked),
            targets: checked.targets.targets.clone(),
        };
        let elsewhere = omit_addresses_elsewhere(&mut result.targets, &mut result.other_files);
        result.findings.extend(elsewhere);
        result
    }

    /// Whether all names can be served with the certificate. Blocks with other files are probed if
    /// the certificate itself is; then the answers decide.
    fn coverage(&self, observation: &ServingObservation<'_>) -> NameCoverage {
        let is_probed = !self.targets.is_empty() && observation.probe_targets.is_some();
        let is_unclear = !is_probed && self.other_files.iter().any(OtherFiles::is_error);
        if self.findings.iter().any(is_error) || is_unclear {
            NameCoverage::Partial
        } else {
            NameCoverage::All
        }
    }
}

impl ServerUse {
    /// Records blocks that serve these names with other files. If no block references the
    /// certificate, those that are reported already are not added.
    fn add_other_files(&mut self, mut other_files: Vec<OtherFiles>) {
        if !self.is_configured {
            other_files.retain(|other| !self.blocks_elsewhere.contains(&other.block));
            let errors = other_files.iter().filter(|other| other.is_error());
            let mut blocks = Vec::new();
            for other in errors {
                blocks.push(other.block.clone());
            }
            self.blocks_elsewhere.extend(blocks);
        }
        self.other_files = other_files;
    }
}

/// Removes the targets that are not addresses of this machine, which another machine answers, and
/// reports them.
fn omit_addresses_elsewhere(
    targets: &mut Vec<ProbeTarget>,
    other_files: &mut Vec<OtherFiles>,
) -> Option<Finding> {
    let mut elsewhere: BTreeSet<SocketAddr> = BTreeSet::new();
    let mut keeps = |target: &ProbeTarget| {
        let is_here = tls::is_here(target.address);
        if !is_here {
            elsewhere.insert(target.address);
        }
        is_here
    };
    targets.retain(&mut keeps);
    for other in other_files.iter_mut() {
        other.targets.retain(&mut keeps);
    }
    other_files.retain(|other| !other.targets.is_empty());
    if elsewhere.is_empty() {
        return None;
    }
    let addresses: Vec<String> = elsewhere.iter().map(ToString::to_string).collect();
    let message = format!(
        "not probed, because this machine does not have the address: {}",
        addresses.join(", ")
    );
    Some(Finding::warning("address-elsewhere", message))
}

fn is_error(finding: &Finding) -> bool {
    finding.severity == Severity::Error
}

/// Reads the certificate that servers read now; `None` for a placeholder.
fn read_present(
    layout: &LineageLayout,
    settings: &LineageSettings,
) -> Result<Option<Certificate>, Failure> {
    if settings.placeholder.is_some()
        && observe::read_pointer(layout, ReleasePointer::Live)? == settings.placeholder
    {
        return Ok(None);
    }
    let mut links = layout
        .links()
        .iter()
        .filter(|link| link.piece != ReleaseFile::Key);
    let first_readable = links.find_map(|link| files::read(&link.path, disk::PIECE_LIMIT).ok());
    Ok(first_readable.and_then(parse_first))
}

/// Reads the first certificate of a file; `None` where there is none.
pub(super) fn read_leaf(path: &Path) -> Option<Certificate> {
    files::read(path, disk::PIECE_LIMIT)
        .ok()
        .and_then(parse_first)
}

/// Parses the first certificate in a file.
fn parse_first(bytes: Vec<u8>) -> Option<Certificate> {
    let file = CaDelivery::read(
        vec![DeliveryInput::new("present", bytes)],
        &DeliveryLimits::default(),
    )
    .ok()?;
    file.clone_certificates().into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::omit_addresses_elsewhere;
    use crate::finding::Finding;
    use crate::install::servers::other_files::OtherFiles;
    use crate::probe::ProbeTarget;

    #[test]
    fn addresses_of_other_machines_are_reported_and_not_probed() {
        // 192.0.2.0/24 and 2001:db8::/32 are for documentation: no machine has such an address.
        let target = |address: &str| ProbeTarget::new(address.parse().unwrap(), "a.example");
        let other = |address: &str| OtherFiles {
            finding: Finding::error("configured-elsewhere", address),
            block: "/x.conf:1".to_owned(),
            targets: vec![target(address)],
        };
        let mut targets = vec![target("127.0.0.1:443"), target("192.0.2.10:443")];
        let mut other_files = vec![other("[::1]:443"), other("[2001:db8::1]:443")];
        let finding = omit_addresses_elsewhere(&mut targets, &mut other_files).unwrap();
        assert_eq!(targets, [target("127.0.0.1:443")]);
        assert_eq!(other_files.len(), 1);
        assert_eq!(other_files[0].targets, [target("[::1]:443")]);
        assert_eq!(finding.code, "address-elsewhere");
        assert!(
            finding
                .message
                .ends_with("192.0.2.10:443, [2001:db8::1]:443"),
            "{}",
            finding.message
        );
        assert_eq!(
            omit_addresses_elsewhere(&mut targets, &mut other_files),
            None
        );
    }
}
