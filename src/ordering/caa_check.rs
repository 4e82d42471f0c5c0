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
    if identities.is_empty() && run.spec.ca.known().is_none() {
        return Ok(Vec::new());
    }
    check_identities(run, identities, account)
}

/// The same for a CA that has these identifiers.
pub(super) fn check_identities(
    run: &OrderRun<'_>,
    identities: &[String],
    account: &str,
) -> Result<Vec<Finding>, Failure> {
    let spec = run.spec;
    let mut names = Vec::new();
    for name in spec.names.dns() {
        names.push(name.as_str().to_owned());
    }
    let resolvers = ResolverList::new(&spec.resolvers);
    let answers = dns::caa(&names, &resolvers, &run.context.interrupt)?;
    let order = OrderFacts {
        identities,
        account,
        method: spec.method_name(),
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
