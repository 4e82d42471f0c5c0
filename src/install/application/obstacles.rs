//! Findings about what prevents an application from being put into service.

use std::path::Path;

use super::environment::EnvironmentFault;
use super::observe::ApplicationObstacle;
use crate::advice::{site_application, site_command};
use crate::finding::Finding;
use crate::system::accounts;
use crate::system::fs::folders;

/// Reports an obstacle; `folder` is that of the application, `site` the name of the site.
#[must_use]
pub(crate) fn report(obstacle: &ApplicationObstacle, folder: &Path, site: &str) -> Finding {
    match obstacle {
        ApplicationObstacle::AccountTaken(name) => site_application::report_taken_account(name),
        ApplicationObstacle::Unwritable(path) => site_application::report_unwritable_path(path),
        ApplicationObstacle::Environment(EnvironmentFault::Missing) => {
            site_application::report_no_environment(folder)
        }
        ApplicationObstacle::Environment(EnvironmentFault::Incomplete {
            environment,
            packages,
        }) => {
            let owner = owner_of(environment);
            site_application::report_missing_packages(environment, packages, owner.as_deref())
        }
        ApplicationObstacle::File(obstacle) => site_command::report_obstacle(obstacle),
        ApplicationObstacle::NoManager(wanted) => site_application::report_no_manager(*wanted),
        ApplicationObstacle::OtherManager(installed) => {
            site_application::report_other_manager(*installed, site)
        }
        ApplicationObstacle::Unreadable(barrier) => site_application::report_barrier(barrier),
    }
}

/// The name of the user that an environment belongs to; `None` for root, as which pip must not run.
fn owner_of(environment: &Path) -> Option<String> {
    let status = folders::read_status(environment).ok()??;
    let user = status.owner.uid;
    accounts::name_of_user(user).filter(|_| user != 0)
}
