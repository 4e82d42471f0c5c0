//! Environment variables.

use std::ffi::OsString;

/// The arguments of this command line, without the program; those that are not UTF-8 are shown with
/// replacement characters.
#[must_use]
pub(crate) fn arguments() -> Vec<String> {
    let arguments = std::env::args_os().skip(1);
    arguments
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect()
}

/// The value of a variable; `None` if it is not set or empty.
#[must_use]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
