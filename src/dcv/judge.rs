//! Judges whether the CA would see the record now: compares the expected record with the answers of
//! all servers, and returns the verdict with its reasons.

use std::borrow::Cow;

use super::answer::{
    AnsweredQuery, DnsAnswer, DnsSurvey, RecordKind, ServerAnswers, ServerRole, UnqueriedServers,
    ZoneServerCoverage,
};
use super::reason::{ConflictingRecord, DcvReason, WrongPlace};
use super::record;
use super::server_comparison::{
    absent_servers, partial_absence, server_names, silence_reasons, zone_servers_are_unreachable,
};
pub(crate) use super::verdict::{DcvVerdict, RecordJudgement, ServerJudgement};
use crate::dcv::expectation::{ExpectedAnswer, RelativePosition};
use crate::dcv::value_check::{self, ObservedValue, ValueFlaw};

/// Judges the servers' answers about one record.
#[must_use]
pub(crate) fn judge_record(expected: &ExpectedAnswer, survey: &DnsSurvey) -> RecordJudgement {
    let view = RecordView {
        expected,
        zone: survey.zone.as_deref(),
        places: expected.names_to_query(survey.zone.as_deref()),
    };
    let mut judgements: Vec<ServerJudgement> = survey
        .server_answers
        .iter()
        .map(|answers| view.judge_server(answers))
        .collect();
    view.accept_aliases_that_resolvers_follow(&mut judgements);
    let answered = judgements.iter().any(|one| one.decisive_answer.is_answer());
    let verdict = worst_verdict(&judgements, survey.zone_server_coverage);
    let reasons = view.reasons(&judgements, survey);
    RecordJudgement {
        verdict,
        answered,
        server_judgements: judgements,
        reasons,
    }
}

/// Returns the worst verdict of the servers that were queried; at least `Unreachable` if servers of
/// the zone were not queried.
fn worst_verdict(judgements: &[ServerJudgement], coverage: ZoneServerCoverage) -> DcvVerdict {
    // A server that this machine cannot reach (often for lack of IPv6) was not queried, so nothing
    // is known to be wrong there.
    let queried = judgements
        .iter()
        .filter(|one| one.decisive_answer != DnsAnswer::NoRoute);
    let worst = queried
        .map(|one| one.verdict)
        .max()
        .unwrap_or(DcvVerdict::Unreachable);
    if coverage.is_complete() && !zone_servers_are_unreachable(judgements) {
        worst
    } else {
        worst.max(DcvVerdict::Unreachable)
    }
}

/// A record, and the names at which it is queried.
struct RecordView<'a> {
    expected: &'a ExpectedAnswer,
    zone: Option<&'a str>,
    places: Vec<(RelativePosition, Cow<'a, str>)>,
}

