//! Queries the delegation of a zone: the zones above it with their DS records, the servers that the
//! parent zone lists, its own servers, and the SOA and NS records at each of these.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::dnssec::rdata::{DNSSECRData, DS};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::task::JoinSet;

use super::message::name_text;
use super::zone::{self, ZoneServers};
use crate::dcv::answer::{DnsServerId, ZoneCopy, ZoneDelegation};
use crate::dcv::dnssec::ZoneCut;
use crate::system::dns::client::{DnsClient, DnsQuery, QueryError, QueryForm, RecursionDesired};
use crate::system::dns::join::in_order;

/// The delegation of a zone, as it was queried.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct ExploredZone {
    /// The resolver that was used for other queries.
    pub main_resolver: SocketAddr,
    /// The servers that the zone or its parent zone lists.
    pub own: ZoneServers,
    pub delegation: ZoneDelegation,
    /// The zones from the top level down to this one; their keys are queried later.
    pub cuts: Vec<ZoneCut>,
}

/// How many servers of the parent zone are tried until one answers.
const TRIED_ABOVE: usize = 3;

/// Explores `zone` with the help of a resolver.
pub(super) async fn explore(
    client: &Arc<DnsClient>,
    main_resolver: SocketAddr,
    zone: &Name,
) -> ExploredZone {
    let (names, cuts) = tokio::join!(
        zone::server_names(client, main_resolver, zone),
        query_cuts(client, main_resolver, zone)
    );
    let referral = match cuts.iter().rev().nth(1).map(|cut| cut.zone.clone()) {
        Some(parent) => query_referral(client, main_resolver, &parent, zone).await,
        None => None,
    };
    let found = FoundZone {
        main_resolver,
        zone: zone.clone(),
        names,
        cuts,
        referral,
    };
    query_zone_servers(client, found).await
}

/// Explores a zone for which no resolver gets an answer: the zones above still list its servers.
pub(super) async fn explore_from_above(
    client: &Arc<DnsClient>,
    resolvers: &[SocketAddr],
    domain: &str,
) -> Option<(SocketAddr, Name, ExploredZone)> {
    let domain = Name::from_ascii(format!("{domain}.")).ok()?;
    for main_resolver in resolvers.iter().copied() {
        let mut name = domain.base_name();
        while !name.is_root() {
            let Ok(parent) = zone::query_zone(client, main_resolver, &name_text(&name)).await
            else {
                name = name.base_name();
                continue;
            };
            let Some(referral) = query_referral(client, main_resolver, &parent, &domain).await
            else {
                break;
            };
            let zone = referral.zone.clone();
            let mut cuts = query_cuts(client, main_resolver, &parent).await;
            cuts.push(ZoneCut {
                zone: zone.clone(),
                ds: None,
                keys: Vec::new(),
            });
            let found = FoundZone {
                main_resolver,
                zone: zone.clone(),
                names: Vec::new(),
                cuts,
                referral: Some(referral),
            };
            return Some((main_resolver, zone, query_zone_servers(client, found).await));
        }
    }
    None
}

/// A zone whose servers have not been queried yet.
struct FoundZone {
    main_resolver: SocketAddr,
    zone: Name,
    /// The names of its servers, as the resolver lists them.
    names: Vec<Name>,
    cuts: Vec<ZoneCut>,
    referral: Option<Referral>,
}

/// Queries the zone's own servers, including those that only the parent zone lists.
async fn query_zone_servers(client: &Arc<DnsClient>, found: FoundZone) -> ExploredZone {
    let FoundZone {
        main_resolver,
        zone,
        mut names,
        mut cuts,
        referral,
    } = found;
    let mut above = None;
    if let Some(referral) = referral.filter(|referral| referral.zone == zone) {
        let own = cuts.iter_mut().find(|cut| cut.zone == zone);
        if let (Some(ds), Some(cut)) = (referral.ds, own) {
            cut.ds = Some(ds);
        }
        let listed = referral.names.iter().map(name_text).collect();
        above = Some((name_text(&referral.parent), listed));
        names.extend(referral.names);
    }
    let own = zone::query_servers(client, main_resolver, names).await;
    let copies = query_copies(client, &own.servers, &zone).await;
    ExploredZone {
        main_resolver,
        own,
        delegation: ZoneDelegation {
            parent: above,
            copies,
        },
        cuts,
    }
}

/// Returns the zones from the top level down to `zone`, as the resolver reports them without
/// checking signatures.
async fn query_cuts(
    client: &Arc<DnsClient>,
    main_resolver: SocketAddr,
    zone: &Name,
) -> Vec<ZoneCut> {
    let mut tasks = JoinSet::new();
    let mut name = zone.clone();
    for index in 0..usize::from(zone.num_labels()) {
        let client = Arc::clone(client);
        let one = name.clone();
        tasks.spawn(async move { (index, query_cut(&client, main_resolver, &one).await) });
        name = name.base_name();
    }
    let mut cuts: Vec<ZoneCut> = in_order(tasks).await.into_iter().flatten().collect();
    cuts.reverse();
    cuts
}

/// Returns `name` as a zone, if it is one.
async fn query_cut(client: &DnsClient, main_resolver: SocketAddr, name: &Name) -> Option<ZoneCut> {
    let soa_query = DnsQuery {
        server: main_resolver,
        name: name.clone(),
        kind: RecordType::SOA,
        recursion: RecursionDesired::DesiredUnchecked,
        form: QueryForm::Signed,
    };
    let ds_query = DnsQuery {
        kind: RecordType::DS,
        ..soa_query.clone()
    };
    let (soa, ds) = tokio::join!(client.query(&soa_query), client.query(&ds_query));
    let apex = zone::apex(&soa.ok()?, name)?;
    (apex == *name).then(|| ZoneCut {
        zone: apex,
        ds: ds.ok().and_then(|message| ds_records(&message, name)),
        keys: Vec::new(),
    })
}

