//! Parses responses of resellers' APIs: Namecheap's XML, ZeroSSL's JSON, and similar ones.

use serde_json::{Map, Value};

use super::file;
use super::shown::RawRecord;
use crate::dcv::answer::RecordKind;

/// Returns the records in a response; `None` for a text that is neither JSON nor XML, or that has
/// no record.
pub(super) fn read_api_answer(text: &str) -> Option<Vec<RawRecord>> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let mut records = Vec::new();
    if text.starts_with(['{', '[']) {
        collect_from_json(&serde_json::from_str(text).ok()?, &mut records);
    } else if text.starts_with('<') {
        records = read_xml(text);
    }
    (!records.is_empty()).then_some(records)
}

/// Collects the records in all objects. The JSON parser bounds the depth.
fn collect_from_json(value: &Value, records: &mut Vec<RawRecord>) {
    match value {
        Value::Array(all) => {
            for one in all {
                collect_from_json(one, records);
            }
        }
        Value::Object(fields) => match read_json_record(fields) {
            Some(record) => records.push(record),
            None => {
                for one in fields.values() {
                    collect_from_json(one, records);
                }
            }
        },
        _ => {}
    }
}

/// Returns the record in an object, which needs a host and a value that are not empty.
fn read_json_record(fields: &Map<String, Value>) -> Option<RawRecord> {
    let host = text_field(fields, &["cname_validation_p1", "hostname", "host", "name"])?;
    let value = text_field(
        fields,
        &["cname_validation_p2", "target", "value", "content", "data"],
    )?;
    if host.is_empty() || value.is_empty() {
        return None;
    }
    let kind = match text_field(fields, &["type", "recordtype"]) {
        Some(kind) if kind.eq_ignore_ascii_case("txt") => Some(RecordKind::Txt),
        Some(kind) if kind.eq_ignore_ascii_case("cname") => Some(RecordKind::Cname),
        _ => None,
    };
    Some(RawRecord {
        host: host.to_owned(),
        kind,
        value: value.to_owned(),
    })
}

/// Returns the first field with one of these names, if it is a string.
fn text_field<'a>(fields: &'a Map<String, Value>, names: &[&str]) -> Option<&'a str> {
    let (_, value) = fields
        .iter()
        .find(|(key, _)| names.iter().any(|name| name.eq_ignore_ascii_case(key)))?;
    value.as_str()
}

/// Parses XML; finds elements by their names alone, because the samples in Namecheap's own
/// documents are not well-formed.
fn read_xml(text: &str) -> Vec<RawRecord> {
    let hosts = elements(text, "hostname");
    let records: Vec<RawRecord> = hosts
        .into_iter()
        .zip(elements(text, "target"))
        .map(|(host, value)| RawRecord {
            host,
            kind: Some(RecordKind::Cname),
            value,
        })
        .collect();
    if !records.is_empty() {
        return records;
    }
    let file_names = elements(text, "filename");
    file_names
        .iter()
        .zip(elements(text, "filecontent"))
        .filter_map(|(file_name, content)| {
            let (md5, _) = file::split_file_name(file_name)?;
            let lines: Vec<String> = content.split_whitespace().map(str::to_owned).collect();
            file::record_of_file(md5, "", &lines)
        })
        .collect()
}

/// Returns the texts of all elements with a name (in lower case), in order.
fn elements(text: &str, name: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let open = format!("<{name}>");
    let close = format!("</{name}>");
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
