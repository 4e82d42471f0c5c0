//! The servers that use the certificate: the paths that they read, their state, and the addresses
//! that are probed to verify it.

use std::path::Path;
use std::rc::Rc;

use crate::advice::install_command;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::install::servers::discover::ServerDiscovery;
use crate::install::servers::observed_server::ObservedServer;
use crate::install::servers::other_files::OtherFiles;
use crate::install::servers::path_views::PathView;
use crate::install::servers::selection::DiscoveredServers;
pub(super) use crate::install::servers::server_spec::parse_command;
use crate::install_plan::apply::ProbeAnswer;
use crate::install_plan::plan::{self, NameCoverage, ServerState};
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::probe::ProbeTarget;
use crate::store::layout::{LineageLayout, StableLink, primary_links};
use crate::store::settings::LineageSettings;
use crate::webserver::control::ServerProgram;
use crate::webserver::model::ServerSoftware;

pub(crate) mod adopt_paths;
mod coverage;
pub(crate) mod disabled_sites;
pub(crate) mod discover;
pub(crate) mod doubts;
pub(crate) mod health;
mod instances;
pub(crate) mod observed_server;
mod other_answers;
pub(crate) mod other_files;
mod out_of_use;
mod path_selection;
pub(crate) mod path_views;
mod port_owners;
mod probe_targets;
mod related_files;
pub(crate) mod selection;
mod server_spec;
mod serving_checks;
mod tree_server;
mod unloaded;
mod unreached;
pub(crate) mod unserved;
mod untested;

/// The servers of a certificate, as observed.
#[derive(Debug)]
pub(crate) struct ServingState {
    pub uses: Vec<ServerUse>,
    /// Every path of the certificate as configurations spell it: the chain, the key if it is a file,
    /// and further files.
    pub configured_paths: Vec<StableLink>,
    /// The addresses to probe and the name for each, over all servers.
    pub targets: Vec<ProbeTarget>,
    /// The answers to probes before anything was changed.
    pub probes: Vec<ProbeAnswer>,
    pub findings: Vec<Finding>,
    /// How other processes see the paths, where links or renames would not reach them.
    pub path_views: Vec<PathView>,
    /// The reasons why nothing may be changed.
    pub refusals: Vec<Finding>,
    /// Names that blocks serve with the present certificate and that the new one does not cover.
    pub names_losing_coverage: Vec<Finding>,
    /// The installed servers, if only the user knows which one is meant.
    pub undecided: Vec<ServerSoftware>,
}

/// How one server uses the certificate.
#[derive(Debug)]
pub(crate) struct ServerUse {
    pub observed: Rc<ObservedServer>,
    /// The files of the certificate that it reads or should read, as its configuration spells them.
    pub links: Vec<StableLink>,
    /// Whether its configuration references the certificate; assumed if it cannot be read.
    pub is_configured: bool,
    pub state: ServerState,
    /// The addresses that are probed.
    pub addresses: Vec<String>,
    /// Blocks that serve these names with other files, which certctl does not replace: `FILE:LINE`.
    pub blocks_elsewhere: Vec<String>,
    /// The same blocks, if another one references the certificate.
    pub other_files: Vec<OtherFiles>,
    /// Whether its configuration serves all names with the certificate.
    pub coverage: NameCoverage,
}

impl ServerUse {
    fn new(
        observed: Rc<ObservedServer>,
        links: Vec<StableLink>,
        blocks_elsewhere: Vec<String>,
    ) -> Self {
        Self {
            observed,
            links,
            is_configured: true,
            state: ServerState::Nothing,
            addresses: Vec::new(),
            blocks_elsewhere,
            other_files: Vec::new(),
            coverage: NameCoverage::All,
        }
    }

    /// Its program, if certctl has a profile for it.
    #[must_use]
    pub(crate) fn program(&self) -> Option<&ServerProgram> {
        self.observed.server.program()
    }
}

/// Where to search: the tree, the usual paths of the certificate, and the options that set others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SearchPaths<'a> {
    pub root: &'a Path,
    /// The paths that are used when no option sets others.
    pub usual_layout: &'a LineageLayout,
    /// The options of the command line.
    pub flags: &'a LineageSettings,
    /// The same, completed by the saved options.
    pub settings: &'a LineageSettings,
}

