//! `certctl explain`: what the words of certctl's output mean, from the code table, and what messages
//! of other programs mean.

mod check;
mod credentials;
mod messages;
mod page;
mod provider;

use serde_json::{Value, json};

use crate::advice::explain_command as advice;
use crate::code_table::{self, CodeEntry, CodeLookup, RenamedKind};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::report::{Outcome, TextOutput};
use crate::system::fs::stdin;
use messages::MessagesOutcome;

/// Explain a code, a term, or another program's error message
///
/// Prints what it means, why it matters, what to do, and which rule it comes
/// from. For a message of nginx, OpenSSL, a browser, Java, a CA and others it
/// prints the likely causes, each with the command that shows whether it
/// applies. Without arguments, lists all codes. The topic `credentials` lists
/// which credentials of DNS providers are set, and never shows one. The topics
/// `alidns`, `cloudflare` and `rfc2136` show how to set up such a provider.
/// Terms of the field are topics too: `acme`, `caa`, `chain`, `csr`, `dcv`, ...
///
/// Examples:
///   certctl explain wrong-key
///   certctl explain NET::ERR_CERT_AUTHORITY_INVALID --check example.com
///   sudo nginx -t 2>&1 | certctl explain -
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ExplainArgs {
    /// Codes as `-v` and `--json` print them, topics, or a message of another program; - reads the
    /// message from stdin
    #[arg(value_name = "CODE|TEXT|TOPIC")]
    pub words: Vec<String>,
    /// For a message: check this file or server, and say which cause applies (may be repeated)
    #[arg(long, value_name = "FILE|HOST")]
    pub check: Vec<String>,
}

/// The rows that explain the words; all rows if no word was given.
#[derive(Debug)]
pub(crate) struct ExplainOutcome {
    lookup: CodeLookup,
    request: ExplainRequest,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ExplainRequest {
    /// A list of all codes, for output of this width in columns.
    List {
        width: usize,
    },
    Words,
}

/// The most bytes of a message on stdin.
const MESSAGE_LIMIT: u64 = 1 << 20;

/// Looks up the words or the message.
///
/// # Errors
/// `not-found` if a word or the message is unknown; `usage` for `--check` without a message; if stdin
/// cannot be read.
pub(crate) fn run(context: &Context, args: &ExplainArgs) -> Result<Box<dyn Outcome>, Failure> {
    if let Some(outcome) = find_topic(context, args)? {
        return refuse_check(args, outcome);
    }
    explain_text(context, args)
}

/// Refuses `--check` where nothing would be checked.
fn refuse_check(
    args: &ExplainArgs,
    outcome: Box<dyn Outcome>,
) -> Result<Box<dyn Outcome>, Failure> {
    if args.check.is_empty() {
        Ok(outcome)
    } else {
        Err(advice::refuse_check())
    }
}

/// The outcome for a topic that has a page of its own.
fn find_topic(context: &Context, args: &ExplainArgs) -> Result<Option<Box<dyn Outcome>>, Failure> {
    let [topic] = args.words.as_slice() else {
        return Ok(None);
    };
    if let Some(guide) = provider::find_guide(topic) {
        return Ok(Some(Box::new(guide)));
    }
    if topic.eq_ignore_ascii_case(credentials::TOPIC) {
        return Ok(Some(Box::new(credentials::list_credentials(context)?)));
    }
    Ok(None)
}

/// Explains a message of another program, or the words of certctl.
fn explain_text(context: &Context, args: &ExplainArgs) -> Result<Box<dyn Outcome>, Failure> {
    let mut words = args.words.clone();
    if words.iter().any(|word| word == "-") {
        let bytes = stdin::read_stdin(MESSAGE_LIMIT)?;
        words = vec![String::from_utf8_lossy(&bytes).into_owned()];
    }
    let text = words.join(" ");
    let found = MessagesOutcome::find(&text, &args.check)?;
    let is_message = found.as_ref().is_some_and(MessagesOutcome::is_whole);
    match (explain_words(context, &words), found) {
        (Ok(outcome), _) if !is_message => refuse_check(args, Box::new(outcome)),
        (_, Some(mut outcome)) => {
            outcome.check(context, &args.check);
            Ok(Box::new(outcome))
        }
        (Ok(outcome), None) => refuse_check(args, Box::new(outcome)),
        (Err(failure), None) => Err(messages::unknown_message(&text, failure)?),
    }
}

fn explain_words(context: &Context, words: &[String]) -> Result<ExplainOutcome, Failure> {
    if words.is_empty() {
        return Ok(ExplainOutcome {
            lookup: CodeLookup {
                entries: code_table::entries().collect(),
                ..CodeLookup::default()
            },
            request: ExplainRequest::List {
                width: context.sink.width(),
            },
        });
    }
    let lookup = code_table::look_up(words);
    if lookup.unknown.is_empty() && !(lookup.entries.is_empty() && lookup.renamed.is_empty()) {
        return Ok(ExplainOutcome {
            lookup,
            request: ExplainRequest::Words,
        });
    }
    Err(unknown_words(&lookup.unknown))
}

fn unknown_words(words: &[String]) -> Failure {
    let mut similar: Vec<&str> = Vec::new();
    let mut messages = Vec::new();
    for word in words {
        let codes = code_table::similar_codes(word);
        messages.push(if codes.is_empty() {
            format!("certctl has no code \"{word}\"")
        } else {
            format!(
                "certctl has no code \"{word}\"; similar: {}",
                codes.join(", ")
            )
        });
        similar.extend(codes);
    }
    if messages.is_empty() {
        messages.push("the code is empty".to_owned());
    }
    let failure = Failure::new(FailureKind::NotFound, messages.join(". "));
    let failure = match similar.first() {
        Some(code) => failure.with_step(advice::explain_similar(code)),
        None => failure,
    };
    failure.with_step(advice::list_codes())
}

impl ExplainOutcome {
    /// The help of commands that have a new name.
    fn next_steps(&self) -> Vec<NextStep> {
        let renamed = self.lookup.renamed.iter();
        renamed
            .filter_map(|renamed| match renamed.kind {
                RenamedKind::Command => Some(advice::show_command_help(renamed.new)),
                RenamedKind::Option(command) => Some(advice::show_command_help(command)),
                RenamedKind::Code(_) | RenamedKind::Field => None,
            })
            .collect()
    }
}

impl Outcome for ExplainOutcome {
    fn json(&self) -> Value {
        let entries: Vec<Value> = self.lookup.entries.iter().map(|row| entry(row)).collect();
        let renamed: Vec<Value> = self
            .lookup
            .renamed
            .iter()
            .map(|word| {
                json!({
                    "kind": word.kind.name(),
                    "old": word.old,
                    "new": word.new,
                })
            })
            .collect();
        json!({
            "schema": "certctl.explain/1",
            "changed": false,
            "entries": entries,
            "renamed": renamed,
            "findings": [],
            "next": self.next_steps(),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        match self.request {
            ExplainRequest::List { width } => page::add_list(text, width),
            ExplainRequest::Words => {
                page::add_renamed(text, &self.lookup.renamed);
                page::add_entries(text, &self.lookup.entries);
            }
        }
        text.add_next_steps(&self.next_steps());
    }

    fn exit_code(&self) -> u8 {
        0
    }
}

fn entry(row: &CodeEntry) -> Value {
    let text = |text: &'static str| (!text.is_empty()).then_some(text);
    json!({
        "kind": row.kind.name(),
        "code": row.code,
        "meaning": row.meaning,
        "why": text(row.why),
        "fix": text(row.fix),
        "example": text(row.example),
        "source": text(row.source),
    })
}
