//! The header `Retry-After` (RFC 9110 10.2.3): how long a server asks to wait.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The longest wait: a server that asks for more is asked again after a day.
pub(crate) const LONGEST_RETRY: Duration = Duration::from_secs(24 * 60 * 60);

/// Parses the header's value: seconds, or a date. At most [`LONGEST_RETRY`]; `None` if it is neither.
#[must_use]
pub(super) fn parse_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that is too large for the type is too long a wait as well.
        let seconds = value.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(LONGEST_RETRY));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    let wait = date.duration_since(now).max(SignedDuration::ZERO);
    Some(Duration::try_from(wait).ok()?.min(LONGEST_RETRY))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse_retry_after;

    #[test]
    fn seconds_and_dates_are_read_and_bounded() {
        let now = "2026-11-29T12:00:00Z".parse().unwrap();
        for (value, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("86401", Some(86_400)),
            ("18446744073709551615", Some(86_400)),
            ("99999999999999999999999999", Some(86_400)),
            ("Sun, 29 Nov 2026 12:01:30 GMT", Some(90)),
            ("Sun, 29 Nov 2026 11:00:00 GMT", Some(0)),
            ("Thu, 31 Dec 9998 23:59:59 GMT", Some(86_400)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let parsed = parse_retry_after(value, now);
            assert_eq!(parsed, seconds.map(Duration::from_secs), "{value:?}");
        }
    }
}
