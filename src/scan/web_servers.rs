//! Scans web servers: those that use an installed certificate, and every certificate in the
//! configurations of the servers on this machine. Only addresses of this machine are probed.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::advice::install_command;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::install::request::RunMode;
use crate::install::servers::discover::ServerDiscovery;
use crate::install::servers::health::{self, ServedLineage};
use crate::install::servers::observed_server::ObservedServer;
use crate::install::servers::{self, SearchPaths, ServingState};
use crate::inventory::file_reader::{self, Keys};
use crate::inventory::item::OtherBlock;
use crate::inventory::{InventoryItem, ItemContent, ItemLocation, ItemOrigin};
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::probe::ProbeTarget;
use crate::scan::installed_certificate::InstalledCertificate;
use crate::scan::results::ScanResults;
use crate::store::layout::{ReleaseFile, StableLink};
use crate::store::root::resolve_root;
use crate::store::settings::LineageSettings;
use crate::system::fs::files;
use crate::system::tls;
use crate::webserver::control::ServerProgram;
use crate::webserver::model::{self, BlockCoverage, ConfigBlock, InstalledPaths, ProbeTargets};

/// An address to probe for a certificate.
#[derive(Debug)]
pub(crate) struct ScanTarget {
    /// The address and the server name (SNI) to request.
    pub target: ProbeTarget,
    /// The certificates that should be served, the leaf first.
    pub expected: Vec<Arc<Certificate>>,
    /// The block that answers with other files; `None` if the certificate's own does.
    pub other_block: Option<OtherBlock>,
}

/// The servers of a run, and the addresses to probe.
#[derive(Default)]
pub(crate) struct ScannedServers {
    discovery: ServerDiscovery,
    targets: Vec<ScanTarget>,
    /// The deployed files of installed certificates.
    known_paths: HashSet<PathBuf>,
}

impl ScannedServers {
    pub(crate) fn into_targets(self) -> Vec<ScanTarget> {
        self.targets
    }

    /// Adds those targets that are addresses of this machine.
    fn add_targets(&mut self, targets: Vec<ProbeTarget>, expected: &[Arc<Certificate>]) {
        for target in targets {
            if tls::is_here(target.address) {
                self.targets.push(ScanTarget {
                    target,
                    expected: expected.to_vec(),
                    other_block: None,
                });
            }
        }
    }

    /// Adds the addresses at which blocks with other files answer for names of a certificate.
    fn add_other_files(&mut self, serving: &ServingState, expected: &[Arc<Certificate>]) {
        let other_files = serving.uses.iter().flat_map(|one| &one.other_files);
        for other in other_files.filter(|other| other.is_error()) {
            let targets = other.targets.iter().map(|target| ScanTarget {
                target: target.clone(),
                expected: expected.to_vec(),
                other_block: Some(OtherBlock {
                    place: other.block.clone(),
                    next: other.finding.next.clone(),
                }),
            });
            self.targets.extend(targets);
        }
    }

    fn is_known(&self, links: &[StableLink]) -> bool {
        links
            .iter()
            .all(|link| self.known_paths.contains(&link.path))
    }

    /// Returns the servers that use an installed certificate, after their own tests.
    fn find_serving(
        &mut self,
        context: &Context,
        installed: &InstalledCertificate,
        chain: &[Arc<Certificate>],
    ) -> Result<ServingState, Failure> {
        let layout = &installed.layout;
        let flags = LineageSettings {
            chain_path: Some(layout.path_inside_tree(layout.chain_path())),
            key_path: layout.key_path().map(|key| layout.path_inside_tree(key)),
            ..LineageSettings::default()
        };
        // A host name that has to be resolved may be another machine.
        let mut settings = installed.settings.clone();
        settings
            .probe
            .retain(|probe| probe.parse::<SocketAddr>().is_ok_and(tls::is_here));
        let mut certificates = Vec::with_capacity(chain.len());
        for certificate in chain {
            certificates.push(certificate.as_ref().clone());
        }
        let root = resolve_root(context.root.as_deref())?;
        let paths = SearchPaths {
            root: &root,
            usual_layout: layout,
            flags: &flags,
            settings: &settings,
        };
        let (_, mut serving) =
            servers::find_serving(context, &mut self.discovery, paths, &certificates)?;
        // The addresses of a stopped server stay: that nothing answers there is a reason of the row.
        let targets = serving.targets.clone();
        health::test_servers(&mut [ServedLineage {
            layout,
            serving: &mut serving,
            mode: RunMode::Check,
        }])?;
        serving.targets = targets;
        Ok(serving)
    }
}

impl ScanResults {
    /// Scans the servers of an installed certificate; `chain` is live.
    pub(crate) fn scan_servers_of(
        &mut self,
        context: &Context,
        installed: &InstalledCertificate,
        chain: &[Arc<Certificate>],
        servers: &mut ScannedServers,
    ) {
        for link in installed.layout.links() {
            servers.known_paths.insert(link.path.clone());
        }
        let serving = match servers.find_serving(context, installed, chain) {
            Ok(serving) => serving,
            Err(failure) => return self.report_failure(&failure, "certificate-unreadable"),
        };
        for refusal in &serving.refusals {
            self.add_refusal(refusal);
        }
        let stem = installed.layout.stem();
        let repair = install_command::install_again(context.root.as_deref(), stem);
        for server in &serving.uses {
            self.test_server(&server.observed);
            if let Some(finding) = server.report_out_of_use(stem, &repair) {
                self.add_refusal(&finding);
            }
            if let Some(state) = &server.observed.observation {
                self.check_coverage(&state.config, &serving.configured_paths, chain);
            }
        }
        servers.add_other_files(&serving, chain);
        servers.add_targets(serving.targets, chain);
    }

