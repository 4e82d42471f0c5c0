//! DNS: asks servers for CNAMEs and texts without following aliases, finds a zone's own servers and what is around it (the
//! zone above, keys and signatures, CAA). Decides nothing: what came is handed back as values of `dcv`. An `Inquiry` goes in,
//! a `Survey` comes out; every question goes through `exchange::Client`, or `flight` where there are thousands alike.
//!
//! Each message goes over `hickory-proto`; sockets are ours, so that a closed port shows at once (connected UDP) and
//! garbage is waited out, which ready-made clients do not offer.

mod around;
mod ask;
mod batch;
mod caa;
mod delegation;
mod evidence;
mod exchange;
mod flight;
mod heard;
mod known;
mod looking;
mod many;
mod message;
mod resolvers;
mod way;
mod wire;
mod zone;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use self::ask::{gone, put};
use self::batch::in_order;
use self::exchange::Client;
pub use self::heard::{Lasting, glanced, heard};
pub use self::looking::{DnsError, Inquiry};
use self::looking::{SURVEY, surveys, until_signal};
pub use self::many::{Asker, Came, Depth, Heard, Job, survey_each};
pub use self::resolvers::{Resolvers, address, typed};
use super::signals::Interrupt;
use crate::dcv::answer::{Answer, RecordKind, Role, Survey};
use crate::dcv::caa::Found;

/// Asks all servers about all records at once.
///
/// # Errors
/// [`DnsError`]; what servers do is no error but an answer.
pub fn survey(inquiries: &[Inquiry], resolvers: &Resolvers, interrupt: &Interrupt) -> Result<Vec<Survey>, DnsError> {
    run(interrupt, |client| async move { surveys(&client, &Arc::default(), inquiries, resolvers).await })
}

/// What is at each name of the CAA climb of all `names` (wildcards stripped): for `dcv::caa::rule`.
///
/// # Errors
/// [`DnsError`]; what servers do is no error but a [`Found`].
pub fn caa(names: &[String], resolvers: &Resolvers, interrupt: &Interrupt) -> Result<HashMap<String, Found>, DnsError> {
    run(interrupt, |client| async move { caa::look_up(&client, names, resolvers).await })
}

/// What a resolver says to each question, in order: the first that answers.
///
/// # Errors
/// [`DnsError`]; what servers do is no error but an [`Answer`].
pub fn look_up(
    questions: &[(String, RecordKind)],
    resolvers: &Resolvers,
    interrupt: &Interrupt,
) -> Result<Vec<Answer>, DnsError> {
    run(interrupt, |client| async move {
        let mut tasks = JoinSet::new();
        for (index, (name, kind)) in questions.iter().cloned().enumerate() {
            let (client, addresses) = (Arc::clone(&client), resolvers.addresses.clone());
            tasks.spawn(async move {
                let mut answer = Answer::Timeout;
                for address in addresses {
                    (answer, _) = put(&client, address, Role::Resolver, &name, kind).await;
                    if !gone(&answer) {
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
    interrupt: &Interrupt,
    questions: impl FnOnce(Arc<Client>) -> F,
) -> Result<T, DnsError> {
    let client = Arc::new(Client::until(tokio::time::Instant::now() + SURVEY));
    until_signal(interrupt, questions(client))
}
