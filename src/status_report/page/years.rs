//! How much work lies ahead: the rounds of each month as bars under the rules that change, and of
//! each year in numbers.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

use super::timeline::Timeline;
use crate::inventory::RowState;
use crate::inventory::schedule::{ScheduledRenewal, ValidationMethod};
use crate::pki::baseline_dates::begin;
use crate::status_report::JudgedRow;

/// Rounds, and how many of them need a new proof of control.
type Count = [i64; 2];

/// How high the bars are, in their own units.
const HIGH: i64 = 100;

/// The section; nothing where no round is to come.
pub(crate) fn section(rows: &[JudgedRow], now: Timestamp) -> String {
    let (mut months, mut years) = (
        BTreeMap::<Date, Count>::new(),
        BTreeMap::<i16, Count>::new(),
    );
    let live = rows
        .iter()
        .map(|one| &one.row)
        .filter(|row| row.state != RowState::Superseded);
    for ScheduledRenewal { due, proof, .. } in live.flat_map(|row| &row.rounds) {
        let day = Offset::UTC.to_datetime((*due).max(now)).date();
        for [rounds, proofs] in [
            months.entry(day.first_of_month()).or_default(),
            years.entry(day.year()).or_default(),
        ] {
            *rounds += 1;
            *proofs += i64::from(*proof == ValidationMethod::New);
        }
    }
    if years.is_empty() {
        return String::new();
    }
    format!(
        "<section id=\"ahead\"><h2>Work ahead</h2>\n{}{}</section>\n",
        bars(&months, &Timeline::ahead(now)),
        table(&years)
    )
}

/// A bar a month; what needs a new proof of control is its darker part.
fn bars(months: &BTreeMap<Date, Count>, line: &Timeline) -> String {
    let most = months
        .values()
        .map(|[rounds, _]| *rounds)
        .max()
        .unwrap_or(1)
        .max(1);
    let bar = |(month, [rounds, proofs]): (&Date, &Count)| {
        let next = month.checked_add(1.month()).unwrap_or(*month);
        let (left, right) = (
            line.x(begin(*month).as_second()),
            line.x(begin(next).as_second().min(line.end().as_second())),
        );
        let part = |class: &str, count: i64| {
            let high = count * HIGH / most;
            let wide = (right - left - 2).max(2);
            format!(
                "<rect class=\"{class}\" x=\"{left}\" y=\"{}\" width=\"{wide}\" height=\"{high}\"/>",
                HIGH - high
            )
        };
        format!(
            "<g><title>{}: {rounds} rounds, {proofs} with a new proof of control</title>{}{}</g>",
            month.strftime("%Y-%m"),
            part("rounds", *rounds),
            part("proofs", *proofs)
        )
    };
    let bars: String = months.iter().map(bar).collect();
    format!(
        "<figure class=\"work\">{axis}<svg class=\"bars\" viewBox=\"0 0 1000 {HIGH}\" preserveAspectRatio=\"none\" \
         role=\"img\" aria-label=\"Rounds of each month\">{bars}{lines}</svg>\n<figcaption>Rounds of each month, at most \
         {most}: <svg class=\"swatch\" aria-hidden=\"true\"><rect class=\"proofs\" width=\"100%\" height=\"100%\"/></svg> \
         with a new proof of control <svg class=\"swatch\" aria-hidden=\"true\"><rect class=\"rounds\" width=\"100%\" \
         height=\"100%\"/></svg> the CA may go by the one that it has</figcaption></figure>\n",
        axis = line.axis(),
        lines = line.lines(HIGH),
    )
}

fn table(years: &BTreeMap<i16, Count>) -> String {
    let row = |(year, [rounds, proofs]): (&i16, &Count)| {
        format!("<tr><th scope=\"row\">{year}</th><td>{rounds}</td><td>{proofs}</td></tr>")
    };
    format!(
        "<table class=\"years\"><thead><tr><th scope=\"col\">Year</th><th scope=\"col\">Rounds</th>\
         <th scope=\"col\">with a new proof of control</th></tr></thead><tbody>{}</tbody></table>\n",
        years.iter().map(row).collect::<String>()
    )
}
