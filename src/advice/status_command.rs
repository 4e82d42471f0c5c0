//! The command lines in the advice of `status`.

use crate::finding::NextStep;

/// A command line: `verb_words` up to the verb, then its arguments.
#[must_use]
pub(crate) fn command(verb_words: Vec<String>, arguments: &[&str]) -> NextStep {
    let mut words = verb_words;
    words.extend(arguments.iter().map(|&word| word.to_owned()));
    NextStep::run(&words)
}
