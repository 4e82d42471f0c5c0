//! Environment variables, and the name of the machine.

use std::ffi::OsString;

/// The value of a variable; `None` if it is not set or empty.
#[must_use]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The name of this machine in the network, as the kernel has it.
#[must_use]
pub(crate) fn hostname() -> String {
    let names = rustix::system::uname();
    names.nodename().to_string_lossy().into_owned()
}
