//! The file of an HTTP proof as a shop shows it: its name or URL, then its lines. It says the same
//! as the CNAME made of the same request, and is kept as that.

use super::shown::RawRecord;
use crate::dcv::answer::RecordKind;
use crate::dcv::reseller_record::is_hash;

const FOLDER: &str = "/.well-known/pki-validation/";
/// What its name ends in.
const FILE: &str = ".txt";

/// The record that says what the file says; `None` where no such file is shown.
pub(super) fn pairs(text: &str) -> Option<Vec<RawRecord>> {
    if !text.contains(FILE) {
        return None;
    }
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || "\"',[]|<>".contains(c))
        .filter(|word| !word.is_empty() && !word.ends_with(':'))
        .collect();
    let at = words.iter().position(|word| name(word).is_some())?;
    let (md5, domain) = name(words.get(at)?)?;
    let content: Vec<String> = words
        .iter()
        .skip(at + 1)
        .map(|word| (*word).to_owned())
        .collect();
    Some(vec![pair(md5, domain, &content)?])
}

/// The record made like a file of these lines.
pub(super) fn pair(md5: &str, domain: &str, content: &[String]) -> Option<RawRecord> {
    let at = content
        .iter()
        .position(|line| line.len() == 64 && line.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let (first, last) = content.get(at)?.split_at(32);
    let zone = content.get(at + 1).filter(|zone| zone.contains('.'))?;
    let alphanumeric =
        |one: &&String| one.len() <= 20 && one.bytes().all(|b| b.is_ascii_alphanumeric());
    let unique = content
        .get(at + 2)
        .filter(alphanumeric)
        .map(|unique| format!("{unique}."));
    let host = if domain.is_empty() {
        format!("_{md5}")
    } else {
        format!("_{md5}.{domain}")
    };
    let value = format!("{first}.{last}.{}{zone}", unique.unwrap_or_default());
    Some(RawRecord {
        host,
        kind: Some(RecordKind::Cname),
        value,
    })
}

/// The MD5 in the name of a file, and the domain in front of it.
pub(super) fn name(word: &str) -> Option<(&str, &str)> {
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
