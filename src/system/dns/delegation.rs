//! A zone's place in the tree: the zones above it with their DS records, the servers that the zone
//! above names, its own servers, and what each of these has as SOA and NS.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::dnssec::rdata::{DNSSECRData, DS};
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::task::JoinSet;

use super::message::text;
use super::zone::{self, ZoneServers};
use crate::dcv::answer::{DnsServerId, ZoneCopy, ZoneDelegation};
use crate::dcv::dnssec::ZoneCut;
use crate::system::dns::client::{DnsClient, DnsQuery, QueryForm, RecursionDesired};
use crate::system::dns::join::in_order;

/// What is known of a zone once it was looked at.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct ExploredZone {
    /// Where the rest was asked.
    pub(super) guide: SocketAddr,
    /// The servers that the zone or the one above it names.
    pub(super) own: ZoneServers,
    pub(super) delegation: ZoneDelegation,
    /// The zones from the top level down to this one; their keys are asked for later.
    pub(super) cuts: Vec<ZoneCut>,
}

/// How many servers of the zone above are tried until one answers.
const TRIED_ABOVE: usize = 3;

/// Looks at `zone` with the help of a resolver.
pub(super) async fn explore(
    client: &Arc<DnsClient>,
    guide: SocketAddr,
    zone: &Name,
) -> ExploredZone {
    let (names, cuts) = tokio::join!(
        zone::server_names(client, guide, zone),
        cuts(client, guide, zone)
    );
    let told = match cuts.iter().rev().nth(1).map(|cut| cut.zone.clone()) {
        Some(parent) => told_above(client, guide, &parent, zone).await,
        None => None,
    };
    finish(client, guide, zone, names, cuts, told).await
}

/// The same where no resolver gets an answer from the zone: the zones above still tell which
/// servers it has.
pub(super) async fn explore_from_above(
    client: &Arc<DnsClient>,
    resolvers: &[SocketAddr],
    domain: &str,
) -> Option<(SocketAddr, Name, ExploredZone)> {
    let domain = Name::from_ascii(format!("{domain}.")).ok()?;
    for guide in resolvers.iter().copied() {
        let mut name = domain.base_name();
        while !name.is_root() {
            let Ok(parent) = zone::zone_of(client, guide, &text(&name)).await else {
                name = name.base_name();
                continue;
            };
            let Some(told) = told_above(client, guide, &parent, &domain).await else {
                break;
            };
            let mut cuts = cuts(client, guide, &parent).await;
            cuts.push(ZoneCut {
                zone: told.zone.clone(),
                ds: None,
                keys: Vec::new(),
            });
            let zone = told.zone.clone();
            let explored = finish(client, guide, &zone, Vec::new(), cuts, Some(told)).await;
            return Some((guide, zone, explored));
        }
    }
    None
}

/// What the servers themselves say, those that the zone above names included.
async fn finish(
    client: &Arc<DnsClient>,
    guide: SocketAddr,
    zone: &Name,
    mut names: Vec<Name>,
    mut cuts: Vec<ZoneCut>,
    told: Option<Above>,
) -> ExploredZone {
    let mut above = None;
    if let Some(told) = told.filter(|told| told.zone == *zone) {
        let own = cuts.iter_mut().find(|cut| cut.zone == *zone);
        if let (Some(ds), Some(cut)) = (told.ds, own) {
            cut.ds = Some(ds);
        }
        above = Some((text(&told.parent), told.named.iter().map(text).collect()));
        names.extend(told.named);
    }
    let own = zone::servers_at(client, guide, names).await;
    let copies = copies(client, &own.servers, zone).await;
    ExploredZone {
        guide,
        own,
        delegation: ZoneDelegation { above, copies },
        cuts,
    }
}

/// The zones from the top level down to `zone`, as the resolver tells them without checking
/// signatures.
async fn cuts(client: &Arc<DnsClient>, guide: SocketAddr, zone: &Name) -> Vec<ZoneCut> {
    let mut tasks = JoinSet::new();
    let mut name = zone.clone();
    for index in 0..usize::from(zone.num_labels()) {
        let (client, one) = (Arc::clone(client), name.clone());
        tasks.spawn(async move { (index, cut(&client, guide, &one).await) });
        name = name.base_name();
    }
    let mut cuts: Vec<ZoneCut> = in_order(tasks).await.into_iter().flatten().collect();
    cuts.reverse();
    cuts
}

