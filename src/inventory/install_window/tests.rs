//! Tests of the module above.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::InstallWindow;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// 2027-01-01 is a Friday.
#[test]
fn the_window_opens_on_its_days() {
    let expiry = at("2027-01-31T00:00:00Z");
    for (window, now, opens) in [
        (
            "Fri 02:00-04:00",
            "2027-01-01T01:00:00Z",
            Some("2027-01-01T02:00:00Z"),
        ),
        ("Fri 02:00-04:00", "2027-01-01T02:00:00Z", None),
        ("Fri 02:00-04:00", "2027-01-01T03:59:59Z", None),
        (
            "Fri 02:00-04:00",
            "2027-01-01T04:00:00Z",
            Some("2027-01-08T02:00:00Z"),
        ),
        (
            "tue,Sat 02:00-04:00",
            "2027-01-01T04:00:00Z",
            Some("2027-01-02T02:00:00Z"),
        ),
        (
            "02:00-04:00",
            "2027-01-01T05:00:00Z",
            Some("2027-01-02T02:00:00Z"),
        ),
        ("Thu 22:00-06:00", "2027-01-01T05:00:00Z", None),
        (
            "Fri 22:00-06:00",
            "2027-01-01T05:00:00Z",
            Some("2027-01-01T22:00:00Z"),
        ),
        // The certificate expires before the window closes.
        ("Sun 02:00-04:00", "2027-01-25T00:00:00Z", None),
    ] {
        let parsed = InstallWindow::parse(window).unwrap();
        let found = parsed.opens_at(at(now), expiry, &TimeZone::UTC);
        assert_eq!(found, opens.map(at), "{window} {now}");
    }
    for text in [
        "",
        "Tue",
        "Tue 2-4",
        "Tue 02:00",
        "Foo 02:00-04:00",
        "02:00-02:00",
        "25:00-26:00",
    ] {
        assert!(InstallWindow::parse(text).is_err(), "{text}");
    }
}
