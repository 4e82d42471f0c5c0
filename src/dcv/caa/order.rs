//! Whether CAA allows an order that is about to be placed. The account and the method of validation are
//! known then, so the parameters of RFC 8657 are evaluated, too.

use std::collections::{BTreeSet, HashMap};

use super::value::IssueValue;
use super::{
    CaaAnswers, CaaLookup, CaaRecord, DecidingRecords, climb_names, deciding_records,
    lookup_in_map, zone_line,
};
use crate::dcv::answer::DnsAnswer;

/// An order that is about to be placed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderFacts<'a> {
    /// Any of these identifiers stands for the CA; none if the CA does not say.
    pub identities: &'a [String],
    /// The URL of the account.
    pub account: &'a str,
    /// The method of validation, such as `http-01`.
    pub method: &'a str,
}

/// Whether the records allow the order. Ordered: the worst answer of the servers counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum OrderPermission {
    Allowed,
    /// Only some CAs may issue, and it is not known which identifier stands for this one.
    CaUnknown,
    /// The lookup for this name failed, so a CA may refuse (BR 3.2.2.8).
    Failed(String, DnsAnswer),
    Forbidden(OrderRefusal),
}

/// Why the order is not allowed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum OrderRefusal {
    /// A record with the critical flag has this tag, which CAs do not know.
    UnknownCritical(String),
    /// No record allows this CA.
    NotListed,
    /// Records allow this CA only for another account (RFC 8657 3).
    OtherAccount,
    /// Records allow this CA only with another method of validation (RFC 8657 4).
    OtherMethod,
}

/// The decision for one name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct OrderRuling {
    pub name: String,
    /// The owner name of the records; the name itself if there are none.
    pub at: String,
    /// The records that decide, in zone-file syntax without name and class.
    pub records: Vec<String>,
    pub permission: OrderPermission,
    /// The zone's server with these records, if the resolver has others.
    pub server: Option<String>,
}

/// Evaluates CAA for one name of an order, as the resolver and each of the zone's servers have it.
#[must_use]
pub(crate) fn evaluate_order(
    name: &str,
    found: &HashMap<String, CaaAnswers>,
    order: OrderFacts<'_>,
) -> OrderRuling {
    let climb = climb_names(name);
    let answers = climb.iter().filter_map(|name| found.get(name));
    let servers: BTreeSet<&str> = answers
        .flat_map(|answers| &answers.zone_servers)
        .map(|one| one.server.as_str())
        .collect();
    let mut worst = evaluate_at(name, found, order, None);
    for server in servers {
        let other = evaluate_at(name, found, order, Some(server));
        if other.permission.severity() > worst.permission.severity() {
            worst = other;
        }
    }
    worst
}

fn evaluate_at(
    name: &str,
    found: &HashMap<String, CaaAnswers>,
    order: OrderFacts<'_>,
    server: Option<&str>,
) -> OrderRuling {
    let mut ruling = OrderRuling {
        name: name.to_owned(),
        at: name.trim_start_matches("*.").to_owned(),
        records: Vec::new(),
        permission: OrderPermission::Allowed,
        server: server.map(str::to_owned),
    };
    for at in climb_names(name) {
        match lookup_in_map(&at, found, server) {
            CaaLookup::None => {}
            CaaLookup::Failed(answer) => {
                ruling.permission = OrderPermission::Failed(at, answer);
                return ruling;
            }
            CaaLookup::Records(_, records) if records.is_empty() => {}
            CaaLookup::Records(alias, records) => {
                let deciding = deciding_records(name, &records);
                ruling.at = alias.unwrap_or(at);
                ruling.records = deciding.iter().map(zone_line).collect();
                ruling.permission = judge(&deciding, order);
                return ruling;
            }
        }
    }
    ruling
}

fn judge(deciding: &DecidingRecords<'_>, order: OrderFacts<'_>) -> OrderPermission {
    match deciding {
        DecidingRecords::UnknownCritical(record) => {
            OrderPermission::Forbidden(OrderRefusal::UnknownCritical(record.tag.clone()))
        }
        DecidingRecords::Unlimited(_) => OrderPermission::Allowed,
        DecidingRecords::Issue(records) => judge_issue(records, order),
    }
}

/// One record that allows the order is enough (RFC 8659 4.2).
fn judge_issue(records: &[&CaaRecord], order: OrderFacts<'_>) -> OrderPermission {
    let mut refusal = OrderRefusal::NotListed;
    for record in records {
        let value = IssueValue::read(&record.value);
        let Some(issuer) = &value.issuer else {
            continue;
        };
        if order.identities.is_empty() {
            return OrderPermission::CaUnknown;
        }
        if !order.is_by(issuer) {
            continue;
        }
        match order.parameters(&value) {
            None => return OrderPermission::Allowed,
            Some(other) => refusal = other,
        }
    }
    OrderPermission::Forbidden(refusal)
}

