//! Checks the key, and what the new request omits from an earlier certificate.

use super::fault::{LintFault, RequestChange};
use super::request::{EarlierContent, LintedRequest, ReusedKey};
use super::rules;
use crate::dcv::ca::Ca;
use crate::pki::key::KeyAlgorithm;
use crate::pki::lint;

/// Returns the faults of a key that was not created for the request.
pub(crate) fn check_reuse(reused: Option<&ReusedKey>) -> Vec<LintFault> {
    let mut faults = Vec::new();
    let Some(reused) = reused else {
        return faults;
    };
    if let Some(weakness) = lint::describe_key_weakness(&reused.spki) {
        let description =
            format!("the private key is publicly known or can be computed: {weakness}");
        let fault = LintFault::new(&rules::WEAK_KEY, description);
        faults.push(fault.repaired_by(RequestChange::NewKey));
    }
    if !reused.also_used_by.is_empty() {
        let description = format!(
            "the key is also used by {}; if it is stolen, all of them are compromised",
            reused.also_used_by.join(", ")
        );
        let fault = LintFault::new(&rules::KEY_REUSED, description);
        faults.push(fault.repaired_by(RequestChange::NewKey));
    }
    faults
}

/// Returns the faults for what the earlier certificate has and the new request omits.
pub(crate) fn check_earlier_content(request: &LintedRequest<'_>) -> Vec<LintFault> {
    let EarlierContent {
        client_auth,
        must_staple,
        short_rsa,
    } = request.earlier_content;
    let mut faults = Vec::new();
    if client_auth {
        faults.push(omitted_client_auth(request.ca));
    }
    if must_staple {
        let description = "the earlier certificate has Must-Staple, and the new request omits it: browsers refuse \
                    such a certificate without an OCSP response, which fewer CAs offer";
        faults.push(LintFault::new(&rules::MUST_STAPLE, description));
    }
    if let Some(bits) = short_rsa {
        let description = format!(
            "the earlier certificate has an RSA key of {bits} bits; the new key has 2048, the minimum \
                that CAs accept"
        );
        faults.push(LintFault::new(&rules::SHORT_RSA, description));
    }
    faults
}

fn omitted_client_auth(ca: Option<Ca>) -> LintFault {
    let end = match (ca, Ca::accepts(ca).client_auth_ends) {
        (Some(ca), Some(day)) => format!("; {} stops issuing it on {day}", ca.title()),
        _ => String::new(),
    };
    let description = format!(
        "the earlier certificate is also for TLS clients (clientAuth), and the new request omits that: programs \
         that log in with it (mutual TLS, SMTP, RADIUS) need a separate certificate{end}"
    );
    LintFault::new(&rules::CLIENT_AUTH, description)
}

/// Returns a fault if public CAs do not accept this kind of key.
pub(crate) fn check_for_public_ca(request: &LintedRequest<'_>) -> Option<LintFault> {
    let algorithm = request.algorithm;
    let accepted = Ca::accepts(request.ca);
    let is_accepted = match algorithm {
        KeyAlgorithm::Rsa(bits) => bits >= accepted.rsa_bits,
        algorithm => accepted.keys.is_none_or(|keys| keys.contains(&algorithm)),
    };
    if is_accepted {
        return None;
    }
    let rule = if algorithm == KeyAlgorithm::EcdsaP521 {
        &rules::P521
    } else {
        &rules::UNUSUAL_KEY_TYPE
    };
    let issuer = request.ca.map_or("a public CA", Ca::title);
    let description = format!("{issuer} does not accept {algorithm} keys");
    Some(LintFault::new(rule, description).repaired_by(RequestChange::NewKey))
}
