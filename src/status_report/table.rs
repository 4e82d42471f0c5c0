//! The rows for people: a line each, what is wrong and what to do below it.

use super::columns::{cut, padded, width};
use crate::finding::Severity;
use crate::inventory::due::days_between;
use crate::inventory::{RowState, RowVerdict, StatusRow};
use crate::report::{Label, TextOutput, name_in_words};
use crate::status_report::{JudgedRow, StatusOutcome, requirements_in_words};
use crate::wording::day;

/// The columns of the label before each line.
const LABEL: usize = 7;
/// Cells of the bar.
const BAR: usize = 10;
/// A narrower terminal does not show places.
const TINY: usize = 60;
/// A narrower terminal has no bar.
const NARROW: usize = 80;
/// A narrower terminal has half a bar.
const ROOMY: usize = 110;
/// No column is narrower.
const LEAST: usize = 8;
/// The most rows for which notes and dates are shown.
const FEW: usize = 3;
/// The most renewals that are listed of a row.
const ROUNDS: usize = 3;
/// The most rows for which the next step of a request or certificate that waits is shown.
const SOME: usize = 12;

/// Writes all rows, the files that were written, the findings and a summary.
pub(crate) fn write(outcome: &StatusOutcome, text: &mut TextOutput) {
    if outcome.rows.is_empty() {
        text.add(Label::Found, "no certificate, request or key");
    }
    let columns = Columns::of(outcome);
    let count = outcome.rows.len();
    for one in &outcome.rows {
        write_row(one, &columns, count, text);
    }
    for written in &outcome.written {
        text.add(Label::Wrote, written.path.display().to_string());
    }
    text.add_findings(&outcome.findings);
    if count > 1 {
        let more = if count <= FEW {
            ""
        } else {
            "; more of one:  certctl status NAME"
        };
        text.add(Label::Done, format!("{}{more}", summary(&outcome.rows)));
    }
}

/// Writes a row; the fewer rows there are, the more is written below each.
fn write_row(one: &JudgedRow, columns: &Columns, count: usize, text: &mut TextOutput) {
    let verdict = one.row.verdict();
    let few = count <= FEW;
    let mut lines = vec![columns.line(&one.row)];
    for finding in &one.findings {
        if few || finding.severity > Severity::Note {
            lines.push(format!("  {}", finding.message));
        }
    }
    if few {
        lines.extend(dates(&one.row).map(|line| format!("  {line}")));
        lines.extend(renewals(&one.row).iter().map(|line| format!("    {line}")));
    }
    let waits = matches!(one.row.state, RowState::Pending | RowState::Ready) && count <= SOME;
    if verdict != RowVerdict::Fine || few || waits {
        lines.extend(one.next.iter().map(|next| format!("  next: {}", next.text)));
    }
    for line in lines {
        match verdict {
            RowVerdict::Wrong => text.add(Label::Error, line),
            RowVerdict::Due => text.add(Label::Note, line),
            RowVerdict::Fine => text.add(Label::Done, line),
        }
    }
}

/// When the row is due, and until when the paid term and the domain validation last.
fn dates(row: &StatusRow) -> Option<String> {
    let is_shown = row.state != RowState::Superseded && row.verdict() == RowVerdict::Fine;
    let due = row.due.filter(|_| is_shown)?;
    let paid = match row.paid_until {
        Some(until) => format!("; paid for until {until}"),
        None => String::new(),
    };
    let proof = match row.validation_until {
        Some(until) => format!("; the CA may go by its proof until {}", day(until)),
        None => String::new(),
    };
    Some(format!("next round from {}{paid}{proof}", day(due)))
}

/// The next renewals, each with what it needs.
fn renewals(row: &StatusRow) -> Vec<String> {
    if row.state == RowState::Superseded {
        return Vec::new();
    }
    let next = row.renewals.iter().take(ROUNDS);
    next.map(|renewal| format!("{}: {}", day(renewal.due), requirements_in_words(renewal)))
        .collect()
}

