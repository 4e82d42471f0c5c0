//! Formats values for messages: a day, a list, an error with its causes. Every layer may use it; it
//! depends on none.

use std::error::Error;

use jiff::Timestamp;

/// Returns the UTC date of a time, such as `2027-03-15`.
#[must_use]
pub(crate) fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
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
    use super::{day, joined_with_and, with_causes};

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read x")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_follow_their_error_on_one_line() {
        let error = Outer(std::io::Error::other("it is locked"));
        assert_eq!(with_causes(&error), "cannot read x: it is locked");
    }

    #[test]
    fn items_are_joined_with_and() {
        assert_eq!(joined_with_and::<&str>(&[]), "");
        assert_eq!(joined_with_and(&["a"]), "a");
        assert_eq!(joined_with_and(&["a", "b", "c"]), "a and b and c");
    }

    #[test]
    fn days_are_those_of_utc() {
        let time = "2027-03-14T23:30:00-02:00".parse().unwrap();
        assert_eq!(day(time), "2027-03-15");
    }
}
