//! Compares the answers to probes with the certificate that servers should send.

use std::net::SocketAddr;

use super::item::{OtherBlock, ServedLeaf, ServerProbe};
use super::reason::StatusReason;
use crate::pki::certificate::Certificate;

/// Returns what servers send instead of the certificate. Names with the same answer at the same
/// address become one reason, and so do addresses with the same answer for the same names.
pub(super) fn served_differently(
    certificate: &Certificate,
    server_probes: &[&ServerProbe],
) -> Vec<StatusReason> {
    let mut grouped: Vec<ServedAnswer> = Vec::new();
    for one in answers_by_address(certificate, server_probes) {
        let same = grouped.iter_mut().find(|other| {
            other.answer == one.answer
                && other.names == one.names
                && other.other_block == one.other_block
        });
        match same {
            Some(same) => same.addresses.extend(one.addresses),
            None => grouped.push(one),
        }
    }
    grouped.into_iter().map(ServedAnswer::reason).collect()
}

/// What a server sent instead of a certificate, or why it sent none.
struct ServedAnswer {
    answer: Result<ServedLeaf, String>,
    addresses: Vec<SocketAddr>,
    names: Vec<String>,
    /// The block that answers with other files.
    other_block: Option<OtherBlock>,
}

impl ServedAnswer {
    fn reason(self) -> StatusReason {
        let Self {
            answer,
            addresses,
            names,
            other_block,
        } = self;
        match (answer, other_block) {
            (
                Ok(ServedLeaf {
                    stapled_for: Some(subject),
                    ..
                }),
                _,
            ) => StatusReason::StapledDiffers {
                addresses,
                names,
                subject,
            },
            (Ok(shown), Some(block)) => StatusReason::OtherServed {
                addresses,
                names,
                shown,
                block,
            },
            (Ok(shown), None) => StatusReason::ServedDiffers {
                addresses,
                names,
                shown,
            },
            (Err(why), _) => StatusReason::Silent {
                addresses,
                names,
                why,
            },
        }
    }
}

/// Returns each different answer of each address, with the names that were requested.
fn answers_by_address(
    certificate: &Certificate,
    server_probes: &[&ServerProbe],
) -> Vec<ServedAnswer> {
    let mut answers: Vec<ServedAnswer> = Vec::new();
    for probe in server_probes {
        let Some(answer) = answer_unlike(certificate, probe) else {
            continue;
        };
        let same = answers
            .iter_mut()
            .find(|one| one.answer == answer && one.addresses == [probe.address]);
        match same {
            Some(same) if same.names.contains(&probe.name) => {}
            Some(same) => same.names.push(probe.name.clone()),
            None => answers.push(ServedAnswer {
                answer,
                addresses: vec![probe.address],
                names: vec![probe.name.clone()],
                other_block: probe.other_block.clone(),
            }),
        }
    }
    answers
}

/// Returns the answer to `probe`, or nothing if the server sent the expected certificate and
/// chain.
fn answer_unlike(
    certificate: &Certificate,
    probe: &ServerProbe,
) -> Option<Result<ServedLeaf, String>> {
    let shown = match &probe.answer {
        Ok(shown) => shown,
        Err(why) => return Some(Err(why.clone())),
    };
    let is_certificate = shown.fingerprint == certificate.fingerprint;
    let is_expected = is_certificate && shown.same_chain;
    if is_expected && shown.stapled_for.is_none() {
        return None;
    }
    Some(Ok(ServedLeaf {
        same_chain: is_certificate,
        // Another certificate or chain matters more than its stapled response.
        stapled_for: shown.stapled_for.clone().filter(|_| is_expected),
        ..shown.clone()
    }))
}
