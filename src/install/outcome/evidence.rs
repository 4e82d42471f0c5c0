//! What the answers of servers prove after an installation: the key was not checked, a target could
//! not be verified, or a stapled response is for another certificate.

use std::collections::BTreeSet;

use crate::advice::served_evidence;
use crate::finding::Finding;
use crate::install::preflight::PreflightState;
use crate::install_plan::apply::{ProbeAnswer, StepError};
use crate::pki::certificate::Certificate;
use crate::probe::stapled::{self, StapledSubject};
use crate::webserver::model;
use crate::wording::with_causes;

/// The code of a stapled response for another certificate.
pub(super) const STAPLED_DIFFERS: &str = "stapled-response-differs";

/// Returns the warnings of the tests that concern the files of the certificate. A test that failed
/// before the installation may not have printed all of its warnings.
pub(super) fn warnings_about_files(
    situation: &PreflightState,
    warnings: Vec<String>,
) -> Vec<String> {
    let serving = &situation.serving;
    let mut before: Option<Vec<String>> = Some(Vec::new());
    for server_use in &serving.uses {
        match server_use.observed.tested() {
            Some(finished) if finished.succeeded() => {
                let known = model::test_warnings(&finished.output);
                before = before.map(|before| [before, known].concat());
            }
            Some(_) => before = None,
            None => {}
        }
    }
    let links = serving.configured_paths.iter();
    let mut paths = Vec::new();
    for link in links {
        paths.push(link.path.clone());
    }
    model::warnings_about(warnings, &paths, before.as_deref())
}

/// `127.0.0.1:443 for a.example`
fn target_in_words(probe: &ProbeAnswer) -> String {
    format!("{} for {}", probe.target.address, probe.target.name)
}

/// Warns about servers that send the certificate and did not prove that they have its key.
pub(super) fn report_unchecked_keys(probes: &[ProbeAnswer]) -> Option<Finding> {
    let unchecked = probes.iter().filter(|probe| probe.agrees_without_key());
    let addresses: BTreeSet<String> = unchecked
        .map(|probe| probe.target.address.to_string())
        .collect();
    if addresses.is_empty() {
        return None;
    }
    let message = format!(
        "{} sends the certificate, but whether it has the key was not checked: certctl does not \
         support the key or the algorithms that the server requires",
        Vec::from_iter(addresses).join(", ")
    );
    Some(Finding::warning("key-not-checked", message))
}

/// Warns about targets whose certificate could not be determined (`is_inconclusive`): what certctl
/// offered, and what came back.
#[must_use]
pub(crate) fn report_inconclusive(
    probes: &[ProbeAnswer],
    is_inconclusive: fn(&ProbeAnswer) -> bool,
) -> Vec<Finding> {
    let lines: Vec<String> = probes
        .iter()
        .filter(|probe| is_inconclusive(probe))
        .filter_map(|probe| {
            let error = probe.answer.as_ref().err()?;
            Some(format!(
                "{}: {}",
                target_in_words(probe),
                with_causes(error)
            ))
        })
        .collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let message = "which certificate is served was not checked at these addresses: certctl does not \
         support what the server requires";
    vec![Finding::warning("not-verified", message).with_quote(lines)]
}

/// Reports stapled responses that are not about the certificate, the first of `chain`.
#[must_use]
pub(crate) fn check_stapled(probes: &[ProbeAnswer], chain: &[Certificate]) -> Vec<Finding> {
    let Some(leaf) = chain.first() else {
        return Vec::new();
    };
    let mut findings: Vec<Finding> = Vec::new();
    for probe in probes.iter().filter(|probe| probe.agrees()) {
        let Ok((handshake, _)) = &probe.answer else {
            continue;
        };
        if handshake.stapled.is_empty() {
            continue;
        }
        let address = probe.target.address;
        let subject = stapled::find_subject(&handshake.stapled, leaf, chain.get(1));
        let finding = match subject {
            StapledSubject::ThisCertificate | StapledSubject::NoAnswer => continue,
            StapledSubject::Other(serial) => Finding::error(
                STAPLED_DIFFERS,
                format!(
                    "{address} staples an OCSP response for another certificate (serial number \
                     {serial}); clients that check it reject the site"
                ),
            ),
            StapledSubject::Unreadable => Finding::error(
                STAPLED_DIFFERS,
                format!(
                    "{address} staples something that is not an OCSP response; clients that check \
                     it reject the site"
                ),
            ),
        };
        if findings
            .iter()
            .all(|known| known.message != finding.message)
        {
            findings.push(finding.with_step(served_evidence::replace_stapled_response()));
        }
    }
    findings
}

/// Reports servers that refuse clients with an alert since the new certificate is installed.
pub(super) fn check_new_alert(error: &StepError) -> Option<Finding> {
    let StepError::NotServed(probes) = error else {
        return None;
    };
    let lines: Vec<String> = probes
        .iter()
        .filter(|probe| probe.is_new_alert())
        .filter_map(|probe| {
            let error = probe.answer.as_ref().err()?;
            Some(format!(
                "{}: {}",
                target_in_words(probe),
                with_causes(error)
            ))
        })
        .collect();
    if lines.is_empty() {
        return None;
    }
    let message = "with the new certificate, the server ends handshakes with an alert, which it did \
         not do before";
    Some(
        Finding::error("handshakes-fail", message)
            .with_quote(lines)
            .with_step(served_evidence::check_key_usage_and_type()),
    )
}
