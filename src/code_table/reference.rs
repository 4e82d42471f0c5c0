//! The pages of docs/reference that are generated from the code table.

use std::fmt::Write;

use super::entry::{CodeEntry, CodeKind};
use super::sections::{CodeSection, sections};

const GENERATED: &str = "This page is generated from the program's own table; \
    `certctl explain CODE` prints the same.";

/// Returns the pages as file name and text.
#[must_use]
pub fn pages() -> [(&'static str, String); 3] {
    let of_kinds = |wanted: fn(CodeKind) -> bool| {
        sections()
            .iter()
            .filter(move |section| wanted(section.rows[0].kind))
    };
    let is_other_word = |kind| !matches!(kind, CodeKind::ExitCode | CodeKind::Finding);
    [
        (
            "exit-codes.md",
            page(
                "Exit codes",
                "The exit code of certctl says whether the work is done, and who has to act.",
                of_kinds(|kind| kind == CodeKind::ExitCode),
            ),
        ),
        (
            "findings.md",
            page(
                "Findings",
                "Each finding of a report has a code that scripts may match on: `findings[].code` \
                 in the JSON document.",
                of_kinds(|kind| kind == CodeKind::Finding),
            ),
        ),
        (
            "words.md",
            page(
                "Verdicts, states and other words",
                "The words of the JSON documents that scripts may match on, besides the codes of \
                 [findings](findings.md) and the [exit codes](exit-codes.md).",
                of_kinds(is_other_word),
            ),
        ),
    ]
}

/// A page with a list of its sections, where it has several.
fn page<'a>(
    title: &str,
    introduction: &str,
    sections: impl Iterator<Item = &'a CodeSection>,
) -> String {
    let sections: Vec<&CodeSection> = sections.collect();
    let mut text = format!("# {title}\n\n{introduction} {GENERATED}\n");
    let is_long = sections.len() > 1;
    if is_long {
        text.push('\n');
        for section in &sections {
            push(
                &mut text,
                format_args!("- [{0}](#{1})\n", section.title, anchor(section.title)),
            );
        }
    }
    for section in sections {
        if is_long {
            push(&mut text, format_args!("\n## {}\n", section.title));
        }
        for entry in section.rows {
            push_entry(&mut text, entry);
        }
    }
    text
}

fn push_entry(text: &mut String, entry: &CodeEntry) {
    push(text, format_args!("\n### {}\n\n", entry.code));
    push(text, format_args!("{}\n", capitalized(entry.meaning)));
    for (name, body) in [("Why it matters", entry.why), ("What to do", entry.fix)] {
        if !body.is_empty() {
            push(text, format_args!("\n**{name}:** {body}\n"));
        }
    }
    if !entry.example.is_empty() {
        push(text, format_args!("\n```text\n{}\n```\n", entry.example));
    }
    // What is our own rule has no document to read.
    if !["", "certctl"].contains(&entry.source) {
        push(text, format_args!("\nSource: {}\n", entry.source));
    }
}

/// `meaning` as a sentence: with a capital and a full stop.
fn capitalized(meaning: &str) -> String {
    let mut letters = meaning.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    format!("{first}{}.", letters.as_str())
}

/// The anchor that GitHub gives to a heading.
fn anchor(title: &str) -> String {
    title
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " -".contains(*letter))
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String never fails.
    let _ = text.write_fmt(arguments);
}
