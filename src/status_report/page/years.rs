//! The work ahead: the renewals of each month as bars, with the rule changes, and the renewals of
//! each year in numbers.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::timeline::Timeline;
use crate::inventory::schedule::{ScheduledRenewal, ValidationMethod};
use crate::inventory::{RowState, StatusRow};
use crate::pki::baseline_dates::midnight_utc;
use crate::status_report::JudgedRow;
use crate::wording;

/// The number of renewals, and how many of them need a new domain validation.
#[derive(Clone, Copy, Default)]
struct Workload {
    renewals: i64,
    validations: i64,
}

impl Workload {
    fn of_scheduled(renewal: &ScheduledRenewal) -> Self {
        Self {
            renewals: 1,
            validations: i64::from(renewal.validation == ValidationMethod::New),
        }
    }

    fn add(&mut self, other: Self) {
        self.renewals += other.renewals;
        self.validations += other.validations;
    }
}

/// The renewals of a row; a company's own CA validates no domains.
fn work_of_row(row: &StatusRow) -> Vec<(Timestamp, Workload)> {
    let mut work = Vec::new();
    for renewal in &row.renewals {
        work.push((renewal.due, Workload::of_scheduled(renewal)));
    }
    let expected = Workload {
        renewals: 1,
        validations: 0,
    };
    work.extend(row.expected_renewals.iter().map(|due| (*due, expected)));
    work
}

/// The height of the drawing in its own units.
const HIGH: i64 = 100;

/// Returns the section, or nothing if no renewal is scheduled.
pub(crate) fn section(rows: &[JudgedRow], timeline: &Timeline) -> String {
    let now = timeline.now();
    let mut months: BTreeMap<Date, Workload> = BTreeMap::new();
    let mut years: BTreeMap<i16, Workload> = BTreeMap::new();
    let live = rows.iter().map(|one| &one.row);
    let live = live.filter(|row| row.state != RowState::Superseded);
    for (due, work) in live.flat_map(work_of_row) {
        let day = wording::date(due.max(now));
        months.entry(day.first_of_month()).or_default().add(work);
        years.entry(day.year()).or_default().add(work);
    }
    if years.is_empty() {
        return String::new();
    }
    format!(
        "<section id=\"ahead\"><h2>Work ahead</h2>\n{}{}</section>\n",
        bars(&months, &timeline.ahead()),
        table(&years)
    )
}

/// Draws a bar for each month; its darker part stands for the renewals that need a new domain
/// validation.
fn bars(months: &BTreeMap<Date, Workload>, line: &Timeline) -> String {
    let most = months
        .values()
        .map(|work| work.renewals)
        .max()
        .unwrap_or(1)
        .max(1);
    let mut bars = String::new();
    for (month, work) in months {
        bars.push_str(&bar(*month, work, most, line));
    }
    format!(
        "<figure class=\"work\">{axis}<svg class=\"bars\" viewBox=\"0 0 1000 {HIGH}\" preserveAspectRatio=\"none\" \
         role=\"img\" aria-label=\"Renewals per month\">{bars}{lines}</svg>\n<figcaption>Renewals per month, at most \
         {most}: <svg class=\"swatch\" aria-hidden=\"true\"><rect class=\"validations\" width=\"100%\" height=\"100%\"/></svg> \
         with a new domain validation <svg class=\"swatch\" aria-hidden=\"true\"><rect class=\"renewals\" width=\"100%\" \
         height=\"100%\"/></svg> without</figcaption></figure>\n",
        axis = line.axis(),
        lines = line.lines(HIGH),
    )
}

/// Draws the bar of one month; a bar of `most` renewals is as high as the drawing.
fn bar(month: Date, work: &Workload, most: i64, line: &Timeline) -> String {
    let next = month.checked_add(1.month()).unwrap_or(month);
    let left = line.x(midnight_utc(month).as_second());
    let right = line.x(midnight_utc(next).as_second().min(line.end().as_second()));
    let width = (right - left - 2).max(2);
    let mut rectangles = String::new();
    for (class, count) in [
        ("renewals", work.renewals),
        ("validations", work.validations),
    ] {
        let height = count * HIGH / most;
        rectangles.push_str(&format!(
            "<rect class=\"{class}\" x=\"{left}\" y=\"{}\" width=\"{width}\" height=\"{height}\"/>",
            HIGH - height
        ));
    }
    format!(
        "<g><title>{}: {} renewals, {} with a new domain validation</title>{rectangles}</g>",
        month.strftime("%Y-%m"),
        work.renewals,
        work.validations
    )
}

fn table(years: &BTreeMap<i16, Workload>) -> String {
    let rows: String = years
        .iter()
        .map(|(year, work)| {
            format!(
                "<tr><th scope=\"row\">{year}</th><td>{}</td><td>{}</td></tr>",
                work.renewals, work.validations
            )
        })
        .collect();
    format!(
        "<table class=\"years\"><thead><tr><th scope=\"col\">Year</th><th scope=\"col\">Renewals</th>\
         <th scope=\"col\">with a new domain validation</th></tr></thead><tbody>{rows}</tbody></table>\n"
    )
}
