//! The code table against the code, the tests and the reference: every word that scripts may match
//! on has one row and is used, and those of domain validation are provoked at real servers. What
//! the program prints is compared with the table wherever a test runs it (`support::codes`).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use certctl::facade::code_table::{CodeKind, entries, find, markdown, validation_findings};

const REFERENCE: &str = "docs/reference/codes.md";

#[test]
fn the_reference_is_that_of_the_table() {
    let path = root().join(REFERENCE);
    if std::env::var_os("CERTCTL_REFERENCE").is_some() {
        std::fs::write(&path, markdown()).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == markdown(),
        "to write it:  CERTCTL_REFERENCE=write cargo test --test codes"
    );
}

/// The program asserts, wherever it makes a finding, that its code has a row; here the rows are
/// compared with the code.
#[test]
fn every_row_is_used() {
    let sources = read_all(&root().join("src"), |path| {
        !path.starts_with(root().join("src/code_table")) && !path.ends_with("tests.rs")
    });
    let used: BTreeSet<&str> = sources
        .iter()
        .filter_map(|text| text.split("\n#[cfg(test)]").next())
        .flat_map(literals)
        .collect();
    let unused: Vec<&str> = entries()
        .filter(|entry| entry.kind != CodeKind::ExitCode && !used.contains(entry.code))
        .map(|entry| entry.code)
        .collect();
    assert!(unused.is_empty(), "no code uses {unused:?}");
}

/// The servers are knot, nsd, unbound and nginx in all of these; what only a lying server shows is
/// in `dcv_lies`.
#[test]
fn every_validation_finding_is_provoked_at_real_servers() {
    let tests = ["dcv_lab", "dcv_check", "dcv_methods"]
        .map(|file| std::fs::read_to_string(root().join(format!("tests/{file}.rs"))).unwrap())
        .concat();
    let provoked: BTreeSet<&str> = literals(&tests).collect();
    let missing: Vec<&str> = validation_findings()
        .iter()
        .map(|row| row.code)
        .filter(|code| !provoked.contains(code))
        .collect();
    assert!(missing.is_empty(), "no test provokes {missing:?}");
}

#[test]
fn a_word_is_looked_up_by_its_kind() {
    assert!(find(CodeKind::Verdict, "not-served").is_some());
    assert!(find(CodeKind::Finding, "not-served").is_some());
    assert!(find(CodeKind::Failure, "not-served").is_none());
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read_all(folder: &Path, wanted: impl Fn(&Path) -> bool + Copy) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(read_all(&path, wanted));
        } else if path.extension().is_some_and(|end| end == "rs") && wanted(&path) {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
    texts
}

/// What stands between quotation marks.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split('"')
}