impl RecordView<'_> {
    /// Judges one server by its decisive answer: the right value at a name that the CA queries,
    /// else another value there, else the right value at another name, else the absence.
    fn judge_server(&self, server_answers: &ServerAnswers) -> ServerJudgement {
        let of_its_kind = server_answers
            .answers
            .iter()
            .filter(|query| query.kind == self.expected.record.kind);
        let decisive = of_its_kind.min_by_key(|query| self.rank(query));
        let (at, answer) = match decisive {
            Some(query) => (&query.name, &query.answer),
            None => (&self.expected.record.name, &DnsAnswer::Timeout),
        };
        ServerJudgement {
            server: server_answers.server.clone(),
            verdict: self.verdict(at, answer),
            decisive_name: at.clone(),
            decisive_answer: answer.clone(),
            ttl: decisive.and_then(|query| query.ttl),
        }
    }

    /// Ranks an answer: the lowest rank decides.
    fn rank(&self, query: &AnsweredQuery) -> u8 {
        let is_queried = self.ca_queries(&query.name);
        match self.verdict(&query.name, &query.answer) {
            DcvVerdict::Visible => 0,
            DcvVerdict::Unchecked if is_queried => 1,
            DcvVerdict::Different if is_queried => 2,
            DcvVerdict::WrongPlace => 3,
            _ if self.position(&query.name) == Some(RelativePosition::Here) => 4,
            _ => 5,
        }
    }

    fn verdict(&self, at: &str, answer: &DnsAnswer) -> DcvVerdict {
        let is_queried = self.ca_queries(at);
        // Resolvers take any of them, or none.
        if is_queried && matches!(answer, DnsAnswer::Cnames(_)) {
            return DcvVerdict::Different;
        }
        match value_check::observed_value(self.expected, self.zone, answer) {
            Some(ObservedValue { flaw: None, .. }) if is_queried => DcvVerdict::Visible,
            Some(ObservedValue {
                flaw: Some(ValueFlaw::Unchecked),
                ..
            }) if is_queried => DcvVerdict::Unchecked,
            Some(_) if is_queried => DcvVerdict::Different,
            // At other names, only a record of this request counts.
            Some(ObservedValue {
                flaw: Some(ValueFlaw::AnotherRequest | ValueFlaw::Unrelated | ValueFlaw::OtherToken),
                ..
            }) => DcvVerdict::Absent,
            Some(_) => DcvVerdict::WrongPlace,
            None if answer.is_answer() && *answer != DnsAnswer::Bogus => DcvVerdict::Absent,
            None => DcvVerdict::Unreachable,
        }
    }

    /// Returns whether the CA queries this name.
    fn ca_queries(&self, name: &str) -> bool {
        matches!(
            self.position(name),
            Some(RelativePosition::Here | RelativePosition::Parent)
        )
    }

    fn position(&self, at: &str) -> Option<RelativePosition> {
        self.places
            .iter()
            .find(|(_, name)| name == at)
            .map(|(position, _)| *position)
    }

    /// Returns all reasons without duplicates: those of single servers first.
    fn reasons(&self, judgements: &[ServerJudgement], survey: &DnsSurvey) -> Vec<DcvReason> {
        let wildcard = self.wildcard_target(survey);
        let own_reasons = judgements
            .iter()
            .filter_map(|one| self.server_reason(one))
            .filter(|reason| !is_wildcard_value(reason, wildcard.as_deref()));
        let mut reasons: Vec<DcvReason> = Vec::new();
        for reason in own_reasons.chain(self.shared_reasons(judgements, survey)) {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        reasons
    }

    /// Returns the reason for the verdict on one server, if its own answer shows it.
    fn server_reason(&self, one: &ServerJudgement) -> Option<DcvReason> {
        let observed = value_check::observed_value(self.expected, self.zone, &one.decisive_answer)?;
        let at = one.decisive_name.clone();
        let how = match (self.position(&one.decisive_name)?, observed.flaw) {
            (RelativePosition::Here, None) => return None,
            (RelativePosition::Here | RelativePosition::Parent, Some(flaw)) => {
                return Some(DcvReason::Value {
                    at,
                    found: observed.value.to_owned(),
                    expected: self.expected.record.value.clone(),
                    flaw,
                });
            }
            _ if one.verdict == DcvVerdict::Absent => return None,
            (RelativePosition::Parent, None) => WrongPlace::Parent,
            (RelativePosition::Below, _) => WrongPlace::Below {
                domain: self.expected.domain.clone(),
            },
            (RelativePosition::NoUnderscore, _) => WrongPlace::NoUnderscore,
            (RelativePosition::Doubled, _) => {
                let zone = self.zone.unwrap_or_default();
                WrongPlace::Doubled {
                    zone: zone.to_owned(),
                    relative: record::relative_name(&self.expected.record.name, zone),
                }
            }
        };
        Some(DcvReason::WrongName { at, cause: how })
    }

    /// Returns the reasons that only a comparison of the servers shows.
    fn shared_reasons(&self, judgements: &[ServerJudgement], survey: &DnsSurvey) -> Vec<DcvReason> {
        let anywhere = survey.surroundings.wildcard_answer.as_ref();
        let conflicts: Vec<DcvReason> = survey
            .server_answers
            .iter()
            .filter_map(|answers| self.conflict(answers, anywhere))
            .collect();
        let is_visible = judgements
            .iter()
            .any(|one| matches!(one.verdict, DcvVerdict::Visible | DcvVerdict::Unchecked));
        let mut reasons: Vec<DcvReason> = Vec::new();
        if is_visible {
            reasons.extend(partial_absence(judgements));
        } else if conflicts.is_empty() {
            reasons.extend(self.full_absence(judgements));
        }
        reasons.extend(conflicts);
        if let Some(target) = self.wildcard_target(survey) {
            reasons.push(self.conflict_with(ConflictingRecord::Wildcard(target)));
        }
        reasons.extend(silence_reasons(judgements));
        reasons.extend(self.coverage_reason(judgements, survey.zone_server_coverage));
        reasons
    }

    /// Returns the reason for a record that no server has.
    fn full_absence(&self, judgements: &[ServerJudgement]) -> Option<DcvReason> {
        let absent = absent_servers(judgements);
        (!absent.is_empty()).then(|| DcvReason::NotPublished {
            name: self.expected.record.name.clone(),
            servers: server_names(&absent),
        })
    }

    /// Says why not all of the zone's own servers were queried.
    fn coverage_reason(
        &self,
        judgements: &[ServerJudgement],
        coverage: ZoneServerCoverage,
    ) -> Option<DcvReason> {
        match coverage {
            ZoneServerCoverage::NotRequested => None,
            ZoneServerCoverage::Queried(omitted) if omitted == UnqueriedServers::default() => None,
            ZoneServerCoverage::Queried(omitted) => Some(DcvReason::TooManyServers {
                domain: self.expected.domain.clone(),
                omitted,
            }),
            ZoneServerCoverage::NotDelegated => Some(DcvReason::NotDelegated {
                domain: self.expected.record.zone.clone(),
            }),
            // If no server answered at all, that is the cause.
            ZoneServerCoverage::NotFound
                if judgements
                    .iter()
                    .all(|one| one.decisive_answer.is_silence()) =>
            {
                None
            }
            ZoneServerCoverage::NotFound => Some(DcvReason::OwnServersNotFound {
                domain: self.expected.domain.clone(),
            }),
        }
    }

    /// Returns the target of a wildcard CNAME: it is found both at the record's name and at a name
    /// that does not exist otherwise, and is unrelated to the request.
    fn wildcard_target(&self, survey: &DnsSurvey) -> Option<String> {
        let (_, doubled) = self
            .places
            .iter()
            .find(|(position, _)| *position == RelativePosition::Doubled)?;
        survey.server_answers.iter().find_map(|answers| {
            let target = cname_target(answers, &self.expected.record.name)?;
            let at_every_name = match &survey.surroundings.wildcard_answer {
                Some(anywhere) => is_alias_for(anywhere, target),
                None => cname_target(answers, doubled) == Some(target),
            };
            (at_every_name && self.is_unrelated(target)).then(|| target.clone())
        })
    }

    /// Returns whether a value is unrelated to the request.
    fn is_unrelated(&self, value: &str) -> bool {
        value_check::find_flaw(self.expected, self.zone, value) == Some(ValueFlaw::Unrelated)
    }

    /// Returns what one server has at the record's own name, instead of the record or beside it.
    fn conflict(
        &self,
        server_answers: &ServerAnswers,
        anywhere: Option<&DnsAnswer>,
    ) -> Option<DcvReason> {
        let record = &self.expected.record;
        let at_name = server_answers
            .answers
            .iter()
            .filter(|query| query.name == record.name);
        let main = at_name.clone().find(|query| query.kind == record.kind)?;
        let mut others = at_name
            .filter(|query| query.kind != record.kind)
            .map(|query| &query.answer);
        let conflicting = match (record.kind, &main.answer) {
            (_, DnsAnswer::Cnames(targets)) => Some(self.several_aliases(targets)),
            (RecordKind::Cname, DnsAnswer::Cname(_)) => others
                .any(|answer| matches!(answer, DnsAnswer::Txt(_)))
                .then_some(ConflictingRecord::Beside(RecordKind::Txt)),
            (RecordKind::Cname, DnsAnswer::NoData(_)) => {
                others.find_map(|answer| self.conflict_with_cname(server_answers, answer, anywhere))
            }
            (RecordKind::Txt, DnsAnswer::Cname(target)) => {
                Some(self.conflict_with_txt(target, anywhere))
            }
            _ => None,
        };
        conflicting.map(|conflicting| self.conflict_with(conflicting))
    }

    /// Separates the aliases at a name into the right one and the others.
    fn several_aliases(&self, targets: &[String]) -> ConflictingRecord {
        let is_right =
            |target: &&String| value_check::find_flaw(self.expected, self.zone, target).is_none();
        let (right, wrong): (Vec<&String>, Vec<&String>) = targets.iter().partition(is_right);
        ConflictingRecord::SeveralAliases {
            right: right.first().map(|target| (*target).clone()),
            wrong: wrong.into_iter().cloned().collect(),
            expected: self.expected.record.value.clone(),
        }
    }

    fn conflict_with(&self, conflicting: ConflictingRecord) -> DcvReason {
        DcvReason::Conflict {
            at: self.expected.record.name.clone(),
            conflict: conflicting,
        }
    }

    /// Classifies an alias to `target` at a name where a TXT record is expected.
    fn conflict_with_txt(&self, target: &str, anywhere: Option<&DnsAnswer>) -> ConflictingRecord {
        if anywhere.is_some_and(|answer| is_alias_for(answer, target)) {
            ConflictingRecord::Wildcard(target.to_owned())
        } else if self.is_unrelated(target) {
            ConflictingRecord::Alias(target.to_owned())
        } else {
            ConflictingRecord::WrongType {
                wanted: RecordKind::Txt,
                found: RecordKind::Cname,
            }
        }
    }

    /// Classifies texts or addresses at a name where a CNAME is expected.
    fn conflict_with_cname(
        &self,
        server_answers: &ServerAnswers,
        found: &DnsAnswer,
        anywhere: Option<&DnsAnswer>,
    ) -> Option<ConflictingRecord> {
        match found {
            DnsAnswer::Txt(texts)
                if value_check::nearest_value(self.expected, self.zone, texts).is_some() =>
            {
                Some(ConflictingRecord::WrongType {
                    wanted: RecordKind::Cname,
                    found: RecordKind::Txt,
                })
            }
            DnsAnswer::Txt(texts) => Some(match anywhere {
                Some(DnsAnswer::Txt(_)) => ConflictingRecord::Wildcard(texts.join(" | ")),
                _ => ConflictingRecord::Blocking(RecordKind::Txt),
            }),
            DnsAnswer::Addresses(addresses) => {
                let from_wildcard = match anywhere {
                    Some(DnsAnswer::Addresses(_)) => true,
                    Some(_) => false,
                    None => self.doubled_name_exists(server_answers),
                };
                Some(if from_wildcard {
                    let listed: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                    ConflictingRecord::Wildcard(listed.join(", "))
                } else {
                    ConflictingRecord::Addresses(addresses.clone())
                })
            }
            _ => None,
        }
    }

    /// Returns whether a name exists that only a wildcard record can create.
    fn doubled_name_exists(&self, server_answers: &ServerAnswers) -> bool {
        server_answers.answers.iter().any(|query| {
            self.position(&query.name) == Some(RelativePosition::Doubled)
                && matches!(query.answer, DnsAnswer::NoData(_))
        })
    }

    /// Counts the zone's own servers as having a TXT record behind an alias if a resolver found it
    /// there: unlike CAs, these servers do not follow an alias into another zone. An alias that is
    /// the value itself has no record behind it: the resolver has that answer from its cache.
    fn accept_aliases_that_resolvers_follow(&self, judgements: &mut [ServerJudgement]) {
        let resolver_finds_it = judgements.iter().any(|one| {
            one.server.role == ServerRole::Resolver && one.verdict == DcvVerdict::Visible
        });
        if self.expected.record.kind != RecordKind::Txt || !resolver_finds_it {
            return;
        }
        for one in judgements {
            if let DnsAnswer::Cname(target) = &one.decisive_answer
                && self.is_unrelated(target)
            {
                one.verdict = DcvVerdict::Visible;
            }
        }
    }
}

