//! Would the CA see the proof now? One expectation, what all servers said, and the verdict with its
//! reasons.

use std::borrow::Cow;

use super::answer::{Answer, Asked, LeftOut, OwnServers, RecordKind, Role, Said, Server, Survey};
use super::reason::{Elsewhere, Instead, Others, Reason};
use super::record;
use crate::dcv::expectation::{Expectation, Place};
use crate::dcv::value_check::{self, Flaw, Seen};

/// The verdict on one server, one record, or all of them. Ordered: the worse one counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Verdict {
    /// The CA would see it.
    Visible,
    /// No server answered, or not all of them.
    Unreachable,
    /// Something of this request is there, but its unique value was never compared with the shop's
    /// record.
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
pub(crate) struct Standing {
    pub server: Server,
    /// What it comes to.
    pub verdict: Verdict,
    /// The name whose answer decided.
    pub at: String,
    /// The answer that decided.
    pub answer: Answer,
    /// For how many seconds that may be remembered, where something is there.
    pub ttl: Option<u32>,
}

/// What all answers about one record come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Judgement {
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
pub(crate) fn judge(expected: &Expectation, survey: &Survey) -> Judgement {
    let view = View {
        expected,
        zone: survey.zone.as_deref(),
        places: expected.places(survey.zone.as_deref()),
    };
    let mut standings: Vec<Standing> = survey.said.iter().map(|said| view.standing(said)).collect();
    view.follow_aliases(&mut standings);
    let answered = standings.iter().any(|one| one.answer.is_answer());
    // Where this machine has no way to (IPv6 without IPv6), nobody was asked and nothing is known
    // to be wrong.
    let asked = standings.iter().filter(|one| one.answer != Answer::NoRoute);
    let mut verdict = asked
        .map(|one| one.verdict)
        .max()
        .unwrap_or(Verdict::Unreachable);
    if !survey.own_servers.are_enough() || nobody_reached(&standings) {
        verdict = verdict.max(Verdict::Unreachable);
    }
    let mut reasons: Vec<Reason> = Vec::new();
    let wildcard = view.wildcard(survey);
    // Nobody entered what a wildcard answers.
    let entered = |reason: &Reason| match (reason, &wildcard) {
        (
            Reason::Value {
                seen,
                flaw: Flaw::Other,
                ..
            },
            Some(target),
        ) => !seen.eq_ignore_ascii_case(target),
        _ => true,
    };
    let each = standings
        .iter()
        .filter_map(|one| view.reason(one))
        .filter(entered);
    for reason in each.chain(view.overall(&standings, survey)) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    Judgement {
        verdict,
        answered,
        standings,
        reasons,
    }
}

struct View<'a> {
    expected: &'a Expectation,
    zone: Option<&'a str>,
    places: Vec<(Place, Cow<'a, str>)>,
}

