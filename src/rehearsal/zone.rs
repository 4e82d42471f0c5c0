//! A DNS zone in memory and its authoritative answers (RFC 1034, 4.3.2), without network access. CNAME
//! records are added as in a DNS provider's console, which appends the name of the zone to the host; TXT
//! records as through its API, at full names.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, NS, SOA, TXT};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

const TTL: u32 = 60;

type Records = BTreeMap<Name, Vec<RData>>;

/// A DNS zone. Clones share the records, which may change while the zone is served.
#[derive(Clone, Debug)]
pub struct RehearsalZone {
    origin: Name,
    records: Arc<Mutex<Records>>,
}

/// The answer to a question.
struct ZoneAnswer {
    code: ResponseCode,
    records: Vec<Record>,
}

impl ZoneAnswer {
    fn empty(code: ResponseCode) -> Self {
        Self {
            code,
            records: Vec::new(),
        }
    }
}

impl RehearsalZone {
    /// Creates a zone with its SOA, one name server and an address, all on loopback.
    ///
    /// # Errors
    /// When `origin` is not a DNS name.
    pub fn new(origin: &str) -> Result<Self> {
        let origin = absolute(origin)?;
        let server = origin
            .prepend_label("ns1")
            .context("the name is too long for a zone")?;
        let contact = origin
            .prepend_label("hostmaster")
            .context("the name is too long for a zone")?;
        let address = RData::A(A(Ipv4Addr::LOCALHOST));
        let name_server = RData::NS(NS(server.clone()));
        let soa = SOA::new(server.clone(), contact, 1, 3600, 600, 86400, TTL);
        let apex = vec![RData::SOA(soa), name_server, address.clone()];
        let mut records = Records::new();
        records.insert(origin.clone(), apex);
        records.insert(server, vec![address]);
        Ok(Self {
            origin,
            records: Arc::new(Mutex::new(records)),
        })
    }

    /// Adds a CNAME as a DNS provider's console does: the zone is appended to `host`, even if `host` is
    /// a full name. Returns the name of the record.
    ///
    /// # Errors
    /// When `host` or `target` is not a DNS name.
    pub fn add_cname(&self, host: &str, target: &str) -> Result<String> {
        let name = Name::from_ascii(host)
            .and_then(|host| host.append_domain(&self.origin))
            .with_context(|| format!("{host:?} is not a valid host"))?;
        let target = absolute(target)?;
        let record = RData::CNAME(CNAME(target));
        self.lock().insert(name.clone(), vec![record]);
        Ok(text_of(&name))
    }

    /// Returns the name of the zone, without a final dot.
    #[must_use]
    pub fn name(&self) -> String {
        text_of(&self.origin)
    }

    /// Adds a TXT record at a full name, beside those that are there.
    ///
    /// # Errors
    /// When `name` is not a DNS name in this zone.
    pub fn add_text(&self, name: &str, value: &str) -> Result<()> {
        let name = absolute(name)?;
        anyhow::ensure!(self.origin.zone_of(&name), "{name} is not in the zone");
        let record = RData::TXT(TXT::new(vec![value.to_owned()]));
        self.lock().entry(name).or_default().push(record);
        Ok(())
    }

    /// Returns the values of the TXT records at a full name.
    #[must_use]
    pub fn texts(&self, name: &str) -> Vec<String> {
        let Ok(name) = absolute(name) else {
            return Vec::new();
        };
        let records = self.lock();
        let here = records.get(&name).into_iter().flatten();
        here.filter_map(text_value).collect()
    }

    /// Removes the TXT record with this value at a full name.
    pub fn remove_text(&self, name: &str, value: &str) {
        let Ok(name) = absolute(name) else {
            return;
        };
        let mut records = self.lock();
        let Some(here) = records.get_mut(&name) else {
            return;
        };
        here.retain(|record| text_value(record).as_deref() != Some(value));
        if here.is_empty() {
            records.remove(&name);
        }
    }

