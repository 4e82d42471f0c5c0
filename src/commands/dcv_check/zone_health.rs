//! What is judged besides the servers' own answers: DNSSEC, CAA, and what shows when servers are
//! seen side by side.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::advice;
use crate::commands::dcv_check::expected::ExpectedRecord;
use crate::dcv::answer::{DnsAnswer, DnsSurvey};
use crate::dcv::caa::{self, CaaLookup, CaaRuling, IssuanceRequest};
use crate::dcv::dnssec::{self, DnssecState};
use crate::dcv::judge::{DcvVerdict, RecordJudgement};
use crate::dcv::zone_consistency;
use crate::finding::{Finding, Severity};

/// What was found around one record.
#[derive(Clone, Debug)]
pub(crate) struct ZoneHealth {
    /// Whether the zone's signatures hold.
    pub dnssec: DnssecState,
    /// What CAA says, for each name that the record proves.
    pub caa: Vec<CaaRuling>,
    /// What is to be said.
    pub findings: Vec<Finding>,
    /// A resolver's own words for why it gave no answer.
    explained: Vec<String>,
}

impl ZoneHealth {
    /// Judges it; where signatures do not hold, a CA sees nothing, and the verdict says so.
    pub(super) fn judge(
        judgement: &mut RecordJudgement,
        survey: &DnsSurvey,
        pending: &ExpectedRecord,
        found: &HashMap<String, CaaLookup>,
        at: Timestamp,
    ) -> Self {
        let dnssec = dnssec::judge(&survey.around.evidence, at);
        let broken = matches!(dnssec, DnssecState::Broken(_));
        if broken {
            judgement.verdict = judgement.verdict.max(DcvVerdict::Unreachable);
        }
        let mut findings: Vec<Finding> =
            zone_consistency::remarks(survey, judgement, &pending.expected.record.zone, at)
                .iter()
                .map(|remark| advice::zone_consistency::finding(remark, at))
                .collect();
        let explained: Vec<String> = survey
            .around
            .explained
            .iter()
            .map(|(server, reason)| format!("{server}: {reason}"))
            .collect();
        let mut signatures: Vec<Finding> = Vec::from(&dnssec);
        signatures
            .iter_mut()
            .take(1)
            .for_each(|first| first.lines.extend(explained.iter().cloned()));
        findings.extend(signatures);
        let wish = IssuanceRequest {
            issuers: pending.ca.map_or(&[], |ca| ca.profile().issuers),
            at,
        };
        let caa = caa::rule_all(&pending.names, found, wish);
        // Where nobody answers at all, or nothing is believed, that is what is to be said.
        if judgement.answered {
            let rejected = broken
                || judgement
                    .standings
                    .iter()
                    .any(|one| one.answer == DnsAnswer::Bogus);
            let said = |ruling: &&CaaRuling| {
                !(rejected
                    && matches!(ruling.verdict, caa::CaaVerdict::Failed(_, DnsAnswer::Bogus)))
            };
            findings.extend(
                caa::together(caa.iter().filter(said))
                    .iter()
                    .flat_map(Vec::<Finding>::from),
            );
        }
        Self {
            dnssec,
            caa,
            findings,
            explained,
        }
    }

    /// What keeps the CA from seeing the record, or from issuing though it does.
    pub(super) fn wrong(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
    }

    /// The resolvers' own words go with the finding that they failed; where it is known why
    /// signatures are rejected, that is told and nothing else.
    pub(super) fn explain(&self, finding: Finding) -> Option<Finding> {
        let broken = matches!(self.dnssec, DnssecState::Broken(_));
        match finding.code {
            "server-bogus" if broken => None,
            "server-bogus" | "server-servfail" => {
                Some(finding.quoting(self.explained.iter().cloned()))
            }
            _ => Some(finding),
        }
    }

    /// What is fine, for the line that says so.
    pub(super) fn fine(&self) -> String {
        let allowed = |ruling: &CaaRuling| {
            matches!(
                ruling.verdict,
                caa::CaaVerdict::Allowed | caa::CaaVerdict::Free
            )
        };
        let caa = if !self.caa.is_empty() && self.caa.iter().all(allowed) {
            "; CAA allows"
        } else {
            ""
        };
        match self.dnssec {
            DnssecState::Unsigned => format!("{caa}; DNSSEC: unsigned, fine"),
            DnssecState::Signed => format!("{caa}; DNSSEC: the signatures hold"),
            DnssecState::Broken(_) | DnssecState::Unknown => caa.to_owned(),
        }
    }
}

pub(super) fn ruling_json(ruling: &CaaRuling) -> Value {
    use crate::dcv::caa::CaaVerdict::{
        Allowed, CaUnknown, Failed, Forbidden, Free, NotAsked, OnTerms, Only, Partly,
    };
    let verdict = match &ruling.verdict {
        NotAsked => "not-queried",
        Free => "free",
        Allowed => "allowed",
        Only(_) => "limited",
        OnTerms(_) => "with-parameters",
        Partly(_) => "some",
        Forbidden(_) => "forbidden",
        CaUnknown(_) => "ca-unknown",
        Failed(..) => "failed",
    };
    json!({ "name": ruling.name, "verdict": verdict, "at": ruling.at, "records": ruling.records })
}
