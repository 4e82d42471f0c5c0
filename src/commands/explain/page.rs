//! What `certctl explain` prints for people.

use crate::code_table::{self, CodeEntry, RenamedKind, RenamedWord};
use crate::finding::{NextStep, Severity};
use crate::report::{Label, TextOutput};

/// Where the meanings begin in the list: beyond the longest code.
const MEANING_COLUMN: usize = 30;
/// The narrowest output in which codes and meanings stand side by side.
const TWO_COLUMNS: usize = 70;

/// Adds a paragraph for each word that has a new name.
pub(super) fn add_renamed(text: &mut TextOutput, renamed: &[&RenamedWord]) {
    for word in renamed {
        let what = match word.kind {
            RenamedKind::Code(kind) => format!("{} `{}`", kind.title(), word.old),
            RenamedKind::Command => format!("command `{}`", word.old),
            RenamedKind::Field => format!("field `{}`", word.old),
            RenamedKind::Option(command) => format!("option `{}` of `{command}`", word.old),
        };
        text.add(
            Label::Note,
            format!("the {what} is now called `{}`", word.new),
        );
    }
}

/// Adds a heading, meaning, reason, advice, example and source of each row.
pub(super) fn add_entries(text: &mut TextOutput, entries: &[&CodeEntry]) {
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            text.add_plain("");
        }
        text.add_plain(format!("{} ({})", entry.code, entry.kind.title()));
        text.add(Label::Found, entry.meaning);
        if !entry.why.is_empty() {
            text.add_continuation(entry.why);
        }
        if !entry.fix.is_empty() {
            let label = if entry.fix.starts_with("Nothing to do") {
                Label::Note
            } else {
                Label::Next
            };
            match split_command(entry.fix) {
                Some((sentence, command)) => {
                    let step = NextStep::run_shell(sentence, command);
                    text.add_step(label, &step);
                }
                None => text.add(label, entry.fix),
            }
        }
        if !entry.example.is_empty() {
            text.add(Label::Note, "example:");
            entry
                .example
                .lines()
                .for_each(|line| text.add_verbatim(line));
        }
        // What is our own rule has no document to read.
        if !["", "certctl"].contains(&entry.source) {
            text.add(Label::Note, format!("source: {}", entry.source));
        }
    }
}

/// Adds all codes with their meanings, section by section, for output of `width` columns.
pub(super) fn add_list(text: &mut TextOutput, width: usize) {
    for (index, section) in code_table::sections().iter().enumerate() {
        if index > 0 {
            text.add_plain("");
        }
        text.add_plain(section.title);
        for entry in section.rows {
            for line in rows(entry, width) {
                // Above a note, because `-q` is to show the list too.
                text.add_table_row(Severity::Warning, line);
            }
        }
    }
}

/// A code and its meaning; the meaning goes on below its own first line.
fn rows(entry: &CodeEntry, width: usize) -> Vec<String> {
    let mut lines = vec![format!("  {}", entry.code)];
    let indent = if width < TWO_COLUMNS {
        lines.push(String::new());
        6
    } else {
        MEANING_COLUMN
    };
    for word in entry.meaning.split(' ') {
        let last = lines.len() - 1;
        let length = lines[last].chars().count();
        if length < indent {
            lines[last].push_str(&" ".repeat(indent - length));
            lines[last].push_str(word);
        } else if length + 1 + word.chars().count() <= width {
            lines[last].push(' ');
            lines[last].push_str(word);
        } else {
            lines.push(format!("{}{word}", " ".repeat(indent)));
        }
    }
    lines
}

/// Splits a text that ends with a command, such as ``Restore it: `certctl rollback example.com`.``,
/// so that the command has a line of its own.
fn split_command(fix: &str) -> Option<(&str, &str)> {
    let (sentence, rest) = fix.split_once(": `")?;
    let command = rest.strip_suffix("`.")?;
    let is_command = command.starts_with("certctl ") || command.starts_with("sudo ");
    let is_alone = !sentence.contains('`') && !command.contains('`');
    (is_command && is_alone).then_some((sentence, command))
}
