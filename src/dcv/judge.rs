//! Would the CA see the proof now? One expectation, what all servers said, and the verdict with its
//! reasons.

use std::borrow::Cow;

use super::answer::{
    AnsweredQuery, DnsAnswer, DnsSurvey, RecordKind, ServerAnswers, ServerRole, UnqueriedServers,
    ZoneServerCoverage,
};
use super::reason::{ConflictingRecord, DcvReason, OtherServers, WrongPlace};
use super::record;
pub(crate) use super::verdict::{DcvVerdict, RecordJudgement, ServerJudgement};
use crate::dcv::expectation::{ExpectedAnswer, RelativePosition};
use crate::dcv::value_check::{self, ObservedValue, ValueFlaw};

/// Judges what servers said about one record.
#[must_use]
pub(crate) fn judge(expected: &ExpectedAnswer, survey: &DnsSurvey) -> RecordJudgement {
    let view = View {
        expected,
        zone: survey.zone.as_deref(),
        places: expected.places(survey.zone.as_deref()),
    };
    let mut standings: Vec<ServerJudgement> =
        survey.said.iter().map(|said| view.standing(said)).collect();
    view.follow_aliases(&mut standings);
    let answered = standings.iter().any(|one| one.answer.is_answer());
    // Where this machine has no way to (IPv6 without IPv6), nobody was asked and nothing is known
    // to be wrong.
    let asked = standings
        .iter()
        .filter(|one| one.answer != DnsAnswer::NoRoute);
    let mut verdict = asked
        .map(|one| one.verdict)
        .max()
        .unwrap_or(DcvVerdict::Unreachable);
    if !survey.own_servers.are_enough() || nobody_reached(&standings) {
        verdict = verdict.max(DcvVerdict::Unreachable);
    }
    let mut reasons: Vec<DcvReason> = Vec::new();
    let wildcard = view.wildcard(survey);
    // Nobody entered what a wildcard answers.
    let entered = |reason: &DcvReason| match (reason, &wildcard) {
        (
            DcvReason::Value {
                seen,
                flaw: ValueFlaw::Other,
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
    RecordJudgement {
        verdict,
        answered,
        standings,
        reasons,
    }
}

struct View<'a> {
    expected: &'a ExpectedAnswer,
    zone: Option<&'a str>,
    places: Vec<(RelativePosition, Cow<'a, str>)>,
}

impl View<'_> {
    /// The answer that decides for one server: the right value where the CA looks, else what it
    /// finds there, else the right value where it does not look, else the absence.
    fn standing(&self, said: &ServerAnswers) -> ServerJudgement {
        let rank = |asked: &&AnsweredQuery| {
            let verdict = self.verdict(&asked.name, &asked.answer);
            let looked_at = matches!(
                self.place(&asked.name),
                Some(RelativePosition::Here | RelativePosition::Parent)
            );
            match verdict {
                DcvVerdict::Visible => 0,
                DcvVerdict::Unchecked if looked_at => 1,
                DcvVerdict::Different if looked_at => 2,
                DcvVerdict::WrongPlace => 3,
                _ if self.place(&asked.name) == Some(RelativePosition::Here) => 4,
                _ => 5,
            }
        };
        let of_its_kind = said
            .answers
            .iter()
            .filter(|asked| asked.kind == self.expected.record.kind);
        let decided = of_its_kind.min_by_key(rank);
        let (at, answer) = decided
            .map_or((&self.expected.record.name, &DnsAnswer::Timeout), |one| {
                (&one.name, &one.answer)
            });
        ServerJudgement {
            server: said.server.clone(),
            verdict: self.verdict(at, answer),
            at: at.clone(),
            answer: answer.clone(),
            ttl: decided.and_then(|one| one.ttl),
        }
    }

    fn verdict(&self, at: &str, answer: &DnsAnswer) -> DcvVerdict {
        let looked_at = matches!(
            self.place(at),
            Some(RelativePosition::Here | RelativePosition::Parent)
        );
        match value_check::seen(self.expected, self.zone, answer) {
            Some(ObservedValue { flaw: None, .. }) if looked_at => DcvVerdict::Visible,
            Some(ObservedValue {
                flaw: Some(ValueFlaw::Unchecked),
                ..
            }) if looked_at => DcvVerdict::Unchecked,
            Some(_) if looked_at => DcvVerdict::Different,
            // Elsewhere, only what was meant for this request counts.
            Some(ObservedValue {
                flaw: Some(ValueFlaw::AnotherRequest | ValueFlaw::Other | ValueFlaw::OtherToken),
                ..
            }) => DcvVerdict::Absent,
            Some(_) => DcvVerdict::WrongPlace,
            None if answer.is_answer() && *answer != DnsAnswer::Bogus => DcvVerdict::Absent,
            None => DcvVerdict::Unreachable,
        }
    }

    fn place(&self, at: &str) -> Option<RelativePosition> {
        self.places
            .iter()
            .find(|(_, name)| name == at)
            .map(|(place, _)| *place)
    }

    /// Why one server's standing is what it is, where it is the answer itself that tells.
    fn reason(&self, one: &ServerJudgement) -> Option<DcvReason> {
        let ObservedValue { value: seen, flaw } =
            value_check::seen(self.expected, self.zone, &one.answer)?;
        let (at, place) = (one.at.clone(), self.place(&one.at)?);
        let how = match (place, flaw) {
            (RelativePosition::Here, None) => return None,
            (RelativePosition::Here | RelativePosition::Parent, Some(flaw)) => {
                return Some(DcvReason::Value {
                    at,
                    seen: seen.to_owned(),
                    wanted: self.wanted(),
                    flaw,
                });
            }
            _ if one.verdict == DcvVerdict::Absent => return None,
            (RelativePosition::Parent, None) => WrongPlace::Parent,
            (RelativePosition::Below, _) => WrongPlace::Below {
                domain: self.expected.domain.clone(),
            },
            (RelativePosition::NoUnderscore, _) => WrongPlace::NoUnderscore,
            (RelativePosition::Doubled, _) => WrongPlace::Doubled {
                zone: self.zone.unwrap_or_default().to_owned(),
                relative: record::relative(
                    &self.expected.record.name,
                    self.zone.unwrap_or_default(),
                ),
            },
        };
        Some(DcvReason::Elsewhere { at, how })
    }

    /// Reasons that only show when servers are seen side by side.
    fn overall(&self, standings: &[ServerJudgement], survey: &DnsSurvey) -> Vec<DcvReason> {
        let mut reasons = Vec::new();
        let visible = standings
            .iter()
            .any(|one| matches!(one.verdict, DcvVerdict::Visible | DcvVerdict::Unchecked));
        let absent: Vec<&ServerJudgement> = standings
            .iter()
            .filter(|one| one.verdict == DcvVerdict::Absent)
            .collect();
        let own: Vec<&ServerJudgement> = absent
            .iter()
            .copied()
            .filter(|one| one.server.role == ServerRole::Authoritative)
            .collect();
        let name = self.expected.record.name.clone();
        let anywhere = survey.around.anywhere.as_ref();
        let instead: Vec<DcvReason> = survey
            .said
            .iter()
            .filter_map(|said| self.instead(said, anywhere))
            .collect();
        if visible && !own.is_empty() {
            reasons.push(DcvReason::NotEverywhere {
                servers: shown(&own),
            });
        } else if visible && !absent.is_empty() {
            let seconds = absent
                .iter()
                .filter_map(|one| remembered(&one.answer))
                .max();
            reasons.push(DcvReason::ResolverRemembers {
                servers: shown(&absent),
                seconds,
            });
        } else if !absent.is_empty() && instead.is_empty() {
            reasons.push(DcvReason::NotPublished {
                name,
                servers: shown(&absent),
            });
        }
        reasons.extend(instead);
        let what = self.wildcard(survey).map(ConflictingRecord::Wildcard);
        reasons.extend(what.map(|what| DcvReason::Instead {
            at: self.expected.record.name.clone(),
            what,
        }));
        reasons.extend(silent(standings));
        match survey.own_servers {
            ZoneServerCoverage::NotWanted => {}
            ZoneServerCoverage::Asked(left_out) if left_out == UnqueriedServers::default() => {}
            ZoneServerCoverage::Asked(left_out) => {
                reasons.push(DcvReason::TooManyServers {
                    domain: self.expected.domain.clone(),
                    left_out,
                });
            }
            ZoneServerCoverage::NotDelegated => {
                reasons.push(DcvReason::NotDelegated {
                    domain: self.expected.record.zone.clone(),
                });
            }
            // Where nobody answered at all, that is why.
            ZoneServerCoverage::NotFound if standings.iter().all(|one| one.answer.is_silence()) => {
            }
            ZoneServerCoverage::NotFound => {
                reasons.push(DcvReason::OwnServersNotFound {
                    domain: self.expected.domain.clone(),
                });
            }
        }
        reasons
    }

    /// The foreign target that is at the record's name and where nobody put anything, too.
    fn wildcard(&self, survey: &DnsSurvey) -> Option<String> {
        let doubled = &self
            .places
            .iter()
            .find(|(place, _)| *place == RelativePosition::Doubled)?
            .1;
        survey.said.iter().find_map(|said| {
            let target = |name: &str| {
                said.answers.iter().find_map(|asked| match &asked.answer {
                    DnsAnswer::Cname(seen) if asked.name == name => Some(seen),
                    _ => None,
                })
            };
            let seen = target(&self.expected.record.name).filter(|seen| {
                match &survey.around.anywhere {
                    Some(anywhere) => is_alias(anywhere, seen),
                    None => target(doubled) == Some(*seen),
                }
            })?;
            (value_check::flaw(self.expected, self.zone, seen) == Some(ValueFlaw::Other))
                .then(|| seen.clone())
        })
    }

    /// What one server has at the record's own name in place of the record, or beside it.
    fn instead(&self, said: &ServerAnswers, anywhere: Option<&DnsAnswer>) -> Option<DcvReason> {
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
            (RecordKind::Cname, DnsAnswer::Cname(_)) => others
                .any(|answer| matches!(answer, DnsAnswer::Txt(_)))
                .then_some(ConflictingRecord::Beside(RecordKind::Txt)),
            (RecordKind::Cname, DnsAnswer::NoData(_)) => {
                others.find_map(|answer| self.in_place_of_a_cname(said, answer, anywhere))
            }
            (RecordKind::Txt, DnsAnswer::Cname(target))
                if anywhere.is_some_and(|one| is_alias(one, target)) =>
            {
                Some(ConflictingRecord::Wildcard(target.clone()))
            }
            (RecordKind::Txt, DnsAnswer::Cname(target)) => {
                Some(match value_check::flaw(self.expected, self.zone, target) {
                    Some(ValueFlaw::Other) => ConflictingRecord::Alias(target.clone()),
                    _ => ConflictingRecord::WrongType {
                        wanted: RecordKind::Txt,
                        seen: RecordKind::Cname,
                    },
                })
            }
            _ => None,
        };
        what.map(|what| DcvReason::Instead {
            at: record.name.clone(),
            what,
        })
    }

    fn in_place_of_a_cname(
        &self,
        said: &ServerAnswers,
        found: &DnsAnswer,
        anywhere: Option<&DnsAnswer>,
    ) -> Option<ConflictingRecord> {
        match found {
            DnsAnswer::Txt(texts)
                if value_check::nearest(self.expected, self.zone, texts).is_some() =>
            {
                Some(ConflictingRecord::WrongType {
                    wanted: RecordKind::Cname,
                    seen: RecordKind::Txt,
                })
            }
            DnsAnswer::Txt(texts) => Some(match anywhere {
                Some(DnsAnswer::Txt(_)) => ConflictingRecord::Wildcard(texts.join(" | ")),
                _ => ConflictingRecord::InTheWay(RecordKind::Txt),
            }),
            DnsAnswer::Addresses(addresses) => {
                // Where nobody put anything, only a wildcard makes a name.
                let made = || {
                    said.answers.iter().any(|asked| {
                        self.place(&asked.name) == Some(RelativePosition::Doubled)
                            && matches!(asked.answer, DnsAnswer::NoData(_))
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
                    Some(DnsAnswer::Addresses(_)) => ConflictingRecord::Wildcard(listed()),
                    None if made() => ConflictingRecord::Wildcard(listed()),
                    _ => ConflictingRecord::Addresses(addresses.clone()),
                })
            }
            _ => None,
        }
    }

    /// A zone's own servers do not follow an alias to a text in another zone, as CAs do: where a
    /// resolver found the text behind it, they say the same. An alias that is the value itself has
    /// nothing behind it: the resolver remembers.
    fn follow_aliases(&self, standings: &mut [ServerJudgement]) {
        let found = |one: &ServerJudgement| {
            one.server.role == ServerRole::Resolver && one.verdict == DcvVerdict::Visible
        };
        if self.expected.record.kind != RecordKind::Txt || !standings.iter().any(found) {
            return;
        }
        for one in standings {
            if let DnsAnswer::Cname(target) = &one.answer
                && value_check::flaw(self.expected, self.zone, target) == Some(ValueFlaw::Other)
            {
                one.verdict = DcvVerdict::Visible;
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
fn nobody_reached(standings: &[ServerJudgement]) -> bool {
    let mut own = standings
        .iter()
        .filter(|one| one.server.role == ServerRole::Authoritative)
        .peekable();
    own.peek().is_some() && own.all(|one| one.answer == DnsAnswer::NoRoute)
}

fn others(standings: &[ServerJudgement]) -> OtherServers {
    if standings.iter().all(|one| one.answer == DnsAnswer::NoRoute) {
        OtherServers::Nobody
    } else if nobody_reached(standings) {
        OtherServers::Resolver
    } else {
        OtherServers::OfTheZone
    }
}

/// Whether it is an alias for `target`.
fn is_alias(answer: &DnsAnswer, target: &str) -> bool {
    matches!(answer, DnsAnswer::Cname(seen) if seen.eq_ignore_ascii_case(target))
}

/// Who did not answer, by what came instead.
fn silent(standings: &[ServerJudgement]) -> Vec<DcvReason> {
    let mut reasons: Vec<DcvReason> = Vec::new();
    for one in standings
        .iter()
        .filter(|one| one.verdict == DcvVerdict::Unreachable)
    {
        if reasons.iter().any(
            |reason| matches!(reason, DcvReason::Silent { answer, .. } if *answer == one.answer),
        ) {
            continue;
        }
        let same: Vec<&ServerJudgement> = standings
            .iter()
            .filter(|other| other.answer == one.answer)
            .collect();
        reasons.push(match one.answer {
            DnsAnswer::NoRoute => DcvReason::NoRoute {
                servers: shown(&same),
                others: others(standings),
            },
            _ => DcvReason::Silent {
                servers: shown(&same),
                answer: one.answer.clone(),
            },
        });
    }
    reasons
}

fn shown(standings: &[&ServerJudgement]) -> Vec<String> {
    standings.iter().map(|one| one.server.to_string()).collect()
}

fn remembered(answer: &DnsAnswer) -> Option<u32> {
    match answer {
        DnsAnswer::NoName(seconds) | DnsAnswer::NoData(seconds) => *seconds,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{DcvReason, DcvVerdict, RecordJudgement, ValueFlaw, WrongPlace, judge};
    use crate::dcv::answer::DnsServerId;
    use crate::dcv::answer::{
        AnsweredQuery, DnsAnswer, DnsSurvey, RecordKind, ServerAnswers, ServerRole,
        SurroundingAnswers, UnqueriedServers, ZoneServerCoverage,
    };
    use crate::dcv::expectation::{ExpectedAnswer, RelativePosition, expectations};
    use crate::dcv::parse::parse;
    use crate::pki::request::SigningRequest;

    const HASH: &str = "46b9c075c165526983f73319a38c647b.f35bf554d979c464b01d99f8839ba328";
    const NAME: &str = "_6fcfe984ac87413b45a0d531d2172600.example.com";

    fn expected() -> ExpectedAnswer {
        let block = pem::parse(include_bytes!("../../fixtures/namecheap-doc.csr")).unwrap();
        let request = SigningRequest::from_der(block.contents()).unwrap();
        let given = parse(&format!("{NAME} {HASH}.u1.comodoca.com")).unwrap();
        expectations(&request, None, &given).remove(0)
    }

    fn right() -> DnsAnswer {
        DnsAnswer::Cname(format!("{}.U1.comodoca.com", HASH.to_uppercase()))
    }

    fn asked(name: &str, answer: DnsAnswer) -> AnsweredQuery {
        AnsweredQuery {
            name: name.to_owned(),
            kind: RecordKind::Cname,
            answer,
            ttl: None,
        }
    }

    /// The zone's own servers and, last, a resolver say this about the record's own name.
    fn survey(answers: &[DnsAnswer]) -> DnsSurvey {
        let said = answers.iter().enumerate().map(|(index, answer)| {
            let role = if index + 1 == answers.len() {
                ServerRole::Resolver
            } else {
                ServerRole::Authoritative
            };
            let address = format!("192.0.2.{}:53", index + 1).parse().ok();
            let server = DnsServerId {
                address,
                name: Some(format!("ns{}", index + 1)),
                role,
            };
            ServerAnswers {
                server,
                answers: vec![asked(NAME, answer.clone())],
            }
        });
        DnsSurvey {
            zone: Some("example.com".to_owned()),
            own_servers: ZoneServerCoverage::Asked(UnqueriedServers::default()),
            said: said.collect(),
            around: SurroundingAnswers::default(),
        }
    }

    /// The first letters of the reasons' variants stand for them.
    fn told(judgement: &RecordJudgement) -> Vec<&'static str> {
        let word = |reason: &DcvReason| match reason {
            DcvReason::Elsewhere { .. } => "elsewhere",
            DcvReason::Instead { .. } => "instead",
            DcvReason::NoRoute { .. } => "unreachable-from-here",
            DcvReason::NotDelegated { .. } => "not-delegated",
            DcvReason::NotEverywhere { .. } => "not-everywhere",
            DcvReason::NotPublished { .. } => "not-published",
            DcvReason::OwnServersNotFound { .. } => "own-servers",
            DcvReason::ResolverRemembers { .. } => "resolver",
            DcvReason::Silent { .. } => "silent",
            DcvReason::TooManyServers { .. } => "too-many",
            DcvReason::Value { .. } => "value",
        };
        judgement.reasons.iter().map(word).collect()
    }

    #[test]
    fn every_server_that_was_asked_counts() {
        let (nothing, no_data) = (|| DnsAnswer::NoName(Some(600)), || DnsAnswer::NoData(None));
        let other = || DnsAnswer::Cname("x.example".to_owned());
        for (answers, verdict, answered, reasons) in [
            (
                vec![right(), right(), right()],
                DcvVerdict::Visible,
                true,
                vec![],
            ),
            (
                vec![right(), DnsAnswer::NoRoute, right()],
                DcvVerdict::Visible,
                true,
                vec!["unreachable-from-here"],
            ),
            (
                vec![nothing(), no_data(), nothing()],
                DcvVerdict::Absent,
                true,
                vec!["not-published"],
            ),
            (
                vec![right(), nothing(), right()],
                DcvVerdict::Absent,
                true,
                vec!["not-everywhere"],
            ),
            (
                vec![right(), right(), nothing()],
                DcvVerdict::Absent,
                true,
                vec!["resolver"],
            ),
            (
                vec![right(), DnsAnswer::Timeout, right()],
                DcvVerdict::Unreachable,
                true,
                vec!["silent"],
            ),
            (
                vec![right(), DnsAnswer::NoAddress, right()],
                DcvVerdict::Unreachable,
                true,
                vec!["silent"],
            ),
            (
                vec![right(), DnsAnswer::Lame, right()],
                DcvVerdict::Unreachable,
                true,
                vec!["silent"],
            ),
            (
                vec![DnsAnswer::Timeout, DnsAnswer::Refused, DnsAnswer::Refused],
                DcvVerdict::Unreachable,
                false,
                vec!["silent", "silent"],
            ),
            (
                vec![right(), right(), DnsAnswer::Bogus],
                DcvVerdict::Unreachable,
                true,
                vec!["silent"],
            ),
            (
                vec![DnsAnswer::NoRoute, DnsAnswer::NoRoute],
                DcvVerdict::Unreachable,
                false,
                vec!["unreachable-from-here"],
            ),
            (
                vec![other(), right(), right()],
                DcvVerdict::Different,
                true,
                vec!["value"],
            ),
            (
                vec![other(), nothing(), DnsAnswer::ServFail],
                DcvVerdict::Different,
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
            (
                ZoneServerCoverage::Asked(UnqueriedServers::default()),
                DcvVerdict::Visible,
            ),
            (
                ZoneServerCoverage::Asked(UnqueriedServers {
                    names: 1,
                    addresses: 0,
                }),
                DcvVerdict::Unreachable,
            ),
            (
                ZoneServerCoverage::Asked(UnqueriedServers {
                    names: 0,
                    addresses: 1,
                }),
                DcvVerdict::Unreachable,
            ),
            (ZoneServerCoverage::NotWanted, DcvVerdict::Visible),
            (ZoneServerCoverage::NotFound, DcvVerdict::Unreachable),
            (ZoneServerCoverage::NotDelegated, DcvVerdict::Unreachable),
        ] {
            alone.own_servers = own_servers;
            assert_eq!(judge(&expected(), &alone).verdict, verdict);
        }
    }

    #[test]
    fn where_nobody_answers_that_is_the_one_cause() {
        for (answers, reasons) in [
            (vec![DnsAnswer::NoRoute], vec!["unreachable-from-here"]),
            (vec![DnsAnswer::Timeout, DnsAnswer::Timeout], vec!["silent"]),
            (vec![DnsAnswer::ServFail], vec!["silent", "own-servers"]),
        ] {
            let mut survey = survey(&answers);
            survey.own_servers = ZoneServerCoverage::NotFound;
            let judgement = judge(&expected(), &survey);
            assert_eq!(
                (judgement.verdict, judgement.answered),
                (DcvVerdict::Unreachable, false)
            );
            assert_eq!(told(&judgement), reasons, "{answers:?}");
        }
        let nobody = judge(&expected(), &survey(&[DnsAnswer::NoRoute])).reasons;
        assert!(
            matches!(
                nobody[..],
                [DcvReason::NoRoute {
                    others: crate::dcv::reason::OtherServers::Nobody,
                    ..
                }]
            ),
            "{nobody:?}"
        );
    }

    #[test]
    fn a_value_is_told_by_what_it_is_made_of() {
        let mut unknown = expected();
        unknown.source = crate::dcv::expectation::ExpectationSource::Nowhere;
        unknown.values.clear();
        let another = format!("{0}.{0}.sectigo.com", "0".repeat(32));
        for (seen, known, flaw) in [
            (format!("{HASH}.u1.comodoca.com"), true, None),
            (
                format!("{HASH}.u2.comodoca.com"),
                true,
                Some(ValueFlaw::OtherUnique),
            ),
            (
                format!("{HASH}.u1.comodoca.com.example.com"),
                true,
                Some(ValueFlaw::WithZone),
            ),
            (
                format!("{HASH}.u1.comodoca.com.example.com"),
                false,
                Some(ValueFlaw::WithZone),
            ),
            (
                format!("{HASH}.u1.comodoca.com"),
                false,
                Some(ValueFlaw::Unchecked),
            ),
            (
                format!("{HASH}.sectigo.com"),
                false,
                Some(ValueFlaw::Unchecked),
            ),
            (
                format!("{HASH}0.sectigo.com"),
                false,
                Some(ValueFlaw::Other),
            ),
            (another, true, Some(ValueFlaw::AnotherRequest)),
            (
                "\u{1b}[31m.example".to_owned(),
                true,
                Some(ValueFlaw::Other),
            ),
        ] {
            let judgement = judge(
                &if known { expected() } else { unknown.clone() },
                &survey(&[DnsAnswer::Cname(seen.clone())]),
            );
            let told = judgement.reasons.iter().find_map(|reason| match reason {
                DcvReason::Value { flaw, .. } => Some(*flaw),
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
        expected.record.also_at = vec![NAME.to_owned()];
        for (place, verdict) in [
            (RelativePosition::Here, DcvVerdict::Visible),
            (RelativePosition::Parent, DcvVerdict::Visible),
            (RelativePosition::Doubled, DcvVerdict::WrongPlace),
            (RelativePosition::NoUnderscore, DcvVerdict::WrongPlace),
        ] {
            let mut survey = survey(&[DnsAnswer::NoName(None)]);
            survey.said[0].answers = expected
                .places(Some("example.com"))
                .into_iter()
                .map(|(one, name)| {
                    asked(
                        &name,
                        if one == place {
                            right()
                        } else {
                            DnsAnswer::NoName(None)
                        },
                    )
                })
                .collect();
            let judgement = judge(&expected, &survey);
            assert_eq!(judgement.verdict, verdict, "{place:?}");
            let how = judgement.reasons.iter().find_map(|reason| match reason {
                DcvReason::Elsewhere { how, .. } => Some(how.clone()),
                _ => None,
            });
            let relative = expected
                .record
                .name
                .strip_suffix(".example.com")
                .unwrap()
                .to_owned();
            let wanted = match place {
                RelativePosition::Parent => Some(WrongPlace::Parent),
                RelativePosition::Doubled => Some(WrongPlace::Doubled {
                    zone: "example.com".to_owned(),
                    relative,
                }),
                RelativePosition::NoUnderscore => Some(WrongPlace::NoUnderscore),
                RelativePosition::Here | RelativePosition::Below => None,
            };
            assert_eq!(how, wanted, "{place:?}");
        }
    }

    #[test]
    fn a_right_record_at_a_parent_outweighs_another_below() {
        let mut expected = expected();
        expected.domain = "www.example.com".to_owned();
        expected.record.name = NAME.replace("example", "www.example");
        expected.record.also_at = vec![NAME.to_owned()];
        let mut survey = survey(&[right()]);
        survey.said[0].answers = vec![
            asked(
                &expected.record.name,
                DnsAnswer::Cname("x.example".to_owned()),
            ),
            asked(NAME, right()),
        ];
        assert_eq!(judge(&expected, &survey).verdict, DcvVerdict::Visible);
    }
}
