//! Would the CA see the proof now? One expectation, what all servers said, and the verdict with its reasons.

use super::answer::{Answer, Asked, LeftOut, OwnServers, RecordKind, Role, Said, Server, Survey};
use super::expect::{Expectation, Place, Source};
use super::record;

/// The verdict on one server, one record, or all of them. Ordered: the worse one counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Verdict {
    /// The CA would see it.
    Visible,
    /// No server answered, or not all of them.
    Unreachable,
    /// Something of this request is there, but its unique value was never compared with the shop's record.
    Unchecked,
    /// It is not there.
    Absent,
    /// It is there, at a name that the CA does not ask for.
    WrongPlace,
    /// Something else is there.
    Different,
}

impl Verdict {
    /// The word in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Visible => "visible",
            Self::Unreachable => "unreachable",
            Self::Unchecked => "unchecked",
            Self::Absent => "absent",
            Self::WrongPlace => "wrong-place",
            Self::Different => "different",
        }
    }
}

/// What one server's answers come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// Who.
    pub server: Server,
    /// What it comes to.
    pub verdict: Verdict,
    /// The name whose answer decided.
    pub at: String,
    /// The answer that decided.
    pub answer: Answer,
}

/// Why a verdict is what it is: facts; `failure::dcv` has the words and the advice.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reason {
    /// It is at another name than the record's own.
    Elsewhere {
        /// Where it is.
        at: String,
        /// How that name came about.
        how: Elsewhere,
    },
    /// No way from this machine to some servers.
    NoRoute {
        /// Who they are.
        servers: Vec<String>,
    },
    /// The domain has no servers of its own: not registered, expired, or without NS records at the registrar.
    NotDelegated {
        /// The registrable domain.
        domain: String,
    },
    /// It is in the zone but some servers have an older copy.
    NotEverywhere {
        /// Who lacks it.
        servers: Vec<String>,
    },
    /// It is nowhere.
    NotPublished {
        /// The name.
        name: String,
        /// Who said so.
        servers: Vec<String>,
    },
    /// The zone's own servers could not be found.
    OwnServersNotFound {
        /// The domain.
        domain: String,
    },
    /// The zone's servers have it; a resolver remembers from before that it was absent.
    ResolverRemembers {
        /// Who.
        servers: Vec<String>,
        /// How long it may go on, as it said.
        seconds: Option<u32>,
    },
    /// Some server did not answer the question.
    Silent {
        /// Who.
        servers: Vec<String>,
        /// What came instead.
        answer: Answer,
    },
    /// The zone has more servers than were asked.
    TooManyServers {
        /// The domain.
        domain: String,
        /// How many are left.
        left_out: LeftOut,
    },
    /// The value is not known to be right.
    Value {
        /// Where.
        at: String,
        /// What is there.
        seen: String,
        /// What should be there, as far as it is known.
        wanted: String,
        /// What is the matter with it.
        flaw: Flaw,
    },
}

/// How a record came to stand at another name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Elsewhere {
    /// It is below the domain, which it does not prove.
    Below {
        /// The domain.
        domain: String,
    },
    /// The zone's name was typed into a panel that adds it by itself.
    Doubled {
        /// The zone.
        zone: String,
        /// The host to type instead.
        relative: String,
    },
    /// The underscore in front is missing.
    NoUnderscore,
    /// It is at a parent domain, where the CA looks too.
    Parent,
}

/// What is the matter with a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flaw {
    /// It was made from another request.
    AnotherRequest,
    /// Neither right nor of a kind that tells how it came about.
    Other,
    /// Of this request, but with another unique value than the shop's.
    OtherUnique,
    /// Of this request, but the shop's record was never given to compare its end with.
    Unchecked,
    /// A wildcard record answers for every name.
    Wildcard,
    /// The DNS provider added the zone's name to it.
    WithZone,
}

/// What all answers about one record come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// False when no server answered the question.
    pub answered: bool,
    /// One for each server.
    pub standings: Vec<Standing>,
    /// Why, each once.
    pub reasons: Vec<Reason>,
}