/// Returns the DS records of `zone` in a message; `None` if it is a failure.
fn ds_records(message: &Message, zone: &Name) -> Option<Vec<DS>> {
    let answered = matches!(
        message.metadata.response_code,
        ResponseCode::NoError | ResponseCode::NXDomain
    );
    let records = message
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::DNSSEC(DNSSECRData::DS(ds)) if record.name == *zone => Some(ds.clone()),
            _ => None,
        });
    answered.then(|| records.collect())
}

/// The delegation of a zone, as a server of the parent zone gives it.
struct Referral {
    parent: Name,
    /// The zone that is delegated.
    zone: Name,
    /// The names of its servers.
    names: Vec<Name>,
    ds: Option<Vec<DS>>,
}

/// Queries the servers of the parent zone for the delegation of `name`: a resolver would return the
/// zone's own NS records, and no DS records if it does not support DNSSEC.
async fn query_referral(
    client: &Arc<DnsClient>,
    main_resolver: SocketAddr,
    parent: &Name,
    name: &Name,
) -> Option<Referral> {
    let names = zone::server_names(client, main_resolver, parent).await;
    let servers = zone::query_servers(client, main_resolver, names)
        .await
        .servers;
    let addresses = servers.iter().filter_map(|server| server.address);
    for server in addresses.take(TRIED_ABOVE) {
        let referral = query_referral_at(client, server, parent, name).await;
        if referral.is_some() {
            return referral;
        }
    }
    None
}

/// Returns the delegation of `name` at one server of the parent zone.
async fn query_referral_at(
    client: &DnsClient,
    server: SocketAddr,
    parent: &Name,
    name: &Name,
) -> Option<Referral> {
    let ns_query = DnsQuery {
        server,
        name: name.clone(),
        kind: RecordType::NS,
        recursion: RecursionDesired::No,
        form: QueryForm::Signed,
    };
    let ns = client.query(&ns_query).await.ok()?;
    let zone = delegated_zone(&ns, parent, name)?;
    let names = zone::ns_targets(referral_records(&ns), &zone);
    let ds_query = DnsQuery {
        name: zone.clone(),
        kind: RecordType::DS,
        ..ns_query
    };
    let ds = client
        .query(&ds_query)
        .await
        .ok()
        .filter(|message| message.metadata.authoritative)
        .and_then(|message| ds_records(&message, &zone));
    Some(Referral {
        parent: parent.clone(),
        zone,
        names,
        ds,
    })
}

/// Returns the records of a referral; a server that also has the zone returns the zone's own
/// records.
fn referral_records(message: &Message) -> impl Iterator<Item = &Record> {
    message.authorities.iter().chain(&message.answers)
}

/// Returns the zone below `parent` that a message delegates and that contains `name`.
fn delegated_zone(message: &Message, parent: &Name, name: &Name) -> Option<Name> {
    referral_records(message)
        .filter(|record| record.record_type() == RecordType::NS)
        .map(|record| &record.name)
        .filter(|owner| parent.zone_of(owner) && *owner != parent && owner.zone_of(name))
        .max_by_key(|owner| owner.num_labels())
        .map(Name::to_lowercase)
}

/// Queries SOA and NS at each server that has an address.
async fn query_copies(
    client: &Arc<DnsClient>,
    servers: &[DnsServerId],
    zone: &Name,
) -> Vec<ZoneCopy> {
    let mut tasks = JoinSet::new();
    for (index, server) in servers.iter().enumerate() {
        let Some(address) = server.address else {
            continue;
        };
        let client = Arc::clone(client);
        let name = server.to_string();
        let zone = zone.clone();
        tasks.spawn(async move { (index, query_copy(&client, address, name, &zone).await) });
    }
    in_order(tasks).await
}

async fn query_copy(
    client: &DnsClient,
    address: SocketAddr,
    server: String,
    zone: &Name,
) -> ZoneCopy {
    let soa_query = DnsQuery {
        server: address,
        name: zone.clone(),
        kind: RecordType::SOA,
        recursion: RecursionDesired::No,
        form: QueryForm::Plain,
    };
    let ns_query = DnsQuery {
        kind: RecordType::NS,
        ..soa_query.clone()
    };
    let (soa, ns) = tokio::join!(client.query(&soa_query), client.query(&ns_query));
    let named: Option<Vec<String>> =
        authoritative(ns).map(|message| server_names_of(&message, zone));
    ZoneCopy {
        server,
        serial: authoritative(soa).and_then(|message| serial_of(&message, zone)),
        name_servers: named.filter(|names| !names.is_empty()),
    }
}

fn authoritative(answer: Result<Message, QueryError>) -> Option<Message> {
    answer.ok().filter(|message| message.metadata.authoritative)
}

/// Returns the serial number in the SOA record of `zone`.
fn serial_of(message: &Message, zone: &Name) -> Option<u32> {
    message
        .answers
        .iter()
        .find_map(|record| match &record.data {
            RData::SOA(soa) if record.name == *zone => Some(soa.serial),
            _ => None,
        })
}

fn server_names_of(message: &Message, zone: &Name) -> Vec<String> {
    let targets = zone::ns_targets(message.answers.iter(), zone);
    targets.iter().map(name_text).collect()
}
