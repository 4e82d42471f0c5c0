//! A server, judged by what it sends: order, completeness, dates, trust, and its names, the host's
//! own among them. What lies here is not compared with it.

use crate::advice::matching::served_fault_finding;
use crate::commands::verify::criteria::{VerifiedCertificate, VerifyCriteria};
use crate::delivery::CaDelivery;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::inputs::{self, HostArgument, HostCertificates};
use crate::matching;
use crate::pki::verify;
use crate::probe::StartTls;

/// Asks `host` and judges each different answer.
pub(super) fn judge(
    host: &HostArgument,
    starttls: Option<StartTls>,
    measure: VerifyCriteria<'_>,
) -> Result<Vec<VerifiedCertificate>, Failure> {
    let answers = inputs::ask(host, starttls)?;
    let mut verified = Vec::new();
    for seen in answers.seen {
        let mut one = judge_one(host, seen, measure)?;
        one.findings.extend(answers.findings.iter().cloned());
        verified.push(one);
    }
    Ok(verified)
}

/// The first certificate is the site's, whatever it is: clients take no other.
fn judge_one(
    host: &HostArgument,
    seen: HostCertificates,
    measure: VerifyCriteria<'_>,
) -> Result<VerifiedCertificate, Failure> {
    let served = seen.certificates();
    let Some(leaf) = served
        .first()
        .filter(|leaf| seen.sent.first().is_some_and(|der| der == leaf.der()))
    else {
        return Err(Failure::new(
            FailureKind::Malformed,
            format!("what {host} sends for a certificate cannot be read"),
        )
        .because(format!("asked {}", seen.places()))
        .with(NextStep::say(
            "look at it:  openssl s_client -connect HOST:PORT -showcerts </dev/null",
        )));
    };
    let chain = verify::assemble(leaf, &served, measure.wanted()).chain;
    let places = seen.places();
    let file = if places == host.to_string() {
        places
    } else {
        format!("{host} ({places})")
    };
    let mend = NextStep::say("on that server, with what the CA sent:  sudo certctl install FILE");
    let faults = matching::faults(&file, &CaDelivery::default(), &served, &chain);
    let faults = faults.iter().map(|fault| Finding {
        next: vec![mend.clone()],
        ..served_fault_finding(fault, &[])
    });
    let findings = faults
        .chain(measure.findings(&chain, &served, &served))
        .collect();
    Ok(VerifiedCertificate {
        seen: Some(seen),
        ..measure.verified(file, chain, findings)
    })
}
