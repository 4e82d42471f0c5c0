//! Queries the zone that contains a domain, and its own servers, as resolvers report them.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::task::JoinSet;

use super::message::{failure, name_text};
use crate::dcv::answer::{DnsAnswer, DnsServerId, ServerRole, UnqueriedServers};
use crate::system::dns::client::{DnsClient, DnsQuery, QueryForm, RecursionDesired};
use crate::system::dns::join::in_order;

/// The maximum number of server names and addresses of one zone that are used; more are reported as omitted.
pub(crate) const NAME_SERVER_LIMIT: usize = 16;
pub(crate) const SERVER_ADDRESS_LIMIT: usize = 32;

/// Returns each resolver's answer about the zone that contains `domain`.
pub(super) async fn query_zones(
    client: &Arc<DnsClient>,
    resolvers: &[SocketAddr],
    domain: &str,
) -> Vec<(SocketAddr, Result<Name, DnsAnswer>)> {
    let mut zones = JoinSet::new();
    for (index, address) in resolvers.iter().copied().enumerate() {
        let client = Arc::clone(client);
        let domain = domain.to_owned();
        zones.spawn(async move {
            let zone = query_zone(&client, address, &domain).await;
            (index, (address, zone))
        });
    }
    in_order(zones).await
}

/// Returns the apex of the zone that contains `domain`: the owner of the SOA in a positive or
/// negative answer.
pub(super) async fn query_zone(
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
            code => return Err(failure(code)),
        }
        if let Some(apex) = apex(&message, &name) {
            return Ok(apex);
        }
        name = name.base_name();
    }
    Err(DnsAnswer::Failed("no zone in any answer".to_owned()))
}

/// Returns the apex of the zone that contains `name`, from the SOA in a message. `None` for an
/// alias, because the SOA in the same answer belongs to another zone; the parent name has to be
/// queried.
pub(super) fn apex(message: &Message, name: &Name) -> Option<Name> {
    let alias = message
        .answers
        .iter()
        .any(|record| matches!(record.data, RData::CNAME(_)));
    if alias {
        return None;
    }
    message
        .answers
        .iter()
        .chain(&message.authorities)
        .filter(|record| matches!(record.data, RData::SOA(_)))
        .map(|record| &record.name)
        .find(|owner| owner.zone_of(name) && !owner.is_root())
        .map(Name::to_lowercase)
}

/// The zone's own servers.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct ZoneServers {
    /// One for each address, and one without an address for each name that has none.
    pub servers: Vec<DnsServerId>,
    /// How many were omitted because of the limit.
    pub omitted: UnqueriedServers,
}

/// Returns the names of the zone's servers, as the resolver reports them.
pub(super) async fn server_names(
    client: &DnsClient,
    resolver: SocketAddr,
    zone: &Name,
) -> Vec<Name> {
    match ask(client, resolver, zone, RecordType::NS).await {
        Ok(message) => ns_targets(message.answers.iter(), zone),
        Err(_) => Vec::new(),
    }
}

/// Queries the addresses of servers.
pub(super) async fn query_servers(
    client: &Arc<DnsClient>,
    resolver: SocketAddr,
    mut names: Vec<Name>,
) -> ZoneServers {
    names.sort();
    names.dedup();
    let omitted = names.split_off(names.len().min(NAME_SERVER_LIMIT)).len();
    let mut tasks = JoinSet::new();
    for (index, name) in names.into_iter().enumerate() {
        let client = Arc::clone(client);
        tasks.spawn(async move { (index, query_server(&client, resolver, &name).await) });
    }
    let mut seen = HashSet::new();
    let mut servers: Vec<DnsServerId> = in_order(tasks).await.into_iter().flatten().collect();
    servers.retain(|server| server.address.is_none_or(|address| seen.insert(address)));
    let addresses = servers
        .split_off(servers.len().min(SERVER_ADDRESS_LIMIT))
        .len();
    ZoneServers {
        servers,
        omitted: UnqueriedServers {
            names: omitted,
            addresses,
        },
    }
}

/// The targets of the NS records of `zone`, sorted.
pub(super) fn ns_targets<'a>(records: impl Iterator<Item = &'a Record>, zone: &Name) -> Vec<Name> {
    let names = records.filter_map(|record| match &record.data {
        RData::NS(name) if record.name == *zone => Some(name.0.to_lowercase()),
        _ => None,
    });
    let mut names: Vec<Name> = names.collect();
    names.sort();
    names.dedup();
    names
}

/// The server at each of its addresses. If the lookup of its IPv4 addresses failed or none was
/// found, the server without an address as well: it cannot be queried, which is part of the result.
async fn query_server(client: &DnsClient, resolver: SocketAddr, name: &Name) -> Vec<DnsServerId> {
    let (four, six) = tokio::join!(
        query_addresses(client, resolver, name, RecordType::A),
        query_addresses(client, resolver, name, RecordType::AAAA)
    );
    let unknown = four.is_err();
    let mut addresses: Vec<Option<SocketAddr>> = four
        .into_iter()
        .chain(six)
        .flatten()
        .map(|ip| Some(SocketAddr::new(ip, 53)))
        .collect();
    if unknown || addresses.is_empty() {
        addresses.push(None);
    }
    addresses
        .into_iter()
        .map(|address| DnsServerId {
            address,
            name: Some(name_text(name)),
            role: ServerRole::Authoritative,
        })
        .collect()
}

async fn query_addresses(
    client: &DnsClient,
    resolver: SocketAddr,
    name: &Name,
    kind: RecordType,
) -> Result<Vec<IpAddr>, DnsAnswer> {
    let message = ask(client, resolver, name, kind).await?;
    match message.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => {}
        code => return Err(failure(code)),
    }
    let addresses = message.answers.iter().filter_map(|record| {
        Some(match record.data {
            RData::A(address) => IpAddr::V4(address.0),
            RData::AAAA(address) => IpAddr::V6(address.0),
            _ => return None,
        })
    });
    Ok(addresses.collect())
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
    client.query(&query).await.map_err(DnsAnswer::from)
}
