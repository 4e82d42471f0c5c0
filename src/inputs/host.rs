//! Parses a host argument and probes the host: each of its addresses once, with a full handshake.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::advice::inputs as advice;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::probe::{KeyCheck, ProbeTarget, StartTls, TlsHandshake};
use crate::system::tls::hosts::ADDRESS_LIMIT;
use crate::system::tls::{self, ProbeError, clear_text};

/// A host argument: `HOST`, `HOST:PORT` or `[::1]:PORT`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HostArgument {
    /// A DNS name as A-labels, or an address without brackets.
    pub name: String,
    pub port: u16,
}

impl std::fmt::Display for HostArgument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, port } = self;
        if name.contains(':') {
            write!(f, "[{name}]:{port}")
        } else {
            write!(f, "{name}:{port}")
        }
    }
}

impl HostArgument {
    /// Parses a host with a port. Text without a port is never a host here, so that a mistyped file
    /// or name does not reach the network.
    #[must_use]
    pub(crate) fn with_port(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let port = port.parse().ok().filter(|&port| port != 0)?;
        // The last part of an IPv6 address without brackets looks like a port.
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if !bracketed && host.contains(':') {
            return None;
        }
        Self::from_host_and_port(host, port)
    }

    /// Parses a host; without a port, the port is `default`.
    #[must_use]
    pub(crate) fn parse(text: &str, default: u16) -> Option<Self> {
        Self::with_port(text).or_else(|| Self::from_host_and_port(text, default))
    }

    fn from_host_and_port(host: &str, port: u16) -> Option<Self> {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Some(Self {
                name: address.to_string(),
                port,
            });
        }
        let name = DnsName::parse(host)
            .ok()
            .filter(|name| !name.is_wildcard())?;
        Some(Self {
            name: name.as_str().to_owned(),
            port,
        })
    }
}

/// The certificates that one or more addresses of a host send.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HostCertificates {
    pub addresses: Vec<SocketAddr>,
    /// `TLS 1.2` or `TLS 1.3`.
    pub protocol: &'static str,
    /// The certificates in DER, in the order in which they were sent. Untrusted bytes.
    pub sent: Vec<Vec<u8>>,
    /// The different stapled OCSP responses. Untrusted bytes.
    pub stapled: Vec<Vec<u8>>,
}

impl HostCertificates {
    /// Returns the addresses as a list for people.
    #[must_use]
    pub(crate) fn addresses_in_words(&self) -> String {
        self.addresses
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Returns the certificates that can be parsed, in their order.
    #[must_use]
    pub(crate) fn certificates(&self) -> Vec<Certificate> {
        self.sent
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok())
            .collect()
    }
}

/// The answers of all addresses of a host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HostAnswers {
    pub host: HostArgument,
    /// The protocol that started TLS.
    pub starttls: Option<StartTls>,
    pub answers: Vec<HostCertificates>,
    /// Notes about addresses that did not answer.
    pub findings: Vec<Finding>,
}

/// The deadline for resolving the host, and for the handshakes with its addresses.
pub(crate) const HOST_DEADLINE: Duration = Duration::from_secs(10);

/// Connects to every address of `host`; uses STARTTLS if the port implies it. `server_name` is sent
/// in the handshake.
///
/// # Errors
/// When no address sends a certificate.
pub(crate) fn probe_host(
    host: &HostArgument,
    starttls: Option<StartTls>,
    server_name: &str,
) -> Result<HostAnswers, Failure> {
    let starttls = starttls.or_else(|| StartTls::from_port(host.port));
    let mut addresses = tls::resolve(&host.name, host.port, HOST_DEADLINE)?;
    addresses.truncate(ADDRESS_LIMIT);
    let targets = targets_of(&addresses, starttls, server_name);
    let answers = clear_text::probe_with_fallback(&targets, HOST_DEADLINE);
    let mut findings: Vec<Finding> = Vec::new();
    let mut answers_by_chain: Vec<HostCertificates> = Vec::new();
    let mut failed: Vec<FailedProbe> = Vec::new();
    for (address, answer) in addresses.into_iter().zip(answers) {
        match answer {
            Ok(handshake) => {
                findings.extend(unchecked_key(address, &handshake));
                add_handshake(&mut answers_by_chain, address, handshake);
            }
            Err(error) => failed.push(FailedProbe { address, error }),
        }
    }
    if answers_by_chain.is_empty() {
        return Err(unreachable(host, starttls, failed));
    }
    findings.extend(failed.iter().map(FailedProbe::finding));
    Ok(HostAnswers {
        host: host.clone(),
        starttls,
        answers: answers_by_chain,
        findings,
    })
}

fn targets_of(
    addresses: &[SocketAddr],
    starttls: Option<StartTls>,
    server_name: &str,
) -> Vec<ProbeTarget> {
    let target = |address: &SocketAddr| ProbeTarget {
        starttls,
        ..ProbeTarget::new(*address, server_name)
    };
    addresses.iter().map(target).collect()
}

/// Warns that a server did not prove that it has the key of its certificate.
fn unchecked_key(address: SocketAddr, handshake: &TlsHandshake) -> Option<Finding> {
    (handshake.key == KeyCheck::Unchecked).then(|| {
        let message = format!(
            "{address} sends the certificate over {}, but whether it has the key was not checked: \
             certctl does not support the key or the algorithms that the server requires",
            handshake.protocol
        );
        Finding::warning("key-not-checked", message)
    })
}

