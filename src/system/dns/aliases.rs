//! Queries the target of an alias, whether a wildcard exists, and a resolver's own explanation of
//! why it returns no answer.

use std::net::SocketAddr;

use hickory_proto::op::Message;
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::rr::{Name, RData, RecordType};

use super::message::name_text;
use crate::dcv::answer::{AliasChain, DnsAnswer, ServerAnswers, ServerRole};
use crate::system::dns::client::{DnsClient, DnsQuery, QueryForm, RecursionDesired};
use crate::system::dns::server_queries::{RecordQuestion, query_record, record_type};

/// The longest chain that is followed; resolvers give up at about this length too (unbound at 11,
/// BIND at 16).
pub(crate) const ALIAS_LIMIT: usize = 16;

/// A chain of aliases without a record at its end, and the name where it starts.
pub(super) struct BrokenChain {
    pub start: String,
    pub chain: AliasChain,
}

/// Follows the alias that a server returns for the first name; returns `None` if there is a record
/// at its end.
pub(super) async fn follow_chain(
    client: &DnsClient,
    main_resolver: SocketAddr,
    server_answers: &[ServerAnswers],
) -> Option<BrokenChain> {
    let (start, target) = server_answers
        .iter()
        .flat_map(|one| one.answers.first())
        .find_map(|query| match &query.answer {
            DnsAnswer::Cname(target) => Some((query.name.clone(), target.clone())),
            _ => None,
        })?;
    let mut visited = vec![start.to_ascii_lowercase()];
    let mut next = target;
    while visited.len() <= ALIAS_LIMIT {
        let lower = next.to_ascii_lowercase();
        if visited.contains(&lower) {
            let chain = AliasChain::Loop(next);
            return Some(BrokenChain { start, chain });
        }
        visited.push(lower);
        next = query_alias(client, main_resolver, &next).await?;
    }
    let chain = AliasChain::Long(ALIAS_LIMIT);
    Some(BrokenChain { start, chain })
}

/// Returns the target of the alias at `name`.
async fn query_alias(client: &DnsClient, main_resolver: SocketAddr, name: &str) -> Option<String> {
    let query = DnsQuery {
        server: main_resolver,
        name: Name::from_ascii(format!("{name}.")).ok()?,
        kind: RecordType::CNAME,
        recursion: RecursionDesired::DesiredUnchecked,
        form: QueryForm::Plain,
    };
    let message = client.query(&query).await.ok()?;
    message
        .answers
        .iter()
        .find_map(|record| match &record.data {
            RData::CNAME(target) if record.name == query.name => Some(name_text(&target.0)),
            _ => None,
        })
}

/// Queries whether a wildcard exists: if a server has something other than the expected values at
/// the record's name, the same server is queried for a random name at the same level. Only a
/// wildcard answers there.
pub(super) async fn query_wildcard(
    client: &DnsClient,
    server_answers: &[ServerAnswers],
    name: &str,
    domain: &str,
    values: &[String],
) -> Option<DnsAnswer> {
    // Records at the domain itself do not come from a wildcard.
    if name == domain {
        return None;
    }
    let (_, parent) = name.split_once('.')?;
    let (server, kind) = server_answers.iter().find_map(|one| {
        let query = one
            .answers
            .iter()
            .find(|query| query.name == name && has_records(&query.answer))?;
        (!is_right(&query.answer, values)).then_some((&one.server, query.kind))
    })?;
    let beside = format!("_{}.{parent}", random_label());
    let (answer, _) = query_record(client, server.address?, server.role, &beside, kind).await;
    Some(answer).filter(DnsAnswer::is_answer)
}

fn has_records(answer: &DnsAnswer) -> bool {
    matches!(
        answer,
        DnsAnswer::Addresses(_) | DnsAnswer::Cname(_) | DnsAnswer::Txt(_)
    )
}

