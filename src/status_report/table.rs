//! The rows for people: a table; below each row what is wrong with it and what to do.

use std::collections::HashSet;

use super::columns::{padded, width};
use crate::finding::Severity;
use crate::inventory::due::days_between;
use crate::inventory::{ReasonSeverity, RowState, RowVerdict, StatusRow};
use crate::report::{Label, TextOutput, name_in_words};
use crate::status_report::{JudgedRow, StatusOutcome, requirements_in_words};
use crate::wording::day;

/// The columns of the verdict with the space after it: as wide as the margin with the labels.
const VERDICT: usize = 8;
/// The space between two columns.
const GAP: usize = 2;
/// Cells of a bar.
const BAR: usize = 10;
/// A narrower terminal has the days that are left, without the date.
const NARROW: usize = 60;
/// A narrower terminal has no bars.
const ROOMY: usize = 100;
/// The column of names is at least that wide.
const LEAST: usize = 8;
/// The most rows for which notes and dates are shown.
const FEW: usize = 3;
/// The most places that are listed below a row.
const PLACES: usize = 6;
/// The most renewals that are listed below a row.
const RENEWALS: usize = 3;
/// The most rows for which the next step of a not yet installed certificate is shown.
const SOME: usize = 12;

/// Writes all rows, the files that were written, the findings and a summary. With `-q` only the
/// rows that need action.
pub(crate) fn write(outcome: &StatusOutcome, text: &mut TextOutput) {
    if outcome.rows.is_empty() {
        text.add(Label::Found, "no certificate, request or key was found");
    } else {
        write_rows(outcome, text);
    }
    for written in &outcome.written {
        text.add(Label::Wrote, written.path.display().to_string());
    }
    text.add_findings(&outcome.findings);
    for finding in &outcome.findings {
        if !["keys-unreadable", "no-timer"].contains(&finding.code) {
            continue;
        }
        for step in &finding.next {
            text.add_step(Label::Note, step);
        }
    }
    let count = outcome.rows.len();
    if count > 1 {
        let mut more = String::new();
        if Columns::of(outcome).cells > 0 {
            more.push_str("; the bars show how much of the lifetime is left");
        }
        if count > FEW {
            more.push_str(
                "; +1 stands for one more; pass a name to see its names, dates and renewals",
            );
        }
        text.add(Label::Found, format!("{}{more}", summary(outcome)));
    }
}

fn write_rows(outcome: &StatusOutcome, text: &mut TextOutput) {
    let columns = Columns::of(outcome);
    text.add_table_row(Severity::Note, columns.header());
    let mut shown = HashSet::new();
    for one in &outcome.rows {
        if !(outcome.is_quiet && one.row.verdict() == RowVerdict::Fine) {
            write_row(one, &columns, outcome.rows.len(), text);
            if shows_steps(&one.row, outcome.rows.len()) {
                // The rows of one name may need the same command.
                let mut steps = one.next.clone();
                steps.retain(|step| {
                    shown.insert(step.command.clone().unwrap_or_else(|| step.text.clone()))
                });
                text.add_next_steps(&steps);
            }
        }
    }
}

/// Returns whether the steps of a row are written; with many rows, only those of what is urgent.
fn shows_steps(row: &StatusRow, count: usize) -> bool {
    let waits = row.state == RowState::Ready && count <= SOME;
    row.verdict() != RowVerdict::Fine || count <= FEW || waits
}

/// Writes a row; the fewer rows there are, the more is written below each.
fn write_row(one: &JudgedRow, columns: &Columns, count: usize, text: &mut TextOutput) {
    let row = &one.row;
    let verdict = row.verdict();
    let severity = match verdict {
        RowVerdict::Wrong => Severity::Error,
        RowVerdict::Due => Severity::Warning,
        RowVerdict::Fine => Severity::Note,
    };
    for line in columns.lines(row) {
        text.add_table_row(severity, line);
    }
    let are_few = count <= FEW;
    for (reason, finding) in row.reasons.iter().zip(&one.findings) {
        if are_few || finding.severity > Severity::Note {
            text.add(label_of(reason.severity()), finding.message.clone());
            text.add_code(finding.code);
        }
    }
    if are_few {
        write_dates(row, text);
    }
}

