//! Advice on configuration files, credentials and the state folder.

use std::path::Path;

use super::command_lines::shell_path;
use crate::configuration::ConfigurationError;
use crate::configuration::toml_file::ConfigurationAccess;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, Severity};
use crate::state::StateError;
use crate::system::fs::files;

impl From<ConfigurationError> for Failure {
    fn from(error: ConfigurationError) -> Self {
        let kind = match &error {
            ConfigurationError::Missing { .. } => FailureKind::NotFound,
            _ => FailureKind::Malformed,
        };
        let failure = Self::from_error(kind, &error);
        match error {
            ConfigurationError::File(error) => error.into(),
            ConfigurationError::Exposed { path, access, .. } => {
                failure.with_step(protect(&path, access))
            }
            ConfigurationError::Syntax { path, .. } => {
                let text = format!("Correct {}", path.display());
                failure.with_step(NextStep::say(text))
            }
            ConfigurationError::UnknownKey { origin, .. }
            | ConfigurationError::WrongType { origin, .. }
            | ConfigurationError::WrongValue { origin, .. } => {
                failure.with_step(NextStep::say(format!("Correct {origin}")))
            }
            ConfigurationError::TsigKey { origin, .. } => failure.with_step(NextStep::say(format!(
                "Correct the key in {origin}; `tsig-keygen certctl` prints one in the right form"
            ))),
            ConfigurationError::Missing { table, path, .. } => {
                let failure = if files::exists(&path) {
                    failure
                } else {
                    failure.with_step(create(&path))
                };
                let text = format!("Write the credentials to {}, such as", path.display());
                failure.with_step(NextStep::say(text).with_lines(table.example()))
            }
        }
    }
}

/// A configuration file is wrong, and the command goes on without it.
#[must_use]
pub(crate) fn report_ignored(error: ConfigurationError) -> Finding {
    let mut finding = Failure::from(error).into_finding("config-ignored");
    finding.severity = Severity::Warning;
    finding
        .message
        .push_str("; its defaults, such as `after`, were not used");
    finding
}

fn create(path: &Path) -> NextStep {
    let folder = shell_path(files::parent(path));
    let path = shell_path(path);
    let line = format!("mkdir -p {folder} && install -m 0600 /dev/null {path}");
    NextStep::run_shell(
        "Create the file for credentials, which only you can read",
        line,
    )
}

fn protect(path: &Path, access: ConfigurationAccess) -> NextStep {
    let mode = match access {
        ConfigurationAccess::OwnerOnly => "0600",
        ConfigurationAccess::Readable => "go-w",
    };
    let path = shell_path(path);
    let line = format!("chown \"$(id -u)\" {path} && chmod {mode} {path}");
    NextStep::run_shell("Check its content, then make it yours alone", line)
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        let kind = match &error {
            StateError::Locked { .. }
            | StateError::AccountLocked { .. }
            | StateError::OrderLocked { .. } => FailureKind::LockHeld,
            StateError::Damaged { .. }
            | StateError::DamagedEntry { .. }
            | StateError::Exposed { .. } => FailureKind::Malformed,
            StateError::File(_) | StateError::NoFolder => FailureKind::Io,
        };
        let failure = Self::from_error(kind, &error);
        match error {
            StateError::File(error) => error.into(),
            StateError::Locked { .. }
            | StateError::AccountLocked { .. }
            | StateError::OrderLocked { .. } => failure.with_step(NextStep::say(
                "Wait until the other certctl has ended, then repeat the command",
            )),
            StateError::DamagedEntry { path, .. } => failure.with_step(NextStep::run_shell(
                "Check its owner and mode; if it is damaged, move it out of the folder",
                format!("ls -l {}", shell_path(&path)),
            )),
            StateError::Damaged { path, .. } => failure.with_step(NextStep::run_shell(
                "See which record the file is about, then move it out of the folder",
                format!("cat {}", shell_path(&path)),
            )),
            StateError::Exposed { path, .. } => {
                let path = shell_path(&path);
                failure.with_step(NextStep::run_shell(
                    "Check its content, then make it yours alone",
                    format!("chown -R \"$(id -u)\" {path} && chmod 0700 {path}"),
                ))
            }
            StateError::NoFolder => failure.with_step(NextStep::say(
                "Set XDG_STATE_HOME to a folder that only this user can write",
            )),
        }
    }
}
