//! One survey: finds the zone of a record, and queries its servers and the resolvers concurrently.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::rr::Name;
use tokio::task::JoinSet;

use super::delegation::{self, ExploredZone};
use super::message::name_text;
use super::resolvers::ResolverList;
use super::zone;
use crate::dcv::answer::{
    AnsweredQuery, DnsAnswer, DnsServerId, DnsSurvey, RecordKind, ServerAnswers, ServerRole,
    SurroundingAnswers, ZoneServerCoverage,
};
use crate::system::dns::client::DnsClient;
use crate::system::dns::join::in_order;
use crate::system::dns::server_queries::RecordQuestion;
use crate::system::dns::zone_cache::ZoneCache;
use crate::system::dns::{aliases, dnssec, server_queries};
use crate::system::runtime::block_on;
use crate::system::signals::InterruptSignal;

/// One record to query.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RecordQuery {
    /// The domain whose zone is to be found.
    pub domain: String,
    /// The registrable domain; a zone above it belongs to a registry.
    pub registrable_domain: Option<String>,
    /// The type of the record.
    pub kind: RecordKind,
    /// The names to query, the record's own first. The first one with the zone appended is queried
    /// as well.
    pub names: Vec<String>,
    /// The expected values; if one of them is found, the wildcard query is skipped.
    pub values: Vec<String>,
}

/// Why there is no survey.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DnsError {
    #[error("interrupted while querying name servers")]
    Interrupted(i32),
    /// This machine could not start the queries.
    #[error("cannot query name servers")]
    Start(#[source] io::Error),
}

/// The maximum time for one survey, however slow the servers are.
pub(super) const SURVEY: Duration = Duration::from_secs(20);

/// Queries all servers for all records.
pub(super) async fn surveys(
    client: &Arc<DnsClient>,
    known: &Arc<ZoneCache>,
    record_queries: &[RecordQuery],
    resolvers: &ResolverList,
) -> Vec<DnsSurvey> {
    let mut tasks = JoinSet::new();
    for (index, record_query) in record_queries.iter().enumerate() {
        let client = Arc::clone(client);
        let known = Arc::clone(known);
        let record_query = record_query.clone();
        let resolvers = resolvers.clone();
        tasks.spawn(async move {
            let survey = survey_one(&client, &known, &record_query, &resolvers).await;
            (index, survey)
        });
    }
    in_order(tasks).await
}

/// The zone of one record, as it was found.
struct ZoneSearch {
    /// Each resolver's own answer.
    answers: Vec<(SocketAddr, Result<Name, DnsAnswer>)>,
    /// A resolver that answers, and the zone if it was found.
    found: Option<(SocketAddr, Name)>,
    /// The zone's servers and its delegation, if they are needed and the zone belongs to the owner
    /// of the domain.
    explored: Option<Arc<ExploredZone>>,
}

/// Finds the zone of a record, and explores it if its servers are to be queried.
async fn search_zone(
    client: &Arc<DnsClient>,
    known: &ZoneCache,
    record_query: &RecordQuery,
    resolvers: &ResolverList,
) -> ZoneSearch {
    let mut search = find_zone(client, record_query, resolvers).await;
    if search.explored.is_none()
        && !resolvers.excludes_other_servers()
        && let Some((main_resolver, zone)) = search.found.clone()
        && !is_registry_zone(record_query, &zone)
    {
        search.explored = Some(known.get_or_explore(client, main_resolver, zone).await);
    }
    search
}

/// Uses the first resolver that reports the zone for further queries; if none does, queries the
/// zones above.
async fn find_zone(
    client: &Arc<DnsClient>,
    record_query: &RecordQuery,
    resolvers: &ResolverList,
) -> ZoneSearch {
    let answers = zone::query_zones(client, &resolvers.addresses, &record_query.domain).await;
    let found = answers
        .iter()
        .find_map(|(address, zone)| Some((*address, zone.clone().ok()?)));
    let mut search = ZoneSearch {
        answers,
        found,
        explored: None,
    };
    if search.found.is_some() || resolvers.excludes_other_servers() {
        return search;
    }
    let from_above =
        delegation::explore_from_above(client, &resolvers.addresses, &record_query.domain).await;
    if let Some((main_resolver, zone, explored)) = from_above {
        search.found = Some((main_resolver, zone));
        search.explored = Some(Arc::new(explored));
    }
    search
}

/// Returns whether the registry's servers answer for the domain, because it is not delegated.
fn is_registry_zone(record_query: &RecordQuery, zone: &Name) -> bool {
    record_query
        .registrable_domain
        .as_ref()
        .is_some_and(|top| label_count(top) > label_count(&name_text(zone)))
}

fn label_count(name: &str) -> usize {
    name.split('.').count()
}

async fn survey_one(
    client: &Arc<DnsClient>,
    known: &ZoneCache,
    record_query: &RecordQuery,
    resolvers: &ResolverList,
) -> DnsSurvey {
    let search = search_zone(client, known, record_query, resolvers).await;
    let Some((main_resolver, zone)) = search.found else {
        return survey_without_zone(client, record_query, search.answers, resolvers).await;
    };
    let explored = search.explored.as_deref();
    let own_servers = coverage(record_query, &zone, explored);
    let mut servers = resolvers_to_ask(resolvers, main_resolver);
    if own_servers != ZoneServerCoverage::NotDelegated {
        servers.extend(own_servers_of(explored));
    }
    let question = main_question(record_query);
    let names = names_to_query(record_query, &zone);
    let (by_server, evidence) = tokio::join!(
        server_queries::query_servers_for_record(client, servers, record_query.kind, names),
        dnssec::gather(client, explored, &question)
    );
    let around = SurroundingAnswers {
        delegation: explored.map(|explored| explored.delegation.clone()),
        evidence,
        ..query_surroundings(client, main_resolver, record_query, &question, &by_server).await
    };
    DnsSurvey {
        zone: Some(name_text(&zone)),
        zone_server_coverage: own_servers,
        server_answers: by_server,
        surroundings: around,
    }
}

