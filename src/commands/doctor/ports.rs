//! What the addresses of a site answer at ports 80 and 443, and what DNS says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::certificates::DiskReader;
use crate::context::Context;
use crate::dcv::answer::{DnsAnswer, RecordKind};
use crate::dcv::public_address::unreachable_reason;
use crate::diagnosis::{
    AddressPlace, DnsFacts, NameAddress, PlainState, ServedChain, TlsState, find_drops,
};
use crate::pki::name::DnsName;
use crate::probe::http::{HttpPlace, HttpReply, HttpRequest, HttpScheme, SiteAnswer};
use crate::probe::{ProbeTarget, TlsHandshake};
use crate::system::dns::{self, ResolverList};
use crate::system::process::{self, CommandInvocation};
use crate::system::tls::clear_text::probe_with_fallback;
use crate::system::tls::{self, ProbeError};
use crate::webserver::control;
use crate::wording::with_causes;

/// How long one handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of the packet filter's rules is read, in bytes.
const OUTPUT_LIMIT: usize = 1024 * 1024;
/// How many addresses of a name are checked.
const ADDRESS_LIMIT: usize = 16;
/// How the address of a page over https begins.
const SCHEME: &str = "https://";
/// The port of https.
pub(super) const HTTPS: u16 = 443;

/// Looks up the addresses of the name.
pub(super) fn look_up(context: &Context, name: &DnsName, reader: &DiskReader<'_>) -> DnsFacts {
    let resolvers = ResolverList::new(&[]);
    let questions = [RecordKind::A, RecordKind::Aaaa].map(|kind| (name.as_str().to_owned(), kind));
    let answers = match dns::look_up(&questions, &resolvers, &context.interrupt) {
        Ok(answers) => answers,
        Err(error) => return DnsFacts::Unchecked(with_causes(&error)),
    };
    let mut addresses = Vec::new();
    for answer in &answers {
        if let DnsAnswer::Addresses(found) = answer {
            addresses.extend(found.iter().copied());
        }
    }
    addresses.truncate(ADDRESS_LIMIT);
    if !addresses.is_empty() {
        return DnsFacts::Addresses(place(name, &addresses, reader));
    }
    let is_absent =
        |answer: &DnsAnswer| matches!(answer, DnsAnswer::NoName(_) | DnsAnswer::NoData(_));
    match answers.iter().find(|answer| !is_absent(answer)) {
        None => DnsFacts::Missing,
        Some(answer) => DnsFacts::Unchecked(format!("the resolver's answer is {}", answer.word())),
    }
}

fn place(name: &DnsName, addresses: &[IpAddr], reader: &DiskReader<'_>) -> Vec<NameAddress> {
    let mut placed = Vec::new();
    for &address in addresses {
        let is_here = tls::is_here(SocketAddr::new(address, HTTPS));
        placed.push(NameAddress {
            address,
            place: if is_here {
                AddressPlace::Here
            } else {
                place_elsewhere(name, address, reader)
            },
        });
    }
    placed
}

/// An address that this machine does not have: it may be that of a router in front of it.
fn place_elsewhere(name: &DnsName, address: IpAddr, reader: &DiskReader<'_>) -> AddressPlace {
    let there = handshake(name, SocketAddr::new(address, HTTPS));
    let local = handshake(name, SocketAddr::from((Ipv4Addr::LOCALHOST, HTTPS)));
    match (there, local) {
        (Ok(there), Ok(local)) if there.sha256() == local.sha256() => AddressPlace::SameCertificate,
        (Ok(there), _) if is_valid(reader.served(&there)) => AddressPlace::ValidElsewhere,
        (Ok(_), _) => AddressPlace::Other("another certificate is served there".to_owned()),
        (Err(_), _) if is_behind_router() => AddressPlace::BehindRouter,
        (Err(error), _) => AddressPlace::Other(with_causes(&error)),
    }
}

fn is_valid(served: Option<ServedChain>) -> bool {
    served.is_some_and(|served| served.problems.is_empty())
}

/// Whether this machine reaches the internet from an address that others cannot reach.
fn is_behind_router() -> bool {
    let source = tls::outgoing_address();
    source.is_some_and(|source| unreachable_reason(source).is_some())
}

fn handshake(name: &DnsName, address: SocketAddr) -> Result<TlsHandshake, ProbeError> {
    let target = ProbeTarget::new(address, name.as_str());
    let mut answers = probe_with_fallback(&[target], HANDSHAKE_TIMEOUT);
    answers.pop().unwrap_or(Err(ProbeError::Closed))
}

/// Makes a handshake, and judges what is served.
pub(super) fn probe(name: &DnsName, address: SocketAddr, reader: &DiskReader<'_>) -> TlsState {
    match handshake(name, address) {
        Ok(handshake) => match reader.served(&handshake) {
            Some(served) => TlsState::Served(served),
            None => TlsState::Failed("the certificate cannot be parsed".to_owned()),
        },
        Err(ProbeError::Refused) => TlsState::Closed,
        Err(ProbeError::NotTls) => TlsState::PlainText,
        Err(error @ (ProbeError::Timeout(_) | ProbeError::Stalled(_))) => {
            TlsState::Silent(with_causes(&error))
        }
        Err(error) => TlsState::Failed(with_causes(&error)),
    }
}

/// Returns another program that listens at an address than the server with these process ids.
pub(super) fn find_other_owner(address: SocketAddr, pids: &[i32]) -> Option<String> {
    let sockets = control::ports::current_sockets();
    let owners = control::ports::find_other_owners(&sockets, &[address], pids);
    owners.first().map(control::ports::PortOwner::in_words)
}

/// A request to one address of a site.
pub(super) fn request(
    scheme: HttpScheme,
    address: SocketAddr,
    name: &DnsName,
    path: &str,
) -> HttpRequest {
    let place = HttpPlace {
        scheme,
        address,
        proxy_header: false,
    };
    HttpRequest {
        place,
        host: name.as_str().to_owned(),
        path: path.to_owned(),
    }
}

/// What an answer at port 80 means.
pub(super) fn plain_state(
    answer: Result<HttpReply, SiteAnswer>,
    is_refused: impl FnOnce() -> bool,
) -> PlainState {
    match answer {
        Ok(HttpReply {
            status: 300..400,
            location: Some(location),
        }) => {
            let scheme = location.get(..SCHEME.len()).unwrap_or_default();
            if scheme.eq_ignore_ascii_case(SCHEME) {
                PlainState::Redirects
            } else {
                PlainState::RedirectsElsewhere(location)
            }
        }
        Ok(reply) => PlainState::Answers(reply.status),
        Err(_) if is_refused() => PlainState::Closed,
        Err(answer) => PlainState::Silent(answer.to_string()),
    }
}

/// Returns the rules of the packet filter that name port 80 or 443 and drop packets.
///
/// # Errors
/// Why the rules cannot be seen.
pub(super) fn read_firewall() -> Result<Vec<String>, String> {
    let Some(nft) = process::find_program("nft") else {
        return Err("the program nft is not installed".to_owned());
    };
    let invocation = CommandInvocation {
        argv: vec![
            nft.display().to_string(),
            "list".to_owned(),
            "ruleset".to_owned(),
        ],
        deadline: HANDSHAKE_TIMEOUT,
        output_limit: OUTPUT_LIMIT,
    };
    let finished = process::run(&invocation).map_err(|error| with_causes(&error))?;
    if !finished.succeeded() {
        return Err("nft lists its rules only for root".to_owned());
    }
    Ok(find_drops(&finished.output))
}
