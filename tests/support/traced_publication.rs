//! Publications under strace: killed at their network and file-system calls, and searched for secrets.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::dns::ZONE;
use super::external::external_program;
use super::program::program;
use super::updatable_zone::{CHALLENGE, UpdatableZone, verdict};

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

/// Returns `count` of the points at equal distances; `CERTCTL_SWEEP_EVERY` is another distance.
fn sample(points: Vec<KillPoint>, count: usize) -> Vec<KillPoint> {
    let usual = points.len().div_ceil(count);
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

/// Returns where a secret is in a trace: the lines except for the call that reads the credentials, and the
/// header with which it is sent to an API on loopback (elsewhere, TLS encrypts it).
fn leaks<'t>(trace: &'t str, secret: &str) -> Vec<&'t str> {
    let lines = trace.lines().filter(|line| line.contains(secret));
    lines
        .filter(|line| !(line.contains("read") && line.contains("credentials.toml>")))
        .filter(|line| !(line.contains("<TCP:[") && line.contains("authorization: Bearer ")))
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

/// Kills a publication through `provider` and its removal at `count` of their calls each. The zone has
/// the record `other` of somebody else, beside which the record `first` is published.
pub fn kill_at_calls(zone: &UpdatableZone, provider: &str, count: usize) {
    let record = format!("{CHALLENGE} TXT first");
    let first = ["--dns", provider, "--wait=1s", "--record", &record];
    let remove = [CHALLENGE, "--remove", "--wait=1s"];
    let publications = sample(points(zone, &first), count);
    let removals = sample(points(zone, &remove), count);

    for point in publications {
        let inject = format!("inject={}:signal=KILL:when={}", point.call, point.count);
        trace(zone, &["-o", "/dev/null", "-e", &inject], &first);
        assert_eq!(violation(zone, "first"), None, "{point:?}");
        // The next run completes the work, and the one after it removes the record.
        let run = zone.publish(&first).expect(0);
        let is_done = ["published", "unchanged"].contains(&verdict(&run).as_str());
        assert!(is_done, "{point:?}: {run}");
        assert_eq!(violation(zone, "first"), None, "{point:?}");
        zone.publish(&remove).expect(0);
        assert_eq!(zone.values("TXT", CHALLENGE), ["other"], "{point:?}");
    }
    for point in removals {
        zone.publish(&first).expect(0);
        let inject = format!("inject={}:signal=KILL:when={}", point.call, point.count);
        trace(zone, &["-o", "/dev/null", "-e", &inject], &remove);
        assert_eq!(violation(zone, "first"), None, "{point:?}");
        let run = zone.publish(&remove);
        // Exit 3: everything was done already.
        assert!([0, 3].contains(&run.code), "{point:?}: {run}");
        assert_eq!(zone.values("TXT", CHALLENGE), ["other"], "{point:?}");
        assert!(!is_in_journal(zone, "first"), "{point:?}");
    }

    // The check finds a record without an entry.
    zone.publish(&first).expect(0);
    std::fs::remove_dir_all(zone.sandbox.join(RECORDS)).unwrap();
    assert!(violation(zone, "first").is_some());
}

/// Publishes records through `provider` under strace, and checks that no call has `secret`, except for the
/// one that reads the credentials and those that send it to the API, and no file.
pub fn check_secret(zone: &UpdatableZone, provider: &str, secret: &str) {
    let log = zone.sandbox.join("trace");
    let log = log.display().to_string();
    let options = ["-o", &log, "-yy", "-v", "-s", "100000"];
    let traced = |record: &str| {
        let args = ["--dns", provider, "--wait=1s", "--record", record, "-v"];
        assert_eq!(trace(zone, &options, &args), Some(0));
        let text = zone.sandbox.read("trace");
        std::fs::remove_file(&log).unwrap();
        text
    };
    let text = traced(&format!("{CHALLENGE} TXT first"));
    assert!(text.contains(secret), "the trace has the read");
    assert_eq!(leaks(&text, secret), Vec::<&str>::new());
    let found = files_with(zone.sandbox.path(), secret);
    assert!(found.is_empty(), "{found:?}");

    check_core(zone, provider);

    // A secret that is passed as an argument is found, in the trace and in the journal.
    let text = traced(&format!("_y.{ZONE} TXT {secret}"));
    assert!(!leaks(&text, secret).is_empty());
    assert!(!files_with(zone.sandbox.path(), secret).is_empty());
}

/// Aborts a publication when it contacts the provider, with the secret in its memory, and checks that
/// the kernel writes no core. Another program under the same limits leaves one.
fn check_core(zone: &UpdatableZone, provider: &str) {
    let record = format!("{CHALLENGE} TXT aborted");
    let publish = ["--dns", provider, "--wait=1s", "--record", &record];
    let mut command = vec![program().into()];
    command.extend(zone.command(&publish).get_args().map(OsStr::to_owned));
    let end = aborted(zone, "connect", &command);
    assert!(end.contains("killed by SIGABRT"), "{end}");
    assert!(!end.contains("core dumped"), "{end}");
    let end = aborted(zone, "openat", &["/bin/true".into()]);
    assert!(end.contains("killed by SIGABRT (core dumped)"), "{end}");
}

/// Sends SIGABRT at the first call of this name, without a limit for cores. Returns the trace.
fn aborted(zone: &UpdatableZone, call: &str, command: &[OsString]) -> String {
    let log = zone.sandbox.join("trace");
    let calls = format!("trace={call}");
    let inject = format!("inject={call}:signal=ABRT:when=1");
    external_program("prlimit")
        .args(["--core=unlimited", "strace", "-f", "-q", "-e", &calls])
        .args(["-e", &inject, "-o"])
        .arg(&log)
        .args(command)
        .current_dir(zone.sandbox.path())
        .output()
        .unwrap();
    let text = zone.sandbox.read("trace");
    std::fs::remove_file(log).unwrap();
    text
}
