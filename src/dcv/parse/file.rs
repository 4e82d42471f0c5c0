//! Parses the file for HTTP validation as a reseller shows it: its name or URL, then its lines. It
//! contains the same values as the CNAME that is derived from the same request, and becomes one.

use super::shown::RawRecord;
use crate::dcv::answer::RecordKind;
use crate::dcv::reseller_record::is_hash;

/// The folder of the file in its URL.
const FOLDER: &str = "/.well-known/pki-validation/";
/// The end of the file's name.
const FILE: &str = ".txt";

/// Returns the record with the same values as the file; `None` for a text without such a file.
pub(super) fn read_validation_file(text: &str) -> Option<Vec<RawRecord>> {
    if !text.contains(FILE) {
        return None;
    }
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || "\"',[]|<>".contains(c))
        .filter(|word| !word.is_empty() && !word.ends_with(':'))
        .collect();
    let at = words
        .iter()
        .position(|word| split_file_name(word).is_some())?;
    let (md5, domain) = split_file_name(words.get(at)?)?;
    let content: Vec<String> = words
        .iter()
        .skip(at + 1)
        .map(|word| (*word).to_owned())
        .collect();
    Some(vec![record_of_file(md5, domain, &content)?])
}

/// Returns the CNAME with the same values as a file with these lines.
pub(super) fn record_of_file(md5: &str, domain: &str, lines: &[String]) -> Option<RawRecord> {
    let at = lines
        .iter()
        .position(|line| line.len() == 64 && line.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let (first, last) = lines.get(at)?.split_at(32);
    let zone = lines.get(at + 1).filter(|zone| zone.contains('.'))?;
    let value = match lines.get(at + 2) {
        Some(unique) if is_unique_value(unique) => format!("{first}.{last}.{unique}.{zone}"),
        _ => format!("{first}.{last}.{zone}"),
    };
    let host = if domain.is_empty() {
        format!("_{md5}")
    } else {
        format!("_{md5}.{domain}")
    };
    Some(RawRecord {
        host,
        kind: Some(RecordKind::Cname),
        value,
    })
}

fn is_unique_value(text: &str) -> bool {
    text.len() <= 20 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Returns the MD5 in the name of a file, and the domain in the URL before it.
pub(super) fn split_file_name(word: &str) -> Option<(&str, &str)> {
    let (before, file) = word.rsplit_once('/').unwrap_or(("", word));
    let md5 = file.strip_suffix(FILE).filter(|md5| is_hash(md5))?;
    let url = before.split_once("//").map_or(before, |(_, rest)| rest);
    let folder = FOLDER.trim_end_matches('/');
    Some((
        md5,
        url.strip_suffix(folder)
            .unwrap_or_default()
            .trim_end_matches('.'),
    ))
}
