//! The cards that people read.

use jiff::Timestamp;

use crate::commands::inspect::outcome::{CertificateGroup, InspectOutcome, is_locked_key};
use crate::delivery::{FoundItem, ItemSource};
use crate::pki::certificate::Certificate;
use crate::pki::crl::RevocationList;
use crate::pki::extensions::CertificateDetails;
use crate::pki::request::SigningRequest;
use crate::report::{self, TextOutput};

impl InspectOutcome {
    pub(super) fn cards(&self, text: &mut TextOutput) {
        for group in self.groups() {
            if let Some(heading) = &group.heading {
                text.fact("serves", heading.clone());
            }
            for index in 0..group.certificates.len() {
                certificate(text, &group, index, self.at);
            }
        }
        for one in &self.delivery.requests {
            self.request(text, &one.value, &one.source);
        }
        for one in &self.delivery.unproven {
            self.request(text, one.shown(), &one.source);
        }
        for key in &self.delivery.keys {
            let locked = if self.delivery.opened.contains(&key.id()) {
                "encrypted"
            } else {
                "not encrypted"
            };
            text.fact(
                "key",
                format!(
                    "{}, id {}, {locked}   ({})",
                    key.algorithm(),
                    key.id(),
                    key.source
                ),
            );
        }
        for key in &self.delivery.public_keys {
            text.fact(
                "public",
                format!("{}, id {}   ({})", key.algorithm, key.id, key.source),
            );
        }
        for locked in self
            .delivery
            .ignored
            .iter()
            .filter(|one| is_locked_key(&one.what))
        {
            text.fact("key", format!("encrypted   ({})", locked.source));
        }
        for list in &self.delivery.lists {
            revocations(text, list);
        }
        text.findings(&self.findings());
    }

    fn request(&self, text: &mut TextOutput, request: &SigningRequest, source: &ItemSource) {
        let details = CertificateDetails::of_request(request.der());
        text.fact("csr", source.to_string());
        line(text, "names", &[names(&request.dns_names)]);
        line(
            text,
            "other",
            &[details.ip_addresses.as_slice(), &details.other_names].concat(),
        );
        line(text, "subject", &[&request.subject]);
        line(
            text,
            "key",
            &[format!("{}, id {}", request.algorithm, request.key_id)],
        );
        line(text, "signed", &[&details.signature_algorithm]);
        line(text, "asks", &asked(&details));
        line(text, "md5", &[request.md5()]);
        line(text, "sha256", &[request.sha256()]);
        for record in self.records(request) {
            let value = record.value.or(record.shape).unwrap_or_default();
            line(
                text,
                "record",
                &[format!("{} {} -> {value}", record.kind.word(), record.name)],
            );
        }
        for file in self.files(request) {
            let body = file
                .body
                .or(file.shape)
                .unwrap_or_default()
                .replace('\n', " / ");
            line(text, "file", &[format!("{} -> {body}", file.url)]);
        }
    }
}

fn revocations(text: &mut TextOutput, list: &FoundItem<RevocationList>) {
    let count = match list.revoked {
        1 => "1 certificate".to_owned(),
        count => format!("{count} certificates"),
    };
    text.fact("crl", format!("revokes {count}   ({})", list.source));
    line(text, "issuer", &[&list.issuer]);
    let next = list
        .next_update
        .map(|next| format!("the next one by {next}"))
        .unwrap_or_default();
    line(text, "made", &[list.this_update.to_string(), next]);
    line(
        text,
        "number",
        &list.number.iter().cloned().collect::<Vec<_>>(),
    );
    line(text, "signed", &[&list.signature_algorithm]);
    line(text, "sha256", &[&list.sha256]);
}

