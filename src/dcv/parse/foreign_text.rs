//! Recognizes texts that people paste in the place of a record: the form that certctl prints, a
//! request, a sentence.

use super::shown::RecordError;

/// The placeholders in the forms that certctl prints.
const PLACEHOLDERS: [&str; 7] = [
    "<unique value>",
    "<token>",
    "<32 hex digits>",
    "<32 hex>",
    "<10 letters>",
    "<zone>",
    "<zone of the CA>",
];

/// The start of a PEM block (RFC 7468 section 2).
const PEM_BEGIN: &str = "-----BEGIN ";

/// Returns what a text is if it cannot have a record: a PEM block, or a form with a placeholder.
pub(super) fn recognize(text: &str) -> Option<RecordError> {
    if let Some((_, after)) = text.split_once(PEM_BEGIN) {
        let label = after.split("-----").next().unwrap_or_default();
        let label: String = label.chars().take(40).collect();
        return Some(RecordError::Pem(label));
    }
    let mut placeholders = PLACEHOLDERS.into_iter();
    placeholders
        .find(|placeholder| text.contains(placeholder))
        .map(RecordError::Placeholder)
}

/// Returns whether a text has several words and none could be the host of a record: none has a dot
/// between other characters, an underscore, an at sign or a digit.
pub(super) fn is_prose(text: &str) -> bool {
    const RECORD_WORDS: usize = 2;
    let is_longer = text.split_whitespace().nth(RECORD_WORDS).is_some();
    is_longer
        && text.split_whitespace().all(|word| {
            let word = word.trim_end_matches(['.', ':', ',', ';', '!', '?']);
            let is_host = |c: char| c.is_ascii_digit() || "._@/".contains(c);
            !word.contains(is_host)
        })
}
