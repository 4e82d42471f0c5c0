//! `--ics`: what is to be done when, as a calendar (RFC 5545): each round from its first day on,
//! each end, each term.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::inventory::schedule::ScheduledRenewal;
use crate::inventory::{RowState, StatusRow};
use crate::pki::key::sha256;
use crate::report::{escape, name_in_words};
use crate::status_report::{self, JudgedRow, StatusOutcome};

pub(crate) fn calendar(outcome: &StatusOutcome) -> String {
    let mut out = Calendar {
        text: String::new(),
        stamp: outcome.at.strftime("%Y%m%dT%H%M%SZ").to_string(),
    };
    out.line("BEGIN:VCALENDAR");
    out.line("VERSION:2.0");
    out.line("PRODID:-//certctl//status//EN");
    out.line("X-WR-CALNAME:certctl");
    for one in outcome
        .rows
        .iter()
        .filter(|one| one.row.state != RowState::Superseded && one.row.certificate.is_some())
    {
        row(&mut out, one);
    }
    out.line("END:VCALENDAR");
    out.text
}

fn row(out: &mut Calendar, one: &JudgedRow) {
    let JudgedRow { row, next, .. } = one;
    let name = name_in_words(&row.name);
    let Some((due, ends)) = row.due.zip(row.ends) else {
        return;
    };
    let steps: Vec<&str> = next.iter().map(|step| step.text.as_str()).collect();
    let names = format!("Names: {}", row.names.join(", "));
    let first = row.rounds.first().map(needs).unwrap_or_default();
    let words = [&[names.as_str(), first.as_str()][..], &steps]
        .concat()
        .join("\n");
    out.event(
        (row, "due"),
        due,
        &format!("Renew {name} (ends {})", ends.strftime("%Y-%m-%d")),
        &words,
    );
    out.event((row, "end"), ends, &format!("{name} ends"), &names);
    if let Some(until) = row.paid_until {
        out.event_on(
            (row, "paid"),
            until,
            &format!("What is paid for {name} ends"),
            "The next certificate has to be bought.",
        );
    }
    for (number, round) in row.rounds.iter().enumerate().skip(1) {
        let kind = format!("round {number}");
        out.event(
            (row, &kind),
            round.due,
            &format!("Renew {name} (as the rules are known today)"),
            &needs(round),
        );
    }
}

fn needs(round: &ScheduledRenewal) -> String {
    format!("Needs: {}.", status_report::needs(round))
}

struct Calendar {
    text: String,
    stamp: String,
}

impl Calendar {
    fn event(&mut self, of: (&StatusRow, &str), at: Timestamp, summary: &str, words: &str) {
        self.event_on(of, Offset::UTC.to_datetime(at).date(), summary, words);
    }

    /// A day of its own. The same event of a later run has the same UID, so that it takes its
    /// place.
    fn event_on(&mut self, (row, kind): (&StatusRow, &str), day: Date, summary: &str, words: &str) {
        let what = row
            .certificate
            .as_ref()
            .map(|one| one.sha256())
            .unwrap_or_default();
        let uid = hex::encode(&sha256(format!("{what} {kind}").as_bytes())[..16]);
        let after = day.tomorrow().unwrap_or(day);
        let stamp = self.stamp.clone();
        self.line("BEGIN:VEVENT");
        self.line(&format!("UID:{uid}@certctl"));
        self.line(&format!("DTSTAMP:{stamp}"));
        self.line(&format!("DTSTART;VALUE=DATE:{}", day.strftime("%Y%m%d")));
        self.line(&format!("DTEND;VALUE=DATE:{}", after.strftime("%Y%m%d")));
        self.line(&format!("SUMMARY:{}", quoted(summary)));
        self.line(&format!("DESCRIPTION:{}", quoted(words)));
        self.line("TRANSP:TRANSPARENT");
        self.line("END:VEVENT");
    }

    /// Lines of at most 75 octets, the rest on further lines that begin with a blank (RFC 5545
    /// 3.1).
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

/// A value of type TEXT (RFC 5545 3.3.11); foreign control characters are made visible first.
fn quoted(text: &str) -> String {
    let plain = escape(text, &['\n']);
    plain
        .replace('\\', "\\\\")
        .replace(';', "\\;")
        .replace(',', "\\,")
        .replace('\n', "\\n")
}
