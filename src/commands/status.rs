//! `certctl status`: lists what is installed, what is served, what expires when, and what is
//! pending.

mod jsonl;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::advice::dcv_check_command::{RootSource, send_to_private_ca};
use crate::advice::inventory::{CallContext, RootToTrust, reason_finding, row_steps};
use crate::advice::renewal_timer;
use crate::advice::status_command::write_output_to_file;
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::inputs::dcv_file;
use crate::install::installed;
use crate::install::stored_roots::root_source;
use crate::inventory::{ItemLocation, RenewBefore, RowState, RowVerdict, StatusReason, StatusRow};
use crate::permissions::Mode;
use crate::pki::verify::ChainProblem;
use crate::probe::StartTls;
use crate::report::{Outcome, TextOutput, write_json_line};
use crate::scan::newer::{command_as_root, command_here};
use crate::scan::{self, NamedInputs, ScanResults, ScanScope, revocation};
use crate::status_report::document::StatusDocument;
use crate::status_report::{
    JudgedRow, MachineIdentity, StatusOutcome, WrittenFile, calendar, page, prometheus, table,
};
use crate::system::fs::{access, files};
use crate::system::http::NetworkReach;
use crate::system::renewal_timer::find_renewal_timer;

/// Show what is installed, served and pending, and expires when
///
/// Examples:
///   certctl status
///   certctl status /etc/ssl www.example.com mail.example.com:25 -q
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct StatusArgs {
    /// Files, folders (searched recursively), names known here, or hosts [default: what certctl
    /// installed, the working directory, and what the web servers' configurations use]
    #[arg(value_name = "PATH|HOST")]
    pub items: Vec<String>,
    /// How long before its expiry a certificate is due for renewal: days, hours (`36h`), or a
    /// percentage of its lifetime [default: 30 days or a third of the lifetime, whichever is less]
    #[arg(long, value_name = "20d|25%", value_parser = RenewBefore::parse)]
    pub renew_before: Option<RenewBefore>,
    /// Print one JSON object per line for each file and server as soon as it is read, without
    /// grouping them; the last line is a summary
    #[arg(long, conflicts_with = "json")]
    pub jsonl: bool,
    /// Write metrics for Prometheus to this file (for node_exporter's textfile collector)
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    pub prometheus: Option<PathBuf>,
    /// Write a calendar of renewals and expiry dates to this file (iCalendar)
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    pub ics: Option<PathBuf>,
    /// Write an HTML page to this file: every certificate on a timeline to 2029, with the dates on
    /// which CA rules change
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    pub html: Option<PathBuf>,
    /// Download the CRL that each certificate names, and check whether it was revoked; =any also
    /// allows private addresses and a proxy
    #[arg(long, value_enum, value_name = "any", num_args = 0..=1, require_equals = true, default_missing_value = "public", conflicts_with = "jsonl")]
    pub crl: Option<NetworkReach>,
    /// Protocol that the hosts speak before TLS starts (STARTTLS) [default: implied by the port]
    #[arg(long, value_name = "PROTOCOL")]
    pub starttls: Option<StartTls>,
}

/// Prints one JSON object per line (`--jsonl`); returns the exit code.
///
/// # Errors
/// The same as [`run`], and when stdout cannot be written.
pub(crate) fn stream(context: &Context, args: &StatusArgs) -> Result<u8, Failure> {
    let scopes = scopes(context, args)?;
    let mut results = ScanResults::scan(context, &scopes, args.starttls, NamedInputs::Excluded)?;
    jsonl::run(
        context,
        &scopes,
        &mut results,
        context.renew_before(args.renew_before)?,
        args.starttls,
    )
}

fn scopes(context: &Context, args: &StatusArgs) -> Result<Vec<ScanScope>, Failure> {
    // Other arguments are recognized without the list of known names.
    let may_be_names = args.items.iter().any(|text| ScanScope::may_be_name(text));
    let known_names = if may_be_names {
        scan::known_names(context)?
    } else {
        Vec::new()
    };
    args.items
        .iter()
        .map(|text| ScanScope::resolve(context, text, &known_names))
        .collect()
}

