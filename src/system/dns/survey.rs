//! One survey: the zone that a record is in, its servers and the resolvers, all asked side by side.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::rr::Name;
use tokio::task::JoinSet;

use super::delegation::{self, ExploredZone};
use super::message::text;
use super::resolvers::ResolverList;
use super::zone;
use crate::dcv::answer::{
    AnsweredQuery, DnsAnswer, DnsServerId, DnsSurvey, RecordKind, ServerAnswers, ServerRole,
    SurroundingAnswers, ZoneServerCoverage,
};
use crate::system::dns::client::DnsClient;
use crate::system::dns::join::in_order;
use crate::system::dns::zone_cache::ZoneCache;
use crate::system::dns::{aliases, ask_server, dnssec};
use crate::system::runtime::block_on;
use crate::system::signals::InterruptSignal;

/// One record to look for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RecordQuery {
    /// The domain whose zone is looked for.
    pub domain: String,
    /// The registrable domain, where a zone above it is a registry's.
    pub top: Option<String>,
    /// The type of the record.
    pub kind: RecordKind,
    /// The names to ask for, the record's own first. The first one with the zone added is asked for
    /// as well.
    pub names: Vec<String>,
    /// The values known to be right: where one of them is there, nobody asks whether a wildcard
    /// made it.
    pub values: Vec<String>,
}

/// Why there is no survey at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DnsError {
    #[error("interrupted while asking name servers")]
    Interrupted(i32),
    /// The machine could not even start to ask.
    #[error("cannot ask name servers")]
    Start(#[source] io::Error),
}

/// The longest that one survey takes, whatever servers do.
pub(super) const SURVEY: Duration = Duration::from_secs(20);

/// All servers about all records.
pub(super) async fn surveys(
    client: &Arc<DnsClient>,
    known: &Arc<ZoneCache>,
    inquiries: &[RecordQuery],
    resolvers: &ResolverList,
) -> Vec<DnsSurvey> {
    let mut tasks = JoinSet::new();
    for (index, inquiry) in inquiries.iter().enumerate() {
        let (client, inquiry, resolvers) = (Arc::clone(client), inquiry.clone(), resolvers.clone());
        let known = Arc::clone(known);
        tasks.spawn(async move {
            (
                index,
                survey_one(&client, &known, &inquiry, &resolvers).await,
            )
        });
    }
    in_order(tasks).await
}

/// The zone of one inquiry.
struct Zone {
    /// Each resolver's own answer.
    told: Vec<(SocketAddr, Result<Name, DnsAnswer>)>,
    /// A resolver that can be asked for more, and the zone, where it was found.
    found: Option<(SocketAddr, Name)>,
    /// The zone's servers and its place in the tree, where they are wanted and the zone is the
    /// owner's.
    explored: Option<Arc<ExploredZone>>,
}

/// The zone of an inquiry, explored where its servers are to be asked.
async fn zone(
    client: &Arc<DnsClient>,
    known: &ZoneCache,
    inquiry: &RecordQuery,
    resolvers: &ResolverList,
) -> Zone {
    let mut zone = zone_of(client, inquiry, resolvers).await;
    let wanted =
        |(_, zone): &&(SocketAddr, Name)| !resolvers.alone() && !above_the_owners(inquiry, zone);
    if let (None, Some((guide, name))) =
        (&zone.explored, zone.found.as_ref().filter(wanted).cloned())
    {
        zone.explored = Some(known.explored(client, guide, name).await);
    }
    zone
}

/// The first resolver that tells the zone is asked for more; where none does, the zones above are
/// asked.
async fn zone_of(client: &Arc<DnsClient>, inquiry: &RecordQuery, resolvers: &ResolverList) -> Zone {
    let told = zone::told(client, &resolvers.addresses, &inquiry.domain).await;
    let found = told
        .iter()
        .find_map(|(address, zone)| Some((*address, zone.clone().ok()?)));
    if found.is_some() || resolvers.alone() {
        return Zone {
            told,
            found,
            explored: None,
        };
    }
    match delegation::explore_from_above(client, &resolvers.addresses, &inquiry.domain).await {
        Some((guide, zone, explored)) => Zone {
            told,
            found: Some((guide, zone)),
            explored: Some(Arc::new(explored)),
        },
        None => Zone {
            told,
            found: None,
            explored: None,
        },
    }
}

