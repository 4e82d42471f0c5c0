//! The options that `--server postgres` and the like stand for.

use std::path::PathBuf;

use crate::advice::key_access;
use crate::context::Context;
use crate::export::{ExportTarget, OWNED_KEY_MODE, ServiceProfile};
use crate::failure::{Failure, FailureKind};
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
    let mut profiles: Vec<&ServiceProfile> = Vec::new();
    for name in &settings.server {
        profiles.extend(ExportTarget::find_service(name));
    }
    // Under `--root`, the services of this machine are not those of the tree.
    if context.root.is_none() {
        add_commands(&profiles, settings);
    }
    let owned = profiles.iter().find(|profile| profile.owner.is_some());
    let Some(owned) = owned else {
        return Ok(());
    };
    if settings.key_path.is_none() {
        settings.key_path = owned.key_path(stem).map(PathBuf::from);
    }
    if settings.key_owner.is_none()
        && let Some(owner) = owned.owner
    {
        refuse_second_owner(&profiles, owner)?;
        settings.key_owner = Some(look_up_owner(context, owner)?);
        let mode = settings.key_mode.take();
        settings.key_mode = mode.or_else(|| Some(OWNED_KEY_MODE.to_owned()));
    }
    Ok(())
}

/// Refuses two services that read the key as different users: it has one owner.
fn refuse_second_owner(profiles: &[&ServiceProfile], owner: &str) -> Result<(), Failure> {
    for profile in profiles {
        if let Some(other) = profile.owner
            && other != owner
        {
            let message = format!("{owner} and {other} have to read the key, which has one owner");
            let failure = Failure::new(FailureKind::Usage, message);
            return Err(failure.with_step(key_access::share_key_by_group()));
        }
    }
    Ok(())
}

fn add_commands(profiles: &[&ServiceProfile], settings: &mut LineageSettings) {
    if settings.test.is_empty() {
        for profile in profiles {
            settings.test.extend(profile.test.map(str::to_owned));
        }
    }
    if settings.reload.is_empty() {
        for profile in profiles {
            settings.reload.push(profile.reload.to_owned());
        }
    }
    if settings.probe.is_empty() {
        for profile in profiles {
            for &probe in profile.probes {
                settings.probe.push(probe.to_owned());
            }
        }
    }
}