/// Returns whether the wrong value comes from a wildcard record, so that it was not entered at this
/// name.
fn is_wildcard_value(reason: &DcvReason, wildcard: Option<&str>) -> bool {
    match (reason, wildcard) {
        (
            DcvReason::Value {
                found,
                flaw: ValueFlaw::Unrelated,
                ..
            },
            Some(target),
        ) => found.eq_ignore_ascii_case(target),
        _ => false,
    }
}

/// Returns the target of the alias that a server has at `name`.
fn cname_target<'a>(server_answers: &'a ServerAnswers, name: &str) -> Option<&'a String> {
    server_answers
        .answers
        .iter()
        .filter(|query| query.name == name)
        .find_map(|query| match &query.answer {
            DnsAnswer::Cname(target) => Some(target),
            _ => None,
        })
}

fn is_alias_for(answer: &DnsAnswer, target: &str) -> bool {
    matches!(answer, DnsAnswer::Cname(found) if found.eq_ignore_ascii_case(target))
}

#[cfg(test)]
mod tests {
    use super::{DcvReason, DcvVerdict, RecordJudgement, ValueFlaw, WrongPlace, judge_record};
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

    fn query(name: &str, answer: DnsAnswer) -> AnsweredQuery {
        AnsweredQuery {
            name: name.to_owned(),
            kind: RecordKind::Cname,
            answer,
            ttl: None,
        }
    }

