//! `certctl status` for other programs: metrics that Prometheus' own tool takes, a calendar that an independent library
//! reads, a table that fits the terminal.
//! Needs: promtool, python3, python3-icalendar
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs::File;
use std::process::Stdio;

use serde_json::Value;
use support::foreign::{foreign, path_of, succeed};
use support::shop::{PAIR, Shop};

/// A pair that is installed and paid for, a request, and a key that everybody may read.
fn shop() -> Shop {
    let shop = Shop::new();
    shop.round(&[]).expect(0);
    let settings = format!("{PAIR}/settings.json");
    let mut document: Value = serde_json::from_str(&shop.sandbox.read(&settings)).unwrap();
    document["paid_until"] = "2028-06-30".into();
    // As for a public CA: what a private one does with its rounds is its own business.
    document.as_object_mut().unwrap().remove("trust");
    shop.sandbox.write(&settings, document.to_string());
    shop.sandbox.run(&["csr", "b\u{fc}cher.example"]).expect(0);
    shop
}

#[test]
fn prometheus_takes_the_metrics() {
    let shop = shop();
    let sandbox = &shop.sandbox;
    let late = format!("{}T00:00:00Z", support::ca::days(support::ca::today(), 170));
    let run = sandbox.run(&["status", "--root", "tree", "--at", &late, "--prometheus", "certctl.prom", "--json"]);
    let run = run.expect(1).json();
    assert_eq!(run["outputs"][0]["format"], "prometheus", "{run}");
    let text = sandbox.read("certctl.prom");
    let file = File::open(sandbox.join("certctl.prom")).unwrap();
    let said = succeed(foreign("promtool").args(["check", "metrics"]).stdin(Stdio::from(file)));
    assert_eq!(said, "", "{text}");
    for line in [
        "certctl_certificate_expiry_timestamp_seconds{name=\"example.com\",state=\"installed\",key_algorithm=\"ecdsa-p256\"",
        "certctl_certificate_paid_until_timestamp_seconds{name=\"example.com\"",
        ",code=\"due\"} 1\n",
        "certctl_rows{verdict=\"due\"} 1\n",
        "certctl_unreadable 0\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    // Every name that the README lists, and no other.
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let families: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    assert!(families.iter().all(|name| readme.contains(&format!("| `{name}` |"))), "{families:?}");
    assert_eq!(readme.matches("| `certctl_").count(), families.len());
    sandbox.run(&["status", "--root", "tree", "--prometheus", "no/such/folder/x.prom"]).expect(3);
}

const READ: &str = "
import sys; sys.path.append('/usr/lib/python3/dist-packages')
import icalendar
calendar = icalendar.Calendar.from_ical(open(sys.argv[1], 'rb').read())
for event in calendar.walk('VEVENT'):
    assert not event.errors, event.errors
    print(event.decoded('dtstart').isoformat(), str(event['uid']), str(event['summary']), str(event['description']).count('\\n'))
";

#[test]
fn an_independent_library_reads_the_calendar() {
    let shop = shop();
    let sandbox = &shop.sandbox;
    assert!(path_of("/usr/lib/python3/dist-packages/icalendar").exists());
    let read = || -> Vec<String> {
        sandbox.run(&["status", "--root", "tree", "--ics", "certctl.ics"]).expect(0);
        let text = sandbox.read("certctl.ics");
        assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')), "{text}");
        succeed(foreign("python3").args(["-c", READ, "certctl.ics"]).current_dir(sandbox.path()))
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let events = read();
    assert!(events[0].contains("Renew example.com (ends "), "{events:#?}");
    assert!(events.iter().any(|event| event.starts_with("2028-06-30") && event.contains("paid for")), "{events:#?}");
    assert!(events.iter().filter(|event| event.starts_with("2029")).count() >= 8, "{events:#?}");
    assert_eq!(read(), events, "the same events again");
    let uids: std::collections::BTreeSet<&str> = events.iter().map(|event| event.split(' ').nth(1).unwrap()).collect();
    assert_eq!(uids.len(), events.len());
}

#[test]
fn the_table_fits_the_terminal() {
    let shop = shop();
    let sandbox = &shop.sandbox;
    let plain = sandbox.run(&["status", "--root", "tree"]).expect(0);
    assert!(plain.stdout.is_ascii() || plain.stdout.contains("b\u{fc}cher.example"), "{plain}");
    let quiet = sandbox.run(&["status", "--root", "tree", "-q"]).expect(0);
    assert_eq!(quiet.stdout, "", "nothing to do");
    let late = format!("{}T00:00:00Z", support::ca::days(support::ca::today(), 170));
    let quiet = sandbox.run(&["status", "--root", "tree", "-q", "--at", &late]).expect(1);
    assert!(quiet.stdout.starts_with("due    example.com +1") && !quiet.stdout.contains("cher.example"), "{quiet}");
    assert!(quiet.stdout.contains("certctl --root tree renew example.com"), "{quiet}");
    // On a terminal of 60 columns.
    let command =
        format!("stty cols 60 < /dev/tty; {} status --root tree --color never", env!("CARGO_BIN_EXE_certctl"));
    let wide = succeed(foreign("python3").current_dir(sandbox.path()).args(["-c", IN_TERMINAL, &command]));
    let rows: Vec<&str> = wide.lines().filter(|line| line.contains("installed") || line.contains("pending")).collect();
    assert_eq!(rows.len(), 2, "{wide}");
    assert!(rows.iter().all(|row| row.trim_end().chars().count() <= 60), "{wide}");
}

const IN_TERMINAL: &str = "
import os, pty, sys
pty.spawn(['/bin/sh', '-c', sys.argv[1]])
";