impl View<'_> {
    /// The answer that decides for one server: the right value where the CA looks, else what it
    /// finds there, else the right value where it does not look, else the absence.
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
        let of_its_kind = said
            .answers
            .iter()
            .filter(|asked| asked.kind == self.expected.record.kind);
        let decided = of_its_kind.min_by_key(rank);
        let (at, answer) = decided.map_or((&self.expected.record.name, &Answer::Timeout), |one| {
            (&one.name, &one.answer)
        });
        Standing {
            server: said.server.clone(),
            verdict: self.verdict(at, answer),
            at: at.clone(),
            answer: answer.clone(),
            ttl: decided.and_then(|one| one.ttl),
        }
    }

    fn verdict(&self, at: &str, answer: &Answer) -> Verdict {
        let looked_at = matches!(self.place(at), Some(Place::Here | Place::Parent));
        match value_check::seen(self.expected, self.zone, answer) {
            Some(Seen { flaw: None, .. }) if looked_at => Verdict::Visible,
            Some(Seen {
                flaw: Some(Flaw::Unchecked),
                ..
            }) if looked_at => Verdict::Unchecked,
            Some(_) if looked_at => Verdict::Different,
            // Elsewhere, only what was meant for this request counts.
            Some(Seen {
                flaw: Some(Flaw::AnotherRequest | Flaw::Other | Flaw::OtherToken),
                ..
            }) => Verdict::Absent,
            Some(_) => Verdict::WrongPlace,
            None if answer.is_answer() && *answer != Answer::Bogus => Verdict::Absent,
            None => Verdict::Unreachable,
        }
    }

    fn place(&self, at: &str) -> Option<Place> {
        self.places
            .iter()
            .find(|(_, name)| name == at)
            .map(|(place, _)| *place)
    }

    /// Why one server's standing is what it is, where it is the answer itself that tells.
    fn reason(&self, one: &Standing) -> Option<Reason> {
        let Seen { value: seen, flaw } = value_check::seen(self.expected, self.zone, &one.answer)?;
        let (at, place) = (one.at.clone(), self.place(&one.at)?);
        let how = match (place, flaw) {
            (Place::Here, None) => return None,
            (Place::Here | Place::Parent, Some(flaw)) => {
                return Some(Reason::Value {
                    at,
                    seen: seen.to_owned(),
                    wanted: self.wanted(),
                    flaw,
                });
            }
            _ if one.verdict == Verdict::Absent => return None,
            (Place::Parent, None) => Elsewhere::Parent,
            (Place::Below, _) => Elsewhere::Below {
                domain: self.expected.domain.clone(),
            },
            (Place::NoUnderscore, _) => Elsewhere::NoUnderscore,
            (Place::Doubled, _) => Elsewhere::Doubled {
                zone: self.zone.unwrap_or_default().to_owned(),
                relative: record::relative(
                    &self.expected.record.name,
                    self.zone.unwrap_or_default(),
                ),
            },
        };
        Some(Reason::Elsewhere { at, how })
    }

    /// Reasons that only show when servers are seen side by side.
    fn overall(&self, standings: &[Standing], survey: &Survey) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let visible = standings
            .iter()
            .any(|one| matches!(one.verdict, Verdict::Visible | Verdict::Unchecked));
        let absent: Vec<&Standing> = standings
            .iter()
            .filter(|one| one.verdict == Verdict::Absent)
            .collect();
        let own: Vec<&Standing> = absent
            .iter()
            .copied()
            .filter(|one| one.server.role == Role::Authoritative)
            .collect();
        let name = self.expected.record.name.clone();
        let anywhere = survey.around.anywhere.as_ref();
        let instead: Vec<Reason> = survey
            .said
            .iter()
            .filter_map(|said| self.instead(said, anywhere))
            .collect();
        if visible && !own.is_empty() {
            reasons.push(Reason::NotEverywhere {
                servers: shown(&own),
            });
        } else if visible && !absent.is_empty() {
            let seconds = absent
                .iter()
                .filter_map(|one| remembered(&one.answer))
                .max();
            reasons.push(Reason::ResolverRemembers {
                servers: shown(&absent),
                seconds,
            });
        } else if !absent.is_empty() && instead.is_empty() {
            reasons.push(Reason::NotPublished {
                name,
                servers: shown(&absent),
            });
        }
        reasons.extend(instead);
        let what = self.wildcard(survey).map(Instead::Wildcard);
        reasons.extend(what.map(|what| Reason::Instead {
            at: self.expected.record.name.clone(),
            what,
        }));
        reasons.extend(silent(standings));
        match survey.own_servers {
            OwnServers::NotWanted => {}
            OwnServers::Asked(left_out) if left_out == LeftOut::default() => {}
            OwnServers::Asked(left_out) => {
                reasons.push(Reason::TooManyServers {
                    domain: self.expected.domain.clone(),
                    left_out,
                });
            }
            OwnServers::NotDelegated => {
                reasons.push(Reason::NotDelegated {
                    domain: self.expected.record.zone.clone(),
                });
            }
            // Where nobody answered at all, that is why.
            OwnServers::NotFound if standings.iter().all(|one| one.answer.is_silence()) => {}
            OwnServers::NotFound => {
                reasons.push(Reason::OwnServersNotFound {
                    domain: self.expected.domain.clone(),
                });
            }
        }
        reasons
    }

    /// The foreign target that is at the record's name and where nobody put anything, too.
    fn wildcard(&self, survey: &Survey) -> Option<String> {
        let doubled = &self
            .places
            .iter()
            .find(|(place, _)| *place == Place::Doubled)?
            .1;
        survey.said.iter().find_map(|said| {
            let target = |name: &str| {
                said.answers.iter().find_map(|asked| match &asked.answer {
                    Answer::Cname(seen) if asked.name == name => Some(seen),
                    _ => None,
                })
            };
            let seen = target(&self.expected.record.name).filter(|seen| {
                match &survey.around.anywhere {
                    Some(anywhere) => is_alias(anywhere, seen),
                    None => target(doubled) == Some(*seen),
                }
            })?;
            (value_check::flaw(self.expected, self.zone, seen) == Some(Flaw::Other))
                .then(|| seen.clone())
        })
    }

    /// What one server has at the record's own name in place of the record, or beside it.
    fn instead(&self, said: &Said, anywhere: Option<&Answer>) -> Option<Reason> {
        let record = &self.expected.record;
        let own = said
            .answers
            .iter()
            .filter(|asked| asked.name == record.name);
        let main = own.clone().find(|asked| asked.kind == record.kind)?;
        let mut others = own
            .filter(|asked| asked.kind != record.kind)
            .map(|asked| &asked.answer);
        let what = match (record.kind, &main.answer) {
            (RecordKind::Cname, Answer::Cname(_)) => others
                .any(|answer| matches!(answer, Answer::Txt(_)))
                .then_some(Instead::Beside(RecordKind::Txt)),
            (RecordKind::Cname, Answer::NoData(_)) => {
                others.find_map(|answer| self.in_place_of_a_cname(said, answer, anywhere))
            }
            (RecordKind::Txt, Answer::Cname(target))
                if anywhere.is_some_and(|one| is_alias(one, target)) =>
            {
                Some(Instead::Wildcard(target.clone()))
            }
            (RecordKind::Txt, Answer::Cname(target)) => {
                Some(match value_check::flaw(self.expected, self.zone, target) {
                    Some(Flaw::Other) => Instead::Alias(target.clone()),
                    _ => Instead::WrongType {
                        wanted: RecordKind::Txt,
                        seen: RecordKind::Cname,
                    },
                })
            }
            _ => None,
        };
        what.map(|what| Reason::Instead {
            at: record.name.clone(),
            what,
        })
    }

    fn in_place_of_a_cname(
        &self,
        said: &Said,
        found: &Answer,
        anywhere: Option<&Answer>,
    ) -> Option<Instead> {
        match found {
            Answer::Txt(texts)
                if value_check::nearest(self.expected, self.zone, texts).is_some() =>
            {
                Some(Instead::WrongType {
                    wanted: RecordKind::Cname,
                    seen: RecordKind::Txt,
                })
            }
            Answer::Txt(texts) => Some(match anywhere {
                Some(Answer::Txt(_)) => Instead::Wildcard(texts.join(" | ")),
                _ => Instead::InTheWay(RecordKind::Txt),
            }),
            Answer::Addresses(addresses) => {
                // Where nobody put anything, only a wildcard makes a name.
                let made = || {
                    said.answers.iter().any(|asked| {
                        self.place(&asked.name) == Some(Place::Doubled)
                            && matches!(asked.answer, Answer::NoData(_))
                    })
                };
                let listed = || {
                    addresses
                        .iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join(", ")
                };
                Some(match anywhere {
                    Some(Answer::Addresses(_)) => Instead::Wildcard(listed()),
                    None if made() => Instead::Wildcard(listed()),
                    _ => Instead::Addresses(addresses.clone()),
                })
            }
            _ => None,
        }
    }

    /// A zone's own servers do not follow an alias to a text in another zone, as CAs do: where a
    /// resolver found the text behind it, they say the same. An alias that is the value itself has
    /// nothing behind it: the resolver remembers.
    fn follow_aliases(&self, standings: &mut [Standing]) {
        let found =
            |one: &Standing| one.server.role == Role::Resolver && one.verdict == Verdict::Visible;
        if self.expected.record.kind != RecordKind::Txt || !standings.iter().any(found) {
            return;
        }
        for one in standings {
            if let Answer::Cname(target) = &one.answer
                && value_check::flaw(self.expected, self.zone, target) == Some(Flaw::Other)
            {
                one.verdict = Verdict::Visible;
            }
        }
    }

    fn wanted(&self) -> String {
        let record = &self.expected.record;
        let shape = || {
            record
                .shape
                .as_ref()
                .map(|shape| format!("what the shop shows ({shape})"))
        };
        record.value.clone().or_else(shape).unwrap_or_default()
    }
}

