//! Reads a DNS message: the records that were queried, their absence, or a failure.

use std::net::IpAddr;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

use crate::dcv::answer::{DnsAnswer, ServerRole};
use crate::system::dns::client::QueryError;

/// Returns the answer to the query for `kind` at `name` in a message. A TXT record or an address behind an alias counts as
/// being at the queried name, as for a CA; if there is only the alias, that is the answer.
pub(super) fn read_answer(
    message: &Message,
    name: &Name,
    kind: RecordType,
    role: ServerRole,
) -> DnsAnswer {
    let code = message.metadata.response_code;
    let exists_or_not = matches!(code, ResponseCode::NoError | ResponseCode::NXDomain);
    if exists_or_not && role == ServerRole::Authoritative && !message.metadata.authoritative {
        return DnsAnswer::Lame;
    }
    let mut targets: Vec<String> = aliases_at(message, name).map(name_text).collect();
    targets.dedup();
    if targets.len() > 1 {
        return DnsAnswer::Cnames(targets);
    }
    let alias = targets.pop();
    let found = read_records(message, name, kind).or_else(|| alias.map(DnsAnswer::Cname));
    match (code, found) {
        (ResponseCode::NoError | ResponseCode::NXDomain, Some(answer)) => answer,
        (ResponseCode::NXDomain, None) => DnsAnswer::NoName(negative_ttl(message)),
        (ResponseCode::NoError, None) => DnsAnswer::NoData(negative_ttl(message)),
        _ => failure(code),
    }
}

/// Returns the records of the queried type at the end of the aliases.
fn read_records(message: &Message, name: &Name, kind: RecordType) -> Option<DnsAnswer> {
    let end = end_of_aliases(message, name);
    match kind {
        RecordType::TXT => texts(message, end),
        RecordType::A | RecordType::AAAA => addresses(message, end),
        RecordType::MX => exchangers(message, end),
        _ => None,
    }
}

/// Follows the aliases in a message from `name`, no further than resolvers do; returns the last
/// name.
pub(super) fn end_of_aliases<'a>(message: &'a Message, name: &'a Name) -> &'a Name {
    const MOST: usize = 12;
    let mut end = name;
    for _ in 0..MOST {
        match aliases_at(message, end).next() {
            Some(target) => end = target,
            None => break,
        }
    }
    end
}

/// Returns the targets of the aliases at `name`.
fn aliases_at<'a>(message: &'a Message, name: &'a Name) -> impl Iterator<Item = &'a Name> {
    message
        .answers
        .iter()
        .filter_map(move |record| match &record.data {
            RData::CNAME(target) if record.name == *name => Some(&target.0),
            _ => None,
        })
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
            RData::MX(mx) if record.name == *name => Some((mx.preference, name_text(&mx.exchange))),
            _ => None,
        });
    let mut exchangers: Vec<(u16, String)> = exchangers.collect();
    exchangers.sort();
    (!exchangers.is_empty())
        .then(|| DnsAnswer::Mx(exchangers.into_iter().map(|(_, name)| name).collect()))
}

/// Returns the answer for a response code that shows neither that records exist nor that they do
/// not.
pub(super) fn failure(code: ResponseCode) -> DnsAnswer {
    match code {
        ResponseCode::Refused => DnsAnswer::Refused,
        ResponseCode::ServFail => DnsAnswer::ServFail,
        other => DnsAnswer::Failed(other.to_string()),
    }
}

/// Returns for how long a negative answer may be cached: the lesser of the SOA's TTL and its
/// minimum (RFC 2308 section 5).
fn negative_ttl(message: &Message) -> Option<u32> {
    message
        .authorities
        .iter()
        .find_map(|record| match &record.data {
            RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
            _ => None,
        })
}

/// Returns for how many seconds the answer may be cached: the shortest TTL of its records.
pub(super) fn shortest_ttl(message: &Message) -> Option<u32> {
    message.answers.iter().map(|record| record.ttl).min()
}

/// Returns a name as text: letters keep their case, other octets are escaped, and there is no final
/// dot.
pub(super) fn name_text(name: &Name) -> String {
    let ascii = name.to_ascii();
    let text = ascii.strip_suffix('.').unwrap_or(&ascii);
    // hickory escapes a hyphen at the start of a label, which zone files do not need (RFC 1035
    // section 5.1).
    match text.strip_prefix("\\-") {
        Some(rest) => format!("-{rest}").replace(".\\-", ".-"),
        None => text.replace(".\\-", ".-"),
    }
}

impl From<QueryError> for DnsAnswer {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Closed => Self::Closed,
            QueryError::NoRoute => Self::NoRoute,
            QueryError::NoTcp => Self::NoTcp,
            QueryError::Other(reason) => Self::Failed(reason),
            QueryError::Timeout => Self::Timeout,
        }
    }
}
