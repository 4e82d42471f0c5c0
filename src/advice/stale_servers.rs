//! Advice on running servers that still use the previous certificate.

use std::path::Path;

use super::command_lines::certctl_step;
use crate::finding::{NextStep, shell_line};

/// A systemd unit serves the previous certificate at `address`: the reload and the probe become part
/// of the install.
#[must_use]
pub(crate) fn reload_unit_and_probe(
    root: Option<&Path>,
    stem: &str,
    unit: &str,
    address: &str,
) -> NextStep {
    let reload = shell_line(&["systemctl", "reload-or-restart", unit]);
    let words = ["install", stem, "--reload", &reload, "--probe", address];
    certctl_step(
        root,
        "Reload or restart it, and verify what it serves, now and at each renewal",
        &words,
    )
}

/// A server that no known unit runs serves the previous certificate at `address`; `name` is one that
/// the certificate covers.
#[must_use]
pub(crate) fn reload_then_verify(address: &str, name: &str) -> NextStep {
    NextStep::run_certctl(
        "Reload or restart it, then check what it serves",
        &["verify", address, "--host", name],
    )
    .later()
}

/// A process has the previous files open.
#[must_use]
pub(crate) fn reload_process(pid: i32, unit: Option<&str>) -> NextStep {
    match unit {
        Some(unit) => NextStep::run_shell(
            "Reload or restart it",
            format!(
                "sudo {}",
                shell_line(&["systemctl", "reload-or-restart", unit])
            ),
        ),
        None => NextStep::run_shell(
            "See which program it is, and reload or restart it",
            format!("ps -fp {pid}"),
        ),
    }
}