/// True where the registry's servers answer for the domain: it is not delegated.
fn above_the_owners(inquiry: &RecordQuery, zone: &Name) -> bool {
    let depth = |name: &str| name.split('.').count();
    inquiry
        .top
        .as_ref()
        .is_some_and(|top| depth(top) > depth(&text(zone)))
}

async fn survey_one(
    client: &Arc<DnsClient>,
    known: &ZoneCache,
    inquiry: &RecordQuery,
    resolvers: &ResolverList,
) -> DnsSurvey {
    let found = zone(client, known, inquiry, resolvers).await;
    let Some((guide, zone)) = found.found.clone() else {
        return nobody_knows(client, inquiry, found.told, resolvers).await;
    };
    // Of the system's resolvers the first that answers is used, as the C library does; those named
    // are all asked.
    let asked = if resolvers.first_that_answers {
        vec![guide]
    } else {
        resolvers.addresses.clone()
    };
    let mut servers: Vec<DnsServerId> = asked.into_iter().map(resolver).collect();
    let own_servers = match &found.explored {
        _ if above_the_owners(inquiry, &zone) => ZoneServerCoverage::NotDelegated,
        None => ZoneServerCoverage::NotWanted,
        Some(explored) => {
            servers.extend(explored.own.servers.iter().cloned());
            let found = explored
                .own
                .servers
                .iter()
                .any(|server| server.address.is_some());
            if found {
                ZoneServerCoverage::Asked(explored.own.left_out)
            } else {
                ZoneServerCoverage::NotFound
            }
        }
    };
    let mut names = inquiry.names.clone();
    names.extend(
        inquiry
            .names
            .first()
            .map(|name| format!("{name}.{}", text(&zone))),
    );
    let question = (
        inquiry.names.first().cloned().unwrap_or_default(),
        inquiry.kind,
    );
    let explored = found.explored.as_deref();
    let (said, evidence) = tokio::join!(
        ask_server::ask_servers(client, servers, inquiry.kind, names),
        dnssec::gather(client, explored, &question)
    );
    let delegation = explored.map(|explored| explored.delegation.clone());
    let (chain, anywhere, explained) = tokio::join!(
        aliases::chain(client, guide, &said),
        aliases::anywhere(
            client,
            &said,
            (&question.0, &inquiry.domain),
            &inquiry.values
        ),
        aliases::explained(client, &said, &question)
    );
    DnsSurvey {
        zone: Some(text(&zone)),
        own_servers,
        said,
        around: SurroundingAnswers {
            delegation,
            evidence,
            chain,
            anywhere,
            explained,
        },
    }
}

/// No resolver told the zone: those that are silent are not asked again, the others for the names
/// alone.
async fn nobody_knows(
    client: &Arc<DnsClient>,
    inquiry: &RecordQuery,
    told: Vec<(SocketAddr, Result<Name, DnsAnswer>)>,
    resolvers: &ResolverList,
) -> DnsSurvey {
    let mut said = Vec::new();
    for (address, zone) in told {
        let failed = zone.err().unwrap_or(DnsAnswer::ServFail);
        let first = inquiry.names.first().cloned().unwrap_or_default();
        if ask_server::gone(&failed) {
            let asked = AnsweredQuery {
                name: first,
                kind: inquiry.kind,
                answer: failed,
                ttl: None,
            };
            said.push(ServerAnswers {
                server: resolver(address),
                answers: vec![asked],
            });
        } else {
            said.extend(
                ask_server::ask_servers(
                    client,
                    vec![resolver(address)],
                    inquiry.kind,
                    inquiry.names.clone(),
                )
                .await,
            );
        }
    }
    let own_servers = if resolvers.alone() {
        ZoneServerCoverage::NotWanted
    } else {
        ZoneServerCoverage::NotFound
    };
    DnsSurvey {
        zone: None,
        own_servers,
        said,
        around: SurroundingAnswers::default(),
    }
}

pub(super) fn resolver(address: SocketAddr) -> DnsServerId {
    DnsServerId {
        address: Some(address),
        name: None,
        role: ServerRole::Resolver,
    }
}

/// Runs `work` to its end or until a signal comes.
pub(super) fn until_signal<T>(
    interrupt: &InterruptSignal,
    work: impl Future<Output = T>,
) -> Result<T, DnsError> {
    block_on(async {
        tokio::select! {
            result = work => Ok(result),
            signal = interrupt.came() => Err(DnsError::Interrupted(signal)),
        }
    })
    .map_err(DnsError::Start)?
}
