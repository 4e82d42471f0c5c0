//! The verdict of a successful install after what the answers of servers prove.

use super::TransactionOutcome;
use super::evidence;
use super::verdict::InstallVerdict;
use crate::finding::{Finding, Severity};
use crate::install::labels;
use crate::install::preflight::PreflightState;
use crate::install_plan::allow::KEY_NOT_CHECKED;
use crate::install_plan::apply::ProbeAnswer;
use crate::store::layout::KeyStorage;

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
        let unchecked_keys = evidence::report_unchecked_keys(probes);
        let is_key_unproven = unchecked_keys.is_some() || !has_checked_key(probes);
        self.findings.extend(unchecked_keys);
        let inconclusive = evidence::report_inconclusive(probes, ProbeAnswer::is_inconclusive);
        if !inconclusive.is_empty() && self.verdict == InstallVerdict::Live {
            self.verdict = InstallVerdict::Files;
        }
        self.findings.extend(inconclusive);
        if is_key_unproven {
            self.judge_unproven_key(situation);
        }
        self.findings.extend(labels::find_odd_labels(
            &situation.layout,
            &situation.wanted.id,
        ));
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

    /// Where only a handshake can prove the key, and none did, the install is not complete.
    fn judge_unproven_key(&mut self, situation: &PreflightState) {
        let is_allowed = situation.has_finding(KEY_NOT_CHECKED);
        let is_served = matches!(
            self.verdict,
            InstallVerdict::Live | InstallVerdict::Files | InstallVerdict::Unchanged
        );
        let is_external = situation.layout.key_storage() == KeyStorage::External;
        if !is_external || is_allowed || !is_served {
            return;
        }
        self.findings
            .retain(|finding| finding.code != KEY_NOT_CHECKED);
        let message = "no handshake has proven that the server has the key of the certificate";
        self.findings.push(Finding::error(KEY_NOT_CHECKED, message));
        self.verdict = InstallVerdict::LiveIncomplete;
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
        if self.has_error(KEY_NOT_CHECKED) {
            return Some("; the key was not proven");
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

/// Whether a handshake has proven that a server has the key.
fn has_checked_key(probes: &[ProbeAnswer]) -> bool {
    probes
        .iter()
        .any(|probe| probe.agrees() && !probe.agrees_without_key())
}
