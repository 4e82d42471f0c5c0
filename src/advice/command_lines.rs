//! certctl's own command lines as next steps, to be run where the failed one ran.

use std::path::Path;

use crate::finding::{NextStep, shell_word};

/// A path as a POSIX shell reads it back unchanged.
#[must_use]
pub(crate) fn shell_path(path: &Path) -> String {
    shell_word(&path.display().to_string())
}

/// A certctl command line for the tree of the command that failed: with `--root` where that was
/// given, else as root.
#[must_use]
pub(crate) fn certctl_again(root: Option<&Path>, words: &[&str]) -> NextStep {
    let mut argv: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    if let Some(root) = root {
        argv.push("--root".to_owned());
        argv.push(root.display().to_string());
        return NextStep::run(&argv);
    }
    NextStep::run(&argv).with_sudo()
}

/// An install whose file the user has to name: shown, never run by a program.
#[must_use]
pub(crate) fn install_some_file(root: Option<&Path>) -> NextStep {
    NextStep::say(install_file_line(root))
}

/// The words of [`install_some_file`], for a longer sentence.
pub(super) fn install_file_line(root: Option<&Path>) -> String {
    certctl_again(root, &["install", "FILE"]).text
}

/// Starts the servers, then runs `install` to verify them.
#[must_use]
pub(crate) fn start_then_install(start_commands: &[String], install: &NextStep) -> NextStep {
    one_after_another(start_commands, install)
}

/// Moves blocks to where servers read them, then runs `install`.
#[must_use]
pub(crate) fn move_then_install(move_commands: &[String], install: &NextStep) -> NextStep {
    one_after_another(move_commands, install)
}

fn one_after_another(commands: &[String], install: &NextStep) -> NextStep {
    NextStep::shell(format!(
        "{} && {}",
        commands.join(" && "),
        install.command.as_deref().unwrap_or_default()
    ))
}

/// After an interruption: the same command continues.
#[must_use]
pub(crate) fn repeat_to_continue() -> NextStep {
    NextStep::say("type the same again: it takes up where this stands")
}

/// `--at` was given to a command that changes this machine.
#[must_use]
pub(crate) fn omit_at_or_dry_run() -> NextStep {
    NextStep::say("leave --at out, or add --dry-run")
}
