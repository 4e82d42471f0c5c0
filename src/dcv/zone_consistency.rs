//! Compares the answers of a zone's servers: different versions of the zone, NS records that differ
//! from those of the parent zone, a cached absence, an alias that leads nowhere, and a child zone
//! that hides the record. Pure.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::answer::{AliasChain, DnsAnswer, DnsSurvey, ServerRole, ZoneDelegation};
use super::judge::{DcvVerdict, RecordJudgement, ServerJudgement};

/// A difference between servers, or another fact about the zone, to report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ZoneRemark {
    /// Resolvers have cached that the record is absent.
    AbsenceCached {
        servers: Vec<String>,
        until: Timestamp,
    },
    /// The aliases at the record's name lead nowhere.
    Chain { name: String, chain: AliasChain },
    /// The servers return different values; holds server and value.
    Disagree { values: Vec<(String, String)> },
    /// The NS records of the zone differ from those of the parent zone.
    NameServers {
        zone: String,
        above: String,
        /// Servers that only the parent zone lists.
        parent_only: Vec<String>,
        /// Servers that only the zone itself lists.
        own_only: Vec<String>,
    },
    /// A resolver returns another value than all of the zone's own servers.
    ResolverDiffers { servers: Vec<String> },
    /// The servers have different versions of the zone.
    Serials {
        zone: String,
        /// Server and serial number.
        serials: Vec<(String, u32)>,
    },
    /// The domain is a zone of its own, below the one that probably contains the record.
    HiddenByChildZone {
        /// The name of the child zone.
        zone: String,
        /// The domain's registrable part.
        above: String,
    },
}

/// Returns remarks about a survey besides the judgement about each server. `domain` is the
/// registrable one.
#[must_use]
pub(crate) fn zone_remarks(
    survey: &DnsSurvey,
    judgement: &RecordJudgement,
    domain: &str,
    at: Timestamp,
) -> Vec<ZoneRemark> {
    let mut remarks = Vec::new();
    remarks.extend(hidden_by_child_zone(survey, judgement, domain));
    remarks.extend(disagreement(&judgement.server_judgements));
    if let Some(delegation) = &survey.surroundings.delegation {
        let zone = survey.zone.as_deref().unwrap_or_default();
        remarks.extend(different_serials(delegation, zone));
        remarks.extend(different_name_servers(delegation, zone));
    }
    if let Some((name, chain)) = survey.surroundings.broken_chain.clone() {
        remarks.push(ZoneRemark::Chain { name, chain });
    }
    // If only given servers were queried, they are not treated as caches.
    if survey.surroundings.delegation.is_some() {
        remarks.extend(cached_absence(&judgement.server_judgements, at));
    }
    remarks
}

/// The remark for an absent record in a zone that begins below the registrable domain.
fn hidden_by_child_zone(
    survey: &DnsSurvey,
    judgement: &RecordJudgement,
    domain: &str,
) -> Option<ZoneRemark> {
    let zone = survey.zone.clone()?;
    let is_below = zone
        .strip_suffix(domain)
        .is_some_and(|rest| rest.ends_with('.'));
    (is_below && judgement.verdict == DcvVerdict::Absent).then(|| ZoneRemark::HiddenByChildZone {
        zone,
        above: domain.to_owned(),
    })
}

/// The remark for servers of the zone that disagree, or for a resolver that returns another value
/// than all of them. Absence is reported elsewhere.
fn disagreement(judgements: &[ServerJudgement]) -> Option<ZoneRemark> {
    let values: Vec<(String, String)> = judgements
        .iter()
        .filter(|one| one.server.role == ServerRole::Authoritative)
        .filter_map(|one| {
            Some((
                one.server.to_string(),
                comparable_value(&one.decisive_answer)?,
            ))
        })
        .collect();
    let (_, first_value) = values.first()?;
    if values.iter().any(|(_, value)| value != first_value) {
        return Some(ZoneRemark::Disagree { values });
    }
    let servers: Vec<String> = judgements
        .iter()
        .filter(|one| one.server.role == ServerRole::Resolver)
        .filter(|one| one.verdict != DcvVerdict::Visible)
        .filter(|one| {
            comparable_value(&one.decisive_answer).is_some_and(|value| value != *first_value)
        })
        .map(|one| one.server.to_string())
        .collect();
    (!servers.is_empty()).then_some(ZoneRemark::ResolverDiffers { servers })
}

