//! One certificate: a line, what is wrong and what to do below it, and everything else folded away.

use super::markup::{date, list, mark, text};
use super::timeline::Timeline;
use crate::finding::{Finding, NextStep, Severity};
use crate::inventory::schedule::ScheduledRenewal;
use crate::inventory::{RowState, StatusRow};
use crate::report::name_in_words;
use crate::status_report::{JudgedRow, needs};

/// So many rounds are told in words; the drawing has all.
const ROUNDS: usize = 4;

/// A body of the table: it is sorted and filtered as one.
pub(crate) fn body(one: &JudgedRow, timeline: &Timeline) -> String {
    let row = &one.row;
    let verdict = row.verdict();
    let ends = row
        .ends
        .map(|at| at.as_second().to_string())
        .unwrap_or_default();
    let due = row.due.filter(|_| row.state != RowState::Superseded);
    let day = |at: Option<jiff::Timestamp>| at.map(date).unwrap_or_default();
    let small = |words: String| format!(" <small>{words}</small>");
    let left = row
        .days_left
        .map(|days| small(in_days(days)))
        .unwrap_or_default();
    let late = due
        .filter(|due| *due <= timeline.now())
        .map(|_| small("now".to_owned()))
        .unwrap_or_default();
    let more = row.names.len().saturating_sub(1);
    let more = if more == 0 {
        String::new()
    } else {
        format!(" <small>and {more} more</small>")
    };
    format!(
        "<tbody class=\"{word}\" data-verdict=\"{word}\" data-name=\"{name}\" data-state=\"{state}\" \
         data-ends=\"{ends}\" data-due=\"{due_at}\">\n<tr><td class=\"verdict\">{mark}{word}</td>\
         <th scope=\"row\">{shown}{more}</th><td class=\"state\">{state}</td><td class=\"ends\">{end}{left}</td><td class=\"due\">{due}{late}</td>\
         <td class=\"time\">{line}</td></tr>\n<tr class=\"more\"><td colspan=\"6\">{reasons}{next}{rest}</td></tr></tbody>\n",
        word = verdict.name(),
        name = text(&row.name),
        state = row.state.in_words(),
        due_at = due.map(|at| at.as_second().to_string()).unwrap_or_default(),
        mark = mark(verdict),
        // A long name breaks where it has its dots.
        shown = text(&name_in_words(&row.name)).replace('.', ".<wbr>"),
        end = day(row.ends),
        due = day(due),
        line = timeline.of(row),
        reasons = list("reasons", one.findings.iter().map(reason)),
        next = list("next", one.next.iter().map(step)),
        rest = rest(row),
    )
}

/// `199 days`, `ended 3 days ago`.
fn in_days(days: i64) -> String {
    let many = |days: i64| {
        if days == 1 {
            "1 day".to_owned()
        } else {
            format!("{days} days")
        }
    };
    if days < 0 {
        format!("ended {} ago", many(-days))
    } else {
        many(days)
    }
}

fn reason(finding: &Finding) -> String {
    let class = match finding.severity {
        Severity::Error => "wrong",
        Severity::Warning => "due",
        Severity::Note => "fine",
    };
    format!("<span class=\"{class}\">{}</span>", text(&finding.message))
}

/// What is to be pasted stands out: all of it, or what follows the words before it.
fn step(next: &NextStep) -> String {
    let pasted = |line: &str| format!("<code>{}</code>", text(line));
    let said = match next.text.split_once(":  ") {
        _ if next.argv.is_some() || next.text.starts_with("sudo ") => pasted(&next.text),
        Some((words, line)) => format!("{}: {}", text(words), pasted(line)),
        None => text(&next.text),
    };
    let lines: Vec<String> = next.lines.iter().map(|line| text(line)).collect();
    if lines.is_empty() {
        said
    } else {
        format!("{said}<pre>{}</pre>", lines.join("\n"))
    }
}

/// What somebody wants to know who looks at one certificate.
fn rest(row: &StatusRow) -> String {
    let mut facts: Vec<(&str, String)> = Vec::new();
    let several = |lines: Vec<String>| lines.join("<br>");
    if row.names.len() > 1 {
        facts.push((
            "Names",
            several(
                row.names
                    .iter()
                    .map(|name| text(&name_in_words(name)))
                    .collect(),
            ),
        ));
    }
    if !row.places.is_empty() {
        facts.push((
            "Where",
            several(
                row.places
                    .iter()
                    .map(|place| text(&place.to_string()))
                    .collect(),
            ),
        ));
    }
    if let Some(certificate) = &row.certificate {
        facts.push(("From", date(certificate.not_before)));
        facts.push(("Issuer", text(&certificate.issuer)));
        facts.push(("SHA-256", format!("<code>{}</code>", certificate.sha256())));
    }
    facts.push((
        "Key",
        format!(
            "{}, id <code>{}</code>",
            text(&row.algorithm.to_string()),
            row.key_id
        ),
    ));
    if !row.keys.is_empty() {
        let line = |(place, key): &(
            crate::inventory::ItemLocation,
            crate::inventory::item::HeldKey,
        )| { format!("{} ({:04o})", text(&place.to_string()), key.mode) };
        facts.push(("Key file", several(row.keys.iter().map(line).collect())));
    }
    if !row.requests.is_empty() {
        facts.push((
            "Request",
            several(
                row.requests
                    .iter()
                    .map(|place| text(&place.to_string()))
                    .collect(),
            ),
        ));
    }
    facts.extend(
        row.paid_until
            .map(|day| ("Paid for until", day.to_string())),
    );
    facts.extend(row.proof_until.map(|at| ("Proof reusable until", date(at))));
    if !row.rounds.is_empty() {
        facts.push(("Next rounds", rounds(&row.rounds)));
    }
    let facts: String = facts
        .iter()
        .map(|(name, what)| format!("<dt>{name}</dt><dd>{what}</dd>"))
        .collect();
    format!("<details><summary>More</summary><dl>{facts}</dl></details>")
}

/// The first ones, each with what it needs.
fn rounds(rounds: &[ScheduledRenewal]) -> String {
    let line =
        |round: &ScheduledRenewal| format!("from {}: {}", date(round.due), text(&needs(round)));
    let told: Vec<String> = rounds.iter().take(ROUNDS).map(line).collect();
    let left = rounds.len().saturating_sub(ROUNDS);
    let left = if left == 0 {
        String::new()
    } else {
        format!("<br>and {left} more until the end of 2029")
    };
    format!("{}{left}", told.join("<br>"))
}
