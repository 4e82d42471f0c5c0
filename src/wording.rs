//! Formats values for messages: a day, a time, a list, an error with its causes. Every layer may use
//! it; it depends on none.
//!
//! Text for people shows local times. The zone is process-wide, because messages are made in every
//! layer; it is read when the first time is shown. JSON fields do not use this module: their times
//! are UTC.

mod typing_error;

use std::error::Error;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub(crate) use self::typing_error::is_typing_error;

/// The zone of the times in messages.
static LOCAL_ZONE: OnceLock<TimeZone> = OnceLock::new();

/// Reads the zone; this module reads nothing itself.
static ZONE_READER: OnceLock<fn() -> TimeZone> = OnceLock::new();

/// Sets how the zone of the times in messages is read. Only the first call has an effect, so that
/// one run never mixes two zones.
pub(crate) fn set_zone_reader(read: fn() -> TimeZone) {
    let _ = ZONE_READER.set(read);
}

/// Returns the zone of the times in messages; UTC if nothing reads it.
#[must_use]
pub(crate) fn local_zone() -> &'static TimeZone {
    LOCAL_ZONE.get_or_init(|| ZONE_READER.get().map_or(TimeZone::UTC, |read| read()))
}

/// Encodes everything in a text that is not unreserved in a URL (RFC 3986 section 2.3).
#[must_use]
pub(crate) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Returns the one of `keywords` that `text` is, in any case.
#[must_use]
pub(crate) fn find_keyword(text: &str, keywords: &[&'static str]) -> Option<&'static str> {
    let mut keywords = keywords.iter().copied();
    keywords.find(|keyword| keyword.eq_ignore_ascii_case(text))
}

/// Returns the keyword that `text` is in any case; other text, such as a path, unchanged.
#[must_use]
pub(crate) fn spell_keyword(text: &str, keywords: &[&'static str]) -> String {
    find_keyword(text, keywords).unwrap_or(text).to_owned()
}

/// Returns the local day of an instant, such as `2027-03-15`.
#[must_use]
pub(crate) fn day(instant: Timestamp) -> String {
    in_zone(instant, local_zone(), "%Y-%m-%d")
}

/// Returns the local date of an instant.
#[must_use]
pub(crate) fn date(instant: Timestamp) -> Date {
    local_zone().to_datetime(instant).date()
}

/// Returns the local date and time of an instant, such as `2027-03-15 14:02:31 +08:00`.
#[must_use]
pub(crate) fn date_and_time(instant: Timestamp) -> String {
    in_zone(instant, local_zone(), "%Y-%m-%d %H:%M:%S %:z")
}

/// Returns the local date and time of an instant without seconds, such as `2027-03-15 14:02 +08:00`.
#[must_use]
pub(crate) fn date_and_minute(instant: Timestamp) -> String {
    in_zone(instant, local_zone(), "%Y-%m-%d %H:%M %:z")
}

/// Returns the local time of day of an instant, such as `14:02:31 +08:00`.
#[must_use]
pub(crate) fn time_of_day(instant: Timestamp) -> String {
    in_zone(instant, local_zone(), "%H:%M:%S %:z")
}

/// Returns the local time of day of an instant without seconds, such as `14:02 +08:00`.
#[must_use]
pub(crate) fn minute_of_day(instant: Timestamp) -> String {
    in_zone(instant, local_zone(), "%H:%M %:z")
}

/// Returns whether an instant stands for 99991231235959Z, "no expiry" (RFC 5280 4.1.2.5), which is
/// later than the greatest [`Timestamp`].
#[must_use]
pub(crate) fn has_no_end(instant: Timestamp) -> bool {
    instant.as_second() == Timestamp::MAX.as_second()
}

/// Formats an instant as it is in `zone`; `format` is that of `strftime`.
fn in_zone(instant: Timestamp, zone: &TimeZone, format: &str) -> String {
    if has_no_end(instant) {
        let day = format.replace("%Y-%m-%d", "9999-12-31");
        let hours = day
            .replace("%H:%M:%S", "23:59:59")
            .replace("%H:%M", "23:59");
        return hours.replace("%:z", "+00:00");
    }
    let local = instant.to_zoned_datetime(zone.clone());
    local.strftime(format).to_string()
}

/// Returns the items with "and" between them: `A and B and C`.
#[must_use]
pub(crate) fn joined_with_and<S: AsRef<str>>(items: &[S]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    items.join(" and ")
}

/// Returns an error and its causes, the direct cause first.
pub(crate) fn error_chain<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Returns an error and its causes on one line: `cannot read x: permission denied`.
#[must_use]
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let messages: Vec<String> = error_chain(error).map(ToString::to_string).collect();
    messages.join(": ")
}

#[cfg(test)]
mod tests {
    use super::{
        date, date_and_minute, date_and_time, day, in_zone, joined_with_and, local_zone,
        minute_of_day, time_of_day, with_causes,
    };
    use jiff::tz::{TimeZone, offset};

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read x")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_follow_their_error_on_one_line() {
        let error = Outer(std::io::Error::other("it is locked"));
        assert_eq!(with_causes(&error), "cannot read x: it is locked");
    }

    #[test]
    fn the_date_that_means_no_expiry_is_shown_as_written() {
        let never = jiff::Timestamp::MAX;
        assert_eq!(day(never), "9999-12-31");
        assert_eq!(date_and_time(never), "9999-12-31 23:59:59 +00:00");
        assert_eq!(date_and_minute(never), "9999-12-31 23:59 +00:00");
    }

    #[test]
    fn items_are_joined_with_and() {
        assert_eq!(joined_with_and::<&str>(&[]), "");
        assert_eq!(joined_with_and(&["a"]), "a");
        assert_eq!(joined_with_and(&["a", "b", "c"]), "a and b and c");
    }

    #[test]
    fn times_are_utc_until_a_zone_is_set() {
        let instant = "2027-03-14T23:30:09-02:00".parse().unwrap();
        assert_eq!(local_zone(), &TimeZone::UTC);
        assert_eq!(day(instant), "2027-03-15");
        assert_eq!(date(instant).to_string(), "2027-03-15");
        assert_eq!(time_of_day(instant), "01:30:09 +00:00");
        assert_eq!(minute_of_day(instant), "01:30 +00:00");
        assert_eq!(date_and_time(instant), "2027-03-15 01:30:09 +00:00");
        assert_eq!(date_and_minute(instant), "2027-03-15 01:30 +00:00");
    }

    #[test]
    fn times_are_those_of_their_zone() {
        let instant = "2027-03-14T23:30:09Z".parse().unwrap();
        let format = "%Y-%m-%d %H:%M:%S %:z";
        for (hours, local) in [
            (8, "2027-03-15 07:30:09 +08:00"),
            (0, "2027-03-14 23:30:09 +00:00"),
            (-5, "2027-03-14 18:30:09 -05:00"),
        ] {
            let zone = TimeZone::fixed(offset(hours));
            assert_eq!(in_zone(instant, &zone, format), local);
        }
    }
}
