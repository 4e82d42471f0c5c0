//! Draws every certificate from its first to its last day, with its renewals, today, and the days
//! on which CA rules change. All rows share one scale. Each row has its own drawing, which moves
//! with the row when the table is sorted.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::Offset;

use super::markup::text;
use crate::inventory::rule_changes::{ClientAuthUse, RuleChange, rule_changes_within};
use crate::inventory::{RowState, StatusRow};
use crate::pki::baseline_dates::midnight_utc;
use crate::status_report::JudgedRow;

const DAY: i64 = 86_400;
/// How far the timeline goes back at least and at most, in seconds.
const BEFORE: [i64; 2] = [30 * DAY, 2 * 365 * DAY];
/// How far the timeline goes ahead at least and at most, in seconds.
const AHEAD: [i64; 2] = [90 * DAY, 12 * 365 * DAY];
/// The end of the period for which the rules are known.
const LAST: Date = date(2030, 1, 1);
/// The width of a drawing in its own units; the browser scales it.
const WIDE: i64 = 1000;

/// The scale, and the lines behind every row.
pub(crate) struct Timeline {
    from: i64,
    to: i64,
    now: i64,
    changes: Vec<RuleChange>,
}

impl Timeline {
    /// Returns the timeline that shows `rows` around an instant: from the first day of the oldest
    /// certificate in use to the last renewal or expiry, within bounds.
    pub(crate) fn fitting(now: Timestamp, rows: &[JudgedRow]) -> Self {
        let now_second = now.as_second();
        let [latest_from, first_from] = BEFORE.map(|span| now_second.saturating_sub(span));
        let [first_to, latest_to] = AHEAD.map(|span| now_second.saturating_add(span));
        let mut from = latest_from;
        let mut to = first_to;
        for JudgedRow { row, .. } in rows {
            if row.state == RowState::Superseded {
                continue;
            }
            if let Some(certificate) = &row.certificate {
                from = from.min(certificate.not_before.as_second());
            }
            if let Some(last) = last_second(row) {
                to = to.max(last);
            }
        }
        let from = from.max(first_from);
        let to = to.min(latest_to);
        let end = Timestamp::from_second(to).unwrap_or(Timestamp::MAX);
        let all = rule_changes_within(
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

    /// Returns the part of the timeline that starts now.
    pub(crate) fn ahead(&self) -> Self {
        let now = self.now();
        let changes = self.changes.iter();
        let changes = changes.filter(|change| midnight_utc(change.from) > now);
        Self {
            from: self.now,
            to: self.to,
            now: self.now,
            changes: changes.cloned().collect(),
        }
    }

    /// Returns the time that dates were evaluated at.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.now).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn end(&self) -> Timestamp {
        Timestamp::from_second(self.to).unwrap_or(Timestamp::MAX)
    }

    /// Returns the distance from the left edge in tenths of a percent; instants outside of the
    /// scale are at an edge.
    pub(crate) fn x(&self, at: i64) -> i64 {
        let along = at.clamp(self.from, self.to) - self.from;
        along * WIDE / (self.to - self.from).max(1)
    }

    /// Returns the days on which rules change, each with its number.
    fn marks(&self) -> Vec<(usize, Date)> {
        let mut days: Vec<Date> = self.changes.iter().map(|change| change.from).collect();
        days.dedup();
        days.into_iter()
            .enumerate()
            .map(|(index, day)| (index + 1, day))
            .collect()
    }

    /// Returns the years that begin within the scale, with the seconds at which they begin.
    fn years(&self) -> Vec<(i16, i64)> {
        (year_of(self.from)..=year_of(self.to))
            .filter_map(|year| Some((year, midnight_utc(Date::new(year, 1, 1).ok()?).as_second())))
            .filter(|(_, start)| (self.from..self.to).contains(start))
            .collect()
    }

    /// Draws vertical lines at the years and the rule changes.
    pub(crate) fn lines(&self, height: i64) -> String {
        let mut lines = String::new();
        for (_, start) in self.years() {
            lines.push_str(&self.line("year", start, height));
        }
        for (_, day) in self.marks() {
            lines.push_str(&self.line("rule", midnight_utc(day).as_second(), height));
        }
        lines
    }

    fn line(&self, class: &str, at: i64, height: i64) -> String {
        format!("<path class=\"{class}\" d=\"M{} 0v{height}\"/>", self.x(at))
    }

    /// Draws the lines behind every row once; each row refers to them.
    pub(crate) fn grid(&self) -> String {
        format!(
            "<svg class=\"unseen\" aria-hidden=\"true\"><symbol id=\"grid\" viewBox=\"0 0 {WIDE} 20\" \
             preserveAspectRatio=\"none\">{}<path class=\"now\" d=\"M{} 0v20\"/></symbol></svg>\n",
            self.lines(20),
            self.x(self.now)
        )
    }

    /// Draws the years and the numbers of the rule changes above the column.
    pub(crate) fn axis(&self) -> String {
        let mut labels = String::new();
        for (year, start) in self.years() {
            labels.push_str(&self.label("year", start, 12, &year.to_string()));
        }
        for (number, day) in self.marks() {
            labels.push_str(&self.label(
                "rule",
                midnight_utc(day).as_second(),
                27,
                &circled(number),
            ));
        }
        if self.from < self.now {
            // Lower than the others, because the next rule change may be close to today.
            labels.push_str(&self.label("now", self.now, 40, "today"));
        }
        format!(
            "<svg class=\"axis\" role=\"img\" aria-label=\"Time axis with the days on which \
                rules change\">{labels}</svg>"
        )
    }

    fn label(&self, class: &str, at: i64, y: u8, what: &str) -> String {
        let x = self.x(at);
        format!(
            "<text class=\"{class}\" x=\"{}.{}%\" y=\"{y}\">{what}</text>",
            x / 10,
            x % 10
        )
    }

    /// Lists what the numbers of the rule changes mean.
    pub(crate) fn legend(&self) -> String {
        let mut items = String::new();
        for (number, day) in self.marks() {
            items.push_str(&format!(
                "<li><b>{} <time>{day}</time></b> {}</li>\n",
                circled(number),
                self.rules_of(day)
            ));
        }
        if items.is_empty() {
            return items;
        }
        format!(
            "<section id=\"rules\"><h2>Rule changes</h2><ul \
                class=\"rules\">\n{items}</ul></section>\n"
        )
    }

    /// Lists the rules that change on a day, each with its source.
    fn rules_of(&self, day: Date) -> String {
        let rules = self.changes.iter().filter(|change| change.from == day);
        let rules: Vec<String> = rules
            .map(|change| {
                let what = text(&change.what);
                let source = text(change.source);
                format!("{what} <small>({source})</small>")
            })
            .collect();
        rules.join("<br>")
    }

    /// The legend of the shapes.
    pub(crate) const KEY: &str = "<p class=\"key\">\
         <svg class=\"swatch\" aria-hidden=\"true\"><rect class=\"life\" width=\"100%\" height=\"100%\"/></svg> valid \
         <svg class=\"swatch\" aria-hidden=\"true\"><rect class=\"late\" width=\"100%\" height=\"100%\"/></svg> renewal due \
         <svg class=\"swatch\" aria-hidden=\"true\" viewBox=\"0 0 24 12\" preserveAspectRatio=\"none\"><path class=\"renewal\" d=\"M4 2v8M12 2v8M20 2v8\"/></svg> \
         scheduled renewals, each with a new request \
         <svg class=\"swatch\" aria-hidden=\"true\" viewBox=\"0 0 24 12\" preserveAspectRatio=\"none\"><path class=\"rule\" d=\"M12 0v12\"/></svg> \
         a <a href=\"#rules\">rule change</a></p>\n";

    /// Draws one row: the validity of the certificate, the part of it in which renewal is due, and
    /// the renewals after it.
    pub(crate) fn drawing(&self, row: &StatusRow) -> String {
        let bars = self.bars(row);
        let ticks = self.ticks(row);
        format!(
            "<svg viewBox=\"0 0 {WIDE} 20\" preserveAspectRatio=\"none\" \
                aria-hidden=\"true\"><use href=\"#grid\"/>{bars}{ticks}</svg>"
        )
    }

    /// Draws the validity of a certificate in two parts: before its renewal is due, and after that.
    fn bars(&self, row: &StatusRow) -> String {
        let Some(ends) = row.expiry.map(Timestamp::as_second) else {
            return String::new();
        };
        let start = row
            .certificate
            .as_ref()
            .map_or(ends, |certificate| certificate.not_before.as_second());
        if ends < self.from || start > self.to {
            return String::new();
        }
        let due = row
            .due
            .map_or(ends, Timestamp::as_second)
            .clamp(start, ends.max(start));
        self.bar("life", start, due) + &self.bar("late", due, ends)
    }

    fn bar(&self, class: &str, from: i64, to: i64) -> String {
        let left = self.x(from);
        let width = (self.x(to) - left).max(2);
        format!("<rect class=\"{class}\" x=\"{left}\" y=\"5\" width=\"{width}\" height=\"10\"/>")
    }

    /// Draws a mark for each renewal; an overdue one is drawn at today.
    fn ticks(&self, row: &StatusRow) -> String {
        let scheduled = row.renewals.iter().map(|renewal| renewal.due);
        let ticks: String = scheduled
            .chain(row.expected_renewals.iter().copied())
            .map(|due| due.as_second().max(self.now))
            .filter(|due| (self.from..self.to).contains(due))
            .map(|due| format!("M{} 6v8", self.x(due)))
            .collect();
        if ticks.is_empty() {
            return ticks;
        }
        format!("<path class=\"renewal\" d=\"{ticks}\"/>")
    }
}

/// The last instant that a row shows: its expiry, the end of the time whose rules are known if
/// renewals are scheduled, or its last expected renewal.
fn last_second(row: &StatusRow) -> Option<i64> {
    let mut last = row.expiry;
    if !row.renewals.is_empty() {
        last = last.max(Some(midnight_utc(LAST)));
    }
    let expected = row.expected_renewals.last();
    last = last.max(expected.copied());
    last.map(Timestamp::as_second)
}

fn year_of(second: i64) -> i16 {
    match Timestamp::from_second(second) {
        Ok(instant) => Offset::UTC.to_datetime(instant).year(),
        Err(_) => 1970,
    }
}

/// Returns a number in a circle, such as `①`.
fn circled(number: usize) -> String {
    u32::try_from(number)
        .ok()
        .filter(|number| (1..=20).contains(number))
        .and_then(|number| char::from_u32(0x245f + number))
        .map_or_else(|| format!("({number})"), String::from)
}

#[cfg(test)]
mod tests {
    use super::{ClientAuthUse, RuleChange, Timeline, rule_changes_within};

    fn at(text: &str) -> jiff::Timestamp {
        text.parse().unwrap()
    }

    fn all_changes() -> Vec<RuleChange> {
        let all = at("2026-11-23T12:00:00Z")..=at("2030-01-01T00:00:00Z");
        rule_changes_within(&all, ClientAuthUse::Yes)
    }

    #[test]
    fn instants_outside_the_scale_are_at_an_edge_and_rule_changes_on_their_days() {
        let line = Timeline {
            to: at("2030-01-01T00:00:00Z").as_second(),
            changes: all_changes(),
            ..Timeline::fitting(at("2026-11-23T12:00:00Z"), &[])
        };
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
    fn the_timeline_continues_after_the_last_known_rule_change() {
        let line = Timeline::fitting(at("2031-06-01T00:00:00Z"), &[]);
        assert!(line.marks().is_empty() && line.from < line.now && line.now < line.to);
        assert!(line.x(at("2031-06-01T00:00:00Z").as_second()) > 0);
    }
}
