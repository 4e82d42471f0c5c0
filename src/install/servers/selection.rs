//! Selects the servers of a certificate among those that are installed.

use std::rc::Rc;

use super::instances;
use super::observed_server::ObservedServer;
use crate::finding::Finding;
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;
use crate::webserver::model::ServerSoftware;

/// The servers of a certificate.
#[derive(Debug, Default)]
pub(crate) struct DiscoveredServers {
    pub servers: Vec<Rc<ObservedServer>>,
    /// Installed servers that are omitted: they do not reference the certificate and are not running,
    /// while another server is.
    pub idle: Vec<ServerSoftware>,
    /// Several servers are installed, none is running, and none of their configurations concerns the
    /// certificate: only the user knows which one is meant.
    pub undecided: Vec<ServerSoftware>,
    /// Servers of the tree that is installed into: they are neither read nor reloaded.
    pub of_tree: Vec<ServerSoftware>,
    /// Running servers whose configuration cannot be read.
    pub(super) unreadable: Vec<Rc<ObservedServer>>,
}

impl DiscoveredServers {
    /// Selects servers without `--server`: those whose configuration references the certificate or
    /// has a TLS block with one of its names; if none does, the running ones that answer for its
    /// names anyway; then the running ones; then those that would answer; then all, undecided.
    pub(super) fn select(
        mut servers: Vec<Rc<ObservedServer>>,
        links: &[StableLink],
        names: &[DnsName],
    ) -> Self {
        let mut found = Self::default();
        let concerned = keep_if_any(&mut servers, |observed| observed.concerns(links, names));
        if !concerned {
            let installed = servers.clone();
            let is_running = keep_if_any(&mut servers, ObservedServer::runs);
            let answers = keep_if_any(&mut servers, |observed| {
                observed.answers_without_name(names)
            });
            if is_running && !answers {
                let idle = installed.iter().filter(|observed| !observed.runs());
                found.idle = idle.filter_map(|observed| observed.software()).collect();
            }
            if !is_running && !answers && servers.len() > 1 {
                let all = servers.iter();
                found.undecided = all.filter_map(|observed| observed.software()).collect();
            }
        }
        found.servers = servers;
        found
    }

    /// Returns the software of each server; commands given by the user have none.
    pub(crate) fn software(&self) -> impl Iterator<Item = ServerSoftware> {
        self.servers
            .iter()
            .filter_map(|observed| observed.software())
    }

    /// Returns a finding for each server that is omitted.
    #[must_use]
    pub(crate) fn report_omitted(&self) -> Vec<Finding> {
        let idle = self.idle.iter().map(|software| self.report_idle(*software));
        let unreadable = self.unreadable.iter();
        let unreadable = unreadable.filter_map(|one| instances::report_unreadable(one));
        idle.chain(unreadable).collect()
    }

    fn report_idle(&self, software: ServerSoftware) -> Finding {
        let options: Vec<String> = self
            .software()
            .chain([software])
            .map(|software| format!("--server {}", software.name()))
            .collect();
        let message = format!(
            "{} is installed as well, but is omitted because it is not running; `{}` includes it",
            software.title(),
            options.join(" ")
        );
        Finding::note("server-skipped", message)
    }
}

/// Keeps the servers for which `is` holds, if it holds for any; returns whether it does.
fn keep_if_any(
    servers: &mut Vec<Rc<ObservedServer>>,
    is: impl Fn(&ObservedServer) -> bool,
) -> bool {
    let holds = servers.iter().any(|observed| is(observed));
    if holds {
        servers.retain(|observed| is(observed));
    }
    holds
}
