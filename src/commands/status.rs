//! `certctl status`: what is here, what is served, what ends when, what is pending.

mod jsonl;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::advice::inventory::{CallContext, finding, steps};
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::NextStep;
use crate::install::request;
use crate::inventory::{RenewBefore, RowVerdict, StatusRow};
use crate::probe::StartTls;
use crate::report::{Outcome, TextOutput};
use crate::scan::{self, NamedInputs, ScanResults, ScanScope};
use crate::status_report::{JudgedRow, StatusOutcome, WrittenFile};
use crate::system::fs::files;

/// What is here, what is served, what ends when, what is pending
///
/// Examples:
///   certctl status
///   certctl status /etc/ssl www.example.com mail.example.com:25 -q
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct StatusArgs {
    /// Files, folders with all below them, names known here, servers [default: what is installed,
    /// this folder, what servers are configured with]
    #[arg(value_name = "PATH|HOST")]
    pub items: Vec<String>,
    /// When a certificate is due: so long before its end, or with so much of its lifetime left
    /// [default: 30 days or a third, whichever is less]
    #[arg(long, value_name = "20d|25%", value_parser = RenewBefore::parse)]
    pub renew_before: Option<RenewBefore>,
    /// One JSON object a line for each file as it is read and each server as it answers, not joined
    /// with others; the last one is the sum
    #[arg(long, conflicts_with = "json")]
    pub jsonl: bool,
    /// Write the rows as metrics for Prometheus (node_exporter's textfile collector)
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    pub prometheus: Option<PathBuf>,
    /// Write what is to be done when as a calendar
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    pub ics: Option<PathBuf>,
    /// Write a page to look at: every certificate on a timeline to 2029, with the rules that change
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    pub html: Option<PathBuf>,
    /// What the hosts speak before TLS [default: what their ports imply]
    #[arg(long, value_name = "PROTOCOL")]
    pub starttls: Option<StartTls>,
}

/// The same as a stream; says the exit code.
///
/// # Errors
/// As [`run`]; stdout that cannot be written.
pub(crate) fn stream(context: &Context, args: &StatusArgs) -> Result<u8, Failure> {
    let sought = sought(context, args)?;
    let mut survey = ScanResults::look(context, &sought, args.starttls, NamedInputs::Left)?;
    jsonl::run(
        context,
        &sought,
        &mut survey,
        args.renew_before.unwrap_or_default(),
        args.starttls,
    )
}

fn sought(context: &Context, args: &StatusArgs) -> Result<Vec<ScanScope>, Failure> {
    // Where all of them are files, folders or servers with a port, nobody asks for names.
    let plain = args
        .items
        .iter()
        .all(|text| text.contains(':') || files::occupied(text.as_ref()));
    let known = if plain {
        Vec::new()
    } else {
        scan::names(context)?
    };
    args.items
        .iter()
        .map(|text| ScanScope::resolve(context, text, &known))
        .collect()
}

/// Looks at everything that is asked for.
///
/// # Errors
/// An argument that is nothing; certctl's own folder that cannot be read.
pub(crate) fn run(context: &Context, args: &StatusArgs) -> Result<StatusOutcome, Failure> {
    let sought = sought(context, args)?;
    let mut survey = ScanResults::look(context, &sought, args.starttls, NamedInputs::Kept)?;
    let rows = survey.rows(context, &sought, args.renew_before.unwrap_or_default());
    let here = |words: &[&str]| {
        let (verb, rest) = words.split_first().unwrap_or((&"status", &[]));
        NextStep::run(
            &[
                context.again(verb),
                rest.iter().map(|&word| word.to_owned()).collect(),
            ]
            .concat(),
        )
    };
    // What is installed by name is looked up in the same directory.
    let root = |words: &[&str]| match &context.root {
        _ if context.directory == Path::new(".") => request::again(context, words),
        Some(_) => here(words),
        None => {
            let run = here(words);
            NextStep {
                text: format!("sudo {}", run.text),
                ..run
            }
        }
    };
    let ways = CallContext {
        here: &here,
        root: &root,
    };
    let judge = |row: StatusRow| {
        let findings = row
            .reasons
            .iter()
            .map(|reason| finding(reason, &row, &ways))
            .collect();
        JudgedRow {
            findings,
            next: steps(&row, &ways),
            row,
        }
    };
    let mut rows: Vec<JudgedRow> = rows.into_iter().map(judge).collect();
    rows.sort_by_key(|one| std::cmp::Reverse(one.row.verdict()));
    let mut outcome = StatusOutcome {
        at: context.now(),
        rows,
        findings: survey.findings,
        width: context.sink.columns(),
        written: Vec::new(),
    };
    write(args, &mut outcome)?;
    Ok(outcome)
}

/// Writes the files that were asked for, each whole or not at all.
fn write(args: &StatusArgs, outcome: &mut StatusOutcome) -> Result<(), Failure> {
    let metrics = args.prometheus.as_ref().map(|path| {
        (
            "prometheus",
            path,
            crate::status_report::prometheus::metrics(outcome),
        )
    });
    let calendar = args.ics.as_ref().map(|path| {
        (
            "ics",
            path,
            crate::status_report::calendar::calendar(outcome),
        )
    });
    let page = args
        .html
        .as_ref()
        .map(|path| ("html", path, crate::status_report::page::html(outcome)));
    for (format, path, text) in [metrics, calendar, page].into_iter().flatten() {
        files::replace(path, text.as_bytes(), 0o644)?;
        outcome.written.push(WrittenFile {
            format,
            path: path.clone(),
        });
    }
    Ok(())
}

impl Outcome for StatusOutcome {
    fn json(&self) -> Value {
        crate::status_report::document::status(self)
    }

    fn human(&self, text: &mut TextOutput) {
        crate::status_report::table::write(self, text);
    }

    fn exit_code(&self) -> u8 {
        u8::from(self.verdict() != RowVerdict::Fine)
    }
}
