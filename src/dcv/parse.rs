//! Parses the reseller's record as a person pastes it: a zone-file line, host and value in two
//! columns or in labelled lines, or an API response, with the text that a console or an email puts
//! around them. Any CNAME or TXT record is accepted; one that seems to be derived from a request
//! has to be complete.

mod answers;
mod cleanup;
mod file;
mod foreign_text;
mod hash_tokens;
mod lines;
mod plain_line;
mod shown;

use std::collections::HashSet;

pub(crate) use self::shown::RecordError;
use self::shown::{
    MOST, RawRecord, ends_in, is_in_ca_zone, is_long_hex, split_md5_label, starts_with_hex_label,
};
use super::answer::RecordKind;
use crate::dcv::reseller_record::{self, GivenRecord};
use crate::pki::name::DnsName;

/// Returns the records in `text`, at least one.
///
/// # Errors
/// The first [`RecordError`] in the text.
pub fn parse(text: &str) -> Result<Vec<GivenRecord>, RecordError> {
    match plain_line::read(text) {
        Some(raw) => Ok(vec![interpret(&raw)?]),
        None => parse_in_full(text),
    }
}

/// Like [`parse`], but uses only the full reader.
fn parse_in_full(text: &str) -> Result<Vec<GivenRecord>, RecordError> {
    if let Some(error) = foreign_text::recognize(text) {
        return Err(error);
    }
    let text = cleanup::clean(text);
    read_records(&text).map_err(|error| {
        if error != RecordError::Empty && foreign_text::is_prose(&text) {
            RecordError::NotARecord
        } else {
            error
        }
    })
}

fn read_records(text: &str) -> Result<Vec<GivenRecord>, RecordError> {
    let found = hash_tokens::find_records(text)
        .or_else(|| answers::read_api_answer(text))
        .or_else(|| file::read_validation_file(text));
    let raw_records = match found {
        Some(raw_records) => raw_records,
        None => lines::read_lines(text)?,
    };
    let mut records: Vec<GivenRecord> = Vec::new();
    for raw in &raw_records {
        let record = interpret(raw)?;
        if !records.contains(&record) {
            records.push(record);
        }
        if records.len() > MOST {
            return Err(RecordError::Many);
        }
    }
    if records.is_empty() {
        return Err(RecordError::Empty);
    }
    match find_contradiction(&records) {
        Some(host) => Err(RecordError::Contradiction(host)),
        None => Ok(records),
    }
}

/// Returns a host with two CNAME records, of which a zone can have only one (RFC 1034 3.6.2).
fn find_contradiction(records: &[GivenRecord]) -> Option<String> {
    let mut hosts = HashSet::new();
    let aliases = records.iter().filter(|one| one.kind == RecordKind::Cname);
    let mut repeated = aliases.filter(|one| !hosts.insert(one.host.as_str()));
    repeated.next().map(|one| one.host.clone())
}

fn interpret(raw: &RawRecord) -> Result<GivenRecord, RecordError> {
    // The columns may be swapped: a host never starts with two hashes.
    let swapped = reseller_record::has_request_hashes(&raw.host);
    let host = if swapped { &raw.value } else { &raw.host };
    let value = if swapped { &raw.host } else { &raw.value };
    let host = below_wildcard(host);
    if raw.kind != Some(RecordKind::Txt) && resembles_request_hashes(host, value) {
        interpret_request_hashes(host, value)
    } else {
        interpret_other_record(host, raw.kind, value)
    }
}

/// Interprets a record that is derived from a request: both host and value must have the right
/// form.
fn interpret_request_hashes(host: &str, value: &str) -> Result<GivenRecord, RecordError> {
    let (md5, rest) = split_md5_label(host)?;
    let label = ["_", &md5.to_ascii_lowercase()].concat();
    let domain = normalize_host(rest).ok_or_else(|| RecordError::Host(host.to_owned()))?;
    Ok(GivenRecord {
        host: reseller_record::join_names(&label, &domain),
        kind: RecordKind::Cname,
        value: normalize_hash_target(value)?,
    })
}

