//! The outcome of `inspect` as text: a card for each certificate, request, key and list.

use jiff::Timestamp;

use super::outcome::{CertificateGroup, InspectOutcome, is_locked_key};
use crate::dcv::record::DcvRecord;
use crate::delivery::{FoundItem, ItemSource};
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::extensions::CertificateDetails;
use crate::pki::name::join_listed;
use crate::pki::request::SigningRequest;
use crate::report::{self, Label, TextOutput};
use crate::wording::{date_and_time, day};

/// The most certificates of a folder that are shown with all their fields.
const FEW_CERTIFICATES: usize = 3;

/// How many fields of a certificate are shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum CardDetail {
    Full,
    /// Only names, dates, issuer and fingerprint.
    Short,
}

/// The rows of a card: the name and the value of each field.
#[derive(Default)]
struct CardFields(Vec<(&'static str, String)>);

impl CardFields {
    /// Adds a field, unless all its values are empty; several values are joined with commas.
    fn push<S: AsRef<str>>(&mut self, name: &'static str, values: &[S]) {
        let values: Vec<&str> = values
            .iter()
            .map(AsRef::as_ref)
            .filter(|value| !value.is_empty())
            .collect();
        if !values.is_empty() {
            self.0.push((name, values.join(", ")));
        }
    }

    /// Prints the fields below the heading of the card, long values on several lines.
    fn write(&self, text: &mut TextOutput) {
        text.add_wrapped_fields(&self.pairs());
    }

    /// The same for values that a person copies, which stay on one line.
    fn write_to_copy(&self, text: &mut TextOutput) {
        text.add_fields(&self.pairs());
    }

    fn pairs(&self) -> Vec<(&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect()
    }
}

impl InspectOutcome {
    pub(super) fn write_cards(&self, text: &mut TextOutput) {
        self.write_summary(text);
        for group in self.groups() {
            if let Some(heading) = &group.heading {
                text.add(Label::Found, heading.clone());
            }
            for index in 0..group.certificates.len() {
                write_certificate(text, &group, index, self);
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

    /// Prints what several files contain, before the cards.
    fn write_summary(&self, text: &mut TextOutput) {
        let counts = [
            (self.delivery.certificates.len(), "certificate"),
            (self.delivery.requests.len(), "request"),
            (self.delivery.keys.len(), "key"),
            (self.delivery.lists.len(), "CRL"),
        ];
        if self.file_count < 2 {
            return;
        }
        let counted = counts.iter().filter(|(count, _)| *count > 0);
        let words = counted.map(|(count, what)| match count {
            1 => format!("1 {what}"),
            many => format!("{many} {what}s"),
        });
        let contents = join_listed(&words.collect::<Vec<_>>());
        let place = format!("{} files of {}", self.file_count, self.file);
        text.add(Label::Found, format!("{place}: {contents}"));
    }

    /// Of many certificates in several files, only what distinguishes them is shown.
    fn detail(&self) -> CardDetail {
        if self.file_count > 1 && self.delivery.certificates.len() > FEW_CERTIFICATES {
            CardDetail::Short
        } else {
            CardDetail::Full
        }
    }

    fn write_request(&self, text: &mut TextOutput, request: &SigningRequest, source: &ItemSource) {
        let details = CertificateDetails::from_request(request.der());
        text.add(
            Label::Found,
            format!("certificate request (CSR), from {source}"),
        );
        let mut fields = CardFields::default();
        fields.push("Names", &[names_in_words(&request.dns_names)]);
        fields.push("Other names", &other_names(&details));
        fields.push("Subject", &[&request.subject]);
        fields.push("Key", &[request.algorithm.to_string()]);
        fields.push("Key id", &[request.key_id.to_string()]);
        fields.push("Signature", &[&details.signature_algorithm]);
        fields.push("Requests", &requested_extensions(&details));
        fields.push("MD5", &[request.md5()]);
        fields.push("SHA-256", &[request.sha256()]);
        fields.write(text);
        self.write_validation(text, request);
    }

    /// Prints the records and files that prove control of the names.
    fn write_validation(&self, text: &mut TextOutput, request: &SigningRequest) {
        for record in self.records(request) {
            text.add_continuation(self.record_heading(&record));
            let mut fields = CardFields::default();
            fields.push("Type", &[record.kind.word()]);
            fields.push("Host", &[&record.relative_name]);
            let value = record.value.or(record.shape).unwrap_or_default();
            fields.push("Value", &[value]);
            fields.write_to_copy(text);
        }
        for file in self.files(request) {
            text.add_continuation("file on the web server, instead of the DNS record");
            let mut fields = CardFields::default();
            fields.push("URL", &[&file.url]);
            let body = file.body.or(file.shape).unwrap_or_default();
            for line in body.lines() {
                fields.push("Line", &[line]);
            }
            fields.write_to_copy(text);
        }
    }

    /// Says which validation the record is for, and what of it the request does not determine.
    fn record_heading(&self, record: &DcvRecord) -> String {
        let method = match self.ca {
            None => "CSR-hash validation (Sectigo, SSL.com and their resellers)",
            Some(_) => "domain validation",
        };
        let unknown = if record.complete {
            ""
        } else {
            "; only the CA knows the parts in angle brackets"
        };
        format!("DNS record for {method} in zone {}{unknown}", record.zone)
    }

    fn write_keys(&self, text: &mut TextOutput) {
        for key in &self.delivery.keys {
            let encryption = if self.delivery.decrypted_key_ids.contains(&key.id()) {
                "stored encrypted"
            } else {
                "not encrypted"
            };
            let source = &key.source;
            text.add(
                Label::Found,
                format!("private key ({encryption}), from {source}"),
            );
            write_key_fields(text, &key.algorithm().to_string(), &key.id().to_string());
        }
        for key in &self.delivery.short_keys {
            let source = &key.source;
            text.add(Label::Found, format!("private key, from {source}"));
            write_key_fields(text, &key.algorithm.to_string(), &key.id.to_string());
        }
        for key in &self.delivery.public_keys {
            text.add(Label::Found, format!("public key, from {}", key.source));
            write_key_fields(text, &key.algorithm.to_string(), &key.id.to_string());
        }
        for unused in &self.delivery.ignored {
            if is_locked_key(&unused.content) {
                let source = &unused.source;
                text.add(
                    Label::Found,
                    format!("private key (encrypted, not decrypted), from {source}"),
                );
            }
        }
    }
}

fn write_key_fields(text: &mut TextOutput, algorithm: &str, id: &str) {
    text.add_fields(&[("Key", algorithm), ("Key id", id)]);
}

fn write_revocation_list(text: &mut TextOutput, list: &FoundItem<RevocationList>) {
    let count = match list.revoked {
        1 => "1 revoked certificate".to_owned(),
        count => format!("{count} revoked certificates"),
    };
    let source = &list.source;
    text.add(
        Label::Found,
        format!("certificate revocation list (CRL) with {count}, from {source}"),
    );
    let next_update = list.next_update.map(date_and_time);
    let mut fields = CardFields::default();
    fields.push("Issuer", &[&list.issuer]);
    fields.push("Issued", &[date_and_time(list.this_update)]);
    fields.push("Next update", next_update.as_slice());
    fields.push("Number", list.number.as_slice());
    fields.push("Signature", &[&list.signature_algorithm]);
    fields.push("SHA-256", &[&list.sha256]);
    fields.write(text);
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

/// Returns the names of the usages, extensions and attributes that a request contains besides its
/// names and key. The values of attributes are omitted: one may be a password (challengePassword).
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

/// Adds the fields that identify a certificate; `issuer_place` says where its issuer is.
fn push_identity(fields: &mut CardFields, certificate: &Certificate, issuer_place: &str) {
    let issuer = &certificate.issuer;
    fields.push("Subject", &[&certificate.subject]);
    fields.push("Issuer", &[format!("{issuer}{issuer_place}")]);
    fields.push("Serial", &[&certificate.serial]);
    fields.push("Key", &[certificate.algorithm.to_string()]);
    fields.push("Key id", &[certificate.key_id.to_string()]);
    fields.push("SHA-256", &[certificate.sha256()]);
}

fn write_certificate(
    text: &mut TextOutput,
    group: &CertificateGroup<'_>,
    index: usize,
    outcome: &InspectOutcome,
) {
    let (certificate, source) = &group.certificates[index];
    text.add(Label::Found, certificate_heading(group, index, source));
    let details = CertificateDetails::from_certificate(certificate.der());
    let mut fields = CardFields::default();
    fields.push("Names", &[names_in_words(&certificate.dns_names)]);
    fields.push("Other names", &other_names(&details));
    fields.push("Valid", &[validity_in_words(certificate, outcome.at)]);
    match outcome.detail() {
        CardDetail::Short => {
            fields.push("Issuer", &[&certificate.issuer]);
            fields.push("SHA-256", &[certificate.sha256()]);
        }
        CardDetail::Full => {
            let issuer_place = issuer_in_group(group, index);
            push_identity(&mut fields, certificate, &issuer_place);
            push_details(&mut fields, &details);
        }
    }
    fields.write(text);
}

/// `certificate 1 of 3: server certificate for example.com, from example_com.crt in a.zip`.
fn certificate_heading(group: &CertificateGroup<'_>, index: usize, source: &str) -> String {
    let certificate = group.certificates[index].0;
    let label = certificate.label();
    let kind = if certificate.is_server_certificate() {
        format!("server certificate for {label}")
    } else {
        format!("CA certificate {label}")
    };
    let number = index + 1;
    let count = group.certificates.len();
    format!("certificate {number} of {count}: {kind}, from {source}")
}

fn push_details(fields: &mut CardFields, details: &CertificateDetails) {
    fields.push("Signature", &[&details.signature_algorithm]);
    fields.push("Usage", &usages(details));
    fields.push("CA", &[ca_in_words(details)]);
    fields.push("Policies", &policies_in_words(details));
    let urls = [
        ("Issuer URL", &details.issuer_urls),
        ("OCSP URL", &details.ocsp_urls),
        ("CRL URL", &details.crl_urls),
    ];
    for (name, urls) in urls {
        for url in urls {
            fields.push(name, &[url]);
        }
    }
    fields.push("SCTs", &[scts_in_words(details)]);
    if details.must_staple {
        fields.push("Must-Staple", &["the server must staple an OCSP response"]);
    }
}

/// `2026-11-22 to 2027-05-31, 188 days left`.
fn validity_in_words(certificate: &Certificate, at: Timestamp) -> String {
    let remaining = remaining_in_words(
        certificate.not_before.as_second(),
        certificate.not_after.as_second(),
        at.as_second(),
    );
    format!(
        "{} to {}, {remaining}",
        day(certificate.not_before),
        day(certificate.not_after)
    )
}

/// The whole days until the start, until the expiry, or since the expiry. All times are in seconds.
fn remaining_in_words(from: i64, to: i64, now: i64) -> String {
    if now < from {
        format!("valid in {}", days_in_words(from - now))
    } else if now > to {
        format!("expired {} ago", days_in_words(now - to))
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

/// Says which certificate of the group issued certificate `index`; empty if none did.
fn issuer_in_group(group: &CertificateGroup<'_>, index: usize) -> String {
    let (certificate, _) = &group.certificates[index];
    let issuer = group
        .certificates
        .iter()
        .position(|(other, _)| other.subject_der() == certificate.issuer_der());
    match issuer {
        Some(own) if own == index => " (self-issued)".to_owned(),
        Some(other) => format!(" (certificate {})", other + 1),
        None => String::new(),
    }
}

fn ca_in_words(details: &CertificateDetails) -> String {
    match (details.is_ca, details.path_length) {
        (Some(true), Some(most)) => format!("yes, at most {most} CAs below it (path length)"),
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

/// The number of SCTs and the first eight hex digits of each log id, which distinguish the logs.
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
            (-1, "valid in 0 days"),
            (0, "10 days left"),
            (1, "9 days left"),
            (9 * day, "1 day left"),
            (10 * day, "0 days left"),
            (10 * day + 1, "expired 0 days ago"),
            (12 * day, "expired 2 days ago"),
        ] {
            assert_eq!(remaining_in_words(0, 10 * day, now), words, "{now}");
        }
    }
}