impl OrderFacts<'_> {
    /// Returns whether an identifier stands for the CA.
    fn is_by(self, issuer: &str) -> bool {
        for identity in self.identities {
            if identity.eq_ignore_ascii_case(issuer) {
                return true;
            }
        }
        false
    }

    /// Returns why the parameters of a record do not allow the order.
    fn parameters(self, value: &IssueValue) -> Option<OrderRefusal> {
        let account = value.account.as_deref();
        if account.is_some_and(|account| account != self.account) {
            return Some(OrderRefusal::OtherAccount);
        }
        let methods = value.methods.as_deref()?;
        let mut methods = methods.split(',');
        let is_allowed = methods.any(|method| method.eq_ignore_ascii_case(self.method));
        (!is_allowed).then_some(OrderRefusal::OtherMethod)
    }
}

impl OrderPermission {
    fn severity(&self) -> u8 {
        match self {
            Self::Allowed => 0,
            Self::CaUnknown => 1,
            Self::Failed(..) => 2,
            Self::Forbidden(_) => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::{CaaAnswers, CaaLookup, CaaRecord, CaaServerAnswer};
    use super::{OrderFacts, OrderPermission, OrderRefusal, evaluate_order};
    use crate::dcv::answer::DnsAnswer;

    const ACCOUNT: &str = "https://ca.example/acct/1";

    fn records(lines: &[&str]) -> CaaLookup {
        let record = |line: &&str| {
            let mut parts = line.splitn(3, ' ');
            let mut part = || parts.next().unwrap().to_owned();
            CaaRecord {
                critical: part() == "128",
                tag: part(),
                value: part(),
                ttl: 60,
            }
        };
        CaaLookup::Records(None, lines.iter().map(record).collect())
    }

    fn permission(name: &str, at: &str, lookup: CaaLookup, ca: &[&str]) -> OrderPermission {
        let answers = CaaAnswers {
            resolver: lookup,
            zone_servers: Vec::new(),
        };
        let found = HashMap::from([(at.to_owned(), answers)]);
        let identities: Vec<String> = ca.iter().map(ToString::to_string).collect();
        let order = OrderFacts {
            identities: &identities,
            account: ACCOUNT,
            method: "dns-01",
        };
        evaluate_order(name, &found, order).permission
    }

    #[test]
    fn records_allow_the_order_or_say_why_not() {
        use OrderPermission::{Allowed, CaUnknown, Forbidden};
        let own = format!("0 issue ca.example; accounturi={ACCOUNT}");
        let with_method = format!("{own}; validationmethods=http-01,dns-01");
        for (lines, expected) in [
            (&["0 issue ca.example"][..], Allowed),
            (&["0 issue CA.example"], Allowed),
            (&["0 iodef mailto:a@b.example"], Allowed),
            (
                &["0 issue other.example"],
                Forbidden(OrderRefusal::NotListed),
            ),
            (&["0 issue other.example", "0 issue ca.example"], Allowed),
            (&["0 issue ;"], Forbidden(OrderRefusal::NotListed)),
            (
                &["0 issue ca.example; x"],
                Forbidden(OrderRefusal::NotListed),
            ),
            (&[own.as_str()], Allowed),
            (&[with_method.as_str()], Allowed),
            (
                &["0 issue ca.example; accounturi=https://ca.example/acct/2"],
                Forbidden(OrderRefusal::OtherAccount),
            ),
            (
                &["0 issue ca.example; validationmethods=http-01"],
                Forbidden(OrderRefusal::OtherMethod),
            ),
            (
                &[
                    "0 issue ca.example; validationmethods=http-01",
                    own.as_str(),
                ],
                Allowed,
            ),
            (
                &["0 issue ca.example", "128 new x"],
                Forbidden(OrderRefusal::UnknownCritical("new".to_owned())),
            ),
            (&["0 issue ca.example", "0 issuewild ;"], Allowed),
        ] {
            for name in ["example.com", "a.example.com"] {
                let found = permission(name, "example.com", records(lines), &["ca.example"]);
                assert_eq!(found, expected, "{lines:?}");
            }
        }
        let wild = records(&["0 issue ca.example", "0 issuewild ;"]);
        let found = permission("*.example.com", "example.com", wild, &["ca.example"]);
        assert_eq!(found, Forbidden(OrderRefusal::NotListed));
        let unknown = records(&["0 issue ca.example"]);
        assert_eq!(
            permission("example.com", "example.com", unknown, &[]),
            CaUnknown
        );
    }

    #[test]
    fn the_worst_server_counts() {
        let answers = CaaAnswers {
            resolver: records(&["0 issue ca.example"]),
            zone_servers: vec![
                CaaServerAnswer {
                    server: "ns1".to_owned(),
                    lookup: CaaLookup::None,
                },
                CaaServerAnswer {
                    server: "ns2".to_owned(),
                    lookup: records(&["0 issue other.example"]),
                },
            ],
        };
        let found = HashMap::from([("example.com".to_owned(), answers)]);
        let identities = ["ca.example".to_owned()];
        let order = OrderFacts {
            identities: &identities,
            account: ACCOUNT,
            method: "dns-01",
        };
        let ruling = evaluate_order("example.com", &found, order);
        assert_eq!(ruling.server.as_deref(), Some("ns2"));
        let refusal = OrderPermission::Forbidden(OrderRefusal::NotListed);
        assert_eq!(ruling.permission, refusal);
        let failed = CaaLookup::Failed(DnsAnswer::Refused);
        let found = permission("example.com", "example.com", failed, &["ca.example"]);
        assert!(matches!(found, OrderPermission::Failed(..)));
    }
}