fn label_of(severity: ReasonSeverity) -> Label {
    match severity {
        ReasonSeverity::Wrong => Label::Error,
        ReasonSeverity::Due | ReasonSeverity::Warns => Label::Warning,
        ReasonSeverity::Notes => Label::Note,
    }
}

/// Writes when the row is due, until when the order term and the domain validation last, and what
/// the next renewals need.
fn write_dates(row: &StatusRow, text: &mut TextOutput) {
    if row.state == RowState::Superseded {
        return;
    }
    if row.names.len() > 1 {
        text.add(Label::Note, format!("names: {}", row.names.join(", ")));
    }
    let places = places(row);
    if (2..=PLACES).contains(&places.len()) {
        text.add(Label::Note, format!("places: {}", places.join(", ")));
    }
    if let Some(due) = row.due.filter(|_| row.verdict() == RowVerdict::Fine) {
        let paid = match row.paid_until {
            Some(until) => format!("; paid until {until}"),
            None => String::new(),
        };
        let validation = match row.validation_until {
            Some(until) => format!(
                "; the CA may reuse its domain validation until {}",
                day(until)
            ),
            None => String::new(),
        };
        text.add(
            Label::Note,
            format!("renew from {}{paid}{validation}", day(due)),
        );
    }
    for renewal in row.renewals.iter().take(RENEWALS) {
        let needs = requirements_in_words(renewal);
        text.add(
            Label::Note,
            format!("renewal on {}: {needs}", day(renewal.due)),
        );
    }
}

/// `5 rows: 1 wrong, 1 due, 1 with a warning, 2 fine; 1 error that is not about a row`.
fn summary(outcome: &StatusOutcome) -> String {
    let rows = &outcome.rows;
    let count = |word: &str| {
        let words = rows.iter().map(|one| verdict_in_words(&one.row));
        words.filter(|known| *known == word).count()
    };
    let warned = match count("warning") {
        0 => String::new(),
        1 => "1 with a warning, ".to_owned(),
        many => format!("{many} with warnings, "),
    };
    let errors = outcome.findings.iter();
    let errors = errors.filter(|finding| finding.severity == Severity::Error);
    let others = match errors.count() {
        0 => String::new(),
        1 => "; 1 error that is not about a row".to_owned(),
        many => format!("; {many} errors that are not about a row"),
    };
    format!(
        "{} rows: {} wrong, {} due, {warned}{} fine{others}",
        rows.len(),
        count("wrong"),
        count("due"),
        count("fine")
    )
}

/// How wide the columns are, and what the bars are drawn with.
struct Columns {
    name: usize,
    state: usize,
    expiry: usize,
    cells: usize,
    bar: [char; 2],
    width: usize,
}

impl Columns {
    /// The columns that fit `outcome.width`. A name that takes more than half of it has a line of
    /// its own, and so has a place for which the line has no room.
    fn of(outcome: &StatusOutcome) -> Self {
        let widest = |cell: &dyn Fn(&StatusRow) -> usize| {
            let widths = outcome.rows.iter().map(|one| cell(&one.row));
            widths.max().unwrap_or_default()
        };
        let state = widest(&|row| width(row.state.in_words()));
        let expiry = widest(&|row| width(&expiry(row, outcome.width)));
        let cells = match outcome.width {
            _ if expiry == 0 => 0,
            ..ROOMY => 0,
            _ => BAR,
        };
        let name = name_columns(outcome, [state, expiry, cells]);
        Self {
            name,
            state,
            expiry,
            cells,
            bar: if outcome.is_terminal {
                ['█', '░']
            } else {
                ['#', '.']
            },
            width: outcome.width,
        }
    }

    fn header(&self) -> String {
        let state = padded("STATE", self.state);
        let mut dates = String::new();
        if self.expiry > 0 {
            let title = if self.width < NARROW {
                "LEFT"
            } else {
                "EXPIRES"
            };
            dates = format!("  {}", padded(title, self.expiry));
        }
        if self.cells > 0 {
            dates = format!("{dates}  {}", padded("LEFT", self.cells));
        }
        let line = format!(
            "VERDICT {}  {state}{dates}  PLACE",
            padded("NAME", self.name)
        );
        line.trim_end().to_owned()
    }

