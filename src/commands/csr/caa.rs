//! `--check-caa`: whether the domains let the CA issue, asked before money is spent.

use super::args::CsrArgs;
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::caa::{self, IssuanceRequest};
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::pki::alt_name::AltNames;
use crate::system::dns::{self, ResolverList};

/// What CAA records say of `ca`; nothing where it was not asked for, or a company's own CA issues.
///
/// # Errors
/// When no question can be asked, or a signal came.
pub(super) fn findings(
    context: &Context,
    args: &CsrArgs,
    names: &AltNames,
    ca: Option<Ca>,
) -> Result<Vec<Finding>, Failure> {
    if !args.check_caa || ca == Some(Ca::Private) {
        return Ok(Vec::new());
    }
    let names: Vec<String> = names.dns().map(|name| name.as_str().to_owned()).collect();
    let found = dns::caa(
        &names,
        &ResolverList::new(&args.resolver),
        &context.interrupt,
    )?;
    let wish = IssuanceRequest {
        issuers: ca.map_or(&[], |ca| ca.profile().issuers),
        at: context.now(),
    };
    let rulings = caa::rule_all(&names, &found, wish);
    let mut findings: Vec<Finding> = caa::together(rulings.iter())
        .iter()
        .flat_map(Vec::<Finding>::from)
        .collect();
    if findings
        .iter()
        .all(|finding| finding.severity == Severity::Note)
    {
        let who = ca.map_or("a CA", Ca::title);
        findings.push(Finding::note(
            "caa-allows",
            format!("CAA was looked up: nothing forbids {who} to issue"),
        ));
    }
    Ok(findings)
}
