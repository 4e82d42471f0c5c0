//! What there is to show, in the order in which it is shown.

use jiff::Timestamp;

use crate::dcv::ca::Ca;
use crate::dcv::http_file::{self, FileRecord};
use crate::dcv::record::{self, DcvRecord};
use crate::delivery::{CaDelivery, UnusedContent};
use crate::finding::Finding;
use crate::inputs::{self, HostAnswers};
use crate::pki::certificate::Certificate;
use crate::pki::request::SigningRequest;

/// What `inspect` ends with.
#[derive(Debug)]
pub(crate) struct InspectOutcome {
    pub(super) file: String,
    /// The instant by which days are counted.
    pub(super) at: Timestamp,
    /// What was read; of a host the certificates that could not be.
    pub(super) delivery: CaDelivery,
    /// What a host sends.
    pub(super) answers: Option<HostAnswers>,
    pub(super) ca: Option<Ca>,
}

/// Certificates that were found or sent together, in their order.
pub(super) struct CertificateGroup<'a> {
    /// What is said before them.
    pub(super) heading: Option<String>,
    pub(super) certificates: Vec<(&'a Certificate, String)>,
}

impl InspectOutcome {
    pub(super) fn groups(&self) -> Vec<CertificateGroup<'_>> {
        let all = &self.delivery.certificates;
        let Some(answers) = &self.answers else {
            let certificates = all
                .iter()
                .map(|one| (&one.value, one.source.to_string()))
                .collect();
            return vec![CertificateGroup {
                heading: None,
                certificates,
            }];
        };
        let group = |places: String, protocol: &str| {
            let own = all.iter().filter(|one| one.source.input == places);
            let certificates: Vec<_> = own.map(|one| (&one.value, places.clone())).collect();
            let before = answers
                .starttls
                .map(|protocol| format!("{}, then ", protocol.in_words()))
                .unwrap_or_default();
            let heading = format!("{places}: {before}{protocol}, {}", order(&certificates));
            CertificateGroup {
                heading: Some(heading),
                certificates,
            }
        };
        answers
            .seen
            .iter()
            .map(|seen| group(seen.places(), seen.protocol))
            .collect()
    }

    pub(super) fn records(&self, request: &SigningRequest) -> Vec<DcvRecord> {
        record::records(request, self.ca)
    }

    /// The files that would do instead of the records.
    pub(super) fn files(&self, request: &SigningRequest) -> Vec<FileRecord> {
        http_file::told(request, self.ca, &[])
    }

    /// How it was read, as notes: what is wrong with it is for `verify`.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let silent = self
            .answers
            .iter()
            .flat_map(|answers| answers.findings.clone());
        silent.chain(inputs::findings_of(&self.delivery)).collect()
    }
}

/// A private key that needs a passphrase; that there is one can be told.
pub(super) fn is_locked_key(what: &UnusedContent) -> bool {
    matches!(
        what,
        UnusedContent::EncryptedKey | UnusedContent::TraditionalKey
    )
}

/// In which order certificates come: told, not judged.
pub(super) fn order(certificates: &[(&Certificate, String)]) -> String {
    match certificates {
        [] => "no certificate".to_owned(),
        [_] => "1 certificate".to_owned(),
        several if in_order(several) => {
            format!("{} certificates, each issued by the next", several.len())
        }
        several => format!(
            "{} certificates, not each issued by the next",
            several.len()
        ),
    }
}

/// Each is signed by the one behind it.
pub(super) fn in_order(certificates: &[(&Certificate, String)]) -> bool {
    certificates
        .windows(2)
        .all(|pair| pair[0].0.is_signed_by(pair[1].0))
}
