//! The configured defaults, as far as a run can use them.

use crate::advice::configuration;
use crate::configuration::ConfiguredDefaults;
use crate::configuration::defaults::MOST_KEPT;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::install::request::{InstallGoal, InstallRequest};

/// Reads the configured defaults. A wrong file does not stop a rollback, which may have to be fast: it
/// is reported, and no version is removed, because the file may say how many are kept.
pub(super) fn read(
    context: &Context,
    requests: &[InstallRequest<'_>],
) -> Result<(ConfiguredDefaults, Option<Finding>), Failure> {
    let is_rollback =
        |request: &InstallRequest<'_>| matches!(request.goal, InstallGoal::Rollback(_));
    match context.defaults() {
        Ok(defaults) => Ok((defaults, None)),
        Err(error) if requests.iter().all(is_rollback) => {
            let defaults = ConfiguredDefaults {
                keep: Some(MOST_KEPT),
                ..ConfiguredDefaults::default()
            };
            Ok((defaults, Some(configuration::report_ignored(error))))
        }
        Err(error) => Err(error.into()),
    }
}
