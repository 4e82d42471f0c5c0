//! A DNS zone in memory and its authoritative answers (RFC 1034 4.3.2); pure. It takes records as a
//! DNS provider's panel does: what is entered as host is put before the zone's name, whatever it
//! is.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, NS, SOA};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

const TTL: u32 = 60;

type Records = BTreeMap<Name, Vec<RData>>;

/// A zone; clones are the same zone, which may change while it is served.
#[derive(Clone, Debug)]
pub struct RehearsalZone {
    origin: Name,
    records: Arc<Mutex<Records>>,
}

/// How a question is answered.
struct Answer {
    code: ResponseCode,
    records: Vec<Record>,
}

impl RehearsalZone {
    /// A zone with its SOA, one name server and an address, all on loopback.
    ///
    /// # Errors
    /// When `origin` is no DNS name.
    pub fn new(origin: &str) -> Result<Self> {
        let origin = absolute(origin)?;
        let server = origin
            .prepend_label("ns1")
            .context("the name is too long for a zone")?;
        let contact = origin
            .prepend_label("hostmaster")
            .context("the name is too long for a zone")?;
        let here = RData::A(A(Ipv4Addr::LOCALHOST));
        let soa = SOA::new(server.clone(), contact, 1, 3600, 600, 86400, TTL);
        let apex = vec![RData::SOA(soa), RData::NS(NS(server.clone())), here.clone()];
        let records = Records::from([(origin.clone(), apex), (server, vec![here])]);
        Ok(Self {
            origin,
            records: Arc::new(Mutex::new(records)),
        })
    }

    /// Adds a CNAME as a panel does: `host` is relative to the zone even when somebody enters the
    /// whole name. Says the name that it then has.
    ///
    /// # Errors
    /// When the two are no DNS names.
    pub fn enter(&self, host: &str, target: &str) -> Result<String> {
        let name = Name::from_ascii(host)
            .and_then(|host| host.append_domain(&self.origin))
            .with_context(|| format!("{host:?} cannot be a host"))?;
        self.lock()
            .insert(name.clone(), vec![RData::CNAME(CNAME(absolute(target)?))]);
        Ok(name.to_ascii().trim_end_matches('.').to_owned())
    }

    /// Takes the records at `host`, relative to the zone, away again.
    pub fn remove(&self, host: &str) {
        if let Ok(name) = Name::from_ascii(host).and_then(|host| host.append_domain(&self.origin)) {
            self.lock().remove(&name);
        }
    }

    /// The answer to the bytes of a query; `None` for what is none.
    #[must_use]
    pub fn answer(&self, query: &[u8]) -> Option<Vec<u8>> {
        let query = Message::from_vec(query).ok()?;
        if query.metadata.message_type != MessageType::Query {
            return None;
        }
        let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
        reply.metadata.recursion_desired = query.metadata.recursion_desired;
        reply.add_queries(query.queries.iter().cloned());
        if query.edns.is_some() {
            let mut edns = Edns::new();
            edns.set_max_payload(1232);
            reply.set_edns(edns);
        }
        let answer = match (query.metadata.op_code, query.queries.as_slice()) {
            (OpCode::Query, [question]) => self.look_up(question),
            (OpCode::Query, _) => Answer {
                code: ResponseCode::FormErr,
                records: Vec::new(),
            },
            _ => Answer {
                code: ResponseCode::NotImp,
                records: Vec::new(),
            },
        };
        reply.metadata.response_code = answer.code;
        let ours = matches!(answer.code, ResponseCode::NoError | ResponseCode::NXDomain);
        reply.metadata.authoritative = ours;
        if ours && answer.records.is_empty() {
            // Names the zone and how long the absence may be remembered (RFC 2308 3).
            reply.add_authorities(self.soa());
        }
        reply.add_answers(answer.records);
        reply.to_vec().ok()
    }

