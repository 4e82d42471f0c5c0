//! Times in output: local with their offset for people, UTC in JSON.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::offset;
use support::ca::TestCa;
use support::install_sandbox::InstallSandbox;
use support::{Run, Sandbox};

fn run_in_zone(sandbox: &Sandbox, zone: &str, args: &[&str]) -> Run {
    let mut command = sandbox.command(args);
    command.env("TZ", zone);
    sandbox.run_command(command)
}

/// Writes a CRL that was issued at 20:15:30 UTC, which is the next day in Shanghai.
fn write_crl(sandbox: &Sandbox) {
    let midnight = rcgen::date_time_ymd(2026, 1, 3);
    let parameters = rcgen::CertificateRevocationListParams {
        this_update: midnight + std::time::Duration::new(20 * 3600 + 15 * 60 + 30, 0),
        next_update: rcgen::date_time_ymd(2026, 7, 10),
        crl_number: 1.into(),
        issuing_distribution_point: None,
        revoked_certs: Vec::new(),
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    let list = parameters.signed_by(&TestCa::new().root).unwrap();
    sandbox.write("ca.crl", list.der());
}

#[test]
fn text_shows_local_times_and_json_utc() {
    let sandbox = Sandbox::new();
    write_crl(&sandbox);
    for (zone, issued, next_update) in [
        (
            "Asia/Shanghai",
            "2026-01-04 04:15:30 +08:00",
            "2026-07-10 08:00:00 +08:00",
        ),
        (
            "Europe/Berlin",
            "2026-01-03 21:15:30 +01:00",
            "2026-07-10 02:00:00 +02:00",
        ),
        (
            "UTC",
            "2026-01-03 20:15:30 +00:00",
            "2026-07-10 00:00:00 +00:00",
        ),
        (
            "No/Such_Zone",
            "2026-01-03 20:15:30 +00:00",
            "2026-07-10 00:00:00 +00:00",
        ),
    ] {
        let text = run_in_zone(&sandbox, zone, &["inspect", "ca.crl"]).expect(0);
        for time in [issued, next_update] {
            assert!(text.stdout.contains(time), "{zone}: {text}");
        }
        let json = run_in_zone(&sandbox, zone, &["inspect", "ca.crl", "--json"]).expect(0);
        for time in ["2026-01-03T20:15:30Z", "2026-07-10T00:00:00Z"] {
            assert!(
                json.stdout.contains(&format!("\"{time}\"")),
                "{zone}: {json}"
            );
        }
    }
}

#[test]
fn a_date_is_the_local_date() {
    let installed_sandbox = InstallSandbox::new();
    installed_sandbox.renew_and_install(&[]).expect(0);
    let document = installed_sandbox
        .sandbox
        .run(&["inspect", "new.crt", "--json"])
        .expect(0)
        .json();
    let items = document["items"].as_array().unwrap();
    let expiry: Timestamp = items
        .iter()
        .find_map(|item| item.get("not_after")?.as_str())
        .unwrap()
        .parse()
        .unwrap();
    let mut dates = BTreeSet::new();
    // The two are 26 hours apart, so they never have the same date.
    for (zone, hours) in [("Etc/GMT-14", 14), ("Etc/GMT+12", -12)] {
        let date = offset(hours).to_datetime(expiry).date().to_string();
        let text = run_in_zone(&installed_sandbox.sandbox, zone, &["inspect", "new.crt"]).expect(0);
        let until = format!(" to {date}, ");
        assert!(text.stdout.contains(&until), "{zone}: {text}");
        dates.insert(date);
    }
    assert_eq!(dates.len(), 2);
}