/// Scans and judges what the arguments name.
///
/// # Errors
/// When an argument is not a file, name or host, or certctl's own folder cannot be read.
pub(crate) fn run(context: &Context, args: &StatusArgs) -> Result<StatusOutcome, Failure> {
    refuse_shared_stdout(context, args)?;
    let scopes = scopes(context, args)?;
    let mut results = ScanResults::scan(context, &scopes, args.starttls, NamedInputs::Included)?;
    let before = context.renew_before(args.renew_before)?;
    let issuers = args.crl.map(|reach| (reach, results.known_issuers()));
    let mut rows = results.rows(context, &scopes, before);
    if let Some((reach, issuers)) = issuers {
        let unchecked = revocation::check(context, &mut rows, &issuers, reach)?;
        results.findings.extend(unchecked);
    }
    if scopes.is_empty() {
        results.findings.extend(missing_timer(context, &rows));
    }
    let mut outcome = judged_outcome(context, rows, results);
    write_files(context, args, &mut outcome)?;
    Ok(outcome)
}

/// Judges the rows; the most urgent one is the first.
fn judged_outcome(context: &Context, rows: Vec<StatusRow>, results: ScanResults) -> StatusOutcome {
    let mut rows = judge_rows(context, rows, &results);
    rows.sort_by_key(|one| std::cmp::Reverse(one.row.verdict()));
    StatusOutcome {
        machine: MachineIdentity::read(),
        at: context.now(),
        rows,
        findings: results.findings,
        width: context.sink.width(),
        is_terminal: context.sink.prints_to_terminal(),
        is_quiet: context.sink.is_quiet(),
        written: Vec::new(),
    }
}

/// Reports that certificates were ordered and nothing renews them. Under `--root` the timers are those
/// of another machine.
fn missing_timer(context: &Context, rows: &[StatusRow]) -> Option<Finding> {
    if context.root.is_some() {
        return None;
    }
    let is_ordered = |row: &StatusRow| {
        let stem = row.installed_as.as_deref();
        let settings = stem.and_then(|stem| installed::read_settings(context, stem).ok());
        settings.is_some_and(|settings| settings.order.is_some())
    };
    let finding = renewal_timer::no_timer(find_renewal_timer())?;
    rows.iter().any(is_ordered).then_some(finding)
}

/// Adds the findings and the next steps to each row.
fn judge_rows(context: &Context, rows: Vec<StatusRow>, results: &ScanResults) -> Vec<JudgedRow> {
    let calls = CallContext {
        here: &|sentence, words| command_here(context, sentence, words),
        root: &|sentence, words| command_as_root(context, sentence, words),
        trust: &|row| root_to_trust(context, row, results),
        record_at: &ca_with_record,
    };
    let mut judged = Vec::with_capacity(rows.len());
    for row in rows {
        let reasons = row.reasons.iter();
        let findings = reasons.map(|reason| reason_finding(reason, &row, &calls));
        let mut one = JudgedRow {
            findings: findings.collect(),
            next: row_steps(&row, &calls),
            row,
        };
        replace_step_for_private_ca(context, &mut one);
        judged.push(one);
    }
    judged
}

/// Returns the root of a company's own CA that an install of the row's certificate has to trust: `None`
/// if a trust store is configured or stored, or the CA is not known as a private one.
fn root_to_trust(context: &Context, row: &StatusRow, results: &ScanResults) -> Option<RootToTrust> {
    let leaf = row.certificate.as_deref()?;
    if root_source(context, &row.names) == RootSource::Stored {
        return None;
    }
    let is_private = row.requests.iter().any(is_for_private_ca);
    let missing = row.reasons.iter().find_map(missing_issuer);
    if let Some(root) = results.private_root(context, leaf) {
        let path = root.path.clone();
        // If another certificate is missing, the root alone does not help.
        if missing.is_none_or(|issuer| *issuer == root.value.subject) {
            return Some(match is_private {
                true => RootToTrust::File(path),
                false => RootToTrust::Doubtful(path),
            });
        }
        return None;
    }
    is_private.then_some(RootToTrust::Missing)
}

fn ca_with_record(request: &ItemLocation) -> Option<Ca> {
    match request {
        ItemLocation::File { path, .. } => dcv_file::ca_with_record_to_copy(path),
        ItemLocation::Address { .. } => None,
    }
}

