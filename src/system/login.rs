//! The user who logged in, also behind sudo and su.

use std::path::Path;

use super::fs::{files, folders};

/// The value of the kernel for a process that no login has started (audit(7)).
pub(crate) const UNSET: u32 = u32::MAX;

/// Returns the id of the user who runs certctl.
#[must_use]
pub(crate) fn user() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Returns the id of the user who logged in: the kernel knows it, and it stays across sudo and su;
/// else that of sudo, for root; else the user who runs certctl. `None` for a service.
#[must_use]
pub(crate) fn login_user() -> Option<u32> {
    match kernel_login() {
        Some(UNSET) => sudo_user().or_else(|| Some(user()).filter(|user| *user != 0)),
        Some(user) => Some(user),
        None => sudo_user().or_else(|| Some(user())),
    }
}

/// Returns the id that the kernel has for the login, or [`UNSET`]; `None` for a kernel without auditing.
#[must_use]
pub(crate) fn kernel_login() -> Option<u32> {
    let text = files::read(Path::new("/proc/self/loginuid"), 64).ok()?;
    String::from_utf8(text).ok()?.trim().parse().ok()
}

/// The user behind sudo. Other users than root can set the variable to any value.
fn sudo_user() -> Option<u32> {
    if folders::current_user() != 0 {
        return None;
    }
    std::env::var("SUDO_UID").ok()?.parse().ok()
}
