//! Where an alias leads, whether a wildcard made what is there, and a resolver's own words for why
//! it gives no answer.

use std::net::SocketAddr;

use hickory_proto::op::Message;
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::rr::{Name, RData, RecordType};

use super::message::text;
use crate::dcv::answer::{AliasChain, DnsAnswer, RecordKind, ServerAnswers, ServerRole};
use crate::system::dns::ask_server::{put, record_type};
use crate::system::dns::client::{DnsClient, DnsQuery, QueryForm, RecursionDesired};

/// The longest chain that is followed; resolvers give up at about this length too (unbound at 11,
/// BIND at 16).
const LONGEST: usize = 16;

/// Follows the alias that a server has at the first name; `None` where it ends like any other.
pub(super) async fn chain(
    client: &DnsClient,
    guide: SocketAddr,
    said: &[ServerAnswers],
) -> Option<(String, AliasChain)> {
    let (start, target) = said
        .iter()
        .flat_map(|said| said.answers.first())
        .find_map(|asked| match &asked.answer {
            DnsAnswer::Cname(target) => Some((asked.name.clone(), target.clone())),
            _ => None,
        })?;
    let mut passed = vec![start.to_ascii_lowercase()];
    let mut next = target;
    while passed.len() <= LONGEST {
        if passed.contains(&next.to_ascii_lowercase()) {
            return Some((start, AliasChain::Loop(next)));
        }
        passed.push(next.to_ascii_lowercase());
        let name = Name::from_ascii(format!("{next}.")).ok()?;
        let recursion = RecursionDesired::DesiredUnchecked;
        let query = DnsQuery {
            server: guide,
            name,
            kind: RecordType::CNAME,
            recursion,
            form: QueryForm::Plain,
        };
        let message = client.ask(&query).await.ok()?;
        next = message
            .answers
            .iter()
            .find_map(|record| match &record.data {
                RData::CNAME(target) if record.name == query.name => Some(text(&target.0)),
                _ => None,
            })?;
    }
    Some((start, AliasChain::Long(LONGEST)))
}

/// Where something else than the values is in the record's place: what the same server has beside
/// it, where nobody made anything. Only a wildcard answers there.
pub(super) async fn anywhere(
    client: &DnsClient,
    said: &[ServerAnswers],
    (name, domain): (&str, &str),
    values: &[String],
) -> Option<DnsAnswer> {
    // What is at the domain itself is nobody's wildcard.
    let (_, parent) = name.split_once('.').filter(|_| name != domain)?;
    let (server, kind) = said.iter().find_map(|said| {
        let asked = said
            .answers
            .iter()
            .find(|asked| asked.name == name && is_something(&asked.answer))?;
        (!is_right(&asked.answer, values)).then_some((&said.server, asked.kind))
    })?;
    let beside = format!("_{}.{parent}", random());
    let (answer, _) = put(client, server.address?, server.role, &beside, kind).await;
    Some(answer).filter(DnsAnswer::is_answer)
}

fn is_something(answer: &DnsAnswer) -> bool {
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

/// A label that nobody made.
fn random() -> String {
    let mut random = [0_u8; 16];
    // A failing random source leaves zeros: a name that hardly anybody made either.
    let _ = aws_lc_rs::rand::fill(&mut random);
    hex::encode(random)
}

/// Why resolvers gave no answer, in their own words (RFC 8914).
pub(super) async fn explained(
    client: &DnsClient,
    said: &[ServerAnswers],
    (name, kind): &(String, RecordKind),
) -> Vec<(String, String)> {
    let mut explained = Vec::new();
    for said in said
        .iter()
        .filter(|said| said.server.role == ServerRole::Resolver)
    {
        let failed = |answer: &DnsAnswer| matches!(answer, DnsAnswer::Bogus | DnsAnswer::ServFail);
        let Some(server) = said
            .server
            .address
            .filter(|_| said.answers.first().is_some_and(|one| failed(&one.answer)))
        else {
            continue;
        };
        let Ok(name) = Name::from_ascii(format!("{name}.")) else {
            continue;
        };
        let kind = record_type(*kind);
        let query = DnsQuery {
            server,
            name,
            kind,
            recursion: RecursionDesired::Desired,
            form: QueryForm::Signed,
        };
        if let Ok(message) = client.ask(&query).await {
            explained.extend(
                reasons(&message)
                    .into_iter()
                    .map(|reason| (said.server.to_string(), reason)),
            );
        }
    }
    explained
}

/// The code in words and the text that came with it, bounded.
fn reasons(message: &Message) -> Vec<String> {
    const CODE: u16 = 15;
    const LONGEST: usize = 300;
    let options = message
        .edns
        .as_ref()
        .map(|edns| edns.options().get_all(EdnsCode::Unknown(CODE)))
        .unwrap_or_default();
    let reasons = options.into_iter().filter_map(|option| match option {
        EdnsOption::Unknown(_, bytes) => {
            let (code, words) = bytes.split_at_checked(2)?;
            let code = u16::from_be_bytes(code.try_into().ok()?);
            let words: String = String::from_utf8_lossy(words)
                .chars()
                .take(LONGEST)
                .collect();
            let named = named(code).map_or_else(|| format!("code {code}"), str::to_owned);
            Some(if words.is_empty() {
                named
            } else {
                format!("{named}: {words}")
            })
        }
        _ => None,
    });
    reasons.take(3).collect()
}

/// IANA's names of the extended errors that concern a zone.
fn named(code: u16) -> Option<&'static str> {
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
