//! What was found in a pasted text before anybody looked at it, and what can be wrong with it.

use crate::dcv::answer::RecordKind;

/// Why a text is no such record.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RecordError {
    /// Nothing but comments.
    #[error("no record was given")]
    Empty,
    /// The host's name is none.
    #[error("{0:?} is not a host name")]
    Host(String),
    /// The host does not have the MD5 of a request in front, though the value is made of one.
    #[error("{0:?} does not start with '_' and the 32 hex digits of a request's MD5")]
    HostForm(String),
    /// The MD5 does not have 32 digits.
    #[error("the host {host:?} has {digits} hex digits after '_', not 32")]
    HostDigits {
        host: String,
        /// How many there are.
        digits: usize,
    },
    /// More than anybody pastes.
    #[error("more than {MOST} records were given")]
    Many,
    /// A value with no host.
    #[error("the value {0:?} has no host beside it")]
    NoHost(String),
    /// A host with no value after it.
    #[error("the host {0:?} has no value beside it")]
    NoValue(String),
    /// Another type of record.
    #[error("this is a record of type {0}, not a CNAME or TXT")]
    Type(String),
    /// The underscore in front of the MD5 is missing.
    #[error("the host {0:?} lacks the underscore in front")]
    Underscore(String),
    /// A web address that says nothing of a file's content.
    #[error("{0:?} is a web address without the lines of the file")]
    Url(String),
    /// The value is a name that has nothing to do with a request.
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
    /// A CNAME's target is no name.
    #[error("the value {0:?} is not a name that a CNAME can point to")]
    Target(String),
}

/// More are not taken.
pub(super) const MOST: usize = 256;

/// Host, type and value as they were found, not looked at yet.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct RawRecord {
    pub(super) host: String,
    pub(super) kind: Option<RecordKind>,
    pub(super) value: String,
}

/// What is wrong with a host that is nearly one of a request's.
pub(super) fn nearly(host: &str) -> Option<RecordError> {
    label(host)
        .err()
        .filter(|error| !matches!(error, RecordError::HostForm(_)))
}

/// The MD5 in front of a host, and what follows its label.
pub(super) fn label(host: &str) -> Result<(&str, &str), RecordError> {
    let (label, rest) = host.split_once('.').unwrap_or((host, ""));
    let hex = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    match label.strip_prefix('_') {
        Some(md5) if hex(md5) && md5.len() == 32 => Ok((md5, rest)),
        Some(md5) if hex(md5) && md5.len() > 16 => Err(RecordError::HostDigits {
            host: host.to_owned(),
            digits: md5.len(),
        }),
        None if hex(label) && label.len() == 32 => Err(RecordError::Underscore(host.to_owned())),
        _ => Err(RecordError::HostForm(host.to_owned())),
    }
}
