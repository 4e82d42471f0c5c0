//! Whether the paths get links or copies, from the options and from what readers see there.

use crate::advice::deployment;
use crate::finding::{Finding, Severity};
use crate::install::request::{InstallGoal, InstallRequest};
use crate::install::servers::ServingState;
use crate::install::servers::path_views::PathView;
use crate::store::layout::{DeployMode, LineageLayout};
use crate::store::settings::LineageSettings;

/// Decides how the files are deployed, saves an automatic choice in the settings, and reports what
/// links or copies cannot do.
pub(super) fn choose(
    request: &InstallRequest<'_>,
    layout: LineageLayout,
    settings: &mut LineageSettings,
    serving: &mut ServingState,
) -> LineageLayout {
    let is_rollback = matches!(request.goal, InstallGoal::Rollback(_));
    let needs_copy = serving.path_views.iter().any(PathView::needs_copy);
    if needs_copy && settings.deploy.is_none() && !is_rollback {
        settings.deploy = Some(DeployMode::Copy);
        serving.findings.extend(explain_choice(&serving.path_views));
    }
    let deploy_mode = settings.deploy.unwrap_or_default();
    for view in &serving.path_views {
        match report(view, deploy_mode) {
            // A rollback changes no link, so what is there stays as reachable as it is.
            Some(finding) if is_rollback && deploy_mode == DeployMode::Link => {
                serving.findings.push(Finding {
                    severity: Severity::Warning,
                    ..finding
                });
            }
            other => serving.refusals.extend(other),
        }
    }
    layout.with_deploy_mode(deploy_mode)
}

/// Says why copies are written, once.
fn explain_choice(views: &[PathView]) -> Option<Finding> {
    let view = views.iter().find(|view| view.needs_copy())?;
    let message = format!("plain files are installed instead of links: {view}");
    Some(Finding::note("deployed-as-copies", message))
}

/// Reports what prevents the deployment.
fn report(view: &PathView, deploy_mode: DeployMode) -> Option<Finding> {
    match view {
        PathView::MountedFile { .. } => {
            let finding = Finding::error("file-is-mount-point", view.to_string());
            Some(finding.with_step(deployment::mount_the_folder()))
        }
        PathView::HiddenTarget { .. } | PathView::SharedFolder { .. }
            if deploy_mode == DeployMode::Link =>
        {
            let finding = Finding::error("link-target-hidden", view.to_string());
            Some(finding.with_step(deployment::install_copies()))
        }
        PathView::HiddenTarget { .. } | PathView::SharedFolder { .. } => None,
    }
}
