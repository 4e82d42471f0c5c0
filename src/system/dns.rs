//! DNS: asks servers for CNAMEs and texts without following aliases, finds a zone's own servers and what is around it (the
//! zone above, keys and signatures, CAA). Decides nothing: what came is handed back as values of `dcv`. An `Inquiry` goes in,
//! a `Survey` comes out; every question goes through `exchange::Client`.
//!
//! Each message goes over `hickory-proto`; sockets are ours, so that a closed port shows at once (connected UDP) and
//! garbage is waited out, which ready-made clients do not offer.

mod around;
mod ask;
mod batch;
mod caa;
mod delegation;
mod evidence;
mod exchange;
mod message;
mod resolvers;
mod way;
mod zone;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::rr::Name;
use tokio::task::JoinSet;

use self::batch::in_order;
use self::delegation::Explored;
use self::exchange::Client;
use self::message::text;
pub use self::resolvers::{Resolvers, address};
use super::runtime::block_on;
use super::signals::Interrupt;
use crate::dcv::answer::{Answer, Around, Asked, OwnServers, RecordKind, Role, Said, Server, Survey};
use crate::dcv::caa::Found;

/// One record to look for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Inquiry {
    /// The domain whose zone is looked for.
    pub domain: String,
    /// The registrable domain, where a zone above it is a registry's.
    pub top: Option<String>,
    /// The type of the record.
    pub kind: RecordKind,
    /// The names to ask for, the record's own first. The first one with the zone added is asked for as well.
    pub names: Vec<String>,
}

/// Why there is no survey at all.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// A signal came.
    #[error("interrupted while asking name servers")]
    Interrupted(i32),
    /// The machine could not even start to ask.
    #[error("cannot ask name servers")]
    Start(#[source] io::Error),
}

/// The longest that one survey takes, whatever servers do.
const SURVEY: Duration = Duration::from_secs(20);

/// Asks all servers about all records at once.
///
/// # Errors
/// [`DnsError`]; what servers do is no error but an [`Answer`].
pub fn survey(inquiries: &[Inquiry], resolvers: &Resolvers, interrupt: &Interrupt) -> Result<Vec<Survey>, DnsError> {
    run(interrupt, |client| async move {
        let zones = zones(&client, inquiries, resolvers).await;
        let mut tasks = JoinSet::new();
        for (index, (inquiry, found)) in inquiries.iter().zip(zones).enumerate() {
            let (client, inquiry, resolvers) = (Arc::clone(&client), inquiry.clone(), resolvers.clone());
            tasks.spawn(async move { (index, survey_one(&client, &inquiry, found, &resolvers).await) });
        }
        in_order(tasks).await
    })
}

/// What is at each name of the CAA climb of all `names` (wildcards stripped): for `dcv::caa::rule`.
///
/// # Errors
/// [`DnsError`]; what servers do is no error but a [`Found`].
pub fn caa(names: &[String], resolvers: &Resolvers, interrupt: &Interrupt) -> Result<HashMap<String, Found>, DnsError> {
    run(interrupt, |client| async move { caa::look_up(&client, names, resolvers).await })
}

/// Runs questions until they are answered, the time is over or a signal comes.
fn run<T, F: Future<Output = T>>(
    interrupt: &Interrupt,
    questions: impl FnOnce(Arc<Client>) -> F,
) -> Result<T, DnsError> {
    block_on(async {
        let client = Arc::new(Client::until(tokio::time::Instant::now() + SURVEY));
        tokio::select! {
            answers = questions(client) => Ok(answers),
            signal = interrupt.came() => Err(DnsError::Interrupted(signal)),
        }
    })
    .map_err(DnsError::Start)?
}

/// The zone of one inquiry.
struct Zone {
    /// Each resolver's own answer.
    told: Vec<(SocketAddr, Result<Name, Answer>)>,
    /// A resolver that can be asked for more, and the zone, where it was found.
    found: Option<(SocketAddr, Name)>,
    /// The zone's servers and its place in the tree, where they are wanted and the zone is the owner's.
    explored: Option<Arc<Explored>>,
}

