//! `--aia`: the issuers that a delivery lacks, from where its certificates say that they are (RFC
//! 5280 4.2.2.1). What comes from there is as foreign as the rest: only what signed the certificate
//! in question is of use.

use crate::delivery::{CaDelivery, DeliveryInput, DeliveryLimits};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::pki::certificate::Certificate;
use crate::pki::chain::{AssembledChain, Chain, ChainCriteria, ChainEnd};
use crate::pki::verify;
use crate::system::http::{self, HttpError, NetworkReach};
use crate::system::signals::InterruptSignal;

/// The most certificates that are fetched for one chain, one above the other; clients follow no
/// more.
const MOST_STEPS: usize = 6;

/// The most URLs of one certificate that are asked.
const MOST_URLS: usize = 4;

/// From where, and until when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AiaFetch<'a> {
    pub(crate) reach: NetworkReach,
    pub(crate) interrupt: &'a InterruptSignal,
}

/// The assembly of `leaf` from `bag` and from what was fetched, as far as something was missing and
/// is there.
///
/// # Errors
/// A signal.
pub(crate) fn complete(
    assembly: AssembledChain,
    bag: &[Certificate],
    wanted: ChainCriteria<'_>,
    fetching: AiaFetch<'_>,
) -> Result<(AssembledChain, Vec<Finding>), Failure> {
    let (mut assembly, mut bag, mut findings) = (assembly, bag.to_vec(), Vec::new());
    for _ in 0..MOST_STEPS {
        let ChainEnd::Gap { urls, .. } = assembly.chain.end() else {
            break;
        };
        let Some(last) = assembly.chain.certificates().last() else {
            break;
        };
        if urls.is_empty() {
            let message = format!(
                "{} does not say where its issuer can be fetched",
                last.label()
            );
            findings
                .push(Finding::warning("issuer-not-fetched", message).with(NextStep::say(BY_HAND)));
        }
        let urls = urls
            .iter()
            .filter(|url| !url.starts_with("ldap"))
            .take(MOST_URLS);
        let Some((url, fetched)) = first(last, urls, fetching, &mut findings)? else {
            break;
        };
        let label = fetched
            .iter()
            .find(|one| last.is_signed_by(one))
            .map(Certificate::label)
            .unwrap_or_default();
        let message = format!(
            "fetched {label}, the issuer of {}, from {url}",
            last.label()
        );
        findings.push(Finding::note("issuer-fetched", message));
        bag.extend(fetched);
        let chain: Chain = verify::assemble(assembly.chain.leaf(), &bag, wanted).chain;
        let further = chain.certificates().len() > assembly.chain.certificates().len();
        let done = !matches!(chain.end(), ChainEnd::Gap { .. });
        assembly.chain = chain;
        if done || !further {
            break;
        }
    }
    Ok((assembly, findings))
}

/// What the first URL has that leads on; why the others did not.
fn first<'a>(
    last: &Certificate,
    urls: impl Iterator<Item = &'a String>,
    fetching: AiaFetch<'_>,
    findings: &mut Vec<Finding>,
) -> Result<Option<(&'a str, Vec<Certificate>)>, Failure> {
    for url in urls {
        let fetched = http::fetch(url, fetching.reach, http::DEADLINE, fetching.interrupt);
        let (why, step) = match fetched {
            Ok(bytes) => match read(url, bytes) {
                found if found.iter().any(|one| last.is_signed_by(one)) => {
                    return Ok(Some((url, found)));
                }
                found if found.is_empty() => ("there is no certificate in it".to_owned(), BY_HAND),
                _ => (
                    format!("what it has did not sign {}", last.label()),
                    BY_HAND,
                ),
            },
            Err(error @ HttpError::Interrupted { signal, .. }) => {
                return Err(Failure::of(FailureKind::Interrupted(signal), &error)
                    .because("nothing was written"));
            }
            Err(error @ HttpError::Private(_)) => (
                error.to_string(),
                "if that is a server of your own CA:  --aia=any",
            ),
            Err(error) => (error.to_string(), BY_HAND),
        };
        let finding = Finding::warning("issuer-not-fetched", format!("{url}: {why}"));
        findings.push(finding.with(NextStep::say(step)));
    }
    Ok(None)
}

/// What to do where it cannot be fetched.
const BY_HAND: &str = "add the CA's bundle (.ca-bundle) from its mail, or download it at the shop";

/// DER, PEM or PKCS#7, as anything that is handed over.
fn read(url: &str, bytes: Vec<u8>) -> Vec<Certificate> {
    let delivery = CaDelivery::read(
        vec![DeliveryInput::new(url, bytes)],
        &DeliveryLimits::default(),
    );
    delivery
        .map(|delivery| delivery.bag())
        .unwrap_or_default()
        .into_iter()
        .filter(|one| !one.is_site())
        .collect()
}