/// The zone's own servers are known, and this machine has no way to any of them: a resolver alone
/// was asked.
fn nobody_reached(standings: &[Standing]) -> bool {
    let mut own = standings
        .iter()
        .filter(|one| one.server.role == Role::Authoritative)
        .peekable();
    own.peek().is_some() && own.all(|one| one.answer == Answer::NoRoute)
}

fn others(standings: &[Standing]) -> Others {
    if standings.iter().all(|one| one.answer == Answer::NoRoute) {
        Others::Nobody
    } else if nobody_reached(standings) {
        Others::Resolver
    } else {
        Others::OfTheZone
    }
}

/// Whether it is an alias for `target`.
fn is_alias(answer: &Answer, target: &str) -> bool {
    matches!(answer, Answer::Cname(seen) if seen.eq_ignore_ascii_case(target))
}

/// Who did not answer, by what came instead.
fn silent(standings: &[Standing]) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    for one in standings
        .iter()
        .filter(|one| one.verdict == Verdict::Unreachable)
    {
        if reasons
            .iter()
            .any(|reason| matches!(reason, Reason::Silent { answer, .. } if *answer == one.answer))
        {
            continue;
        }
        let same: Vec<&Standing> = standings
            .iter()
            .filter(|other| other.answer == one.answer)
            .collect();
        reasons.push(match one.answer {
            Answer::NoRoute => Reason::NoRoute {
                servers: shown(&same),
                others: others(standings),
            },
            _ => Reason::Silent {
                servers: shown(&same),
                answer: one.answer.clone(),
            },
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

#[cfg(test)]
mod tests {
    use super::{Elsewhere, Flaw, Judgement, Reason, Verdict, judge};
    use crate::dcv::answer::{
        Answer, Around, Asked, LeftOut, OwnServers, RecordKind, Role, Said, Server, Survey,
    };
    use crate::dcv::expectation::{Expectation, Place, expectations};
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
        Asked {
            name: name.to_owned(),
            kind: RecordKind::Cname,
            answer,
            ttl: None,
        }
    }

    /// The zone's own servers and, last, a resolver say this about the record's own name.
    fn survey(answers: &[Answer]) -> Survey {
        let said = answers.iter().enumerate().map(|(index, answer)| {
            let role = if index + 1 == answers.len() {
                Role::Resolver
            } else {
                Role::Authoritative
            };
            let address = format!("192.0.2.{}:53", index + 1).parse().ok();
            let server = Server {
                address,
                name: Some(format!("ns{}", index + 1)),
                role,
            };
            Said {
                server,
                answers: vec![asked(NAME, answer.clone())],
            }
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
            Reason::Instead { .. } => "instead",
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
            (
                vec![right(), right(), right()],
                Verdict::Visible,
                true,
                vec![],
            ),
            (
                vec![right(), Answer::NoRoute, right()],
                Verdict::Visible,
                true,
                vec!["no-route"],
            ),
            (
                vec![nothing(), no_data(), nothing()],
                Verdict::Absent,
                true,
                vec!["not-published"],
            ),
            (
                vec![right(), nothing(), right()],
                Verdict::Absent,
                true,
                vec!["not-everywhere"],
            ),
            (
                vec![right(), right(), nothing()],
                Verdict::Absent,
                true,
                vec!["resolver"],
            ),
            (
                vec![right(), Answer::Timeout, right()],
                Verdict::Unreachable,
                true,
                vec!["silent"],
            ),
            (
                vec![right(), Answer::NoAddress, right()],
                Verdict::Unreachable,
                true,
                vec!["silent"],
            ),
            (
                vec![right(), Answer::Lame, right()],
                Verdict::Unreachable,
                true,
                vec!["silent"],
            ),
            (
                vec![Answer::Timeout, Answer::Refused, Answer::Refused],
                Verdict::Unreachable,
                false,
                vec!["silent", "silent"],
            ),
            (
                vec![right(), right(), Answer::Bogus],
                Verdict::Unreachable,
                true,
                vec!["silent"],
            ),
            (
                vec![Answer::NoRoute, Answer::NoRoute],
                Verdict::Unreachable,
                false,
                vec!["no-route"],
            ),
            (
                vec![other(), right(), right()],
                Verdict::Different,
                true,
                vec!["value"],
            ),
            (
                vec![other(), nothing(), Answer::ServFail],
                Verdict::Different,
                true,
                vec!["value", "not-published", "silent"],
            ),
        ] {
            let judgement = judge(&expected(), &survey(&answers));
            assert_eq!(
                (judgement.verdict, judgement.answered),
                (verdict, answered),
                "{answers:?}"
            );
            assert_eq!(told(&judgement), reasons, "{answers:?}");
        }
    }

    #[test]
    fn without_the_zones_own_servers_nothing_is_visible() {
        let mut alone = survey(&[right()]);
        for (own_servers, verdict) in [
            (OwnServers::Asked(LeftOut::default()), Verdict::Visible),
            (
                OwnServers::Asked(LeftOut {
                    names: 1,
                    addresses: 0,
                }),
                Verdict::Unreachable,
            ),
            (
                OwnServers::Asked(LeftOut {
                    names: 0,
                    addresses: 1,
                }),
                Verdict::Unreachable,
            ),
            (OwnServers::NotWanted, Verdict::Visible),
            (OwnServers::NotFound, Verdict::Unreachable),
            (OwnServers::NotDelegated, Verdict::Unreachable),
        ] {
            alone.own_servers = own_servers;
            assert_eq!(judge(&expected(), &alone).verdict, verdict);
        }
    }

    #[test]
    fn where_nobody_answers_that_is_the_one_cause() {
        for (answers, reasons) in [
            (vec![Answer::NoRoute], vec!["no-route"]),
            (vec![Answer::Timeout, Answer::Timeout], vec!["silent"]),
            (vec![Answer::ServFail], vec!["silent", "own-servers"]),
        ] {
            let mut survey = survey(&answers);
            survey.own_servers = OwnServers::NotFound;
            let judgement = judge(&expected(), &survey);
            assert_eq!(
                (judgement.verdict, judgement.answered),
                (Verdict::Unreachable, false)
            );
            assert_eq!(told(&judgement), reasons, "{answers:?}");
        }
        let nobody = judge(&expected(), &survey(&[Answer::NoRoute])).reasons;
        assert!(
            matches!(
                nobody[..],
                [Reason::NoRoute {
                    others: crate::dcv::reason::Others::Nobody,
                    ..
                }]
            ),
            "{nobody:?}"
        );
    }

    #[test]
    fn a_value_is_told_by_what_it_is_made_of() {
        let mut unknown = expected();
        unknown.source = crate::dcv::expectation::Source::Nowhere;
        unknown.values.clear();
        let another = format!("{0}.{0}.sectigo.com", "0".repeat(32));
        for (seen, known, flaw) in [
            (format!("{HASH}.u1.comodoca.com"), true, None),
            (
                format!("{HASH}.u2.comodoca.com"),
                true,
                Some(Flaw::OtherUnique),
            ),
            (
                format!("{HASH}.u1.comodoca.com.example.com"),
                true,
                Some(Flaw::WithZone),
            ),
            (
                format!("{HASH}.u1.comodoca.com.example.com"),
                false,
                Some(Flaw::WithZone),
            ),
            (
                format!("{HASH}.u1.comodoca.com"),
                false,
                Some(Flaw::Unchecked),
            ),
            (format!("{HASH}.sectigo.com"), false, Some(Flaw::Unchecked)),
            (format!("{HASH}0.sectigo.com"), false, Some(Flaw::Other)),
            (another, true, Some(Flaw::AnotherRequest)),
            ("\u{1b}[31m.example".to_owned(), true, Some(Flaw::Other)),
        ] {
            let judgement = judge(
                &if known { expected() } else { unknown.clone() },
                &survey(&[Answer::Cname(seen.clone())]),
            );
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
        expected.record.or_at = vec![NAME.to_owned()];
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
                .map(|(one, name)| {
                    asked(
                        &name,
                        if one == place {
                            right()
                        } else {
                            Answer::NoName(None)
                        },
                    )
                })
                .collect();
            let judgement = judge(&expected, &survey);
            assert_eq!(judgement.verdict, verdict, "{place:?}");
            let how = judgement.reasons.iter().find_map(|reason| match reason {
                Reason::Elsewhere { how, .. } => Some(how.clone()),
                _ => None,
            });
            let relative = expected
                .record
                .name
                .strip_suffix(".example.com")
                .unwrap()
                .to_owned();
            let wanted = match place {
                Place::Parent => Some(Elsewhere::Parent),
                Place::Doubled => Some(Elsewhere::Doubled {
                    zone: "example.com".to_owned(),
                    relative,
                }),
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
        expected.record.or_at = vec![NAME.to_owned()];
        let mut survey = survey(&[right()]);
        survey.said[0].answers = vec![
            asked(&expected.record.name, Answer::Cname("x.example".to_owned())),
            asked(NAME, right()),
        ];
        assert_eq!(judge(&expected, &survey).verdict, Verdict::Visible);
    }
}