/// Judges what servers said about one record.
#[must_use]
pub fn judge(expected: &Expectation, survey: &Survey) -> Judgement {
    let view = View { expected, zone: survey.zone.as_deref(), places: expected.places(survey.zone.as_deref()) };
    let standings: Vec<Standing> = survey.said.iter().map(|said| view.standing(said)).collect();
    let answered = standings.iter().any(|one| one.answer.is_answer());
    // Where this machine has no way to (IPv6 without IPv6), nobody was asked and nothing is known to be wrong.
    let asked = standings.iter().filter(|one| one.answer != Answer::NoRoute);
    let mut verdict = asked.map(|one| one.verdict).max().unwrap_or(Verdict::Unreachable);
    if !survey.own_servers.are_enough() {
        verdict = verdict.max(Verdict::Unreachable);
    }
    let mut reasons: Vec<Reason> = Vec::new();
    for reason in standings.iter().filter_map(|one| view.reason(one)).chain(view.overall(&standings, survey)) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    Judgement { verdict, answered, standings, reasons }
}

struct View<'a> {
    expected: &'a Expectation,
    zone: Option<&'a str>,
    places: Vec<(Place, String)>,
}

impl View<'_> {
    /// The answer that decides for one server: the right value where the CA looks, else what it finds there, else the
    /// right value where it does not look, else the absence.
    fn standing(&self, said: &Said) -> Standing {
        let rank = |asked: &&Asked| {
            let verdict = self.verdict(&asked.name, &asked.answer);
            let looked_at = matches!(self.place(&asked.name), Some(Place::Here | Place::Parent));
            match verdict {
                Verdict::Visible => 0,
                Verdict::Unchecked if looked_at => 1,
                Verdict::Different if looked_at => 2,
                Verdict::WrongPlace => 3,
                _ if self.place(&asked.name) == Some(Place::Here) => 4,
                _ => 5,
            }
        };
        match said.answers.iter().filter(|asked| asked.kind == RecordKind::Cname).min_by_key(rank) {
            Some(Asked { name, answer, .. }) => Standing {
                server: said.server.clone(),
                verdict: self.verdict(name, answer),
                at: name.clone(),
                answer: answer.clone(),
            },
            None => Standing {
                server: said.server.clone(),
                verdict: Verdict::Unreachable,
                at: self.expected.record.name.clone(),
                answer: Answer::Timeout,
            },
        }
    }

    fn verdict(&self, at: &str, answer: &Answer) -> Verdict {
        match (answer, self.place(at)) {
            (Answer::Cname(seen), Some(Place::Here | Place::Parent)) => match self.flaw(seen) {
                None => Verdict::Visible,
                Some(Flaw::Unchecked) => Verdict::Unchecked,
                Some(_) => Verdict::Different,
            },
            // Elsewhere, only what was meant for this request counts.
            (Answer::Cname(seen), Some(_)) => match self.flaw(seen) {
                Some(Flaw::AnotherRequest | Flaw::Other) => Verdict::Absent,
                _ => Verdict::WrongPlace,
            },
            (answer, _) if answer.is_answer() && *answer != Answer::Bogus => Verdict::Absent,
            _ => Verdict::Unreachable,
        }
    }

    fn place(&self, at: &str) -> Option<Place> {
        self.places.iter().find(|(_, name)| name == at).map(|(place, _)| *place)
    }

    /// `None` for a value known to be right.
    fn flaw(&self, seen: &str) -> Option<Flaw> {
        let seen = seen.to_ascii_lowercase();
        if self.expected.values.iter().any(|value| value.eq_ignore_ascii_case(&seen)) {
            return None;
        }
        let rest = seen.strip_prefix(&self.expected.target).and_then(|rest| rest.strip_prefix('.'));
        let own_zone = |rest: &str| self.zone.is_some_and(|zone| rest.ends_with(&format!(".{zone}")));
        Some(match rest {
            Some(rest) if own_zone(rest) => Flaw::WithZone,
            Some(_) if self.expected.source == Source::Shop => Flaw::OtherUnique,
            Some(_) => Flaw::Unchecked,
            None if made_of_a_request(&seen) => Flaw::AnotherRequest,
            None => Flaw::Other,
        })
    }

    /// Why one server's standing is what it is, where it is the answer itself that tells.
    fn reason(&self, one: &Standing) -> Option<Reason> {
        let Answer::Cname(seen) = &one.answer else { return None };
        let (at, place, flaw) = (one.at.clone(), self.place(&one.at)?, self.flaw(seen));
        let how = match (place, flaw) {
            (Place::Here, None)
            | (Place::Below | Place::Doubled | Place::NoUnderscore, Some(Flaw::AnotherRequest | Flaw::Other)) => {
                return None;
            }
            (Place::Here | Place::Parent, Some(flaw)) => {
                return Some(Reason::Value { at, seen: seen.clone(), wanted: self.wanted(), flaw });
            }
            (Place::Parent, None) => Elsewhere::Parent,
            (Place::Below, _) => Elsewhere::Below { domain: self.expected.domain.clone() },
            (Place::NoUnderscore, _) => Elsewhere::NoUnderscore,
            (Place::Doubled, _) => Elsewhere::Doubled {
                zone: self.zone.unwrap_or_default().to_owned(),
                relative: record::relative(&self.expected.record.name, self.zone.unwrap_or_default()),
            },
        };
        Some(Reason::Elsewhere { at, how })
    }

    /// Reasons that only show when servers are seen side by side.
    fn overall(&self, standings: &[Standing], survey: &Survey) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let visible = standings.iter().any(|one| matches!(one.verdict, Verdict::Visible | Verdict::Unchecked));
        let absent: Vec<&Standing> = standings.iter().filter(|one| one.verdict == Verdict::Absent).collect();
        let own: Vec<&Standing> = absent.iter().copied().filter(|one| one.server.role == Role::Authoritative).collect();
        let name = self.expected.record.name.clone();
        if visible && !own.is_empty() {
            reasons.push(Reason::NotEverywhere { servers: shown(&own) });
        } else if visible && !absent.is_empty() {
            let seconds = absent.iter().filter_map(|one| remembered(&one.answer)).max();
            reasons.push(Reason::ResolverRemembers { servers: shown(&absent), seconds });
        } else if !absent.is_empty() {
            reasons.push(Reason::NotPublished { name, servers: shown(&absent) });
        }
        reasons.extend(self.wildcard(survey));
        reasons.extend(silent(standings));
        match survey.own_servers {
            OwnServers::NotWanted => {}
            OwnServers::Asked(left_out) if left_out == LeftOut::default() => {}
            OwnServers::Asked(left_out) => {
                reasons.push(Reason::TooManyServers { domain: self.expected.domain.clone(), left_out });
            }
            OwnServers::NotDelegated => {
                reasons.push(Reason::NotDelegated { domain: self.expected.record.zone.clone() });
            }
            OwnServers::NotFound => {
                reasons.push(Reason::OwnServersNotFound { domain: self.expected.domain.clone() });
            }
        }
        reasons
    }

    /// The same foreign target at the record's name and at the doubled zone, where nobody put anything.
    fn wildcard(&self, survey: &Survey) -> Option<Reason> {
        let doubled = &self.places.iter().find(|(place, _)| *place == Place::Doubled)?.1;
        survey.said.iter().find_map(|said| {
            let target = |name: &str| {
                said.answers.iter().find_map(|asked| match &asked.answer {
                    Answer::Cname(seen) if asked.name == name => Some(seen),
                    _ => None,
                })
            };
            let seen = target(doubled).filter(|seen| target(&self.expected.record.name) == Some(*seen))?;
            let reason = || Reason::Value {
                at: self.expected.record.name.clone(),
                seen: seen.clone(),
                wanted: self.wanted(),
                flaw: Flaw::Wildcard,
            };
            (self.flaw(seen) == Some(Flaw::Other)).then(reason)
        })
    }

    fn wanted(&self) -> String {
        let record = &self.expected.record;
        record.value.clone().or_else(|| record.shape.clone()).unwrap_or_default()
    }
}

