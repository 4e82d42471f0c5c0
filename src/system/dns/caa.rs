//! The CAA records at every name of a climb, as a resolver finds them: it follows aliases, as RFC
//! 8659 3 wants it.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::task::JoinSet;

use super::message::{end_of_aliases, failure, name_text};
use super::resolvers::ResolverList;
use crate::dcv::answer::DnsAnswer;
use crate::dcv::caa::{CaaLookup, CaaRecord, climb};
use crate::system::dns::ask_server::is_unresponsive;
use crate::system::dns::client::{DnsClient, DnsQuery, QueryForm, RecursionDesired};
use crate::system::dns::join::in_order;

/// What is at each name of the climbs of `names`.
pub(super) async fn look_up(
    client: &Arc<DnsClient>,
    names: &[String],
    resolvers: &ResolverList,
) -> HashMap<String, CaaLookup> {
    let all: BTreeSet<String> = names.iter().flat_map(|name| climb(name)).collect();
    let mut tasks = JoinSet::new();
    for (index, name) in all.into_iter().enumerate() {
        let (client, resolvers) = (Arc::clone(client), resolvers.clone());
        tasks.spawn(async move {
            let found = first_that_answers(&client, &name, &resolvers).await;
            (index, (name, found))
        });
    }
    in_order(tasks).await.into_iter().collect()
}

async fn first_that_answers(client: &DnsClient, name: &str, resolvers: &ResolverList) -> CaaLookup {
    let mut found = CaaLookup::Failed(DnsAnswer::Timeout);
    for address in &resolvers.addresses {
        found = ask(client, *address, name).await;
        if !matches!(&found, CaaLookup::Failed(answer) if is_unresponsive(answer)) {
            break;
        }
    }
    found
}

async fn ask(client: &DnsClient, server: SocketAddr, name: &str) -> CaaLookup {
    let Ok(name) = Name::from_ascii(format!("{name}.")) else {
        return CaaLookup::None;
    };
    let query = DnsQuery {
        server,
        name,
        kind: RecordType::CAA,
        recursion: RecursionDesired::Desired,
        form: QueryForm::Plain,
    };
    let message = match client.ask(&query).await {
        Ok(message) => message,
        Err(none) => return CaaLookup::Failed(none.into()),
    };
    match message.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => found(&message, &query.name),
        ResponseCode::ServFail => {
            let unchecked = DnsQuery {
                recursion: RecursionDesired::DesiredUnchecked,
                ..query
            };
            let answered = client.ask(&unchecked).await.is_ok_and(|message| {
                matches!(
                    message.metadata.response_code,
                    ResponseCode::NoError | ResponseCode::NXDomain
                )
            });
            CaaLookup::Failed(if answered {
                DnsAnswer::Bogus
            } else {
                DnsAnswer::ServFail
            })
        }
        code => CaaLookup::Failed(failure(code)),
    }
}

pub(super) fn found(message: &Message, name: &Name) -> CaaLookup {
    let end = end_of_aliases(message, name);
    let records = message
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::CAA(caa) if record.name == *end => Some(CaaRecord {
                critical: caa.issuer_critical,
                tag: caa.tag.clone(),
                value: String::from_utf8_lossy(&caa.value).into_owned(),
                ttl: record.ttl,
            }),
            _ => None,
        });
    let records: Vec<CaaRecord> = records.collect();
    if records.is_empty() {
        return CaaLookup::None;
    }
    CaaLookup::Records((end != name).then(|| name_text(end)), records)
}