/// Returns the value in an answer, in a form that does not depend on case or order.
fn comparable_value(answer: &DnsAnswer) -> Option<String> {
    match answer {
        DnsAnswer::Cname(target) => Some(target.to_ascii_lowercase()),
        DnsAnswer::Txt(texts) => {
            let mut texts = texts.clone();
            texts.sort();
            Some(texts.join(" | "))
        }
        _ => None,
    }
}

fn different_serials(delegation: &ZoneDelegation, zone: &str) -> Option<ZoneRemark> {
    let serials = delegation
        .copies
        .iter()
        .filter_map(|copy| Some((copy.server.clone(), copy.serial?)));
    let serials: Vec<(String, u32)> = serials.collect();
    let differ = serials.iter().any(|(_, serial)| *serial != serials[0].1);
    differ.then(|| ZoneRemark::Serials {
        zone: zone.to_owned(),
        serials,
    })
}

fn different_name_servers(delegation: &ZoneDelegation, zone: &str) -> Option<ZoneRemark> {
    let (above, listed) = delegation
        .parent
        .as_ref()
        .filter(|(_, listed)| !listed.is_empty())?;
    let own: BTreeSet<&String> = delegation
        .copies
        .iter()
        .filter_map(|copy| copy.name_servers.as_ref())
        .flatten()
        .collect();
    let listed: BTreeSet<&String> = listed.iter().collect();
    let parent_only: Vec<String> = listed.difference(&own).copied().cloned().collect();
    let own_only: Vec<String> = own.difference(&listed).copied().cloned().collect();
    let same = parent_only.is_empty() && own_only.is_empty();
    (!own.is_empty() && !same).then(|| ZoneRemark::NameServers {
        zone: zone.to_owned(),
        above: above.clone(),
        parent_only,
        own_only,
    })
}

