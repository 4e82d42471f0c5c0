//! Whether this machine has a valid certificate that a server does not serve yet. Then the first next
//! step of every command about its names is what makes the server load it.

use std::cell::OnceCell;

use crate::advice::inventory::{CallContext, reason_finding};
use crate::advice::status_command::command;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep, Severity};
use crate::inputs::HostArgument;
use crate::inventory::{RenewBefore, RowState, StatusRow};
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::probe::StartTls;
use crate::scan::{NamedInputs, ScanResults, ScanScope};

/// A command for the directory and tree of this run.
#[must_use]
pub(crate) fn command_here(context: &Context, sentence: &str, words: &[&str]) -> NextStep {
    match words.split_first() {
        Some((verb, rest)) => command(sentence, context.command_words(verb), rest),
        None => command(sentence, context.command_words("status"), &[]),
    }
}

/// A command to run as root. Installed certificates are found by name in any directory.
#[must_use]
pub(crate) fn command_as_root(context: &Context, sentence: &str, words: &[&str]) -> NextStep {
    let step = command_here(context, sentence, words);
    if context.root.is_some() {
        step
    } else {
        step.with_sudo()
    }
}

/// Whether a finding is about a newer certificate that is not served.
#[must_use]
pub(crate) fn is_about_newer(finding: &Finding) -> bool {
    matches!(finding.code, "newer-not-served" | "newer-ready")
}

/// The steps of the findings about newer certificates, which come before all others.
#[must_use]
pub(crate) fn first_steps(findings: &[Finding]) -> Vec<NextStep> {
    let newer = findings.iter().filter(|finding| is_about_newer(finding));
    newer.flat_map(|finding| finding.next.clone()).collect()
}

/// What servers serve in place of newer certificates. Scanned once, when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct UnservedCertificates {
    rows: OnceCell<Vec<StatusRow>>,
}

impl UnservedCertificates {
    /// Returns a warning if a server of this machine serves another certificate for exactly these
    /// names although a newer one is installed, or can be installed. Only addresses of this machine
    /// are probed.
    #[must_use]
    pub(crate) fn find(&self, context: &Context, names: &[String]) -> Option<Finding> {
        let rows = self
            .rows
            .get_or_init(|| scan(context, &[], None).unwrap_or_default());
        let mut related = rows.iter().filter(|row| is_for(row, names));
        related.find_map(|row| newer_finding(context, row))
    }
}

/// Does the same for a request, if there is a valid certificate for its names.
#[must_use]
pub(crate) fn find_unserved(context: &Context, names: &[String]) -> Option<Finding> {
    if !has_valid(context, names) {
        return None;
    }
    UnservedCertificates::default().find(context, names)
}

/// Returns a warning if a newer certificate than `served`, which `host` sends, is installed on this
/// machine or can be installed; `place` says whether the host is this machine.
#[must_use]
pub(crate) fn find_newer_than_served(
    context: &Context,
    host: &HostArgument,
    starttls: Option<StartTls>,
    served: &Certificate,
    place: HostPlace,
) -> Option<Finding> {
    let first = first_dns_name(&served.dns_names)?;
    if place == HostPlace::Unknown && !has_newer(context, served) {
        return None;
    }
    let scopes = [ScanScope::Name(first), ScanScope::Host(host.clone())];
    let rows = scan(context, &scopes, starttls).ok()?;
    let row = rows.iter().find(|row| {
        let certificate = row.certificate.as_ref();
        certificate.is_some_and(|own| own.fingerprint == served.fingerprint)
    });
    newer_finding(context, row?)
}

/// Where a host is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HostPlace {
    /// One of its addresses is an address of this machine.
    ThisMachine,
    /// It may be another machine, or this one behind another address.
    Unknown,
}

fn scan(
    context: &Context,
    scopes: &[ScanScope],
    starttls: Option<StartTls>,
) -> Result<Vec<StatusRow>, Failure> {
    let mut results = ScanResults::scan(context, scopes, starttls, NamedInputs::Included)?;
    Ok(results.rows(context, scopes, RenewBefore::default()))
}

fn first_dns_name(names: &[String]) -> Option<DnsName> {
    names.iter().find_map(|name| DnsName::parse(name).ok())
}

/// Returns the finding about the newer certificate, with the step that makes the server load it.
fn newer_finding(context: &Context, row: &StatusRow) -> Option<Finding> {
    let in_use = matches!(row.state, RowState::Served | RowState::Installed);
    let mut reasons = row.reasons.iter();
    let reason = reasons.find(|reason| in_use && reason.is_newer())?;
    let calls = CallContext {
        here: &|sentence, words| command_here(context, sentence, words),
        root: &|sentence, words| command_as_root(context, sentence, words),
        trust: &|_| None,
        record_at: &|_| None,
    };
    Some(Finding {
        severity: Severity::Warning,
        ..reason_finding(reason, row, &calls)
    })
}

/// Whether the row is about exactly these names.
fn is_for(row: &StatusRow, names: &[String]) -> bool {
    sorted(&row.names) == sorted(names)
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut sorted: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    sorted.sort();
    sorted.dedup();
    sorted
}

/// Whether a valid certificate for these names is installed, or is in the working directory with its
/// key.
fn has_valid(context: &Context, names: &[String]) -> bool {
    own_certificates(context).iter().any(|row| {
        let certificate = row.certificate.as_ref();
        is_for(row, names) && certificate.is_some_and(|own| own.is_in_date(context.now()))
    })
}

/// Whether a certificate with the names of `served` was issued later and is valid.
fn has_newer(context: &Context, served: &Certificate) -> bool {
    let rows = own_certificates(context);
    let mut newer = rows.iter().filter_map(|row| row.certificate.as_ref());
    newer.any(|own| {
        let is_later = (own.not_before, own.not_after) > (served.not_before, served.not_after);
        is_later
            && own.is_in_date(context.now())
            && sorted(&own.dns_names) == sorted(&served.dns_names)
    })
}

/// The certificates that are installed or in the working directory, with their keys.
fn own_certificates(context: &Context) -> Vec<StatusRow> {
    let Ok(mut results) = ScanResults::scan_own(context) else {
        return Vec::new();
    };
    let mut rows = results.rows(context, &[], RenewBefore::default());
    rows.retain(|row| {
        let certificate = row.certificate.as_ref();
        row.state != RowState::KeyMissing && certificate.is_some_and(|own| !own.is_self_issued())
    });
    rows
}
