//! What shows when servers are seen side by side: copies of another age, NS records that differ
//! from those of the zone above, an absence that is remembered, an alias that leads nowhere, a zone
//! of its own that shadows the record. Pure.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::answer::{Answer, Chain, Delegation, Role, Survey};
use super::judge::{Judgement, Standing, Verdict};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Remark {
    /// Resolvers remember that it is absent.
    AbsenceCached {
        servers: Vec<String>,
        until: Timestamp,
    },
    /// The aliases at the record's name.
    Chain { name: String, chain: Chain },
    /// The servers answer with different values.
    Disagree { said: Vec<(String, String)> },
    /// The NS records of the zone are not those of the zone above.
    NameServers {
        zone: String,
        above: String,
        /// Those that only the zone above names.
        above_only: Vec<String>,
        /// Those that only the zone itself names.
        own_only: Vec<String>,
    },
    /// A resolver says something else than all of the zone's own servers.
    ResolverDiffers { servers: Vec<String> },
    /// Copies of another age.
    Serials {
        zone: String,
        /// Server and serial number.
        serials: Vec<(String, u32)>,
    },
    /// The domain is a zone of its own, below the one that the record is likely in.
    Shadowed {
        /// The zone of its own.
        zone: String,
        /// The domain's registrable part.
        above: String,
    },
}

/// What is to be said about a survey besides each server's own standing. `domain` is the
/// registrable one.
#[must_use]
pub(crate) fn remarks(
    survey: &Survey,
    judgement: &Judgement,
    domain: &str,
    at: Timestamp,
) -> Vec<Remark> {
    let mut remarks = Vec::new();
    remarks.extend(shadowed(survey, judgement, domain));
    remarks.extend(disagreement(&judgement.standings));
    remarks.extend(
        survey
            .around
            .delegation
            .as_ref()
            .into_iter()
            .flat_map(|delegation| {
                let zone = survey.zone.clone().unwrap_or_default();
                [serials(delegation, &zone), name_servers(delegation, &zone)]
            })
            .flatten(),
    );
    remarks.extend(
        survey
            .around
            .chain
            .clone()
            .map(|(name, chain)| Remark::Chain { name, chain }),
    );
    // One server that alone is asked is no cache.
    let cache = survey.around.delegation.is_some();
    remarks.extend(
        cache
            .then(|| absence_cached(&judgement.standings, at))
            .flatten(),
    );
    remarks
}

/// Nothing is there, and the zone begins below the domain that people have a panel for.
fn shadowed(survey: &Survey, judgement: &Judgement, domain: &str) -> Option<Remark> {
    let (zone, above) = (survey.zone.clone()?, domain.to_owned());
    let below = zone
        .strip_suffix(&above)
        .is_some_and(|rest| rest.ends_with('.'));
    (below && judgement.verdict == Verdict::Absent).then_some(Remark::Shadowed { zone, above })
}

/// The own servers say one thing and a resolver another, or they do not agree themselves. Absence
/// is told elsewhere.
fn disagreement(standings: &[Standing]) -> Option<Remark> {
    let value = |one: &Standing| match &one.answer {
        Answer::Cname(target) => Some(target.to_ascii_lowercase()),
        Answer::Txt(texts) => {
            let mut texts = texts.clone();
            texts.sort();
            Some(texts.join(" | "))
        }
        _ => None,
    };
    let of = |role| standings.iter().filter(move |one| one.server.role == role);
    let said: Vec<(String, String)> = of(Role::Authoritative)
        .filter_map(|one| Some((one.server.to_string(), value(one)?)))
        .collect();
    let values: BTreeSet<&String> = said.iter().map(|(_, value)| value).collect();
    if values.len() > 1 {
        return Some(Remark::Disagree { said });
    }
    let value_here = values.first()?;
    let others = of(Role::Resolver).filter(|one| {
        one.verdict != Verdict::Visible && value(one).is_some_and(|value| value != **value_here)
    });
    let servers: Vec<String> = others.map(|one| one.server.to_string()).collect();
    (!servers.is_empty()).then_some(Remark::ResolverDiffers { servers })
}

fn serials(delegation: &Delegation, zone: &str) -> Option<Remark> {
    let serials = delegation
        .copies
        .iter()
        .filter_map(|copy| Some((copy.server.clone(), copy.serial?)));
    let serials: Vec<(String, u32)> = serials.collect();
    let differ = serials.iter().any(|(_, serial)| *serial != serials[0].1);
    differ.then(|| Remark::Serials {
        zone: zone.to_owned(),
        serials,
    })
}

