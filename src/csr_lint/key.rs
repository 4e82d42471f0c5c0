//! The key, and what the request before asked for beside it.

use super::fault::{LintFault, RequestChange};
use super::rules;
use crate::csr_lint::request::{EarlierContent, LintedRequest};
use crate::dcv::ca::Ca;
use crate::pki::key::KeyAlgorithm;
use crate::pki::lint;

/// What is wrong with it for everybody.
pub(crate) fn faults(order: &LintedRequest<'_>) -> Vec<LintFault> {
    let mut faults = Vec::new();
    if let Some(reused) = &order.reused {
        if let Some(weakness) = lint::weakness(&reused.spki) {
            faults.push(
                LintFault::new(
                    &rules::WEAK_KEY,
                    format!("the key is anybody's: {weakness}"),
                )
                .cured_by(RequestChange::NewKey),
            );
        }
        if !reused.others.is_empty() {
            let what = format!(
                "the key is that of {} too: who steals it has all of them",
                reused.others.join(", ")
            );
            faults.push(LintFault::new(&rules::KEY_REUSED, what).cured_by(RequestChange::NewKey));
        }
    }
    let EarlierContent {
        client_auth,
        must_staple,
        short_rsa,
    } = order.before;
    if client_auth {
        let day = Ca::accepts(order.ca).client_auth_ends.zip(order.ca);
        let day = day
            .map(|(day, ca)| format!("; {} ends it on {day}", ca.title()))
            .unwrap_or_default();
        let what = format!(
            "the one before is for TLS clients too (clientAuth), the new one is not asked to be: what logs in with it \
             (mutual TLS, SMTP, RADIUS) needs a certificate of its own{day}"
        );
        faults.push(LintFault::new(&rules::CLIENT_AUTH, what));
    }
    if must_staple {
        let what = "the one before must be stapled (Must-Staple), the new one is not asked to be: without an OCSP \
                    answer, which fewer CAs give, browsers would refuse it";
        faults.push(LintFault::new(&rules::MUST_STAPLE, what));
    }
    if let Some(bits) = short_rsa {
        let what = format!(
            "the one before has an RSA key of {bits} bits; the new one has 2048, the least that is \
                taken"
        );
        faults.push(LintFault::new(&rules::SHORT_RSA, what));
    }
    faults
}

/// The kinds that public CAs take.
pub(crate) fn public_faults(order: &LintedRequest<'_>) -> Option<LintFault> {
    let (kind, accepts) = (order.algorithm, Ca::accepts(order.ca));
    let who = order.ca.map_or("a public CA", Ca::title);
    let taken = match kind {
        KeyAlgorithm::Rsa(bits) => bits >= accepts.rsa_bits,
        kind => accepts.keys.is_none_or(|keys| keys.contains(&kind)),
    };
    let rule = if kind == KeyAlgorithm::EcdsaP521 {
        &rules::P521
    } else {
        &rules::ODD_KEY
    };
    (!taken).then(|| {
        LintFault::new(rule, format!("{who} takes no key of the kind {kind}"))
            .cured_by(RequestChange::NewKey)
    })
}
