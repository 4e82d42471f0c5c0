//! Finds an entry of a certificate's history by its id or by a date. Pure.

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

use super::layout::ReleaseId;
use super::settings::{HistoryEntry, LineageSettings};

/// The target of a rollback, as the user typed it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum RollbackArgument {
    /// The release that was live at that instant. A date without a time means the end of that day
    /// in the local zone.
    At(Timestamp),
    Release(ReleaseId),
}

impl RollbackArgument {
    /// Parses eight hex digits as an id, even if they could be a date without dashes; anything else
    /// has to be a date (`2027-05-11`, in `zone`) or an instant (RFC 3339).
    #[must_use]
    pub(crate) fn parse(text: &str, zone: &TimeZone) -> Option<Self> {
        if let Some(id) = ReleaseId::parse(&text.to_ascii_lowercase()) {
            return Some(Self::Release(id));
        }
        if let Ok(at) = text.parse() {
            return Some(Self::At(at));
        }
        let date: Date = text.parse().ok()?;
        zone.to_timestamp(date.at(23, 59, 59, 999_999_999))
            .ok()
            .map(Self::At)
    }
}

/// A release that was live once.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PastRelease {
    pub release: ReleaseId,
    /// When it was last installed; none for files that existed before the first install.
    pub since: Option<Timestamp>,
}

/// Returns the release that the last rollback replaced, and when, if nothing was installed since then.
#[must_use]
pub(crate) fn replaced_by_rollback(settings: &LineageSettings) -> Option<(&ReleaseId, Timestamp)> {
    let last = settings.rollbacks.last()?;
    let installs = settings.history.last();
    let is_undone = installs.is_some_and(|install| install.at > last.at);
    let replaced = last.before.as_ref().filter(|_| !is_undone)?;
    Some((replaced, last.at))
}

/// Lists every release that was ever live once, the newest first.
#[must_use]
pub(crate) fn list_past_releases(history: &[HistoryEntry]) -> Vec<PastRelease> {
    let mut past: Vec<PastRelease> = Vec::new();
    let entries = history
        .iter()
        .rev()
        .map(|entry| (&entry.release, Some(entry.at)));
    // A release that was taken over has no entry of its own, but is the `before` of another one.
    let taken_over = history
        .iter()
        .rev()
        .filter_map(|entry| Some((entry.before.as_ref()?, None)));
    for (release, since) in entries.chain(taken_over) {
        if past.iter().all(|known| known.release != *release) {
            past.push(PastRelease {
                release: release.clone(),
                since,
            });
        }
    }
    past
}

/// Finds the release with that id, or the one that was live at that time: the last one that was
/// installed or restored by then, or, before the first install, the one that it replaced.
#[must_use]
pub(crate) fn find_release(
    history: &[HistoryEntry],
    rollbacks: &[HistoryEntry],
    argument: &RollbackArgument,
) -> Option<ReleaseId> {
    match argument {
        RollbackArgument::Release(id) => list_past_releases(history)
            .into_iter()
            .map(|past| past.release)
            .find(|release| release == id),
        RollbackArgument::At(at) => match history
            .iter()
            .chain(rollbacks)
            .filter(|entry| entry.at <= *at)
            .max_by_key(|entry| entry.at)
        {
            Some(entry) => Some(entry.release.clone()),
            None => history.first().and_then(|entry| entry.before.clone()),
        },
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::{TimeZone, offset};

    use super::{HistoryEntry, ReleaseId, RollbackArgument, find_release, list_past_releases};

    fn id(text: &str) -> ReleaseId {
        ReleaseId::parse(text).unwrap()
    }

    fn entry(release: &str, at: &str, before: Option<&str>) -> HistoryEntry {
        HistoryEntry {
            other: serde_json::Map::new(),
            release: id(release),
            at: at.parse().unwrap(),
            before: before.map(id),
        }
    }

    #[test]
    fn releases_are_found_by_id_and_date() {
        let history = [
            entry("bbbbbbbb", "2027-05-11T10:00:00Z", Some("aaaaaaaa")),
            entry("20270512", "2027-08-01T10:00:00Z", Some("bbbbbbbb")),
            entry("cccccccc", "2027-08-01T12:00:00Z", Some("20270512")),
        ];
        for (text, wanted) in [
            ("bbbbbbbb", Some("bbbbbbbb")),
            ("BBBBBBBB", Some("bbbbbbbb")),
            ("aaaaaaaa", Some("aaaaaaaa")),
            ("20270512", Some("20270512")),
            ("dddddddd", None),
            ("2027-05-11", Some("bbbbbbbb")),
            ("2027-05-11T09:59:59Z", Some("aaaaaaaa")),
            ("2027-05-11T10:00:00Z", Some("bbbbbbbb")),
            ("2027-07-31", Some("bbbbbbbb")),
            ("2027-08-01", Some("cccccccc")),
            ("2027-08-01T13:00:00+02:00", Some("20270512")),
            ("2030-01-01", Some("cccccccc")),
            ("1999-01-01", Some("aaaaaaaa")),
        ] {
            assert_eq!(
                find_release(
                    &history,
                    &[],
                    &RollbackArgument::parse(text, &TimeZone::UTC).unwrap()
                ),
                wanted.map(id),
                "{text}"
            );
        }
        for text in [
            "",
            "bbbbbbb",
            "bbbbbbbbb",
            "yesterday",
            "2027-13-01",
            "2027-05",
        ] {
            assert_eq!(
                RollbackArgument::parse(text, &TimeZone::UTC),
                None,
                "{text}"
            );
        }
        assert_eq!(
            find_release(
                &[],
                &[],
                &RollbackArgument::parse("2027-05-11", &TimeZone::UTC).unwrap()
            ),
            None
        );
        let all: Vec<String> = list_past_releases(&history)
            .into_iter()
            .map(|past| past.release.to_string())
            .collect();
        assert_eq!(all, ["cccccccc", "20270512", "bbbbbbbb", "aaaaaaaa"]);
    }

    #[test]
    fn a_rollback_determines_what_was_live_later() {
        let history = [
            entry("aaaaaaaa", "2027-05-11T10:00:00Z", None),
            entry("bbbbbbbb", "2027-06-11T10:00:00Z", Some("aaaaaaaa")),
            entry("cccccccc", "2027-08-11T10:00:00Z", Some("aaaaaaaa")),
        ];
        let rollbacks = [entry("aaaaaaaa", "2027-06-12T10:00:00Z", Some("bbbbbbbb"))];
        for (text, wanted) in [
            ("2027-05-12", "aaaaaaaa"),
            ("2027-06-11", "bbbbbbbb"),
            ("2027-06-12", "aaaaaaaa"),
            ("2027-08-10", "aaaaaaaa"),
            ("2027-08-11", "cccccccc"),
        ] {
            let argument = RollbackArgument::parse(text, &TimeZone::UTC).unwrap();
            let found = find_release(&history, &rollbacks, &argument);
            assert_eq!(found, Some(id(wanted)), "{text}");
        }
    }

    #[test]
    fn a_date_ends_at_local_midnight() {
        let shanghai = TimeZone::fixed(offset(8));
        for (text, instant) in [
            ("2027-05-11", "2027-05-11T15:59:59.999999999Z"),
            ("2027-05-11T10:00:00Z", "2027-05-11T10:00:00Z"),
        ] {
            assert_eq!(
                RollbackArgument::parse(text, &shanghai),
                Some(RollbackArgument::At(instant.parse().unwrap()))
            );
        }
    }
}
