//! The key, and what the earlier certificate asked for.

use super::fault::{LintFault, RequestChange};
use super::request::{EarlierContent, LintedRequest, ReusedKey};
use super::rules;
use crate::dcv::ca::Ca;
use crate::pki::key::KeyAlgorithm;
use crate::pki::lint;

/// Faults of a key that was not made for the request.
pub(crate) fn check_reuse(reused: Option<&ReusedKey>) -> Vec<LintFault> {
    let mut faults = Vec::new();
    let Some(reused) = reused else {
        return faults;
    };
    if let Some(weakness) = lint::describe_key_weakness(&reused.spki) {
        let description = format!("the key is anybody's: {weakness}");
        let fault = LintFault::new(&rules::WEAK_KEY, description);
        faults.push(fault.repaired_by(RequestChange::NewKey));
    }
    if !reused.also_used_by.is_empty() {
        let description = format!(
            "the key is that of {} too: who steals it has all of them",
            reused.also_used_by.join(", ")
        );
        let fault = LintFault::new(&rules::KEY_REUSED, description);
        faults.push(fault.repaired_by(RequestChange::NewKey));
    }
    faults
}

/// What the earlier certificate asked for and the new request does not.
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
        let description = "the one before must be stapled (Must-Staple), the new one is not asked to be: without an OCSP \
                    answer, which fewer CAs give, browsers would refuse it";
        faults.push(LintFault::new(&rules::MUST_STAPLE, description));
    }
    if let Some(bits) = short_rsa {
        let description = format!(
            "the one before has an RSA key of {bits} bits; the new one has 2048, the least that is \
                taken"
        );
        faults.push(LintFault::new(&rules::SHORT_RSA, description));
    }
    faults
}

fn omitted_client_auth(ca: Option<Ca>) -> LintFault {
    let end = match (ca, Ca::accepts(ca).client_auth_ends) {
        (Some(ca), Some(day)) => format!("; {} ends it on {day}", ca.title()),
        _ => String::new(),
    };
    let description = format!(
        "the one before is for TLS clients too (clientAuth), the new one is not asked to be: what logs in with it \
         (mutual TLS, SMTP, RADIUS) needs a certificate of its own{end}"
    );
    LintFault::new(&rules::CLIENT_AUTH, description)
}

/// The kind of key, if public CAs do not accept it.
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
        &rules::ODD_KEY
    };
    let issuer = request.ca.map_or("a public CA", Ca::title);
    let description = format!("{issuer} takes no key of the kind {algorithm}");
    Some(LintFault::new(rule, description).repaired_by(RequestChange::NewKey))
}
