//! Probes what is served: all servers concurrently, each with its own deadline.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::ScanScope;
use crate::advice;
use crate::context::Context;
use crate::finding::Finding;
use crate::inputs::HostArgument;
use crate::inventory::item::{ServedLeaf, ServerProbe};
use crate::inventory::{InventoryItem, ItemContent, ItemLocation};
use crate::pki::certificate::Certificate;
use crate::pki::fingerprint::Fingerprint;
use crate::probe::stapled::{self, StapledSubject};
use crate::probe::{ProbeTarget, StartTls, TlsHandshake};
use crate::scan::results::ScanResults;
use crate::scan::web_servers::ScanTarget;
use crate::system::tls::hosts::{self, AddressAnswer, HostTarget};
use crate::system::tls::{self, ProbeError};

/// Deadline for a server of this machine.
pub(crate) const LOCAL_DEADLINE: Duration = Duration::from_secs(3);
/// Deadline for resolving a host and for a handshake with each of its addresses.
pub(crate) const HOST_DEADLINE: Duration = Duration::from_secs(10);

impl ScanResults {
    /// Probes servers of this machine.
    pub(crate) fn probe_servers(&mut self, scan_targets: Vec<ScanTarget>) {
        let mut targets = Vec::with_capacity(scan_targets.len());
        for one in &scan_targets {
            targets.push(one.target.clone());
        }
        let answers = tls::clear_text::probe_with_fallback(&targets, LOCAL_DEADLINE);
        for (scanned, answer) in scan_targets.into_iter().zip(answers) {
            let ScanTarget {
                target,
                expected,
                other_block,
            } = scanned;
            let answer = match answer {
                Ok(handshake) => {
                    let place = ItemLocation::Address {
                        address: target.address,
                        name: target.name.clone(),
                    };
                    Ok(self.add_served(&place, &handshake, &expected))
                }
                Err(error) if error.is_unverifiable() => {
                    self.report_unverified(&target, &error);
                    continue;
                }
                Err(error) => Err(error_in_words(&error)),
            };
            self.server_probes.push(ServerProbe {
                expected: expected.first().map(|leaf| leaf.fingerprint),
                address: target.address,
                name: target.name,
                other_block,
                answer,
            });
        }
    }

    /// Reports a server of this machine whose certificate cannot be read.
    fn report_unverified(&mut self, target: &ProbeTarget, error: &ProbeError) {
        let message = format!(
            "which certificate {} serves for {} was not checked: {}",
            target.address,
            target.name,
            error_in_words(error)
        );
        self.findings
            .push(Finding::warning("not-verified", message));
    }

    /// Probes every address of the hosts; the results are added in the order of the hosts.
    pub(crate) fn probe_hosts(
        &mut self,
        context: &Context,
        hosts: &[HostArgument],
        starttls: Option<StartTls>,
    ) {
        let mut answers: Vec<Option<HostAnswer>> = Vec::new();
        answers.resize_with(hosts.len(), || None);
        probe_concurrently(context, hosts, starttls, |index, answer| {
            answers[index] = Some(answer)
        });
        for (host, answer) in hosts.iter().zip(answers) {
            if let Some(answer) = answer {
                self.add_host(host, answer);
            }
        }
    }

    /// Probes the hosts among the scopes and calls `on_result` as soon as each is added, so that an
    /// unresponsive host does not delay the others.
    pub(crate) fn for_each_host(
        &mut self,
        context: &Context,
        scopes: &[ScanScope],
        starttls: Option<StartTls>,
        mut on_result: impl FnMut(&mut Self),
    ) {
        let hosts = ScanScope::hosts(scopes);
        probe_concurrently(context, &hosts, starttls, |index, answer| {
            self.add_host(&hosts[index], answer);
            on_result(self);
        });
    }

    fn add_host(&mut self, host: &HostArgument, answer: HostAnswer) {
        match answer {
            Ok(addresses) => self.add_addresses(host, addresses),
            Err(error) => self.report_silent(host, "", &error),
        }
    }

    /// Adds the certificate that each address of a host serves.
    fn add_addresses(&mut self, host: &HostArgument, addresses: Vec<AddressAnswer>) {
        let is_reachable = addresses.iter().any(|one| one.answer.is_ok());
        for AddressAnswer { address, answer } in addresses {
            match answer {
                Ok(handshake) => self.add_handshake(host, address, &handshake),
                // A missing route (mostly for IPv6) is not the fault of the host.
                Err(ProbeError::Unreachable(error))
                    if is_reachable && error.kind() == ErrorKind::NetworkUnreachable =>
                {
                    let message = format!(
                        "{address} of {host} was not probed: unreachable from this machine"
                    );
                    self.findings
                        .push(Finding::note("address-no-answer", message));
                }
                Err(error) => self.report_silent(host, &format!("{address}: "), &error),
            }
        }
    }

