//! Finds where a record has to be published: the name at the end of a delegation, and the zone that
//! contains it. The zone is found through the DNS, not by counting labels.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::rr::Name;

use super::client::DnsClient;
use super::message::name_text;
use super::resolvers::ResolverList;
use super::server_queries::{is_unresponsive, query_record};
use super::survey::{DnsError, resolver};
use super::zone;
use crate::dcv::answer::{DnsAnswer, DnsServerId, RecordKind, ServerRole};
use crate::publishing::zone_record::RecordLocation;
use crate::system::dns::aliases::ALIAS_LIMIT;

/// Whether a CNAME at the record's name is followed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DelegationRule {
    /// The name is delegated to another zone (`_acme-challenge`).
    Follow,
    /// A CNAME at the name is a record of its own.
    Stay,
}

/// Why there is no location.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LocationError {
    #[error(transparent)]
    Dns(#[from] DnsError),
    #[error("the zone of {name} was not found: {}", describe(answer))]
    NoZone { name: String, answer: DnsAnswer },
    #[error("{name} is an alias that leads nowhere")]
    AliasLoop { name: String },
    /// The name is in no zone of its owner.
    #[error("{} is not delegated: the servers of the zone {:?} answer for it", .0.name, .0.zone)]
    NotDelegated(RecordLocation),
}

fn describe(answer: &DnsAnswer) -> String {
    match answer {
        DnsAnswer::Failed(reason) => reason.clone(),
        other => format!("the resolver's answer is {}", other.word()),
    }
}

/// Returns where the record `name` is published.
///
/// # Errors
/// See [`LocationError`].
pub(super) async fn locate_record(
    client: &Arc<DnsClient>,
    name: &str,
    rule: DelegationRule,
    resolvers: &ResolverList,
) -> Result<RecordLocation, LocationError> {
    let end = match rule {
        DelegationRule::Follow => end_of_delegation(client, &resolvers.addresses, name).await?,
        DelegationRule::Stay => name.to_ascii_lowercase(),
    };
    let zone = zone_of(client, &resolvers.addresses, &end).await?;
    Ok(RecordLocation { name: end, zone })
}

/// Follows the CNAMEs from `name`.
async fn end_of_delegation(
    client: &Arc<DnsClient>,
    resolvers: &[SocketAddr],
    name: &str,
) -> Result<String, LocationError> {
    let mut end = name.to_ascii_lowercase();
    for _ in 0..=ALIAS_LIMIT {
        match first_answer(client, resolvers, &end).await {
            DnsAnswer::Cname(target) => end = target.to_ascii_lowercase(),
            answer if answer.is_answer() => return Ok(end),
            answer => return Err(LocationError::NoZone { name: end, answer }),
        }
    }
    Err(LocationError::AliasLoop {
        name: name.to_owned(),
    })
}

async fn first_answer(
    client: &DnsClient,
    resolvers: &[SocketAddr],
    queried_name: &str,
) -> DnsAnswer {
    let mut answer = DnsAnswer::Timeout;
    for address in resolvers {
        let role = ServerRole::Resolver;
        (answer, _) = query_record(client, *address, role, queried_name, RecordKind::Cname).await;
        if !is_unresponsive(&answer) {
            break;
        }
    }
    answer
}

async fn zone_of(
    client: &Arc<DnsClient>,
    resolvers: &[SocketAddr],
    name: &str,
) -> Result<String, LocationError> {
    let mut last = DnsAnswer::Timeout;
    for (_, found) in zone::query_zones(client, resolvers, name).await {
        match found {
            Ok(zone) => return Ok(name_text(&zone)),
            Err(answer) => last = answer,
        }
    }
    Err(LocationError::NoZone {
        name: name.to_owned(),
        answer: last,
    })
}

/// Returns the answers of the zone's own servers to each question, at each address; of the given
/// resolver if no other server is to be queried.
///
/// # Errors
/// When no server answers.
pub(super) async fn query_zone_servers(
    client: &Arc<DnsClient>,
    at: &RecordLocation,
    questions: &[(String, RecordKind)],
    resolvers: &ResolverList,
) -> Result<Vec<DnsAnswer>, LocationError> {
    let servers = servers_of(client, &at.zone, resolvers).await;
    let mut answers = Vec::new();
    for server in &servers {
        let Some(address) = server.address else {
            continue;
        };
        for (name, kind) in questions {
            let (answer, _) = query_record(client, address, server.role, name, *kind).await;
            answers.push(answer);
        }
    }
    if answers.iter().any(DnsAnswer::is_answer) {
        return Ok(answers);
    }
    Err(LocationError::NoZone {
        name: at.name.clone(),
        answer: answers.pop().unwrap_or(DnsAnswer::NoAddress),
    })
}

async fn servers_of(
    client: &Arc<DnsClient>,
    zone: &str,
    resolvers: &ResolverList,
) -> Vec<DnsServerId> {
    if resolvers.excludes_other_servers() {
        let addresses = resolvers.addresses.iter();
        return addresses.map(|address| resolver(*address)).collect();
    }
    let Ok(zone) = Name::from_ascii(format!("{zone}.")) else {
        return Vec::new();
    };
    for address in &resolvers.addresses {
        let names = zone::server_names(client, *address, &zone).await;
        if !names.is_empty() {
            return zone::query_servers(client, *address, names).await.servers;
        }
    }
    Vec::new()
}
