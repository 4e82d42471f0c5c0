//! Environment variables.

use std::ffi::OsString;

/// The value of a variable; `None` if it is not set or empty.
#[must_use]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