    fn add_handshake(
        &mut self,
        host: &HostArgument,
        address: SocketAddr,
        handshake: &TlsHandshake,
    ) {
        let place = ItemLocation::Address {
            address,
            name: host.name.clone(),
        };
        let leaf = handshake
            .chain
            .first()
            .and_then(|der| self.parse_certificate(der));
        if let Some(leaf) = leaf
            && !leaf.covers(&host.name)
        {
            let names = vec![host.name.clone()];
            self.uncovered
                .push((place.to_string(), leaf.fingerprint, names));
        }
        self.add_served(&place, handshake, &[]);
    }

    fn report_silent(&mut self, host: &HostArgument, at: &str, error: &ProbeError) {
        let next = match error {
            ProbeError::NoAddress(name) => advice::scan::look_up_host(name),
            _ => advice::scan::inspect_host(&host.to_string()),
        };
        let error = error_in_words(error);
        let message = format!("{host} sends no certificate: {at}{error}");
        self.findings
            .push(Finding::error("host-no-answer", message).with_step(next));
    }

    /// Parses a certificate, or returns the one that was parsed before.
    fn parse_certificate(&mut self, der: &[u8]) -> Option<Arc<Certificate>> {
        if let Some(known) = self.parsed.get(der) {
            return Some(known.clone());
        }
        let certificate = Arc::new(Certificate::from_der(der).ok()?);
        self.parsed.insert(der.to_vec(), certificate.clone());
        Some(certificate)
    }

    /// Adds the chain that a server sends as an item.
    fn add_served(
        &mut self,
        place: &ItemLocation,
        handshake: &TlsHandshake,
        expected: &[Arc<Certificate>],
    ) -> ServedLeaf {
        let chain: Vec<Arc<Certificate>> = handshake
            .chain
            .iter()
            .map_while(|der| self.parse_certificate(der))
            .collect();
        let same_chain = is_same_chain(expected, &handshake.chain);
        let Some(leaf) = chain.first().cloned() else {
            let message = format!("{place} sends a certificate that cannot be parsed");
            self.findings
                .push(Finding::error("host-no-answer", message));
            return ServedLeaf {
                fingerprint: Fingerprint::of(handshake.chain.first().map_or(&[], Vec::as_slice)),
                label: "unreadable".to_owned(),
                not_after: None,
                same_chain,
                stapled_for: None,
            };
        };
        let stapled_for = other_subject(&handshake.stapled, &chain);
        self.items.push(InventoryItem {
            location: place.clone(),
            content: ItemContent::Certificates(chain),
        });
        ServedLeaf {
            fingerprint: leaf.fingerprint,
            label: leaf.label(),
            not_after: Some(leaf.not_after),
            same_chain,
            stapled_for,
        }
    }
}

/// Returns what a stapled response is about, if that is not the first certificate of `chain`.
fn other_subject(response: &[u8], chain: &[Arc<Certificate>]) -> Option<String> {
    if response.is_empty() {
        return None;
    }
    let issuer = chain.get(1).map(Arc::as_ref);
    match stapled::find_subject(response, chain.first()?, issuer) {
        StapledSubject::ThisCertificate | StapledSubject::NoAnswer => None,
        StapledSubject::Other(serial) => Some(format!("a certificate with serial number {serial}")),
        StapledSubject::Unreadable => Some("no certificate".to_owned()),
    }
}

fn is_same_chain(expected: &[Arc<Certificate>], served: &[Vec<u8>]) -> bool {
    expected.len() == served.len()
        && expected
            .iter()
            .zip(served)
            .all(|(certificate, der)| certificate.der() == der.as_slice())
}

/// The answer of each address of a host, or why no address was probed.
type HostAnswer = Result<Vec<AddressAnswer>, ProbeError>;

/// Probes all hosts concurrently and calls `on_answer` with the index of each as soon as it is
/// done. Shows the progress on a terminal.
fn probe_concurrently(
    context: &Context,
    hosts: &[HostArgument],
    starttls: Option<StartTls>,
    mut on_answer: impl FnMut(usize, HostAnswer),
) {
    let mut targets = Vec::with_capacity(hosts.len());
    for host in hosts {
        targets.push(HostTarget {
            name: host.name.clone(),
            port: host.port,
            starttls: starttls.or_else(|| StartTls::from_port(host.port)),
        });
    }
    let mut live = context.sink.live_progress();
    let mut done = 0;
    hosts::probe_all_hosts(&targets, HOST_DEADLINE, |index, answer| {
        // Result lines on the same terminal appear above the progress line.
        if let Some(live) = &mut live {
            context.sink.clear_progress(live);
        }
        on_answer(index, answer);
        done += 1;
        let progress = format!("probed {done} of {} hosts", targets.len());
        if let Some(live) = &mut live {
            context.sink.draw_progress(live, &[progress]);
        }
    });
    if let Some(live) = &mut live {
        context.sink.clear_progress(live);
    }
}

fn error_in_words(error: &ProbeError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error} ({source})"),
        None => error.to_string(),
    }
}