/// `5 rows: 1 wrong, 1 due, 3 fine`.
fn summary(rows: &[JudgedRow]) -> String {
    let wrong = count_with(rows, RowVerdict::Wrong);
    let due = count_with(rows, RowVerdict::Due);
    let fine = count_with(rows, RowVerdict::Fine);
    format!("{} rows: {wrong} wrong, {due} due, {fine} fine", rows.len())
}

fn count_with(rows: &[JudgedRow], verdict: RowVerdict) -> usize {
    let rows = rows.iter().filter(|one| one.row.verdict() == verdict);
    rows.count()
}

/// How wide the columns are.
struct Columns {
    name: usize,
    state: usize,
    days: usize,
    place: usize,
    bar: [char; 2],
    cells: usize,
}

/// How wide the widest value of each column is.
#[derive(Default)]
struct NeededWidths {
    name: usize,
    state: usize,
    days: usize,
    place: usize,
}

impl NeededWidths {
    fn of(rows: &[JudgedRow]) -> Self {
        let mut needed = Self::default();
        for JudgedRow { row, .. } in rows {
            needed.name = needed.name.max(width(&name(row, usize::MAX)));
            needed.state = needed.state.max(width(row.state.in_words()));
            needed.days = needed.days.max(width(&days(row)));
            needed.place = needed.place.max(width(&place(row, usize::MAX)));
        }
        needed
    }
}

impl Columns {
    fn of(outcome: &StatusOutcome) -> Self {
        let needed = NeededWidths::of(&outcome.rows);
        match outcome.width {
            Some(width) => Self::in_terminal(&needed, width),
            None => Self {
                name: needed.name.min(60),
                state: needed.state,
                days: needed.days,
                place: needed.place,
                bar: ['#', '.'],
                cells: BAR,
            },
        }
    }

    /// Shares out the columns of a terminal. Where there is room, name and place have all that they
    /// need; else the name has three fifths.
    fn in_terminal(needed: &NeededWidths, width: usize) -> Self {
        let cells = match width {
            ..ROOMY if needed.days == 0 => 0,
            ..NARROW => 0,
            NARROW..ROOMY => BAR / 2,
            _ => BAR,
        };
        let place = if width < TINY { 0 } else { needed.place };
        let room = width
            .saturating_sub(LABEL + needed.state + needed.days + cells + 4)
            .max(2 * LEAST);
        let name = needed
            .name
            .min((room * 3 / 5).max(room.saturating_sub(place)));
        Self {
            name,
            state: needed.state,
            days: needed.days,
            place: room.saturating_sub(name),
            bar: ['█', '░'],
            cells,
        }
    }

    fn line(&self, row: &StatusRow) -> String {
        let line = format!(
            "{} {:<state$} {:>days$} {} {}",
            padded(&name(row, self.name), self.name),
            row.state.in_words(),
            days(row),
            self.bar(row),
            place(row, self.place),
            state = self.state,
            days = self.days,
        );
        line.trim_end().to_owned()
    }

    /// How much of its lifetime is left.
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

fn days(row: &StatusRow) -> String {
    row.days_left
        .map(|days| format!("{days} d"))
        .unwrap_or_default()
}

/// The first name, and how many more there are. Where there is no room for the Unicode form too,
/// only the A-labels.
fn name(row: &StatusRow, columns: usize) -> String {
    let both = name_in_words(&row.name);
    let name = if width(&with_more(&both, row.names.len(), usize::MAX)) > columns {
        &row.name
    } else {
        &both
    };
    with_more(name, row.names.len(), columns)
}

/// The place that users know best, and how many more there are.
fn place(row: &StatusRow, columns: usize) -> String {
    if columns == 0 {
        return String::new();
    }
    let place = row
        .main_location()
        .map(ToString::to_string)
        .unwrap_or_default();
    with_more(&place, row.locations.len(), columns)
}

/// The first of `count` items, and how many more there are.
fn with_more(first: &str, count: usize, columns: usize) -> String {
    match count {
        0 | 1 => cut(first, columns),
        count => {
            let more = format!(" +{}", count - 1);
            cut(first, columns.saturating_sub(more.len())) + &more
        }
    }
}