fn is_right(answer: &DnsAnswer, values: &[String]) -> bool {
    match answer {
        DnsAnswer::Cname(target) => values
            .iter()
            .any(|value| value.eq_ignore_ascii_case(target)),
        DnsAnswer::Txt(texts) => values.iter().any(|value| texts.contains(value)),
        _ => false,
    }
}

/// Returns a random label, at which no record exists.
fn random_label() -> String {
    let mut random = [0_u8; 16];
    // If the random source fails, the label consists of zeros, which is unlikely to exist either.
    let _ = aws_lc_rs::rand::fill(&mut random);
    hex::encode(random)
}

/// Returns why resolvers gave no answer, in their own words (RFC 8914): each resolver and its
/// explanation.
pub(super) async fn query_explanations(
    client: &DnsClient,
    server_answers: &[ServerAnswers],
    question: &RecordQuestion,
) -> Vec<(String, String)> {
    let mut explanations = Vec::new();
    let Ok(name) = Name::from_ascii(format!("{}.", question.name)) else {
        return explanations;
    };
    for one in server_answers {
        let Some(server) = one.server.address.filter(|_| is_failed_resolver(one)) else {
            continue;
        };
        let query = DnsQuery {
            server,
            name: name.clone(),
            kind: record_type(question.kind),
            recursion: RecursionDesired::Desired,
            form: QueryForm::Signed,
        };
        if let Ok(message) = client.query(&query).await {
            explanations.extend(
                extended_errors(&message)
                    .into_iter()
                    .map(|explanation| (one.server.to_string(), explanation)),
            );
        }
    }
    explanations
}

fn is_failed_resolver(server_answers: &ServerAnswers) -> bool {
    let failed = server_answers
        .answers
        .first()
        .is_some_and(|query| matches!(query.answer, DnsAnswer::Bogus | DnsAnswer::ServFail));
    server_answers.server.role == ServerRole::Resolver && failed
}

/// The option code of extended DNS errors (RFC 8914 section 2).
const EXTENDED_ERROR: u16 = 15;

/// The maximum number of characters of an error's text that are kept.
const LONGEST_TEXT: usize = 300;

/// Returns the extended errors in a message, at most three: the name of each code and its text.
fn extended_errors(message: &Message) -> Vec<String> {
    let options = message
        .edns
        .as_ref()
        .map(|edns| edns.options().get_all(EdnsCode::Unknown(EXTENDED_ERROR)))
        .unwrap_or_default();
    options
        .into_iter()
        .filter_map(|option| match option {
            EdnsOption::Unknown(_, bytes) => describe_extended_error(bytes),
            _ => None,
        })
        .take(3)
        .collect()
}

fn describe_extended_error(bytes: &[u8]) -> Option<String> {
    let (code, text) = bytes.split_at_checked(2)?;
    let code = u16::from_be_bytes(code.try_into().ok()?);
    let text: String = String::from_utf8_lossy(text)
        .chars()
        .take(LONGEST_TEXT)
        .collect();
    let name = match extended_error_name(code) {
        Some(name) => name.to_owned(),
        None => format!("code {code}"),
    };
    if text.is_empty() {
        Some(name)
    } else {
        Some(format!("{name}: {text}"))
    }
}

/// IANA's names of the extended errors that concern a zone.
fn extended_error_name(code: u16) -> Option<&'static str> {
    Some(match code {
        1 => "unsupported DNSKEY algorithm",
        2 => "unsupported DS digest type",
        3 => "stale answer",
        5 => "DNSSEC indeterminate",
        6 => "DNSSEC bogus",
        7 => "signature expired",
        8 => "signature not yet valid",
        9 => "DNSKEY missing",
        10 => "RRSIGs missing",
        11 => "no zone key bit set",
        12 => "NSEC missing",
        13 => "cached error",
        14 => "not ready",
        15 => "blocked",
        16 => "censored",
        17 => "filtered",
        18 => "prohibited",
        20 => "not authoritative",
        22 => "no reachable authority",
        23 => "network error",
        24 => "invalid data",
        25 => "signature expired before valid",
        27 => "unsupported NSEC3 iterations value",
        _ => return None,
    })
}
