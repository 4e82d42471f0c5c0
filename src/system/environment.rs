//! Environment variables, and the name of the machine.

use std::ffi::OsString;

/// The value of a variable; `None` if it is not set or empty.
#[must_use]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The variables that a program started for the user gets; the others may be secrets, such as the
/// credentials of a DNS provider.
const HARMLESS: [&str; 10] = [
    "HOME",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_RUNTIME_DIR",
];

/// Returns the part of the environment that contains no secrets, without `PATH`.
#[must_use]
pub(crate) fn without_secrets() -> Vec<(String, String)> {
    let is_harmless = |name: &str| HARMLESS.contains(&name) || name.starts_with("LC_");
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| is_harmless(name))
        .collect()
}

/// The command line of this process, with the name of the program instead of its path.
#[must_use]
pub(crate) fn command_line() -> Vec<String> {
    let arguments = std::env::args_os().skip(1);
    std::iter::once("certctl".to_owned())
        .chain(arguments.map(|word| word.to_string_lossy().into_owned()))
        .collect()
}

/// The name of this machine in the network, as the kernel has it.
#[must_use]
pub(crate) fn hostname() -> String {
    let names = rustix::system::uname();
    names.nodename().to_string_lossy().into_owned()
}
