//! The options that `--server postgres` and the like stand for.

use std::path::PathBuf;

use crate::context::Context;
use crate::export::{ExportTarget, OWNED_KEY_MODE, ServiceProfile};
use crate::failure::Failure;
use crate::install::key_owner::look_up_owner;
use crate::store::settings::LineageSettings;

/// Adds the options of the named server where neither the command line nor an earlier install has
/// set any. They are saved with the others.
///
/// # Errors
/// When the user of the server does not exist, that is, when the server is not installed.
pub(super) fn add(
    context: &Context,
    stem: &str,
    settings: &mut LineageSettings,
) -> Result<(), Failure> {
    let mut names = settings.server.iter();
    let profile = names.find_map(|name| ExportTarget::find_service(name));
    let Some(profile) = profile else {
        return Ok(());
    };
    // Under `--root`, the services of this machine are not those of the tree.
    if context.root.is_none() {
        add_commands(profile, settings);
    }
    if settings.key_path.is_none() {
        settings.key_path = profile.key_path(stem).map(PathBuf::from);
    }
    if settings.key_owner.is_none()
        && let Some(owner) = profile.owner
    {
        settings.key_owner = Some(look_up_owner(context, owner)?);
        let mode = settings.key_mode.take();
        settings.key_mode = mode.or_else(|| Some(OWNED_KEY_MODE.to_owned()));
    }
    Ok(())
}

fn add_commands(profile: &ServiceProfile, settings: &mut LineageSettings) {
    if settings.test.is_none() {
        settings.test = profile.test.map(str::to_owned);
    }
    if settings.reload.is_none() {
        settings.reload = Some(profile.reload.to_owned());
    }
    if settings.probe.is_empty() {
        settings.probe = profile
            .probes
            .iter()
            .map(|&probe| probe.to_owned())
            .collect();
    }
}