    /// Removes the records at `host`, which is relative to the zone.
    pub fn remove(&self, host: &str) {
        if let Ok(host) = Name::from_ascii(host)
            && let Ok(name) = host.append_domain(&self.origin)
        {
            self.lock().remove(&name);
        }
    }

    /// Answers a query; returns `None` for bytes that are not a query.
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
            (OpCode::Query, _) => ZoneAnswer::empty(ResponseCode::FormErr),
            _ => ZoneAnswer::empty(ResponseCode::NotImp),
        };
        reply.metadata.response_code = answer.code;
        let is_authoritative =
            matches!(answer.code, ResponseCode::NoError | ResponseCode::NXDomain);
        reply.metadata.authoritative = is_authoritative;
        if is_authoritative && answer.records.is_empty() {
            // The SOA says how long the negative answer may be cached (RFC 2308, 3).
            reply.add_authorities(self.soa());
        }
        reply.add_answers(answer.records);
        reply.to_vec().ok()
    }

    fn look_up(&self, question: &Query) -> ZoneAnswer {
        let name = question.name();
        if !self.origin.zone_of(name) || question.query_class() != DNSClass::IN {
            return ZoneAnswer::empty(ResponseCode::Refused);
        }
        let records = self.lock();
        let Some(at_name) = records.get(name) else {
            // A name without records exists if there are names below it (RFC 8020).
            let exists = records.keys().any(|other| name.zone_of(other));
            let code = if exists {
                ResponseCode::NoError
            } else {
                ResponseCode::NXDomain
            };
            return ZoneAnswer::empty(code);
        };
        let wanted = question.query_type();
        let mut answer = ZoneAnswer::empty(ResponseCode::NoError);
        for data in at_name {
            let is_wanted = [wanted, RecordType::CNAME].contains(&data.record_type());
            if is_wanted || wanted.is_any() {
                let record = Record::from_rdata(name.clone(), TTL, data.clone());
                answer.records.push(record);
            }
        }
        answer
    }

    fn soa(&self) -> Vec<Record> {
        let records = self.lock();
        let apex = records.get(&self.origin).into_iter().flatten();
        apex.filter(|data| data.record_type() == RecordType::SOA)
            .map(|data| Record::from_rdata(self.origin.clone(), TTL, data.clone()))
            .collect()
    }

    /// Ignores poisoning: the map is consistent after every change.
    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn text_of(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_owned()
}

fn text_value(record: &RData) -> Option<String> {
    match record {
        RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
        _ => None,
    }
}

fn absolute(name: &str) -> Result<Name> {
    let mut name = Name::from_ascii(name).with_context(|| format!("{name:?} is not a DNS name"))?;
    name.set_fqdn(true);
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::RehearsalZone;
    use hickory_proto::op::{Message, Query, ResponseCode};
    use hickory_proto::rr::{Name, RecordType};

    fn query_zone(
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
    fn queries_are_answered_authoritatively() {
        use RecordType as T;
        use ResponseCode as R;
        let zone = RehearsalZone::new("shop.example").unwrap();
        assert_eq!(
            zone.add_cname("_a.www", "x.y.ca.example").unwrap(),
            "_a.www.shop.example"
        );
        assert_eq!(
            zone.add_cname("_b.shop.example", "z.example").unwrap(),
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
                query_zone(&zone, name, kind),
                (code, answers, authorities),
                "{name} {kind}"
            );
        }
        zone.remove("_a.www");
        assert_eq!(
            query_zone(&zone, "_a.www.shop.example.", T::CNAME).0,
            R::NXDomain
        );
    }

    #[test]
    fn bytes_that_are_not_a_query_get_no_answer() {
        let zone = RehearsalZone::new("shop.example").unwrap();
        assert_eq!(zone.answer(b""), None);
        assert_eq!(zone.answer(b"GET / HTTP/1.1\r\n\r\n"), None);
        let reply = Message::error_msg(1, hickory_proto::op::OpCode::Query, ResponseCode::NoError);
        assert_eq!(
            zone.answer(&reply.to_vec().unwrap()),
            None,
            "a response must not be answered, which could cause a loop"
        );
    }
}
