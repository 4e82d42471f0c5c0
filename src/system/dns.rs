//! DNS: asks servers for CNAMEs and texts without following aliases, finds a zone's own servers and
//! its surroundings (the zone above, keys and signatures, CAA). Decides nothing: answers are
//! returned as values of `dcv`. A [`RecordQuery`] goes in, a [`DnsSurvey`] comes out; every question
//! goes through `client::DnsClient`, or through `bulk_client::BulkClient` where there are thousands
//! of similar ones.
//!
//! Messages are parsed by `hickory-proto`; the sockets are our own, so that a closed port shows at
//! once (connected UDP) and garbage is ignored until the deadline, which ready-made clients do not
//! offer.

mod aliases;
mod ask_server;
mod batch;
mod bulk_client;
mod caa;
mod client;
mod congestion;
mod delegation;
mod dnssec;
mod fast_path;
mod fuzzing;
mod join;
mod message;
mod resolvers;
mod survey;
mod zone;
mod zone_cache;
mod zone_queue;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinSet;

use self::ask_server::{is_unresponsive, query_record};
pub(crate) use self::batch::{
    BatchAnswer, BatchHandler, BatchQuery, BatchSurvey, SurveyDepth, survey_each,
};
use self::client::DnsClient;
pub use self::fuzzing::{compare_fast_path, read_datagram};
use self::join::in_order;
pub(crate) use self::resolvers::{ResolverList, format_address, parse_address};
pub(crate) use self::survey::DnsError;
pub(crate) use self::survey::RecordQuery;
use self::survey::{SURVEY, surveys, until_signal};
use super::signals::InterruptSignal;
use crate::dcv::answer::{DnsAnswer, DnsSurvey, RecordKind, ServerRole};
use crate::dcv::caa::CaaLookup;

/// Asks all servers for all records concurrently.
///
/// # Errors
/// [`DnsError`]; what servers do is no error but an answer.
pub(crate) fn survey(
    inquiries: &[RecordQuery],
    resolvers: &ResolverList,
    interrupt: &InterruptSignal,
) -> Result<Vec<DnsSurvey>, DnsError> {
    run(interrupt, |client| async move {
        surveys(&client, &Arc::default(), inquiries, resolvers).await
    })
}

/// What is at each name of the CAA climb of all `names` (without wildcards): for `dcv::caa::rule`.
///
/// # Errors
/// [`DnsError`]; what servers do is no error but a [`CaaLookup`].
pub(crate) fn caa(
    names: &[String],
    resolvers: &ResolverList,
    interrupt: &InterruptSignal,
) -> Result<HashMap<String, CaaLookup>, DnsError> {
    run(interrupt, |client| async move {
        caa::look_up(&client, names, resolvers).await
    })
}

/// The answer to each question, in order, by the first resolver that responds.
///
/// # Errors
/// [`DnsError`]; what servers do is no error but an [`DnsAnswer`].
pub(crate) fn look_up(
    questions: &[(String, RecordKind)],
    resolvers: &ResolverList,
    interrupt: &InterruptSignal,
) -> Result<Vec<DnsAnswer>, DnsError> {
    run(interrupt, |client| async move {
        let mut tasks = JoinSet::new();
        for (index, (name, kind)) in questions.iter().cloned().enumerate() {
            let client = Arc::clone(&client);
            let addresses = resolvers.addresses.clone();
            tasks.spawn(async move {
                let answer = first_answer(&client, &addresses, &name, kind).await;
                (index, answer)
            });
        }
        in_order(tasks).await
    })
}

/// The answer of the first resolver that responds.
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

/// Runs queries until they are done, the time is over or a signal comes.
fn run<T, F: Future<Output = T>>(
    interrupt: &InterruptSignal,
    questions: impl FnOnce(Arc<DnsClient>) -> F,
) -> Result<T, DnsError> {
    let client = Arc::new(DnsClient::until(tokio::time::Instant::now() + SURVEY));
    until_signal(interrupt, questions(client))
}
