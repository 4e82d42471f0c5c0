//! What servers read and what they show: each pair that certctl installed by the servers that it
//! was installed for; and every pair that the configuration of a server here names. Only addresses
//! of this machine are asked.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use crate::context::Context;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::install::servers::discover::{ObservedServer, ServerDiscovery};
use crate::install::servers::{self, SearchPaths};
use crate::inventory::file_reader::{self, Keys};
use crate::inventory::{InventoryItem, ItemContent, ItemLocation, ItemOrigin};
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::probe::ProbeTarget;
use crate::scan::installed_certificate::InstalledCertificate;
use crate::scan::results::ScanResults;
use crate::store::layout::{ReleaseFile, StableLink};
use crate::store::root::root;
use crate::store::settings::LineageSettings;
use crate::system::fs::files;
use crate::system::tls;
use crate::webserver::control::ServerProgram;
use crate::webserver::model::{self, BlockCoverage, ConfigBlock, InstalledPaths, ProbeTargets};

/// Whom to ask for a certificate.
#[derive(Debug)]
pub(crate) struct ScanTarget {
    /// Whom, and for which name.
    pub(crate) target: ProbeTarget,
    /// What should be shown, the leaf first.
    pub(crate) expected: Vec<Arc<Certificate>>,
}

/// The servers of a run, and whom they are to be asked for.
#[derive(Default)]
pub(crate) struct ScannedServers {
    fleet: ServerDiscovery,
    asks: Vec<ScanTarget>,
    /// The files that are known as somebody's already.
    known: HashSet<PathBuf>,
}

impl ScannedServers {
    pub(crate) fn into_asks(self) -> Vec<ScanTarget> {
        self.asks
    }

    fn ask(&mut self, targets: Vec<ProbeTarget>, expected: &[Arc<Certificate>]) {
        let here = targets
            .into_iter()
            .filter(|target| tls::is_here(target.address));
        self.asks.extend(here.map(|target| ScanTarget {
            target,
            expected: expected.to_vec(),
        }));
    }
}

impl ScanResults {
    /// The servers of a pair that certctl installed, whose live certificates are `chain`.
    pub(crate) fn servers_of(
        &mut self,
        context: &Context,
        pair: &InstalledCertificate,
        chain: &[Arc<Certificate>],
        to: &mut ScannedServers,
    ) {
        to.known
            .extend(pair.layout.links().iter().map(|link| link.path.clone()));
        let layout = &pair.layout;
        let flags = LineageSettings {
            chain_path: Some(layout.inside(layout.chain_path())),
            key_path: Some(layout.inside(layout.key_path())),
            ..LineageSettings::default()
        };
        // Whoever is asked by a name that has to be looked up may be elsewhere.
        let mut settings = pair.settings.clone();
        settings
            .probe
            .retain(|probe| probe.parse::<SocketAddr>().is_ok_and(tls::is_here));
        let certificates: Vec<Certificate> = chain.iter().map(|one| one.as_ref().clone()).collect();
        let mut place = || -> Result<servers::ServingState, Failure> {
            let root = root(context.root.as_deref())?;
            let ground = SearchPaths {
                root: &root,
                usual: layout,
                flags: &flags,
                settings: &settings,
            };
            Ok(servers::place(context, &mut to.fleet, ground, &certificates)?.1)
        };
        let serving = match place() {
            Ok(serving) => serving,
            Err(failure) => return self.tell(&failure, "certificate-unreadable"),
        };
        for refusal in serving.refusals {
            if !self.findings.contains(&refusal) {
                self.findings.push(refusal);
            }
        }
        let configs = serving
            .uses
            .iter()
            .filter_map(|one| Some(&one.looked.standing.as_ref()?.config));
        for config in configs {
            self.coverage(config, &serving.spelled, chain);
        }
        to.ask(serving.targets, chain);
    }

    /// Every pair that the configuration of a server here names; none under `--root`.
    pub(crate) fn servers_here(&mut self, context: &Context, to: &mut ScannedServers) {
        if context.root.is_some() {
            return;
        }
        for looked in to.fleet.here() {
            match looked {
                Ok(looked) => self.server(&looked, to),
                Err(failure) => self.tell(&failure, "certificate-unreadable"),
            }
        }
    }

    fn server(&mut self, looked: &Rc<ObservedServer>, to: &mut ScannedServers) {
        // What is installed and was never set up serves nothing.
        let absent = looked
            .server
            .program()
            .map(ServerProgram::config_file)
            .filter(|path| !files::occupied(path));
        if let (Some(path), Some(software), None) = (absent, looked.software(), &looked.standing) {
            let message = format!(
                "{} is installed, and {} is not there: passed over",
                software.title(),
                path.display()
            );
            return self.findings.push(Finding::note("skipped", message));
        }
        if let Some(refusal) = looked
            .refusal
            .as_ref()
            .filter(|refusal| !self.findings.contains(refusal))
        {
            self.findings.push(refusal.clone());
        }
        let Some(standing) = &looked.standing else {
            return;
        };
        let mut seen: HashSet<Vec<StableLink>> = HashSet::new();
        for block in standing.config.blocks() {
            for links in block
                .pairs
                .iter()
                .filter_map(model::ConfiguredCertificate::links)
            {
                let is_known = links.iter().all(|link| to.known.contains(&link.path));
                if is_known || seen.contains(&links) {
                    continue;
                }
                if let Some(chain) = self.configured(&standing.config, block, &links) {
                    let names: Vec<DnsName> = names(&chain[0]);
                    let wanted = InstalledPaths {
                        links: &links,
                        names: &names,
                        algorithm: chain[0].algorithm,
                    };
                    to.ask(ProbeTargets::of(&standing.config, &wanted).ask, &chain);
                    self.coverage(&standing.config, &links, &chain);
                }
                seen.insert(links);
            }
        }
    }

    /// The files of a pair that a block names; the certificates as the server sends them.
    fn configured(
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
                    self.unread(error, &origin);
                    continue;
                }
            };
            for what in file_reader::glance(&bytes, mode, Keys::Checked) {
                match what {
                    ItemContent::Certificates(more) if link.piece != ReleaseFile::Key => {
                        chain.extend(more)
                    }
                    ItemContent::Key(_) if link.piece.is_secret() => {
                        self.items.push(InventoryItem {
                            place: ItemLocation::file(&link.path, origin.clone()),
                            what,
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
            place: ItemLocation::file(path, origin),
            what: ItemContent::Certificates(chain.clone()),
        });
        Some(chain)
    }

    /// Names that blocks serve with a pair and that its certificate is not for.
    fn coverage(
        &mut self,
        config: &model::ServerConfig,
        links: &[StableLink],
        chain: &[Arc<Certificate>],
    ) {
        let Some(leaf) = chain.first() else { return };
        let names = names(leaf);
        for block in config.naming(links).filter(|block| block.speaks_tls()) {
            if let BlockCoverage::Lacks(lacking) = block.coverage(&names) {
                self.uncovered
                    .push((block.to_string(), leaf.fingerprint, lacking));
            }
        }
    }
}

fn names(leaf: &Certificate) -> Vec<DnsName> {
    leaf.dns_names
        .iter()
        .filter_map(|name| DnsName::presented(name))
        .collect()
}
