//! The kept corpus of the fuzz targets, replayed through the functions that they fuzz: what was
//! found once stays mended.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../fuzz/src/entries.rs"]
mod entries;

use std::path::Path;

/// Every file of a target's corpus, at least a few.
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
fn the_reader_keeps_its_promises() {
    replay("reader", entries::reader);
}

#[test]
fn chains_keep_their_promises() {
    replay("chains", entries::chains);
}

#[test]
fn names_keep_their_promises() {
    replay("names", entries::names);
}

#[test]
fn records_keep_their_promises() {
    replay("record", entries::record);
}

#[test]
fn answers_keep_their_promises() {
    replay("answers", entries::answers);
}

#[test]
fn a_glance_keeps_its_promises() {
    replay("glance", entries::glance);
}
