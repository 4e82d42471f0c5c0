//! Runs `certctl dcv-publish` under strace: it is killed at its network and file-system calls, and its
//! secrets must not appear in any other call than the one that reads them. `cargo test` tries a
//! sample of the calls; `scripts/crash-sweep` tries all.
//! Needs: ip kdig knotd strace unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use support::dns::{ZONE, with_port_53};
use support::external::external_program;
use support::program::program;
use support::updatable_zone::{CHALLENGE, UpdatableZone, verdict};

/// The calls at which the program is killed: those that send, write, flush, rename and remove.
const CALLS: [&str; 10] = [
    "connect",
    "fdatasync",
    "fsync",
    "openat",
    "rename",
    "renameat2",
    "sendto",
    "unlink",
    "unlinkat",
    "write",
];
/// How many points of a run are tried without `CERTCTL_SWEEP_EVERY`.
const SAMPLE: usize = 12;
const RECORDS: &str = "tree/var/lib/certctl/records";

/// A call at which the program is killed: the `count`th one of its name.
#[derive(Clone, Debug)]
struct KillPoint {
    call: String,
    count: usize,
}

/// Runs certctl under strace with these options, and returns its exit code.
fn trace(zone: &UpdatableZone, options: &[&str], args: &[&str]) -> Option<i32> {
    let output = external_program("strace")
        .args(["-f", "-qq"])
        .args(options)
        .arg(program())
        .args(zone.command(args).get_args())
        .current_dir(zone.sandbox.path())
        .output()
        .unwrap();
    output.status.code()
}

/// Returns the points of a run, which completes.
fn points(zone: &UpdatableZone, args: &[&str]) -> Vec<KillPoint> {
    let log = zone.sandbox.join("trace");
    let log = log.display().to_string();
    let calls = format!("trace={}", CALLS.join(","));
    assert_eq!(trace(zone, &["-o", &log, "-e", &calls], args), Some(0));
    let text = zone.sandbox.read("trace");
    std::fs::remove_file(log).unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut points = Vec::new();
    for line in text.lines() {
        let call = line.split('(').next().unwrap_or_default();
        let call = call.split_whitespace().last().unwrap_or_default();
        if CALLS.contains(&call) {
            let count = counts.entry(call.to_owned()).or_default();
            *count += 1;
            points.push(KillPoint {
                call: call.to_owned(),
                count: *count,
            });
        }
    }
    assert!(points.len() > 20, "{text}");
    points
}

/// Returns a sample of the points at equal distances; `CERTCTL_SWEEP_EVERY` is another distance.
fn sample(points: Vec<KillPoint>) -> Vec<KillPoint> {
    let usual = points.len().div_ceil(SAMPLE);
    let distance = std::env::var("CERTCTL_SWEEP_EVERY");
    let distance = distance.map_or(usual, |distance| distance.parse().unwrap());
    points.into_iter().step_by(distance).collect()
}

/// Whether the journal has an entry about this value.
fn is_in_journal(zone: &UpdatableZone, value: &str) -> bool {
    let entries = std::fs::read_dir(zone.sandbox.join(RECORDS));
    let mut entries = entries.into_iter().flatten().flatten();
    entries.any(|entry| {
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        entry.file_name().to_string_lossy().ends_with(".json") && text.contains(value)
    })
}

/// Returns what is wrong after a run that was killed: a record that the journal does not have, or a
/// record of somebody else that is gone.
fn violation(zone: &UpdatableZone, value: &str) -> Option<String> {
    let values = zone.values("TXT", CHALLENGE);
    if !values.contains(&"other".to_owned()) {
        return Some(format!("the record of somebody else is gone: {values:?}"));
    }
    if values.contains(&value.to_owned()) && !is_in_journal(zone, value) {
        return Some(format!("the journal does not have the record {value}"));
    }
    None
}

