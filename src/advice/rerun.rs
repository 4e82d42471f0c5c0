//! The same command again, as root.

use std::ffi::OsString;
use std::sync::OnceLock;

use crate::finding::NextStep;

/// The words after `certctl` of the command line of this process, if another user than root runs it.
static WORDS: OnceLock<Vec<String>> = OnceLock::new();

/// Keeps the command line for the advice of this process, which another user than root runs. One
/// that is not UTF-8 is not kept, because it could not be repeated as text.
pub(crate) fn keep_for_root(command_line: &[OsString]) {
    let words = command_line.iter().skip(1);
    let words: Option<Vec<String>> = words.map(|word| word.to_str().map(str::to_owned)).collect();
    if let Some(words) = words {
        // Only the first command line of a process counts.
        let _ = WORDS.set(words);
    }
}

/// Returns the step that repeats the command as root; `None` if root runs it already.
#[must_use]
pub(super) fn as_root() -> Option<NextStep> {
    let words: Vec<&str> = WORDS.get()?.iter().map(String::as_str).collect();
    let sentence = "If only root may use it, run the same command as root";
    Some(NextStep::run_certctl(sentence, &words).with_sudo())
}
