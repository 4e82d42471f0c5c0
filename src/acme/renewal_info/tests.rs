//! Tests of the module above.

use super::{RenewalInfo, encode_id};

/// The example in RFC 9773 4.1.
#[test]
fn the_identifier_has_key_and_serial_number() {
    let key = hex::decode("69885b6b87464041e1b37b847ba0ae2cde01c8d4").unwrap();
    let id = encode_id(&key, &[0x00, 0x87, 0x65, 0x43, 0x21]);
    assert_eq!(id, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
}

#[test]
fn the_time_is_in_the_window_and_stays_the_same() {
    let info: RenewalInfo = serde_json::from_str(
        r#"{"suggestedWindow": {"start": "2027-01-01T00:00:00Z", "end": "2027-01-03T00:00:00Z"},
            "explanationURL": "https://ca.example/why"}"#,
    )
    .unwrap();
    let mut times = Vec::new();
    for number in 0..50 {
        let id = format!("key.{number}");
        let time = info.renewal_time(&id);
        assert_eq!(time, info.renewal_time(&id));
        assert!(time >= info.suggested_window.start && time < info.suggested_window.end);
        times.push(time);
    }
    times.sort();
    times.dedup();
    assert!(times.len() > 40, "{times:?}");
    let reversed: RenewalInfo = serde_json::from_str(
        r#"{"suggestedWindow": {"start": "2027-01-03T00:00:00Z", "end": "2027-01-01T00:00:00Z"}}"#,
    )
    .unwrap();
    assert_eq!(
        reversed.renewal_time("key.1"),
        reversed.suggested_window.start
    );
}