/// Interprets any CNAME or TXT record; its type is derived from the value if it is not given.
fn interpret_other_record(
    host: &str,
    kind: Option<RecordKind>,
    value: &str,
) -> Result<GivenRecord, RecordError> {
    let is_target = is_target(value);
    let kind = kind.unwrap_or(if is_target {
        RecordKind::Cname
    } else {
        RecordKind::Txt
    });
    let value = match kind {
        RecordKind::Txt => value.to_owned(),
        _ if is_target => value.trim_end_matches('.').to_ascii_lowercase(),
        _ => return Err(RecordError::Target(value.to_owned())),
    };
    let host = normalize_host(host).ok_or_else(|| RecordError::Host(host.to_owned()))?;
    // An alias of itself never resolves: the host was copied twice.
    if kind == RecordKind::Cname && host == value {
        return Err(RecordError::NoValue(host));
    }
    Ok(GivenRecord { host, kind, value })
}

/// Returns whether host or value looks at least nearly like a request's hashes: then both have to
/// be right. Records of AWS have 32 digits too, but an underscore before those of the value.
fn resembles_request_hashes(host: &str, value: &str) -> bool {
    if value.starts_with('_') || ends_in(value, "dcv.digicert.com") {
        return false;
    }
    is_in_ca_zone(value)
        || starts_with_hex_label(host)
        || (starts_with_hex_label(value) && value.contains('.'))
}

/// Returns the host without its wildcard label.
fn below_wildcard(host: &str) -> &str {
    host.strip_prefix("*.")
        .or_else(|| host.strip_prefix("_."))
        .unwrap_or(host)
}

/// Returns a host as lower case A-labels, underscores allowed; empty for `@`. `None` if it is not a
/// host name.
fn normalize_host(host: &str) -> Option<String> {
    let host = below_wildcard(host.trim_end_matches('.'));
    if host.is_empty() || host == "@" {
        return Some(String::new());
    }
    let mut labels: Vec<String> = Vec::new();
    let mut rest = host;
    while rest.starts_with('_') {
        let label = rest.split('.').next().unwrap_or_default();
        if label.len() < 2 || !is_label(label) {
            return None;
        }
        labels.push(label.to_ascii_lowercase());
        rest = rest.get(label.len() + 1..).unwrap_or_default();
    }
    if !rest.is_empty() {
        labels.push(DnsName::parse(rest).ok()?.base().to_owned());
    }
    Some(labels.join("."))
}

