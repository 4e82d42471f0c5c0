//! `certctl install --check`: is it all as the last install left it?

use serde_json::{Value, json};

use super::InstallArgs;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::install::drift_check::{self, DriftCheck};
use crate::install::installed;
use crate::install::outcome::InstallVerdict;
use crate::report::{self, Outcome, TextOutput};
use crate::store::release::Release;

/// What `install --check` ends with.
#[derive(Debug)]
pub(crate) struct CheckOutcome(Vec<DriftCheck>);

/// Looks at the pairs that are named, else at all that are installed.
///
/// # Errors
/// No such pair; what cannot be read.
pub(crate) fn run(context: &Context, args: &InstallArgs) -> Result<CheckOutcome, Failure> {
    let mut stems = Vec::new();
    for name in &args.files {
        let stem = match installed::folder_named(context, name)? {
            Some(stem) => stem,
            None => installed::named(context, "install", Some(name))?,
        };
        if !stems.contains(&stem) {
            stems.push(stem);
        }
    }
    if args.files.is_empty() {
        stems = installed::all(context)?;
    }
    if stems.is_empty() {
        return Err(Failure::new(
            FailureKind::NotFound,
            "no certificate is installed here by certctl",
        )
        .with(NextStep::say(
            "install one first:  sudo certctl install FILE",
        )));
    }
    drift_check::check(context, &stems).map(CheckOutcome)
}

impl CheckOutcome {
    fn verdict(&self) -> InstallVerdict {
        let verdicts = || self.0.iter().map(DriftCheck::verdict);
        let worst = [InstallVerdict::Refused, InstallVerdict::NotServed]
            .into_iter()
            .find(|bad| verdicts().any(|one| one == *bad));
        worst.unwrap_or(InstallVerdict::Unchanged)
    }
}

impl Outcome for CheckOutcome {
    fn json(&self) -> Value {
        let findings: Vec<&Finding> = self.0.iter().flat_map(|one| &one.findings).collect();
        json!({
            "schema": "certctl.install/1",
            "verdict": self.verdict().name(),
            "changed": false,
            "certificates": self.0.iter().map(certificate).collect::<Vec<_>>(),
            "findings": findings,
            "next": [],
        })
    }

    fn human(&self, text: &mut TextOutput) {
        for one in &self.0 {
            let what = one
                .release
                .as_ref()
                .map(|release| report::in_words(release.leaf()));
            let words = format!(
                "{}: {}",
                one.name,
                what.unwrap_or_else(|| "cannot be loaded".to_owned())
            );
            let how = match (one.verdict(), one.seen.len()) {
                (InstallVerdict::Unchanged, 0) => "; links, files, modes and owners as installed",
                (InstallVerdict::Unchanged, _) => {
                    "; links, files, modes and owners as installed, and served"
                }
                (InstallVerdict::NotServed, _) => {
                    "; the files are as installed, what is served is not"
                }
                _ => "; not as installed",
            };
            let label = if one.verdict() == InstallVerdict::Unchanged {
                "same"
            } else {
                "found"
            };
            text.fact(label, words + how);
            text.findings(&one.findings);
        }
        if self.0.len() > 1 {
            let fine = self
                .0
                .iter()
                .filter(|one| one.verdict() == InstallVerdict::Unchanged)
                .count();
            text.fact(
                "so",
                format!(
                    "{fine} of {} are as installed; nothing was touched",
                    self.0.len()
                ),
            );
        }
    }

    fn exit_code(&self) -> u8 {
        self.verdict().exit_code()
    }
}

fn certificate(one: &DriftCheck) -> Value {
    json!({
        "name": one.name,
        "verdict": one.verdict().name(),
        "release": one.release.as_ref().map(|release| release.id.to_string()),
        "chain_path": report::shown(one.layout.chain_path()),
        "key_path": report::shown(one.layout.key_path()),
        "key_mode": one.release.as_ref().map(|release| format!("{:04o}", release.access.mode)),
        "not_after": one.release.as_ref().map(Release::not_after),
        "sha256": one.release.as_ref().map(|release| release.leaf().sha256()),
        "proof": one.proof(),
        "probes": one.seen,
        "findings": one.findings,
    })
}
