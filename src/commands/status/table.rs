//! The rows for people: a line each, what is wrong and what to do below it.

use super::shown::{Judged, StatusOutcome};
use crate::finding::Severity;
use crate::inventory::reason::day;
use crate::inventory::{Row, State, Verdict};
use crate::report::{Text, name_in_words};

/// What the columns take beside name, bar and place: the label, the state, the days, and what lies between.
const FIXED: usize = 7 + 14 + 8 + 2;
/// Cells of the bar, with a blank.
const BAR: usize = 10;
/// A narrower terminal has no bar.
const NARROW: usize = 80;
/// No column is narrower.
const LEAST: usize = 8;
/// Of so few rows the notes are told too.
const FEW: usize = 3;

/// Writes the table.
pub(super) fn write(outcome: &StatusOutcome, text: &mut Text) {
    if outcome.rows.is_empty() {
        text.fact("found", "no certificate, request or key");
    }
    let columns = Columns::of(outcome);
    let few = outcome.rows.len() <= FEW;
    for one in &outcome.rows {
        let verdict = one.row.verdict();
        let line = columns.line(&one.row);
        let mut say = |line: String| match verdict {
            Verdict::Wrong => text.bad("wrong", line),
            Verdict::Due => text.act("due", line),
            Verdict::Fine => text.fact("fine", line),
        };
        say(line);
        let told = one.findings.iter().filter(|finding| few || finding.severity > Severity::Note);
        told.for_each(|finding| say(format!("  {}", finding.message)));
        if few {
            calendar(&one.row).into_iter().for_each(|line| say(format!("  {line}")));
        }
        if verdict != Verdict::Fine || few {
            one.next.iter().for_each(|next| say(format!("  next: {}", next.text)));
        }
    }
    outcome.written.iter().for_each(|one| text.fact("wrote", one.path.display().to_string()));
    text.findings(&outcome.findings);
    if outcome.rows.len() > 1 {
        text.fact("so", in_sum(&outcome.rows));
    }
}

/// The clocks of one row.
fn calendar(row: &Row) -> Option<String> {
    let due = row.due.filter(|_| !matches!(row.state, State::Superseded) && row.verdict() == Verdict::Fine)?;
    let paid = row.paid_until.map(|until| format!("; paid for until {until}")).unwrap_or_default();
    let proof = row.proof_until.map(|until| format!("; the CA may go by its proof until {}", day(until)));
    Some(format!("next round from {}{paid}{}", day(due), proof.unwrap_or_default()))
}

/// `5 certificates: 3 fine, 1 due, 1 wrong`.
fn in_sum(rows: &[Judged]) -> String {
    let count = |verdict| rows.iter().filter(|one| one.row.verdict() == verdict).count();
    let [fine, due, wrong] = [Verdict::Fine, Verdict::Due, Verdict::Wrong].map(count);
    format!("{} rows: {wrong} wrong, {due} due, {fine} fine", rows.len())
}

/// How wide the columns are.
struct Columns {
    name: usize,
    place: usize,
    bar: [char; 2],
    cells: usize,
}

impl Columns {
    fn of(outcome: &StatusOutcome) -> Self {
        let widest = |of: fn(&Row) -> String| outcome.rows.iter().map(|one| of(&one.row).chars().count()).max();
        let (name, place) = (widest(name).unwrap_or(0).min(60), widest(place).unwrap_or(0));
        let Some(width) = outcome.width else { return Self { name, place, bar: ['#', '.'], cells: BAR } };
        let cells = if width < NARROW { 0 } else { BAR };
        let room = width.saturating_sub(FIXED + cells).max(2 * LEAST);
        let name = name.min((room / 2).max(room.saturating_sub(place)));
        Self { name, place: room.saturating_sub(name), bar: ['█', '░'], cells }
    }

    fn line(&self, row: &Row) -> String {
        let days = row.days_left.map(|days| format!("{days} d")).unwrap_or_default();
        let cells = [cut(&name(row), self.name), cut(&place(row), self.place)];
        let line = format!(
            "{:<width$} {:<13} {days:>7} {} {}",
            cells[0],
            row.state.in_words(),
            self.bar(row),
            cells[1],
            width = self.name
        );
        line.trim_end().to_owned()
    }

    /// How much of its lifetime is left.
    fn bar(&self, row: &Row) -> String {
        let Some((certificate, days)) = row.certificate.as_ref().zip(row.days_left) else {
            return " ".repeat(self.cells);
        };
        let lifetime = crate::inventory::due::days_between(certificate.not_before, certificate.not_after).max(1);
        let cells = i64::try_from(self.cells).unwrap_or(0);
        let left = usize::try_from((days * cells + lifetime - 1).div_euclid(lifetime).clamp(0, cells)).unwrap_or(0);
        let [full, empty] = self.bar;
        std::iter::repeat_n(full, left).chain(std::iter::repeat_n(empty, self.cells - left)).collect()
    }
}

/// The first name, and how many more there are.
fn name(row: &Row) -> String {
    let more = row.names.len().saturating_sub(1);
    let name = name_in_words(&row.name);
    if more == 0 { name } else { format!("{name} +{more}") }
}

/// Where it is, best known first.
fn place(row: &Row) -> String {
    let more = row.places.len().max(1) - 1;
    let place = row.place().map(ToString::to_string).unwrap_or_default();
    if more == 0 { place } else { format!("{place} +{more}") }
}

/// The end of what is too long is the least told of a name, the start of a path.
fn cut(text: &str, width: usize) -> String {
    let count = text.chars().count();
    if count <= width {
        return text.to_owned();
    }
    let keep = width.saturating_sub(1);
    if text.contains('/') {
        let tail: String = text.chars().skip(count - keep).collect();
        return format!("…{tail}");
    }
    format!("{}…", text.chars().take(keep).collect::<String>())
}
