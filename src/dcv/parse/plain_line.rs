//! Reads the most common line of a list, host and value of a request's record, without looking for
//! anything that may surround a record.
//!
//! Serves the target for `dcv-check --batch` (20,000 records, benches/README.md): it saves two thirds
//! of the parsing. `parse` is its only caller, and the tests compare it with the full reader.

use super::shown::{RawRecord, split_md5_label};
use crate::dcv::answer::RecordKind;
use crate::dcv::reseller_record::has_request_hashes;

/// Returns the record in a text that is nothing but its host and its value.
pub(super) fn read(text: &str) -> Option<RawRecord> {
    let (host, value) = text.split_once([' ', '\t'])?;
    let value = value.trim_start_matches([' ', '\t']);
    if !is_name(host) || !is_name(value) {
        return None;
    }
    if !has_request_hashes(value) {
        return None;
    }
    split_md5_label(host).ok()?;
    Some(RawRecord {
        host: host.to_owned(),
        kind: Some(RecordKind::Cname),
        value: value.to_owned(),
    })
}

fn is_name(token: &str) -> bool {
    let mut octets = token.bytes();
    octets.all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'_' | b'-'))
}
