//! The outcome of `inspect`: the certificates, requests and keys to show, in order.

use jiff::Timestamp;

use crate::dcv::ca::Ca;
use crate::dcv::http_file::{self, FileRecord};
use crate::dcv::record::{self, DcvRecord};
use crate::delivery::{CaDelivery, UnusedContent};
use crate::finding::Finding;
use crate::inputs::{self, HostAnswers, HostCertificates};
use crate::pki::certificate::Certificate;
use crate::pki::request::SigningRequest;

/// The content of a file or the answers of a host.
#[derive(Debug)]
pub(crate) struct InspectOutcome {
    pub(super) file: String,
    /// The time from which days are counted.
    pub(super) at: Timestamp,
    /// The content of the file; for a host, what it sent.
    pub(super) delivery: CaDelivery,
    /// How many files the content comes from.
    pub(super) file_count: usize,
    /// The answers of the host's addresses; none for a file.
    pub(super) answers: Option<HostAnswers>,
    pub(super) ca: Option<Ca>,
}

/// Certificates that were found or sent together, in order.
pub(super) struct CertificateGroup<'a> {
    /// The line printed above them.
    pub heading: Option<String>,
    pub certificates: Vec<(&'a Certificate, String)>,
}

impl InspectOutcome {
    pub(super) fn groups(&self) -> Vec<CertificateGroup<'_>> {
        match &self.answers {
            Some(answers) => answers
                .answers
                .iter()
                .map(|seen| self.served_group(answers, seen))
                .collect(),
            None => vec![self.file_group()],
        }
    }

    fn file_group(&self) -> CertificateGroup<'_> {
        let certificates = self
            .delivery
            .certificates
            .iter()
            .map(|found| (&found.value, found.source.to_string()))
            .collect();
        CertificateGroup {
            heading: None,
            certificates,
        }
    }

    /// The certificates that the addresses of `seen` sent.
    fn served_group(&self, answers: &HostAnswers, seen: &HostCertificates) -> CertificateGroup<'_> {
        let places = seen.addresses_in_words();
        let certificates: Vec<_> = self
            .delivery
            .certificates
            .iter()
            .filter(|found| found.source.input == places)
            .map(|found| (&found.value, places.clone()))
            .collect();
        let starttls = answers
            .starttls
            .map(|protocol| format!("{}, then ", protocol.display_name()))
            .unwrap_or_default();
        let protocol = seen.protocol;
        let order = order_in_words(&certificates);
        CertificateGroup {
            heading: Some(format!("{places}: {starttls}{protocol}, {order}")),
            certificates,
        }
    }

    pub(super) fn records(&self, request: &SigningRequest) -> Vec<DcvRecord> {
        record::validation_records(request, self.ca)
    }

    /// Returns the files that a CA accepts instead of the records.
    pub(super) fn files(&self, request: &SigningRequest) -> Vec<FileRecord> {
        http_file::files_of_known_ca(request, self.ca, &[])
    }

    /// Returns findings about how the content was read; problems of the certificates are reported
    /// by `verify`.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let mut findings = match &self.answers {
            Some(answers) => answers.findings.clone(),
            None => Vec::new(),
        };
        findings.extend(inputs::reading_findings(&self.delivery));
        findings
    }
}

/// Returns true for a private key that needs a password.
pub(super) fn is_locked_key(what: &UnusedContent) -> bool {
    matches!(
        what,
        UnusedContent::EncryptedKey | UnusedContent::TraditionalKey
    )
}

/// Describes the number and order of the certificates, without a verdict.
fn order_in_words(certificates: &[(&Certificate, String)]) -> String {
    match certificates {
        [] => "no certificate".to_owned(),
        [_] => "1 certificate".to_owned(),
        several if is_in_order(several) => {
            format!("{} certificates, each signed by the next", several.len())
        }
        several => format!(
            "{} certificates, not each signed by the next",
            several.len()
        ),
    }
}

/// Returns true if each certificate is signed by the next one.
pub(super) fn is_in_order(certificates: &[(&Certificate, String)]) -> bool {
    certificates
        .windows(2)
        .all(|neighbours| neighbours[0].0.is_signed_by(neighbours[1].0))
}
