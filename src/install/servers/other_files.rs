//! Blocks that serve names of the certificate with other files: what the configuration says, and what
//! a probe shows that they serve.

use std::collections::BTreeSet;

use crate::finding::{Finding, Severity};
use crate::install_plan::apply::ProbeAnswer;
use crate::pki::certificate::Certificate;
use crate::probe::{ProbeTarget, ProbeVerdict};
use crate::wording::{day, with_causes};

/// A block that serves names of the certificate with other files.
#[derive(Clone, Debug)]
pub(crate) struct OtherFiles {
    /// What the configuration says, and the lines to change. A warning is not probed: it concerns a
    /// name that no block has, or the user has allowed it.
    pub finding: Finding,
    /// `FILE:LINE`.
    pub block: String,
    /// Where the block answers for names of the certificate, at addresses of this machine.
    pub targets: Vec<ProbeTarget>,
}

impl OtherFiles {
    pub(crate) fn is_error(&self) -> bool {
        self.finding.severity == Severity::Error
    }

    /// Returns the findings after these answers of its targets; none if it serves the certificate.
    pub(super) fn verify<'a>(&self, probes: impl Iterator<Item = &'a ProbeAnswer>) -> Vec<Finding> {
        let mut served: Vec<ServedThere> = Vec::new();
        for probe in probes.filter(|probe| !probe.agrees()) {
            let answer = AnswerThere::new(probe);
            let group = match served.iter_mut().find(|group| group.answer == answer) {
                Some(group) => group,
                None => {
                    served.push(ServedThere::new(answer));
                    let last = served.len() - 1;
                    &mut served[last]
                }
            };
            group.names.insert(probe.target.name.clone());
            group.addresses.insert(probe.target.address.to_string());
        }
        served.iter().map(|group| self.report(group)).collect()
    }

    fn report(&self, group: &ServedThere) -> Finding {
        let names = Vec::from_iter(group.names.iter().map(String::as_str)).join(", ");
        let addresses = Vec::from_iter(group.addresses.iter().map(String::as_str)).join(", ");
        let (code, message) = match &group.answer {
            AnswerThere::Certificate(certificate) => (
                "other-certificate-served",
                format!(
                    "{addresses} serves another certificate for {names}: {certificate}; {} answers \
                     there with other files",
                    self.block
                ),
            ),
            AnswerThere::Nothing(why) => (
                "configured-elsewhere",
                format!(
                    "{} serves {names} at {addresses} with other files, and cannot be probed: {why}",
                    self.block
                ),
            ),
        };
        let finding = Finding::error(code, message);
        self.finding
            .next
            .iter()
            .cloned()
            .fold(finding, Finding::with_step)
    }
}

/// What an address answered instead of the certificate.
#[derive(Debug, Eq, PartialEq)]
enum AnswerThere {
    /// Another certificate, in words.
    Certificate(String),
    /// No handshake, for this reason.
    Nothing(String),
}

impl AnswerThere {
    fn new(probe: &ProbeAnswer) -> Self {
        let (handshake, verdict) = match &probe.answer {
            Ok(answer) => answer,
            Err(error) => return Self::Nothing(with_causes(error)),
        };
        let certificate = match verdict {
            ProbeVerdict::OtherLeaf { label, .. } => {
                let leaf = handshake.chain.first();
                match leaf.and_then(|der| Certificate::from_der(der).ok()) {
                    Some(leaf) => format!("{label}, expires {}", day(leaf.not_after)),
                    None => label.clone(),
                }
            }
            ProbeVerdict::ChainDiffers { .. } | ProbeVerdict::Matches => {
                "the new one, with another chain".to_owned()
            }
        };
        Self::Certificate(certificate)
    }
}

/// An answer, and where it was given.
struct ServedThere {
    answer: AnswerThere,
    names: BTreeSet<String>,
    addresses: BTreeSet<String>,
}

impl ServedThere {
    fn new(answer: AnswerThere) -> Self {
        Self {
            answer,
            names: BTreeSet::new(),
            addresses: BTreeSet::new(),
        }
    }
}
