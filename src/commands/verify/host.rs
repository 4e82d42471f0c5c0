//! The check of a server by what it sends: order, completeness, dates, trust and names, including
//! the name of the host. It is not compared with files on this machine.

use super::criteria::{VerifiedCertificate, VerifyCriteria};
use crate::advice::matching::served_fault_finding;
use crate::advice::verify_command;
use crate::delivery::CaDelivery;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inputs::{self, HostArgument, HostCertificates};
use crate::matching;
use crate::pki::certificate::Certificate;
use crate::pki::chain::Chain;
use crate::pki::verify;
use crate::probe::StartTls;

/// Probes `host` and checks each different answer.
pub(super) fn verify(
    host: &HostArgument,
    starttls: Option<StartTls>,
    criteria: VerifyCriteria<'_>,
) -> Result<Vec<VerifiedCertificate>, Failure> {
    let answers = inputs::probe_host(host, starttls)?;
    let mut verified = Vec::new();
    for seen in answers.answers {
        let mut certificate = verify_answer(host, seen, criteria)?;
        certificate
            .findings
            .extend(answers.findings.iter().cloned());
        verified.push(certificate);
    }
    Ok(verified)
}

/// The first certificate is the server's, whatever it is: clients use no other.
fn verify_answer(
    host: &HostArgument,
    seen: HostCertificates,
    criteria: VerifyCriteria<'_>,
) -> Result<VerifiedCertificate, Failure> {
    let served = seen.certificates();
    let Some(leaf) = first_certificate(&seen, &served) else {
        return Err(unreadable_answer(host, &seen));
    };
    let chain = verify::assemble_chain(leaf, &served, criteria.chain_criteria()).chain;
    let label = answer_label(host, &seen);
    let mut findings = order_findings(&label, &served, &chain);
    findings.extend(criteria.findings(&chain, &served, &served));
    Ok(VerifiedCertificate {
        seen: Some(seen),
        ..criteria.verified(label, chain, findings)
    })
}

/// The first certificate of the handshake; none if it cannot be parsed.
fn first_certificate<'a>(
    seen: &HostCertificates,
    served: &'a [Certificate],
) -> Option<&'a Certificate> {
    let sent_first = seen.sent.first()?;
    served.first().filter(|leaf| sent_first == leaf.der())
}

fn unreadable_answer(host: &HostArgument, seen: &HostCertificates) -> Failure {
    let message = format!("what {host} sends for a certificate cannot be read");
    Failure::new(FailureKind::Malformed, message)
        .because(format!("asked {}", seen.addresses_in_words()))
        .with_step(verify_command::show_sent_certificate())
}

/// The host, with the addresses that sent the answer if there are others.
fn answer_label(host: &HostArgument, seen: &HostCertificates) -> String {
    let places = seen.addresses_in_words();
    if places == host.to_string() {
        places
    } else {
        format!("{host} ({places})")
    }
}

fn order_findings(label: &str, served: &[Certificate], chain: &Chain) -> Vec<Finding> {
    let mut findings = Vec::new();
    for fault in &matching::find_served_faults(label, &CaDelivery::default(), served, chain) {
        findings.push(Finding {
            next: vec![verify_command::install_on_server()],
            ..served_fault_finding(fault, &[])
        });
    }
    findings
}
