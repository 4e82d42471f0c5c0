//! `certctl install --placeholder NAME...`: something for the server to load until the CA has sent
//! the certificate.

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::inputs::folder::FolderContents;
use crate::install::outcome::{InstallVerdict, TransactionOutcome, day};
use crate::install::placeholder;
use crate::install::placeholder::certificate::PlaceholderCertificate;
use crate::install::request::{InstallGoal, InstallRequest};
use crate::install::transaction;
use crate::pki::name::DnsName;

/// Puts one into place, where there is no pair yet: what was made in words, what is told of it,
/// what came of it. `order` is what the command line says beside the goal.
///
/// # Errors
/// Names that are none, files that cannot be used, a lock that is held, a signal.
pub(super) fn run(
    context: &Context,
    names: &[String],
    order: impl FnOnce(&DnsName) -> InstallRequest<'static>,
) -> Result<(String, Vec<Finding>, TransactionOutcome), Failure> {
    let names = names
        .iter()
        .map(|name| DnsName::parse(name))
        .collect::<Result<Vec<_>, _>>()?;
    let Some(first) = names.first() else {
        return Err(Failure::new(
            FailureKind::Usage,
            "--placeholder wants the names that it is for",
        )
        .with(NextStep::run(&[
            "install",
            "--placeholder",
            "example.com",
            "www.example.com",
        ])));
    };
    let all = if names.len() == 1 {
        with_those_asked_for(context, first)?
    } else {
        names.clone()
    };
    let pair = PlaceholderCertificate::new(&all, context.now())
        .map_err(|error| Failure::of(FailureKind::Internal, &error))?;
    let changeover = transaction::run(
        context,
        &InstallRequest {
            goal: InstallGoal::Placeholder(&pair),
            ..order(first)
        },
    )?;
    let ends = changeover.leaf.not_after;
    let findings = match changeover.verdict {
        InstallVerdict::Refused => Vec::new(),
        _ => vec![placeholder::told(context, ends)],
    };
    let found = format!(
        "a placeholder for {}, ends {}",
        changeover.leaf.dns_names.join(", "),
        day(ends)
    );
    Ok((found, findings, changeover))
}

/// `name`, and what the request here that asks for it asks for beside it.
fn with_those_asked_for(context: &Context, name: &DnsName) -> Result<Vec<DnsName>, Failure> {
    let here = FolderContents::read(context)?;
    let request = here
        .requests_named(name)
        .first()
        .map(|held| held.value.dns_names.clone())
        .unwrap_or_default();
    let others = request
        .iter()
        .filter_map(|other| DnsName::presented(other))
        .filter(|other| other != name);
    Ok(std::iter::once(name.clone()).chain(others).collect())
}
