//! Which virtual hosts Apache considers at an address, and whether the address uses TLS
//! (`ap_update_vhost_given_ip`, `ssl_engine_status`).

use std::collections::HashMap;

use super::build::ApacheVersion;
use super::listen::VirtualAddress;
use crate::webserver::model::{ListenAddress, ListenInterface, ModelRule};

/// An address of a virtual host, and how specific its `<VirtualHost>` is.
#[derive(Clone, Debug)]
pub(crate) struct RankedListen {
    pub listen: ListenAddress,
    specificity: AddressSpecificity,
}

/// A specific address goes before any address, then a specific port before any port.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct AddressSpecificity {
    has_host: bool,
    has_port: bool,
}

impl RankedListen {
    pub(crate) fn new(listen: ListenAddress, address: &VirtualAddress) -> Self {
        Self {
            listen,
            specificity: AddressSpecificity {
                has_host: address.host.is_some(),
                has_port: address.port.is_some(),
            },
        }
    }
}

/// Keeps, at each address, only the hosts with the most specific `<VirtualHost>`: Apache does not
/// consider the others there.
pub(crate) fn keep_most_specific(hosts: &mut [Vec<RankedListen>]) {
    if !ModelRule::ApacheAddress.is_followed() {
        return;
    }
    let mut best: HashMap<(ListenInterface, u16), AddressSpecificity> = HashMap::new();
    for ranked in hosts.iter().flatten() {
        let key = (ranked.listen.interface.clone(), ranked.listen.port);
        let known = best.entry(key).or_insert(ranked.specificity);
        *known = ranked.specificity.max(*known);
    }
    for listens in hosts.iter_mut() {
        listens.retain(|ranked| {
            let key = (ranked.listen.interface.clone(), ranked.listen.port);
            best.get(&key) == Some(&ranked.specificity)
        });
    }
}

/// The value of `SSLEngine`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SslEngine {
    Off,
    On,
    /// TLS after an upgrade from HTTP/1.1 (RFC 2817); off from 2.4.64 on.
    Optional,
}

impl SslEngine {
    /// Parses the word after `SSLEngine`; without the directive it is off.
    pub(crate) fn parse(word: Option<&str>, version: ApacheVersion) -> Self {
        match word {
            Some(word) if word.eq_ignore_ascii_case("on") => Self::On,
            Some(word) if word.eq_ignore_ascii_case("optional") => {
                if version < ApacheVersion(2, 4, 64) {
                    Self::Optional
                } else {
                    Self::Off
                }
            }
            _ => Self::Off,
        }
    }

    /// Returns whether Apache loads the certificates of such a host when it starts.
    pub(crate) fn loads_certificates(self) -> bool {
        self != Self::Off
    }
}

/// The addresses of one host, and its engine.
pub(crate) struct HostEngine<'a> {
    pub listens: &'a mut Vec<ListenAddress>,
    pub engine: SslEngine,
}

/// Marks the addresses at which a host is served over TLS with its own certificates: the first host
/// of an address decides whether TLS starts there, and the host itself whether it has certificates.
pub(crate) fn mark_tls(hosts: &mut [HostEngine<'_>]) {
    let mut first: HashMap<(ListenInterface, u16), SslEngine> = HashMap::new();
    for host in hosts.iter() {
        for listen in host.listens.iter() {
            let key = (listen.interface.clone(), listen.port);
            first.entry(key).or_insert(host.engine);
        }
    }
    for host in hosts {
        for listen in host.listens.iter_mut() {
            let key = (listen.interface.clone(), listen.port);
            let is_tls_address = first.get(&key) == Some(&SslEngine::On);
            listen.ssl = is_tls_address && host.engine.loads_certificates();
        }
    }
}
