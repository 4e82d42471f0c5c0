//! What bytes that came from a server say, the way that everything goes which a socket receives; for fuzzing.

use std::net::{Ipv4Addr, SocketAddr};

use hickory_proto::op::{Message, Query as Question};
use hickory_proto::rr::Name;

use super::ask::record_type;
use super::caa;
use super::exchange::{Form, Query, Recursion, answer_to};
use super::message::read;
use crate::dcv::answer::{Answer, RecordKind, Role};
use crate::dcv::caa::Found;

/// What `bytes` say to the question for `kind` at `name` that was sent with `id`, and the CAA records in them; `None` where
/// they are no answer to it (RFC 5452), or `name` is none.
#[must_use]
pub fn heard(id: u16, name: &str, kind: RecordKind, role: Role, bytes: &[u8]) -> Option<(Answer, Found)> {
    let name = Name::from_ascii(format!("{name}.")).ok()?;
    let mut question = Message::query();
    question.metadata.id = id;
    question.add_query(Question::query(name.clone(), record_type(kind)));
    let message = answer_to(&question, bytes)?;
    let server = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 53);
    let query = Query { server, name, kind: record_type(kind), recursion: Recursion::No, form: Form::Plain };
    Some((read(&message, &query, role), caa::found(&message, &query.name)))
}
