//! What a message says: a CNAME, an absence, or a response code that is no answer.

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData};

use super::exchange::NoAnswer;
use crate::dcv::answer::{Answer, Role};

/// What a message says about the CNAME at `name`.
pub(super) fn read(message: &Message, name: &Name, role: Role) -> Answer {
    let code = message.metadata.response_code;
    let denied = matches!(code, ResponseCode::NoError | ResponseCode::NXDomain);
    if denied && role == Role::Authoritative && !message.metadata.authoritative {
        return Answer::Lame;
    }
    let mut targets = message.answers.iter().filter_map(|record| match &record.data {
        RData::CNAME(target) if record.name == *name => Some(text(&target.0)),
        _ => None,
    });
    let target = targets.next();
    if targets.next().is_some() {
        return Answer::Failed("more than one CNAME at one name".to_owned());
    }
    match (code, target) {
        (ResponseCode::NoError | ResponseCode::NXDomain, Some(target)) => Answer::Cname(target),
        (ResponseCode::NXDomain, None) => Answer::NoName(remembered(message)),
        (ResponseCode::NoError, None) => Answer::NoData(remembered(message)),
        _ => failed(code),
    }
}

/// A response code that is no answer.
pub(super) fn failed(code: ResponseCode) -> Answer {
    match code {
        ResponseCode::Refused => Answer::Refused,
        ResponseCode::ServFail => Answer::ServFail,
        other => Answer::Failed(other.to_string()),
    }
}

/// RFC 2308 5: an absence may be remembered for the lesser of the SOA's TTL and its minimum.
fn remembered(message: &Message) -> Option<u32> {
    message.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
        _ => None,
    })
}

/// A name as text: lower case is left as it came, odd octets escaped, no final dot.
pub(super) fn text(name: &Name) -> String {
    let ascii = name.to_ascii();
    ascii.strip_suffix('.').map_or_else(|| ascii.clone(), str::to_owned)
}

impl From<NoAnswer> for Answer {
    fn from(none: NoAnswer) -> Self {
        match none {
            NoAnswer::Closed => Self::Closed,
            NoAnswer::NoRoute => Self::NoRoute,
            NoAnswer::NoTcp => Self::Failed("truncated, and nothing by TCP".to_owned()),
            NoAnswer::Other(reason) => Self::Failed(reason),
            NoAnswer::Timeout => Self::Timeout,
        }
    }
}
