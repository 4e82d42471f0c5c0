//! Asks what is served: all at once, each with a deadline of its own.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use super::ScanScope;
use crate::context::Context;
use crate::finding::{Finding, NextStep};
use crate::inputs::HostArgument;
use crate::inventory::item::{ServedLeaf, ServedQuestion};
use crate::inventory::{InventoryItem, ItemContent, ItemLocation};
use crate::pki::certificate::Certificate;
use crate::probe::{StartTls, TlsHandshake};
use crate::scan::results::ScanResults;
use crate::scan::web_servers::ScanTarget;
use crate::system::tls::hosts::{self, AddressAnswer, HostTarget};
use crate::system::tls::{self, ProbeError};

/// A server of this machine answers at once.
const HERE: Duration = Duration::from_secs(3);
/// Finding the addresses of a host, and a handshake with each.
const HOST: Duration = Duration::from_secs(10);

impl ScanResults {
    /// Asks the servers of this machine.
    pub(crate) fn ask(&mut self, asks: Vec<ScanTarget>) {
        let targets: Vec<_> = asks.iter().map(|ask| ask.target.clone()).collect();
        for (ScanTarget { target, expected }, answer) in
            asks.into_iter().zip(tls::probe_all(&targets, HERE))
        {
            let answer = match answer {
                Ok(handshake) => Ok(self.shows(
                    &ItemLocation::Address {
                        address: target.address,
                        name: target.name.clone(),
                    },
                    &handshake,
                    &expected,
                )),
                Err(error) => Err(in_words(&error)),
            };
            let expected = expected.first().map(|leaf| leaf.fingerprint);
            self.questions.push(ServedQuestion {
                expected,
                address: target.address,
                name: target.name,
                answer,
            });
        }
    }

    /// Asks hosts that were named, every address of each; told in their order.
    pub(crate) fn hosts(
        &mut self,
        context: &Context,
        hosts: &[HostArgument],
        starttls: Option<StartTls>,
    ) {
        let mut answers: Vec<Option<Answer>> = hosts.iter().map(|_| None).collect();
        ask(context, hosts, starttls, |index, answer| {
            answers[index] = Some(answer)
        });
        for (host, answer) in hosts.iter().zip(answers) {
            answer
                .into_iter()
                .for_each(|answer| self.host(host, answer));
        }
    }

    /// The same as each is through: `each` takes what was found of it. One that stalls holds nobody
    /// else's line back.
    pub(crate) fn each_host(
        &mut self,
        context: &Context,
        sought: &[ScanScope],
        starttls: Option<StartTls>,
        mut each: impl FnMut(&mut Self),
    ) {
        let hosts = ScanScope::hosts(sought);
        ask(context, &hosts, starttls, |index, answer| {
            self.host(&hosts[index], answer);
            each(self);
        });
    }

    fn host(&mut self, host: &HostArgument, answer: Answer) {
        match answer {
            Ok(addresses) => self.addresses(host, addresses),
            Err(error) => self.silent(host, "", &error),
        }
    }

    /// What each address of a host shows.
    fn addresses(&mut self, host: &HostArgument, addresses: Vec<AddressAnswer>) {
        let seen = addresses.iter().any(|one| one.answer.is_ok());
        for AddressAnswer { address, answer } in addresses {
            match answer {
                Ok(handshake) => {
                    let place = ItemLocation::Address {
                        address,
                        name: host.name.clone(),
                    };
                    let leaf = handshake
                        .chain
                        .first()
                        .and_then(|der| self.certificate(der));
                    if let Some(leaf) = leaf.filter(|leaf| !leaf.covers(&host.name)) {
                        self.uncovered.push((
                            place.to_string(),
                            leaf.fingerprint,
                            vec![host.name.clone()],
                        ));
                    }
                    self.shows(&place, &handshake, &[]);
                }
                // That nothing leads there from here, IPv6 mostly, is no fault of the host's.
                Err(ProbeError::Unreachable(error))
                    if seen && error.kind() == ErrorKind::NetworkUnreachable =>
                {
                    let message =
                        format!("{address} of {host} was not asked: this machine has no way there");
                    self.findings
                        .push(Finding::note("address-no-answer", message));
                }
                Err(error) => self.silent(host, &format!("{address}: "), &error),
            }
        }
    }

    fn silent(&mut self, host: &HostArgument, at: &str, error: &ProbeError) {
        let message = format!("{host} shows no certificate: {at}{}", in_words(error));
        let next = NextStep::say(format!("look closer:  certctl inspect {host}"));
        self.findings
            .push(Finding::error("host-no-answer", message).with(next));
    }

    /// One that is shown, read once however many show it.
    fn certificate(&mut self, der: &[u8]) -> Option<Arc<Certificate>> {
        if let Some(known) = self.shown.get(der) {
            return Some(known.clone());
        }
        let read = Arc::new(Certificate::from_der(der).ok()?);
        self.shown.insert(der.to_vec(), read.clone());
        Some(read)
    }

    /// What a server shows, as an item of its own.
    fn shows(
        &mut self,
        place: &ItemLocation,
        handshake: &TlsHandshake,
        expected: &[Arc<Certificate>],
    ) -> ServedLeaf {
        let chain: Vec<Arc<Certificate>> = handshake
            .chain
            .iter()
            .map_while(|der| self.certificate(der))
            .collect();
        let same = |one: &Arc<Certificate>, der: &Vec<u8>| one.der() == der.as_slice();
        let same_chain = expected.len() == handshake.chain.len()
            && expected
                .iter()
                .zip(&handshake.chain)
                .all(|(one, der)| same(one, der));
        let Some(leaf) = chain.first().cloned() else {
            let message = format!("{place} shows a certificate that cannot be read");
            self.findings
                .push(Finding::error("host-no-answer", message));
            return ServedLeaf {
                fingerprint: [0; 32],
                label: "unreadable".to_owned(),
                not_after: None,
                same_chain,
            };
        };
        self.items.push(InventoryItem {
            place: place.clone(),
            what: ItemContent::Certificates(chain),
        });
        ServedLeaf {
            fingerprint: leaf.fingerprint,
            label: leaf.label(),
            not_after: Some(leaf.not_after),
            same_chain,
        }
    }
}

/// What came of a host: of each of its addresses, or why none was asked.
type Answer = Result<Vec<AddressAnswer>, ProbeError>;

/// Asks all side by side; `each` hears of them as they are through. Progress is shown on a
/// terminal.
fn ask(
    context: &Context,
    hosts: &[HostArgument],
    starttls: Option<StartTls>,
    mut each: impl FnMut(usize, Answer),
) {
    let target = |host: &HostArgument| HostTarget {
        name: host.name.clone(),
        port: host.port,
        starttls: starttls.or_else(|| StartTls::of_port(host.port)),
    };
    let targets: Vec<HostTarget> = hosts.iter().map(target).collect();
    let mut live = context.sink.live();
    let mut through = 0;
    hosts::ask_hosts(&targets, HOST, |index, answer| {
        // Where lines go to the same terminal, they are written above it.
        live.iter_mut().for_each(|live| context.sink.clear(live));
        each(index, answer);
        through += 1;
        let stands = format!("asked {through} of {}", targets.len());
        live.iter_mut()
            .for_each(|live| context.sink.draw(live, std::slice::from_ref(&stands)));
    });
    live.iter_mut().for_each(|live| context.sink.clear(live));
}

fn in_words(error: &ProbeError) -> String {
    let source = std::error::Error::source(error).map(|source| format!(" ({source})"));
    format!("{error}{}", source.unwrap_or_default())
}
