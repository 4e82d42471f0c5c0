//! The zone that holds a domain, and its own servers, as a resolver tells them.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::task::JoinSet;

use super::batch::in_order;
use super::exchange::{Client, Query, Recursion};
use super::message::{failed, text};
use crate::dcv::answer::{Answer, LeftOut, Role, Server};

/// The most server names and addresses of one zone that are used; more are told as left out.
const NAMES: usize = 16;
const ADDRESSES: usize = 32;

/// The apex of the zone that holds `domain`: the owner of the SOA that comes with its answer or its absence.
pub(super) async fn zone_of(client: &Client, resolver: SocketAddr, domain: &str) -> Result<Name, Answer> {
    let mut name = Name::from_ascii(format!("{domain}.")).map_err(|error| Answer::Failed(error.to_string()))?;
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
    Err(Answer::Failed("no zone named".to_owned()))
}

/// An alias answers for another zone, and so does the SOA that comes with it: the parent is asked then.
fn apex(message: &Message, name: &Name) -> Option<Name> {
    let alias = message.answers.iter().any(|record| matches!(record.data, RData::CNAME(_)));
    let soa = message.answers.iter().chain(&message.authorities);
    let mut owners = soa.filter(|record| matches!(record.data, RData::SOA(_))).map(|record| &record.name);
    if alias { None } else { owners.find(|owner| owner.zone_of(name) && !owner.is_root()).map(Name::to_lowercase) }
}

/// The zone's own servers.
pub(super) struct Own {
    /// One for each address, and one without an address for each name that none was found for.
    pub(super) servers: Vec<Server>,
    /// What the bounds leave out.
    pub(super) left_out: LeftOut,
}

/// The zone's name servers by name and address, as the resolver tells them.
pub(super) async fn own_servers(client: &Arc<Client>, resolver: SocketAddr, zone: &Name) -> Own {
    let mut names = match ask(client, resolver, zone, RecordType::NS).await {
        Ok(message) => server_names(&message),
        Err(_) => Vec::new(),
    };
    let left_out = names.split_off(names.len().min(NAMES)).len();
    let mut tasks = JoinSet::new();
    for (index, name) in names.into_iter().enumerate() {
        let client = Arc::clone(client);
        tasks.spawn(async move { (index, servers_of(&client, resolver, &name).await) });
    }
    let mut seen = HashSet::new();
    let mut servers: Vec<Server> = in_order(tasks).await.into_iter().flatten().collect();
    servers.retain(|server| server.address.is_none_or(|address| seen.insert(address)));
    let addresses = servers.split_off(servers.len().min(ADDRESSES)).len();
    Own { servers, left_out: LeftOut { names: left_out, addresses } }
}

fn server_names(message: &Message) -> Vec<Name> {
    let names = message.answers.iter().filter_map(|record| match &record.data {
        RData::NS(name) => Some(name.0.to_lowercase()),
        _ => None,
    });
    let mut names: Vec<Name> = names.collect();
    names.sort();
    names.dedup();
    names
}

/// The server at each of its addresses; where the lookup failed for those that this machine can surely reach, or found
/// none, the server without one: it was not asked, and that counts.
async fn servers_of(client: &Client, resolver: SocketAddr, name: &Name) -> Vec<Server> {
    let (four, six) = tokio::join!(
        addresses(client, resolver, name, RecordType::A),
        addresses(client, resolver, name, RecordType::AAAA)
    );
    let unknown = four.is_err();
    let found = four.into_iter().chain(six).flatten().map(|ip| Some(SocketAddr::new(ip, 53)));
    let mut found: Vec<Option<SocketAddr>> = found.collect();
    if unknown || found.is_empty() {
        found.push(None);
    }
    let server = |address| Server { address, name: Some(text(name)), role: Role::Authoritative };
    found.into_iter().map(server).collect()
}

async fn addresses(
    client: &Client,
    resolver: SocketAddr,
    name: &Name,
    kind: RecordType,
) -> Result<Vec<IpAddr>, Answer> {
    let message = ask(client, resolver, name, kind).await?;
    let address = |data: &RData| match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    };
    match message.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => {
            Ok(message.answers.iter().filter_map(|record| address(&record.data)).collect())
        }
        code => Err(failed(code)),
    }
}

async fn ask(client: &Client, server: SocketAddr, name: &Name, kind: RecordType) -> Result<Message, Answer> {
    let query = Query { server, name: name.clone(), kind, recursion: Recursion::Desired };
    client.ask(&query).await.map_err(Answer::from)
}