/// Finds the servers of a certificate and its paths; does not determine the state of the servers.
///
/// # Errors
/// When a server is not installed, a path leads out of the tree, a command cannot be run, or an
/// address cannot be resolved.
pub(crate) fn find_serving(
    context: &Context,
    discovery: &mut ServerDiscovery,
    search: SearchPaths<'_>,
    certificates: &[Certificate],
) -> Result<(LineageLayout, ServingState), Failure> {
    let names = dns_names(certificates);
    let mut serving = ServingState::new(search.configured_paths());
    let search_links = search.search_links(&serving.configured_paths);
    let found = discovery.find_servers(context, search.settings, &search_links, &names)?;
    serving.record_found(&found);
    let unnotified = discovery.find_unnotified(context, search.settings, &found, &search_links);
    for observed in unnotified {
        let finding = report_unnotified(context, &observed, search, &found, &search_links);
        serving.findings.extend(finding);
    }
    serving.choose_paths(search, found.servers, &names)?;
    serving.check_foreign(discovery);
    let layout = serving.resolve_layout(search)?;
    for software in &found.of_tree {
        let finding = tree_server::report(*software, &layout);
        serving.findings.push(finding);
    }
    serving.path_views = path_views::observe(discovery, &layout);
    if serving.refusals.is_empty() {
        serving.check_configs(discovery, &layout, search.settings, certificates)?;
    }
    Ok((layout, serving))
}

/// The DNS names of the leaf.
#[must_use]
pub(crate) fn dns_names(certificates: &[Certificate]) -> Vec<DnsName> {
    certificates.first().map(names_of).unwrap_or_default()
}

fn names_of(leaf: &Certificate) -> Vec<DnsName> {
    leaf.dns_names
        .iter()
        .filter_map(|name| DnsName::parse_presented(name))
        .collect()
}

impl ServingState {
    /// Records what was found out about the servers while they were searched for.
    fn record_found(&mut self, found: &DiscoveredServers) {
        self.findings.extend(found.report_omitted());
        self.undecided.clone_from(&found.undecided);
        for observed in &found.servers {
            self.findings.extend(observed.doubts.iter().cloned());
            self.refusals.extend(observed.refusal.clone());
        }
    }

    fn new(configured_paths: Vec<StableLink>) -> Self {
        Self {
            uses: Vec::new(),
            configured_paths,
            targets: Vec::new(),
            probes: Vec::new(),
            findings: Vec::new(),
            path_views: Vec::new(),
            refusals: Vec::new(),
            names_losing_coverage: Vec::new(),
            undecided: Vec::new(),
        }
    }

    /// The chain, with the key if that is a file, and the further files, as configurations spell
    /// them.
    #[must_use]
    pub(crate) fn primary_and_further(&self) -> (&[StableLink], &[StableLink]) {
        let count = primary_links(&self.configured_paths).len();
        self.configured_paths.split_at(count)
    }

    /// Returns what a plan needs to know about each server.
    #[must_use]
    pub(crate) fn states(&self) -> Vec<plan::PlannedServerUse> {
        self.uses
            .iter()
            .map(|server_use| plan::PlannedServerUse {
                server: server_use.observed.software(),
                state: server_use.state.clone(),
            })
            .collect()
    }

    /// Returns the blocks that reference the certificate, over all servers: `FILE:LINE`.
    #[must_use]
    pub(crate) fn blocks(&self) -> Vec<String> {
        let observations = self
            .uses
            .iter()
            .filter_map(|server_use| server_use.observed.observation.as_ref());
        observations
            .flat_map(|observation| observation.config.blocks_naming(&self.configured_paths))
            .map(ToString::to_string)
            .collect()
    }
}

/// Reports a running server that references the certificate and is neither tested nor reloaded.
fn report_unnotified(
    context: &Context,
    observed: &ObservedServer,
    search: SearchPaths<'_>,
    found: &DiscoveredServers,
    links: &[StableLink],
) -> Option<Finding> {
    let software = observed.software()?;
    let config = &observed.observation.as_ref()?.config;
    let blocks: Vec<String> = config
        .blocks_naming(links)
        .map(ToString::to_string)
        .collect();
    let mut server_names: Vec<&str> = found.software().map(ServerSoftware::name).collect();
    let selected = if server_names.is_empty() {
        "none".to_owned()
    } else {
        server_names.join(" --server ")
    };
    let message = format!(
        "{} is running and references these files ({}); with `--server {selected}` it is not \
            reloaded and keeps serving the certificate that it has loaded",
        software.title(),
        blocks.join(", ")
    );
    server_names.push(software.name());
    let finding = Finding::warning("server-not-included", message);
    Some(finding.with_step(install_command::install_for_servers(
        context.root.as_deref(),
        search.usual_layout.stem(),
        &server_names,
    )))
}
