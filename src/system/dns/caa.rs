//! Queries the CAA records at every name of a tree climb: from a resolver, which follows aliases as
//! RFC 8659 section 3 requires, and from the zone's own servers, which no cache delays.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::task::JoinSet;

use super::message::{end_of_aliases, failure, name_text};
use super::resolvers::ResolverList;
use super::zone;
use super::zone_cache::ZoneCache;
use crate::dcv::answer::{DnsAnswer, DnsServerId};
use crate::dcv::caa::{
    CaaAnswers, CaaLookup, CaaRecord, CaaServerAnswer, climb_names, is_of_registry,
};
use crate::system::dns::client::{DnsClient, DnsQuery, QueryForm, RecursionDesired};
use crate::system::dns::join::in_order;
use crate::system::dns::server_queries::is_unresponsive;

/// Returns the answers at each name of the tree climbs of `names`: those of the resolver and, unless
/// the user excludes them, of the zone's own servers.
pub(super) async fn look_up(
    client: &Arc<DnsClient>,
    zones: &Arc<ZoneCache>,
    names: &[String],
    resolvers: &ResolverList,
) -> HashMap<String, CaaAnswers> {
    let all: BTreeSet<String> = names.iter().flat_map(|name| climb_names(name)).collect();
    let mut tasks = JoinSet::new();
    for (index, name) in all.into_iter().enumerate() {
        let client = Arc::clone(client);
        let zones = Arc::clone(zones);
        let resolvers = resolvers.clone();
        tasks.spawn(async move {
            let (resolver, zone_servers) = tokio::join!(
                ask_first_responsive(&client, &name, &resolvers),
                ask_zone_servers(&client, &zones, &name, &resolvers)
            );
            let answers = CaaAnswers {
                resolver,
                zone_servers,
            };
            (index, (name, answers))
        });
    }
    in_order(tasks).await.into_iter().collect()
}

/// Queries the servers of the zone that contains `name`; those of a registry, which has no CAA
/// records, are not queried. Servers that do not answer are omitted: a CA queries the others.
async fn ask_zone_servers(
    client: &Arc<DnsClient>,
    zones: &ZoneCache,
    name: &str,
    resolvers: &ResolverList,
) -> Vec<CaaServerAnswer> {
    if resolvers.excludes_other_servers() || is_of_registry(name) {
        return Vec::new();
    }
    let answers = zone::query_zones(client, &resolvers.addresses, name).await;
    let mut found = answers
        .into_iter()
        .filter_map(|(resolver, zone)| Some((resolver, zone.ok()?)));
    let Some((resolver, zone)) = found.next() else {
        return Vec::new();
    };
    if is_of_registry(&name_text(&zone)) {
        return Vec::new();
    }
    let explored = zones.get_or_explore(client, resolver, zone).await;
    let mut tasks = JoinSet::new();
    for (index, server) in explored.own.servers.iter().cloned().enumerate() {
        let client = Arc::clone(client);
        let name = name.to_owned();
        tasks.spawn(async move { (index, ask_zone_server(&client, &server, &name).await) });
    }
    in_order(tasks).await.into_iter().flatten().collect()
}

/// Returns the answer of one of the zone's servers; `None` without an authoritative one, and for an
/// alias, whose target may be in another zone.
async fn ask_zone_server(
    client: &DnsClient,
    server: &DnsServerId,
    name: &str,
) -> Option<CaaServerAnswer> {
    let query = DnsQuery {
        server: server.address?,
        name: Name::from_ascii(format!("{name}.")).ok()?,
        kind: RecordType::CAA,
        recursion: RecursionDesired::No,
        form: QueryForm::Plain,
    };
    let message = client.query(&query).await.ok()?;
    let code = message.metadata.response_code;
    let is_usable = message.metadata.authoritative
        && matches!(code, ResponseCode::NoError | ResponseCode::NXDomain)
        && *end_of_aliases(&message, &query.name) == query.name;
    is_usable.then(|| CaaServerAnswer {
        server: server.to_string(),
        lookup: read_caa(&message, &query.name),
    })
}

async fn ask_first_responsive(
    client: &DnsClient,
    name: &str,
    resolvers: &ResolverList,
) -> CaaLookup {
    let mut found = CaaLookup::Failed(DnsAnswer::Timeout);
    for address in &resolvers.addresses {
        found = query_caa(client, *address, name).await;
        if !matches!(&found, CaaLookup::Failed(answer) if is_unresponsive(answer)) {
            break;
        }
    }
    found
}

async fn query_caa(client: &DnsClient, server: SocketAddr, name: &str) -> CaaLookup {
    let Ok(name) = Name::from_ascii(format!("{name}.")) else {
        return CaaLookup::None;
    };
    let query = DnsQuery {
        server,
        name,
        kind: RecordType::CAA,
        recursion: RecursionDesired::Desired,
        form: QueryForm::Plain,
    };
    let message = match client.query(&query).await {
        Ok(message) => message,
        Err(error) => return CaaLookup::Failed(error.into()),
    };
    match message.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => read_caa(&message, &query.name),
        ResponseCode::ServFail => CaaLookup::Failed(explain_servfail(client, query).await),
        code => CaaLookup::Failed(failure(code)),
    }
}

/// Returns whether the resolver failed because the answer is bogus: then it answers a query with
/// checking disabled (CD).
async fn explain_servfail(client: &DnsClient, query: DnsQuery) -> DnsAnswer {
    let unchecked = DnsQuery {
        recursion: RecursionDesired::DesiredUnchecked,
        ..query
    };
    let is_answered = client.query(&unchecked).await.is_ok_and(|message| {
        matches!(
            message.metadata.response_code,
            ResponseCode::NoError | ResponseCode::NXDomain
        )
    });
    if is_answered {
        DnsAnswer::Bogus
    } else {
        DnsAnswer::ServFail
    }
}

pub(super) fn read_caa(message: &Message, name: &Name) -> CaaLookup {
    let end = end_of_aliases(message, name);
    let records = message
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::CAA(caa) if record.name == *end => Some(CaaRecord {
                critical: caa.issuer_critical,
                tag: caa.tag.clone(),
                value: String::from_utf8_lossy(&caa.value).into_owned(),
                ttl: record.ttl,
            }),
            _ => None,
        });
    let records: Vec<CaaRecord> = records.collect();
    if records.is_empty() {
        return CaaLookup::None;
    }
    CaaLookup::Records((end != name).then(|| name_text(end)), records)
}