fn name_servers(delegation: &Delegation, zone: &str) -> Option<Remark> {
    let (above, named) = delegation
        .above
        .as_ref()
        .filter(|(_, named)| !named.is_empty())?;
    let own: BTreeSet<&String> = delegation
        .copies
        .iter()
        .filter_map(|copy| copy.named.as_ref())
        .flatten()
        .collect();
    let named: BTreeSet<&String> = named.iter().collect();
    let only = |one: &BTreeSet<&String>, other: &BTreeSet<&String>| -> Vec<String> {
        one.difference(other).map(|name| (*name).clone()).collect()
    };
    let (above_only, own_only) = (only(&named, &own), only(&own, &named));
    let same = above_only.is_empty() && own_only.is_empty();
    (!own.is_empty() && !same).then(|| Remark::NameServers {
        zone: zone.to_owned(),
        above: above.clone(),
        above_only,
        own_only,
    })
}

/// Until when resolvers go on saying that it is not there (RFC 2308 5).
fn absence_cached(standings: &[Standing], at: Timestamp) -> Option<Remark> {
    let absent =
        standings
            .iter()
            .filter_map(|one| match (&one.answer, one.server.role, one.verdict) {
                (
                    Answer::NoName(seconds) | Answer::NoData(seconds),
                    Role::Resolver,
                    Verdict::Absent,
                ) => Some((one, (*seconds)?)),
                _ => None,
            });
    let absent: Vec<(&Standing, u32)> = absent.filter(|(_, seconds)| *seconds > 0).collect();
    let longest = absent.iter().map(|(_, seconds)| *seconds).max()?;
    let until = at
        .checked_add(SignedDuration::from_secs(i64::from(longest)))
        .ok()?;
    Some(Remark::AbsenceCached {
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

    use super::{Remark, remarks};
    use crate::dcv::answer::{
        Answer, Around, Chain, Copied, Delegation, OwnServers, Role, Server, Survey,
    };
    use crate::dcv::judge::{Judgement, Standing, Verdict};

    fn one(role: Role, number: u8, verdict: Verdict, answer: Answer) -> Standing {
        let address = format!("192.0.2.{number}:53").parse().ok();
        let name = (role == Role::Authoritative).then(|| format!("ns{number}"));
        Standing {
            server: Server {
                address,
                name,
                role,
            },
            verdict,
            at: "_x.shop.example".to_owned(),
            answer,
            ttl: None,
        }
    }

    fn cname(role: Role, number: u8, target: &str) -> Standing {
        one(
            role,
            number,
            Verdict::Different,
            Answer::Cname(target.to_owned()),
        )
    }

    fn copied(server: &str, serial: Option<u32>, named: &[&str]) -> Copied {
        let named =
            (!named.is_empty()).then(|| named.iter().map(|name| (*name).to_owned()).collect());
        Copied {
            server: server.to_owned(),
            serial,
            named,
        }
    }

    fn told(zone: &str, standings: Vec<Standing>, delegation: Delegation) -> Vec<Remark> {
        let around = Around {
            delegation: Some(delegation),
            ..Around::default()
        };
        let survey = Survey {
            zone: Some(zone.to_owned()),
            own_servers: OwnServers::NotWanted,
            said: Vec::new(),
            around,
        };
        let verdict = standings
            .iter()
            .map(|one| one.verdict)
            .max()
            .unwrap_or(Verdict::Visible);
        let judgement = Judgement {
            verdict,
            answered: true,
            standings,
            reasons: Vec::new(),
        };
        remarks(
            &survey,
            &judgement,
            "shop.example",
            "2026-11-23T14:00:00Z".parse::<Timestamp>().unwrap(),
        )
    }

    #[test]
    fn an_absence_is_remembered_by_resolvers_alone() {
        let absent = |role, seconds| one(role, 1, Verdict::Absent, Answer::NoName(seconds));
        assert_eq!(
            told(
                "shop.example",
                vec![absent(Role::Authoritative, Some(900))],
                Delegation::default()
            ),
            []
        );
        assert_eq!(
            told(
                "shop.example",
                vec![absent(Role::Resolver, None)],
                Delegation::default()
            ),
            []
        );
        assert_eq!(
            told(
                "shop.example",
                vec![absent(Role::Resolver, Some(0))],
                Delegation::default()
            ),
            []
        );
        let until = "2026-11-23T14:15:00Z".parse().unwrap();
        let servers = vec!["resolver 192.0.2.1".to_owned()];
        let standings = vec![absent(Role::Resolver, Some(900))];
        assert_eq!(
            told("shop.example", standings, Delegation::default()),
            [Remark::AbsenceCached { servers, until }]
        );
    }

    #[test]
    fn values_that_differ_are_told_and_case_does_not_count() {
        use Role::{Authoritative, Resolver};
        let told = |standings| told("shop.example", standings, Delegation::default());
        assert_eq!(
            told(vec![
                cname(Authoritative, 1, "a.example"),
                cname(Authoritative, 2, "A.Example")
            ]),
            []
        );
        let apart = told(vec![
            cname(Authoritative, 1, "a.example"),
            cname(Authoritative, 2, "b.example"),
        ]);
        assert!(
            matches!(&apart[..], [Remark::Disagree { said }] if said.len() == 2),
            "{apart:?}"
        );
        let view = told(vec![
            cname(Resolver, 9, "b.example"),
            cname(Authoritative, 1, "a.example"),
        ]);
        assert_eq!(
            view,
            [Remark::ResolverDiffers {
                servers: vec!["resolver 192.0.2.9".to_owned()]
            }]
        );
        assert_eq!(
            told(vec![cname(Resolver, 9, "b.example")]),
            [],
            "nobody to compare it with"
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
        let above = |named: &[&str]| Some(("example".to_owned(), names(named)));
        let both = ["ns1.example", "ns2.example"];
        let same = vec![
            copied("ns1", Some(7), &both),
            copied("ns2", Some(7), &both),
            copied("ns3", None, &[]),
        ];
        assert_eq!(
            told(
                "shop.example",
                Vec::new(),
                Delegation {
                    above: above(&both),
                    copies: same.clone()
                }
            ),
            []
        );
        assert_eq!(
            told(
                "shop.example",
                Vec::new(),
                Delegation {
                    above: None,
                    copies: same.clone()
                }
            ),
            []
        );
        assert_eq!(
            told(
                "shop.example",
                Vec::new(),
                Delegation {
                    above: above(&both),
                    copies: Vec::new()
                }
            ),
            []
        );
        let moved = Delegation {
            above: above(&["ns2.example", "old.example"]),
            copies: same,
        };
        let wanted = Remark::NameServers {
            zone: "shop.example".to_owned(),
            above: "example".to_owned(),
            above_only: names(&["old.example"]),
            own_only: names(&["ns1.example"]),
        };
        assert_eq!(told("shop.example", Vec::new(), moved), [wanted]);
        let aged = vec![copied("ns1", Some(8), &both), copied("ns2", Some(7), &both)];
        let serials = vec![("ns1".to_owned(), 8), ("ns2".to_owned(), 7)];
        let aged = told(
            "shop.example",
            Vec::new(),
            Delegation {
                above: None,
                copies: aged,
            },
        );
        assert_eq!(
            aged,
            [Remark::Serials {
                zone: "shop.example".to_owned(),
                serials
            }]
        );
    }

    #[test]
    fn a_zone_of_its_own_shadows_what_is_absent_there() {
        let absent = || {
            vec![one(
                Role::Authoritative,
                1,
                Verdict::Absent,
                Answer::NoName(None),
            )]
        };
        let shadowed = Remark::Shadowed {
            zone: "www.shop.example".to_owned(),
            above: "shop.example".to_owned(),
        };
        assert_eq!(
            told("www.shop.example", absent(), Delegation::default()),
            [shadowed]
        );
        assert_eq!(told("shop.example", absent(), Delegation::default()), []);
        assert_eq!(
            told("workshop.example", absent(), Delegation::default()),
            []
        );
        let there = vec![one(
            Role::Authoritative,
            1,
            Verdict::Visible,
            Answer::Cname("x".to_owned()),
        )];
        assert_eq!(told("www.shop.example", there, Delegation::default()), []);
    }

    #[test]
    fn where_an_alias_leads_is_passed_on() {
        let around = Around {
            chain: Some(("_x.shop.example".to_owned(), Chain::Long(16))),
            ..Around::default()
        };
        let survey = Survey {
            zone: None,
            own_servers: OwnServers::NotWanted,
            said: Vec::new(),
            around,
        };
        let judgement = Judgement {
            verdict: Verdict::Different,
            answered: true,
            standings: Vec::new(),
            reasons: Vec::new(),
        };
        let told = remarks(&survey, &judgement, "shop.example", Timestamp::UNIX_EPOCH);
        assert_eq!(
            told,
            [Remark::Chain {
                name: "_x.shop.example".to_owned(),
                chain: Chain::Long(16)
            }]
        );
    }
}
