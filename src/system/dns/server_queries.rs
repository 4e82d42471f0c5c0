//! Queries servers for a record: its own name first, then the other names and the other types at
//! its own name.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::rr::{Name, RecordType};
use tokio::task::JoinSet;

use super::message::{read_answer, shortest_ttl};
use crate::dcv::answer::{
    AnsweredQuery, DnsAnswer, DnsServerId, RecordKind, ServerAnswers, ServerRole,
};
use crate::system::dns::client::{DnsClient, DnsQuery, QueryForm, RecursionDesired};
use crate::system::dns::join::in_order;

/// A record that is queried.
#[derive(Clone, Debug)]
pub(super) struct RecordQuestion {
    pub name: String,
    pub kind: RecordKind,
}

/// Returns whether the same server should not be queried again.
pub(super) fn is_unresponsive(answer: &DnsAnswer) -> bool {
    matches!(
        answer,
        DnsAnswer::Timeout | DnsAnswer::Closed | DnsAnswer::NoRoute
    )
}

pub(super) async fn query_servers_for_record(
    client: &Arc<DnsClient>,
    servers: Vec<DnsServerId>,
    kind: RecordKind,
    names: Vec<String>,
) -> Vec<ServerAnswers> {
    let mut tasks = JoinSet::new();
    for (index, server) in servers.into_iter().enumerate() {
        let client = Arc::clone(client);
        let names = names.clone();
        tasks.spawn(async move { (index, query_one_server(&client, server, kind, names).await) });
    }
    in_order(tasks).await
}

/// Queries one server for the first name and, if it responds, for the others and for the other
/// types at the first, all at once.
async fn query_one_server(
    client: &Arc<DnsClient>,
    server: DnsServerId,
    kind: RecordKind,
    names: Vec<String>,
) -> ServerAnswers {
    let mut names = names.into_iter();
    let Some(first) = names.next() else {
        return ServerAnswers {
            server,
            answers: Vec::new(),
        };
    };
    let Some(address) = server.address else {
        return answer_without_address(server, first, kind);
    };
    let role = server.role;
    let question = RecordQuestion { name: first, kind };
    let main = ask_question(client, address, role, question.clone()).await;
    let mut answers = Vec::new();
    if !is_unresponsive(&main.answer) {
        let other_kinds = other_kinds(kind, role, &main.answer);
        let mut questions: Vec<RecordQuestion> =
            names.map(|name| RecordQuestion { name, kind }).collect();
        questions.extend(
            other_kinds
                .iter()
                .filter(|other| **other != kind)
                .map(|other| RecordQuestion {
                    name: question.name.clone(),
                    kind: *other,
                }),
        );
        answers = send_queries(client, address, role, questions).await;
    }
    answers.insert(0, main);
    ServerAnswers { server, answers }
}

/// Sends the same question to a server several times, one after the other, each from a socket of its
/// own. Returns one entry for each answer.
pub(super) async fn repeat_query(
    client: &DnsClient,
    server: &DnsServerId,
    name: &str,
    kind: RecordKind,
) -> Vec<ServerAnswers> {
    /// Enough that servers that alternate give different answers.
    const TIMES: usize = 3;
    let Some(address) = server.address else {
        return vec![answer_without_address(
            server.clone(),
            name.to_owned(),
            kind,
        )];
    };
    let mut all = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let question = RecordQuestion {
            name: name.to_owned(),
            kind,
        };
        let answered = ask_question(client, address, server.role, question).await;
        let is_silent = is_unresponsive(&answered.answer);
        all.push(ServerAnswers {
            server: server.clone(),
            answers: vec![answered],
        });
        if is_silent {
            break;
        }
    }
    all
}

/// The answer of a server that cannot be queried.
fn answer_without_address(server: DnsServerId, name: String, kind: RecordKind) -> ServerAnswers {
    let no_address = AnsweredQuery {
        name,
        kind,
        answer: DnsAnswer::NoAddress,
        ttl: None,
    };
    ServerAnswers {
        server,
        answers: vec![no_address],
    }
}

/// Sends all queries to one server at once; the answers keep their order.
async fn send_queries(
    client: &Arc<DnsClient>,
    server: SocketAddr,
    role: ServerRole,
    questions: Vec<RecordQuestion>,
) -> Vec<AnsweredQuery> {
    let mut tasks = JoinSet::new();
    for (index, question) in questions.into_iter().enumerate() {
        let client = Arc::clone(client);
        tasks.spawn(async move { (index, ask_question(&client, server, role, question).await) });
    }
    in_order(tasks).await
}

async fn ask_question(
    client: &DnsClient,
    server: SocketAddr,
    role: ServerRole,
    question: RecordQuestion,
) -> AnsweredQuery {
    let RecordQuestion { name, kind } = question;
    let (answer, ttl) = query_record(client, server, role, &name, kind).await;
    AnsweredQuery {
        name,
        kind,
        answer,
        ttl,
    }
}

/// Returns the other types to query at the record's own name: those that may exist instead of it,
/// and those that may exist besides a CNAME. A resolver would follow the CNAME, so that only the
/// zone's own servers are queried for the latter.
fn other_kinds(kind: RecordKind, role: ServerRole, answer: &DnsAnswer) -> &'static [RecordKind] {
    match (kind, role, answer) {
        (_, _, DnsAnswer::NoData(_)) => &[RecordKind::Cname, RecordKind::Txt, RecordKind::A],
        (RecordKind::Cname, ServerRole::Authoritative, DnsAnswer::Cname(_)) => &[RecordKind::Txt],
        _ => &[],
    }
}

/// Returns a server's answer to one query, and the TTL of the records in it.
pub(super) async fn query_record(
    client: &DnsClient,
    server: SocketAddr,
    role: ServerRole,
    name: &str,
    kind: RecordKind,
) -> (DnsAnswer, Option<u32>) {
    // A name that is too long for the DNS (a long one with the zone appended twice) cannot exist.
    let Ok(name) = Name::from_ascii(format!("{name}.")) else {
        return (DnsAnswer::NoName(None), None);
    };
    let recursion = match role {
        ServerRole::Resolver => RecursionDesired::Desired,
        ServerRole::Authoritative => RecursionDesired::No,
    };
    let query = DnsQuery {
        server,
        name,
        kind: record_type(kind),
        recursion,
        form: QueryForm::Plain,
    };
    let (answer, ttl) = send_query(client, &query, role).await;
    if answer != DnsAnswer::ServFail || role == ServerRole::Authoritative {
        return (answer, ttl);
    }
    // A validating resolver fails both if it gets no answer and if the answer is bogus; with
    // checking disabled (CD), it returns the bogus answer.
    let unchecked = DnsQuery {
        recursion: RecursionDesired::DesiredUnchecked,
        ..query
    };
    let (unchecked_answer, _) = send_query(client, &unchecked, role).await;
    if unchecked_answer.is_answer() {
        (DnsAnswer::Bogus, None)
    } else {
        (answer, None)
    }
}

pub(super) fn record_type(kind: RecordKind) -> RecordType {
    match kind {
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
        RecordKind::Cname => RecordType::CNAME,
        RecordKind::Mx => RecordType::MX,
        RecordKind::Txt => RecordType::TXT,
    }
}

async fn send_query(
    client: &DnsClient,
    query: &DnsQuery,
    role: ServerRole,
) -> (DnsAnswer, Option<u32>) {
    match client.query(query).await {
        Ok(message) => {
            let answer = read_answer(&message, &query.name, query.kind, role);
            (answer, shortest_ttl(&message))
        }
        Err(error) => (error.into(), None),
    }
}
