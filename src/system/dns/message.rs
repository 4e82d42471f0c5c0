//! What a message says: what was asked for, an absence, or a response code that is no answer.

use std::net::IpAddr;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

use crate::dcv::answer::{DnsAnswer, ServerRole};
use crate::system::dns::client::{DnsQuery, QueryError};

/// What a message says to `query`. A text or an address that stands behind an alias is at its own
/// name, as the CA sees it; where there is only the alias, that is the answer.
pub(super) fn read(message: &Message, query: &DnsQuery, role: ServerRole) -> DnsAnswer {
    let code = message.metadata.response_code;
    let denied = matches!(code, ResponseCode::NoError | ResponseCode::NXDomain);
    if denied && role == ServerRole::Authoritative && !message.metadata.authoritative {
        return DnsAnswer::Lame;
    }
    let end = end_of_aliases(message, &query.name);
    let found = match query.kind {
        RecordType::TXT => texts(message, end),
        RecordType::A | RecordType::AAAA => addresses(message, end),
        RecordType::MX => exchangers(message, end),
        _ => None,
    };
    let mut targets = message
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::CNAME(target) if record.name == query.name => Some(text(&target.0)),
            _ => None,
        });
    let target = targets.next();
    if targets.next().is_some() {
        return DnsAnswer::Failed("more than one CNAME at one name".to_owned());
    }
    match (code, found.or_else(|| target.map(DnsAnswer::Cname))) {
        (ResponseCode::NoError | ResponseCode::NXDomain, Some(answer)) => answer,
        (ResponseCode::NXDomain, None) => DnsAnswer::NoName(remembered(message)),
        (ResponseCode::NoError, None) => DnsAnswer::NoData(remembered(message)),
        _ => failed(code),
    }
}

/// The name that `name` leads to by the aliases in a message; no further than any resolver goes.
pub(super) fn end_of_aliases<'a>(message: &'a Message, name: &'a Name) -> &'a Name {
    const MOST: usize = 12;
    let next = |name: &Name| {
        message
            .answers
            .iter()
            .find_map(|record| match &record.data {
                RData::CNAME(target) if record.name == *name => Some(&target.0),
                _ => None,
            })
    };
    (0..MOST)
        .try_fold(name, |name, _| next(name).ok_or(name))
        .unwrap_or_else(|end| end)
}

fn texts(message: &Message, name: &Name) -> Option<DnsAnswer> {
    let texts = message
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::TXT(text) if record.name == *name => {
                Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned())
            }
            _ => None,
        });
    let texts: Vec<String> = texts.collect();
    (!texts.is_empty()).then_some(DnsAnswer::Txt(texts))
}

fn addresses(message: &Message, name: &Name) -> Option<DnsAnswer> {
    let addresses = message
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::A(address) if record.name == *name => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) if record.name == *name => Some(IpAddr::V6(address.0)),
            _ => None,
        });
    let addresses: Vec<IpAddr> = addresses.collect();
    (!addresses.is_empty()).then_some(DnsAnswer::Addresses(addresses))
}

fn exchangers(message: &Message, name: &Name) -> Option<DnsAnswer> {
    let exchangers = message
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::MX(mx) if record.name == *name => Some((mx.preference, text(&mx.exchange))),
            _ => None,
        });
    let mut exchangers: Vec<(u16, String)> = exchangers.collect();
    exchangers.sort();
    (!exchangers.is_empty())
        .then(|| DnsAnswer::Mx(exchangers.into_iter().map(|(_, name)| name).collect()))
}

/// A response code that is no answer.
pub(super) fn failed(code: ResponseCode) -> DnsAnswer {
    match code {
        ResponseCode::Refused => DnsAnswer::Refused,
        ResponseCode::ServFail => DnsAnswer::ServFail,
        other => DnsAnswer::Failed(other.to_string()),
    }
}

/// RFC 2308 5: an absence may be remembered for the lesser of the SOA's TTL and its minimum.
fn remembered(message: &Message) -> Option<u32> {
    message
        .authorities
        .iter()
        .find_map(|record| match &record.data {
            RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
            _ => None,
        })
}

/// For how many seconds what is there may be remembered (TTL): the least of its records.
pub(super) fn ttl(message: &Message) -> Option<u32> {
    message.answers.iter().map(|record| record.ttl).min()
}

/// A name as text: letters are left as they came, odd octets escaped, no final dot.
pub(super) fn text(name: &Name) -> String {
    let ascii = name.to_ascii();
    let text = ascii.strip_suffix('.').unwrap_or(&ascii);
    // A hyphen at the start of a label stands for itself in every zone file (RFC 1035 5.1), though
    // it is escaped here.
    match text.strip_prefix("\\-") {
        Some(rest) => format!("-{rest}").replace(".\\-", ".-"),
        None => text.replace(".\\-", ".-"),
    }
}

impl From<QueryError> for DnsAnswer {
    fn from(none: QueryError) -> Self {
        match none {
            QueryError::Closed => Self::Closed,
            QueryError::NoRoute => Self::NoRoute,
            QueryError::NoTcp => Self::NoTcp,
            QueryError::Other(reason) => Self::Failed(reason),
            QueryError::Timeout => Self::Timeout,
        }
    }
}