#[test]
fn a_killed_run_loses_no_record() {
    with_port_53("a_killed_run_loses_no_record", || {
        let zone = UpdatableZone::start(0, "_acme-challenge TXT other", "");
        let record = |value: &str| format!("{CHALLENGE} TXT {value}");
        let publish = |record: &str| {
            let args = ["--dns", "rfc2136", "--wait=1s", "--record", record];
            args.map(str::to_owned)
        };
        let remove = [CHALLENGE, "--remove", "--wait=1s"];
        let first = publish(&record("first"));
        let first = first.each_ref().map(String::as_str);
        let publications = sample(points(&zone, &first));
        let removals = sample(points(&zone, &remove));

        for point in publications {
            let inject = format!("inject={}:signal=KILL:when={}", point.call, point.count);
            trace(&zone, &["-o", "/dev/null", "-e", &inject], &first);
            assert_eq!(violation(&zone, "first"), None, "{point:?}");
            // The next run completes the work, and the one after it removes the record.
            let run = zone.publish(&first).expect(0);
            let is_done = ["published", "unchanged"].contains(&verdict(&run).as_str());
            assert!(is_done, "{point:?}: {run}");
            assert_eq!(violation(&zone, "first"), None, "{point:?}");
            zone.publish(&remove).expect(0);
            assert_eq!(zone.values("TXT", CHALLENGE), ["other"], "{point:?}");
        }
        for point in removals {
            zone.publish(&first).expect(0);
            let inject = format!("inject={}:signal=KILL:when={}", point.call, point.count);
            trace(&zone, &["-o", "/dev/null", "-e", &inject], &remove);
            assert_eq!(violation(&zone, "first"), None, "{point:?}");
            let run = zone.publish(&remove);
            // Exit 3: everything was done already.
            assert!([0, 3].contains(&run.code), "{point:?}: {run}");
            assert_eq!(zone.values("TXT", CHALLENGE), ["other"], "{point:?}");
            assert!(!is_in_journal(&zone, "first"), "{point:?}");
        }

        // The check finds a record without an entry.
        zone.publish(&first).expect(0);
        std::fs::remove_dir_all(zone.sandbox.join(RECORDS)).unwrap();
        assert!(violation(&zone, "first").is_some());
    });
}

/// Returns where a secret is in a trace: the lines except for the call that reads the credentials.
fn leaks<'t>(trace: &'t str, secret: &str) -> Vec<&'t str> {
    let lines = trace.lines().filter(|line| line.contains(secret));
    lines
        .filter(|line| !(line.contains("read") && line.contains("credentials.toml>")))
        .collect()
}

/// Returns the files below a folder that contain the secret, except for the credentials.
fn files_with(folder: &Path, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_with(&path, secret));
        } else if !path.ends_with("credentials.toml") {
            let bytes = std::fs::read(&path).unwrap_or_default();
            if String::from_utf8_lossy(&bytes).contains(secret) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn a_secret_is_only_read() {
    with_port_53("a_secret_is_only_read", || {
        let zone = UpdatableZone::start(1, "", "");
        let secret = zone.key.secret.clone();
        let log = zone.sandbox.join("trace");
        let log = log.display().to_string();
        let options = ["-o", &log, "-y", "-v", "-s", "100000"];
        let traced = |record: &str| {
            let args = ["--dns", "rfc2136", "--wait=1s", "--record", record, "-v"];
            assert_eq!(trace(&zone, &options, &args), Some(0));
            let text = zone.sandbox.read("trace");
            std::fs::remove_file(&log).unwrap();
            text
        };
        let text = traced(&format!("{CHALLENGE} TXT first"));
        assert!(text.contains(&secret), "the trace has the read");
        assert_eq!(leaks(&text, &secret), Vec::<&str>::new());
        let found = files_with(zone.sandbox.path(), &secret);
        assert!(found.is_empty(), "{found:?}");

        // A secret that is passed as an argument is found, in the trace and in the journal.
        let text = traced(&format!("_y.{ZONE} TXT {secret}"));
        assert!(!leaks(&text, &secret).is_empty());
        assert!(!files_with(zone.sandbox.path(), &secret).is_empty());
    });
}
