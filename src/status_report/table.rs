//! The rows for people: a table; below each row what is wrong with it and what to do.

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
/// Cells of a bar in a wide terminal.
const BAR: usize = 10;
/// A narrower terminal has no bars.
const NARROW: usize = 60;
/// A narrower terminal has bars of half the length.
const ROOMY: usize = 100;
/// The column of names is at least that wide.
const LEAST: usize = 8;
/// The most rows for which notes and dates are shown.
const FEW: usize = 3;
/// The most renewals that are listed below a row.
const RENEWALS: usize = 3;
/// The most rows for which the next step of a pending or not yet installed certificate is shown.
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
        let more = if count <= FEW {
            ""
        } else {
            "; pass a name to see its dates and renewals too"
        };
        text.add(Label::Found, format!("{}{more}", summary(outcome)));
    }
}

fn write_rows(outcome: &StatusOutcome, text: &mut TextOutput) {
    let columns = Columns::of(outcome);
    text.add_table_row(Severity::Note, columns.header());
    for one in &outcome.rows {
        if !(outcome.is_quiet && one.row.verdict() == RowVerdict::Fine) {
            write_row(one, &columns, outcome.rows.len(), text);
        }
    }
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
    let waits = matches!(row.state, RowState::Pending | RowState::Ready) && count <= SOME;
    if verdict != RowVerdict::Fine || are_few || waits {
        text.add_next_steps(&one.next);
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
    days: usize,
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
        let days = widest(&|row| width(&days(row)));
        let cells = match outcome.width {
            _ if days == 0 => 0,
            ..NARROW => 0,
            NARROW..ROOMY => BAR / 2,
            _ => BAR,
        };
        let name = name_columns(outcome, [state, days, cells]);
        Self {
            name,
            state,
            days,
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
        let left = match self.days {
            0 => String::new(),
            days => format!("  {}", padded("LEFT", days + GAP + self.cells)),
        };
        let line = format!(
            "VERDICT {}  {state}{left}  PLACE",
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
        if self.days == 0 {
            return format!("  {state}");
        }
        let days = format!("{:>columns$}", days(row), columns = self.days);
        format!("  {state}  {days}  {}", self.bar(row))
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

fn days(row: &StatusRow) -> String {
    row.days_left
        .map(|days| format!("{days} d"))
        .unwrap_or_default()
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
    with_more(&place, row.locations.len())
}

/// The first of `count` items, and how many more there are.
fn with_more(first: &str, count: usize) -> String {
    match count {
        0 | 1 => first.to_owned(),
        count => format!("{first} +{}", count - 1),
    }
}
