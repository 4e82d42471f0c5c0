//! `explain` for a message of another program: its likely causes, and which of them applies.

use serde_json::{Value, json};

use super::check::CheckedItem;
use crate::advice::explain_command as advice;
use crate::context::Context;
use crate::error_texts::{
    ErrorTable, KnownMessage, MentionedKind, MentionedNames, MessageIndex, similar_texts,
};
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::report::{Label, Outcome, TextOutput};

/// The most problems that are explained.
const MOST_PROBLEMS: usize = 3;
/// A text of at least so many words is a message and no code.
const MESSAGE_WORDS: usize = 4;

/// Whether a cause applies.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum CauseState {
    /// A finding of the check shows it.
    Applies,
    /// No check was asked for, or certctl does not recognize the cause.
    Unchecked,
    /// The check would show it, and does not.
    NotFound,
}

/// A cause, with real names in its commands.
#[derive(Debug)]
struct ExplainedCause {
    what: String,
    check: String,
    fix: String,
    codes: Vec<String>,
    /// What the check looks at.
    subject: MentionedKind,
    state: CauseState,
}

/// A message that was found in the text.
#[derive(Debug)]
struct ExplainedMessage {
    problem: String,
    meaning: String,
    program: String,
    text: String,
    source: String,
    causes: Vec<ExplainedCause>,
}

/// The messages of a text.
#[derive(Debug)]
pub(super) struct MessagesOutcome {
    messages: Vec<ExplainedMessage>,
    checked: Vec<CheckedItem>,
    is_whole: bool,
}

impl MessagesOutcome {
    /// Finds the known messages in `text`; `None` if there is none. The commands are printed with the names in it, and with those of `items`, the values of
    /// `--check`.
    pub(super) fn find(text: &str, items: &[String]) -> Result<Option<Self>, Failure> {
        let table = read_table()?;
        let found = MessageIndex::new(&table).find_messages(text);
        let Some(first) = found.first() else {
            return Ok(None);
        };
        let is_whole = first.is_whole;
        let mut names = MentionedNames::of(text);
        for item in items {
            names.replace(item, CheckedItem::kind(item));
        }
        let mut messages = Vec::new();
        for message in found.iter().take(MOST_PROBLEMS) {
            messages.push(explain_message(&table, message, &names));
        }
        Ok(Some(Self {
            messages,
            checked: Vec::new(),
            is_whole,
        }))
    }

    /// Looks which causes apply to files and servers.
    pub(super) fn check(&mut self, context: &Context, items: &[String]) {
        let items = items.iter();
        self.checked = items
            .map(|item| CheckedItem::examine(context, item))
            .collect();
        for message in &mut self.messages {
            for cause in &mut message.causes {
                cause.state = cause.judge(&self.checked);
            }
            message.causes.sort_by_key(|cause| cause.state);
        }
    }

    /// Whether the text is a known message and nothing else.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    fn next_steps(&self) -> Vec<NextStep> {
        let Some(cause) = self.messages.first().and_then(|first| first.causes.first()) else {
            return Vec::new();
        };
        match cause.state {
            CauseState::Applies => {
                return vec![NextStep::say(cause.fix.trim_end_matches('.')).later()];
            }
            // Every cause was looked for, and none was found.
            CauseState::NotFound => return Vec::new(),
            CauseState::Unchecked => {}
        }
        if MentionedNames::has_placeholder(&cause.check) {
            return vec![advice::check_with_own_names()];
        }
        vec![advice::check_first_cause(&cause.check)]
    }
}

fn read_table() -> Result<ErrorTable, Failure> {
    ErrorTable::read().map_err(|error| {
        Failure::new(
            FailureKind::Internal,
            format!("a table of messages cannot be read: {error}"),
        )
    })
}

/// Neither a code nor a known message; `failure` says so for a code.
///
/// # Errors
/// The tables cannot be read.
pub(super) fn unknown_message(text: &str, failure: Failure) -> Result<Failure, Failure> {
    if text.split_whitespace().count() < MESSAGE_WORDS {
        return Ok(failure);
    }
    let table = read_table()?;
    let similar = similar_texts(&table, text);
    let mut message = "certctl does not know this message".to_owned();
    if !similar.is_empty() {
        message.push_str("; similar ones that it knows: ");
        let quoted = similar.iter().map(|known| format!("\"{known}\""));
        message.push_str(&quoted.collect::<Vec<_>>().join(", "));
    }
    Ok(Failure::new(FailureKind::NotFound, message).with_step(advice::look_without_message()))
}

