//! DNS: asks servers for CNAMEs and texts without following aliases, finds a zone's own servers and
//! what is around it (the zone above, keys and signatures, CAA). Decides nothing: what came is
//! handed back as values of `dcv`. An `Inquiry` goes in, a
//! `Survey` comes out; every question goes through `client::Client`, or `flight` where there are
//! thousands alike.
//!
//! Each message goes over `hickory-proto`; sockets are ours, so that a closed port shows at once
//! (connected UDP) and garbage is waited out, which ready-made clients do not offer.

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
use std::sync::Arc;

use tokio::task::JoinSet;

use self::ask_server::{is_unresponsive, query_record};
pub(crate) use self::batch::{
    BatchAnswer, BatchHandler, BatchQuery, BatchSurvey, SurveyDepth, survey_each,
};
use self::client::DnsClient;
pub use self::fuzzing::{glanced, heard};
use self::join::in_order;
pub(crate) use self::resolvers::{ResolverList, address, typed};
pub(crate) use self::survey::DnsError;
pub(crate) use self::survey::RecordQuery;
use self::survey::{SURVEY, surveys, until_signal};
use super::signals::InterruptSignal;
use crate::dcv::answer::{DnsAnswer, DnsSurvey, RecordKind, ServerRole};
use crate::dcv::caa::CaaLookup;

/// Asks all servers about all records at once.
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

/// What is at each name of the CAA climb of all `names` (wildcards stripped): for `dcv::caa::rule`.
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

/// What a resolver says to each question, in order: the first that answers.
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
            let (client, addresses) = (Arc::clone(&client), resolvers.addresses.clone());
            tasks.spawn(async move {
                let mut answer = DnsAnswer::Timeout;
                for address in addresses {
                    (answer, _) =
                        query_record(&client, address, ServerRole::Resolver, &name, kind).await;
                    if !is_unresponsive(&answer) {
                        break;
                    }
                }
                (index, answer)
            });
        }
        in_order(tasks).await
    })
}

/// Runs questions until they are answered, the time is over or a signal comes.
fn run<T, F: Future<Output = T>>(
    interrupt: &InterruptSignal,
    questions: impl FnOnce(Arc<DnsClient>) -> F,
) -> Result<T, DnsError> {
    let client = Arc::new(DnsClient::until(tokio::time::Instant::now() + SURVEY));
    until_signal(interrupt, questions(client))
}
