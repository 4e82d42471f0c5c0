//! Selects the certificates to renew: the named ones, else those that are due among the installed
//! certificates and the ones in the folder.

use std::collections::HashMap;

use jiff::Timestamp;

use super::args::RenewArgs;
use super::reorder::is_ordered;
use crate::advice::renew_command;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inputs::foreign_lineages::{OthersRenewals, renewed_by_others};
use crate::inventory::item::ItemLocation;
use crate::inventory::{RowState, StatusReason, StatusRow};
use crate::matching::{file_names, file_stem_of};
use crate::pki::key::PublicKeyId;
use crate::pki::name::DnsName;
use crate::scan::ScanResults;
use crate::store::root;
use crate::system::fs::folders;
use crate::wording;

/// The certificates to renew.
pub(super) struct DueSelection {
    pub rows: Vec<StatusRow>,
    pub not_due: NotYetDue,
    /// What could not be checked.
    pub findings: Vec<Finding>,
}

/// Certificates that are not due yet.
#[derive(Debug, Default)]
pub(super) struct NotYetDue {
    pub count: usize,
    /// The one that is due first.
    pub first: Option<NextDue>,
    /// What other programs renew.
    pub others: Vec<OthersRenewals>,
}

/// When a certificate becomes due.
#[derive(Debug)]
pub(super) struct NextDue {
    pub name: String,
    pub due: Timestamp,
    /// Whether the CA suggests that time.
    pub is_suggested: bool,
}

/// Selects the named certificates, else those that are due.
pub(super) fn select_due(context: &Context, args: &RenewArgs) -> Result<DueSelection, Failure> {
    let mut results = ScanResults::scan_own(context)?;
    let before = context.renew_before(args.renew_before)?;
    let all = without_earlier_ones(context, results.rows(context, &[], before));
    let mut findings = std::mem::take(&mut results.findings);
    // Findings about keys do not matter: a renewal is prepared without reading the old key.
    findings.retain(|finding| finding.code == "certificate-unreadable");
    let mut selection = DueSelection {
        rows: Vec::new(),
        not_due: NotYetDue::default(),
        findings,
    };
    if args.names.is_empty() {
        selection.add_due(context, all);
        selection.not_due.others = renewed_by_others(context);
    } else {
        for name in &args.names {
            selection.add_new(find_named(context, &all, name)?);
        }
    }
    Ok(selection)
}

/// Drops certificates that were only written to a folder, and were ordered again there with the same key.
fn without_earlier_ones(context: &Context, rows: Vec<StatusRow>) -> Vec<StatusRow> {
    let is_in_folder = |row: &StatusRow| {
        let is_file = row.installed_as.is_none() && row.state == RowState::Ready;
        is_file && is_ordered(context, row)
    };
    let mut newest: HashMap<PublicKeyId, RowAge> = HashMap::new();
    for row in rows.iter().filter(|row| is_in_folder(row)) {
        let known = newest.entry(row.key_id).or_default();
        *known = (*known).max(RowAge::of(row));
    }
    let is_newest = |row: &StatusRow| {
        let newest = newest.get(&row.key_id);
        newest.is_none_or(|newest| !is_in_folder(row) || *newest == RowAge::of(row))
    };
    rows.into_iter().filter(is_newest).collect()
}

/// How new a certificate is: by its expiry, then by the number of its file.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
struct RowAge {
    expiry: Option<Timestamp>,
    number: u32,
}

impl RowAge {
    fn of(row: &StatusRow) -> Self {
        let number = |location: &ItemLocation| match location {
            ItemLocation::File { path, .. } => {
                let stem = file_stem_of(path);
                file_names::renewal_number(stem.trim_end_matches(".fullchain"))
            }
            ItemLocation::Address { .. } => 0,
        };
        let leaf = row.certificate.as_deref();
        Self {
            expiry: leaf.map(|leaf| leaf.not_after),
            number: row.locations.iter().map(number).max().unwrap_or(0),
        }
    }
}

impl DueSelection {
    /// Adds what is due, and what was ordered: the CA may want it earlier, or its order was interrupted.
    fn add_due(&mut self, context: &Context, all: Vec<StatusRow>) {
        let now = context.now();
        for row in all.into_iter().filter(is_candidate) {
            match row.due {
                Some(due) if due > now && !is_ordered(context, &row) => {
                    self.not_due.add(&row, due);
                }
                _ => self.rows.push(row),
            }
        }
    }

    /// Adds a row unless one with the same key was added.
    fn add_new(&mut self, row: StatusRow) {
        if self.rows.iter().all(|known| known.key_id != row.key_id) {
            self.rows.push(row);
        }
    }
}

impl NotYetDue {
    pub(super) fn add(&mut self, row: &StatusRow, due: Timestamp) {
        self.count += 1;
        if self.first.as_ref().is_none_or(|first| due < first.due) {
            self.first = Some(NextDue {
                name: row.name.clone(),
                due,
                is_suggested: row.due != Some(due),
            });
        }
    }
}

/// Returns whether the certificate is in use, or could be because its key exists.
fn is_candidate(row: &StatusRow) -> bool {
    let is_usable = matches!(
        row.state,
        RowState::Served | RowState::Installed | RowState::Ready | RowState::KeyRefused
    );
    row.certificate.is_some() && is_usable && !row.reasons.contains(&StatusReason::Placeholder)
}