/// Who did not answer, by what came instead.
fn silent(standings: &[Standing]) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for one in standings.iter().filter(|one| one.verdict == Verdict::Unreachable) {
        if reasons.iter().any(|reason| matches!(reason, Reason::Silent { answer, .. } if *answer == one.answer)) {
            continue;
        }
        let same: Vec<&Standing> = standings.iter().filter(|other| other.answer == one.answer).collect();
        reasons.push(match one.answer {
            Answer::NoRoute => Reason::NoRoute { servers: shown(&same) },
            _ => Reason::Silent { servers: shown(&same), answer: one.answer.clone() },
        });
    }
    reasons
}

fn shown(standings: &[&Standing]) -> Vec<String> {
    standings.iter().map(|one| one.server.to_string()).collect()
}

fn remembered(answer: &Answer) -> Option<u32> {
    match answer {
        Answer::NoName(seconds) | Answer::NoData(seconds) => *seconds,
        _ => None,
    }
}

/// `<32 hex>.<32 hex>.` in front: some request's SHA-256.
fn made_of_a_request(value: &str) -> bool {
    let hash = |label: &str| label.len() == 32 && label.bytes().all(|b| b.is_ascii_hexdigit());
    let mut labels = value.split('.');
    labels.next().is_some_and(hash) && labels.next().is_some_and(hash)
}

