//! Replays the stored corpus of the fuzz targets through the functions that they fuzz, so that bugs
//! that were found stay fixed.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "../fuzz/src/entries.rs"]
mod entries;

use std::path::Path;

/// Replays every file of a target's corpus, which must contain at least a few.
fn replay(target: &str, entry: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert!(
        files.len() >= 5,
        "{}: {} files",
        folder.display(),
        files.len()
    );
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let played = std::panic::catch_unwind(|| entry(&bytes));
        assert!(played.is_ok(), "{}", file.display());
    }
}

#[test]
fn reader_invariants_hold() {
    replay("reader", entries::reader);
}

#[test]
fn loader_invariants_hold() {
    replay("loader", entries::loader);
}

#[test]
fn chain_invariants_hold() {
    replay("chains", entries::chains);
}

#[test]
fn name_invariants_hold() {
    replay("names", entries::names);
}

#[test]
fn record_invariants_hold() {
    replay("record", entries::record);
}

#[test]
fn answer_invariants_hold() {
    replay("answers", entries::answers);
}

#[test]
fn server_flight_invariants_hold() {
    replay("server_flight", entries::server_flight);
}

#[test]
fn dns_fast_path_invariants_hold() {
    replay("dns_fast_path", entries::dns_fast_path);
}
