//! The zone that holds a domain, and its own servers, as a resolver tells them.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::task::JoinSet;

use super::message::{failed, text};
use crate::dcv::answer::{DnsAnswer, DnsServerId, ServerRole, UnqueriedServers};
use crate::system::dns::client::{DnsClient, DnsQuery, QueryForm, RecursionDesired};
use crate::system::dns::join::in_order;

/// The most server names and addresses of one zone that are used; more are told as left out.
const NAMES: usize = 16;
const ADDRESSES: usize = 32;

/// What each resolver says of the zone that holds `domain`.
pub(super) async fn told(
    client: &Arc<DnsClient>,
    resolvers: &[SocketAddr],
    domain: &str,
) -> Vec<(SocketAddr, Result<Name, DnsAnswer>)> {
    let mut zones = JoinSet::new();
    for (index, address) in resolvers.iter().copied().enumerate() {
        let (client, domain) = (Arc::clone(client), domain.to_owned());
        zones.spawn(async move { (index, (address, zone_of(&client, address, &domain).await)) });
    }
    in_order(zones).await
}

/// The apex of the zone that holds `domain`: the owner of the SOA that comes with its answer or its
/// absence.
pub(super) async fn zone_of(
    client: &DnsClient,
    resolver: SocketAddr,
    domain: &str,
) -> Result<Name, DnsAnswer> {
    let mut name = Name::from_ascii(format!("{domain}."))
        .map_err(|error| DnsAnswer::Failed(error.to_string()))?;
    while !name.is_root() {
        let message = ask(client, resolver, &name, RecordType::SOA).await?;
        match message.metadata.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => {}
            code => return Err(failed(code)),
        }
        if let Some(apex) = apex(&message, &name) {
            return Ok(apex);
        }
        name = name.base_name();
    }
    Err(DnsAnswer::Failed("no zone named".to_owned()))
}

/// An alias answers for another zone, and so does the SOA that comes with it: the parent is asked
/// then.
pub(super) fn apex(message: &Message, name: &Name) -> Option<Name> {
    let alias = message
        .answers
        .iter()
        .any(|record| matches!(record.data, RData::CNAME(_)));
    let soa = message.answers.iter().chain(&message.authorities);
    let mut owners = soa
        .filter(|record| matches!(record.data, RData::SOA(_)))
        .map(|record| &record.name);
    if alias {
        None
    } else {
        owners
            .find(|owner| owner.zone_of(name) && !owner.is_root())
            .map(Name::to_lowercase)
    }
}

/// The zone's own servers.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct ZoneServers {
    /// One for each address, and one without an address for each name that none was found for.
    pub(super) servers: Vec<DnsServerId>,
    /// What the bounds leave out.
    pub(super) left_out: UnqueriedServers,
}

/// The names of the zone's servers, as the resolver tells them.
pub(super) async fn server_names(
    client: &DnsClient,
    resolver: SocketAddr,
    zone: &Name,
) -> Vec<Name> {
    match ask(client, resolver, zone, RecordType::NS).await {
        Ok(message) => named(message.answers.iter(), zone),
        Err(_) => Vec::new(),
    }
}

/// The addresses of these servers.
pub(super) async fn servers_at(
    client: &Arc<DnsClient>,
    resolver: SocketAddr,
    mut names: Vec<Name>,
) -> ZoneServers {
    names.sort();
    names.dedup();
    let left_out = names.split_off(names.len().min(NAMES)).len();
    let mut tasks = JoinSet::new();
    for (index, name) in names.into_iter().enumerate() {
        let client = Arc::clone(client);
        tasks.spawn(async move { (index, servers_of(&client, resolver, &name).await) });
    }
    let mut seen = HashSet::new();
    let mut servers: Vec<DnsServerId> = in_order(tasks).await.into_iter().flatten().collect();
    servers.retain(|server| server.address.is_none_or(|address| seen.insert(address)));
    let addresses = servers.split_off(servers.len().min(ADDRESSES)).len();
    ZoneServers {
        servers,
        left_out: UnqueriedServers {
            names: left_out,
            addresses,
        },
    }
}

/// The targets of the NS records of `zone`, in order.
pub(super) fn named<'a>(records: impl Iterator<Item = &'a Record>, zone: &Name) -> Vec<Name> {
    let names = records.filter_map(|record| match &record.data {
        RData::NS(name) if record.name == *zone => Some(name.0.to_lowercase()),
        _ => None,
    });
    let mut names: Vec<Name> = names.collect();
    names.sort();
    names.dedup();
    names
}

/// The server at each of its addresses; where the lookup failed for those that this machine can
/// surely reach, or found none, the server without one: it was not asked, and that counts.
async fn servers_of(client: &DnsClient, resolver: SocketAddr, name: &Name) -> Vec<DnsServerId> {
    let (four, six) = tokio::join!(
        addresses(client, resolver, name, RecordType::A),
        addresses(client, resolver, name, RecordType::AAAA)
    );
    let unknown = four.is_err();
    let found = four
        .into_iter()
        .chain(six)
        .flatten()
        .map(|ip| Some(SocketAddr::new(ip, 53)));
    let mut found: Vec<Option<SocketAddr>> = found.collect();
    if unknown || found.is_empty() {
        found.push(None);
    }
    let server = |address| DnsServerId {
        address,
        name: Some(text(name)),
        role: ServerRole::Authoritative,
    };
    found.into_iter().map(server).collect()
}

async fn addresses(
    client: &DnsClient,
    resolver: SocketAddr,
    name: &Name,
    kind: RecordType,
) -> Result<Vec<IpAddr>, DnsAnswer> {
    let message = ask(client, resolver, name, kind).await?;
    let address = |data: &RData| match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    };
    match message.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => Ok(message
            .answers
            .iter()
            .filter_map(|record| address(&record.data))
            .collect()),
        code => Err(failed(code)),
    }
}

async fn ask(
    client: &DnsClient,
    server: SocketAddr,
    name: &Name,
    kind: RecordType,
) -> Result<Message, DnsAnswer> {
    let query = DnsQuery {
        server,
        name: name.clone(),
        kind,
        recursion: RecursionDesired::DesiredUnchecked,
        form: QueryForm::Plain,
    };
    client.ask(&query).await.map_err(DnsAnswer::from)
}
