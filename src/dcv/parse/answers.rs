//! What shops' programs answer: Namecheap's XML and ZeroSSL's JSON, and others like them.

use serde_json::Value;

use super::file;
use super::shown::RawRecord;
use crate::dcv::answer::RecordKind;

/// The records in an answer; `None` for a text that is none.
pub(super) fn pairs(text: &str) -> Option<Vec<RawRecord>> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let pairs = if text.starts_with(['{', '[']) {
        let mut pairs = Vec::new();
        json(&serde_json::from_str(text).ok()?, &mut pairs);
        pairs
    } else if text.starts_with('<') {
        xml(text)
    } else {
        return None;
    };
    (!pairs.is_empty()).then_some(pairs)
}

/// Every object that names a record. The depth is bounded by the reader of JSON.
fn json(value: &Value, pairs: &mut Vec<RawRecord>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| json(one, pairs)),
        Value::Object(fields) => {
            let field = |names: &[&str]| {
                let named = |key: &String| names.iter().any(|name| name.eq_ignore_ascii_case(key));
                fields
                    .iter()
                    .find(|(key, _)| named(key))
                    .and_then(|(_, value)| value.as_str())
            };
            let host = field(&["cname_validation_p1", "hostname", "host", "name"]);
            let value = field(&["cname_validation_p2", "target", "value", "content", "data"]);
            let kind = match field(&["type", "recordtype"]) {
                Some(kind) if kind.eq_ignore_ascii_case("txt") => Some(RecordKind::Txt),
                Some(kind) if kind.eq_ignore_ascii_case("cname") => Some(RecordKind::Cname),
                _ => None,
            };
            match (host, value) {
                (Some(host), Some(value)) if !host.is_empty() && !value.is_empty() => {
                    pairs.push(RawRecord {
                        host: host.to_owned(),
                        kind,
                        value: value.to_owned(),
                    });
                }
                _ => fields.values().for_each(|one| json(one, pairs)),
            }
        }
        _ => {}
    }
}

/// Elements are found by their names alone: the samples in Namecheap's own documents are not
/// well-formed.
fn xml(text: &str) -> Vec<RawRecord> {
    let both = |first: &str, second: &str| {
        let firsts = elements(text, first);
        firsts
            .into_iter()
            .zip(elements(text, second))
            .collect::<Vec<_>>()
    };
    let named = |(host, value): (String, String)| RawRecord {
        host,
        kind: Some(RecordKind::Cname),
        value,
    };
    let records: Vec<RawRecord> = both("hostname", "target").into_iter().map(named).collect();
    if !records.is_empty() {
        return records;
    }
    let files = both("filename", "filecontent")
        .into_iter()
        .filter_map(|(name, content)| {
            let (md5, _) = file::name(&name)?;
            file::pair(
                md5,
                "",
                &content
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>(),
            )
        });
    files.collect()
}

/// The texts of all elements of a name (lower case), in order.
fn elements(text: &str, name: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = lower
        .get(at..)
        .and_then(|rest| rest.find(&open))
        .map(|start| at + start + open.len())
    {
        let Some(length) = lower.get(start..).and_then(|rest| rest.find(&close)) else {
            break;
        };
        let inner = text.get(start..start + length).unwrap_or_default().trim();
        let inner = inner
            .strip_prefix("<![CDATA[")
            .and_then(|inner| inner.strip_suffix("]]>"))
            .unwrap_or(inner);
        found.push(inner.trim().to_owned());
        at = start + length + close.len();
    }
    found
}
