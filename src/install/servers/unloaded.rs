//! Changes to a server's configuration that the server has not loaded, and that the reload of an
//! install activates.

use super::{ServerUse, ServingState};
use crate::finding::Finding;
use crate::install_plan::plan::{InstallPlan, PlanStep};
use crate::webserver::control::UnloadedChanges;
use crate::webserver::model::ServerSoftware;

/// How many paths are listed.
const SHOWN: usize = 5;

impl ServingState {
    /// Searches for the changes, because after a reload they cannot be found any more.
    pub(crate) fn observe_unloaded_changes(&self) {
        for server_use in &self.uses {
            let _ = server_use.observed.unloaded_changes();
        }
    }

    /// Returns a warning for each server that the plan reloads and that has such changes.
    #[must_use]
    pub(crate) fn report_unloaded_changes(&self, plan: &InstallPlan) -> Vec<Finding> {
        let mut findings = Vec::new();
        for server_use in &self.uses {
            if reloads(plan, server_use)
                && let Some(software) = server_use.observed.software()
                && let Some(changes) = server_use.observed.unloaded_changes()
            {
                findings.push(report(software, changes));
            }
        }
        findings
    }
}

fn reloads(plan: &InstallPlan, server_use: &ServerUse) -> bool {
    let software = server_use.observed.software();
    let mut steps = plan.steps.iter();
    steps.any(|step| matches!(step, PlanStep::Reload { server, .. } if *server == software))
}

fn report(software: ServerSoftware, changes: &UnloadedChanges) -> Finding {
    let title = software.title();
    let message = format!(
        "{title}'s configuration was changed after {title} loaded it: the reload activates the \
         changes"
    );
    let paths = changes.paths.iter().take(SHOWN);
    let mut lines: Vec<String> = paths.map(|path| path.display().to_string()).collect();
    if changes.paths.len() > SHOWN {
        lines.push(format!("and {} more", changes.paths.len() - SHOWN));
    }
    Finding::warning("config-not-loaded", message).with_quote(lines)
}
