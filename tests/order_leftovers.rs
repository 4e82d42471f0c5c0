//! Tests what is left of orders that were killed, abandoned or continued in another way: nothing. With
//! the real pebble, nginx and knot on loopback.
//! Needs: bash ip knotd nginx pebble unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use support::dns::with_port_53;
use support::json::Json;
use support::order_lab::{NAMES, OrderLab, verdict};
use support::pebble::PebbleOptions;

/// The published records in the journal, without what a killed run was about to rename.
fn records(lab: &OrderLab) -> Vec<PathBuf> {
    let mut files = lab.state("records");
    files.retain(|path| path.extension().is_some_and(|suffix| suffix == "json"));
    files
}

/// The entry of the only order, and its file.
fn journal(lab: &OrderLab) -> Option<(PathBuf, Json)> {
    let mut files = lab.state("orders").into_iter();
    // Beside it, a temporary file may be written.
    let path = files.find(|path| path.extension().is_some_and(|suffix| suffix == "json"))?;
    let text = std::fs::read_to_string(&path).ok()?;
    Some((path, Json::parse(&text)))
}

/// Runs an order until `is_reached` returns true, and kills it.
fn kill_order(lab: &OrderLab, more: &[&str], is_reached: impl Fn() -> bool) {
    let words = lab.words(&NAMES, more);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut command = lab.sandbox.command(&words);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_reached() {
        assert!(Instant::now() < deadline, "the order did not get that far");
        assert_eq!(child.try_wait().unwrap(), None, "the order has ended");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A CA that takes its time to validate.
fn slow() -> PebbleOptions {
    PebbleOptions {
        validation_seconds: 8,
        ..PebbleOptions::default()
    }
}

#[test]
fn an_order_that_the_journal_does_not_know_is_found_at_the_ca() {
    with_port_53(
        "an_order_that_the_journal_does_not_know_is_found_at_the_ca",
        || {
            let lab = OrderLab::start(0, slow());
            let _nginx = lab.nginx(&lab.plain_block());
            let files = ["--webroot", "webroot", "--agree-tos", "--no-install"];
            let is_placed = || journal(&lab).is_some_and(|(_, entry)| entry.get("order").is_some());
            kill_order(&lab, &files, is_placed);
            // As if the run had been killed between the CA's answer and the journal.
            let (path, mut entry) = journal(&lab).unwrap();
            let url = entry["order"].as_str().unwrap().to_owned();
            entry.remove("order");
            entry.set("progress", "placing");
            std::fs::write(&path, entry.to_string()).unwrap();
            let issued = lab.order(&["--no-install"]).expect(0).json();
            assert_eq!(verdict(&issued), "issued", "{issued}");
            assert_eq!(issued["order"]["url"], url.as_str(), "{issued}");
        },
    );
}

#[test]
fn an_order_that_began_with_records_is_continued_with_files() {
    with_port_53(
        "an_order_that_began_with_records_is_continued_with_files",
        || {
            let lab = OrderLab::start(1, slow());
            let _nginx = lab.nginx(&lab.plain_block());
            let by_records = ["--dns", "rfc2136", "--agree-tos", "--no-install"];
            let are_published = || {
                let published = records(&lab).into_iter().filter(|path| {
                    let text = std::fs::read_to_string(path).unwrap_or_default();
                    text.contains("\"published\"")
                });
                published.count() == NAMES.len()
            };
            kill_order(&lab, &by_records, are_published);
            let (_, entry) = journal(&lab).unwrap();
            assert_eq!(entry["records"].len(), NAMES.len(), "{entry}");
            let url = entry["order"].as_str().unwrap().to_owned();
            let issued = lab.order(&["--no-install"]).expect(0).json();
            assert_eq!(verdict(&issued), "issued", "{issued}");
            assert_eq!(issued["order"]["url"], url.as_str(), "{issued}");
            assert_eq!(records(&lab), Vec::<PathBuf>::new());
            assert!(journal(&lab).is_none());
            assert_eq!(lab.webroot_files(), Vec::<PathBuf>::new());
        },
    );
}

#[test]
fn an_abandoned_order_leaves_no_records() {
    with_port_53("an_abandoned_order_leaves_no_records", || {
        let lab = OrderLab::start(2, slow());
        let by_records = ["--dns", "rfc2136", "--agree-tos", "--no-install"];
        let are_published = || records(&lab).len() == NAMES.len();
        kill_order(&lab, &by_records, are_published);
        assert!(journal(&lab).is_some());
        // Another set of names: the first order is of no use any more.
        let more = [&by_records[..], &["--json"]].concat();
        let issued = lab.order_names(&NAMES[..1], &more).expect(0).json();
        assert_eq!(verdict(&issued), "issued", "{issued}");
        assert_eq!(records(&lab), Vec::<PathBuf>::new());
        assert!(journal(&lab).is_none());
    });
}
