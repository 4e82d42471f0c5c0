//! The outcome of `inspect` as text: a card for each certificate, request, key and list.

use jiff::Timestamp;

use super::outcome::{CertificateGroup, InspectOutcome, is_locked_key};
use crate::delivery::{FoundItem, ItemSource};
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::extensions::CertificateDetails;
use crate::pki::request::SigningRequest;
use crate::report::{self, Label, TextOutput};

impl InspectOutcome {
    pub(super) fn write_cards(&self, text: &mut TextOutput) {
        for group in self.groups() {
            if let Some(heading) = &group.heading {
                text.add(Label::Found, heading.clone());
            }
            for index in 0..group.certificates.len() {
                write_certificate(text, &group, index, self.at);
            }
        }
        for request in &self.delivery.requests {
            self.write_request(text, &request.value, &request.source);
        }
        for request in &self.delivery.unproven_requests {
            self.write_request(text, request.request(), &request.source);
        }
        self.write_keys(text);
        for list in &self.delivery.lists {
            write_revocation_list(text, list);
        }
        text.add_findings(&self.findings());
    }

    fn write_request(&self, text: &mut TextOutput, request: &SigningRequest, source: &ItemSource) {
        let details = CertificateDetails::from_request(request.der());
        text.add(Label::Found, source.to_string());
        write_row(text, "names", &[names_in_words(&request.dns_names)]);
        write_row(text, "other", &other_names(&details));
        write_row(text, "subject", &[&request.subject]);
        let key = format!("{}, id {}", request.algorithm, request.key_id);
        write_row(text, "key", &[key]);
        write_row(text, "signed", &[&details.signature_algorithm]);
        write_row(text, "asks", &requested_extensions(&details));
        write_row(text, "md5", &[request.md5()]);
        write_row(text, "sha256", &[request.sha256()]);
        self.write_validation(text, request);
    }

    /// The records and files that prove control of the names.
    fn write_validation(&self, text: &mut TextOutput, request: &SigningRequest) {
        for record in self.records(request) {
            let kind = record.kind.word();
            let value = record.value.or(record.shape).unwrap_or_default();
            let row = format!("{kind} {} -> {value}", record.name);
            write_row(text, "record", &[row]);
        }
        for file in self.files(request) {
            let body = file.body.or(file.shape).unwrap_or_default();
            let line = body.replace('\n', " / ");
            write_row(text, "file", &[format!("{} -> {line}", file.url)]);
        }
    }

    fn write_keys(&self, text: &mut TextOutput) {
        for key in &self.delivery.keys {
            let encryption = if self.delivery.decrypted_key_ids.contains(&key.id()) {
                "encrypted"
            } else {
                "not encrypted"
            };
            let algorithm = key.algorithm();
            let id = key.id();
            let source = &key.source;
            text.add(
                Label::Found,
                format!("{algorithm}, id {id}, {encryption}   ({source})"),
            );
        }
        for key in &self.delivery.public_keys {
            let words = format!("{}, id {}   ({})", key.algorithm, key.id, key.source);
            text.add(Label::Found, words);
        }
        for unused in &self.delivery.ignored {
            if is_locked_key(&unused.content) {
                text.add(Label::Found, format!("encrypted   ({})", unused.source));
            }
        }
    }
}

fn write_revocation_list(text: &mut TextOutput, list: &FoundItem<RevocationList>) {
    let count = match list.revoked {
        1 => "1 certificate".to_owned(),
        count => format!("{count} certificates"),
    };
    text.add(Label::Found, format!("revokes {count}   ({})", list.source));
    write_row(text, "issuer", &[&list.issuer]);
    let next_update = list
        .next_update
        .map(|next| format!("the next one by {next}"))
        .unwrap_or_default();
    write_row(text, "made", &[list.this_update.to_string(), next_update]);
    write_row(text, "number", list.number.as_slice());
    write_row(text, "signed", &[&list.signature_algorithm]);
    write_row(text, "sha256", &[&list.sha256]);
}

/// Writes a row of a card, unless all values are empty.
fn write_row<S: AsRef<str>>(text: &mut TextOutput, label: &str, values: &[S]) {
    let values: Vec<&str> = values
        .iter()
        .map(AsRef::as_ref)
        .filter(|value| !value.is_empty())
        .collect();
    if !values.is_empty() {
        let values = values.join(", ");
        text.add_plain(format!("       {label:<7} {values}"));
    }
}

fn names_in_words(dns_names: &[String]) -> String {
    dns_names
        .iter()
        .map(|name| report::name_in_words(name))
        .collect::<Vec<_>>()
        .join(", ")
}

fn other_names(details: &CertificateDetails) -> Vec<String> {
    [details.ip_addresses.as_slice(), &details.other_names].concat()
}

fn usages(details: &CertificateDetails) -> Vec<String> {
    let key_usages = details.key_usages.iter().map(|usage| (*usage).to_owned());
    key_usages
        .chain(details.extended_key_usages.iter().cloned())
        .collect()
}

/// What a request asks for in addition to names and key. Attributes by name alone: the value of one
/// may be a password.
fn requested_extensions(details: &CertificateDetails) -> Vec<String> {
    const SHOWN_ELSEWHERE: [&str; 4] = [
        "subjectAltName",
        "keyUsage",
        "extKeyUsage",
        "extensionRequest",
    ];
    let mut requested = usages(details);
    let extensions = details.extensions.iter().map(|extension| &extension.name);
    for name in extensions.chain(&details.attributes) {
        if !SHOWN_ELSEWHERE.contains(&name.as_str()) {
            requested.push(name.clone());
        }
    }
    requested
}