    fn look_up(&self, question: &Query) -> Answer {
        let name = question.name();
        if !self.origin.zone_of(name) || question.query_class() != DNSClass::IN {
            return Answer {
                code: ResponseCode::Refused,
                records: Vec::new(),
            };
        }
        let records = self.lock();
        let Some(here) = records.get(name) else {
            // A name with others below it exists, though it has no records itself (RFC 8020).
            let exists = records.keys().any(|other| name.zone_of(other));
            let code = if exists {
                ResponseCode::NoError
            } else {
                ResponseCode::NXDomain
            };
            return Answer {
                code,
                records: Vec::new(),
            };
        };
        let wanted = question.query_type();
        let fits = |data: &&RData| {
            [wanted, RecordType::CNAME].contains(&data.record_type()) || wanted.is_any()
        };
        let found = here
            .iter()
            .filter(fits)
            .map(|data| Record::from_rdata(name.clone(), TTL, data.clone()));
        Answer {
            code: ResponseCode::NoError,
            records: found.collect(),
        }
    }

    fn soa(&self) -> Vec<Record> {
        let records = self.lock();
        let apex = records.get(&self.origin).into_iter().flatten();
        apex.filter(|data| data.record_type() == RecordType::SOA)
            .map(|data| Record::from_rdata(self.origin.clone(), TTL, data.clone()))
            .collect()
    }

    /// The map is whole after every change, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn absolute(name: &str) -> Result<Name> {
    let mut name = Name::from_ascii(name).with_context(|| format!("{name:?} is no DNS name"))?;
    name.set_fqdn(true);
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::RehearsalZone;
    use hickory_proto::op::{Message, Query, ResponseCode};
    use hickory_proto::rr::{Name, RecordType};

    fn ask(
        zone: &RehearsalZone,
        name: &str,
        kind: RecordType,
    ) -> (ResponseCode, Vec<String>, usize) {
        let mut query = Message::query();
        query.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
        let reply = Message::from_vec(&zone.answer(&query.to_vec().unwrap()).unwrap()).unwrap();
        assert_eq!(reply.metadata.id, query.metadata.id);
        assert_eq!(reply.queries, query.queries);
        let answers = reply
            .answers
            .iter()
            .map(|record| record.data.to_string())
            .collect();
        (
            reply.metadata.response_code,
            answers,
            reply.authorities.len(),
        )
    }

    #[test]
    fn every_kind_of_answer() {
        use RecordType as T;
        use ResponseCode as R;
        let zone = RehearsalZone::new("shop.example").unwrap();
        assert_eq!(
            zone.enter("_a.www", "x.y.ca.example").unwrap(),
            "_a.www.shop.example"
        );
        assert_eq!(
            zone.enter("_b.shop.example", "z.example").unwrap(),
            "_b.shop.example.shop.example"
        );
        let table: [(&str, T, R, &[&str], usize); 9] = [
            (
                "_a.www.shop.example.",
                T::CNAME,
                R::NoError,
                &["x.y.ca.example."],
                0,
            ),
            (
                "_A.WWW.Shop.example.",
                T::CNAME,
                R::NoError,
                &["x.y.ca.example."],
                0,
            ),
            (
                "_a.www.shop.example.",
                T::TXT,
                R::NoError,
                &["x.y.ca.example."],
                0,
            ),
            ("www.shop.example.", T::CNAME, R::NoError, &[], 1),
            ("shop.example.", T::CNAME, R::NoError, &[], 1),
            (
                "shop.example.",
                T::NS,
                R::NoError,
                &["ns1.shop.example."],
                0,
            ),
            ("ns1.shop.example.", T::A, R::NoError, &["127.0.0.1"], 0),
            ("_b.shop.example.", T::CNAME, R::NXDomain, &[], 1),
            ("other.example.", T::CNAME, R::Refused, &[], 0),
        ];
        for (name, kind, code, answers, authorities) in table {
            let answers = answers.iter().map(|&answer| answer.to_owned()).collect();
            assert_eq!(
                ask(&zone, name, kind),
                (code, answers, authorities),
                "{name} {kind}"
            );
        }
        zone.remove("_a.www");
        assert_eq!(ask(&zone, "_a.www.shop.example.", T::CNAME).0, R::NXDomain);
    }

    #[test]
    fn what_is_no_query_gets_no_answer() {
        let zone = RehearsalZone::new("shop.example").unwrap();
        assert_eq!(zone.answer(b""), None);
        assert_eq!(zone.answer(b"GET / HTTP/1.1\r\n\r\n"), None);
        let reply = Message::error_msg(1, hickory_proto::op::OpCode::Query, ResponseCode::NoError);
        assert_eq!(
            zone.answer(&reply.to_vec().unwrap()),
            None,
            "answers are not answered: no loops"
        );
    }
}