/// Returns whether `value` is a name with at least two labels of letters, digits, hyphens and
/// underscores.
fn is_target(value: &str) -> bool {
    let name = value.trim_end_matches('.');
    name.len() <= 253 && name.contains('.') && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// Normalizes the target of a record that is derived from a request:
/// `<32 hex>.<32 hex>.<zone of the CA>`.
fn normalize_hash_target(value: &str) -> Result<String, RecordError> {
    let value = value.trim_end_matches('.');
    let mut labels = value.splitn(3, '.');
    let first = labels
        .next()
        .filter(|first| is_long_hex(first))
        .ok_or_else(|| RecordError::ValueForm(value.to_owned()))?;
    check_digits("first", first)?;
    let second = labels
        .next()
        .filter(|second| is_long_hex(second))
        .ok_or(RecordError::ValueHalf)?;
    check_digits("second", second)?;
    let rest = labels
        .next()
        .filter(|rest| rest.contains('.'))
        .ok_or(RecordError::ValueZone)?;
    if DnsName::parse(rest).is_err() {
        return Err(RecordError::ValueForm(value.to_owned()));
    }
    Ok([
        first.to_ascii_lowercase(),
        second.to_ascii_lowercase(),
        normalize_ca_zone(rest),
    ]
    .join("."))
}

/// Checks the length of a half: digits may have been lost or added when it was copied.
fn check_digits(half: &'static str, label: &str) -> Result<(), RecordError> {
    match label.len() {
        32 => Ok(()),
        digits => Err(RecordError::ValueDigits { half, digits }),
    }
}

/// Writes the zone in lower case; a unique value before it stays as given (Sectigo: "do not modify
/// case").
fn normalize_ca_zone(rest: &str) -> String {
    match rest.split_once('.') {
        Some((unique, zone)) if zone.contains('.') => {
            [unique, ".", &zone.to_ascii_lowercase()].concat()
        }
        _ => rest.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::{RecordError, parse, parse_in_full, plain_line};
    use crate::dcv::reseller_record::GivenRecord;
    use crate::pki::name::DnsName;

    const MD5: &str = "47cba4dfbe697765f51230e84f04d091";
    const HASH: &str = "2e48bb4e8a04ec6ff6396052bfa7e3df.7756667c4e96769d2101d67de72584dd";

    #[test]
    fn plain_lines_are_read_like_all_others() {
        let value = format!("{HASH}.69ff68dc5168c.comodoca.com");
        let plain = format!("_{MD5}.www.example.com {value}");
        assert!(plain_line::read(&plain).is_some());
        let mut read = 0;
        // Each octet of the line in turn is replaced, removed and doubled.
        for (at, octet) in plain.char_indices() {
            let (before, after) = (&plain[..at], &plain[at + 1..]);
            for new in [
                "", ".", " ", "\t", "_", "-", ";", "g", "A", "\n", "*", "\u{e9}", "<",
            ] {
                for changed in [
                    format!("{before}{new}{after}"),
                    format!("{before}{octet}{new}{after}"),
                ] {
                    let fast = parse(&changed);
                    assert_eq!(fast, parse_in_full(&changed), "{changed:?}");
                    read += usize::from(plain_line::read(&changed).is_some());
                }
            }
        }
        assert!(read > 500, "{read}");
    }

    fn line(text: &str) -> String {
        let records: Vec<String> = parse(text)
            .unwrap()
            .iter()
            .map(GivenRecord::zone_line)
            .collect();
        records.join("\n")
    }

    #[test]
    fn records_of_resellers_and_consoles_are_parsed() {
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
            format!("{value} _{MD5}.example.com"),
            format!("Host: _{MD5}.example.com\nTarget: {value}\nTTL: 300"),
            format!("\u{feff}\u{201c}_{MD5}.example.com\u{201d} \u{201c}{value}\u{201d}"),
            format!(
                "_{}.EXAMPLE.com {}.69ff68dc5168c.COMODOCA.COM",
                MD5.to_uppercase(),
                HASH.to_uppercase()
            ),
        ] {
            assert_eq!(line(&text), wanted, "{text}");
        }
    }

    /// Published records (ZeroSSL, Namecheap, GeoCerts, Sectigo SCM, a gov.uk zone) in their
    /// original case.
    #[test]
    fn published_records_are_parsed() {
        for text in [
            "_0F70760EEC50DF6725F9592F26D7B0F3.kamayi.com.pk 1397F9DA233B277153AE0B68083EFAC7.A53D6958F296128163058EA67EBB88CC.661862d3f04226a.comodoca.com",
            "_6958EA56A4FE23DDF2C3EDA7B9B956A5.oneiric.dev 46513AD29B078AF908AD3CDF354A8599.6CD5AE645BCCE1FAA847D98385AFF6CE.69ff68dc5168c.comodoca.com",
            "_8DA14D435F7042B71E212832EBFFD76B.www.geocerts.net \
                825752855AAEE1C2D576C3E42746C31C.FEA7606054060C42EAC7F966BA72FFAD.comodoca.com",
            "_fc69541f3cb60467c4cf674225e89931.ccmqa.com. \
                2e48bb4e8a04ec6ff6396052bfa7e3df.7756667c4e96769d2101d67de72584dd.sectigo.com.",
            "_98EB197EF83F7A9EB736ED7CEBD413CE.comododecodecsr.tk \
                24bdd3a9aa620a658e7f3c9aede02c1d.a516a7563fd58b2d269c3c7ac1c22c7c.sectigo.com",
            "_371f1f3d8945f4bfa19274f8ceab31f4.immigrationappealsonline.justice.gov.uk. CA4023FEA98228C4EDB091E2BB56CD90.480DDAE2D6792732A2DAD213E567D6C8.456c9caa8ade0846892f.sectigo.com.",
        ] {
            let read = line(text).replace(" 300 IN CNAME", "").replace(". ", " ");
            assert!(
                read.trim_end_matches('.')
                    .eq_ignore_ascii_case(text.replace(". ", " ").trim_end_matches('.'))
            );
        }
    }

    #[test]
    fn hosts_may_be_relative_and_values_without_a_unique_value() {
        let sectigo = format!("{HASH}.sectigo.com");
        for (text, wanted) in [
            (
                format!("_{MD5} {sectigo}"),
                format!("_{MD5} 300 IN CNAME {sectigo}."),
            ),
            (
                format!("_{MD5}.www {sectigo}."),
                format!("_{MD5}.www. 300 IN CNAME {sectigo}."),
            ),
            (
                format!("_{MD5}.*.example.com {sectigo}"),
                format!("_{MD5}.example.com. 300 IN CNAME {sectigo}."),
            ),
            (
                format!("_{MD5}.b\u{fc}cher.example {sectigo}"),
                format!("_{MD5}.xn--bcher-kva.example. 300 IN CNAME {sectigo}."),
            ),
        ] {
            assert_eq!(line(&text), wanted, "{text}");
        }
        let two = format!(
            "_{MD5}.example.com {sectigo}\n_{MD5}.example.net {sectigo}\n_{MD5}.example.com \
                {sectigo}"
        );
        assert_eq!(parse(&two).unwrap().len(), 2);
    }

    #[test]
    fn any_cname_or_txt_record_is_parsed_in_any_layout() {
        for (text, wanted) in [
            (
                "_dnsauth.example.com. 3600 IN CNAME abc123.dcv.digicert.com.",
                "_dnsauth.example.com. 300 IN CNAME abc123.dcv.digicert.com.",
            ),
            (
                "_dnsauth.Example.com abc123.dcv.digicert.com",
                "_dnsauth.example.com. 300 IN CNAME abc123.dcv.digicert.com.",
            ),
            (
                "_dnsauth.example.com 202611abcDEF",
                "_dnsauth.example.com. 300 IN TXT \"202611abcDEF\"",
            ),
            (
                "_dnsauth.example.com. IN 60 TXT \"one\" \"two\"",
                "_dnsauth.example.com. 300 IN TXT \"onetwo\"",
            ),
            (
                "@ TXT \"v=x; y \\\"z\\\"\" ; note",
                "@ 300 IN TXT \"v=x; y \\\"z\\\"\"",
            ),
            (
                "example.com\tTXT\t_globalsign-domain-verification=Ab_-9",
                "example.com. 300 IN TXT \"_globalsign-domain-verification=Ab_-9\"",
            ),
            (
                "Type: TXT\nHost: @\nValue: abc\nTTL: 3600",
                "@ 300 IN TXT \"abc\"",
            ),
            (
                "Host:\n_dnsauth\nPoints to:\nabc.dcv.digicert.com",
                "_dnsauth 300 IN CNAME abc.dcv.digicert.com.",
            ),
            (
                "Value: abc.dcv.digicert.com\nHost: _dnsauth.example.com\nType: CNAME",
                "_dnsauth.example.com. 300 IN CNAME abc.dcv.digicert.com.",
            ),
            (
                "Name | Type | Value | TTL\n_dnsauth.example.com | CNAME | abc.dcv.digicert.com | \
                    1h",
                "_dnsauth.example.com. 300 IN CNAME abc.dcv.digicert.com.",
            ),
            (
                "\u{4e3b}\u{673a}\u{8bb0}\u{5f55}\u{ff1a} \
                    _dnsauth\n\u{8bb0}\u{5f55}\u{7c7b}\u{578b}\u{ff1a} \
                    TXT\n\u{8bb0}\u{5f55}\u{503c}\u{ff1a} 20261123abc",
                "_dnsauth 300 IN TXT \"20261123abc\"",
            ),
            (
                "Nom: _dnsauth\nCible: abc.dcv.digicert.com",
                "_dnsauth 300 IN CNAME abc.dcv.digicert.com.",
            ),
            (
                "_0123456789abcdef0123456789abcdef.example.com. CNAME \
                    _fedcba9876543210fedcba9876543210.mzlfeqexyx.acm-validations.aws.",
                "_0123456789abcdef0123456789abcdef.example.com. 300 IN CNAME \
                    _fedcba9876543210fedcba9876543210.mzlfeqexyx.acm-validations.aws.",
            ),
            (
                r#"{"ResourceRecord": {"Name": "_0ab.example.com.", "Type": "CNAME", "Value": "_1cd.x.acm-validations.aws."}}"#,
                "_0ab.example.com. 300 IN CNAME _1cd.x.acm-validations.aws.",
            ),
            (
                "a.example.com CNAME x.example\nb.example.com TXT y",
                "a.example.com. 300 IN CNAME x.example.\nb.example.com. 300 IN TXT \"y\"",
            ),
        ] {
            assert_eq!(line(text), wanted, "{text}");
            assert_eq!(
                line(&line(text)),
                line(text),
                "a written record is parsed unchanged"
            );
        }
    }

    /// Responses from the resellers' documents and programs; Namecheap's own sample is not
    /// well-formed XML.
    #[test]
    fn responses_of_reseller_apis_are_parsed() {
        let namecheap = |host: &str, target: &str| {
            format!(
                "<?xml version=\"1.0\"?>\n<ApiResponse Status=\"OK\"><SSLActivateResult ID=\"953413\"IsSuccess=\"true\">\
                 <HttpDCValidation ValueAvailable=\"true\"><DNS domain=\"d\"><FileName><![CDATA[x.txt]]></FileName></DNS></HttpDCValidation>\
                 <DNSDCValidation ValueAvailable=\"true\"><DNS domain=\"d\"><HostName><![CDATA[{host}]]></HostName>\
                 <Target><![CDATA[{target}]]></Target></DNS><DNS domain=\"e\"><hostname>{host}</hostname><target> {target} </target></DNS></DNSDCValidation>"
            )
        };
        for (host, target) in [
            (
                "_4E3324A380B58813D5A2F32AA13A96F0.login.example.com",
                "6694010FAC8ED8F806F1EAD56A1A0478.DE6620A256BB8C356A8DD2146B00E884.5a955211b1f8c.comodoca.com",
            ),
            (
                "_6958EA56A4FE23DDF2C3EDA7B9B956A5.oneiric.dev",
                "46513AD29B078AF908AD3CDF354A8599.6CD5AE645BCCE1FAA847D98385AFF6CE.69ff68dc5168c.comodoca.com",
            ),
        ] {
            assert_eq!(
                line(&namecheap(host, target)),
                line(&format!("{host} {target}"))
            );
        }
        let p1 = "_0F70760EEC50DF6725F9592F26D7B0F3.kamayi.com.pk";
        let p2 = "1397F9DA233B277153AE0B68083EFAC7.A53D6958F296128163058EA67EBB88CC.661862d3f04226a.comodoca.com";
        let zerossl = format!(
            r#"{{"id": "1", "common_name": "kamayi.com.pk", "validation": {{"other_methods": {{
               "kamayi.com.pk": {{"cname_validation_p1": "{p1}", "cname_validation_p2": "{p2}"}}}}}}}}"#
        );
        assert_eq!(line(&zerossl), line(&format!("{p1} {p2}")));
        let file = "http://kamayi.com.pk/.well-known/pki-validation/0F70760EEC50DF6725F9592F26D7B0F3.txt\n\
                    1397F9DA233B277153AE0B68083EFAC7A53D6958F296128163058EA67EBB88CC\ncomodoca.com\n661862d3f04226a";
        assert_eq!(
            line(file),
            line(&format!("{p1} {p2}")),
            "the file contains the same record"
        );
    }

    #[test]
    fn random_and_huge_texts_never_panic() {
        let all = "_\u{1}\u{ff1a}@|\"\\;<>{}[].=*- \n\t\u{feff}\u{e9}TXTCNAMEhostvalue0123";
        let letters: Vec<char> = all.chars().collect();
        let mut state = 7_u32;
        for _ in 0..4000 {
            let text: String = (0..40)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    letters[usize::try_from(state >> 16).unwrap() % letters.len()]
                })
                .collect();
            if let Ok(records) = parse(&text) {
                records
                    .iter()
                    .for_each(|record| assert!(record.zone_line().len() < 2000));
            }
        }
        assert_eq!(
            parse(&"a.example TXT x\nb.example TXT y\n".repeat(4000))
                .unwrap()
                .len(),
            2
        );
        let many: String = (0..300).map(|n| format!("a{n}.example TXT x\n")).collect();
        assert_eq!(parse(&many).unwrap_err(), RecordError::Many);
        assert!(parse(&"[".repeat(60_000)).is_err());
        assert!(parse(&"<hostname>".repeat(6000)).is_err());
    }

    #[test]
    fn hosts_may_be_absolute_or_relative_to_the_zone() {
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
            assert_eq!(
                record.anchor_for(domain).map(|at| at.domain).as_deref(),
                at,
                "{rest} for {domain}"
            );
        }
        let record = &parse(&format!("_{MD5} {HASH}.sectigo.com")).unwrap()[0];
        let domains = [DnsName::parse("example.com").unwrap()];
        assert!(
            record
                .anchored(&domains)
                .zone_line()
                .starts_with(&format!("_{MD5}.example.com. "))
        );
    }

    #[test]
    fn malformed_records_are_rejected_with_their_fault() {
        let (short, half) = (&MD5[..31], &HASH[..32]);
        for (text, error) in [
            ("; nothing".to_owned(), RecordError::Empty),
            (
                format!("_{short}.example.com {HASH}.sectigo.com"),
                digits(&format!("_{short}.example.com"), 31),
            ),
            (
                format!("{MD5}.example.com {HASH}.sectigo.com"),
                RecordError::Underscore(format!("{MD5}.example.com")),
            ),
            (
                format!("_dnsauth.example.com {HASH}.sectigo.com"),
                RecordError::HostForm("_dnsauth.example.com".into()),
            ),
            (
                format!("_{MD5}.example.com"),
                RecordError::NoValue(format!("_{MD5}.example.com")),
            ),
            (
                format!("_{MD5}.exa_mple {HASH}.sectigo.com"),
                RecordError::Host(format!("_{MD5}.exa_mple")),
            ),
            (
                format!("_{MD5}.example.com MX x"),
                RecordError::Type("MX".into()),
            ),
            (
                "_dnsauth.example.com CNAME x".to_owned(),
                RecordError::Target("x".into()),
            ),
            (
                "TXT example.com".to_owned(),
                RecordError::NoValue("example.com".into()),
            ),
            ("value: abc".to_owned(), RecordError::NoHost("abc".into())),
            (
                format!("{HASH}.69ff68dc5168c.comodoca.com"),
                RecordError::NoHashHost(format!("{HASH}.69ff68dc5168c.comodoca.com")),
            ),
            (
                format!("Target: {HASH}.sectigo.com"),
                RecordError::NoHashHost(format!("{HASH}.sectigo.com")),
            ),
            (
                format!("{half}.comodoca.com"),
                RecordError::NoHashHost(format!("{half}.comodoca.com")),
            ),
            (
                format!("_{MD5}.example.com {HASH}.<unique value>.<zone>"),
                RecordError::Placeholder("<unique value>"),
            ),
            (
                "_dnsauth.example.com TXT <token>".to_owned(),
                RecordError::Placeholder("<token>"),
            ),
            (
                "-----BEGIN CERTIFICATE REQUEST-----\nMIIB".to_owned(),
                RecordError::Pem("CERTIFICATE REQUEST".into()),
            ),
            (
                "hello world this is not a record".to_owned(),
                RecordError::NotARecord,
            ),
            (
                "http://example.com/.well-known/x.txt".to_owned(),
                RecordError::Url("http://example.com/.well-known/x.txt".into()),
            ),
            (format!("_{MD5}.example.com {half}"), RecordError::ValueHalf),
            (
                format!("_{MD5}.example.com {half}.sectigo.com"),
                RecordError::ValueHalf,
            ),
            (format!("_{MD5}.example.com {HASH}"), RecordError::ValueZone),
            (
                format!("_{MD5}.example.com {HASH}.com"),
                RecordError::ValueZone,
            ),
            (
                format!("_{MD5}.example.com {}.sectigo.com", &HASH[1..]),
                value_digits("first", 31),
            ),
            (
                format!("_{MD5}.example.com {}f.sectigo.com", HASH),
                value_digits("second", 33),
            ),
            (
                format!("_{MD5}.example.com {}.sectigo.com", HASH.replace('.', "")),
                value_digits("first", 64),
            ),
            (
                format!("_{MD5}.example.com example.net"),
                RecordError::ValueForm("example.net".into()),
            ),
        ] {
            assert_eq!(parse(&text).unwrap_err(), error, "{text}");
        }
    }

    fn digits(host: &str, digits: usize) -> RecordError {
        RecordError::HostDigits {
            host: host.to_owned(),
            digits,
        }
    }

    fn value_digits(half: &'static str, digits: usize) -> RecordError {
        RecordError::ValueDigits { half, digits }
    }
}
