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
    line.split(|c: char| {
        c.is_whitespace() || "|,\"'`=<>\u{feff}\u{2192}\u{201c}\u{201d}\u{201e}\u{2018}\u{2019}".contains(c)
    })
    .filter(|word| {
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
    Ok(format!("{}.{}.{}", first.to_ascii_lowercase(), second.to_ascii_lowercase(), tail(rest)))
}

/// Zones in lower case; a unique value in front as given (Sectigo: "do not modify case").
fn tail(rest: &str) -> String {
    match rest.split_once('.') {
        Some((unique, zone)) if zone.contains('.') => format!("{unique}.{}", zone.to_ascii_lowercase()),
        _ => rest.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::{GivenRecord, RecordError, parse};
    use crate::pki::name::DnsName;

    const MD5: &str = "47cba4dfbe697765f51230e84f04d091";
    const HASH: &str = "2e48bb4e8a04ec6ff6396052bfa7e3df.7756667c4e96769d2101d67de72584dd";

    fn line(text: &str) -> String {
        let records: Vec<String> = parse(text).unwrap().iter().map(GivenRecord::zone_line).collect();
        records.join("\n")
    }

    #[test]
    fn what_shops_and_panels_show_is_read() {
        let value = format!("{HASH}.69ff68dc5168c.comodoca.com");
        let wanted = format!("_{MD5}.example.com. 300 IN CNAME {value}.");
        for text in [
            format!("_{MD5}.example.com. 300 IN CNAME {value}."),
            format!("_{MD5}.example.com. IN 300 CNAME {value}. ; order 17"),
            format!("; from the mail\n_{MD5}.example.com CNAME {value}"),
            format!("_{MD5}.example.com {value}"),
            format!("_{MD5}.example.com\t{value}\r\n"),
            format!("\"_{MD5}.example.com\",\"{value}\""),
            format!("| _{MD5}.example.com | CNAME | {value} |"),
            format!("_{MD5}.example.com -> {value}"),
            format!("Host: _{MD5}.example.com\nTarget: {value}\nTTL: 300"),
            format!("\u{feff}\u{201c}_{MD5}.example.com\u{201d} \u{201c}{value}\u{201d}"),
            format!("_{}.EXAMPLE.com {}.69ff68dc5168c.COMODOCA.COM", MD5.to_uppercase(), HASH.to_uppercase()),
        ] {
            assert_eq!(line(&text), wanted, "{text}");
        }
    }

    /// Records that shops have published (ZeroSSL, Namecheap, GeoCerts, Sectigo SCM, a gov.uk zone), in their own case.
    #[test]
    fn published_records_are_read() {
        for text in [
            "_0F70760EEC50DF6725F9592F26D7B0F3.kamayi.com.pk 1397F9DA233B277153AE0B68083EFAC7.A53D6958F296128163058EA67EBB88CC.661862d3f04226a.comodoca.com",
            "_6958EA56A4FE23DDF2C3EDA7B9B956A5.oneiric.dev 46513AD29B078AF908AD3CDF354A8599.6CD5AE645BCCE1FAA847D98385AFF6CE.69ff68dc5168c.comodoca.com",
            "_8DA14D435F7042B71E212832EBFFD76B.www.geocerts.net 825752855AAEE1C2D576C3E42746C31C.FEA7606054060C42EAC7F966BA72FFAD.comodoca.com",
            "_fc69541f3cb60467c4cf674225e89931.ccmqa.com. 2e48bb4e8a04ec6ff6396052bfa7e3df.7756667c4e96769d2101d67de72584dd.sectigo.com.",
            "_371f1f3d8945f4bfa19274f8ceab31f4.immigrationappealsonline.justice.gov.uk. CA4023FEA98228C4EDB091E2BB56CD90.480DDAE2D6792732A2DAD213E567D6C8.456c9caa8ade0846892f.sectigo.com.",
        ] {
            let read = line(text).replace(" 300 IN CNAME", "").replace(". ", " ");
            assert!(read.trim_end_matches('.').eq_ignore_ascii_case(text.replace(". ", " ").trim_end_matches('.')));
        }
    }

    #[test]
    fn hosts_may_be_relative_and_values_without_a_unique_value() {
        let sectigo = format!("{HASH}.sectigo.com");
        for (text, wanted) in [
            (format!("_{MD5} {sectigo}"), format!("_{MD5} 300 IN CNAME {sectigo}.")),
            (format!("_{MD5}.www {sectigo}."), format!("_{MD5}.www. 300 IN CNAME {sectigo}.")),
            (format!("_{MD5}.*.example.com {sectigo}"), format!("_{MD5}.example.com. 300 IN CNAME {sectigo}.")),
            (
                format!("_{MD5}.b\u{fc}cher.example {sectigo}"),
                format!("_{MD5}.xn--bcher-kva.example. 300 IN CNAME {sectigo}."),
            ),
        ] {
            assert_eq!(line(&text), wanted, "{text}");
        }
        let two = format!("_{MD5}.example.com {sectigo}\n_{MD5}.example.net {sectigo}\n_{MD5}.example.com {sectigo}");
        assert_eq!(parse(&two).unwrap().len(), 2);
    }

    #[test]
    fn the_domain_is_told_from_an_absolute_or_a_relative_host() {
        for (rest, domain, at) in [
            (".example.com", "example.com", Some("example.com")),
            (".example.com", "a.www.example.com", Some("example.com")),
            ("", "example.com", Some("example.com")),
            (".www", "www.example.com", Some("www.example.com")),
            (".www.example.com", "example.com", None),
            (".example.org", "example.com", None),
            (".com", "example.com", None),
            (".ample.com", "example.com", None),
        ] {
            let record = &parse(&format!("_{MD5}{rest} {HASH}.sectigo.com")).unwrap()[0];
            assert_eq!(record.domain_for(domain).as_deref(), at, "{rest} for {domain}");
        }
        let record = &parse(&format!("_{MD5} {HASH}.sectigo.com")).unwrap()[0];
        let domains = [DnsName::parse("example.com").unwrap()];
        assert!(record.anchored(&domains).zone_line().starts_with(&format!("_{MD5}.example.com. ")));
    }

    #[test]
    fn what_is_no_such_record_is_told_by_its_fault() {
        let (short, half) = (&MD5[..31], &HASH[..32]);
        for (text, error) in [
            ("; nothing".to_owned(), RecordError::Empty),
            (format!("_{short}.example.com {HASH}.sectigo.com"), digits(&format!("_{short}.example.com"), 31)),
            (format!("{MD5}.example.com {HASH}.sectigo.com"), RecordError::Underscore(format!("{MD5}.example.com"))),
            (format!("{HASH}.sectigo.com _{MD5}.example.com"), RecordError::Underscore(format!("{HASH}.sectigo.com"))),
            (
                "_dnsauth.example.com x.dcv.digicert.com".to_owned(),
                RecordError::HostForm("_dnsauth.example.com".into()),
            ),
            (format!("_{MD5}.example.com"), RecordError::NoValue(format!("_{MD5}.example.com"))),
            (format!("_{MD5}.exa_mple {HASH}.sectigo.com"), RecordError::Host(format!("_{MD5}.exa_mple"))),
            (format!("_{MD5}.example.com TXT x"), RecordError::Type("TXT".into())),
            (
                "http://example.com/.well-known/x.txt".to_owned(),
                RecordError::Url("http://example.com/.well-known/x.txt".into()),
            ),
            (format!("_{MD5}.example.com {half}"), RecordError::ValueHalf),
            (format!("_{MD5}.example.com {half}.sectigo.com"), RecordError::ValueHalf),
            (format!("_{MD5}.example.com {HASH}"), RecordError::ValueZone),
            (format!("_{MD5}.example.com {HASH}.com"), RecordError::ValueZone),
            (format!("_{MD5}.example.com {}.sectigo.com", &HASH[1..]), value_digits("first", 31)),
            (format!("_{MD5}.example.com {}f.sectigo.com", HASH), value_digits("second", 33)),
            (format!("_{MD5}.example.com {}.sectigo.com", HASH.replace('.', "")), value_digits("first", 64)),
            (format!("_{MD5}.example.com example.net"), RecordError::ValueForm("example.net".into())),
        ] {
            assert_eq!(parse(&text).unwrap_err(), error, "{text}");
        }
    }

    fn digits(host: &str, digits: usize) -> RecordError {
        RecordError::HostDigits { host: host.to_owned(), digits }
    }

    fn value_digits(half: &'static str, digits: usize) -> RecordError {
        RecordError::ValueDigits { half, digits }
    }
}
