//! Advice for key files that another user owns, can read or can replace: first the check, then the
//! change of the owner. A key that a certificate needs is never replaced.

use std::path::Path;

use crate::advice::command_lines::shell_path;
use crate::advice::rerun::{RepeatOption, repeat_with};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::matching::key_trust::{DoubtfulKeyFile, KeyDoubt};
use crate::system::fs::folders;

/// A folder that only root can write to.
pub(crate) const ROOTS_FOLDER: &str = "/root";

/// The commands that take `--key`.
const WITH_KEY_OPTION: [&str; 4] = ["bundle", "csr", "install", "verify"];

/// Reports a key that fits and is not used. Commands that need it turn the warning into an error.
#[must_use]
pub(super) fn refused_key(text: String, file: &DoubtfulKeyFile) -> Finding {
    steps_to_use(file)
        .into_iter()
        .fold(Finding::warning(file.code(), text), Finding::with_step)
}

/// Reports a key that is used because the user named it, or runs certctl without privileges.
#[must_use]
pub(crate) fn doubtful_key(file: &DoubtfulKeyFile) -> Finding {
    let text = format!("{}: {}", file.path().display(), file.reasons());
    let mut finding = Finding::warning(file.code(), text);
    if !file.is_only_readable() {
        finding = finding.with_step(check_owner(file));
    }
    match restrict(file) {
        Some(line) => finding.with_step(NextStep::run_shell(restriction(file), line)),
        None => finding,
    }
}

/// Returns the failure of a command that found a key and does not use it. `purpose` says what the
/// key belongs to; `fresh` is the step that makes another key, if no certificate needs this one.
#[must_use]
pub(crate) fn key_not_used(
    file: &DoubtfulKeyFile,
    purpose: &str,
    fresh: Option<NextStep>,
) -> Failure {
    let message = format!(
        "{} {purpose}, but it is not used: {}",
        file.path().display(),
        file.reasons()
    );
    let failure = Failure::new(FailureKind::Hostile, message);
    let steps = steps_to_use(file).into_iter().chain(fresh);
    steps.fold(failure, Failure::with_step)
}

/// Makes a new key and request, because no certificate needs the key that was found.
#[must_use]
pub(crate) fn make_fresh_key(words: &[String]) -> NextStep {
    NextStep::run_certctl("If you do not know it, make a new key and request", words)
}

/// Returns the steps that lead to the use of a key: the check, then the change.
#[must_use]
pub(super) fn steps_to_use(file: &DoubtfulKeyFile) -> Vec<NextStep> {
    let mut steps = vec![check_owner(file)];
    let again = "and run the same command again";
    // Where another user can replace the key, a change of the file alone does not help.
    let restricted = restrict(file)
        .filter(|_| file.is_folder_safe())
        .map(|line| NextStep::run_shell(format!("{}, {again}", restriction(file)), line));
    steps.extend(restricted);
    if !file.is_folder_safe() {
        let path = file.path().display().to_string();
        let key = RepeatOption {
            name: "--key",
            value: Some(&path),
        };
        let sentence = "If it is your key, and still the same one, repeat the command";
        steps.push(repeat_with(sentence, &WITH_KEY_OPTION, &[key]));
    }
    steps
}

/// Removes the access that all users have to a key.
#[must_use]
pub(super) fn restrict_access(key: &Path) -> NextStep {
    NextStep::run_shell(
        "Remove the access of other users to the key",
        format!("sudo chmod o= {}", path_word(key)),
    )
}

/// Shows the owners and modes of the key and of the folders that the doubts are about.
fn check_owner(file: &DoubtfulKeyFile) -> NextStep {
    let mut paths = vec![file.path()];
    for doubt in file.doubts() {
        match doubt {
            KeyDoubt::OthersFolder { path, .. } | KeyDoubt::Writable { path, .. } => {
                paths.push(path);
            }
            KeyDoubt::OtherOwner(_) | KeyDoubt::Readable(_) | KeyDoubt::Replaced => {}
        }
    }
    paths.dedup();
    let mut words = Vec::new();
    for path in &paths {
        words.push(path_word(path));
    }
    NextStep::run_shell(
        "Check who owns the key, and who can change it",
        format!("{}ls -ld {}", sudo(), words.join(" ")),
    )
}

/// Returns the command that gives the key file to root alone, as far as the doubts are about the
/// file itself.
fn restrict(file: &DoubtfulKeyFile) -> Option<String> {
    let path = path_word(file.path());
    let is_owned = file
        .doubts()
        .any(|doubt| matches!(doubt, KeyDoubt::OtherOwner(_)));
    let is_open = file.doubts().any(|doubt| match doubt {
        KeyDoubt::Readable(_) => true,
        KeyDoubt::Writable { path, .. } => path == file.path(),
        _ => false,
    });
    let commands = [
        is_owned.then(|| format!("{}chown root: {path}", sudo())),
        is_open.then(|| format!("{}chmod go= {path}", sudo())),
    ];
    let commands: Vec<String> = commands.into_iter().flatten().collect();
    (!commands.is_empty()).then(|| commands.join(" && "))
}

/// Says what [`restrict`] does.
fn restriction(file: &DoubtfulKeyFile) -> &'static str {
    let mut doubts = file.doubts();
    if doubts.any(|doubt| matches!(doubt, KeyDoubt::OtherOwner(_))) {
        "If it is your key, make root its owner"
    } else {
        "Remove other users' access to the key"
    }
}

/// Root may have become root with sudo.
fn sudo() -> &'static str {
    if folders::current_user() == 0 {
        "sudo "
    } else {
        ""
    }
}

/// A path as a shell reads it back, which is no option.
fn path_word(path: &Path) -> String {
    if path.to_string_lossy().starts_with('-') {
        shell_path(&Path::new(".").join(path))
    } else {
        shell_path(path)
    }
}
