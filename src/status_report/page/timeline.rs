//! Every certificate from its first to its last day, with the rounds to come, today, and the days
//! on which rules change. One scale for all; a drawing a row, so that it goes wherever its row is
//! sorted to.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::Offset;

use super::markup::text;
use crate::inventory::StatusRow;
use crate::inventory::rule_changes::{ClientAuthUse, RuleChange, changes};
use crate::pki::baseline_dates::begin;

/// How far back it shows.
const BEFORE: i64 = 120 * 86_400;
/// The least that it shows ahead.
const AHEAD: i64 = 540 * 86_400;
/// The rules are known so far.
const LAST: Date = date(2030, 1, 1);
/// Its width in its own units; it stretches to whatever there is.
const WIDE: i64 = 1000;

/// The scale and what is drawn behind every row.
pub(crate) struct Timeline {
    from: i64,
    to: i64,
    now: i64,
    changes: Vec<RuleChange>,
}

impl Timeline {
    /// The one around an instant.
    pub(crate) fn from(now: Timestamp) -> Self {
        let from = now.as_second().saturating_sub(BEFORE);
        let to = now
            .as_second()
            .saturating_add(AHEAD)
            .max(begin(LAST).as_second());
        let end = Timestamp::from_second(to).unwrap_or(Timestamp::MAX);
        let all = changes(
            &(Timestamp::from_second(from).unwrap_or(now)..=end),
            ClientAuthUse::Yes,
        );
        Self {
            from,
            to,
            now: now.as_second(),
            changes: all,
        }
    }

    /// The one of what lies ahead of an instant.
    pub(crate) fn ahead(now: Timestamp) -> Self {
        let around = Self::from(now);
        let changes = around
            .changes
            .into_iter()
            .filter(|change| begin(change.from) > now)
            .collect();
        Self {
            from: now.as_second(),
            changes,
            ..around
        }
    }

