//! The rows for people: a line each, what is wrong and what to do below it.

use super::columns::{cut, padded, width};
use crate::finding::Severity;
use crate::inventory::reason::day;
use crate::inventory::{RowState, RowVerdict, StatusRow};
use crate::report::{TextOutput, name_in_words};
use crate::status_report::{JudgedRow, StatusOutcome, needs};

/// What the label before each line takes.
const LABEL: usize = 7;
/// Cells of the bar.
const BAR: usize = 10;
/// A narrower terminal does not say where.
const TINY: usize = 60;
/// A narrower terminal has no bar.
const NARROW: usize = 80;
/// A narrower one has half of one.
const ROOMY: usize = 110;
/// No column is narrower.
const LEAST: usize = 8;
/// Of so few rows the notes are told too.
const FEW: usize = 3;
/// So many rounds to come are told of each.
const ROUNDS: usize = 3;
/// Of so few it is told what waits for a step, too.
const SOME: usize = 12;

pub(crate) fn write(outcome: &StatusOutcome, text: &mut TextOutput) {
    if outcome.rows.is_empty() {
        text.fact("found", "no certificate, request or key");
    }
    let columns = Columns::of(outcome);
    let few = outcome.rows.len() <= FEW;
    for one in &outcome.rows {
        let verdict = one.row.verdict();
        let line = columns.line(&one.row);
        let mut say = |line: String| match verdict {
            RowVerdict::Wrong => text.bad("wrong", line),
            RowVerdict::Due => text.act("due", line),
            RowVerdict::Fine => text.fact("fine", line),
        };
        say(line);
        let told = one
            .findings
            .iter()
            .filter(|finding| few || finding.severity > Severity::Note);
        told.for_each(|finding| say(format!("  {}", finding.message)));
        if few {
            calendar(&one.row)
                .into_iter()
                .for_each(|line| say(format!("  {line}")));
            rounds(&one.row)
                .into_iter()
                .for_each(|line| say(format!("    {line}")));
        }
        let waits = matches!(one.row.state, RowState::Pending | RowState::Ready)
            && outcome.rows.len() <= SOME;
        if verdict != RowVerdict::Fine || few || waits {
            one.next
                .iter()
                .for_each(|next| say(format!("  next: {}", next.text)));
        }
    }
    outcome
        .written
        .iter()
        .for_each(|one| text.fact("wrote", one.path.display().to_string()));
    text.findings(&outcome.findings);
    if outcome.rows.len() > 1 {
        let more = if few {
            ""
        } else {
            "; more of one:  certctl status NAME"
        };
        text.fact("so", format!("{}{more}", in_sum(&outcome.rows)));
    }
}

/// The clocks of one row.
fn calendar(row: &StatusRow) -> Option<String> {
    let due = row.due.filter(|_| {
        !matches!(row.state, RowState::Superseded) && row.verdict() == RowVerdict::Fine
    })?;
    let paid = row
        .paid_until
        .map(|until| format!("; paid for until {until}"))
        .unwrap_or_default();
    let proof = row
        .proof_until
        .map(|until| format!("; the CA may go by its proof until {}", day(until)));
    Some(format!(
        "next round from {}{paid}{}",
        day(due),
        proof.unwrap_or_default()
    ))
}

/// The first rounds to come, each with what it needs.
fn rounds(row: &StatusRow) -> Vec<String> {
    let live = row
        .rounds
        .iter()
        .filter(|_| row.state != RowState::Superseded)
        .take(ROUNDS);
    live.map(|round| format!("{}: {}", day(round.due), needs(round)))
        .collect()
}

/// `5 certificates: 3 fine, 1 due, 1 wrong`.
fn in_sum(rows: &[JudgedRow]) -> String {
    let count = |verdict| {
        rows.iter()
            .filter(|one| one.row.verdict() == verdict)
            .count()
    };
    let [fine, due, wrong] = [RowVerdict::Fine, RowVerdict::Due, RowVerdict::Wrong].map(count);
    format!("{} rows: {wrong} wrong, {due} due, {fine} fine", rows.len())
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

impl Columns {
    fn of(outcome: &StatusOutcome) -> Self {
        let widest = |of: fn(&StatusRow) -> String| {
            outcome
                .rows
                .iter()
                .map(|one| width(&of(&one.row)))
                .max()
                .unwrap_or(0)
        };
        let (state, days) = (widest(|row| row.state.in_words().to_owned()), widest(days));
        let (name, place) = (
            widest(|row| name(row, usize::MAX)),
            widest(|row| place(row, usize::MAX)),
        );
        let Some(all) = outcome.width else {
            return Self {
                name: name.min(60),
                state,
                days,
                place,
                bar: ['#', '.'],
                cells: BAR,
            };
        };
        let cells = match all {
            ..ROOMY if days == 0 => 0,
            ..NARROW => 0,
            NARROW..ROOMY => BAR / 2,
            _ => BAR,
        };
        let place = if all < TINY { 0 } else { place };
        let room = all
            .saturating_sub(LABEL + state + days + cells + 4)
            .max(2 * LEAST);
        // Where there is room for both, both have all that they need; else a name needs more than a
        // place.
        let name = name.min((room * 3 / 5).max(room.saturating_sub(place)));
        Self {
            name,
            state,
            days,
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
        let lifetime =
            crate::inventory::due::days_between(certificate.not_before, certificate.not_after)
                .max(1);
        let cells = i64::try_from(self.cells).unwrap_or(0);
        let left = usize::try_from(
            (days * cells + lifetime - 1)
                .div_euclid(lifetime)
                .clamp(0, cells),
        )
        .unwrap_or(0);
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

/// The first name, and how many more there are. Where there is no room for both forms of a name,
/// the one that is sure.
fn name(row: &StatusRow, columns: usize) -> String {
    let both = name_in_words(&row.name);
    let name = if width(&with_more(&both, row.names.len(), usize::MAX)) > columns {
        &row.name
    } else {
        &both
    };
    with_more(name, row.names.len(), columns)
}

/// Where it is, best known first.
fn place(row: &StatusRow, columns: usize) -> String {
    if columns == 0 {
        return String::new();
    }
    let place = row.place().map(ToString::to_string).unwrap_or_default();
    with_more(&place, row.places.len(), columns)
}

/// The first of `count`.
fn with_more(first: &str, count: usize, columns: usize) -> String {
    match count {
        0 | 1 => cut(first, columns),
        count => {
            let more = format!(" +{}", count - 1);
            cut(first, columns.saturating_sub(more.len())) + &more
        }
    }
}
