//! What a certificate's servers answer from blocks with other files.

use super::ServingState;
use super::other_files::OtherFiles;
use crate::finding::{Finding, Severity};
use crate::install_plan::apply::ProbeAnswer;
use crate::install_plan::plan::ServerState;
use crate::probe::ProbeTarget;

impl ServingState {
    /// Returns what to probe at blocks with other files: those of servers that are running.
    #[must_use]
    pub(crate) fn other_targets(&self) -> Vec<ProbeTarget> {
        let mut targets: Vec<ProbeTarget> = Vec::new();
        for (other, is_running) in self.other_files() {
            if is_running && other.is_error() {
                targets.extend(other.targets.iter().cloned());
            }
        }
        targets
    }

    /// Returns all findings, those about blocks with other files last; see
    /// [`Self::check_other_files`].
    #[must_use]
    pub(crate) fn all_findings(&self, probes: &[ProbeAnswer]) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        findings.extend(self.check_other_files(probes));
        findings
    }

    /// Returns the findings about blocks with other files. `probes` are the answers of
    /// [`Self::other_targets`]; without them, the findings say what the configuration says.
    #[must_use]
    pub(crate) fn check_other_files(&self, probes: &[ProbeAnswer]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (other, is_running) in self.other_files() {
            if is_running && other.is_error() && !probes.is_empty() {
                let own = probes
                    .iter()
                    .filter(|probe| other.targets.contains(&probe.target));
                findings.extend(other.verify(own));
            } else {
                findings.push(other.finding.clone());
            }
        }
        findings
    }

    /// Whether these answers show that some address serves something else, or a process that uses the
    /// certificate was not reached.
    #[must_use]
    pub(crate) fn is_incomplete(&self, probes: &[ProbeAnswer]) -> bool {
        let findings = self.check_other_files(probes);
        let mut severities = findings.iter().map(|finding| finding.severity);
        let is_other = !probes.is_empty() && severities.any(|severity| severity == Severity::Error);
        is_other || self.has_unreached()
    }

    /// Each block with other files, and whether its server is running and uses the certificate.
    fn other_files(&self) -> impl Iterator<Item = (&OtherFiles, bool)> {
        self.uses.iter().flat_map(|server_use| {
            let is_running = matches!(
                server_use.state,
                ServerState::BrokenUntilInstalled(_) | ServerState::Serves(..)
            );
            server_use
                .other_files
                .iter()
                .map(move |other| (other, is_running))
        })
    }
}