fn is_for_private_ca(request: &ItemLocation) -> bool {
    match request {
        ItemLocation::File { path, .. } => dcv_file::is_for_private_ca(path),
        ItemLocation::Address { .. } => false,
    }
}

/// Returns the name of the issuer that the chain of a certificate lacks.
fn missing_issuer(reason: &StatusReason) -> Option<&String> {
    match reason {
        StatusReason::NotInstallable(
            ChainProblem::MissingIntermediate { issuer, .. }
            | ChainProblem::UnknownIssuer { issuer, .. },
        ) => Some(issuer),
        _ => None,
    }
}

/// A company's own CA validates no domain: the request is sent to it.
fn replace_step_for_private_ca(context: &Context, one: &mut JudgedRow) {
    let Some(request) = private_request(&one.row) else {
        return;
    };
    let install = context.command_words("install");
    let root = root_source(context, &one.row.names);
    let step = send_to_private_ca(&request.to_string(), &install, root);
    let pending = one
        .findings
        .iter_mut()
        .filter(|finding| finding.code == "request-pending");
    for finding in pending {
        finding.next = vec![step.clone()];
    }
    one.next = vec![step];
}

/// Returns the request of a row that waits for a company's own CA.
fn private_request(row: &StatusRow) -> Option<&ItemLocation> {
    let is_waiting = row.state == RowState::Pending && row.verdict() == RowVerdict::Due;
    let request = row.requests.first().filter(|_| is_waiting)?;
    is_for_private_ca(request).then_some(request)
}

/// Stdout (`-`) takes one of the outputs, and then nothing else.
fn refuse_shared_stdout(context: &Context, args: &StatusArgs) -> Result<(), Failure> {
    let outputs = [&args.prometheus, &args.ics, &args.html];
    let count = outputs
        .into_iter()
        .flatten()
        .filter(|path| is_stdout(path))
        .count();
    let message = if count > 1 {
        "only one output can be written to stdout"
    } else if count == 1 && context.sink.wants_json() {
        "an output to `-` and `--json` cannot both be written to stdout"
    } else {
        return Ok(());
    };
    Err(Failure::new(FailureKind::Usage, message).with_step(write_output_to_file()))
}

fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// Writes the files of `--prometheus`, `--ics` and `--html`, each one atomically.
fn write_files(
    context: &Context,
    args: &StatusArgs,
    outcome: &mut StatusOutcome,
) -> Result<(), Failure> {
    let metrics = args.prometheus.as_ref().map(|path| RenderedFile {
        format: "prometheus",
        path,
        text: prometheus::metrics(outcome),
    });
    let calendar = args.ics.as_ref().map(|path| RenderedFile {
        format: "ics",
        path,
        text: calendar::calendar(outcome),
    });
    let page = args.html.as_ref().map(|path| RenderedFile {
        format: "html",
        path,
        text: page::html(outcome),
    });
    for file in [metrics, calendar, page].into_iter().flatten() {
        if is_stdout(file.path) {
            context
                .sink
                .write_bytes(file.text.as_bytes())
                .map_err(|error| {
                    Failure::new(FailureKind::Io, "cannot write to stdout")
                        .because(error.to_string())
                })?;
        } else {
            access::refuse_other(file.path)?;
            files::replace(file.path, file.text.as_bytes(), Mode::new(0o644))?;
        }
        outcome.written.push(WrittenFile {
            format: file.format,
            path: file.path.clone(),
        });
    }
    Ok(())
}

/// A report that is ready to be written.
struct RenderedFile<'a> {
    format: &'static str,
    path: &'a PathBuf,
    text: String,
}

impl Outcome for StatusOutcome {
    fn json(&self) -> Value {
        let document = StatusDocument {
            outcome: self,
            comment: None,
        };
        document.to_value()
    }

    fn write_json(&self, comment: &str, destination: &mut dyn Write) -> io::Result<()> {
        let document = StatusDocument {
            outcome: self,
            comment: Some(comment),
        };
        write_json_line(&document, destination)
    }

    fn human(&self, text: &mut TextOutput) {
        // An output on stdout stands there alone.
        if !self.written.iter().any(|file| is_stdout(&file.path)) {
            table::write(self, text);
        }
    }

    fn exit_code(&self) -> u8 {
        u8::from(self.verdict() != RowVerdict::Fine)
    }
}
