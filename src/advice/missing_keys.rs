//! Advice for requests without their key: a certificate for such a request cannot be used, so this
//! comes before the validation.

use std::path::Path;

use super::command_lines::shell_path;
use crate::finding::{Finding, NextStep};
use crate::matching::file_stem_of;

/// Creates a step from its sentence and the words after `certctl`.
type StepMaker<'a> = &'a dyn Fn(&str, &[&str]) -> NextStep;

/// Warns that no key fits the request in `path`, which is for `names`.
#[must_use]
pub(crate) fn request_without_key(path: &Path, names: &[String], make: StepMaker<'_>) -> Finding {
    let message = format!(
        "no key in this folder fits {}; a certificate for this request cannot be used without its \
            key",
        path.display()
    );
    Finding::warning("key-missing", message).with_step(replace_request(path, names, make))
}

/// Replaces a request whose key is lost. The step never moves another key: the one of the installed
/// certificate may have the usual name.
#[must_use]
pub(crate) fn replace_request(path: &Path, names: &[String], make: StepMaker<'_>) -> NextStep {
    let has_usual_name = names.first() == Some(&file_stem_of(path));
    if has_usual_name {
        let sentence = "If the key is lost, create a new key and request before you order, or have \
            the order changed to the new request";
        let mut words = vec!["csr"];
        words.extend(names.iter().map(String::as_str));
        words.push("--force");
        return make(sentence, &words).later();
    }
    let sentence = "If the key is lost, move the request away, then create the next request again";
    let moved = format!("{}.without-key", path.display());
    NextStep::run_shell(
        sentence,
        format!(
            "mv -n {} {}",
            shell_path(path),
            shell_path(Path::new(&moved))
        ),
    )
    .later()
}

/// As [`replace_request`], for bare `certctl`, which prints only this step.
#[must_use]
pub(crate) fn notice_missing_key(path: &Path, names: &[String], make: StepMaker<'_>) -> NextStep {
    let mut step = replace_request(path, names, make);
    let sentence = std::mem::take(&mut step.text);
    step.text = format!("No key here fits {}. {sentence}", path.display());
    step
}