#[cfg(test)]
mod tests {
    use super::{Elsewhere, Flaw, Judgement, Reason, Verdict, judge};
    use crate::dcv::answer::{Answer, Around, Asked, LeftOut, OwnServers, RecordKind, Role, Said, Server, Survey};
    use crate::dcv::expect::{Expectation, Place, expectations};
    use crate::dcv::parse::parse;
    use crate::pki::request::SigningRequest;

    const HASH: &str = "46b9c075c165526983f73319a38c647b.f35bf554d979c464b01d99f8839ba328";
    const NAME: &str = "_6fcfe984ac87413b45a0d531d2172600.example.com";

    fn expected() -> Expectation {
        let block = pem::parse(include_bytes!("../../fixtures/namecheap-doc.csr")).unwrap();
        let request = SigningRequest::from_der(block.contents()).unwrap();
        let given = parse(&format!("{NAME} {HASH}.u1.comodoca.com")).unwrap();
        expectations(&request, None, &given).remove(0)
    }

    fn right() -> Answer {
        Answer::Cname(format!("{}.U1.comodoca.com", HASH.to_uppercase()))
    }

    fn asked(name: &str, answer: Answer) -> Asked {
        Asked { name: name.to_owned(), kind: RecordKind::Cname, answer }
    }

    /// The zone's own servers and, last, a resolver say this about the record's own name.
    fn survey(answers: &[Answer]) -> Survey {
        let said = answers.iter().enumerate().map(|(index, answer)| {
            let role = if index + 1 == answers.len() { Role::Resolver } else { Role::Authoritative };
            let address = format!("192.0.2.{}:53", index + 1).parse().ok();
            let server = Server { address, name: Some(format!("ns{}", index + 1)), role };
            Said { server, answers: vec![asked(NAME, answer.clone())] }
        });
        Survey {
            zone: Some("example.com".to_owned()),
            own_servers: OwnServers::Asked(LeftOut::default()),
            said: said.collect(),
            around: Around::default(),
        }
    }

