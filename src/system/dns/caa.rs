//! Queries the CAA records at every name of a tree climb from a resolver, which follows aliases as
//! RFC 8659 section 3 requires.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::task::JoinSet;

use super::message::{end_of_aliases, failure, name_text};
use super::resolvers::ResolverList;
use crate::dcv::answer::DnsAnswer;
use crate::dcv::caa::{CaaLookup, CaaRecord, climb_names};
use crate::system::dns::client::{DnsClient, DnsQuery, QueryForm, RecursionDesired};
use crate::system::dns::join::in_order;
use crate::system::dns::server_queries::is_unresponsive;

/// Returns the result at each name of the tree climbs of `names`.
pub(super) async fn look_up(
    client: &Arc<DnsClient>,
    names: &[String],
    resolvers: &ResolverList,
) -> HashMap<String, CaaLookup> {
    let all: BTreeSet<String> = names.iter().flat_map(|name| climb_names(name)).collect();
    let mut tasks = JoinSet::new();
    for (index, name) in all.into_iter().enumerate() {
        let client = Arc::clone(client);
        let resolvers = resolvers.clone();
        tasks.spawn(async move {
            let found = ask_first_responsive(&client, &name, &resolvers).await;
            (index, (name, found))
        });
    }
    in_order(tasks).await.into_iter().collect()
}

async fn ask_first_responsive(
    client: &DnsClient,
    name: &str,
    resolvers: &ResolverList,
) -> CaaLookup {
    let mut found = CaaLookup::Failed(DnsAnswer::Timeout);
    for address in &resolvers.addresses {
        found = query_caa(client, *address, name).await;
        if !matches!(&found, CaaLookup::Failed(answer) if is_unresponsive(answer)) {
            break;
        }
    }
    found
}

async fn query_caa(client: &DnsClient, server: SocketAddr, name: &str) -> CaaLookup {
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
    let message = match client.query(&query).await {
        Ok(message) => message,
        Err(error) => return CaaLookup::Failed(error.into()),
    };
    match message.metadata.response_code {
        ResponseCode::NoError | ResponseCode::NXDomain => read_caa(&message, &query.name),
        ResponseCode::ServFail => CaaLookup::Failed(explain_servfail(client, query).await),
        code => CaaLookup::Failed(failure(code)),
    }
}

/// Returns whether the resolver failed because the answer is bogus: then it answers a query with
/// checking disabled (CD).
async fn explain_servfail(client: &DnsClient, query: DnsQuery) -> DnsAnswer {
    let unchecked = DnsQuery {
        recursion: RecursionDesired::DesiredUnchecked,
        ..query
    };
    let is_answered = client.query(&unchecked).await.is_ok_and(|message| {
        matches!(
            message.metadata.response_code,
            ResponseCode::NoError | ResponseCode::NXDomain
        )
    });
    if is_answered {
        DnsAnswer::Bogus
    } else {
        DnsAnswer::ServFail
    }
}

pub(super) fn read_caa(message: &Message, name: &Name) -> CaaLookup {
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