    /// The lines of a row. No value is cut.
    fn lines(&self, row: &StatusRow) -> Vec<String> {
        let mut lines = Vec::new();
        let name = name(row, self.name);
        let mut line = padded(verdict_in_words(row), VERDICT);
        if width(&name) > self.name {
            lines.push(format!("{line}{name}"));
            line = " ".repeat(VERDICT + self.name);
        } else {
            line.push_str(&padded(&name, self.name));
        }
        line.push_str(&self.state_and_time(row));
        let place = place(row);
        if width(&line) + GAP + width(&place) <= self.width {
            lines.push(format!("{line}  {place}").trim_end().to_owned());
        } else {
            lines.push(line.trim_end().to_owned());
            lines.push(format!("{}{place}", " ".repeat(VERDICT)));
        }
        lines
    }

    /// The columns between name and place, each with the space before it.
    fn state_and_time(&self, row: &StatusRow) -> String {
        let state = padded(row.state.in_words(), self.state);
        if self.expiry == 0 {
            return format!("  {state}");
        }
        let expiry = padded(&expiry(row, self.width), self.expiry);
        if self.cells == 0 {
            return format!("  {state}  {expiry}");
        }
        format!("  {state}  {expiry}  {}", self.bar(row))
    }

    /// A bar: the part of the lifetime that is left is filled.
    fn bar(&self, row: &StatusRow) -> String {
        let Some((certificate, days)) = row.certificate.as_ref().zip(row.days_left) else {
            return " ".repeat(self.cells);
        };
        let lifetime = days_between(certificate.not_before, certificate.not_after).max(1);
        let cells = i64::try_from(self.cells).unwrap_or(0);
        let rounded_up = (days * cells + lifetime - 1).div_euclid(lifetime);
        let left = usize::try_from(rounded_up.clamp(0, cells)).unwrap_or(0);
        let [full, empty] = self.bar;
        std::iter::repeat_n(full, left)
            .chain(std::iter::repeat_n(empty, self.cells - left))
            .collect()
    }
}

/// The verdict; a row without a fault that has a warning is not called fine.
fn verdict_in_words(row: &StatusRow) -> &'static str {
    match row.verdict() {
        RowVerdict::Fine if row.warns() => "warning",
        verdict => verdict.name(),
    }
}

/// Returns the columns of the widest name that is shown beside the columns `after` it.
fn name_columns(outcome: &StatusOutcome, after: [usize; 3]) -> usize {
    let others = after.iter().filter(|&&columns| columns > 0);
    let others: usize = others.map(|columns| GAP + columns).sum();
    let room = outcome.width.saturating_sub(VERDICT + others);
    let most = room.min(outcome.width / 2).max(LEAST);
    let names = outcome.rows.iter().map(|one| width(&name(&one.row, most)));
    let widest = names.filter(|columns| *columns <= most).max();
    widest.unwrap_or_default().max(LEAST)
}

/// The expiry date, and in how many days that is: `2027-06-10, 201 d`; in a narrow terminal only the
/// days.
fn expiry(row: &StatusRow, terminal: usize) -> String {
    match (row.expiry, row.days_left) {
        (Some(_), Some(days)) if terminal < NARROW => format!("{days} d"),
        (Some(expiry), Some(days)) => format!("{}, {days} d", day(expiry)),
        _ => String::new(),
    }
}

/// The first name, and how many more there are: `www.example.com +2`. Where the Unicode form does
/// not fit beside the A-labels, only the A-labels.
fn name(row: &StatusRow, columns: usize) -> String {
    let both = with_more(&name_in_words(&row.name), row.names.len());
    if width(&both) > columns {
        with_more(&row.name, row.names.len())
    } else {
        both
    }
}

/// The place that users know best, and how many more there are.
fn place(row: &StatusRow) -> String {
    let place = row
        .main_location()
        .map(ToString::to_string)
        .unwrap_or_default();
    with_more(&place, places(row).len())
}

/// All places, each once: an address that serves several names is one place.
fn places(row: &StatusRow) -> Vec<String> {
    let mut known = HashSet::new();
    let all = row.locations.iter().map(ToString::to_string);
    all.filter(|place| known.insert(place.clone())).collect()
}

/// The first of `count` items, and how many more there are.
fn with_more(first: &str, count: usize) -> String {
    match count {
        0 | 1 => first.to_owned(),
        count => format!("{first} +{}", count - 1),
    }
}
