//! The shop's record as a person pastes it: a zone-file line, or host and value in two columns, with whatever a panel
//! or a mail puts around them. Only records of the CSR-hash family are taken.

use crate::pki::name::DnsName;

/// A record as the shop showed it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GivenRecord {
    /// The MD5 of the request it was made from, lower case.
    pub md5: String,
    /// What follows the label: a domain, or a part of one where the host was given relative to its zone; lower case.
    rest: String,
    /// The target without its final dot; hash labels in lower case, the unique value as given.
    pub value: String,
}

/// Why a text is no such record.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RecordError {
    /// Nothing but comments.
    #[error("no record was given")]
    Empty,
    /// The host's name is none.
    #[error("{0:?} is not a host name")]
    Host(String),
    /// The host does not have the MD5 of a request in front.
    #[error("{0:?} does not start with '_' and the 32 hex digits of a request's MD5")]
    HostForm(String),
    /// The MD5 does not have 32 digits.
    #[error("the host {host:?} has {digits} hex digits after '_', not 32")]
    HostDigits {
        /// The host.
        host: String,
        /// How many there are.
        digits: usize,
    },
    /// A host with no value after it.
    #[error("the host {0:?} has no value beside it")]
    NoValue(String),
    /// Another type of record.
    #[error("this is a {0} record, not a CNAME")]
    Type(String),
    /// The underscore in front of the MD5 is missing.
    #[error("the host {0:?} lacks the underscore in front")]
    Underscore(String),
    /// A web address: the record of another method.
    #[error("{0:?} is a web address, not a DNS record")]
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
}

impl GivenRecord {
    /// The domain that the host names, where it is `domain` or above it (a record there proves `domain`). The host may
    /// be relative to the zone: `_md5`, `_md5.www`.
    #[must_use]
    pub fn domain_for(&self, domain: &str) -> Option<String> {
        let registrable = DnsName::parse(domain).ok()?.registrable()?.to_owned();
        let absolute = self.rest.clone();
        let relative = if self.rest.is_empty() { registrable.clone() } else { format!("{}.{registrable}", self.rest) };
        let proves = |host: &str| host == domain || domain.strip_suffix(host).is_some_and(|rest| rest.ends_with('.'));
        let within = |host: &str| host == registrable || host.ends_with(&format!(".{registrable}"));
        [absolute, relative].into_iter().find(|host| within(host) && proves(host))
    }

    /// The same record with its whole name, where it was given relative to its zone and one domain alone fits.
    #[must_use]
    pub fn anchored(&self, domains: &[DnsName]) -> Self {
        let mut fitting: Vec<String> = domains.iter().filter_map(|domain| self.domain_for(domain.as_str())).collect();
        fitting.dedup();
        match fitting.as_slice() {
            [one] => Self { rest: one.clone(), ..self.clone() },
            _ => self.clone(),
        }
    }

    /// Whether both are for the same host of the same request.
    #[must_use]
    pub fn same_host(&self, other: &Self) -> bool {
        self.md5 == other.md5 && self.rest == other.rest
    }

    /// The two hash labels in front of the value.
    #[must_use]
    pub fn target(&self) -> &str {
        // Both are 32 digits, which parsing has seen to.
        &self.value[..65]
    }

    /// The line of a zone file.
    #[must_use]
    pub fn zone_line(&self) -> String {
        let dot = if self.rest.is_empty() { "" } else { "." };
        format!("_{}{dot}{}{dot} 300 IN CNAME {}.", self.md5, self.rest, self.value)
    }
}

/// The records in `text`: at least one.
///
/// # Errors
/// See [`RecordError`]; the first thing wrong is told.
pub fn parse(text: &str) -> Result<Vec<GivenRecord>, RecordError> {
    let mut records: Vec<GivenRecord> = Vec::new();
    let mut host: Option<&str> = None;
    for word in text.lines().flat_map(words) {
        if let Some(kind) = other_type(word) {
            return Err(RecordError::Type(kind.to_owned()));
        }
        if word.contains('/') {
            return Err(RecordError::Url(word.to_owned()));
        }
        match host.take() {
            None => host = Some(word),
            Some(host) => {
                let record = record(host, word)?;
                if !records.contains(&record) {
                    records.push(record);
                }
            }
        }
    }
    match host {
        Some(host) => Err(label(host).err().unwrap_or_else(|| RecordError::NoValue(host.to_owned()))),
        None if records.is_empty() => Err(RecordError::Empty),
        None => Ok(records),
    }
}

/// The words of a line that can be a host or a value: without comments, quotes, columns, TTL, class and type.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let line = line.split(';').next().unwrap_or_default();
    line.split(|c: char| c.is_whitespace() || "|,\"'`=<>\u{feff}\u{2192}".contains(c)).filter(|word| {
        let noise =
            ["", "IN", "CNAME", "-", "host", "name", "value", "target", "record", "points", "to", "type", "ttl"];
        let ttl = word.len() < 11 && word.bytes().all(|b| b.is_ascii_digit());
        !ttl && !word.ends_with(':') && !noise.iter().any(|one| one.eq_ignore_ascii_case(word))
    })
}

fn other_type(word: &str) -> Option<&'static str> {
    ["A", "AAAA", "ALIAS", "CAA", "MX", "NS", "TXT"].into_iter().find(|kind| kind.eq_ignore_ascii_case(word))
}

fn record(host: &str, value: &str) -> Result<GivenRecord, RecordError> {
    let (md5, rest) = label(host)?;
    let rest = rest.trim_end_matches('.');
    let rest = match rest {
        "" => String::new(),
        _ => DnsName::parse(rest).map_err(|_| RecordError::Host(host.to_owned()))?.base().to_owned(),
    };
    Ok(GivenRecord { md5: md5.to_ascii_lowercase(), rest, value: target(value)? })
}

/// The MD5 in front of a host, and what follows its label.
fn label(host: &str) -> Result<(&str, &str), RecordError> {
    let (label, rest) = host.split_once('.').unwrap_or((host, ""));
    let hex = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    match label.strip_prefix('_') {
        Some(md5) if hex(md5) && md5.len() == 32 => Ok((md5, rest)),
        Some(md5) if hex(md5) && md5.len() > 16 => {
            Err(RecordError::HostDigits { host: host.to_owned(), digits: md5.len() })
        }
        None if hex(label) && label.len() == 32 => Err(RecordError::Underscore(host.to_owned())),
        _ => Err(RecordError::HostForm(host.to_owned())),
    }
}

fn target(value: &str) -> Result<String, RecordError> {
    let value = value.trim_end_matches('.');
    let mut labels = value.splitn(3, '.');
    let (first, second, rest) = (labels.next().unwrap_or_default(), labels.next(), labels.next());
    let hex = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    // A short word of hex letters is a name; a long one is a hash that lost or gained a digit.
    let hash = |text: &str| hex(text) && text.len() > 16;
    if !hash(first) {
        return Err(RecordError::ValueForm(value.to_owned()));
    }
    if first.len() != 32 {
        return Err(RecordError::ValueDigits { half: "first", digits: first.len() });
    }
    let Some(second) = second.filter(|second| hash(second)) else { return Err(RecordError::ValueHalf) };
    if second.len() != 32 {
        return Err(RecordError::ValueDigits { half: "second", digits: second.len() });
    }
    let rest = rest.filter(|rest| rest.contains('.')).ok_or(RecordError::ValueZone)?;
    if DnsName::parse(rest).is_err() {
        return Err(RecordError::ValueForm(value.to_owned()));
    }
    Ok(format!("{}.{}.{rest}", first.to_ascii_lowercase(), second.to_ascii_lowercase()))
}
