//! `certctl forget`: the pair stays where servers read it, as plain files; certctl's own folder of
//! it goes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::install::forget::{self, ForgetResult, ForgetVerdict};
use crate::install::installed;
use crate::install::request::RunMode;
use crate::report::{Label, Outcome, TextOutput};
use crate::system::clock;

/// Certctl forgets a pair; servers go on with the files they read now
///
/// Examples:
///   sudo certctl forget example.com
///   certctl forget example.com --dry-run
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ForgetArgs {
    /// The pair
    pub name: String,
    /// How long to wait for another certctl [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = clock::parse_duration)]
    pub lock_timeout: Option<Duration>,
    /// Only show what would be done
    #[arg(long)]
    pub dry_run: bool,
}

/// The lock is waited for that long.
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// What `forget` ends with.
#[derive(Debug)]
pub(crate) struct ForgetOutcome(ForgetResult);

/// Makes plain files of the links and takes the folder away.
///
/// # Errors
/// No such pair, files that cannot be used, a lock that is held, a signal.
pub(crate) fn run(context: &Context, args: &ForgetArgs) -> Result<ForgetOutcome, Failure> {
    let stem = match installed::find_folder(context, &args.name)? {
        Some(stem) => stem,
        None => installed::find_named(context, "forget", Some(&args.name))?,
    };
    let mode = if args.dry_run {
        RunMode::DryRun
    } else {
        RunMode::Run
    };
    forget::run(
        context,
        &stem,
        args.lock_timeout.unwrap_or(LOCK_TIMEOUT),
        mode,
    )
    .map(ForgetOutcome)
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
        json!({
            "schema": "certctl.forget/1",
            "verdict": removal.verdict.name(),
            "changed": removal.changed(),
            "certificates": [{
                "name": removal.name,
                "release": removal.release,
                "not_after": removal.leaf.as_ref().map(|leaf| leaf.not_after),
                "sha256": removal.leaf.as_ref().map(crate::pki::certificate::Certificate::sha256),
                "files": files,
            }],
            "plan": { "steps": removal.steps },
            "findings": removal.findings,
            "next": removal.next,
        })
    }

    fn human(&self, text: &mut TextOutput) {
        let removal = &self.0;
        if let Some(leaf) = &removal.leaf {
            text.add(Label::Found, crate::report::certificate_in_words(leaf));
        }
        text.add_findings(&removal.findings);
        match removal.verdict {
            ForgetVerdict::Refused => text.add(Label::Done, "nothing was touched"),
            ForgetVerdict::Planned => removal
                .steps
                .iter()
                .for_each(|step| text.add(Label::Plan, step.to_string())),
            ForgetVerdict::Forgotten => {
                for file in &removal.files {
                    text.add(
                        Label::Wrote,
                        format!(
                            "{} ({}), the bytes of before",
                            file.path.display(),
                            file.mode
                        ),
                    );
                }
                text.add(Label::Wrote, removal.folder.display().to_string());
                text.add(
                    Label::Done,
                    "servers read the same bytes as before: there is nothing to reload",
                );
            }
        }
        text.add_next_steps(&removal.next);
    }

    fn exit_code(&self) -> u8 {
        u8::from(self.0.verdict == ForgetVerdict::Refused)
    }
}
