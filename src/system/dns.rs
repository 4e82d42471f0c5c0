//! DNS: asks servers for CNAMEs and texts without following aliases, and finds a zone's own servers. Decides nothing: what came is
//! handed back as `dcv::answer` values.
//!
//! Each message goes over `hickory-proto`; sockets are ours, so that a closed port shows at once (connected UDP) and
//! garbage is waited out, which ready-made clients do not offer.

mod batch;
mod exchange;
mod message;
mod resolvers;
mod way;
mod zone;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::rr::{Name, RecordType};
use tokio::task::JoinSet;

use self::batch::in_order;
use self::exchange::{Client, Query, Recursion};
use self::message::{read, text};
pub use self::resolvers::{Resolvers, address};
use super::runtime::block_on;
use super::signals::Interrupt;
use crate::dcv::answer::{Answer, Asked, OwnServers, RecordKind, Role, Said, Server, Survey};

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
    let all = async {
        let client = Arc::new(Client::until(tokio::time::Instant::now() + SURVEY));
        let mut tasks = JoinSet::new();
        for (index, inquiry) in inquiries.iter().enumerate() {
            let (client, inquiry, resolvers) = (Arc::clone(&client), inquiry.clone(), resolvers.clone());
            tasks.spawn(async move { (index, survey_one(&client, &inquiry, &resolvers).await) });
        }
        in_order(tasks).await
    };
    block_on(async {
        tokio::select! {
            surveys = all => Ok(surveys),
            signal = came(interrupt) => Err(DnsError::Interrupted(signal)),
        }
    })
    .map_err(DnsError::Start)?
}

