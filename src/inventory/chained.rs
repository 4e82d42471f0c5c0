//! What the certificates beside a site's own mean for it: whether they lead to somebody who is trusted, and which of them
//! ends first.

use jiff::Timestamp;

use super::group::Leaf;
use super::item::Place;
use super::measure::Measure;
use super::reason::Reason;
use super::row::State;
use crate::pki::certificate::Certificate;
use crate::pki::chain::{Chain, ChainEnd, Prefer, Wanted};
use crate::pki::lint::{self, Lint};
use crate::pki::trust::{Scope, TrustAnchors};
use crate::pki::verify::{self, Policy, Problem};

/// What a chain comes to.
pub(super) struct Judged {
    /// By whose rules it was issued, where that is known.
    pub(super) scope: Option<Scope>,
    /// The first end of what the certificate depends on, its own among them.
    pub(super) ends: Timestamp,
    pub(super) reasons: Vec<Reason>,
}

/// What servers send is judged as they send it; what only lies in a file by the ends of the certificates beside it.
pub(super) fn judge(leaf: &Leaf, stem: Option<&str>, state: State, measure: &Measure<'_>) -> Judged {
    let certificate = leaf.certificate.as_ref();
    // Of several addresses the one that sends least: what it leaves out is missing.
    let shown = leaf.copies.iter().filter(|copy| matches!(copy.place, Place::Address { .. }));
    let shown = shown.min_by_key(|copy| copy.chain.len());
    let live = leaf.copies.iter().find(|copy| copy.place.is_live());
    let longest = || leaf.copies.iter().max_by_key(|copy| copy.chain.len());
    let Some(copy) = live.or(shown).or_else(longest) else {
        return Judged { scope: None, ends: certificate.not_after, reasons: Vec::new() };
    };
    let bag: Vec<Certificate> = copy.chain.iter().map(|one| one.as_ref().clone()).collect();
    let anchors = stem.and_then(|stem| measure.own_anchors.get(stem)).map(std::slice::from_ref);
    let (assembled, problems, scope) = best(certificate, &bag, anchors.unwrap_or(measure.anchors), measure.now);
    let mut reasons = Vec::new();
    if matches!(state, State::Served | State::Installed) {
        let own_dates = |problem: &Problem| {
            matches!(problem, Problem::NotYetValid { .. }) || matches!(problem, Problem::Expired { leaf: true, .. })
        };
        reasons.extend(problems.into_iter().filter(|problem| !own_dates(problem)).map(Reason::Problem));
    } else {
        let weak = |problem: &Problem| matches!(problem, Problem::WeakKey { .. } | Problem::WeakSignature { .. });
        reasons.extend(problems.into_iter().filter(weak).map(Reason::Problem));
    }
    let first = assembled.intermediates().iter().min_by_key(|one| one.not_after);
    let first = first.filter(|one| one.not_after < certificate.not_after);
    reasons.extend(first.map(|one| Reason::EndsFirst { label: one.label(), ends: one.not_after }));
    // Of what is of nobody known only what binds everybody is held against it.
    let refuses = |lint: &Lint| lint.weight(scope.unwrap_or(Scope::Private)) == Some(lint::Weight::Refuses);
    reasons.extend(lint::lints(&assembled).into_iter().filter(refuses).map(Reason::Weak));
    Judged { scope, ends: first.map_or(certificate.not_after, |one| one.not_after), reasons }
}

/// The chain by the first of `anchors` that knows its root, else by the first of all.
fn best(
    leaf: &Certificate,
    bag: &[Certificate],
    anchors: &[TrustAnchors],
    at: Timestamp,
) -> (Chain, Vec<Problem>, Option<Scope>) {
    let by = |anchors: &TrustAnchors| {
        let chain = verify::assemble(leaf, bag, Wanted { anchors, at, prefer: Prefer::default() }).chain;
        let problems = verify::problems(&chain, Policy { hosts: &[], anchors, at });
        let scope = (*chain.end() == ChainEnd::Anchored).then(|| anchors.source().scope());
        (chain, problems, scope)
    };
    let known = anchors.iter().map(by).find(|(.., scope)| scope.is_some());
    known.unwrap_or_else(|| match anchors.first() {
        Some(first) => by(first),
        None => by(&TrustAnchors::mozilla()),
    })
}