    /// The first letters of the reasons' variants stand for them.
    fn told(judgement: &Judgement) -> Vec<&'static str> {
        let word = |reason: &Reason| match reason {
            Reason::Elsewhere { .. } => "elsewhere",
            Reason::NoRoute { .. } => "no-route",
            Reason::NotDelegated { .. } => "not-delegated",
            Reason::NotEverywhere { .. } => "not-everywhere",
            Reason::NotPublished { .. } => "not-published",
            Reason::OwnServersNotFound { .. } => "own-servers",
            Reason::ResolverRemembers { .. } => "resolver",
            Reason::Silent { .. } => "silent",
            Reason::TooManyServers { .. } => "too-many",
            Reason::Value { .. } => "value",
        };
        judgement.reasons.iter().map(word).collect()
    }

    #[test]
    fn every_server_that_was_asked_counts() {
        let (nothing, no_data) = (|| Answer::NoName(Some(600)), || Answer::NoData(None));
        let other = || Answer::Cname("x.example".to_owned());
        for (answers, verdict, answered, reasons) in [
            (vec![right(), right(), right()], Verdict::Visible, true, vec![]),
            (vec![right(), Answer::NoRoute, right()], Verdict::Visible, true, vec!["no-route"]),
            (vec![nothing(), no_data(), nothing()], Verdict::Absent, true, vec!["not-published"]),
            (vec![right(), nothing(), right()], Verdict::Absent, true, vec!["not-everywhere"]),
            (vec![right(), right(), nothing()], Verdict::Absent, true, vec!["resolver"]),
            (vec![right(), Answer::Timeout, right()], Verdict::Unreachable, true, vec!["silent"]),
            (vec![right(), Answer::NoAddress, right()], Verdict::Unreachable, true, vec!["silent"]),
            (vec![right(), Answer::Lame, right()], Verdict::Unreachable, true, vec!["silent"]),
            (
                vec![Answer::Timeout, Answer::Refused, Answer::Refused],
                Verdict::Unreachable,
                false,
                vec!["silent", "silent"],
            ),
            (vec![right(), right(), Answer::Bogus], Verdict::Unreachable, true, vec!["silent"]),
            (vec![Answer::NoRoute, Answer::NoRoute], Verdict::Unreachable, false, vec!["no-route"]),
            (vec![other(), right(), right()], Verdict::Different, true, vec!["value"]),
            (
                vec![other(), nothing(), Answer::ServFail],
                Verdict::Different,
                true,
                vec!["value", "not-published", "silent"],
            ),
        ] {
            let judgement = judge(&expected(), &survey(&answers));
            assert_eq!((judgement.verdict, judgement.answered), (verdict, answered), "{answers:?}");
            assert_eq!(told(&judgement), reasons, "{answers:?}");
        }
    }

    #[test]
    fn without_the_zones_own_servers_nothing_is_visible() {
        let mut alone = survey(&[right()]);
        for (own_servers, verdict) in [
            (OwnServers::Asked(LeftOut::default()), Verdict::Visible),
            (OwnServers::Asked(LeftOut { names: 1, addresses: 0 }), Verdict::Unreachable),
            (OwnServers::Asked(LeftOut { names: 0, addresses: 1 }), Verdict::Unreachable),
            (OwnServers::NotWanted, Verdict::Visible),
            (OwnServers::NotFound, Verdict::Unreachable),
            (OwnServers::NotDelegated, Verdict::Unreachable),
        ] {
            alone.own_servers = own_servers;
            assert_eq!(judge(&expected(), &alone).verdict, verdict);
        }
    }

    #[test]
    fn a_value_is_told_by_what_it_is_made_of() {
        let mut unknown = expected();
        unknown.source = crate::dcv::expect::Source::Nowhere;
        unknown.values.clear();
        let another = format!("{0}.{0}.sectigo.com", "0".repeat(32));
        for (seen, known, flaw) in [
            (format!("{HASH}.u1.comodoca.com"), true, None),
            (format!("{HASH}.u2.comodoca.com"), true, Some(Flaw::OtherUnique)),
            (format!("{HASH}.u1.comodoca.com.example.com"), true, Some(Flaw::WithZone)),
            (format!("{HASH}.u1.comodoca.com.example.com"), false, Some(Flaw::WithZone)),
            (format!("{HASH}.u1.comodoca.com"), false, Some(Flaw::Unchecked)),
            (format!("{HASH}.sectigo.com"), false, Some(Flaw::Unchecked)),
            (format!("{HASH}0.sectigo.com"), false, Some(Flaw::Other)),
            (another, true, Some(Flaw::AnotherRequest)),
            ("\u{1b}[31m.example".to_owned(), true, Some(Flaw::Other)),
        ] {
            let judgement =
                judge(&if known { expected() } else { unknown.clone() }, &survey(&[Answer::Cname(seen.clone())]));
            let told = judgement.reasons.iter().find_map(|reason| match reason {
                Reason::Value { flaw, .. } => Some(*flaw),
                _ => None,
            });
            assert_eq!(told, flaw, "{seen}");
        }
    }

    #[test]
    fn a_record_at_another_name_is_found() {
        let mut expected = expected();
        let names = ["www.example.com".to_owned()];
        expected.domain = names[0].clone();
        expected.record.name = NAME.replace("example", "www.example");
        for (place, verdict) in [
            (Place::Here, Verdict::Visible),
            (Place::Parent, Verdict::Visible),
            (Place::Doubled, Verdict::WrongPlace),
            (Place::NoUnderscore, Verdict::WrongPlace),
        ] {
            let mut survey = survey(&[Answer::NoName(None)]);
            survey.said[0].answers = expected
                .places(Some("example.com"))
                .into_iter()
                .map(|(one, name)| asked(&name, if one == place { right() } else { Answer::NoName(None) }))
                .collect();
            let judgement = judge(&expected, &survey);
            assert_eq!(judgement.verdict, verdict, "{place:?}");
            let how = judgement.reasons.iter().find_map(|reason| match reason {
                Reason::Elsewhere { how, .. } => Some(how.clone()),
                _ => None,
            });
            let relative = expected.record.name.strip_suffix(".example.com").unwrap().to_owned();
            let wanted = match place {
                Place::Parent => Some(Elsewhere::Parent),
                Place::Doubled => Some(Elsewhere::Doubled { zone: "example.com".to_owned(), relative }),
                Place::NoUnderscore => Some(Elsewhere::NoUnderscore),
                Place::Here | Place::Below => None,
            };
            assert_eq!(how, wanted, "{place:?}");
        }
    }

    #[test]
    fn a_right_record_at_a_parent_outweighs_another_below() {
        let mut expected = expected();
        expected.domain = "www.example.com".to_owned();
        expected.record.name = NAME.replace("example", "www.example");
        let mut survey = survey(&[right()]);
        survey.said[0].answers =
            vec![asked(&expected.record.name, Answer::Cname("x.example".to_owned())), asked(NAME, right())];
        assert_eq!(judge(&expected, &survey).verdict, Verdict::Visible);
    }
}
