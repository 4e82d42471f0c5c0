//! Files from CAs, mail programs, users and attackers, generated at run time and given to the real
//! binary. Each expected give the right chain, byte for byte, or the right refusal; no other file may be
//! written, no stream may contain a control byte, and a run expected neither panic nor exceed its memory
//! and processor time.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

#[path = "generator/mod.rs"]
mod generator;
mod support;

use std::collections::BTreeSet;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use certctl::facade::delivery::{CaDelivery, DeliveryInput, DeliveryLimits, Password};
use generator::{ExpectedOutcome, Row, World};
use support::json::Json;
use support::mask::masked;
use support::{Run, Sandbox, limit_processor};

/// The most memory that a run may use at any time, in bytes.
const MEMORY: u64 = 64 << 20;

/// The most processor time that a run may use, in seconds; the kernel kills a run that exceeds it.
/// Unlike elapsed time, it does not depend on how busy the machine is.
const PROCESSOR: u64 = 30;

#[test]
fn every_delivery_is_accepted_or_rejected_as_expected() {
    let world = World::new();
    let rows = generator::rows(&world);
    assert!(rows.len() >= 120, "{} rows", rows.len());
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "two rows have the same name");
    let (next, pages) = (
        AtomicUsize::new(0),
        Mutex::new(vec![String::new(); rows.len()]),
    );
    let work = || {
        // Starts with the last row: the malicious ones take longest.
        while let Some((row, at)) = {
            let left = rows
                .len()
                .checked_sub(next.fetch_add(1, Ordering::SeqCst) + 1);
            left.and_then(|at| Some((rows.get(at)?, at)))
        } {
            // All rows are run, even if one fails.
            let result = std::panic::catch_unwind(AssertUnwindSafe(|| run_row(&world, row)));
            let failed = |_| format!("{}\n  FAILED\n", row.name);
            let page = result.unwrap_or_else(failed);
            pages.lock().unwrap()[at] = page;
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .for_each(|worker| worker.join().unwrap());
    });
    let pages = pages.into_inner().unwrap();
    let failed: Vec<&String> = pages
        .iter()
        .filter(|page| page.ends_with("  FAILED\n"))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    insta::assert_snapshot!(pages.concat());
}

/// Runs one row and describes the result: exit code, number of certificates, length of the chain and
/// codes of the findings; for a refusal also the message.
fn run_row(world: &World, row: &Row) -> String {
    let sandbox = Sandbox::new();
    sandbox.write_key("home/example.com.key", &world.key);
    sandbox.write("home/example.com.csr", &world.request);
    sandbox.write("root.pem", &world.root);
    for (name, bytes) in &row.files {
        sandbox.write(&format!("in/{name}"), bytes);
    }
    let names: Vec<String> = row
        .files
        .iter()
        .map(|(name, _)| format!("in/{name}"))
        .collect();
    let arguments: Vec<&str> = match &row.arguments {
        Some(words) => words.clone(),
        None => names.iter().map(String::as_str).collect(),
    };
    let fixed = ["--trust", "root.pem", "--out", "chain.pem", "-C", "home"];
    let words = [["bundle"].as_slice(), &arguments, &fixed].concat();
    let before = listing(sandbox.path());
    let text = run(&sandbox, row, &words);
    let written = sandbox.join("chain.pem").exists();
    let chain = written.then(|| sandbox.read("chain.pem"));
    let _ = std::fs::remove_file(sandbox.join("chain.pem"));
    let json = run(&sandbox, row, &[words.as_slice(), &["--json"]].concat());
    let _ = std::fs::remove_file(sandbox.join("chain.pem"));
    assert_eq!(
        listing(sandbox.path()),
        before,
        "{}: another file was written",
        row.name
    );
    for escaped in ["/tmp/certctl-evil.crt", "/certctl-evil"] {
        assert!(!Path::new(escaped).exists(), "{}: {escaped}", row.name);
    }
    assert_eq!(text.code, json.code, "{}\n{text}\n{json}", row.name);
    let expected = match row.expected {
        ExpectedOutcome::Chain => 0,
        ExpectedOutcome::Invalid => 1,
        ExpectedOutcome::Refused => 3,
    };
    assert_eq!(text.code, expected, "{}\n{text}", row.name);
    assert_eq!(
        chain,
        (row.expected == ExpectedOutcome::Chain).then(|| world.chain()),
        "{}",
        row.name
    );
    page(row, &text, &json.json())
}

