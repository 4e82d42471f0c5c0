//! When renewed certificates are installed (`install_window` in config.toml). Pure: the time and its zone
//! are arguments.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The names of the days, as in systemd.time(7).
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// A time of the day, on some days of the week. It may end on the next day.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct InstallWindow {
    /// The days on which it opens.
    days: Vec<Weekday>,
    start: Time,
    end: Time,
}

/// When the window opens and closes.
struct WindowOpening {
    start: DateTime,
    end: DateTime,
}

impl InstallWindow {
    /// Parses `Tue 02:00-04:00`, `Sat,Sun 22:00-06:00` or `02:00-04:00`, which is every day.
    ///
    /// # Errors
    /// A message that shows the expected form.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "is not a window such as Tue 02:00-04:00, or Sat,Sun 22:00-06:00";
        let (days, times) = match text.trim().rsplit_once(' ') {
            Some((days, times)) => (parse_days(days).ok_or(FORM)?, times),
            None => (DAYS.map(|day| day.1).to_vec(), text.trim()),
        };
        let (start, end) = times.split_once('-').ok_or(FORM)?;
        let start = parse_time(start).ok_or(FORM)?;
        let end = parse_time(end).ok_or(FORM)?;
        if start == end {
            return Err(FORM);
        }
        Ok(Self { days, start, end })
    }

    /// Returns when a certificate is to be installed that is there at `now`: when the window opens next;
    /// `None` if that is now, or the current certificate would expire before the window closes.
    #[must_use]
    pub(crate) fn opens_at(
        &self,
        now: Timestamp,
        expiry: Timestamp,
        zone: &TimeZone,
    ) -> Option<Timestamp> {
        let local = zone.to_datetime(now);
        let openings = self.openings(local.date());
        if openings
            .iter()
            .any(|one| one.start <= local && local < one.end)
        {
            return None;
        }
        let mut coming = openings.iter().filter(|one| local < one.start);
        let next = coming.next()?;
        let closes = zone.to_timestamp(next.end).ok()?;
        let opens = zone.to_timestamp(next.start).ok()?;
        (closes < expiry).then_some(opens)
    }

    /// The openings from the day before `date` to a week later.
    fn openings(&self, date: Date) -> Vec<WindowOpening> {
        let mut openings = Vec::new();
        for offset in -1..=8 {
            let Ok(day) = date.checked_add(offset.days()) else {
                continue;
            };
            if !self.days.contains(&day.weekday()) {
                continue;
            }
            let last = if self.end < self.start {
                day.checked_add(1.days()).unwrap_or(day)
            } else {
                day
            };
            openings.push(WindowOpening {
                start: day.to_datetime(self.start),
                end: last.to_datetime(self.end),
            });
        }
        openings
    }
}

fn parse_days(text: &str) -> Option<Vec<Weekday>> {
    let names = text.split(',').map(|name| name.trim().to_ascii_lowercase());
    let found = names.map(|name| DAYS.iter().find(|day| day.0 == name));
    found.map(|day| day.map(|day| day.1)).collect()
}

fn parse_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests;
