//! One row of the page: a line, the problems and next steps below it, and the details folded away.

use jiff::Timestamp;

use super::markup::{self, date, list, mark, text};
use super::timeline::Timeline;
use crate::finding::{Finding, Severity};
use crate::inventory::schedule::ScheduledRenewal;
use crate::inventory::{ItemLocation, RowState, StatusRow};
use crate::report::name_in_words;
use crate::status_report::{JudgedRow, requirements_in_words};

/// The most renewals that are listed in words; the drawing shows all of them.
const LISTED_RENEWALS: usize = 4;

/// Returns one row as a `tbody`, which the page sorts and filters as a unit.
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
        // A long name is broken at its dots.
        shown = text(&name_in_words(&row.name)).replace('.', ".<wbr>"),
        more = more_names(row.names.len()),
        ends = row.expiry.map(date).unwrap_or_default(),
        left = days_left(row),
        due = due.map(date).unwrap_or_default(),
        late = if is_overdue(due, timeline) {
            " <small>due now</small>"
        } else {
            ""
        },
        line = timeline.drawing(row),
        reasons = list("reasons", one.findings.iter().map(reason)),
        next = list("next", one.next.iter().map(markup::step)),
        details = details(row),
    )
}

/// Returns seconds since the Unix epoch, which the script sorts by.
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

/// `199 days`, `expired 3 days ago`.
fn in_days(days: i64) -> String {
    let count = match days.abs() {
        1 => "1 day".to_owned(),
        many => format!("{many} days"),
    };
    if days < 0 {
        format!("expired {count} ago")
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

/// Returns all other facts about one certificate, folded away.
fn details(row: &StatusRow) -> String {
    let mut facts: Vec<(&str, String)> = Vec::new();
    if row.names.len() > 1 {
        let names = row.names.iter().map(|name| name_in_words(name));
        facts.push(("Names", lines(names)));
    }
    if !row.locations.is_empty() {
        facts.push(("Found at", location_lines(&row.locations)));
    }
    facts.extend(certificate_facts(row));
    facts.extend(key_facts(row));
    if !row.requests.is_empty() {
        facts.push(("Request", location_lines(&row.requests)));
    }
    if let Some(day) = row.paid_until {
        facts.push(("Paid until", day.to_string()));
    }
    if let Some(instant) = row.validation_until {
        facts.push(("Domain validation reusable until", date(instant)));
    }
    if !row.renewals.is_empty() {
        facts.push(("Next renewals", renewals(&row.renewals)));
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
        ("Valid from", date(certificate.not_before)),
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

/// Returns foreign texts as HTML, one per line.
fn lines(texts: impl Iterator<Item = String>) -> String {
    let mut lines = Vec::new();
    for line in texts {
        lines.push(text(&line));
    }
    lines.join("<br>")
}

/// Returns the first renewals, each with what it needs.
fn renewals(renewals: &[ScheduledRenewal]) -> String {
    let shown: Vec<String> = renewals.iter().take(LISTED_RENEWALS).map(renewal).collect();
    let shown = shown.join("<br>");
    match renewals.len().saturating_sub(LISTED_RENEWALS) {
        0 => shown,
        left => format!("{shown}<br>and {left} more until the end of 2029"),
    }
}

fn renewal(renewal: &ScheduledRenewal) -> String {
    format!(
        "on {}: {}",
        date(renewal.due),
        text(&requirements_in_words(renewal))
    )
}