/// The remark that says until when resolvers have cached the absence (RFC 2308 5).
fn cached_absence(judgements: &[ServerJudgement], at: Timestamp) -> Option<ZoneRemark> {
    let absent = judgements.iter().filter_map(|one| {
        match (&one.decisive_answer, one.server.role, one.verdict) {
            (
                DnsAnswer::NoName(seconds) | DnsAnswer::NoData(seconds),
                ServerRole::Resolver,
                DcvVerdict::Absent,
            ) => Some((one, (*seconds)?)),
            _ => None,
        }
    });
    let absent: Vec<(&ServerJudgement, u32)> = absent.filter(|(_, seconds)| *seconds > 0).collect();
    let longest = absent.iter().map(|(_, seconds)| *seconds).max()?;
    let until = at
        .checked_add(SignedDuration::from_secs(i64::from(longest)))
        .ok()?;
    Some(ZoneRemark::AbsenceCached {
        servers: absent
            .iter()
            .map(|(one, _)| one.server.to_string())
            .collect(),
        until,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{ZoneRemark, zone_remarks};
    use crate::dcv::answer::{
        AliasChain, DnsAnswer, DnsServerId, DnsSurvey, ServerRole, SurroundingAnswers, ZoneCopy,
        ZoneDelegation, ZoneServerCoverage,
    };
    use crate::dcv::judge::{DcvVerdict, RecordJudgement, ServerJudgement};

    fn one(
        role: ServerRole,
        number: u8,
        verdict: DcvVerdict,
        answer: DnsAnswer,
    ) -> ServerJudgement {
        let address = format!("192.0.2.{number}:53").parse().ok();
        let name = (role == ServerRole::Authoritative).then(|| format!("ns{number}"));
        ServerJudgement {
            server: DnsServerId {
                address,
                name,
                role,
            },
            verdict,
            decisive_name: "_x.shop.example".to_owned(),
            decisive_answer: answer,
            ttl: None,
        }
    }

    fn cname(role: ServerRole, number: u8, target: &str) -> ServerJudgement {
        one(
            role,
            number,
            DcvVerdict::Different,
            DnsAnswer::Cname(target.to_owned()),
        )
    }

    fn copied(server: &str, serial: Option<u32>, listed: &[&str]) -> ZoneCopy {
        let name_servers =
            (!listed.is_empty()).then(|| listed.iter().map(|name| (*name).to_owned()).collect());
        ZoneCopy {
            server: server.to_owned(),
            serial,
            name_servers,
        }
    }

    fn remarks_about(
        zone: &str,
        judgements: Vec<ServerJudgement>,
        delegation: ZoneDelegation,
    ) -> Vec<ZoneRemark> {
        let around = SurroundingAnswers {
            delegation: Some(delegation),
            ..SurroundingAnswers::default()
        };
        let survey = DnsSurvey {
            zone: Some(zone.to_owned()),
            zone_server_coverage: ZoneServerCoverage::NotRequested,
            server_answers: Vec::new(),
            surroundings: around,
        };
        let verdict = judgements
            .iter()
            .map(|one| one.verdict)
            .max()
            .unwrap_or(DcvVerdict::Visible);
        let judgement = RecordJudgement {
            verdict,
            answered: true,
            server_judgements: judgements,
            reasons: Vec::new(),
        };
        zone_remarks(
            &survey,
            &judgement,
            "shop.example",
            "2026-11-23T14:00:00Z".parse::<Timestamp>().unwrap(),
        )
    }

    #[test]
    fn only_resolvers_cache_an_absence() {
        let absent = |role, seconds| one(role, 1, DcvVerdict::Absent, DnsAnswer::NoName(seconds));
        assert_eq!(
            remarks_about(
                "shop.example",
                vec![absent(ServerRole::Authoritative, Some(900))],
                ZoneDelegation::default()
            ),
            []
        );
        assert_eq!(
            remarks_about(
                "shop.example",
                vec![absent(ServerRole::Resolver, None)],
                ZoneDelegation::default()
            ),
            []
        );
        assert_eq!(
            remarks_about(
                "shop.example",
                vec![absent(ServerRole::Resolver, Some(0))],
                ZoneDelegation::default()
            ),
            []
        );
        let until = "2026-11-23T14:15:00Z".parse().unwrap();
        let servers = vec!["resolver 192.0.2.1".to_owned()];
        let judgements = vec![absent(ServerRole::Resolver, Some(900))];
        assert_eq!(
            remarks_about("shop.example", judgements, ZoneDelegation::default()),
            [ZoneRemark::AbsenceCached { servers, until }]
        );
    }

    #[test]
    fn different_values_are_reported_and_case_is_ignored() {
        use ServerRole::{Authoritative, Resolver};
        let compare =
            |judgements| remarks_about("shop.example", judgements, ZoneDelegation::default());
        assert_eq!(
            compare(vec![
                cname(Authoritative, 1, "a.example"),
                cname(Authoritative, 2, "A.Example")
            ]),
            []
        );
        let apart = compare(vec![
            cname(Authoritative, 1, "a.example"),
            cname(Authoritative, 2, "b.example"),
        ]);
        assert!(
            matches!(&apart[..], [ZoneRemark::Disagree { values }] if values.len() == 2),
            "{apart:?}"
        );
        let view = compare(vec![
            cname(Resolver, 9, "b.example"),
            cname(Authoritative, 1, "a.example"),
        ]);
        assert_eq!(
            view,
            [ZoneRemark::ResolverDiffers {
                servers: vec!["resolver 192.0.2.9".to_owned()]
            }]
        );
        assert_eq!(
            compare(vec![cname(Resolver, 9, "b.example")]),
            [],
            "no server to compare it with"
        );
    }

    #[test]
    fn copies_and_delegations_are_compared() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<String>>()
        };
        let above = |listed: &[&str]| Some(("example".to_owned(), names(listed)));
        let both = ["ns1.example", "ns2.example"];
        let same = vec![
            copied("ns1", Some(7), &both),
            copied("ns2", Some(7), &both),
            copied("ns3", None, &[]),
        ];
        assert_eq!(
            remarks_about(
                "shop.example",
                Vec::new(),
                ZoneDelegation {
                    parent: above(&both),
                    copies: same.clone()
                }
            ),
            []
        );
        assert_eq!(
            remarks_about(
                "shop.example",
                Vec::new(),
                ZoneDelegation {
                    parent: None,
                    copies: same.clone()
                }
            ),
            []
        );
        assert_eq!(
            remarks_about(
                "shop.example",
                Vec::new(),
                ZoneDelegation {
                    parent: above(&both),
                    copies: Vec::new()
                }
            ),
            []
        );
        let moved = ZoneDelegation {
            parent: above(&["ns2.example", "old.example"]),
            copies: same,
        };
        let wanted = ZoneRemark::NameServers {
            zone: "shop.example".to_owned(),
            above: "example".to_owned(),
            parent_only: names(&["old.example"]),
            own_only: names(&["ns1.example"]),
        };
        assert_eq!(remarks_about("shop.example", Vec::new(), moved), [wanted]);
        let aged = vec![copied("ns1", Some(8), &both), copied("ns2", Some(7), &both)];
        let serials = vec![("ns1".to_owned(), 8), ("ns2".to_owned(), 7)];
        let aged = remarks_about(
            "shop.example",
            Vec::new(),
            ZoneDelegation {
                parent: None,
                copies: aged,
            },
        );
        assert_eq!(
            aged,
            [ZoneRemark::Serials {
                zone: "shop.example".to_owned(),
                serials
            }]
        );
    }

    #[test]
    fn a_child_zone_hides_records_of_its_parent() {
        let absent = || {
            vec![one(
                ServerRole::Authoritative,
                1,
                DcvVerdict::Absent,
                DnsAnswer::NoName(None),
            )]
        };
        let hidden_by_child_zone = ZoneRemark::HiddenByChildZone {
            zone: "www.shop.example".to_owned(),
            above: "shop.example".to_owned(),
        };
        assert_eq!(
            remarks_about("www.shop.example", absent(), ZoneDelegation::default()),
            [hidden_by_child_zone]
        );
        assert_eq!(
            remarks_about("shop.example", absent(), ZoneDelegation::default()),
            []
        );
        assert_eq!(
            remarks_about("workshop.example", absent(), ZoneDelegation::default()),
            []
        );
        let there = vec![one(
            ServerRole::Authoritative,
            1,
            DcvVerdict::Visible,
            DnsAnswer::Cname("x".to_owned()),
        )];
        assert_eq!(
            remarks_about("www.shop.example", there, ZoneDelegation::default()),
            []
        );
    }

    #[test]
    fn a_broken_alias_chain_is_reported() {
        let around = SurroundingAnswers {
            broken_chain: Some(("_x.shop.example".to_owned(), AliasChain::Long(16))),
            ..SurroundingAnswers::default()
        };
        let survey = DnsSurvey {
            zone: None,
            zone_server_coverage: ZoneServerCoverage::NotRequested,
            server_answers: Vec::new(),
            surroundings: around,
        };
        let judgement = RecordJudgement {
            verdict: DcvVerdict::Different,
            answered: true,
            server_judgements: Vec::new(),
            reasons: Vec::new(),
        };
        let found = zone_remarks(&survey, &judgement, "shop.example", Timestamp::UNIX_EPOCH);
        assert_eq!(
            found,
            [ZoneRemark::Chain {
                name: "_x.shop.example".to_owned(),
                chain: AliasChain::Long(16)
            }]
        );
    }
}