    /// The instant of the page.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.now).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn end(&self) -> Timestamp {
        Timestamp::from_second(self.to).unwrap_or(Timestamp::MAX)
    }

    /// Tenths of a percent from the left edge; what lies outside is at an edge.
    pub(crate) fn x(&self, at: i64) -> i64 {
        let along = at.clamp(self.from, self.to) - self.from;
        along * WIDE / (self.to - self.from).max(1)
    }

    /// The days on which rules change, each with its number.
    fn marks(&self) -> Vec<(usize, Date)> {
        let mut days: Vec<Date> = self.changes.iter().map(|change| change.from).collect();
        days.dedup();
        days.into_iter()
            .enumerate()
            .map(|(index, day)| (index + 1, day))
            .collect()
    }

    fn years(&self) -> Vec<(i16, i64)> {
        let year =
            |at| Timestamp::from_second(at).map_or(1970, |at| Offset::UTC.to_datetime(at).year());
        (year(self.from)..=year(self.to))
            .filter_map(|year| Some((year, begin(Date::new(year, 1, 1).ok()?).as_second())))
            .filter(|(_, at)| (self.from..self.to).contains(at))
            .collect()
    }

    /// The years and the rules as lines of some height.
    pub(crate) fn lines(&self, high: i64) -> String {
        let line = |class: &str, at: i64| {
            format!("<path class=\"{class}\" d=\"M{} 0v{high}\"/>", self.x(at))
        };
        let years: String = self
            .years()
            .iter()
            .map(|(_, at)| line("year", *at))
            .collect();
        let rules: String = self
            .marks()
            .iter()
            .map(|(_, day)| line("rule", begin(*day).as_second()))
            .collect();
        years + &rules
    }

    /// The lines behind every row, drawn once and used by each.
    pub(crate) fn grid(&self) -> String {
        format!(
            "<svg class=\"unseen\" aria-hidden=\"true\"><symbol id=\"grid\" viewBox=\"0 0 {WIDE} 20\" \
             preserveAspectRatio=\"none\">{}<path class=\"now\" d=\"M{} 0v20\"/></symbol></svg>\n",
            self.lines(20),
            self.x(self.now)
        )
    }

    /// The years, and the numbers of the rules, above the column.
    pub(crate) fn axis(&self) -> String {
        let percent = |at: i64| format!("{}.{}%", self.x(at) / 10, self.x(at) % 10);
        let label = |class: &str, at: i64, y: u8, what: &str| {
            format!(
                "<text class=\"{class}\" x=\"{}\" y=\"{y}\">{what}</text>",
                percent(at)
            )
        };
        let years: String = self
            .years()
            .iter()
            .map(|(year, at)| label("year", *at, 12, &year.to_string()))
            .collect();
        let rules: String = self
            .marks()
            .iter()
            .map(|(number, day)| label("rule", begin(*day).as_second(), 27, &circled(*number)))
            .collect();
        // Below the others: whatever begins soon is as near to it as it gets.
        let now = if self.from < self.now {
            label("now", self.now, 40, "today")
        } else {
            String::new()
        };
        format!(
            "<svg class=\"axis\" role=\"img\" aria-label=\"Time, with the days on which rules \
                change\">{years}{rules}{now}</svg>"
        )
    }

    /// What the numbers stand for.
    pub(crate) fn legend(&self) -> String {
        let item = |(number, day): (usize, Date)| {
            let what: Vec<String> = self
                .changes
                .iter()
                .filter(|change| change.from == day)
                .map(|change| {
                    format!(
                        "{} <small>({})</small>",
                        text(&change.what),
                        text(change.source)
                    )
                })
                .collect();
            format!(
                "<li><b>{} <time>{day}</time></b> {}</li>\n",
                circled(number),
                what.join("<br>")
            )
        };
        let items: String = self.marks().into_iter().map(item).collect();
        if items.is_empty() {
            return items;
        }
        format!(
            "<section id=\"rules\"><h2>Rules that change</h2><ul \
                class=\"rules\">\n{items}</ul></section>\n"
        )
    }

    /// What the shapes stand for.
    pub(crate) const KEY: &str = "<p class=\"key\">\
         <svg class=\"swatch\" aria-hidden=\"true\"><rect class=\"life\" width=\"100%\" height=\"100%\"/></svg> the certificate \
         <svg class=\"swatch\" aria-hidden=\"true\"><rect class=\"late\" width=\"100%\" height=\"100%\"/></svg> its next round is due \
         <svg class=\"swatch\" aria-hidden=\"true\" viewBox=\"0 0 24 12\" preserveAspectRatio=\"none\"><path class=\"round\" d=\"M4 2v8M12 2v8M20 2v8\"/></svg> \
         rounds to come, each with a new request \
         <svg class=\"swatch\" aria-hidden=\"true\" viewBox=\"0 0 24 12\" preserveAspectRatio=\"none\"><path class=\"rule\" d=\"M12 0v12\"/></svg> \
         a <a href=\"#rules\">rule that changes</a></p>\n";

    /// One row: the life of the certificate, the part of it in which the next round is due, and the
    /// rounds after it.
    pub(crate) fn of(&self, row: &StatusRow) -> String {
        let bar = |class: &str, from: i64, to: i64| {
            let (from, to) = (self.x(from), self.x(to));
            format!(
                "<rect class=\"{class}\" x=\"{from}\" y=\"5\" width=\"{}\" height=\"10\"/>",
                (to - from).max(2)
            )
        };
        let mut drawn = String::from("<use href=\"#grid\"/>");
        if let Some(ends) = row.ends.map(Timestamp::as_second) {
            let start = row
                .certificate
                .as_ref()
                .map_or(ends, |one| one.not_before.as_second());
            let due = row
                .due
                .map_or(ends, Timestamp::as_second)
                .clamp(start, ends.max(start));
            if ends >= self.from && start <= self.to {
                drawn.push_str(&bar("life", start, due));
                drawn.push_str(&bar("late", due, ends));
            }
        }
        let ticks: String = row
            .rounds
            .iter()
            // A round that is overdue is done today.
            .map(|round| round.due.as_second().max(self.now))
            .filter(|due| (self.from..self.to).contains(due))
            .map(|due| format!("M{} 6v8", self.x(due)))
            .collect();
        if !ticks.is_empty() {
            drawn.push_str(&format!("<path class=\"round\" d=\"{ticks}\"/>"));
        }
        format!(
            "<svg viewBox=\"0 0 {WIDE} 20\" preserveAspectRatio=\"none\" \
                aria-hidden=\"true\">{drawn}</svg>"
        )
    }
}

/// `①`.
fn circled(number: usize) -> String {
    u32::try_from(number)
        .ok()
        .filter(|number| (1..=20).contains(number))
        .and_then(|number| char::from_u32(0x245f + number))
        .map_or_else(|| format!("({number})"), String::from)
}

#[cfg(test)]
mod tests {
    use super::Timeline;

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn what_lies_outside_is_at_an_edge_and_the_rules_are_on_their_days() {
        let line = Timeline::from(at("2026-11-23T12:00:00Z"));
        assert_eq!((line.x(0), line.x(line.to + 1)), (0, 1000));
        assert_eq!(
            line.years()
                .iter()
                .map(|(year, _)| *year)
                .collect::<Vec<_>>(),
            [2027, 2028, 2029]
        );
        let days: Vec<String> = line
            .marks()
            .iter()
            .map(|(number, day)| format!("{number} {day}"))
            .collect();
        assert_eq!(days, ["1 2027-03-15", "2 2028-03-15", "3 2029-03-15"]);
    }

    #[test]
    fn it_goes_on_after_the_last_rule_that_is_known() {
        let line = Timeline::from(at("2031-06-01T00:00:00Z"));
        assert!(line.marks().is_empty() && !line.years().is_empty());
        assert!(line.x(at("2031-06-01T00:00:00Z").as_second()) > 0);
    }
}
