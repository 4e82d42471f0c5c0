//! DNS: queries CNAME and TXT records without following aliases, and finds a zone's own servers,
//! the zone above, keys and signatures, and CAA records. Answers are returned as values of `dcv`,
//! without a verdict. A [`RecordQuery`] goes in, a [`DnsSurvey`] comes out. Every query goes
//! through `client::DnsClient`, through `bulk_client::BulkClient` if there are thousands of similar
//! ones, or through `lookup::PlainResolver` if only the answer counts and not which server gave it.
//!
//! Messages are parsed by `hickory-proto`; the sockets are our own, so that a closed port is
//! noticed at once (connected UDP) and invalid datagrams are ignored until the deadline, which
//! existing clients do not offer.

mod aliases;
mod batch;
mod bulk_client;
mod caa;
mod client;
mod congestion;
mod connected_socket;
mod delegation;
mod dnssec;
mod fast_path;
mod fuzzing;
mod join;
mod location;
mod lookup;
mod message;
mod resolvers;
mod server_queries;
mod survey;
mod update;
mod zone;
mod zone_cache;
mod zone_queue;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinSet;

pub(crate) use self::aliases::ALIAS_LIMIT;
pub(crate) use self::batch::{
    BatchDecision, BatchHandler, BatchQuery, BatchSurvey, SurveyDepth, survey_each,
};
use self::client::DnsClient;
pub use self::fuzzing::{compare_fast_path, read_datagram};
use self::join::in_order;
pub(crate) use self::location::{DelegationRule, LocationError};
use self::lookup::PlainResolver;
pub(crate) use self::resolvers::{ResolverList, format_address, parse_address};
use self::server_queries::{is_unresponsive, query_record};
pub(crate) use self::survey::DnsError;
pub(crate) use self::survey::RecordQuery;
use self::survey::{SURVEY, surveys, until_signal};
pub(crate) use self::update::{UpdateError, UpdateServer, ZoneUpdate, query_signed, send_update};
pub(crate) use self::zone::{NAME_SERVER_LIMIT, SERVER_ADDRESS_LIMIT};
use super::signals::InterruptSignal;
use crate::dcv::answer::{
    DnsAnswer, DnsServerId, DnsSurvey, RecordKind, ServerAnswers, ServerRole,
};
use crate::dcv::caa::CaaAnswers;
use crate::pki::tlsa::TlsaRecord;
use crate::publishing::zone_record::RecordLocation;

/// Queries all servers for all records concurrently.
///
/// # Errors
/// See [`DnsError`]; failures of servers are not errors but answers.
pub(crate) fn survey(
    record_queries: &[RecordQuery],
    resolvers: &ResolverList,
    interrupt: &InterruptSignal,
) -> Result<Vec<DnsSurvey>, DnsError> {
    run(interrupt, |client| async move {
        surveys(&client, &Arc::default(), record_queries, resolvers).await
    })
}

/// Queries the CAA records at each name of the tree climb (RFC 8659 section 3) of all `names`
/// (without wildcards), for `dcv::caa::rule`.
///
/// # Errors
/// See [`DnsError`]; failures of servers are not errors but a `CaaLookup`.
pub(crate) fn caa(
    names: &[String],
    resolvers: &ResolverList,
    interrupt: &InterruptSignal,
) -> Result<HashMap<String, CaaAnswers>, DnsError> {
    run(interrupt, |client| async move {
        caa::look_up(&client, &Arc::default(), names, resolvers).await
    })
}

/// Returns the answer to each question, in order, from the first resolver that gives one. If none does,
/// the questions are asked again in a way that shows the reason.
///
/// # Errors
/// See [`DnsError`]; failures of servers are not errors but a [`DnsAnswer`].
pub(crate) fn look_up(
    questions: &[(String, RecordKind)],
    resolvers: &ResolverList,
    interrupt: &InterruptSignal,
) -> Result<Vec<DnsAnswer>, DnsError> {
    run(interrupt, |client| async move {
        let resolver = Arc::new(PlainResolver::new(resolvers).map_err(DnsError::Start)?);
        let mut tasks = JoinSet::new();
        for (index, (name, kind)) in questions.iter().cloned().enumerate() {
            let client = Arc::clone(&client);
            let resolver = Arc::clone(&resolver);
            let addresses = resolvers.addresses.clone();
            tasks.spawn(async move {
                let answer = match resolver.look_up(&name, kind).await {
                    Some(answer) => answer,
                    None => first_answer(&client, &addresses, &name, kind).await,
                };
                (index, answer)
            });
        }
        Ok(in_order(tasks).await)
    })?
}

