//! `--ics`: renewals, expiry dates and ends of order terms as a calendar (RFC 5545).

use std::fmt::Write as _;

use jiff::civil::Date;

use crate::inventory::schedule::ScheduledRenewal;
use crate::inventory::{RowState, StatusRow};
use crate::pki::fingerprint::Fingerprint;
use crate::report::{escape, name_in_words};
use crate::status_report::{self, JudgedRow, StatusOutcome};
use crate::wording;

/// Returns the calendar of all rows with a certificate that was not superseded.
pub(crate) fn calendar(outcome: &StatusOutcome) -> String {
    let mut out = Calendar {
        text: String::new(),
        stamp: outcome.at.strftime("%Y%m%dT%H%M%SZ").to_string(),
    };
    out.line("BEGIN:VCALENDAR");
    out.line("VERSION:2.0");
    out.line("PRODID:-//certctl//status//EN");
    out.line("X-WR-CALNAME:certctl");
    let shown = outcome
        .rows
        .iter()
        .filter(|one| one.row.state != RowState::Superseded && one.row.certificate.is_some());
    for one in shown {
        add_row(&mut out, one);
    }
    out.line("END:VCALENDAR");
    out.text
}

fn add_row(out: &mut Calendar, one: &JudgedRow) {
    let row = &one.row;
    let Some((due, ends)) = row.due.zip(row.expiry) else {
        return;
    };
    let name = name_in_words(&row.name);
    let names = format!("Names: {}", row.names.join(", "));
    out.event(&CalendarEvent {
        uid: uid(row, "due"),
        day: wording::date(due),
        summary: format!("Renew {name} (expires on {})", wording::day(ends)),
        description: renewal_in_words(one, &names),
        alarm: Some(MORNING),
    });
    out.event(&CalendarEvent {
        uid: uid(row, "end"),
        day: wording::date(ends),
        summary: format!("{name} expires"),
        description: names,
        alarm: Some(WEEK_BEFORE),
    });
    if let Some(until) = row.paid_until {
        out.event(&CalendarEvent {
            uid: uid(row, "paid"),
            day: until,
            summary: format!("The paid term of {name} ends"),
            description: "The next certificate has to be purchased.".to_owned(),
            alarm: Some(WEEK_BEFORE),
        });
    }
    add_estimates(out, row, &name);
}

/// Adds the renewals after the next one.
fn add_estimates(out: &mut Calendar, row: &StatusRow, name: &str) {
    for (number, renewal) in row.renewals.iter().enumerate().skip(1) {
        out.event(&CalendarEvent {
            uid: uid(row, &format!("renewal {number}")),
            day: wording::date(renewal.due),
            summary: format!("Renew {name} (estimated from the current CA rules)"),
            description: needs(renewal),
            alarm: None,
        });
    }
}

/// Returns the names, what the next renewal needs, and the next steps, one per line.
fn renewal_in_words(one: &JudgedRow, names: &str) -> String {
    let first = one.row.renewals.first();
    let mut lines = vec![names.to_owned(), first.map(needs).unwrap_or_default()];
    for step in &one.next {
        lines.push(step.sentence());
        lines.extend(step.command.iter().chain(&step.lines).cloned());
    }
    lines.join("\n")
}

fn needs(renewal: &ScheduledRenewal) -> String {
    format!("Needs: {}.", status_report::requirements_in_words(renewal))
}

/// An all-day event.
struct CalendarEvent {
    uid: String,
    day: Date,
    summary: String,
    description: String,
    /// When it reminds people, from the start of the day on.
    alarm: Option<&'static str>,
}

/// Nine o'clock of the same day (RFC 5545 3.3.6).
const MORNING: &str = "PT9H";
const WEEK_BEFORE: &str = "-P7D";

/// Returns the UID of an event. The same event has the same UID in a later run, so that it replaces
/// the earlier one.
fn uid(row: &StatusRow, kind: &str) -> String {
    let certificate = row
        .certificate
        .as_ref()
        .map(|certificate| certificate.sha256())
        .unwrap_or_default();
    let digest = Fingerprint::of(format!("{certificate} {kind}").as_bytes());
    hex::encode(&digest.as_slice()[..16])
}

struct Calendar {
    text: String,
    stamp: String,
}

impl Calendar {
    fn event(&mut self, event: &CalendarEvent) {
        let next_day = event.day.tomorrow().unwrap_or(event.day);
        let stamp = self.stamp.clone();
        self.line("BEGIN:VEVENT");
        self.line(&format!("UID:{}@certctl", event.uid));
        self.line(&format!("DTSTAMP:{stamp}"));
        self.line(&format!(
            "DTSTART;VALUE=DATE:{}",
            event.day.strftime("%Y%m%d")
        ));
        self.line(&format!("DTEND;VALUE=DATE:{}", next_day.strftime("%Y%m%d")));
        self.line(&format!("SUMMARY:{}", quoted(&event.summary)));
        self.line(&format!("DESCRIPTION:{}", quoted(&event.description)));
        self.line("TRANSP:TRANSPARENT");
        if let Some(alarm) = event.alarm {
            self.alarm(alarm, &event.summary);
        }
        self.line("END:VEVENT");
    }

    /// Appends a reminder of the event that is open (RFC 5545 section 3.6.6).
    fn alarm(&mut self, trigger: &str, summary: &str) {
        self.line("BEGIN:VALARM");
        self.line("ACTION:DISPLAY");
        self.line(&format!("TRIGGER:{trigger}"));
        self.line(&format!("DESCRIPTION:{}", quoted(summary)));
        self.line("END:VALARM");
    }

    /// Appends a line, folded to at most 75 octets: continuation lines begin with a space (RFC 5545
    /// section 3.1).
    fn line(&mut self, line: &str) {
        let mut room = 75;
        for c in line.chars() {
            if c.len_utf8() > room {
                self.text.push_str("\r\n ");
                room = 74;
            }
            room -= c.len_utf8();
            // Writing to a String cannot fail.
            let _ = self.text.write_char(c);
        }
        self.text.push_str("\r\n");
    }
}

/// Returns a value of type TEXT (RFC 5545 section 3.3.11); control characters in foreign text are
/// shown as escapes.
fn quoted(text: &str) -> String {
    let plain = escape(text, &['\n']);
    plain
        .replace('\\', "\\\\")
        .replace(';', "\\;")
        .replace(',', "\\,")
        .replace('\n', "\\n")
}
