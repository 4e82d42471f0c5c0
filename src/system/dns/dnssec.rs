//! Queries keys and signatures for `dcv::dnssec` from each of the zone's own servers, because
//! caches may have older ones.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, Record, RecordType};
use tokio::task::JoinSet;

use super::delegation::ExploredZone;
use crate::dcv::answer::RecordKind;
use crate::dcv::dnssec::{DnssecEvidence, ServerKeys, SignedAnswer, ZoneCut};
use crate::system::dns::client::{DnsClient, DnsQuery, QueryForm, RecursionDesired};
use crate::system::dns::join::in_order;
use crate::system::dns::server_queries::{RecordQuestion, record_type};

/// Queries keys and signatures for the record, if every zone down to this one has a DS record.
pub(super) async fn gather(
    client: &Arc<DnsClient>,
    explored: Option<&ExploredZone>,
    question: &RecordQuestion,
) -> DnssecEvidence {
    let Some(explored) = explored else {
        return DnssecEvidence::default();
    };
    let mut evidence = DnssecEvidence {
        cuts: explored.cuts.clone(),
        answers: Vec::new(),
    };
    let signed = evidence
        .cuts
        .iter()
        .all(|cut| cut.ds.as_ref().is_some_and(|ds| !ds.is_empty()));
    let Some((last, above)) = evidence.cuts.split_last_mut().filter(|_| signed) else {
        return evidence;
    };
    // The registry is responsible for the top level.
    let middle = above.get_mut(1..).unwrap_or_default();
    let name = Name::from_ascii(format!("{}.", question.name)).unwrap_or_default();
    let ((), own) = tokio::join!(
        query_keys_above(client, explored.main_resolver, middle),
        query_zone_servers(client, explored, &last.zone, &name, question.kind)
    );
    for ServerRecords {
        server,
        keys,
        answer,
    } in own
    {
        if let Some(records) = answer {
            evidence.answers.push(SignedAnswer {
                server: server.clone(),
                name: name.clone(),
                records,
            });
        }
        last.keys.push(ServerKeys {
            server,
            records: keys,
        });
    }
    evidence
}

/// The keys and the answer of one of the zone's own servers, both with signatures; `None` if it did
/// not return them.
struct ServerRecords {
    server: String,
    keys: Option<Vec<Record>>,
    answer: Option<Vec<Record>>,
}

/// Queries the resolver for the keys of the owner's zones above the last one.
async fn query_keys_above(client: &DnsClient, main_resolver: SocketAddr, cuts: &mut [ZoneCut]) {
    for cut in cuts {
        let query = DnsQuery {
            server: main_resolver,
            name: cut.zone.clone(),
            kind: RecordType::DNSKEY,
            recursion: RecursionDesired::DesiredUnchecked,
            form: QueryForm::Signed,
        };
        let keys = client
            .query(&query)
            .await
            .ok()
            .filter(is_answer)
            .map(|message| message.answers.clone());
        cut.keys.push(ServerKeys {
            server: format!("resolver {}", main_resolver.ip()),
            records: keys,
        });
    }
}

/// Queries each of the zone's own servers for its keys and for the record.
async fn query_zone_servers(
    client: &Arc<DnsClient>,
    explored: &ExploredZone,
    zone: &Name,
    name: &Name,
    kind: RecordKind,
) -> Vec<ServerRecords> {
    let mut tasks = JoinSet::new();
    for (index, server) in explored.own.servers.iter().enumerate() {
        let Some(address) = server.address else {
            continue;
        };
        let client = Arc::clone(client);
        let server = server.to_string();
        let zone = zone.clone();
        let name = name.clone();
        tasks.spawn(async move {
            let (keys, answer) = tokio::join!(
                query_records(&client, address, zone, RecordType::DNSKEY),
                query_records(&client, address, name, record_type(kind))
            );
            let records = ServerRecords {
                server,
                keys,
                answer,
            };
            (index, records)
        });
    }
    in_order(tasks).await
}

/// Returns the records of an authoritative answer, including those that prove that a name or type
/// does not exist.
async fn query_records(
    client: &DnsClient,
    server: SocketAddr,
    name: Name,
    kind: RecordType,
) -> Option<Vec<Record>> {
    let query = DnsQuery {
        server,
        name,
        kind,
        recursion: RecursionDesired::No,
        form: QueryForm::Signed,
    };
    let message = client
        .query(&query)
        .await
        .ok()
        .filter(is_answer)
        .filter(|message| message.metadata.authoritative)?;
    Some(
        message
            .answers
            .iter()
            .chain(&message.authorities)
            .cloned()
            .collect(),
    )
}

/// Returns whether the message shows that records exist or that they do not; a failure shows
/// neither.
fn is_answer(message: &Message) -> bool {
    matches!(
        message.metadata.response_code,
        ResponseCode::NoError | ResponseCode::NXDomain
    )
}
