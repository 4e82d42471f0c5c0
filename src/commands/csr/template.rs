//! `--like`: takes names, subject and key algorithm from an existing certificate or request, and
//! nothing else.

use jiff::Timestamp;

use crate::advice::csr_command;
use crate::context::Context;
use crate::csr_lint::EarlierContent;
use crate::delivery::CaDelivery;
use crate::failure::{Failure, FailureKind};
use crate::inputs::{self, InputReader};
use crate::pki::alt_name::AltNames;
use crate::pki::certificate::Certificate;
use crate::pki::extensions::CertificateDetails;
use crate::pki::key::KeyAlgorithm;
use crate::pki::name::NameError;
use crate::pki::request::SigningRequest;
use crate::pki::subject::SubjectName;
use crate::wording::day;

/// The highest number of names that is accepted: more than any certificate has. Every name is
/// compared with every other one.
pub(crate) const NAME_LIMIT: usize = 10_000;

/// The parts of a certificate or request that a new request takes over.
pub(super) struct CsrTemplate {
    pub label: String,
    pub names: AltNames,
    pub subject: SubjectName,
    /// The nearest key algorithm that certctl generates.
    pub key_type: Option<KeyAlgorithm>,
    pub before: EarlierContent,
}

/// The raw parts of a certificate or request.
struct TemplateParts<'a> {
    /// `request`, or `certificate of example.com that expires on 2027-06-10`.
    kind: String,
    names: Vec<String>,
    subject_der: &'a [u8],
    algorithm: KeyAlgorithm,
    details: CertificateDetails,
}

impl<'a> TemplateParts<'a> {
    fn of_certificate(leaf: &'a Certificate) -> Self {
        let details = CertificateDetails::from_certificate(leaf.der());
        let mut names = leaf.dns_names.clone();
        names.extend(details.ip_addresses.iter().cloned());
        Self {
            kind: format!(
                "certificate of {} that expires on {}",
                leaf.label(),
                day(leaf.not_after)
            ),
            names,
            subject_der: leaf.subject_der(),
            algorithm: leaf.algorithm,
            details,
        }
    }

    fn of_request(request: &'a SigningRequest) -> Self {
        let mut names = request.dns_names.clone();
        names.extend(request.ip_addresses.iter().map(ToString::to_string));
        Self {
            kind: "request".to_owned(),
            names,
            subject_der: request.subject_der(),
            algorithm: request.algorithm,
            details: CertificateDetails::from_request(request.der()),
        }
    }
}

impl CsrTemplate {
    /// Reads `source`: a file, zip, folder, known name, or server.
    ///
    /// # Errors
    /// When it cannot be read, holds neither a certificate nor a request, or several that differ.
    pub(super) fn read(
        context: &Context,
        reader: &InputReader,
        source: &str,
    ) -> Result<Self, Failure> {
        let (delivery, _) = inputs::read_any_argument(context, reader, source, None)?;
        if let Some(leaf) = newest_leaf(source, &delivery, context.now())? {
            return Self::new(source, TemplateParts::of_certificate(leaf));
        }
        let mut requests: Vec<&SigningRequest> =
            delivery.requests.iter().map(|found| &found.value).collect();
        requests.dedup_by(|one, other| one.der() == other.der());
        match requests.as_slice() {
            [request] => Self::new(source, TemplateParts::of_request(request)),
            [] if delivery.ignored.is_empty() => Err(empty_source(source)),
            [] => Err(delivery.ignored.as_slice().into()),
            several => {
                let names = several.iter().map(|request| request.dns_names.join(", "));
                Err(ambiguous_source(source, names))
            }
        }
    }

    fn new(source: &str, parts: TemplateParts<'_>) -> Result<Self, Failure> {
        let mut names = parts.names;
        if names.len() > NAME_LIMIT {
            let message = format!(
                "{source} has {} names, but `--like` accepts at most {NAME_LIMIT}",
                names.len()
            );
            return Err(Failure::new(FailureKind::Hostile, message));
        }
        let mailboxes = parts
            .details
            .other_names
            .iter()
            .filter_map(|name| name.strip_prefix("email:"));
        names.extend(mailboxes.map(str::to_owned));
        let names = AltNames::parse(&names).map_err(|error| unusable_names(source, &error))?;
        let subject = SubjectName::from_der(parts.subject_der).unwrap_or_default();
        Ok(Self {
            label: format!("{source} ({})", parts.kind),
            names,
            subject,
            key_type: nearest_key_type(parts.algorithm),
            before: earlier_content(&parts.details, parts.algorithm),
        })
    }
}

/// Returns the server certificate in `delivery`; of several for the same names the most usable one.
///
/// # Errors
/// When there are server certificates for different names.
fn newest_leaf<'a>(
    source: &str,
    delivery: &'a CaDelivery,
    at: Timestamp,
) -> Result<Option<&'a Certificate>, Failure> {
    let mut leaves: Vec<&Certificate> = delivery
        .certificates
        .iter()
        .map(|found| &found.value)
        .filter(|certificate| certificate.is_server_certificate())
        .collect();
    leaves.sort_by_key(|leaf| std::cmp::Reverse(leaf.usability_rank(at)));
    let Some((first, others)) = leaves.split_first() else {
        return Ok(None);
    };
    let first_names = sorted_names(first);
    if others.iter().any(|leaf| sorted_names(leaf) != first_names) {
        let labels = leaves.iter().map(|leaf| leaf.label());
        return Err(ambiguous_source(source, labels));
    }
    Ok(Some(first))
}

fn sorted_names(leaf: &Certificate) -> Vec<String> {
    let mut names = leaf.dns_names.clone();
    names.sort();
    names
}

/// Returns the key algorithm that certctl generates in place of `algorithm`.
fn nearest_key_type(algorithm: KeyAlgorithm) -> Option<KeyAlgorithm> {
    match algorithm {
        KeyAlgorithm::Rsa(..=2048) => Some(KeyAlgorithm::Rsa(2048)),
        KeyAlgorithm::Rsa(..=3072) => Some(KeyAlgorithm::Rsa(3072)),
        KeyAlgorithm::Rsa(_) => Some(KeyAlgorithm::Rsa(4096)),
        KeyAlgorithm::Unknown => None,
        other => Some(other),
    }
}

fn earlier_content(details: &CertificateDetails, algorithm: KeyAlgorithm) -> EarlierContent {
    let client_auth = details
        .extended_key_usages
        .iter()
        .any(|usage| usage == "clientAuth");
    let short_rsa = match algorithm {
        KeyAlgorithm::Rsa(bits @ ..2048) => Some(bits),
        _ => None,
    };
    EarlierContent {
        client_auth,
        must_staple: details.must_staple,
        short_rsa,
    }
}

fn empty_source(source: &str) -> Failure {
    let message = format!("{source} contains neither a server certificate nor a request");
    Failure::new(FailureKind::Malformed, message).with_step(csr_command::pass_template_source())
}

fn ambiguous_source(source: &str, candidates: impl Iterator<Item = String>) -> Failure {
    const SHOWN: usize = 12;
    let message = format!("{source} contains several different certificates or requests");
    candidates
        .take(SHOWN)
        .fold(
            Failure::new(FailureKind::Ambiguous, message),
            Failure::because,
        )
        .with_step(csr_command::pass_single_template())
}

fn unusable_names(source: &str, error: &NameError) -> Failure {
    let message = format!("the names in {source} cannot be requested");
    Failure::new(FailureKind::Malformed, message)
        .because(error.to_string())
        .with_step(csr_command::type_names_instead())
}
