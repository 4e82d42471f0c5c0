//! Compares the words of every JSON document that a test run prints with the code table, and its fields
//! with its schema.

use certctl::facade::code_table::{CodeKind, find};

use super::json::Json;
use super::schemas;

/// Fails if a document on `stdout` (there may be one on each line) has a word without a row in the
/// code table.
#[track_caller]
pub fn assert_listed(stdout: &str, exit_code: i32) {
    assert!(
        exit_code < 0 || find(CodeKind::ExitCode, &exit_code.to_string()).is_some(),
        "exit code {exit_code} is not in the code table"
    );
    if !stdout.starts_with('{') {
        return;
    }
    match stdout.parse::<Json>() {
        Ok(document) => check_document(&document),
        Err(_) => stdout
            .lines()
            .filter_map(|line| line.parse::<Json>().ok())
            .for_each(|document| check_document(&document)),
    }
}

#[track_caller]
fn check_document(document: &Json) {
    schemas::assert_valid(document);
    check(document, "");
}

/// Checks `value`, which is the content of the field `name`.
#[track_caller]
fn check(value: &Json, name: &str) {
    match value {
        Json::Array(elements) => elements.iter().for_each(|element| check(element, name)),
        Json::Object(fields) => {
            let has = |wanted: &str| fields.iter().any(|(field, _)| field == wanted);
            for (field, inner) in fields {
                let kind = match field.as_str() {
                    "code" if has("severity") => Some(CodeKind::Finding),
                    "kind" if name == "error" => Some(CodeKind::Failure),
                    "proof" => Some(CodeKind::Proof),
                    "state" if has("reasons") => Some(CodeKind::State),
                    "verdict" if name == "caa" => Some(CodeKind::RecordCaa),
                    "verdict" => Some(CodeKind::Verdict),
                    _ => None,
                };
                if let (Some(kind), Json::String(word)) = (kind, inner) {
                    assert!(
                        find(kind, word).is_some(),
                        "{word} ({kind:?}) is not in the code table"
                    );
                }
                check(inner, field);
            }
        }
        _ => {}
    }
}
