//! The command lines in the advice of `status`.

use crate::finding::NextStep;

/// For outputs that cannot share stdout.
#[must_use]
pub(crate) fn write_output_to_file() -> NextStep {
    NextStep::say("Write it to a file in place of `-`, such as `--html status.html`")
}

/// A step with a certctl command: `verb_words` up to the verb, then its arguments.
#[must_use]
pub(crate) fn command(sentence: &str, verb_words: Vec<String>, arguments: &[&str]) -> NextStep {
    let mut words = verb_words;
    words.extend(arguments.iter().map(|&word| word.to_owned()));
    NextStep::run_certctl(sentence, &words)
}
