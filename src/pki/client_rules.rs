//! What the clients of a server accept: the rules of RFC 5280 that certctl checks itself, each with
//! the clients that refuse a chain that breaks it. Signatures and dates are checked elsewhere.

use super::certificate::Certificate;
use super::chain::Chain;
use super::trust::TrustAnchors;

mod breach;
mod broken_rule;
mod certificate_checks;
mod chain_link;
mod clients;
mod constraints;
mod dates;
mod malformed_extensions;
mod odd_names;
mod path_checks;
mod policies;
mod root_checks;
mod table;

pub use broken_rule::BrokenRule;
use chain_link::{ChainLink, ChainRole};
pub(crate) use clients::TlsClient;
pub(crate) use table::{ClientRule, RULES, RuleVerdict};
pub(super) use table::{EARLY_DATE, NAME_SPELLING, STRICT_ENCODING, UNIQUE_IDENTIFIERS};

/// Returns the rules that `chain` breaks on its way to an anchor of `anchors`: those that make
/// OpenSSL, Go or a browser refuse it first. The root is included if its certificate is known.
pub(super) fn find_broken_rules(chain: &Chain, anchors: &TrustAnchors) -> Vec<BrokenRule> {
    let links = read_links(chain, anchors);
    let mut found: Vec<BrokenRule> = Vec::new();
    for link in &links {
        let breaches = certificate_checks::check_certificate(link);
        found.extend(breaches.into_iter().map(|breach| {
            link.broken(breach.rule, breach.how)
                .except(&breach.accepting)
        }));
    }
    found.extend(path_checks::check_path(&links, chain, anchors));
    found.extend(policies::check_required_policy(&links));
    found.retain(|broken| !broken.clients.is_empty());
    found.sort_by_key(BrokenRule::is_only_strict);
    found
}

/// Returns why clients refuse this root, as far as its own certificate shows it: one sentence for each
/// rule whose breach is an error.
#[must_use]
pub fn find_errors_of_root(root: &Certificate) -> Vec<String> {
    let mut errors = Vec::new();
    if let Some(link) = ChainLink::read(root, ChainRole::Root) {
        for breach in certificate_checks::check_certificate(&link) {
            if breach.rule.verdict == RuleVerdict::Refused {
                errors.push(breach.how);
            }
        }
    }
    errors
}

/// The certificates of the chain and its root. A self-signed certificate that is trusted itself has
/// no root.
fn read_links<'a>(chain: &'a Chain, anchors: &'a TrustAnchors) -> Vec<ChainLink<'a>> {
    let mut links = Vec::new();
    for (place, certificate) in chain.certificates().iter().enumerate() {
        let role = if place == 0 {
            ChainRole::Leaf
        } else {
            ChainRole::Intermediate
        };
        links.extend(ChainLink::read(certificate, role));
    }
    let roots = chain
        .anchor()
        .into_iter()
        .flat_map(|key| anchors.certificates_with_key(key))
        .filter(|root| *root != chain.leaf())
        .filter_map(|root| ChainLink::read(root, ChainRole::Root));
    let mut roots: Vec<_> = roots.collect();
    // If the anchor has several certificates, clients use the one that the last certificate names.
    roots.sort_by_key(|root| {
        links
            .last()
            .is_some_and(|last| !path_checks::names_issuer(last, root))
    });
    links.extend(roots.into_iter().next());
    links
}
