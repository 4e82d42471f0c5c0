//! `--aia`: fetches missing issuers from the URLs in the certificates (authority information
//! access, RFC 5280 section 4.2.2.1). A fetched certificate is used only if it signed the
//! certificate in question.

use crate::advice::inputs as advice;

use crate::delivery::{CaDelivery, DeliveryInput, DeliveryLimits};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::pki::certificate::Certificate;
use crate::pki::chain::{AssembledChain, Chain, ChainCriteria, ChainEnd};
use crate::pki::verify;
use crate::system::http::{self, HttpError, NetworkReach};
use crate::system::signals::InterruptSignal;

/// The maximum number of issuers that are fetched for one chain; clients follow no more.
pub(crate) const AIA_STEPS: usize = 6;

/// The maximum number of URLs of one certificate that are tried.
pub(crate) const AIA_URLS: usize = 4;

/// The networks from which certificates may be fetched, and the signal that stops a transfer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AiaFetch<'a> {
    pub reach: NetworkReach,
    pub interrupt: &'a InterruptSignal,
}

/// Extends the chain of `assembly`, which was built from `bag`, by issuers that are missing and can
/// be fetched.
///
/// # Errors
/// A signal.
pub(crate) fn complete(
    mut assembly: AssembledChain,
    bag: &[Certificate],
    criteria: ChainCriteria<'_>,
    fetching: AiaFetch<'_>,
) -> Result<(AssembledChain, Vec<Finding>), Failure> {
    let mut bag = bag.to_vec();
    let mut findings = Vec::new();
    for _ in 0..AIA_STEPS {
        let Some(fetched) = fetch_issuer(&assembly.chain, fetching, &mut findings)? else {
            break;
        };
        bag.extend(fetched);
        let chain = verify::assemble_chain(assembly.chain.leaf(), &bag, criteria).chain;
        let is_longer = chain.certificates().len() > assembly.chain.certificates().len();
        let is_incomplete = matches!(chain.end(), ChainEnd::Gap { .. });
        assembly.chain = chain;
        if !is_longer || !is_incomplete {
            break;
        }
    }
    Ok((assembly, findings))
}

/// Fetches the issuer of the last certificate of `chain` and reports the result; returns nothing if
/// no issuer is missing or none can be fetched.
fn fetch_issuer(
    chain: &Chain,
    fetching: AiaFetch<'_>,
    findings: &mut Vec<Finding>,
) -> Result<Option<Vec<Certificate>>, Failure> {
    let ChainEnd::Gap { urls, .. } = chain.end() else {
        return Ok(None);
    };
    let Some(last) = chain.certificates().last() else {
        return Ok(None);
    };
    if urls.is_empty() {
        let message = format!(
            "{} has no URL from which its issuer can be fetched",
            last.label()
        );
        findings.push(not_fetched(message, advice::add_bundle()));
    }
    let urls = urls
        .iter()
        .filter(|url| !url.starts_with("ldap"))
        .take(AIA_URLS);
    let Some(fetched) = fetch_from_first(urls, last, fetching, findings)? else {
        return Ok(None);
    };
    let issuer = fetched
        .certificates
        .iter()
        .find(|candidate| last.is_signed_by(candidate))
        .map(Certificate::label)
        .unwrap_or_default();
    let message = format!(
        "fetched {issuer}, the issuer of {}, from {}",
        last.label(),
        fetched.url
    );
    findings.push(Finding::note("issuer-fetched", message));
    Ok(Some(fetched.certificates))
}

/// Certificates that were fetched, the issuer among them.
struct FetchedIssuer<'u> {
    url: &'u str,
    certificates: Vec<Certificate>,
}

/// Tries `urls` in turn until one returns the issuer of `last`; reports why the others did not.
fn fetch_from_first<'u>(
    urls: impl Iterator<Item = &'u String>,
    last: &Certificate,
    fetching: AiaFetch<'_>,
    findings: &mut Vec<Finding>,
) -> Result<Option<FetchedIssuer<'u>>, Failure> {
    for url in urls {
        let fetched = http::fetch(url, fetching.reach, http::DEADLINE, fetching.interrupt);
        let bytes = match fetched {
            Ok(bytes) => bytes,
            Err(error) => {
                findings.push(fetch_error(url, &error)?);
                continue;
            }
        };
        let certificates = ca_certificates(url, bytes);
        if certificates.iter().any(|one| last.is_signed_by(one)) {
            return Ok(Some(FetchedIssuer { url, certificates }));
        }
        let reason = if certificates.is_empty() {
            "it contains no CA certificate".to_owned()
        } else {
            format!("its certificates did not sign {}", last.label())
        };
        findings.push(not_fetched(
            format!("{url}: {reason}"),
            advice::add_bundle(),
        ));
    }
    Ok(None)
}

/// Returns why nothing was fetched from `url`; a signal ends the command.
fn fetch_error(url: &str, error: &HttpError) -> Result<Finding, Failure> {
    let step = match error {
        HttpError::Interrupted { signal, .. } => {
            let failure = Failure::from_error(FailureKind::Interrupted(*signal), error);
            return Err(failure.because("nothing was written"));
        }
        HttpError::Private(_) => advice::allow_private_aia(),
        _ => advice::add_bundle(),
    };
    Ok(not_fetched(format!("{url}: {error}"), step))
}

fn not_fetched(message: String, step: NextStep) -> Finding {
    Finding::warning("issuer-not-fetched", message).with_step(step)
}

/// Returns the CA certificates in fetched `bytes`: DER, PEM or PKCS#7, as in any file from a CA.
fn ca_certificates(url: &str, bytes: Vec<u8>) -> Vec<Certificate> {
    let delivery = CaDelivery::read(
        vec![DeliveryInput::new(url, bytes)],
        &DeliveryLimits::default(),
    );
    delivery
        .map(|delivery| delivery.clone_certificates())
        .unwrap_or_default()
        .into_iter()
        .filter(|certificate| !certificate.is_server_certificate())
        .collect()
}