    /// Answers about the record's own name, from the zone's own servers and, last, a resolver.
    fn survey(answers: &[DnsAnswer]) -> DnsSurvey {
        let server_answers = answers.iter().enumerate().map(|(index, answer)| {
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
                answers: vec![query(NAME, answer.clone())],
            }
        });
        DnsSurvey {
            zone: Some("example.com".to_owned()),
            zone_server_coverage: ZoneServerCoverage::Queried(UnqueriedServers::default()),
            server_answers: server_answers.collect(),
            surroundings: SurroundingAnswers::default(),
        }
    }

    /// A short name for each reason.
    fn reason_words(judgement: &RecordJudgement) -> Vec<&'static str> {
        let word = |reason: &DcvReason| match reason {
            DcvReason::WrongName { .. } => "elsewhere",
            DcvReason::Conflict { .. } => "instead",
            DcvReason::NoRoute { .. } => "unreachable-from-here",
            DcvReason::NotDelegated { .. } => "not-delegated",
            DcvReason::NotEverywhere { .. } => "not-everywhere",
            DcvReason::NotPublished { .. } => "not-published",
            DcvReason::OwnServersNotFound { .. } => "own-servers",
            DcvReason::ResolverCachedAbsence { .. } => "resolver",
            DcvReason::NoAnswer { .. } => "silent",
            DcvReason::TooManyServers { .. } => "too-many",
            DcvReason::Value { .. } => "value",
        };
        judgement.reasons.iter().map(word).collect()
    }

    #[test]
    fn every_server_that_was_queried_counts() {
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
            let judgement = judge_record(&expected(), &survey(&answers));
            assert_eq!(
                (judgement.verdict, judgement.answered),
                (verdict, answered),
                "{answers:?}"
            );
            assert_eq!(reason_words(&judgement), reasons, "{answers:?}");
        }
    }

    #[test]
    fn nothing_is_visible_without_the_zones_own_servers() {
        let mut survey = survey(&[right()]);
        for (coverage, verdict) in [
            (
                ZoneServerCoverage::Queried(UnqueriedServers::default()),
                DcvVerdict::Visible,
            ),
            (
                ZoneServerCoverage::Queried(UnqueriedServers {
                    names: 1,
                    addresses: 0,
                }),
                DcvVerdict::Unreachable,
            ),
            (
                ZoneServerCoverage::Queried(UnqueriedServers {
                    names: 0,
                    addresses: 1,
                }),
                DcvVerdict::Unreachable,
            ),
            (ZoneServerCoverage::NotRequested, DcvVerdict::Visible),
            (ZoneServerCoverage::NotFound, DcvVerdict::Unreachable),
            (ZoneServerCoverage::NotDelegated, DcvVerdict::Unreachable),
        ] {
            survey.zone_server_coverage = coverage;
            assert_eq!(judge_record(&expected(), &survey).verdict, verdict);
        }
    }

    #[test]
    fn missing_answers_are_the_only_reason_if_no_server_answers() {
        for (answers, reasons) in [
            (vec![DnsAnswer::NoRoute], vec!["unreachable-from-here"]),
            (vec![DnsAnswer::Timeout, DnsAnswer::Timeout], vec!["silent"]),
            (vec![DnsAnswer::ServFail], vec!["silent", "own-servers"]),
        ] {
            let mut survey = survey(&answers);
            survey.zone_server_coverage = ZoneServerCoverage::NotFound;
            let judgement = judge_record(&expected(), &survey);
            assert_eq!(
                (judgement.verdict, judgement.answered),
                (DcvVerdict::Unreachable, false)
            );
            assert_eq!(reason_words(&judgement), reasons, "{answers:?}");
        }
        let reasons = judge_record(&expected(), &survey(&[DnsAnswer::NoRoute])).reasons;
        assert!(
            matches!(
                reasons[..],
                [DcvReason::NoRoute {
                    others: crate::dcv::reason::OtherServers::NoServer,
                    ..
                }]
            ),
            "{reasons:?}"
        );
    }

    #[test]
    fn flaws_of_a_value_are_distinguished() {
        let mut unknown = expected();
        unknown.source = crate::dcv::expectation::ExpectationSource::Unknown;
        unknown.values.clear();
        let another = format!("{0}.{0}.sectigo.com", "0".repeat(32));
        for (value, known, flaw) in [
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
                Some(ValueFlaw::Unrelated),
            ),
            (another, true, Some(ValueFlaw::AnotherRequest)),
            (
                "\u{1b}[31m.example".to_owned(),
                true,
                Some(ValueFlaw::Unrelated),
            ),
        ] {
            let judgement = judge_record(
                &if known { expected() } else { unknown.clone() },
                &survey(&[DnsAnswer::Cname(value.clone())]),
            );
            let observed = judgement.reasons.iter().find_map(|reason| match reason {
                DcvReason::Value { flaw, .. } => Some(*flaw),
                _ => None,
            });
            assert_eq!(observed, flaw, "{value}");
        }
    }

    #[test]
    fn records_at_other_names_are_found() {
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
            survey.server_answers[0].answers = expected
                .names_to_query(Some("example.com"))
                .into_iter()
                .map(|(one, name)| {
                    query(
                        &name,
                        if one == place {
                            right()
                        } else {
                            DnsAnswer::NoName(None)
                        },
                    )
                })
                .collect();
            let judgement = judge_record(&expected, &survey);
            assert_eq!(judgement.verdict, verdict, "{place:?}");
            let how = judgement.reasons.iter().find_map(|reason| match reason {
                DcvReason::WrongName { cause: how, .. } => Some(how.clone()),
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
    fn a_right_record_at_a_parent_outweighs_a_wrong_one_below() {
        let mut expected = expected();
        expected.domain = "www.example.com".to_owned();
        expected.record.name = NAME.replace("example", "www.example");
        expected.record.also_at = vec![NAME.to_owned()];
        let mut survey = survey(&[right()]);
        survey.server_answers[0].answers = vec![
            query(
                &expected.record.name,
                DnsAnswer::Cname("x.example".to_owned()),
            ),
            query(NAME, right()),
        ];
        assert_eq!(
            judge_record(&expected, &survey).verdict,
            DcvVerdict::Visible
        );
    }
}