/// The zone of each inquiry; one that several are in is explored once.
async fn zones(client: &Arc<Client>, inquiries: &[Inquiry], resolvers: &Resolvers) -> Vec<Zone> {
    let mut tasks = JoinSet::new();
    for (index, inquiry) in inquiries.iter().enumerate() {
        let (client, inquiry, resolvers) = (Arc::clone(client), inquiry.clone(), resolvers.clone());
        tasks.spawn(async move { (index, zone_of(&client, &inquiry, &resolvers).await) });
    }
    let mut zones = in_order(tasks).await;
    let mut wanted: Vec<(SocketAddr, Name)> = Vec::new();
    for (zone, inquiry) in zones.iter().zip(inquiries).filter(|(zone, _)| zone.explored.is_none()) {
        let found = zone.found.iter().filter(|(_, zone)| !resolvers.alone() && !above_the_owners(inquiry, zone));
        wanted.extend(found.filter(|one| !wanted.contains(one)).cloned().collect::<Vec<_>>());
    }
    let mut tasks = JoinSet::new();
    for (index, (guide, zone)) in wanted.iter().cloned().enumerate() {
        let client = Arc::clone(client);
        tasks.spawn(async move { (index, Arc::new(delegation::explore(&client, guide, &zone).await)) });
    }
    let explored = in_order(tasks).await;
    for zone in zones.iter_mut().filter(|zone| zone.explored.is_none()) {
        let place = zone.found.as_ref().and_then(|found| wanted.iter().position(|one| one == found));
        zone.explored = place.and_then(|place| explored.get(place)).cloned();
    }
    zones
}

/// The first resolver that tells the zone is asked for more; where none does, the zones above are asked.
async fn zone_of(client: &Arc<Client>, inquiry: &Inquiry, resolvers: &Resolvers) -> Zone {
    let told = zone::told(client, &resolvers.addresses, &inquiry.domain).await;
    let found = told.iter().find_map(|(address, zone)| Some((*address, zone.clone().ok()?)));
    if found.is_some() || resolvers.alone() {
        return Zone { told, found, explored: None };
    }
    match delegation::explore_from_above(client, &resolvers.addresses, &inquiry.domain).await {
        Some((guide, zone, explored)) => Zone { told, found: Some((guide, zone)), explored: Some(Arc::new(explored)) },
        None => Zone { told, found: None, explored: None },
    }
}

/// True where the registry's servers answer for the domain: it is not delegated.
fn above_the_owners(inquiry: &Inquiry, zone: &Name) -> bool {
    let depth = |name: &str| name.split('.').count();
    inquiry.top.as_ref().is_some_and(|top| depth(top) > depth(&text(zone)))
}

async fn survey_one(client: &Arc<Client>, inquiry: &Inquiry, found: Zone, resolvers: &Resolvers) -> Survey {
    let Some((guide, zone)) = found.found.clone() else {
        return nobody_knows(client, inquiry, found.told, resolvers).await;
    };
    // Of the system's resolvers the first that answers is used, as the C library does; those named are all asked.
    let asked = if resolvers.first_that_answers { vec![guide] } else { resolvers.addresses.clone() };
    let mut servers: Vec<Server> = asked.into_iter().map(resolver).collect();
    let own_servers = match &found.explored {
        _ if above_the_owners(inquiry, &zone) => OwnServers::NotDelegated,
        None => OwnServers::NotWanted,
        Some(explored) => {
            servers.extend(explored.own.servers.iter().cloned());
            let found = explored.own.servers.iter().any(|server| server.address.is_some());
            if found { OwnServers::Asked(explored.own.left_out) } else { OwnServers::NotFound }
        }
    };
    let mut names = inquiry.names.clone();
    names.extend(inquiry.names.first().map(|name| format!("{name}.{}", text(&zone))));
    let question = (inquiry.names.first().cloned().unwrap_or_default(), inquiry.kind);
    let explored = found.explored.as_deref();
    let (said, evidence) = tokio::join!(
        ask::ask_servers(client, servers, inquiry.kind, names),
        evidence::gather(client, explored, &question)
    );
    let delegation = explored.map(|explored| explored.delegation.clone());
    let (chain, explained) =
        tokio::join!(around::chain(client, guide, &said), around::explained(client, &said, &question));
    Survey { zone: Some(text(&zone)), own_servers, said, around: Around { delegation, evidence, chain, explained } }
}

/// No resolver told the zone: those that are silent are not asked again, the others for the names alone.
async fn nobody_knows(
    client: &Arc<Client>,
    inquiry: &Inquiry,
    told: Vec<(SocketAddr, Result<Name, Answer>)>,
    resolvers: &Resolvers,
) -> Survey {
    let mut said = Vec::new();
    for (address, zone) in told {
        let failed = zone.err().unwrap_or(Answer::ServFail);
        let first = inquiry.names.first().cloned().unwrap_or_default();
        if ask::gone(&failed) {
            let asked = Asked { name: first, kind: inquiry.kind, answer: failed };
            said.push(Said { server: resolver(address), answers: vec![asked] });
        } else {
            said.extend(ask::ask_servers(client, vec![resolver(address)], inquiry.kind, inquiry.names.clone()).await);
        }
    }
    let own_servers = if resolvers.alone() { OwnServers::NotWanted } else { OwnServers::NotFound };
    Survey { zone: None, own_servers, said, around: Around::default() }
}

fn resolver(address: SocketAddr) -> Server {
    Server { address: Some(address), name: None, role: Role::Resolver }
}
