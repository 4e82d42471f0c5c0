//! `certctl forget`: replaces the links that servers read with plain files and deletes certctl's folder
//! of the certificate.

use std::time::Duration;

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::install::forget::plan::NeverProven;
use crate::install::forget::{self, ForgetRequest, ForgetResult, ForgetVerdict};
use crate::install::installed;
use crate::install::outcome::show_problems;
use crate::install::public_facts;
use crate::install::request::RunMode;
use crate::install::transaction;
use crate::report::{self, Label, Outcome, TextOutput};
use crate::system::clock;

/// Stop managing a certificate; servers keep their files
///
/// Examples:
///   sudo certctl forget example.com
///   certctl forget example.com --dry-run
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ForgetArgs {
    /// Name of the installed certificate
    pub name: String,
    /// Also remove a certificate that was never verified live
    #[arg(long)]
    pub force: bool,
    /// How long to wait for another certctl to finish [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = clock::parse_duration)]
    pub lock_timeout: Option<Duration>,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// The outcome of `forget`.
#[derive(Debug)]
pub(crate) struct ForgetOutcome(ForgetResult);

/// Replaces the links with plain files and deletes the folder.
///
/// # Errors
/// When there is no such certificate, files cannot be used, the lock is held by another certctl, or
/// a signal arrives.
pub(crate) fn run(context: &Context, args: &ForgetArgs) -> Result<ForgetOutcome, Failure> {
    let stem = match installed::find_folder(context, &args.name)? {
        Some(stem) => stem,
        None => installed::find_named(context, "forget", Some(&args.name))?,
    };
    let request = ForgetRequest {
        stem: &stem,
        lock_timeout: args.lock_timeout.unwrap_or(transaction::LOCK_TIMEOUT),
        mode: if args.dry_run {
            RunMode::DryRun
        } else {
            RunMode::Run
        },
        never_proven: if args.force {
            NeverProven::Removed
        } else {
            NeverProven::Refused
        },
    };
    forget::run(context, &request)
        .map(ForgetOutcome)
        .map_err(|failure| public_facts::add_live_facts(context, &stem, failure))
}

impl Outcome for ForgetOutcome {
    fn json(&self) -> Value {
        let removal = &self.0;
        let files: Vec<Value> = removal
            .files
            .iter()
            .map(|file| {
                json!({
                    "path": file.path.display().to_string(),
                    "mode": file.mode.to_string(),
                    "owner": file.owner,
                })
            })
            .collect();
        let mut document = json!({
            "schema": "certctl.forget/1",
            "verdict": removal.verdict.name(),
            "changed": removal.changed(),
            "certificates": [{
                "name": removal.name,
                "release": removal.release,
                "not_after": removal.leaf.as_ref().map(|leaf| leaf.not_after),
                "sha256": removal.leaf.as_ref().map(crate::pki::certificate::Certificate::sha256),
                "before": removal.deployed,
                "after": removal.deployed,
                "files": files,
                "plan": report::plan_json(&removal.steps),
                "findings": removal.findings,
            }],
            "findings": removal.findings,
            "next": removal.next,
        });
        if let Some(dry_run) = &removal.dry_run {
            dry_run.add_to(&mut document);
        }
        document
    }

    fn human(&self, text: &mut TextOutput) {
        let removal = &self.0;
        if let Some(leaf) = &removal.leaf {
            text.add(Label::Found, crate::report::certificate_in_words(leaf));
        }
        match removal.verdict {
            ForgetVerdict::Refused => {
                return show_problems(text, &removal.findings, &removal.next, |text| {
                    text.add(Label::Done, "nothing was changed");
                });
            }
            ForgetVerdict::Planned => {
                for step in &removal.steps {
                    text.add(Label::Plan, step.to_string());
                }
                text.add_findings(&removal.findings);
                text.add(Label::Done, "dry run: nothing was changed");
            }
            ForgetVerdict::Forgotten => {
                for file in &removal.files {
                    let path = file.path.display();
                    let line = format!("{path} ({}), with the same content as before", file.mode);
                    text.add(Label::Wrote, line);
                }
                let folder = removal.folder.display();
                let line = format!("{folder} removed, with all previous versions and their keys");
                text.add(Label::Wrote, line);
                text.add_findings(&removal.findings);
                let done = format!(
                    "certctl no longer manages {}; servers read the same content as before and \
                        need no reload",
                    removal.name
                );
                text.add(Label::Done, done);
            }
        }
        text.add_next_steps(&removal.next);
    }

    fn exit_code(&self) -> u8 {
        u8::from(self.0.verdict == ForgetVerdict::Refused)
    }
}
