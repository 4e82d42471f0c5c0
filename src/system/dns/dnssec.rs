//! Keys and signatures for `dcv::dnssec`: from each of the zone's own servers, for a cache may have
//! others.

use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, Record, RecordType};
use tokio::task::JoinSet;

use super::delegation::ExploredZone;
use crate::dcv::answer::RecordKind;
use crate::dcv::dnssec::{DnssecEvidence, ZoneCut};
use crate::system::dns::ask_server::record_type;
use crate::system::dns::client::{DnsClient, DnsQuery, QueryForm, RecursionDesired};
use crate::system::dns::join::in_order;

/// What there is to judge by; keys and signatures are asked for only where there is a DS record all
/// the way down.
pub(super) async fn gather(
    client: &Arc<DnsClient>,
    explored: Option<&ExploredZone>,
    question: &(String, RecordKind),
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
    // The top level is its registry's matter.
    let middle = above.get_mut(1..).unwrap_or_default();
    let name = Name::from_ascii(format!("{}.", question.0)).unwrap_or_default();
    let (_, own) = tokio::join!(
        keys_by_guide(client, explored.guide, middle),
        own(client, explored, &last.zone, &name, question.1)
    );
    for (server, keys, answer) in own {
        evidence
            .answers
            .extend(answer.map(|answer| (server.clone(), name.clone(), answer)));
        last.keys.push((server, keys));
    }
    evidence
}

/// The keys of the owner's zones above the last one.
async fn keys_by_guide(client: &DnsClient, guide: SocketAddr, cuts: &mut [ZoneCut]) {
    for cut in cuts {
        let query = DnsQuery {
            server: guide,
            name: cut.zone.clone(),
            kind: RecordType::DNSKEY,
            recursion: RecursionDesired::DesiredUnchecked,
            form: QueryForm::Signed,
        };
        let keys = client
            .ask(&query)
            .await
            .ok()
            .filter(is_answer)
            .map(|message| message.answers.clone());
        cut.keys.push((format!("resolver {}", guide.ip()), keys));
    }
}

/// Each server's name, its keys and its answer to the question, both with signatures.
async fn own(
    client: &Arc<DnsClient>,
    explored: &ExploredZone,
    zone: &Name,
    name: &Name,
    kind: RecordKind,
) -> Vec<(String, Option<Vec<Record>>, Option<Vec<Record>>)> {
    let mut tasks = JoinSet::new();
    for (index, server) in explored.own.servers.iter().enumerate() {
        let Some(address) = server.address else {
            continue;
        };
        let (client, shown, zone, name) = (
            Arc::clone(client),
            server.to_string(),
            zone.clone(),
            name.clone(),
        );
        tasks.spawn(async move {
            let (keys, answer) = tokio::join!(
                records(&client, address, zone, RecordType::DNSKEY),
                records(&client, address, name, record_type(kind))
            );
            (index, (shown, keys, answer))
        });
    }
    in_order(tasks).await
}

/// The records of an answer with authority; those that prove that there is nothing included.
async fn records(
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
        .ask(&query)
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

/// A server that fails says nothing of what is there.
fn is_answer(message: &Message) -> bool {
    matches!(
        message.metadata.response_code,
        ResponseCode::NoError | ResponseCode::NXDomain
    )
}