fn own_servers_of(explored: Option<&ExploredZone>) -> Vec<DnsServerId> {
    explored.map_or_else(Vec::new, |explored| explored.own.servers.clone())
}

/// Returns the question for the first name of the record.
fn main_question(record_query: &RecordQuery) -> RecordQuestion {
    RecordQuestion {
        name: record_query.names.first().cloned().unwrap_or_default(),
        kind: record_query.kind,
    }
}

/// Queries what explains the answers: the target of an alias, a wildcard, and resolvers'
/// explanations.
async fn query_surroundings(
    client: &DnsClient,
    main_resolver: SocketAddr,
    record_query: &RecordQuery,
    question: &RecordQuestion,
    by_server: &[ServerAnswers],
) -> SurroundingAnswers {
    let (broken_chain, anywhere, explained) = tokio::join!(
        aliases::follow_chain(client, main_resolver, by_server),
        aliases::query_wildcard(
            client,
            by_server,
            &question.name,
            &record_query.domain,
            &record_query.values
        ),
        aliases::query_explanations(client, by_server, question)
    );
    SurroundingAnswers {
        broken_chain: broken_chain.map(|broken| (broken.start, broken.chain)),
        wildcard_answer: anywhere,
        explanations: explained,
        ..SurroundingAnswers::default()
    }
}

/// Returns the names of the record, and the first one with the zone appended.
fn names_to_query(record_query: &RecordQuery, zone: &Name) -> Vec<String> {
    let mut names = record_query.names.clone();
    if let Some(first) = record_query.names.first() {
        names.push(format!("{first}.{}", name_text(zone)));
    }
    names
}

/// Of the system's resolvers, the first that answers is used, as in the C library; those passed by
/// the user are all queried.
fn resolvers_to_ask(resolvers: &ResolverList, main_resolver: SocketAddr) -> Vec<DnsServerId> {
    if resolvers.first_that_answers {
        vec![resolver(main_resolver)]
    } else {
        resolvers.addresses.iter().copied().map(resolver).collect()
    }
}

/// Returns whether the zone's own servers can be queried.
fn coverage(
    record_query: &RecordQuery,
    zone: &Name,
    explored: Option<&ExploredZone>,
) -> ZoneServerCoverage {
    if is_registry_zone(record_query, zone) {
        return ZoneServerCoverage::NotDelegated;
    }
    let Some(explored) = explored else {
        return ZoneServerCoverage::NotRequested;
    };
    let has_address = explored
        .own
        .servers
        .iter()
        .any(|server| server.address.is_some());
    if has_address {
        ZoneServerCoverage::Queried(explored.own.omitted)
    } else {
        ZoneServerCoverage::NotFound
    }
}

/// Completes the survey if no resolver reports the zone: unresponsive resolvers are not queried
/// again, the others only for the names.
async fn survey_without_zone(
    client: &Arc<DnsClient>,
    record_query: &RecordQuery,
    answers: Vec<(SocketAddr, Result<Name, DnsAnswer>)>,
    resolvers: &ResolverList,
) -> DnsSurvey {
    let mut by_server = Vec::new();
    for (address, zone) in answers {
        let failed = zone.err().unwrap_or(DnsAnswer::ServFail);
        let first = record_query.names.first().cloned().unwrap_or_default();
        if server_queries::is_unresponsive(&failed) {
            let answered = AnsweredQuery {
                name: first,
                kind: record_query.kind,
                answer: failed,
                ttl: None,
            };
            by_server.push(ServerAnswers {
                server: resolver(address),
                answers: vec![answered],
            });
        } else {
            let names = record_query.names.clone();
            let servers = vec![resolver(address)];
            by_server.extend(
                server_queries::query_servers_for_record(client, servers, record_query.kind, names)
                    .await,
            );
        }
    }
    let own_servers = if resolvers.excludes_other_servers() {
        ZoneServerCoverage::NotRequested
    } else {
        ZoneServerCoverage::NotFound
    };
    DnsSurvey {
        zone: None,
        zone_server_coverage: own_servers,
        server_answers: by_server,
        surroundings: SurroundingAnswers::default(),
    }
}

pub(super) fn resolver(address: SocketAddr) -> DnsServerId {
    DnsServerId {
        address: Some(address),
        name: None,
        role: ServerRole::Resolver,
    }
}

/// Runs `work` to completion or until a signal arrives.
pub(super) fn until_signal<T>(
    interrupt: &InterruptSignal,
    work: impl Future<Output = T>,
) -> Result<T, DnsError> {
    block_on(async {
        tokio::select! {
            result = work => Ok(result),
            signal = interrupt.wait_for_signal() => Err(DnsError::Interrupted(signal)),
        }
    })
    .map_err(DnsError::Start)?
}