/// Returns the TLSA records at each name, in order; none where no resolver gives an answer.
///
/// # Errors
/// See [`DnsError`].
pub(crate) fn look_up_tlsa(
    names: &[String],
    resolvers: &ResolverList,
    interrupt: &InterruptSignal,
) -> Result<Vec<Vec<TlsaRecord>>, DnsError> {
    run(interrupt, |_| async move {
        let resolver = Arc::new(PlainResolver::new(resolvers).map_err(DnsError::Start)?);
        let mut tasks = JoinSet::new();
        for (index, name) in names.iter().cloned().enumerate() {
            let resolver = Arc::clone(&resolver);
            tasks.spawn(async move { (index, resolver.look_up_tlsa(&name).await) });
        }
        Ok(in_order(tasks).await)
    })?
}

/// Returns the answer of the first resolver that responds.
async fn first_answer(
    client: &DnsClient,
    resolvers: &[SocketAddr],
    name: &str,
    kind: RecordKind,
) -> DnsAnswer {
    let mut answer = DnsAnswer::Timeout;
    for address in resolvers {
        (answer, _) = query_record(client, *address, ServerRole::Resolver, name, kind).await;
        if !is_unresponsive(&answer) {
            break;
        }
    }
    answer
}

/// Runs queries until they are done, the deadline is reached or a signal arrives.
fn run<T, F: Future<Output = T>>(
    interrupt: &InterruptSignal,
    questions: impl FnOnce(Arc<DnsClient>) -> F,
) -> Result<T, DnsError> {
    let client = Arc::new(DnsClient::until(tokio::time::Instant::now() + SURVEY));
    until_signal(interrupt, questions(client))
}

/// Returns where the record `name` is published.
///
/// # Errors
/// See [`LocationError`].
pub(crate) fn locate_record(
    name: &str,
    rule: DelegationRule,
    resolvers: &ResolverList,
    interrupt: &InterruptSignal,
) -> Result<RecordLocation, LocationError> {
    run(interrupt, |client| async move {
        location::locate_record(&client, name, rule, resolvers).await
    })?
}

/// Returns the answers of the zone's own servers to each question, at each address; of the given
/// resolver if no other server is to be queried.
///
/// # Errors
/// When no server answers.
pub(crate) fn query_zone_servers(
    at: &RecordLocation,
    questions: &[(String, RecordKind)],
    resolvers: &ResolverList,
    interrupt: &InterruptSignal,
) -> Result<Vec<DnsAnswer>, LocationError> {
    run(interrupt, |client| async move {
        location::query_zone_servers(&client, at, questions, resolvers).await
    })?
}

/// Queries each server for a record several times, one query after the other: each gives an answer of
/// its own. Behind one address there may be several servers that do not agree.
///
/// # Errors
/// See [`DnsError`]; failures of servers are not errors but a [`DnsAnswer`].
pub(crate) fn query_repeatedly(
    servers: &[DnsServerId],
    name: &str,
    kind: RecordKind,
    interrupt: &InterruptSignal,
) -> Result<Vec<ServerAnswers>, DnsError> {
    run(interrupt, |client| async move {
        let mut tasks = JoinSet::new();
        for (index, server) in servers.iter().cloned().enumerate() {
            let client = Arc::clone(&client);
            let name = name.to_owned();
            tasks.spawn(async move {
                let answers = server_queries::repeat_query(&client, &server, &name, kind).await;
                (index, answers)
            });
        }
        in_order(tasks).await.concat()
    })
}
