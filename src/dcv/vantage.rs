//! What shows when servers are seen side by side: copies of another age, NS records that differ from those of the zone
//! above, an absence that is remembered, an alias that leads nowhere, a zone of its own that shadows the record. Pure.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::answer::{Answer, Chain, Delegation, Role, Survey};
use super::judge::{Judgement, Standing, Verdict};

/// One remark.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Remark {
    /// Resolvers remember that it is absent.
    AbsenceCached {
        /// Who.
        servers: Vec<String>,
        /// Until when.
        until: Timestamp,
    },
    /// The aliases at the record's name.
    Chain {
        /// Where they begin.
        name: String,
        /// Where they go.
        chain: Chain,
    },
    /// The servers answer with different values.
    Disagree {
        /// Who says what.
        said: Vec<(String, String)>,
    },
    /// The NS records of the zone are not those of the zone above.
    NameServers {
        /// The zone.
        zone: String,
        /// The zone above.
        above: String,
        /// Those that only the zone above names.
        above_only: Vec<String>,
        /// Those that only the zone itself names.
        own_only: Vec<String>,
    },
    /// A resolver says something else than all of the zone's own servers.
    ResolverDiffers {
        /// Who.
        servers: Vec<String>,
    },
    /// Copies of another age.
    Serials {
        /// The zone.
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

/// What is to be said about a survey besides each server's own standing. `domain` is the registrable one.
#[must_use]
pub fn remarks(survey: &Survey, judgement: &Judgement, domain: &str, at: Timestamp) -> Vec<Remark> {
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
    remarks.extend(survey.around.chain.clone().map(|(name, chain)| Remark::Chain { name, chain }));
    // One server that alone is asked is no cache.
    let cache = survey.around.delegation.is_some();
    remarks.extend(cache.then(|| absence_cached(&judgement.standings, at)).flatten());
    remarks
}

/// Nothing is there, and the zone begins below the domain that people have a panel for.
fn shadowed(survey: &Survey, judgement: &Judgement, domain: &str) -> Option<Remark> {
    let (zone, above) = (survey.zone.clone()?, domain.to_owned());
    let below = zone.strip_suffix(&above).is_some_and(|rest| rest.ends_with('.'));
    (below && judgement.verdict == Verdict::Absent).then_some(Remark::Shadowed { zone, above })
}

/// The own servers say one thing and a resolver another, or they do not agree themselves. Absence is told elsewhere.
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
    let said: Vec<(String, String)> =
        of(Role::Authoritative).filter_map(|one| Some((one.server.to_string(), value(one)?))).collect();
    let values: BTreeSet<&String> = said.iter().map(|(_, value)| value).collect();
    if values.len() > 1 {
        return Some(Remark::Disagree { said });
    }
    let value_here = values.first()?;
    let others = of(Role::Resolver).filter(|one| value(one).is_some_and(|value| value != **value_here));
    let servers: Vec<String> = others.map(|one| one.server.to_string()).collect();
    (!servers.is_empty()).then_some(Remark::ResolverDiffers { servers })
}

fn serials(delegation: &Delegation, zone: &str) -> Option<Remark> {
    let serials = delegation.copies.iter().filter_map(|copy| Some((copy.server.clone(), copy.serial?)));
    let serials: Vec<(String, u32)> = serials.collect();
    let differ = serials.iter().any(|(_, serial)| *serial != serials[0].1);
    differ.then(|| Remark::Serials { zone: zone.to_owned(), serials })
}

fn name_servers(delegation: &Delegation, zone: &str) -> Option<Remark> {
    let (above, named) = delegation.above.as_ref().filter(|(_, named)| !named.is_empty())?;
    let own: BTreeSet<&String> = delegation.copies.iter().filter_map(|copy| copy.named.as_ref()).flatten().collect();
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
    let absent = standings.iter().filter_map(|one| match (&one.answer, one.server.role, one.verdict) {
        (Answer::NoName(seconds) | Answer::NoData(seconds), Role::Resolver, Verdict::Absent) => {
            Some((one, (*seconds)?))
        }
        _ => None,
    });
    let absent: Vec<(&Standing, u32)> = absent.filter(|(_, seconds)| *seconds > 0).collect();
    let longest = absent.iter().map(|(_, seconds)| *seconds).max()?;
    let until = at.checked_add(SignedDuration::from_secs(i64::from(longest))).ok()?;
    Some(Remark::AbsenceCached { servers: absent.iter().map(|(one, _)| one.server.to_string()).collect(), until })
}
