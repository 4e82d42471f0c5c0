//! `certctl explain`: what the words of certctl's output mean, from the code table.

mod credentials;
mod page;
mod provider;

use serde_json::{Value, json};

use crate::advice::explain_command as advice;
use crate::code_table::{self, CodeEntry, CodeLookup, RenamedKind};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::report::{Outcome, TextOutput};

/// Explain a code, a state, an exit code or a term such as DCV
///
/// Prints what it means, why it matters, what to do, and which rule it comes
/// from. Without a code, lists all of them. The topic `credentials` lists which
/// credentials of DNS providers are set, and never shows one. The topics
/// `alidns`, `cloudflare` and `rfc2136` show how to set up such a provider.
/// Terms of the field are topics too: `acme`, `caa`, `chain`, `csr`, `dcv`, ...
///
/// Examples:
///   certctl explain wrong-key
///   certctl explain DCV
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ExplainArgs {
    /// Codes as `-v` and `--json` print them, or topics; in any case, with hyphens, underscores or
    /// spaces
    #[arg(value_name = "CODE")]
    pub words: Vec<String>,
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

/// Looks up the words.
///
/// # Errors
/// `not-found` if a word is unknown.
pub(crate) fn run(context: &Context, args: &ExplainArgs) -> Result<Box<dyn Outcome>, Failure> {
    if let [topic] = args.words.as_slice()
        && let Some(guide) = provider::find_guide(topic)
    {
        return Ok(Box::new(guide));
    }
    match args.words.as_slice() {
        [topic] if topic.eq_ignore_ascii_case(credentials::TOPIC) => {
            Ok(Box::new(credentials::list_credentials(context)?))
        }
        _ => Ok(Box::new(explain_words(context, args)?)),
    }
}

fn explain_words(context: &Context, args: &ExplainArgs) -> Result<ExplainOutcome, Failure> {
    if args.words.is_empty() {
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
    let lookup = code_table::look_up(&args.words);
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
            .map(|word| json!({"kind": word.kind.name(), "old": word.old, "new": word.new}))
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
