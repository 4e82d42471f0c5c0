//! Which certificates are meant: those named, else what is due of what certctl installed and of
//! what lies here.

use jiff::Timestamp;

use super::args::RenewArgs;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, shell_word};
use crate::inventory::{RowState, StatusReason, StatusRow};
use crate::pki::name::DnsName;
use crate::scan::ScanResults;
use crate::store::root;
use crate::system::fs::folders;

pub(super) struct DueSelection {
    /// The certificates whose next round is wanted.
    pub(super) rows: Vec<StatusRow>,
    /// Those that have time, by when they are due: how many, and the first.
    pub(super) waiting: NotYetDue,
    /// What could not be looked at.
    pub(super) findings: Vec<Finding>,
}

/// Certificates that have time.
#[derive(Debug, Default)]
pub(super) struct NotYetDue {
    pub(super) count: usize,
    pub(super) first: Option<(String, Timestamp)>,
}

pub(super) fn choose(context: &Context, args: &RenewArgs) -> Result<DueSelection, Failure> {
    let mut survey = ScanResults::own(context)?;
    let all = survey.rows(context, &[], args.renew_before.unwrap_or_default());
    let mut findings = std::mem::take(&mut survey.findings);
    // Keys are nobody's business here: who may not read them prepares the next round all the same.
    findings.retain(|finding| finding.code == "certificate-unreadable");
    let (mut rows, mut waiting) = (Vec::new(), NotYetDue::default());
    if args.names.is_empty() {
        for row in all.into_iter().filter(is_candidate) {
            match row.due {
                Some(due) if due > context.now() => waiting.take(&row, due),
                _ => rows.push(row),
            }
        }
    } else {
        for name in &args.names {
            let row = named(context, &all, name)?;
            if rows
                .iter()
                .all(|known: &StatusRow| known.key_id != row.key_id)
            {
                rows.push(row);
            }
        }
    }
    Ok(DueSelection {
        rows,
        waiting,
        findings,
    })
}

impl NotYetDue {
    fn take(&mut self, row: &StatusRow, due: Timestamp) {
        self.count += 1;
        if self.first.as_ref().is_none_or(|(_, first)| due < *first) {
            self.first = Some((row.name.clone(), due));
        }
    }
}

/// A certificate that is in use, or could be: its key is here.
fn is_candidate(row: &StatusRow) -> bool {
    row.certificate.is_some()
        && matches!(
            row.state,
            RowState::Served | RowState::Installed | RowState::Ready
        )
        && !row.reasons.contains(&StatusReason::Placeholder)
}

/// The certificate that a name means: the pair that is installed under it, else the one that has
/// it; what is installed before what lies here.
fn named(context: &Context, all: &[StatusRow], name: &str) -> Result<StatusRow, Failure> {
    let wanted = DnsName::parse(name).ok();
    let spelled = wanted
        .as_ref()
        .map_or_else(|| name.to_owned(), DnsName::file_stem);
    let has = |row: &&StatusRow| {
        wanted.as_ref().is_some_and(|wanted| {
            row.names
                .iter()
                .any(|own| own.eq_ignore_ascii_case(wanted.as_str()))
        })
    };
    let candidates: Vec<&StatusRow> = all.iter().filter(|row| is_candidate(row)).collect();
    let called: Vec<&StatusRow> = candidates
        .iter()
        .copied()
        .filter(|row| row.stem.as_ref() == Some(&spelled))
        .collect();
    let mut found = if called.is_empty() {
        candidates.into_iter().filter(has).collect()
    } else {
        called
    };
    if found.iter().any(|row| row.stem.is_some()) {
        found.retain(|row| row.stem.is_some());
    }
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(unknown(context, name, all.iter().find(has))),
        several => {
            let labels: Vec<String> = several.iter().map(|row| label(row)).collect();
            let failure = Failure::new(
                FailureKind::Ambiguous,
                format!("several certificates have {name}: {}", labels.join(", ")),
            );
            let again = |row: &&StatusRow| {
                NextStep::run(&[context.again("renew"), vec![label(row)]].concat())
            };
            Err(several.iter().map(again).fold(failure, Failure::with))
        }
    }
}

fn label(row: &StatusRow) -> String {
    row.stem.clone().unwrap_or_else(|| row.name.clone())
}

/// No certificate of that name; `row` is what has it all the same.
fn unknown(context: &Context, name: &str, row: Option<&StatusRow>) -> Failure {
    let run = |verb: &str| NextStep::run(&[context.again(verb), vec![name.to_owned()]].concat());
    match row.map(|row| row.state) {
        Some(RowState::Pending) => {
            return Failure::new(
                FailureKind::NotFound,
                format!("{name} has no certificate yet: its request waits for one"),
            )
            .with(run("dcv-check"));
        }
        Some(RowState::NoKey) => {
            return Failure::new(
                FailureKind::NotFound,
                format!("the key of {name}'s certificate is not here"),
            )
            .because("a certificate that is not used here needs no next round here")
            .with(NextStep::say(format!(
                "where its key is, or for a new one:  {}",
                run("csr").text
            )));
        }
        Some(_) => {
            return Failure::new(
                FailureKind::NotFound,
                format!("{name} only has a placeholder"),
            )
            .with(run("csr"));
        }
        None => {}
    }
    let failure = Failure::new(
        FailureKind::NotFound,
        format!("no certificate of {name} is installed or in this folder"),
    );
    match certbots(context, name) {
        true => failure
            .because("certbot has one, and renews it by itself")
            .with(NextStep::say(format!(
                "sudo certbot renew --cert-name {}",
                shell_word(name)
            ))),
        false => failure
            .with(run("csr"))
            .with(NextStep::run(&context.again("status"))),
    }
}

/// Whether certbot keeps a certificate of that name.
fn certbots(context: &Context, name: &str) -> bool {
    let Ok(root) = root::root(context.root.as_deref()) else {
        return false;
    };
    DnsName::parse(name).is_ok_and(|name| {
        folders::is_folder(&root.join("etc/letsencrypt/live").join(name.file_stem()))
    })
}
