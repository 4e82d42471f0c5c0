//! Which servers use the certificate, at which paths, in what state they are, and which addresses
//! are probed to verify it.

use std::path::Path;
use std::rc::Rc;

use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep};
use crate::install::request::certctl_again;
use crate::install::servers::discover::{DiscoveredServers, ObservedServer, ServerDiscovery};
use crate::install_plan::apply::ProbeAnswer;
use crate::install_plan::plan::{self, NameCoverage, ServerState};
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::probe::ProbeTarget;
use crate::store::layout::{LineageLayout, StableLink};
use crate::store::settings::LineageSettings;
use crate::webserver::control::ServerProgram;
use crate::webserver::model::ServerSoftware;

pub(crate) mod adopt_paths;
mod coverage;
pub(crate) mod disabled_sites;
pub(crate) mod discover;
pub(crate) mod health;
pub(crate) mod new_block;
mod path_selection;
mod serving_checks;

/// The servers of a certificate as they were found.
#[derive(Debug)]
pub(crate) struct ServingState {
    pub uses: Vec<ServerUse>,
    /// Every path of the certificate as configurations spell it; the first two are chain and key.
    pub configured_paths: Vec<StableLink>,
    /// Which addresses to probe for which name, over all servers.
    pub targets: Vec<ProbeTarget>,
    /// What was served before anything was changed.
    pub probes: Vec<ProbeAnswer>,
    /// What to report.
    pub findings: Vec<Finding>,
    /// Why nothing may be changed.
    pub refusals: Vec<Finding>,
    /// Names that blocks serve with the present certificate and that the new one is not for.
    pub names_losing_coverage: Vec<Finding>,
}

/// How one server uses the certificate.
#[derive(Debug)]
pub(crate) struct ServerUse {
    pub observed: Rc<ObservedServer>,
    /// The files of the certificate that it reads, as its configuration spells them, or should.
    pub links: Vec<StableLink>,
    /// Whether its configuration names the certificate; assumed if it cannot be read.
    pub is_configured: bool,
    /// What decides the plan.
    pub state: ServerState,
    /// The addresses that are probed.
    pub addresses: Vec<String>,
    /// Blocks that serve these names with other files, which certctl leaves alone: `FILE:LINE`.
    pub blocks_elsewhere: Vec<String>,
    /// Whether its configuration serves all names with the certificate.
    pub coverage: NameCoverage,
}

impl ServerUse {
    fn new(
        looked: Rc<ObservedServer>,
        links: Vec<StableLink>,
        blocks_elsewhere: Vec<String>,
    ) -> Self {
        Self {
            observed: looked,
            links,
            is_configured: true,
            state: ServerState::Nothing,
            addresses: Vec::new(),
            blocks_elsewhere,
            coverage: NameCoverage::All,
        }
    }

    /// Its program, where it has a profile.
    #[must_use]
    pub(crate) fn program(&self) -> Option<&ServerProgram> {
        self.observed.server.program()
    }
}

/// Where to search: the tree, the usual paths of the certificate, and the options that name others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SearchPaths<'a> {
    pub root: &'a Path,
    /// The paths that are used when no option names others.
    pub usual_layout: &'a LineageLayout,
    /// The options of the command line.
    pub flags: &'a LineageSettings,
    /// The same, completed by the saved options.
    pub settings: &'a LineageSettings,
}

/// Finds the servers of a certificate and its paths; the state of the servers is not known yet.
///
/// # Errors
/// Servers that are not installed, paths that lead out of the tree, commands that cannot be run,
/// addresses that cannot be resolved.
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
    serving.findings.extend(found.report_omitted());
    let unnotified = discovery.find_unnotified(context, search.settings, &found, &search_links);
    for observed in unnotified {
        let finding = report_unnotified(context, &observed, search, &found, &search_links);
        serving.findings.extend(finding);
    }
    serving.refusals = found
        .servers
        .iter()
        .filter_map(|observed| observed.refusal.clone())
        .collect();
    serving.choose_paths(search, found.servers, &names)?;
    let layout = serving.resolve_layout(search)?;
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
    fn new(configured_paths: Vec<StableLink>) -> Self {
        Self {
            uses: Vec::new(),
            configured_paths,
            targets: Vec::new(),
            probes: Vec::new(),
            findings: Vec::new(),
            refusals: Vec::new(),
            names_losing_coverage: Vec::new(),
        }
    }

    /// Chain and key, as configurations spell them.
    #[must_use]
    pub(crate) fn chain_and_key(&self) -> (&Path, &Path) {
        (
            &self.configured_paths[0].path,
            &self.configured_paths[1].path,
        )
    }

    /// What a plan needs to know of each server.
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

    /// The blocks that name the certificate, over all servers: `FILE:LINE`.
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

/// A running server that names the certificate and is neither tested nor reloaded.
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
        "{} runs and names these files ({}): with --server {selected} it is not told of them, and \
            serves what it has loaded",
        software.title(),
        blocks.join(", ")
    );
    server_names.push(software.name());
    let finding = Finding::warning("server-not-included", message);
    Some(finding.with_step(install_for(
        context,
        search.usual_layout.stem(),
        &server_names,
    )))
}

/// The install of `stem` for all of these servers.
fn install_for(context: &Context, stem: &str, server_names: &[&str]) -> NextStep {
    let mut words = vec!["install", stem];
    for name in server_names {
        words.push("--server");
        words.push(name);
    }
    certctl_again(context, &words)
}
