//! Entry points for fuzzing: reads the answer in a datagram in the same way as from a socket.

use hickory_proto::op::{Message, Query as Question};
use hickory_proto::rr::Name;

use super::caa;
use super::message::{read_answer, shortest_ttl};
use crate::dcv::answer::{DnsAnswer, RecordKind, ServerRole};
use crate::dcv::caa::CaaLookup;
use crate::system::dns::client::answer_to;
use crate::system::dns::fast_path;
use crate::system::dns::server_queries::record_type;

/// Returns the answer in `bytes` to the question for `kind` at `name` that was sent with `id`, and
/// the CAA records in them; `None` if they do not answer it (RFC 5452), or `name` is not valid.
#[must_use]
pub fn read_datagram(
    id: u16,
    name: &str,
    kind: RecordKind,
    role: ServerRole,
    bytes: &[u8],
) -> Option<(DnsAnswer, CaaLookup)> {
    let name = Name::from_ascii(format!("{name}.")).ok()?;
    let mut question = Message::query();
    question.metadata.id = id;
    question.add_query(Question::query(name.clone(), record_type(kind)));
    let message = answer_to(&question, bytes)?;
    Some((
        read_answer(&message, &name, record_type(kind), role),
        caa::read_caa(&message, &name),
    ))
}

/// An answer, and for how many seconds it may be cached.
pub(crate) type CacheableAnswer = (DnsAnswer, u32);

/// Returns the target of an alias and its TTL as read by the fast path and by the full parser;
/// `None` if the fast path does not read the message. Both must be the same.
#[must_use]
pub fn compare_fast_path(
    id: u16,
    name: &str,
    bytes: &[u8],
) -> Option<(CacheableAnswer, Option<CacheableAnswer>)> {
    let question = fast_path::write_question(id, name, RecordKind::Cname)?;
    let (target, seconds) = fast_path::read_alias(question.len(), bytes)
        .filter(|_| fast_path::is_answer_to(&question, bytes))?;
    let whole = Message::from_vec(bytes).ok().and_then(|message| {
        let (answer, _) = read_datagram(id, name, RecordKind::Cname, ServerRole::Resolver, bytes)?;
        Some((answer, shortest_ttl(&message)?))
    });
    Some(((DnsAnswer::Cname(target), seconds), whole))
}
