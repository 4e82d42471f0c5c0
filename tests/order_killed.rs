//! Kills `certctl order` at its network and file-system calls: the next run finishes the same order with the
//! same account and key. `cargo test` tries a sample of the calls; `scripts/crash-sweep` tries all. With the
//! real pebble, which requires an external account, nginx and knot on loopback.
//! Needs: bash ip knotd nginx pebble strace unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use support::dns::with_port_53;
use support::external::external_program;
use support::json::Json;
use support::order_lab::{NAMES, OrderLab, verdict};
use support::pebble::{HMAC_KEY, KEY_ID, PebbleOptions};
use support::program::program;

/// The calls at which the program is killed: those that send, write, flush, rename and remove.
const CALLS: [&str; 12] = [
    "connect",
    "fdatasync",
    "fsync",
    "openat",
    "openat2",
    "rename",
    "renameat2",
    "sendto",
    "symlinkat",
    "unlinkat",
    "write",
    "writev",
];
/// How many of them `cargo test` tries.
const SAMPLE: usize = 12;

/// A call at which the program is killed: the `count`th one of its name.
#[derive(Clone, Debug)]
struct KillPoint {
    call: String,
    count: usize,
}

/// What the CA has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct CaCounts {
    accounts: usize,
    orders: usize,
    certificates: usize,
}

impl CaCounts {
    fn read(lab: &OrderLab) -> Self {
        let log = lab.pebble.log();
        let count = |text: &str| log.matches(text).count();
        Self {
            accounts: count("accounts in memory"),
            orders: count("Added order"),
            certificates: count("Issued certificate"),
        }
    }
}

fn words(lab: &OrderLab) -> Vec<String> {
    let files = ["--webroot", "webroot", "--agree-tos", "--json"];
    let binding = ["--eab-kid", KEY_ID, "--eab-hmac-key-file", "hmac"];
    lab.words(&NAMES[..1], &[&files[..], &binding].concat())
}

/// Removes everything that an order has left on this machine.
fn reset(lab: &OrderLab) {
    for folder in ["tree/var/lib/certctl", "tree/etc/ssl"] {
        let _missing = std::fs::remove_dir_all(lab.sandbox.join(folder));
    }
    for path in own_files(lab) {
        std::fs::remove_file(path).unwrap();
    }
}

/// The files of orders in the working directory.
fn own_files(lab: &OrderLab) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(lab.sandbox.path()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_own = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("shop.example") || name.starts_with(".shop.example")
    };
    paths.filter(is_own).collect()
}

/// Runs the order under strace with these options, and returns its exit code.
fn trace(lab: &OrderLab, options: &[&str]) -> Option<i32> {
    let output = external_program("strace")
        .args(["-f", "-qq"])
        .args(options)
        .arg(program())
        .args(words(lab))
        .current_dir(lab.sandbox.path())
        .output()
        .unwrap();
    output.status.code()
}

/// The points of an order that completes: at equal distances, or all.
fn points(lab: &OrderLab) -> Vec<KillPoint> {
    let log = lab.sandbox.join("trace");
    let log = log.display().to_string();
    let calls = format!("trace={}", CALLS.join(","));
    assert_eq!(trace(lab, &["-o", &log, "-e", &calls]), Some(0));
    let text = lab.sandbox.read("trace");
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
    assert!(points.len() > 50, "{text}");
    let every = std::env::var("CERTCTL_SWEEP_EVERY");
    let every = every.map_or(points.len() / SAMPLE, |every| every.parse().unwrap());
    points.into_iter().step_by(every).collect()
}

/// Returns what is wrong after an order that was killed and continued.
fn violation(lab: &OrderLab, before: CaCounts, end: &Json) -> Option<String> {
    let after = CaCounts::read(lab);
    let expected = CaCounts {
        accounts: before.accounts + 1,
        orders: before.orders + 1,
        certificates: before.certificates + 1,
    };
    if after != expected {
        return Some(format!(
            "expected {expected:?} at the CA, and it has {after:?}"
        ));
    }
    if !["files", "unchanged"].contains(&verdict(end)) {
        return Some(format!("the order is not finished: {end}"));
    }
    let mut left = lab.state("orders");
    left.extend(lab.webroot_files());
    let second = |path: &&PathBuf| path.to_string_lossy().contains("shop.example-2");
    left.extend(own_files(lab).iter().filter(second).cloned());
    if !left.is_empty() {
        return Some(format!("files are left: {left:?}"));
    }
    let live = lab.sandbox.join("tree/etc/ssl/shop.example.fullchain.pem");
    let own = lab.sandbox.join("shop.example.fullchain.pem");
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    let first = |text: String| text.split("-----END").next().unwrap_or_default().to_owned();
    let is_same = first(read(&live)) == first(read(&own));
    (!is_same).then(|| "the installed certificate is another one".to_owned())
}

/// Runs the order to its end.
fn finish(lab: &OrderLab) -> Json {
    let words = words(lab);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    lab.sandbox.run(&words).expect(0).json()
}

#[test]
fn a_killed_order_is_finished_by_the_next_run() {
    with_port_53("a_killed_order_is_finished_by_the_next_run", || {
        let options = PebbleOptions {
            requires_external_account: true,
            ..PebbleOptions::default()
        };
        let lab = OrderLab::start(0, options);
        lab.sandbox.write_key("hmac", HMAC_KEY);
        let _nginx = lab.nginx(&lab.plain_block());
        let points = points(&lab);
        let mut violations = Vec::new();
        for point in &points {
            reset(&lab);
            let before = CaCounts::read(&lab);
            let inject = format!("inject={}:signal=KILL:when={}", point.call, point.count);
            trace(&lab, &["-o", "/dev/null", "-e", &inject]);
            let end = finish(&lab);
            let found = violation(&lab, before, &end);
            violations.extend(found.map(|text| format!("{point:?}: {text}")));
        }
        assert!(violations.is_empty(), "{violations:#?}");

        // The check finds an order that was placed twice, because the journal and the account were lost.
        reset(&lab);
        let before = CaCounts::read(&lab);
        finish(&lab);
        reset(&lab);
        let end = finish(&lab);
        assert!(violation(&lab, before, &end).is_some());
    });
}