/// Ends once a signal has come.
async fn came(interrupt: &Interrupt) -> i32 {
    loop {
        if let Some(signal) = interrupt.signal() {
            return signal;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn survey_one(client: &Arc<Client>, inquiry: &Inquiry, resolvers: &Resolvers) -> Survey {
    let mut zones = JoinSet::new();
    for (index, address) in resolvers.addresses.iter().copied().enumerate() {
        let (client, domain) = (Arc::clone(client), inquiry.domain.clone());
        zones.spawn(async move { (index, (address, zone::zone_of(&client, address, &domain).await)) });
    }
    let found = in_order(zones).await;
    let guide = found.iter().find_map(|(address, zone)| zone.as_ref().ok().map(|zone| (*address, zone.clone())));
    let Some((guide, zone)) = guide else { return nobody_knows(client, inquiry, found, resolvers).await };
    // Of the system's resolvers the first that answers is used, as the C library does; those named are all asked.
    let asked = if resolvers.first_that_answers { vec![guide] } else { resolvers.addresses.clone() };
    let mut servers: Vec<Server> = asked.into_iter().map(resolver).collect();
    let depth = |name: &str| name.split('.').count();
    let own_servers = if inquiry.top.as_ref().is_some_and(|top| depth(top) > depth(&text(&zone))) {
        OwnServers::NotDelegated
    } else if resolvers.alone() {
        OwnServers::NotWanted
    } else {
        let own = zone::own_servers(client, guide, &zone).await;
        let found = own.servers.iter().any(|server| server.address.is_some());
        servers.extend(own.servers);
        if found { OwnServers::Asked(own.left_out) } else { OwnServers::NotFound }
    };
    let mut names = inquiry.names.clone();
    names.extend(inquiry.names.first().map(|name| format!("{name}.{}", text(&zone))));
    let said = ask_servers(client, servers, inquiry.kind, names).await;
    Survey { zone: Some(text(&zone)), own_servers, said }
}

/// No resolver told the zone: those that are silent are not asked again, the others for the names alone.
async fn nobody_knows(
    client: &Arc<Client>,
    inquiry: &Inquiry,
    found: Vec<(SocketAddr, Result<Name, Answer>)>,
    resolvers: &Resolvers,
) -> Survey {
    let mut said = Vec::new();
    for (address, zone) in found {
        let failed = zone.err().unwrap_or(Answer::ServFail);
        let first = inquiry.names.first().cloned().unwrap_or_default();
        if gone(&failed) {
            let asked = Asked { name: first, kind: inquiry.kind, answer: failed };
            said.push(Said { server: resolver(address), answers: vec![asked] });
        } else {
            said.extend(ask_servers(client, vec![resolver(address)], inquiry.kind, inquiry.names.clone()).await);
        }
    }
    let own_servers = if resolvers.alone() { OwnServers::NotWanted } else { OwnServers::NotFound };
    Survey { zone: None, own_servers, said }
}

fn resolver(address: SocketAddr) -> Server {
    Server { address: Some(address), name: None, role: Role::Resolver }
}

/// True when asking the same server again is of no use.
fn gone(answer: &Answer) -> bool {
    matches!(answer, Answer::Timeout | Answer::Closed | Answer::NoRoute)
}

async fn ask_servers(client: &Arc<Client>, servers: Vec<Server>, kind: RecordKind, names: Vec<String>) -> Vec<Said> {
    let mut tasks = JoinSet::new();
    for (index, server) in servers.into_iter().enumerate() {
        let (client, names) = (Arc::clone(client), names.clone());
        tasks.spawn(async move { (index, ask_server(&client, server, kind, names).await) });
    }
    in_order(tasks).await
}

/// Asks one server for the first name, and if it is there at all, at once for the others and for what else may stand at
/// the first.
async fn ask_server(client: &Arc<Client>, server: Server, kind: RecordKind, names: Vec<String>) -> Said {
    let mut names = names.into_iter();
    let mut answers = Vec::new();
    let Some(first) = names.next() else { return Said { server, answers } };
    let Some(address) = server.address else {
        answers.push(Asked { name: first, kind, answer: Answer::NoAddress });
        return Said { server, answers };
    };
    let role = server.role;
    let answer = put(client, address, role, &first, kind).await;
    let silent = gone(&answer);
    let beside: Vec<RecordKind> = beside(kind, role, &answer).iter().copied().filter(|other| *other != kind).collect();
    answers.push(Asked { name: first.clone(), kind, answer });
    if silent {
        return Said { server, answers };
    }
    let questions = names.map(|name| (name, kind)).chain(beside.into_iter().map(|kind| (first.clone(), kind)));
    let mut tasks = JoinSet::new();
    for (index, (name, kind)) in questions.enumerate() {
        let client = Arc::clone(client);
        tasks.spawn(async move {
            let answer = put(&client, address, role, &name, kind).await;
            (index, Asked { name, kind, answer })
        });
    }
    answers.extend(in_order(tasks).await);
    Said { server, answers }
}

/// What else to ask for at the record's own name: what stands there in its place, and what stands beside a CNAME. A
/// resolver would follow the CNAME, so only the zone's own servers are asked what is beside it.
fn beside(kind: RecordKind, role: Role, answer: &Answer) -> &'static [RecordKind] {
    match (kind, role, answer) {
        (_, _, Answer::NoData(_)) => &[RecordKind::Cname, RecordKind::Txt, RecordKind::A],
        (RecordKind::Cname, Role::Authoritative, Answer::Cname(_)) => &[RecordKind::Txt],
        _ => &[],
    }
}

async fn put(client: &Client, server: SocketAddr, role: Role, name: &str, kind: RecordKind) -> Answer {
    // A name too long for the DNS (the doubled zone of a long one) cannot be there.
    let Ok(name) = Name::from_ascii(format!("{name}.")) else { return Answer::NoName(None) };
    let recursion = match role {
        Role::Resolver => Recursion::Desired,
        Role::Authoritative => Recursion::No,
    };
    let query = Query { server, name, kind: record_type(kind), recursion };
    let answer = answer(client, &query, role).await;
    if answer != Answer::ServFail || role == Role::Authoritative {
        return answer;
    }
    // A validating resolver fails both on what it cannot get and on what it will not believe; the latter it hands out
    // to those who do not want it checked.
    let unchecked = Query { recursion: Recursion::DesiredUnchecked, ..query };
    if self::answer(client, &unchecked, role).await.is_answer() { Answer::Bogus } else { answer }
}

fn record_type(kind: RecordKind) -> RecordType {
    match kind {
        RecordKind::A => RecordType::A,
        RecordKind::Cname => RecordType::CNAME,
        RecordKind::Txt => RecordType::TXT,
    }
}

async fn answer(client: &Client, query: &Query, role: Role) -> Answer {
    match client.ask(query).await {
        Ok(message) => read(&message, query, role),
        Err(none) => none.into(),
    }
}