fn write_certificate(
    text: &mut TextOutput,
    group: &CertificateGroup<'_>,
    index: usize,
    at: Timestamp,
) {
    let (certificate, source) = &group.certificates[index];
    let number = index + 1;
    let count = group.certificates.len();
    let kind = if certificate.is_server_certificate() {
        "site"
    } else {
        "CA"
    };
    text.add(
        Label::Found,
        format!("{number} of {count}, {kind}   ({source})"),
    );
    let details = CertificateDetails::from_certificate(certificate.der());
    write_row(text, "names", &[names_in_words(&certificate.dns_names)]);
    write_row(text, "other", &other_names(&details));
    write_row(text, "valid", &[validity_in_words(certificate, at)]);
    write_row(text, "subject", &[&certificate.subject]);
    let issuer = &certificate.issuer;
    let issuer_place = issuer_in_group(group, index);
    write_row(text, "issuer", &[format!("{issuer}{issuer_place}")]);
    write_row(text, "serial", &[&certificate.serial]);
    let key = format!("{}, id {}", certificate.algorithm, certificate.key_id);
    write_row(text, "key", &[key]);
    write_row(text, "sha256", &[certificate.sha256()]);
    write_details(text, &details);
}

fn write_details(text: &mut TextOutput, details: &CertificateDetails) {
    write_row(text, "signed", &[&details.signature_algorithm]);
    write_row(text, "usage", &usages(details));
    write_row(text, "ca", &[ca_in_words(details)]);
    write_row(text, "policy", &policies_in_words(details));
    write_row(text, "aia", &urls_in_words(details));
    write_row(text, "scts", &[scts_in_words(details)]);
    if details.must_staple {
        write_row(text, "staple", &["the server must staple an OCSP answer"]);
    }
}

/// `2026-11-22 to 2027-05-31  [##..................]  188 days left`.
fn validity_in_words(certificate: &Certificate, at: Timestamp) -> String {
    let from = certificate.not_before.as_second();
    let to = certificate.not_after.as_second();
    let now = at.as_second();
    format!(
        "{} to {}  [{}]  {}",
        certificate.not_before,
        certificate.not_after,
        progress_bar(from, to, now),
        remaining_in_words(from, to, now)
    )
}

/// Twenty characters, one `#` for each elapsed twentieth. All times are in seconds.
fn progress_bar(from: i64, to: i64, now: i64) -> String {
    const WIDTH: u8 = 20;
    let total = to.saturating_sub(from).max(1);
    let elapsed = now.saturating_sub(from).clamp(0, total);
    let filled = i128::from(elapsed) * i128::from(WIDTH) / i128::from(total);
    (0..WIDTH)
        .map(|place| if i128::from(place) < filled { '#' } else { '.' })
        .collect()
}

/// The whole days until the start, until the expiry, or since the expiry. All times are in seconds.
fn remaining_in_words(from: i64, to: i64, now: i64) -> String {
    if now < from {
        format!("starts in {}", days_in_words(from - now))
    } else if now > to {
        format!("ended {} ago", days_in_words(now - to))
    } else {
        format!("{} left", days_in_words(to - now))
    }
}

fn days_in_words(seconds: i64) -> String {
    match seconds / 86_400 {
        1 => "1 day".to_owned(),
        count => format!("{count} days"),
    }
}

/// The number of the issuer of certificate `index` in its group.
fn issuer_in_group(group: &CertificateGroup<'_>, index: usize) -> String {
    let (certificate, _) = &group.certificates[index];
    let issuer = group
        .certificates
        .iter()
        .position(|(other, _)| other.subject_der() == certificate.issuer_der());
    match issuer {
        Some(own) if own == index => "   (itself)".to_owned(),
        Some(other) => format!("   (number {} here)", other + 1),
        None => String::new(),
    }
}

fn ca_in_words(details: &CertificateDetails) -> String {
    match (details.is_ca, details.path_length) {
        (Some(true), Some(most)) => format!("yes, at most {most} CAs below it"),
        (Some(true), None) => "yes".to_owned(),
        (Some(false), _) => "no".to_owned(),
        (None, _) => String::new(),
    }
}

fn policies_in_words(details: &CertificateDetails) -> Vec<String> {
    let mut policies = Vec::new();
    for (oid, name) in &details.policies {
        policies.push(match name {
            Some(name) => format!("{oid} ({name})"),
            None => oid.clone(),
        });
    }
    policies
}

/// The URLs of the issuer, the OCSP responder and the CRL.
fn urls_in_words(details: &CertificateDetails) -> Vec<String> {
    let labelled = [
        ("issuer", &details.issuer_urls),
        ("ocsp", &details.ocsp_urls),
        ("crl", &details.crl_urls),
    ];
    let mut urls = Vec::new();
    for (label, label_urls) in labelled {
        urls.extend(label_urls.iter().map(|url| format!("{label} {url}")));
    }
    urls
}

/// The number of SCTs and the first eight digits of each log id, which tell logs apart.
fn scts_in_words(details: &CertificateDetails) -> String {
    let logs: Vec<String> = details
        .scts
        .iter()
        .map(|sct| sct.log_id.chars().take(8).collect())
        .collect();
    if logs.is_empty() {
        String::new()
    } else {
        format!("{} (logs {})", logs.len(), logs.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::remaining_in_words;

    #[test]
    fn days_are_whole() {
        let day = 86_400;
        for (now, words) in [
            (-1, "starts in 0 days"),
            (0, "10 days left"),
            (1, "9 days left"),
            (9 * day, "1 day left"),
            (10 * day, "0 days left"),
            (10 * day + 1, "ended 0 days ago"),
            (12 * day, "ended 2 days ago"),
        ] {
            assert_eq!(remaining_in_words(0, 10 * day, now), words, "{now}");
        }
    }
}
