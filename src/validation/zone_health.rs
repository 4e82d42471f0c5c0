//! Judges what surrounds a record: DNSSEC, CAA, and differences between the zone's servers.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::advice;
use crate::dcv::answer::{DnsAnswer, DnsSurvey};
use crate::dcv::caa::{self, CaaAnswers, CaaRuling, CaaVerdict, IssuanceRequest};
use crate::dcv::dnssec::{self, DnssecState};
use crate::dcv::judge::{DcvVerdict, RecordJudgement};
use crate::dcv::zone_consistency;
use crate::finding::{Finding, Severity};
use crate::validation::expected::ExpectedRecord;

/// The state of DNSSEC, CAA and the zone's servers for one record.
#[derive(Clone, Debug)]
pub(crate) struct ZoneHealth {
    /// Whether the zone's signatures are valid.
    pub dnssec: DnssecState,
    /// The CAA decision for each name that the record validates.
    pub caa: Vec<CaaRuling>,
    /// The findings about the zone.
    pub findings: Vec<Finding>,
    /// The resolvers' explanations for missing answers.
    explanations: Vec<String>,
}

impl ZoneHealth {
    /// Judges the zone. Broken signatures make the record invisible to a CA, so they change the
    /// verdict in `judgement`.
    pub(crate) fn judge(
        judgement: &mut RecordJudgement,
        survey: &DnsSurvey,
        record: &ExpectedRecord,
        caa_lookups: &HashMap<String, CaaAnswers>,
        now: Timestamp,
    ) -> Self {
        let dnssec = dnssec::judge_signatures(&survey.surroundings.evidence, now);
        let is_broken = matches!(dnssec, DnssecState::Broken(_));
        if is_broken {
            judgement.verdict = judgement.verdict.max(DcvVerdict::Unreachable);
        }
        let zone = &record.expected.record.zone;
        let mut findings = consistency_findings(survey, judgement, zone, now);
        let explanations = explanations(survey);
        findings.extend(signature_findings(&dnssec, &explanations));
        let request = IssuanceRequest {
            issuers: record.ca.map_or(&[], |ca| ca.profile().issuers),
            at: now,
        };
        let caa = caa::evaluate_all(&record.names, caa_lookups, request);
        // If no server answers at all, only that is reported.
        if judgement.answered {
            // Rejected signatures also explain CAA lookups that failed for the same reason.
            let is_rejected = is_broken || has_bogus_answer(judgement);
            let reported = caa
                .iter()
                .filter(|ruling| !(is_rejected && is_bogus(ruling)));
            findings.extend(caa_findings(reported));
        }
        Self {
            dnssec,
            caa,
            findings,
            explanations,
        }
    }

    /// The findings that keep the CA from seeing the record, or from issuing although it sees it.
    pub(crate) fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
    }

    /// Adds the resolvers' explanations to the finding that they failed. Returns `None` for rejected
    /// signatures whose cause has a finding of its own.
    pub(crate) fn explain(&self, finding: Finding) -> Option<Finding> {
        let is_broken = matches!(self.dnssec, DnssecState::Broken(_));
        match finding.code {
            "server-bogus" if is_broken => None,
            "server-bogus" | "server-servfail" => {
                Some(finding.with_quote(self.explanations.iter().cloned()))
            }
            _ => Some(finding),
        }
    }

    /// Describes CAA and DNSSEC; it completes the sentence that the record is visible.
    pub(crate) fn in_words(&self) -> String {
        let has_caa = !self.caa.is_empty();
        let caa = if has_caa && self.caa.iter().all(allows_issuance) {
            "; CAA allows issuance"
        } else {
            ""
        };
        match self.dnssec {
            DnssecState::Unsigned => format!("{caa}; the zone does not use DNSSEC"),
            DnssecState::Signed => format!("{caa}; the DNSSEC signatures are valid"),
            DnssecState::Broken(_) | DnssecState::Unknown => caa.to_owned(),
        }
    }
}

/// The findings about differences between the zone's servers.
fn consistency_findings(
    survey: &DnsSurvey,
    judgement: &RecordJudgement,
    zone: &str,
    now: Timestamp,
) -> Vec<Finding> {
    zone_consistency::zone_remarks(survey, judgement, zone, now)
        .iter()
        .map(|remark| advice::zone_consistency::zone_remark_finding(remark, now))
        .collect()
}

fn explanations(survey: &DnsSurvey) -> Vec<String> {
    survey
        .surroundings
        .explanations
        .iter()
        .map(|(server, reason)| format!("{server}: {reason}"))
        .collect()
}

/// The findings about DNSSEC; the first one quotes the resolvers.
fn signature_findings(dnssec: &DnssecState, explanations: &[String]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::from(dnssec);
    if let Some(first) = findings.first_mut() {
        first.lines.extend(explanations.iter().cloned());
    }
    findings
}

fn has_bogus_answer(judgement: &RecordJudgement) -> bool {
    judgement
        .server_judgements
        .iter()
        .any(|one| one.decisive_answer == DnsAnswer::Bogus)
}

fn caa_findings<'a>(rulings: impl Iterator<Item = &'a CaaRuling>) -> Vec<Finding> {
    caa::group_rulings(rulings)
        .iter()
        .flat_map(Vec::<Finding>::from)
        .collect()
}

fn is_bogus(ruling: &CaaRuling) -> bool {
    matches!(ruling.verdict, CaaVerdict::Failed(_, DnsAnswer::Bogus))
}

fn allows_issuance(ruling: &CaaRuling) -> bool {
    matches!(
        ruling.verdict,
        CaaVerdict::Allowed | CaaVerdict::Unrestricted
    )
}

/// Returns the CAA decision for one name as JSON.
pub(crate) fn ruling_json(ruling: &CaaRuling) -> Value {
    let verdict = match &ruling.verdict {
        CaaVerdict::NotQueried => "not-queried",
        CaaVerdict::Unrestricted => "free",
        CaaVerdict::Allowed => "allowed",
        CaaVerdict::Only(_) => "needs-ca",
        CaaVerdict::WithParameters(_) => "with-parameters",
        CaaVerdict::AllowsSome(_) => "some",
        CaaVerdict::Forbidden(_) => "forbidden",
        CaaVerdict::CaUnknown(_) => "ca-unknown",
        CaaVerdict::Failed(..) => "failed",
    };
    json!({
        "name": ruling.name,
        "verdict": verdict,
        "at": ruling.at,
        "records": ruling.records,
        "server": ruling.server,
    })
}