fn explain_message(
    table: &ErrorTable,
    message: &KnownMessage<'_>,
    names: &MentionedNames,
) -> ExplainedMessage {
    let program = table.program(message.program);
    let causes = message.problem.causes.iter().map(|cause| ExplainedCause {
        what: cause.what.clone(),
        check: names.fill(&cause.check),
        fix: names.fill(&cause.fix),
        codes: cause.codes.clone(),
        subject: MentionedNames::subject_of(&cause.check),
        state: CauseState::Unchecked,
    });
    ExplainedMessage {
        problem: message.problem.name.clone(),
        meaning: message.problem.meaning.clone(),
        program: program.map_or_else(String::new, |program| program.title.clone()),
        text: message.text.to_owned(),
        source: program.map_or_else(String::new, |program| program.source.clone()),
        causes: causes.collect(),
    }
}

impl ExplainedCause {
    /// A cause is excluded only by a check of what it is about: a complete file says nothing about
    /// what a server sends.
    fn judge(&self, checked: &[CheckedItem]) -> CauseState {
        let shows = |item: &CheckedItem| self.codes.iter().any(|code| item.codes.contains(code));
        let examines = |item: &CheckedItem| {
            let mut commands = item.commands.iter();
            let is_run =
                commands.any(|command| self.check.starts_with(&format!("certctl {command} ")));
            is_run && item.kind == self.subject
        };
        if checked.iter().any(shows) {
            CauseState::Applies
        } else if !self.codes.is_empty() && checked.iter().any(examines) {
            CauseState::NotFound
        } else {
            CauseState::Unchecked
        }
    }

    fn json(&self) -> Value {
        json!({
            "what": self.what,
            "check": self.check,
            "fix": self.fix,
            "codes": self.codes,
            "applies": match self.state {
                CauseState::Applies => Some(true),
                CauseState::NotFound => Some(false),
                CauseState::Unchecked => None,
            },
        })
    }

    /// Adds the cause; `unchecked` begins its first line if it is not known whether it applies.
    fn add_to(&self, text: &mut TextOutput, unchecked: &str) {
        let what = &self.what;
        match self.state {
            CauseState::Applies => text.add(Label::Error, format!("this is the cause: {what}")),
            CauseState::Unchecked => text.add(Label::Note, format!("{unchecked}: {what}")),
            CauseState::NotFound => {
                text.add(Label::Note, format!("not found by the check: {what}"));
                return;
            }
        }
        if self.state == CauseState::Unchecked {
            text.add_continuation("Check:");
            text.add_verbatim(&self.check);
        }
        text.add_continuation(format!("Fix: {}", self.fix));
    }
}

impl Outcome for MessagesOutcome {
    fn json(&self) -> Value {
        let mut messages = Vec::new();
        for message in &self.messages {
            let causes: Vec<Value> = message.causes.iter().map(ExplainedCause::json).collect();
            messages.push(json!({
                "problem": message.problem,
                "meaning": message.meaning,
                "program": message.program,
                "text": message.text,
                "source": message.source,
                "causes": causes,
            }));
        }
        let mut checked = Vec::new();
        for item in &self.checked {
            checked.push(json!({
                "item": item.item,
                "codes": item.codes,
                "failures": item.failures,
            }));
        }
        json!({
            "schema": "certctl.explain/1",
            "changed": false,
            "entries": [],
            "renamed": [],
            "messages": messages,
            "checked": checked,
            "findings": [],
            "next": self.next_steps(),
        })
    }

    fn human(&self, text: &mut TextOutput) {
        for item in &self.checked {
            for failure in &item.failures {
                text.add(Label::Warning, format!("{}: {failure}", item.item));
            }
        }
        for message in &self.messages {
            text.add(Label::Found, &message.meaning);
            let shown = format!("text of {}: \"{}\"", message.program, message.text);
            text.add_continuation(shown);
            for (index, cause) in message.causes.iter().enumerate() {
                let unchecked = match self.checked.is_empty() {
                    true => format!("cause {}", index + 1),
                    false => "not checked".to_owned(),
                };
                cause.add_to(text, &unchecked);
            }
            text.add(Label::Note, format!("source: {}", message.source));
        }
        text.add_next_steps(&self.next_steps());
    }

    fn exit_code(&self) -> u8 {
        0
    }
}