fn run(sandbox: &Sandbox, row: &Row, words: &[&str]) -> Run {
    let mut command = sandbox.command(words);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    limit_processor(&child, PROCESSOR);
    let _ = child
        .stdin
        .take()
        .unwrap()
        .write_all(row.stdin.as_deref().unwrap_or_default());
    let peak = if row.greedy { peak(&mut child) } else { 0 };
    let run = sandbox.wait_for(child);
    assert!(peak < MEMORY, "{}: {} MiB", row.name, peak >> 20);
    for stream in [&run.stdout, &run.stderr] {
        let raw = stream
            .chars()
            .find(|&c| c.is_control() && c != '\n' || is_bidi(c));
        assert_eq!(raw, None, "{}: {stream:?}", row.name);
    }
    assert!(!run.stderr.contains("panicked"), "{}\n{run}", row.name);
    run
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns the highest memory use of a child in bytes: reads the peak that the kernel counts until
/// the child has ended.
fn peak(child: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kibibytes.unwrap_or(0) * 1024);
        std::thread::sleep(Duration::from_millis(2));
    }
    peak
}

fn page(row: &Row, text: &Run, document: &Json) -> String {
    let (mut chain, mut codes) = (0, BTreeSet::new());
    if row.expected == ExpectedOutcome::Refused {
        assert_eq!(document["schema"], "certctl.error/1", "{}", row.name);
    } else {
        chain = document["certificates"][0]["chain"].len();
        let found = document["findings"].iter();
        codes.extend(found.map(|one| one["code"].as_str().unwrap()));
    }
    let codes: Vec<&str> = codes.into_iter().collect();
    let count = certificates(row).map_or_else(|| "no".to_owned(), |count| count.to_string());
    let mut page = format!(
        "{}\n  exit {}, {count} certificates, chain of {chain}: {}\n",
        row.name,
        text.code,
        codes.join(" ")
    );
    if row.expected == ExpectedOutcome::Refused {
        page.extend(
            masked(&text.to_string())
                .lines()
                .filter(|line| !line.starts_with("---"))
                .map(|line| {
                    let short: String = line.chars().take(300).collect();
                    format!("  {short}\n")
                }),
        );
    }
    page
}

/// Returns the number of certificates that are read, duplicates included; `None` if the files are
/// refused.
fn certificates(row: &Row) -> Option<usize> {
    let wanted = |name: &str| match &row.arguments {
        Some(words) => {
            words.contains(&"in")
                || words
                    .iter()
                    .any(|word| word.strip_prefix("in/") == Some(name))
                    && name != "pass"
                    && !name.ends_with("pQ2")
        }
        None => true,
    };
    let files = row
        .files
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, bytes)| DeliveryInput::new(name.as_str(), bytes.clone()));
    let inputs: Vec<DeliveryInput> = files
        .chain(
            row.stdin
                .iter()
                .map(|bytes| DeliveryInput::new("stdin", bytes.clone())),
        )
        .collect();
    let password = row
        .files
        .iter()
        .find(|(name, _)| name == "pass" || name.ends_with("pQ2"));
    let password = password.map(|(_, bytes)| Password::new(bytes.trim_ascii_end().to_vec()));
    CaDelivery::read_with_password(&inputs, &DeliveryLimits::default(), password.as_ref())
        .ok()
        .map(|delivery| delivery.certificates.len())
}

/// Returns all files and folders below `folder`.
fn listing(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.push(path.display().to_string());
        if path.is_dir() && !path.is_symlink() {
            found.extend(listing(&path));
        }
    }
    found.sort();
    found
}
