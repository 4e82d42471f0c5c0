//! The verdict of a successful install after what the answers of servers prove.

use super::TransactionOutcome;
use super::evidence;
use super::verdict::InstallVerdict;
use crate::finding::{Finding, Severity};
use crate::install::preflight::PreflightState;
use crate::install_plan::apply::ProbeAnswer;

/// The code of server processes that certctl could not reload or probe.
const NOT_REACHED: &str = "process-not-reached";

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

    /// Whether every address that is known serves the certificate.
    pub(super) fn serves_everywhere(&self) -> bool {
        !self.serves_others() && !self.has_error(NOT_REACHED)
    }

    /// Says why not everything at the servers is as it should be; what the site answers over HTTP is
    /// reported elsewhere.
    pub(super) fn incomplete_reason(&self) -> Option<&'static str> {
        if self.has_error("hook-failed") {
            return Some("; the command of `--after` failed");
        }
        if self.has_error(evidence::STAPLED_DIFFERS) {
            return Some("; a server staples an OCSP response for another certificate");
        }
        match (self.serves_others(), self.has_error(NOT_REACHED)) {
            (true, true) => {
                Some("; not every address serves it, and not every server process could be reached")
            }
            (true, false) => Some("; not every address serves it"),
            (false, true) => Some("; not every server process could be reached"),
            (false, false) => None,
        }
    }

    fn has_error(&self, code: &str) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity == Severity::Error && finding.code == code)
    }
}