/// Nothing where there is nothing to say.
fn line<S: AsRef<str>>(text: &mut TextOutput, word: &str, values: &[S]) {
    let said = values
        .iter()
        .map(AsRef::as_ref)
        .filter(|value| !value.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    if !said.is_empty() {
        text.fact("", format!("       {word:<7} {said}"));
    }
}

fn names(dns_names: &[String]) -> String {
    dns_names
        .iter()
        .map(|name| report::name_in_words(name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What a request wants beyond names and key. Attributes by name alone: the value of one may be a
/// password.
fn asked(details: &CertificateDetails) -> Vec<String> {
    let usages = details.key_usages.iter().map(|usage| (*usage).to_owned());
    let known = [
        "subjectAltName",
        "keyUsage",
        "extKeyUsage",
        "extensionRequest",
    ];
    let extensions = details.extensions.iter().map(|one| one.name.clone());
    let more = extensions
        .chain(details.attributes.iter().cloned())
        .filter(|name| !known.contains(&name.as_str()));
    usages
        .chain(details.extended_key_usages.iter().cloned())
        .chain(more)
        .collect()
}

fn certificate(text: &mut TextOutput, group: &CertificateGroup<'_>, index: usize, at: Timestamp) {
    let (one, source) = &group.certificates[index];
    let details = CertificateDetails::of_certificate(one.der());
    let kind = if one.is_site() { "site" } else { "CA" };
    text.fact(
        "cert",
        format!(
            "{} of {}, {kind}   ({source})",
            index + 1,
            group.certificates.len()
        ),
    );
    line(text, "names", &[names(&one.dns_names)]);
    line(
        text,
        "other",
        &[details.ip_addresses.as_slice(), &details.other_names].concat(),
    );
    line(text, "valid", &[validity(one, at)]);
    line(text, "subject", &[&one.subject]);
    line(
        text,
        "issuer",
        &[format!("{}{}", one.issuer, place(group, index))],
    );
    line(text, "serial", &[&one.serial]);
    line(
        text,
        "key",
        &[format!("{}, id {}", one.algorithm, one.key_id)],
    );
    line(text, "sha256", &[one.sha256()]);
    line(text, "signed", &[&details.signature_algorithm]);
    let usages = details.key_usages.iter().map(|usage| (*usage).to_owned());
    line(
        text,
        "usage",
        &usages
            .chain(details.extended_key_usages.iter().cloned())
            .collect::<Vec<_>>(),
    );
    line(text, "ca", &[constraints(&details)]);
    line(
        text,
        "policy",
        &details.policies.iter().map(policy).collect::<Vec<_>>(),
    );
    line(text, "aia", &sources(&details));
    line(text, "scts", &[promises(&details)]);
    if details.must_staple {
        line(
            text,
            "staple",
            &["the server must staple an OCSP answer".to_owned()],
        );
    }
}

/// `2026-11-22 to 2027-05-31  [##..................]  188 days left`.
fn validity(one: &Certificate, at: Timestamp) -> String {
    const WIDTH: i64 = 20;
    let (from, to, now) = (
        one.not_before.as_second(),
        one.not_after.as_second(),
        at.as_second(),
    );
    let whole = to.saturating_sub(from).max(1);
    let done = (now.saturating_sub(from)).clamp(0, whole);
    let filled =
        usize::try_from(i128::from(done) * i128::from(WIDTH) / i128::from(whole)).unwrap_or(0);
    let bar: String = (0..20)
        .map(|place| if place < filled { '#' } else { '.' })
        .collect();
    format!(
        "{} to {}  [{bar}]  {}",
        one.not_before,
        one.not_after,
        distance(from, to, now)
    )
}

/// Whole days; the last one is told as such.
fn distance(from: i64, to: i64, now: i64) -> String {
    let days = |seconds: i64| match seconds / 86_400 {
        1 => "1 day".to_owned(),
        count => format!("{count} days"),
    };
    match (now < from, now > to) {
        (true, _) => format!("starts in {}", days(from - now)),
        (_, true) => format!("ended {} ago", days(now - to)),
        _ => format!("{} left", days(to - now)),
    }
}

/// Where the issuer of number `index` stands in its group.
fn place(group: &CertificateGroup<'_>, index: usize) -> String {
    let (one, _) = &group.certificates[index];
    let issuer = group
        .certificates
        .iter()
        .position(|(other, _)| other.subject_der() == one.issuer_der());
    match issuer {
        Some(own) if own == index => "   (itself)".to_owned(),
        Some(other) => format!("   (number {} here)", other + 1),
        None => String::new(),
    }
}

fn constraints(details: &CertificateDetails) -> String {
    match (details.is_ca, details.path_length) {
        (Some(true), Some(most)) => format!("yes, at most {most} CAs below it"),
        (Some(true), None) => "yes".to_owned(),
        (Some(false), _) => "no".to_owned(),
        (None, _) => String::new(),
    }
}

fn policy((oid, name): &(String, Option<&'static str>)) -> String {
    name.map_or_else(|| oid.clone(), |name| format!("{oid} ({name})"))
}

/// Where its issuer, its revocation and the list of it can be fetched.
fn sources(details: &CertificateDetails) -> Vec<String> {
    let labelled = |label: &str, urls: &[String]| {
        urls.iter()
            .map(|url| format!("{label} {url}"))
            .collect::<Vec<_>>()
    };
    let all = [
        ("issuer", &details.issuer_urls),
        ("ocsp", &details.ocsp_urls),
        ("crl", &details.crl_urls),
    ];
    all.iter()
        .flat_map(|(label, urls)| labelled(label, urls))
        .collect()
}

/// How many promises of logs, and whose: the first eight digits tell logs apart.
fn promises(details: &CertificateDetails) -> String {
    let logs: Vec<String> = details
        .scts
        .iter()
        .map(|one| one.log_id.chars().take(8).collect())
        .collect();
    if logs.is_empty() {
        String::new()
    } else {
        format!("{} (logs {})", logs.len(), logs.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::distance;

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
            assert_eq!(distance(0, 10 * day, now), words, "{now}");
        }
    }
}
