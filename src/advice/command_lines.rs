//! certctl's own command lines as next steps, to be run where the failed one ran.

use std::path::Path;

use crate::finding::{NextStep, shell_word};
use crate::system::fs::files;

/// Returns a path as a POSIX shell reads it back unchanged.
#[must_use]
pub(crate) fn shell_path(path: &Path) -> String {
    shell_word(&path.display().to_string())
}

/// Returns a name for a converted copy of `file` in the current directory that no file there has:
/// `old.plain.key` for `old.key`. Commands that are pasted must not overwrite a file.
#[must_use]
pub(crate) fn unused_copy_name(file: &Path, suffix: &str) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.trim_start_matches('-');
    let first = format!("{stem}.{suffix}");
    let numbered = (2..).map(|number| format!("{stem}.{number}.{suffix}"));
    std::iter::once(first.clone())
        .chain(numbered.take(1000))
        .find(|name| !files::exists(Path::new(name)))
        .unwrap_or(first)
}

/// Returns a certctl command line for the tree of the command that failed: with `--root` if that
/// was given, else with sudo. `sentence` says what the command does.
#[must_use]
pub(crate) fn certctl_step(
    root: Option<&Path>,
    sentence: impl Into<String>,
    words: &[&str],
) -> NextStep {
    let mut words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    let Some(root) = root else {
        return NextStep::run_certctl(sentence, &words).with_sudo();
    };
    words.extend(["--root".to_owned(), root.display().to_string()]);
    NextStep::run_certctl(sentence, &words)
}

/// The same step with sudo if it needs root: not with `--root` or `--dry-run`.
#[must_use]
pub(crate) fn run_as_root_if_needed(step: NextStep) -> NextStep {
    if step.needs_root {
        step.with_sudo()
    } else {
        step
    }
}

/// Installs a certificate whose file only the user knows.
#[must_use]
pub(crate) fn install_some_file(root: Option<&Path>) -> NextStep {
    let sentence = "When the certificate has arrived in this folder, install it";
    certctl_step(root, sentence, &["install"]).later()
}

/// Starts the servers, then runs `install` to verify that the certificate is live.
#[must_use]
pub(crate) fn start_then_install(start_commands: &[String], install: &NextStep) -> NextStep {
    one_after_another(
        "Start the server, then verify that it serves the certificate",
        start_commands,
        install,
    )
}

/// Enables the site that uses the files, then runs `install`.
#[must_use]
pub(crate) fn enable_then_install(enable_commands: &[String], install: &NextStep) -> NextStep {
    one_after_another(
        "Enable the site that uses these files, then install again",
        enable_commands,
        install,
    )
}

fn one_after_another(sentence: &str, commands: &[String], install: &NextStep) -> NextStep {
    let install = install.command.as_deref().unwrap_or_default();
    let line = format!("{} && {install}", commands.join(" && "));
    NextStep::run_shell(sentence, line)
}

/// After an interruption: the same command continues.
#[must_use]
pub(crate) fn repeat_to_continue() -> NextStep {
    NextStep::say("Run the same command again: it continues where it stopped")
}
