//! One row of the page: a line, what is wrong and what to do below it, and everything else folded
//! away.

use jiff::Timestamp;

use super::markup::{date, list, mark, text};
use super::timeline::Timeline;
use crate::finding::{Finding, NextStep, Severity};
use crate::inventory::schedule::ScheduledRenewal;
use crate::inventory::{ItemLocation, RowState, StatusRow};
use crate::report::name_in_words;
use crate::status_report::{JudgedRow, requirements_in_words};

/// The most renewals that are listed in words; the drawing has all.
const ROUNDS: usize = 4;

/// The body of a table: the page sorts and filters it as one.
pub(crate) fn body(one: &JudgedRow, timeline: &Timeline) -> String {
    let row = &one.row;
    let verdict = row.verdict();
    let due = row.due.filter(|_| row.state != RowState::Superseded);
    format!(
        "<tbody class=\"{word}\" data-verdict=\"{word}\" data-name=\"{name}\" data-state=\"{state}\" \
         data-ends=\"{ends_at}\" data-due=\"{due_at}\">\n<tr><td class=\"verdict\">{mark}{word}</td>\
         <th scope=\"row\">{shown}{more}</th><td class=\"state\">{state}</td><td class=\"ends\">{ends}{left}</td><td class=\"due\">{due}{late}</td>\
         <td class=\"time\">{line}</td></tr>\n<tr class=\"more\"><td colspan=\"6\">{reasons}{next}{details}</td></tr></tbody>\n",
        word = verdict.name(),
        name = text(&row.name),
        state = row.state.in_words(),
        ends_at = seconds(row.expiry),
        due_at = seconds(due),
        mark = mark(verdict),
        // A long name breaks where it has its dots.
        shown = text(&name_in_words(&row.name)).replace('.', ".<wbr>"),
        more = more_names(row.names.len()),
        ends = row.expiry.map(date).unwrap_or_default(),
        left = days_left(row),
        due = due.map(date).unwrap_or_default(),
        late = if is_overdue(due, timeline) {
            " <small>now</small>"
        } else {
            ""
        },
        line = timeline.drawing(row),
        reasons = list("reasons", one.findings.iter().map(reason)),
        next = list("next", one.next.iter().map(step)),
        details = details(row),
    )
}

/// Seconds since the epoch, for the script to sort by.
fn seconds(instant: Option<Timestamp>) -> String {
    match instant {
        Some(instant) => instant.as_second().to_string(),
        None => String::new(),
    }
}

fn is_overdue(due: Option<Timestamp>, timeline: &Timeline) -> bool {
    due.is_some_and(|due| due <= timeline.now())
}

fn more_names(count: usize) -> String {
    match count.saturating_sub(1) {
        0 => String::new(),
        more => format!(" <small>and {more} more</small>"),
    }
}

fn days_left(row: &StatusRow) -> String {
    match row.days_left {
        Some(days) => format!(" <small>{}</small>", in_days(days)),
        None => String::new(),
    }
}

/// `199 days`, `ended 3 days ago`.
fn in_days(days: i64) -> String {
    let count = match days.abs() {
        1 => "1 day".to_owned(),
        many => format!("{many} days"),
    };
    if days < 0 {
        format!("ended {count} ago")
    } else {
        count
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

/// Commands stand out: the whole text, or what follows the words before it.
fn step(next: &NextStep) -> String {
    let is_command = next.argv.is_some() || next.text.starts_with("sudo ");
    let shown = match next.text.split_once(":  ") {
        _ if is_command => format!("<code>{}</code>", text(&next.text)),
        Some((words, line)) => format!("{}: <code>{}</code>", text(words), text(line)),
        None => text(&next.text),
    };
    let lines: Vec<String> = next.lines.iter().map(|line| text(line)).collect();
    if lines.is_empty() {
        shown
    } else {
        format!("{shown}<pre>{}</pre>", lines.join("\n"))
    }
}

/// Everything else about one certificate, folded away.
fn details(row: &StatusRow) -> String {
    let mut facts: Vec<(&str, String)> = Vec::new();
    if row.names.len() > 1 {
        let names = row.names.iter().map(|name| name_in_words(name));
        facts.push(("Names", lines(names)));
    }
    if !row.locations.is_empty() {
        facts.push(("Where", location_lines(&row.locations)));
    }
    facts.extend(certificate_facts(row));
    facts.extend(key_facts(row));
    if !row.requests.is_empty() {
        facts.push(("Request", location_lines(&row.requests)));
    }
    if let Some(day) = row.paid_until {
        facts.push(("Paid for until", day.to_string()));
    }
    if let Some(instant) = row.validation_until {
        facts.push(("Proof reusable until", date(instant)));
    }
    if !row.renewals.is_empty() {
        facts.push(("Next rounds", renewals(&row.renewals)));
    }
    let facts: String = facts
        .iter()
        .map(|(name, value)| format!("<dt>{name}</dt><dd>{value}</dd>"))
        .collect();
    format!("<details><summary>More</summary><dl>{facts}</dl></details>")
}

fn location_lines(places: &[ItemLocation]) -> String {
    lines(places.iter().map(ToString::to_string))
}

fn certificate_facts(row: &StatusRow) -> Vec<(&'static str, String)> {
    let Some(certificate) = &row.certificate else {
        return Vec::new();
    };
    vec![
        ("From", date(certificate.not_before)),
        ("Issuer", text(&certificate.issuer)),
        ("SHA-256", format!("<code>{}</code>", certificate.sha256())),
    ]
}

fn key_facts(row: &StatusRow) -> Vec<(&'static str, String)> {
    let algorithm = text(&row.algorithm.to_string());
    let key = format!("{algorithm}, id <code>{}</code>", row.key_id);
    let mut facts = vec![("Key", key)];
    if !row.keys.is_empty() {
        let files = row.keys.iter();
        let files = files.map(|(place, key)| format!("{place} ({})", key.mode));
        facts.push(("Key file", lines(files)));
    }
    facts
}

/// Foreign texts as HTML, on a line each.
fn lines(texts: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = texts.map(|line| text(&line)).collect();
    lines.join("<br>")
}

/// The first renewals, each with what it needs.
fn renewals(renewals: &[ScheduledRenewal]) -> String {
    let shown: Vec<String> = renewals.iter().take(ROUNDS).map(renewal).collect();
    let shown = shown.join("<br>");
    match renewals.len().saturating_sub(ROUNDS) {
        0 => shown,
        left => format!("{shown}<br>and {left} more until the end of 2029"),
    }
}

fn renewal(renewal: &ScheduledRenewal) -> String {
    format!(
        "from {}: {}",
        date(renewal.due),
        text(&requirements_in_words(renewal))
    )
}