/// Adds the address to the answer with the same chain and protocol, or adds a new answer.
pub(super) fn add_handshake(
    answers: &mut Vec<HostCertificates>,
    address: SocketAddr,
    handshake: TlsHandshake,
) {
    let TlsHandshake {
        chain,
        protocol,
        stapled,
        ..
    } = handshake;
    let same = answers
        .iter_mut()
        .find(|one| one.sent == chain && one.protocol == protocol);
    let stapled = Some(stapled).filter(|response| !response.is_empty());
    match same {
        Some(same) => {
            same.addresses.push(address);
            let new = stapled.filter(|response| !same.stapled.contains(response));
            same.stapled.extend(new);
        }
        None => answers.push(HostCertificates {
            addresses: vec![address],
            protocol,
            sent: chain,
            stapled: stapled.into_iter().collect(),
        }),
    }
}

/// An address that sends no certificate.
struct FailedProbe {
    address: SocketAddr,
    error: ProbeError,
}

impl FailedProbe {
    fn finding(&self) -> Finding {
        Finding::note(
            "address-no-answer",
            format!(
                "{} sends no certificate: {}",
                self.address,
                in_words(&self.error)
            ),
        )
    }
}

fn in_words(error: &ProbeError) -> String {
    let source = std::error::Error::source(error).map(|source| format!(" ({source})"));
    format!("{error}{}", source.unwrap_or_default())
}

fn unreachable(
    host: &HostArgument,
    starttls: Option<StartTls>,
    failed: Vec<FailedProbe>,
) -> Failure {
    let mut failure = Failure::new(FailureKind::Network, format!("{host} sends no certificate"));
    let step = failed
        .iter()
        .find_map(|one| step_for(host, starttls, &one.error));
    for one in failed {
        failure = failure.because(format!("{}: {}", one.address, in_words(&one.error)));
    }
    failure.with_step(step.unwrap_or_else(|| advice::check_listener(&host.name, host.port)))
}

/// The port for HTTPS.
const HTTPS_PORT: u16 = 443;

/// Ports at which web servers and applications behind them usually speak HTTP without TLS.
const HTTP_PORTS: [u16; 6] = [80, 3000, 5000, 8000, 8080, 8888];

/// Returns what to do about `error`, if it shows more than that nothing answers.
fn step_for(
    host: &HostArgument,
    starttls: Option<StartTls>,
    error: &ProbeError,
) -> Option<NextStep> {
    match error {
        ProbeError::NotTls if HTTP_PORTS.contains(&host.port) => {
            let tls = HostArgument {
                port: 443,
                ..host.clone()
            };
            Some(advice::inspect_https_port(host.port, &tls.to_string()))
        }
        ProbeError::NotTls if host.port == HTTPS_PORT => Some(advice::enable_tls(&host.name)),
        ProbeError::NotTls => Some(advice::try_https_or_starttls(&host.to_string())),
        ProbeError::Stalled(_) => Some(advice::try_starttls(&host.to_string(), starttls)),
        ProbeError::TooMuch => Some(advice::send_only_the_chain()),
        ProbeError::StartTls(_) => Some(advice::name_its_protocol()),
        _ => None,
    }
}

/// Parses the values of `--host`: addresses stay unchanged, names become A-labels.
///
/// # Errors
/// When a value is neither.
pub(crate) fn parse_host_flags(hosts: &[String]) -> Result<Vec<String>, Failure> {
    hosts.iter().map(|host| ascii_host(host)).collect()
}

/// Returns an address unchanged, a name as A-labels.
fn ascii_host(host: &str) -> Result<String, Failure> {
    if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return Ok(host.to_owned());
    }
    if is_underscore_name(host) {
        return Ok(host.to_ascii_lowercase());
    }
    let name = DnsName::parse(host).map_err(|error| {
        Failure::from_error(FailureKind::Usage, &error).with_step(advice::example_host_flag())
    })?;
    Ok(name.as_str().to_owned())
}

/// Returns whether `host` is a name except for underscores. No CA issues for such a name, but a
/// wildcard covers it.
fn is_underscore_name(host: &str) -> bool {
    host.contains('_') && host.is_ascii() && DnsName::parse(&host.replace('_', "x")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::HostArgument;

    #[test]
    fn hosts_are_distinguished_from_other_arguments() {
        for (text, with_port, with_default) in [
            (
                "example.com:8443",
                Some("example.com:8443"),
                Some("example.com:8443"),
            ),
            (
                "Bücher.example:443",
                Some("xn--bcher-kva.example:443"),
                Some("xn--bcher-kva.example:443"),
            ),
            (
                "127.0.0.1:443",
                Some("127.0.0.1:443"),
                Some("127.0.0.1:443"),
            ),
            ("[::1]:443", Some("[::1]:443"), Some("[::1]:443")),
            ("[::1]", None, Some("[::1]:443")),
            ("::1", None, Some("[::1]:443")),
            ("fe80::1:443", None, Some("[fe80::1:443]:443")),
            ("localhost:1", Some("localhost:1"), Some("localhost:1")),
            ("example.com", None, Some("example.com:443")),
            ("example.com:0", None, None),
            ("example.com:99999", None, None),
            ("*.example.com:443", None, None),
            ("a b:443", None, None),
            ("", None, None),
        ] {
            let shown = |host: Option<HostArgument>| host.map(|host| host.to_string());
            assert_eq!(
                shown(HostArgument::with_port(text)).as_deref(),
                with_port,
                "{text}"
            );
            assert_eq!(
                shown(HostArgument::parse(text, 443)).as_deref(),
                with_default,
                "{text}"
            );
        }
    }
}
