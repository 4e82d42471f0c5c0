//! Finds the record of a request in any text by its form alone: the host begins with the MD5 of the
//! request, the value with its SHA-256. Nothing around them matters: labels of a console in any
//! language, a table, a letter, JSON with any field names.

use super::shown::{RawRecord, is_long_hex, split_md5_label};
use crate::dcv::answer::RecordKind;
use crate::dcv::reseller_record::has_request_hashes;

/// Returns the records of requests in `text`; `None` if it has none, or if a host, a value or a part
/// of one is missing or damaged, which the other readers explain.
pub(super) fn find_records(text: &str) -> Option<Vec<RawRecord>> {
    let mut hosts: Vec<String> = Vec::new();
    let mut values: Vec<String> = Vec::new();
    for token in tokens(text) {
        if has_request_hashes(&token) {
            add_new(&mut values, token);
        } else if split_md5_label(&token).is_ok() {
            add_new(&mut hosts, token);
        } else if is_fragment(&token) {
            return None;
        }
    }
    // More than one of each is a list, whose lines say what belongs together.
    let ([host], [value]) = (hosts.as_slice(), values.as_slice()) else {
        return None;
    };
    Some(vec![RawRecord {
        host: host.clone(),
        kind: Some(RecordKind::Cname),
        value: value.clone(),
    }])
}

/// A console may show a record twice, with a final dot or in other letters.
fn add_new(known: &mut Vec<String>, token: String) {
    let is_same = |one: &String| {
        let one = one.trim_end_matches('.');
        let other = token.trim_end_matches('.');
        one.eq_ignore_ascii_case(other)
    };
    if !known.iter().any(is_same) {
        known.push(token);
    }
}

/// Whether a token has long runs of hex digits in its first labels, as a damaged host or value has.
fn is_fragment(token: &str) -> bool {
    let mut labels = token.split('.').take(2);
    labels.any(|label| is_long_hex(label.strip_prefix('_').unwrap_or(label)))
}

/// Returns the runs of characters of names, outside comments of zone files. A name that was broken
/// after one of its dots is joined with the rest on the next line.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    for line in text.lines() {
        let line = without_comment(line);
        let mut is_first = true;
        for word in line.split(|c: char| !is_name_character(c)) {
            if word.is_empty() {
                continue;
            }
            let broken = tokens.last_mut().filter(|last| {
                is_first && last.ends_with('.') && has_request_hashes(&format!("{last}x"))
            });
            match broken {
                Some(last) if word.contains('.') && !word.starts_with('_') => last.push_str(word),
                _ => tokens.push(word.to_owned()),
            }
            is_first = false;
        }
    }
    tokens
}

fn without_comment(line: &str) -> &str {
    let starts = line.match_indices(';').map(|(index, _)| index);
    let mut comments = starts.filter(|index| {
        let before = line[..*index].chars().next_back();
        before.is_none_or(char::is_whitespace)
    });
    comments.next().map_or(line, |index| &line[..index])
}

fn is_name_character(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '.' | '_' | '-' | '*')
}
