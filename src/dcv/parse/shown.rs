//! A record as found in a pasted text, and the errors that it can have.

use crate::dcv::answer::RecordKind;
use crate::dcv::reseller_record::{has_request_hashes, is_hash};

/// Why a pasted text is not a validation record.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RecordError {
    /// The text is empty or has only comments.
    #[error("no record was given")]
    Empty,
    /// Two CNAME records have the same host.
    #[error("the text has two different CNAME records for {0}")]
    Contradiction(String),
    /// The host is not a valid name.
    #[error("{0:?} is not a host name")]
    Host(String),
    /// The host does not start with a request's MD5, although the value is derived from a request.
    #[error("the host {0:?} does not start with '_' and the 32 hex digits of a CSR's MD5")]
    HostForm(String),
    /// The MD5 does not have 32 digits.
    #[error("the host {host:?} has {digits} hex digits after '_', not 32")]
    HostDigits {
        host: String,
        /// How many there are.
        digits: usize,
    },
    /// There are more records than the limit.
    #[error("more than {MOST} records were given")]
    Many,
    /// A value that has no host.
    #[error("the value {0:?} has no host")]
    NoHost(String),
    /// The target of a request's record without its host.
    #[error("{0:?} is the value (target) of the record; its host is missing")]
    NoHashHost(String),
    /// Text without any word that a record has.
    #[error("this is not a DNS record: it has no host name")]
    NotARecord,
    /// A host with no value after it.
    #[error("the host {0:?} has no value")]
    NoValue(String),
    /// A PEM block; holds its label.
    #[error("this is PEM text ({0}), not a DNS record")]
    Pem(String),
    /// The form of a value as certctl prints it, with a placeholder in it.
    #[error("the text has certctl's placeholder {0} in the place of the CA's own value")]
    Placeholder(&'static str),
    /// Another type of record.
    #[error("this is a record of type {0}, not CNAME or TXT")]
    Type(String),
    /// The underscore before the MD5 is missing.
    #[error("the host {0:?} lacks its leading underscore")]
    Underscore(String),
    /// A URL without the file's content.
    #[error("{0:?} is a URL without the content of the file")]
    Url(String),
    /// The value is a name that is unrelated to a request.
    #[error("the value {0:?} is not <32 hex digits>.<32 hex digits>.<zone of the CA>")]
    ValueForm(String),
    /// One half of the SHA-256 does not have 32 digits.
    #[error("the {half} half of the value has {digits} hex digits, not 32")]
    ValueDigits {
        /// `first` or `second`.
        half: &'static str,
        /// How many there are.
        digits: usize,
    },
    /// The value ends after one half.
    #[error("the second half of the value is missing")]
    ValueHalf,
    /// The value ends after both halves.
    #[error("the value ends before the zone of the CA")]
    ValueZone,
    /// A CNAME's target is not a valid name.
    #[error("the value {0:?} is not a name that a CNAME can point to")]
    Target(String),
}

/// The maximum number of records in one text.
pub(super) const MOST: usize = 256;

/// Host, type and value as found in the text, not checked yet.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct RawRecord {
    pub host: String,
    pub kind: Option<RecordKind>,
    pub value: String,
}

/// Returns the error of a host that nearly has the form of a request's record.
pub(super) fn damaged_host_error(host: &str) -> Option<RecordError> {
    split_md5_label(host)
        .err()
        .filter(|error| !matches!(error, RecordError::HostForm(_)))
}

/// Returns the MD5 in the first label of a host, and the other labels.
///
/// # Errors
/// `HostDigits`, `Underscore` or `HostForm` for another first label.
pub(super) fn split_md5_label(host: &str) -> Result<(&str, &str), RecordError> {
    let (label, rest) = host.split_once('.').unwrap_or((host, ""));
    match label.strip_prefix('_') {
        Some(md5) if is_hash(md5) => Ok((md5, rest)),
        Some(md5) if is_long_hex(md5) => Err(RecordError::HostDigits {
            host: host.to_owned(),
            digits: md5.len(),
        }),
        None if is_hash(label) => Err(RecordError::Underscore(host.to_owned())),
        _ => Err(RecordError::HostForm(host.to_owned())),
    }
}

/// Returns whether a label consists of hex digits, more than a word has.
pub(super) fn is_long_hex(label: &str) -> bool {
    label.len() > 16 && label.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Returns whether a name is below a zone in which the values of requests' records are.
pub(super) fn is_in_ca_zone(name: &str) -> bool {
    [".sectigo.com", ".comodoca.com", ".ssl.com"]
        .into_iter()
        .any(|zone| ends_in(name, zone))
}

/// Returns whether a name without a partner is the value of a request's record. The host of one starts
/// with an underscore.
pub(super) fn is_lone_hash_value(name: &str) -> bool {
    let has_hash = starts_with_hex_label(name) && is_in_ca_zone(name);
    !name.starts_with('_') && (has_hash || has_request_hashes(name))
}

/// Returns whether the first label, without its underscore, is a long run of hex digits.
pub(super) fn starts_with_hex_label(name: &str) -> bool {
    let label = name.split('.').next().unwrap_or_default();
    is_long_hex(label.strip_prefix('_').unwrap_or(label))
}

pub(super) fn ends_in(name: &str, tail: &str) -> bool {
    let name = name.trim_end_matches('.').as_bytes();
    name.len() >= tail.len()
        && name[name.len() - tail.len()..].eq_ignore_ascii_case(tail.as_bytes())
}