/// A name of the command line.
struct WantedName {
    /// The name, if it is a DNS name.
    dns_name: Option<DnsName>,
    /// The name in /etc/ssl.
    stem: String,
}

impl WantedName {
    fn parse(name: &str) -> Self {
        let dns_name = DnsName::parse(name).ok();
        let stem = match &dns_name {
            Some(dns_name) => dns_name.file_stem(),
            None => name.to_owned(),
        };
        Self { dns_name, stem }
    }

    fn is_name_of(&self, row: &StatusRow) -> bool {
        let Some(dns_name) = &self.dns_name else {
            return false;
        };
        row.names
            .iter()
            .any(|own| own.eq_ignore_ascii_case(dns_name.as_str()))
    }

    fn is_stem_of(&self, row: &StatusRow) -> bool {
        row.installed_as.as_ref() == Some(&self.stem)
    }
}

/// Finds the certificate that is installed under `name`, else the one for the DNS name `name`;
/// installed certificates take precedence.
fn find_named(context: &Context, all: &[StatusRow], name: &str) -> Result<StatusRow, Failure> {
    let wanted = WantedName::parse(name);
    let mut found = Vec::new();
    for row in all {
        if is_candidate(row) {
            found.push(row);
        }
    }
    if found.iter().any(|row| wanted.is_stem_of(row)) {
        found.retain(|row| wanted.is_stem_of(row));
    } else {
        found.retain(|row| wanted.is_name_of(row));
    }
    if found.iter().any(|row| row.installed_as.is_some()) {
        found.retain(|row| row.installed_as.is_some());
    }
    match found.as_slice() {
        [only] => Ok((*only).clone()),
        [] => {
            let other = all.iter().find(|row| wanted.is_name_of(row));
            let failure = not_renewable(context, name, other);
            let nearest = other.is_none().then(|| nearest_name(name, all)).flatten();
            Err(match nearest {
                Some(nearest) => did_you_mean(context, &nearest, failure),
                None => failure,
            })
        }
        several => Err(ambiguous(context, name, several)),
    }
}

/// The name of a certificate that `name` may be with a typing error.
fn nearest_name(name: &str, rows: &[StatusRow]) -> Option<String> {
    let renewable = rows.iter().filter(|row| row.certificate.is_some());
    let mut names = renewable.flat_map(|row| row.names.iter().cloned().chain([label(row)]));
    names.find(|known| wording::is_typing_error(name, known))
}

/// Adds the renewal of `nearest` as the first next step.
fn did_you_mean(context: &Context, nearest: &str, mut failure: Failure) -> Failure {
    let others = std::mem::take(&mut failure.next);
    let words = context.command_words("renew");
    failure = failure
        .because(format!("did you mean {nearest}?"))
        .with_step(renew_command::renew_this_one(words, nearest));
    failure.next.extend(others);
    failure
}

fn ambiguous(context: &Context, name: &str, rows: &[&StatusRow]) -> Failure {
    let mut labels = Vec::new();
    for row in rows {
        labels.push(label(row));
    }
    let mut failure = Failure::new(
        FailureKind::Ambiguous,
        format!("{name} matches several certificates: {}", labels.join(", ")),
    );
    for label in &labels {
        failure = failure.with_step(renew_command::renew_this_one(
            context.command_words("renew"),
            label,
        ));
    }
    failure
}

fn label(row: &StatusRow) -> String {
    row.installed_as.clone().unwrap_or_else(|| row.name.clone())
}

/// The failure if no certificate for `name` can be renewed; `row` is one that cannot be renewed.
fn not_renewable(context: &Context, name: &str, row: Option<&StatusRow>) -> Failure {
    match row.map(|row| row.state) {
        None => unknown(context, name),
        Some(RowState::Pending) => Failure::new(
            FailureKind::NotFound,
            format!("{name} has no certificate yet, only a request"),
        )
        .with_step(renew_command::check_validation(
            context.command_words("dcv-check"),
            name,
        )),
        Some(RowState::KeyMissing) => Failure::new(
            FailureKind::NotFound,
            format!("the certificate of {name} was found without its key"),
        )
        .because("only a certificate that can be used on this machine is renewed here")
        .with_step(renew_command::find_key_or_make_request(
            context.command_words("csr"),
            name,
        )),
        Some(_) => Failure::new(
            FailureKind::NotFound,
            format!("{name} has only a placeholder certificate"),
        )
        .with_step(renew_command::make_request(
            context.command_words("csr"),
            name,
        )),
    }
}

fn unknown(context: &Context, name: &str) -> Failure {
    let failure = Failure::new(
        FailureKind::NotFound,
        format!("no certificate for {name} is installed or in this folder"),
    );
    if is_managed_by_certbot(context, name) {
        return failure
            .because("certbot has a certificate of this name and renews it")
            .with_step(renew_command::renew_with_certbot(name));
    }
    failure
        .with_step(renew_command::make_request(
            context.command_words("csr"),
            name,
        ))
        .with_step(renew_command::list_certificates(
            &context.command_words("status"),
        ))
}

/// Returns whether certbot has a certificate of that name.
fn is_managed_by_certbot(context: &Context, name: &str) -> bool {
    let Ok(root) = root::resolve_root(context.root.as_deref()) else {
        return false;
    };
    DnsName::parse(name).is_ok_and(|name| {
        folders::is_folder(&root.join("etc/letsencrypt/live").join(name.file_stem()))
    })
}
