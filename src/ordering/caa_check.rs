//! CAA before the order: a CA has to refuse what the records forbid, and the refusal counts against its
//! limits (RFC 8659; RFC 8657 for accounts and methods).

use super::account::CaConnection;
use super::order_run::OrderRun;
use crate::advice::caa as advice;
use crate::dcv::caa::order::{OrderFacts, evaluate_order};
use crate::dcv::caa::unchecked_names;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::system::dns::{self, ResolverList};

/// Returns what the CAA records of the names say about this order; `account` is the URL of the
/// account. A CA of a company that does not say how CAA names it does not have to respect CAA.
pub(super) fn check_caa(
    run: &OrderRun<'_>,
    connection: &CaConnection,
    account: &str,
) -> Result<Vec<Finding>, Failure> {
    let identities = &connection.directory.caa_identities;
    let spec = run.spec;
    if identities.is_empty() && spec.ca.known().is_none() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for name in spec.names.dns() {
        names.push(name.as_str().to_owned());
    }
    let resolvers = ResolverList::new(&spec.resolvers);
    let answers = dns::caa(&names, &resolvers, &run.context.interrupt)?;
    let order = OrderFacts {
        identities,
        account,
        method: spec.method.challenge().name(),
    };
    let title = spec.ca.title();
    let mut findings = Vec::new();
    for name in &names {
        let ruling = evaluate_order(name, &answers, order);
        findings.extend(advice::of_order(&ruling, order, title));
    }
    let unchecked = unchecked_names(&names, &answers);
    if !unchecked.is_empty() && findings.is_empty() {
        findings.push(advice::not_checked(&unchecked, title));
    }
    Ok(findings)
}