    /// Reports a server whose own test of its configuration fails or cannot run here.
    fn test_server(&mut self, observed: &ObservedServer) {
        match health::check_test(observed) {
            Ok(None) => {}
            Ok(Some(finding)) => self.add_refusal(&finding),
            Err(failure) => self.report_failure(&failure, "certificate-unreadable"),
        }
    }

    /// Adds a finding about a server once. Its quote may differ each time: servers print the time and
    /// their process id.
    fn add_refusal(&mut self, refusal: &Finding) {
        let mut known = self.findings.iter();
        let is_same = |one: &Finding| one.code == refusal.code && one.message == refusal.message;
        if !known.any(is_same) {
            self.findings.push(refusal.clone());
        }
    }

    /// Scans every certificate in the configuration of a server on this machine; none under
    /// `--root`.
    pub(crate) fn scan_configured_servers(
        &mut self,
        context: &Context,
        servers: &mut ScannedServers,
    ) {
        if context.root.is_some() {
            return;
        }
        for observed in servers.discovery.observe_all(context) {
            match observed {
                Ok(observed) => self.scan_server(&observed, servers),
                Err(failure) => self.report_failure(&failure, "certificate-unreadable"),
            }
        }
    }

    fn scan_server(&mut self, observed: &ObservedServer, servers: &mut ScannedServers) {
        if let Some(finding) = not_configured(observed) {
            self.findings.push(finding);
            return;
        }
        if let Some(refusal) = &observed.refusal {
            self.add_refusal(refusal);
        }
        let Some(state) = &observed.observation else {
            return;
        };
        if state.running.is_some() {
            self.test_server(observed);
        }
        let mut scanned: HashSet<Vec<StableLink>> = HashSet::new();
        for block in state.config.blocks() {
            let certificates = block.certificates.iter();
            for links in certificates.filter_map(model::ConfiguredCertificate::links) {
                if servers.is_known(&links) || scanned.contains(&links) {
                    continue;
                }
                self.scan_configured(&state.config, block, &links, servers);
                scanned.insert(links);
            }
        }
    }

    /// Scans a certificate that a block configures.
    fn scan_configured(
        &mut self,
        config: &model::ServerConfig,
        block: &ConfigBlock,
        links: &[StableLink],
        servers: &mut ScannedServers,
    ) {
        let Some(chain) = self.read_configured(config, block, links) else {
            return;
        };
        let Some(leaf) = chain.first() else {
            return;
        };
        let names = presented_names(leaf);
        let wanted = InstalledPaths {
            links,
            names: &names,
            algorithm: leaf.algorithm,
        };
        servers.add_targets(ProbeTargets::find(config, &wanted).targets, &chain);
        self.check_coverage(config, links, &chain);
    }

    /// Reads the files of a configured certificate; returns the certificates as the server sends
    /// them.
    fn read_configured(
        &mut self,
        config: &model::ServerConfig,
        block: &ConfigBlock,
        links: &[StableLink],
    ) -> Option<Vec<Arc<Certificate>>> {
        let origin = ItemOrigin::Configured(config.software, block.to_string());
        let mut chain = Vec::new();
        for link in links {
            let (bytes, mode) = match files::read_with_mode(&link.path, file_reader::LIMIT) {
                Ok(read) => read,
                Err(error) => {
                    self.add_unreadable(error, &origin);
                    continue;
                }
            };
            for what in file_reader::read_items(&bytes, mode, Keys::Checked) {
                match what {
                    ItemContent::Certificates(more) if link.piece != ReleaseFile::Key => {
                        chain.extend(more)
                    }
                    ItemContent::Key(_) if link.piece.is_secret() => {
                        let place = ItemLocation::file(&link.path, origin.clone());
                        self.items.push(InventoryItem {
                            location: place,
                            content: what,
                        });
                    }
                    _ => {}
                }
            }
        }
        let path: &Path = &links.first()?.path;
        if chain.is_empty() {
            return None;
        }
        self.items.push(InventoryItem {
            location: ItemLocation::file(path, origin),
            content: ItemContent::Certificates(chain.clone()),
        });
        Some(chain)
    }

    /// Records the names that blocks serve with a certificate that does not cover them.
    fn check_coverage(
        &mut self,
        config: &model::ServerConfig,
        links: &[StableLink],
        chain: &[Arc<Certificate>],
    ) {
        let Some(leaf) = chain.first() else { return };
        let names = presented_names(leaf);
        for block in config
            .blocks_naming(links)
            .filter(|block| block.speaks_tls())
        {
            if let BlockCoverage::MissingNames(lacking) = block.coverage(&names) {
                self.uncovered
                    .push((block.to_string(), leaf.fingerprint, lacking));
            }
        }
    }
}

/// Returns the finding for a server that is installed but has no configuration.
fn not_configured(observed: &ObservedServer) -> Option<Finding> {
    let program = observed.server.program();
    let path = program
        .map(ServerProgram::config_file)
        .filter(|path| !files::may_exist(path))?;
    let software = observed.software()?;
    if observed.observation.is_some() {
        return None;
    }
    let message = format!(
        "skipped {}: it is installed, but {} does not exist",
        software.title(),
        path.display()
    );
    Some(Finding::note("skipped", message))
}

fn presented_names(leaf: &Certificate) -> Vec<DnsName> {
    leaf.dns_names
        .iter()
        .filter_map(|name| DnsName::parse_presented(name))
        .collect()
}
