//! One server after the other is asked for a record: its own name first, then the others and what
//! stands beside it.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::rr::{Name, RecordType};
use tokio::task::JoinSet;

use super::message::{read, ttl};
use crate::dcv::answer::{
    AnsweredQuery, DnsAnswer, DnsServerId, RecordKind, ServerAnswers, ServerRole,
};
use crate::system::dns::client::{DnsClient, DnsQuery, QueryForm, RecursionDesired};
use crate::system::dns::join::in_order;

/// True when asking the same server again is of no use.
pub(super) fn gone(answer: &DnsAnswer) -> bool {
    matches!(
        answer,
        DnsAnswer::Timeout | DnsAnswer::Closed | DnsAnswer::NoRoute
    )
}

pub(super) async fn ask_servers(
    client: &Arc<DnsClient>,
    servers: Vec<DnsServerId>,
    kind: RecordKind,
    names: Vec<String>,
) -> Vec<ServerAnswers> {
    let mut tasks = JoinSet::new();
    for (index, server) in servers.into_iter().enumerate() {
        let (client, names) = (Arc::clone(client), names.clone());
        tasks.spawn(async move { (index, ask_server(&client, server, kind, names).await) });
    }
    in_order(tasks).await
}

/// Asks one server for the first name, and if it is there at all, at once for the others and for
/// what else may stand at the first.
async fn ask_server(
    client: &Arc<DnsClient>,
    server: DnsServerId,
    kind: RecordKind,
    names: Vec<String>,
) -> ServerAnswers {
    let mut names = names.into_iter();
    let mut answers = Vec::new();
    let Some(first) = names.next() else {
        return ServerAnswers { server, answers };
    };
    let Some(address) = server.address else {
        answers.push(AnsweredQuery {
            name: first,
            kind,
            answer: DnsAnswer::NoAddress,
            ttl: None,
        });
        return ServerAnswers { server, answers };
    };
    let role = server.role;
    let (answer, ttl) = put(client, address, role, &first, kind).await;
    let silent = gone(&answer);
    let beside: Vec<RecordKind> = beside(kind, role, &answer)
        .iter()
        .copied()
        .filter(|other| *other != kind)
        .collect();
    answers.push(AnsweredQuery {
        name: first.clone(),
        kind,
        answer,
        ttl,
    });
    if silent {
        return ServerAnswers { server, answers };
    }
    let questions = names
        .map(|name| (name, kind))
        .chain(beside.into_iter().map(|kind| (first.clone(), kind)));
    let mut tasks = JoinSet::new();
    for (index, (name, kind)) in questions.enumerate() {
        let client = Arc::clone(client);
        tasks.spawn(async move {
            let (answer, ttl) = put(&client, address, role, &name, kind).await;
            (
                index,
                AnsweredQuery {
                    name,
                    kind,
                    answer,
                    ttl,
                },
            )
        });
    }
    answers.extend(in_order(tasks).await);
    ServerAnswers { server, answers }
}

/// What else to ask for at the record's own name: what stands there in its place, and what stands
/// beside a CNAME. A resolver would follow the CNAME, so only the zone's own servers are asked what
/// is beside it.
fn beside(kind: RecordKind, role: ServerRole, answer: &DnsAnswer) -> &'static [RecordKind] {
    match (kind, role, answer) {
        (_, _, DnsAnswer::NoData(_)) => &[RecordKind::Cname, RecordKind::Txt, RecordKind::A],
        (RecordKind::Cname, ServerRole::Authoritative, DnsAnswer::Cname(_)) => &[RecordKind::Txt],
        _ => &[],
    }
}

/// The answer, and for how long it may be remembered where it is there.
pub(super) async fn put(
    client: &DnsClient,
    server: SocketAddr,
    role: ServerRole,
    name: &str,
    kind: RecordKind,
) -> (DnsAnswer, Option<u32>) {
    // A name too long for the DNS (the doubled zone of a long one) cannot be there.
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
    let (answer, ttl) = answer(client, &query, role).await;
    if answer != DnsAnswer::ServFail || role == ServerRole::Authoritative {
        return (answer, ttl);
    }
    // A validating resolver fails both on what it cannot get and on what it will not believe; the
    // latter it hands out to those who do not want it checked.
    let unchecked = DnsQuery {
        recursion: RecursionDesired::DesiredUnchecked,
        ..query
    };
    let (unchecked, _) = self::answer(client, &unchecked, role).await;
    (
        if unchecked.is_answer() {
            DnsAnswer::Bogus
        } else {
            answer
        },
        None,
    )
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

async fn answer(
    client: &DnsClient,
    query: &DnsQuery,
    role: ServerRole,
) -> (DnsAnswer, Option<u32>) {
    match client.ask(query).await {
        Ok(message) => (read(&message, query, role), ttl(&message)),
        Err(none) => (none.into(), None),
    }
}
