//! The verdict of a successful install after what the answers of servers prove.

use super::TransactionOutcome;
use super::evidence;
use super::verdict::InstallVerdict;
use crate::finding::Finding;
use crate::install::preflight::PreflightState;
use crate::install_plan::apply::ProbeAnswer;

impl TransactionOutcome {
    /// Lowers the verdict of a successful install to what the answers prove, and reports the reasons.
    pub(super) fn judge_evidence(
        &mut self,
        situation: &PreflightState,
        probes: &[ProbeAnswer],
        test_warnings: Vec<String>,
    ) {
        let probes = if probes.is_empty() {
            &situation.serving.probes
        } else {
            probes
        };
        self.findings
            .extend(evidence::report_unchecked_keys(probes));
        let inconclusive = evidence::report_inconclusive(probes, ProbeAnswer::is_inconclusive);
        if !inconclusive.is_empty() && self.verdict == InstallVerdict::Live {
            self.verdict = InstallVerdict::Files;
        }
        self.findings.extend(inconclusive);
        let stapled = evidence::check_stapled(probes, &situation.wanted.certificates);
        let is_served = matches!(
            self.verdict,
            InstallVerdict::Live | InstallVerdict::Files | InstallVerdict::Unchanged
        );
        if !stapled.is_empty() && is_served {
            self.verdict = InstallVerdict::LiveIncomplete;
        }
        self.findings.extend(stapled);
        let warnings = evidence::warnings_about_files(situation, test_warnings);
        if !warnings.is_empty() {
            let message = "the server's test of the new files succeeded with warnings";
            let finding = Finding::warning("server-test-warning", message);
            self.findings.push(finding.with_quote(warnings));
        }
    }

    /// Says why not everything at the servers is as it should be; what the site answers over HTTP is
    /// said elsewhere.
    pub(super) fn incomplete_reason(&self) -> Option<&'static str> {
        let is_stapled = |finding: &Finding| finding.code == evidence::STAPLED_DIFFERS;
        if self.findings.iter().any(is_stapled) {
            Some("; a server staples an OCSP response for another certificate")
        } else if self.serves_others() {
            Some("; not every address serves it")
        } else {
            None
        }
    }
}
