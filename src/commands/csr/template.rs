//! `--like`: names, subject and kind of key of a certificate or request that is there. Nothing else
//! is taken over.

use jiff::Timestamp;

use crate::context::Context;
use crate::csr_lint::EarlierContent;
use crate::delivery::CaDelivery;
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::inputs::{self, InputReader};
use crate::pki::alt_name::AltNames;
use crate::pki::certificate::Certificate;
use crate::pki::extensions::CertificateDetails;
use crate::pki::key::KeyAlgorithm;
use crate::pki::name::NameError;
use crate::pki::request::SigningRequest;
use crate::pki::subject::SubjectName;

/// No certificate has so many; each is compared with each.
const MOST_NAMES: usize = 10_000;

/// What a certificate or request says.
pub(super) struct CsrTemplate {
    pub(super) label: String,
    pub(super) names: AltNames,
    pub(super) subject: SubjectName,
    /// The nearest kind that can be made.
    pub(super) key_type: Option<KeyAlgorithm>,
    pub(super) before: EarlierContent,
}

impl CsrTemplate {
    /// Of a file, zip, folder, name known here, or server.
    ///
    /// # Errors
    /// When it cannot be read, holds neither, or several that differ.
    pub(super) fn read(
        context: &Context,
        reading: &InputReader,
        text: &str,
    ) -> Result<Self, Failure> {
        let (delivery, _) = inputs::anything(context, reading, text, None)?;
        if let Some(leaf) = newest(text, &delivery, context.now())? {
            return Self::of_certificate(text, leaf);
        }
        let mut requests: Vec<&SigningRequest> =
            delivery.requests.iter().map(|found| &found.value).collect();
        requests.dedup_by(|one, other| one.der() == other.der());
        match requests.as_slice() {
            [one] => Self::of_request(text, one),
            [] if delivery.ignored.is_empty() => {
                let failure = Failure::new(
                    FailureKind::Malformed,
                    format!("{text} has neither a site's certificate nor a request"),
                );
                Err(failure.with(NextStep::say(
                    "pass one of them, or a server that shows it:  --like example.com:443",
                )))
            }
            [] => Err(delivery.ignored.as_slice().into()),
            several => Err(ambiguous(
                text,
                several.iter().map(|one| one.dns_names.join(", ")),
            )),
        }
    }

    fn of_certificate(text: &str, leaf: &Certificate) -> Result<Self, Failure> {
        let details = CertificateDetails::of_certificate(leaf.der());
        let mut names = leaf.dns_names.clone();
        names.extend(details.ip_addresses.iter().cloned());
        let label = format!("certificate of {} until {}", leaf.label(), leaf.not_after);
        Self::new(
            text,
            label,
            names,
            (leaf.subject_der(), leaf.algorithm),
            &details,
        )
    }

    fn of_request(text: &str, request: &SigningRequest) -> Result<Self, Failure> {
        let details = CertificateDetails::of_request(request.der());
        let mut names = request.dns_names.clone();
        names.extend(request.ip_addresses.iter().map(ToString::to_string));
        Self::new(
            text,
            "request".to_owned(),
            names,
            (request.subject_der(), request.algorithm),
            &details,
        )
    }

    fn new(
        text: &str,
        label: String,
        mut names: Vec<String>,
        (subject, algorithm): (&[u8], KeyAlgorithm),
        details: &CertificateDetails,
    ) -> Result<Self, Failure> {
        if names.len() > MOST_NAMES {
            let message = format!(
                "{text} has {} names; more than {MOST_NAMES} are not taken over",
                names.len()
            );
            return Err(Failure::new(FailureKind::Hostile, message));
        }
        let mailboxes = details
            .other_names
            .iter()
            .filter_map(|name| name.strip_prefix("email:"));
        names.extend(mailboxes.map(str::to_owned));
        let names = AltNames::parse(&names).map_err(|error| unusable(text, &error))?;
        let (key_type, short_rsa) = nearest(algorithm);
        let client_auth = details
            .extended_key_usages
            .iter()
            .any(|usage| usage == "clientAuth");
        let before = EarlierContent {
            client_auth,
            must_staple: details.must_staple,
            short_rsa,
        };
        let subject = SubjectName::from_der(subject).unwrap_or_default();
        Ok(Self {
            label: format!("{text} ({label})"),
            names,
            subject,
            key_type,
            before,
        })
    }
}

/// The site's certificate; of several for the same names the newest.
fn newest<'a>(
    text: &str,
    delivery: &'a CaDelivery,
    at: Timestamp,
) -> Result<Option<&'a Certificate>, Failure> {
    let sites = delivery
        .certificates
        .iter()
        .map(|found| &found.value)
        .filter(|one| one.is_site());
    let mut sites: Vec<&Certificate> = sites.collect();
    sites.sort_by_key(|leaf| std::cmp::Reverse(leaf.rank(at)));
    let names = |leaf: &Certificate| {
        let mut names = leaf.dns_names.clone();
        names.sort();
        names
    };
    match sites.as_slice() {
        [first, rest @ ..] if rest.iter().any(|other| names(other) != names(first)) => {
            Err(ambiguous(text, sites.iter().map(|leaf| leaf.label())))
        }
        sites => Ok(sites.first().copied()),
    }
}

/// The kind of key that is made in place of one that cannot be; the bits of an RSA key that is too
/// short.
fn nearest(algorithm: KeyAlgorithm) -> (Option<KeyAlgorithm>, Option<usize>) {
    match algorithm {
        KeyAlgorithm::Rsa(bits @ ..2048) => (Some(KeyAlgorithm::Rsa(2048)), Some(bits)),
        KeyAlgorithm::Rsa(2048) => (Some(algorithm), None),
        KeyAlgorithm::Rsa(..=3072) => (Some(KeyAlgorithm::Rsa(3072)), None),
        KeyAlgorithm::Rsa(_) => (Some(KeyAlgorithm::Rsa(4096)), None),
        KeyAlgorithm::Unknown => (None, None),
        kind => (Some(kind), None),
    }
}

fn ambiguous(text: &str, which: impl Iterator<Item = String>) -> Failure {
    const SHOWN: usize = 12;
    let failure = Failure::new(
        FailureKind::Ambiguous,
        format!("{text} has several that differ"),
    );
    which
        .take(SHOWN)
        .fold(failure, Failure::because)
        .with(NextStep::say("pass the one that is meant:  --like FILE"))
}

fn unusable(text: &str, error: &NameError) -> Failure {
    Failure::new(
        FailureKind::Malformed,
        format!("the names in {text} cannot be asked for"),
    )
    .because(error.to_string())
    .with(NextStep::say(
        "type the names, and take the rest from it:  certctl csr NAME... --like FILE",
    ))
}
