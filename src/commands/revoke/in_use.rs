//! Finds what still uses a certificate: a certificate in use is not revoked, because visitors would
//! get an error.

use crate::context::Context;
use crate::failure::Failure;
use crate::install::drift_check::{self, DriftCheck};
use crate::install::installed;
use crate::install_plan::apply;
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::probe::{ProbeTarget, ProbeVerdict, StartTls};
use crate::webserver::control::ports;
use crate::webserver::model::name::probe_host;

/// Ports of services without TLS, where nothing is sent.
const OTHER_SERVICES: [u16; 4] = [22, 53, 80, 111];
/// How many names of a certificate are probed at each address.
const MOST_NAMES: usize = 10;

/// What was probed, once for all certificates of a run.
pub(super) struct ServedCheck {
    /// The probes of the servers that use the installed certificate.
    installed: Option<DriftCheck>,
    /// Whether the listeners of this machine are probed too: a tree may belong to another machine.
    probes_listeners: bool,
}

impl ServedCheck {
    /// Probes the servers that use the installed certificate.
    pub(super) fn new(context: &Context, stem: &str) -> Result<Self, Failure> {
        let is_installed = installed::find_live_id(context, stem)?.is_some();
        let installed = if is_installed {
            drift_check::check(context, &[stem.to_owned()])?.pop()
        } else {
            None
        };
        Ok(Self {
            installed,
            probes_listeners: context.root.is_none(),
        })
    }

    /// Returns whether any server was probed.
    pub(super) fn is_complete(&self) -> bool {
        let Some(installed) = &self.installed else {
            return self.probes_listeners;
        };
        self.probes_listeners || !installed.probes.is_empty()
    }

    /// Returns the addresses where a server sends the certificate.
    pub(super) fn addresses_of(&self, leaf: &Certificate) -> Vec<String> {
        let sha256 = leaf.sha256();
        let mut addresses = Vec::new();
        if let Some(installed) = &self.installed {
            for probe in &installed.probes {
                let address = probe.address_with(&sha256);
                addresses.extend(address.map(str::to_owned));
            }
        }
        if self.probes_listeners {
            addresses.extend(listeners_with(leaf));
        }
        addresses.sort();
        addresses.dedup();
        addresses
    }
}

/// The addresses of this machine where a server sends the certificate for one of its names.
fn listeners_with(leaf: &Certificate) -> Vec<String> {
    let targets = listener_targets(leaf);
    let certificates = [leaf.clone()];
    let answers = apply::probe_groups(&[(&targets, &certificates)]);
    let mut served = Vec::new();
    for probe in answers.into_iter().flatten() {
        let Ok((_, verdict)) = &probe.answer else {
            continue;
        };
        if !matches!(verdict, ProbeVerdict::OtherLeaf { .. }) {
            served.push(probe.target.address.to_string());
        }
    }
    served
}

/// What is probed: each listening address, for each name.
fn listener_targets(leaf: &Certificate) -> Vec<ProbeTarget> {
    let sockets = ports::current_sockets();
    let mut targets = Vec::new();
    for address in ports::listening_addresses(&sockets) {
        if OTHER_SERVICES.contains(&address.port()) {
            continue;
        }
        for name in leaf.dns_names.iter().take(MOST_NAMES) {
            let Some(name) = DnsName::parse_presented(name) else {
                continue;
            };
            targets.push(ProbeTarget {
                starttls: StartTls::from_port(address.port()),
                ..ProbeTarget::new(address, probe_host(&name))
            });
        }
    }
    targets
}
