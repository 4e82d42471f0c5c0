//! One server after the other is asked for a record: its own name first, then the others and what
//! stands beside it.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::rr::{Name, RecordType};
use tokio::task::JoinSet;

use super::message::{read, ttl};
use crate::dcv::answer::{Answer, Asked, RecordKind, Role, Said, Server};
use crate::system::dns::client::{Client, Form, Query, Recursion};
use crate::system::dns::join::in_order;

/// True when asking the same server again is of no use.
pub(super) fn gone(answer: &Answer) -> bool {
    matches!(answer, Answer::Timeout | Answer::Closed | Answer::NoRoute)
}

pub(super) async fn ask_servers(
    client: &Arc<Client>,
    servers: Vec<Server>,
    kind: RecordKind,
    names: Vec<String>,
) -> Vec<Said> {
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
    client: &Arc<Client>,
    server: Server,
    kind: RecordKind,
    names: Vec<String>,
) -> Said {
    let mut names = names.into_iter();
    let mut answers = Vec::new();
    let Some(first) = names.next() else {
        return Said { server, answers };
    };
    let Some(address) = server.address else {
        answers.push(Asked {
            name: first,
            kind,
            answer: Answer::NoAddress,
            ttl: None,
        });
        return Said { server, answers };
    };
    let role = server.role;
    let (answer, ttl) = put(client, address, role, &first, kind).await;
    let silent = gone(&answer);
    let beside: Vec<RecordKind> = beside(kind, role, &answer)
        .iter()
        .copied()
        .filter(|other| *other != kind)
        .collect();
    answers.push(Asked {
        name: first.clone(),
        kind,
        answer,
        ttl,
    });
    if silent {
        return Said { server, answers };
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
                Asked {
                    name,
                    kind,
                    answer,
                    ttl,
                },
            )
        });
    }
    answers.extend(in_order(tasks).await);
    Said { server, answers }
}

/// What else to ask for at the record's own name: what stands there in its place, and what stands
/// beside a CNAME. A resolver would follow the CNAME, so only the zone's own servers are asked what
/// is beside it.
fn beside(kind: RecordKind, role: Role, answer: &Answer) -> &'static [RecordKind] {
    match (kind, role, answer) {
        (_, _, Answer::NoData(_)) => &[RecordKind::Cname, RecordKind::Txt, RecordKind::A],
        (RecordKind::Cname, Role::Authoritative, Answer::Cname(_)) => &[RecordKind::Txt],
        _ => &[],
    }
}

/// The answer, and for how long it may be remembered where it is there.
pub(super) async fn put(
    client: &Client,
    server: SocketAddr,
    role: Role,
    name: &str,
    kind: RecordKind,
) -> (Answer, Option<u32>) {
    // A name too long for the DNS (the doubled zone of a long one) cannot be there.
    let Ok(name) = Name::from_ascii(format!("{name}.")) else {
        return (Answer::NoName(None), None);
    };
    let recursion = match role {
        Role::Resolver => Recursion::Desired,
        Role::Authoritative => Recursion::No,
    };
    let query = Query {
        server,
        name,
        kind: record_type(kind),
        recursion,
        form: Form::Plain,
    };
    let (answer, ttl) = answer(client, &query, role).await;
    if answer != Answer::ServFail || role == Role::Authoritative {
        return (answer, ttl);
    }
    // A validating resolver fails both on what it cannot get and on what it will not believe; the
    // latter it hands out to those who do not want it checked.
    let unchecked = Query {
        recursion: Recursion::DesiredUnchecked,
        ..query
    };
    let (unchecked, _) = self::answer(client, &unchecked, role).await;
    (
        if unchecked.is_answer() {
            Answer::Bogus
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

async fn answer(client: &Client, query: &Query, role: Role) -> (Answer, Option<u32>) {
    match client.ask(query).await {
        Ok(message) => (read(&message, query, role), ttl(&message)),
        Err(none) => (none.into(), None),
    }
}
