//! `--check-caa`: looks up whether the CAA records of the names allow the CA to issue, before the
//! order is paid (RFC 8659).

use super::args::CsrArgs;
use super::spec::demote_allowed;
use crate::advice::caa::not_checked;
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::caa::{self, IssuanceRequest};
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::pki::alt_name::AltNames;
use crate::system::dns::{self, ResolverList};

/// Returns what the CAA records say about `ca`; nothing without `--check-caa` or for a private CA.
/// Findings with a code of `--allow` become warnings.
///
/// # Errors
/// When no DNS query can be sent, or a signal arrives.
pub(super) fn findings(
    context: &Context,
    args: &CsrArgs,
    names: &AltNames,
    ca: Option<Ca>,
) -> Result<Vec<Finding>, Failure> {
    if !args.check_caa || ca == Some(Ca::Private) {
        return Ok(Vec::new());
    }
    let LookedUpCaa {
        mut findings,
        unchecked,
    } = look_up(context, args, names, ca)?;
    let allows = findings
        .iter()
        .all(|finding| finding.severity == Severity::Note);
    let issuer = ca.map_or("a CA", Ca::title);
    if !unchecked.is_empty() {
        findings.push(not_checked(&unchecked, issuer));
    } else if allows {
        let message = format!("no CAA record forbids {issuer} to issue");
        findings.push(Finding::note("caa-allows", message));
    }
    let demoted = findings
        .into_iter()
        .map(|finding| demote_allowed(finding, &args.allow));
    Ok(demoted.collect())
}

/// What the CAA records say.
struct LookedUpCaa {
    findings: Vec<Finding>,
    /// The names for which only the resolver was asked.
    unchecked: Vec<String>,
}

/// Looks up the CAA records of all names and applies them to `ca`.
fn look_up(
    context: &Context,
    args: &CsrArgs,
    names: &AltNames,
    ca: Option<Ca>,
) -> Result<LookedUpCaa, Failure> {
    let names: Vec<String> = names.dns().map(|name| name.as_str().to_owned()).collect();
    let resolvers = ResolverList::new(&args.resolver);
    let answers = dns::caa(&names, &resolvers, &context.interrupt)?;
    let issuance = IssuanceRequest {
        issuers: ca.map_or(&[], |ca| ca.profile().issuers),
        at: context.now(),
    };
    let rulings = caa::evaluate_all(&names, &answers, issuance);
    let findings = caa::group_rulings(rulings.iter())
        .iter()
        .flat_map(Vec::<Finding>::from)
        .collect();
    Ok(LookedUpCaa {
        findings,
        unchecked: caa::unchecked_names(&names, &answers),
    })
}
