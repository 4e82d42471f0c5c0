//! The fast reader of listings must agree with the full one on all fixtures, the fuzzing corpus, and
//! the certificates and keys of another project.
//! Needs: python3-cryptography-vectors
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::path::{Path, PathBuf};

use certctl::facade::inventory::ItemContent;
use certctl::facade::inventory::file_reader::{Keys, read_items, read_items_in_full};
use certctl::facade::permissions::Mode;
use certctl::facade::pki::certificate::Certificate;
use support::external::path_of;

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// Returns the items in words, without revocation lists, which the fast reader does not read.
fn describe(found: &[ItemContent]) -> Vec<String> {
    let lists = |what: &&ItemContent| !matches!(what, ItemContent::Revoked(_));
    found
        .iter()
        .filter(lists)
        .map(|what| format!("{what:?}"))
        .collect()
}

/// Compares both readers; returns how many certificates the fast reader parsed itself.
fn compare(path: &Path, bytes: &[u8]) -> usize {
    let mode = Mode::new(0o600);
    let full = read_items_in_full(bytes, mode);
    assert_eq!(
        describe(&read_items(bytes, mode, Keys::Checked)),
        describe(&full),
        "{}",
        path.display()
    );
    let named = read_items(bytes, mode, Keys::Identified);
    let (certain, more): (Vec<_>, Vec<_>) = describe(&named)
        .into_iter()
        .partition(|what| describe(&full).contains(what));
    assert_eq!(certain, describe(&full), "{}", path.display());
    assert!(
        more.iter().all(|what| what.starts_with("Key(")),
        "{}: {more:?}",
        path.display()
    );
    let chains = full.iter().filter_map(|what| match what {
        ItemContent::Certificates(chain) => Some(chain),
        _ => None,
    });
    let short = chains
        .flatten()
        .filter_map(|one| Some((one, Certificate::from_plain_der(one.der())?)));
    short
        .map(|(one, short)| {
            assert_eq!(
                format!("{short:?}"),
                format!("{one:?}"),
                "{}",
                path.display()
            )
        })
        .count()
}

#[test]
fn both_readers_agree_on_all_files() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let vectors = path_of("/usr/lib/python3/dist-packages/cryptography_vectors");
    let mut files = Vec::new();
    for folder in [
        here.join("fixtures"),
        here.join("fuzz/corpus"),
        here.join("tests"),
        vectors,
    ] {
        walk(&folder, &mut files);
    }
    let small = files
        .iter()
        .filter(|path| path.metadata().unwrap().len() < 200_000);
    let count: usize = small
        .map(|path| compare(path, &std::fs::read(path).unwrap()))
        .sum();
    assert!(count > 200, "{count} of {} files", files.len());
}
