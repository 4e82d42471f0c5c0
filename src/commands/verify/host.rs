//! Checks what a server sends: order, completeness, dates, trust and names, including the name of
//! the host. Does not compare it with files on this machine.

use super::criteria::{VerifiedCertificate, VerifyCriteria};
use crate::advice::matching::served_fault_finding;
use crate::advice::served_evidence::replace_stapled_response;
use crate::advice::verify_command;
use crate::context::Context;
use crate::delivery::CaDelivery;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inputs::{self, HostArgument, HostCertificates};
use crate::matching::{self, PresentedFiles};
use crate::pki::certificate::Certificate;
use crate::pki::chain::Chain;
use crate::pki::verify;
use crate::probe::StartTls;
use crate::probe::stapled::{self, StapledSubject};
use crate::scan::newer::{HostPlace, find_newer_than_served};
use crate::system::tls;

/// Probes `host` and checks each different answer. An address is probed for the first of the names
/// that the certificate must be valid for.
pub(super) fn verify(
    host: &HostArgument,
    starttls: Option<StartTls>,
    criteria: VerifyCriteria<'_>,
) -> Result<Vec<VerifiedCertificate>, Failure> {
    let server_name = criteria.first_name().unwrap_or(&host.name);
    let answers = inputs::probe_every_offer(host, starttls, server_name)?;
    let mut verified = Vec::new();
    for seen in answers.answers {
        let mut certificate = verify_answer(host, answers.starttls, seen, criteria)?;
        certificate
            .findings
            .extend(answers.findings.iter().cloned());
        verified.push(certificate);
    }
    Ok(verified)
}

/// Puts first that this machine has a newer certificate than the server sends.
pub(super) fn name_newer(
    context: &Context,
    host: &HostArgument,
    starttls: Option<StartTls>,
    certificate: &mut VerifiedCertificate,
) {
    let addresses = certificate.seen.as_ref().map(|seen| &seen.addresses);
    let is_here = addresses.is_some_and(|addresses| addresses.iter().copied().any(tls::is_here));
    let place = if is_here {
        HostPlace::ThisMachine
    } else {
        HostPlace::Unknown
    };
    let served = certificate.chain.leaf();
    if let Some(finding) = find_newer_than_served(context, host, starttls, served, place) {
        certificate.findings.insert(0, finding);
    }
}

/// Checks one answer. The first certificate is always the server's: clients use no other.
fn verify_answer(
    host: &HostArgument,
    starttls: Option<StartTls>,
    seen: HostCertificates,
    criteria: VerifyCriteria<'_>,
) -> Result<VerifiedCertificate, Failure> {
    let served = seen.certificates();
    let Some(leaf) = first_certificate(&seen, &served) else {
        return Err(unreadable_answer(host, starttls, &seen));
    };
    let chain = verify::assemble_chain(leaf, &served, criteria.chain_criteria()).chain;
    let label = answer_label(host, &seen);
    let mut findings = order_findings(&label, &served, &chain);
    findings.extend(check_stapled(
        &label,
        &seen,
        leaf,
        chain.certificates().get(1),
    ));
    findings.extend(criteria.findings(&chain, &served, &served));
    Ok(VerifiedCertificate {
        seen: Some(seen),
        ..criteria.verified(label, chain, findings)
    })
}

/// Reports stapled OCSP responses that are not about the certificate: Firefox, and `curl
/// --cert-status`, refuse them.
fn check_stapled(
    label: &str,
    seen: &HostCertificates,
    leaf: &Certificate,
    issuer: Option<&Certificate>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for response in &seen.stapled {
        let what = match stapled::find_subject(response, leaf, issuer) {
            StapledSubject::ThisCertificate | StapledSubject::NoAnswer => continue,
            StapledSubject::Other(serial) => {
                format!("an OCSP response for another certificate (serial number {serial})")
            }
            StapledSubject::Unreadable => "something that is not an OCSP response".to_owned(),
        };
        let message = format!("{label} staples {what}; clients that check it refuse the site");
        let finding = Finding::error("stapled-response-differs", message);
        findings.push(finding.with_step(replace_stapled_response()));
    }
    findings
}

/// Returns the first certificate of the handshake; none if it cannot be parsed.
fn first_certificate<'a>(
    seen: &HostCertificates,
    served: &'a [Certificate],
) -> Option<&'a Certificate> {
    let sent_first = seen.sent.first()?;
    served.first().filter(|leaf| sent_first == leaf.der())
}

fn unreadable_answer(
    host: &HostArgument,
    starttls: Option<StartTls>,
    seen: &HostCertificates,
) -> Failure {
    let message = format!("the certificate that {host} sends cannot be parsed");
    Failure::new(FailureKind::Malformed, message)
        .because(format!("probed {}", seen.addresses_in_words()))
        .with_step(verify_command::show_sent_certificate(
            &host.to_string(),
            starttls.map(StartTls::name),
        ))
}

/// Returns the host, with the addresses that sent the answer if it is not the address itself.
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
    let sent = PresentedFiles {
        name: label,
        delivery: &CaDelivery::default(),
        loaded: &[],
        served,
    };
    for fault in &matching::find_served_faults(&sent, chain) {
        findings.push(Finding {
            next: vec![verify_command::install_on_server()],
            ..served_fault_finding(fault, &[])
        });
    }
    findings
}
