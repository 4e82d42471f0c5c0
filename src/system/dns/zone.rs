//! The zone that holds a domain, and its own servers, as a resolver tells them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::task::JoinSet;

use super::batch::in_order;
use super::exchange::{Client, Query, Recursion};
use super::message::{failed, text};
use crate::dcv::answer::{Answer, Role, Server};

/// The most server names and addresses of one zone that are used.
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

/// The addresses of the zone's name servers.
pub(super) async fn own_servers(client: &Arc<Client>, resolver: SocketAddr, zone: &Name) -> Vec<Server> {
    let Ok(message) = ask(client, resolver, zone, RecordType::NS).await else { return Vec::new() };
    let names = message.answers.iter().filter_map(|record| match &record.data {
        RData::NS(name) => Some(name.0.to_lowercase()),
        _ => None,
    });
    let mut names: Vec<Name> = names.collect();
    names.sort();
    names.dedup();
    names.truncate(NAMES);
    let mut tasks = JoinSet::new();
    for name in names {
        for kind in [RecordType::A, RecordType::AAAA] {
            let (client, name, index) = (Arc::clone(client), name.clone(), tasks.len());
            tasks.spawn(async move { (index, addresses(&client, resolver, &name, kind).await) });
        }
    }
    let mut servers: Vec<Server> = Vec::new();
    for server in in_order(tasks).await.into_iter().flatten() {
        if servers.len() < ADDRESSES && !servers.iter().any(|one| one.address == server.address) {
            servers.push(server);
        }
    }
    servers
}

async fn addresses(client: &Client, resolver: SocketAddr, name: &Name, kind: RecordType) -> Vec<Server> {
    let Ok(message) = ask(client, resolver, name, kind).await else { return Vec::new() };
    let address = |data: &RData| match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    };
    let found = message.answers.iter().filter_map(|record| address(&record.data));
    found
        .map(|ip| Server { address: SocketAddr::new(ip, 53), name: Some(text(name)), role: Role::Authoritative })
        .collect()
}

async fn ask(client: &Client, server: SocketAddr, name: &Name, kind: RecordType) -> Result<Message, Answer> {
    let query = Query { server, name: name.clone(), kind, recursion: Recursion::Desired };
    client.ask(&query).await.map_err(Answer::from)
}