/// `name` as a zone, if it is one.
async fn cut(client: &DnsClient, guide: SocketAddr, name: &Name) -> Option<ZoneCut> {
    let ask = |kind| {
        let query = DnsQuery {
            server: guide,
            name: name.clone(),
            kind,
            recursion: RecursionDesired::DesiredUnchecked,
            form: QueryForm::Signed,
        };
        async move { client.ask(&query).await.ok() }
    };
    let (soa, ds) = tokio::join!(ask(RecordType::SOA), ask(RecordType::DS));
    let apex = zone::apex(&soa?, name)?;
    (apex == *name).then(|| ZoneCut {
        zone: apex,
        ds: ds.as_ref().and_then(|message| ds_records(message, name)),
        keys: Vec::new(),
    })
}

/// The DS records of `zone` in an answer; `None`: it is none.
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

/// What a server of the zone above says.
struct Above {
    parent: Name,
    /// The zone that it refers to.
    zone: Name,
    named: Vec<Name>,
    ds: Option<Vec<DS>>,
}

/// Asks the servers of the zone above for the delegation of `name` itself: a resolver tells the
/// zone's own NS records instead, and one that knows nothing of DNSSEC no DS.
async fn told_above(
    client: &Arc<DnsClient>,
    guide: SocketAddr,
    parent: &Name,
    name: &Name,
) -> Option<Above> {
    let names = zone::server_names(client, guide, parent).await;
    let servers = zone::servers_at(client, guide, names).await.servers;
    for server in servers
        .iter()
        .filter_map(|server| server.address)
        .take(TRIED_ABOVE)
    {
        let ask = |name: Name, kind| {
            let query = DnsQuery {
                server,
                name,
                kind,
                recursion: RecursionDesired::No,
                form: QueryForm::Signed,
            };
            async move { client.ask(&query).await.ok() }
        };
        let Some(ns) = ask(name.clone(), RecordType::NS).await else {
            continue;
        };
        // A referral; a server that has the zone as well gives the zone's own records.
        let records = || ns.authorities.iter().chain(&ns.answers);
        let below =
            |owner: &&Name| parent.zone_of(owner) && **owner != *parent && owner.zone_of(name);
        let ns_owner = records()
            .filter(|record| record.record_type() == RecordType::NS)
            .map(|record| &record.name);
        let Some(zone) = ns_owner
            .filter(below)
            .max_by_key(|owner| owner.num_labels())
            .map(Name::to_lowercase)
        else {
            continue;
        };
        let named = zone::named(records(), &zone);
        let ds = ask(zone.clone(), RecordType::DS)
            .await
            .filter(|message| message.metadata.authoritative);
        let ds = ds.and_then(|message| ds_records(&message, &zone));
        return Some(Above {
            parent: parent.clone(),
            zone,
            named,
            ds,
        });
    }
    None
}

/// SOA and NS at each server that has an address.
async fn copies(client: &Arc<DnsClient>, servers: &[DnsServerId], zone: &Name) -> Vec<ZoneCopy> {
    let mut tasks = JoinSet::new();
    for (index, server) in servers.iter().enumerate() {
        let Some(address) = server.address else {
            continue;
        };
        let (client, name, zone) = (Arc::clone(client), server.to_string(), zone.clone());
        tasks.spawn(async move { (index, copied(&client, address, name, &zone).await) });
    }
    in_order(tasks).await
}

async fn copied(client: &DnsClient, address: SocketAddr, server: String, zone: &Name) -> ZoneCopy {
    let ask = |kind| {
        let query = DnsQuery {
            server: address,
            name: zone.clone(),
            kind,
            recursion: RecursionDesired::No,
            form: QueryForm::Plain,
        };
        async move {
            client
                .ask(&query)
                .await
                .ok()
                .filter(|message| message.metadata.authoritative)
        }
    };
    let (soa, ns) = tokio::join!(ask(RecordType::SOA), ask(RecordType::NS));
    let serial = soa.and_then(|message| {
        message
            .answers
            .iter()
            .find_map(|record| match &record.data {
                RData::SOA(soa) if record.name == *zone => Some(soa.serial),
                _ => None,
            })
    });
    let named = ns.map(|message| {
        zone::named(message.answers.iter(), zone)
            .iter()
            .map(text)
            .collect::<Vec<String>>()
    });
    ZoneCopy {
        server,
        serial,
        named: named.filter(|names| !names.is_empty()),
    }
}
