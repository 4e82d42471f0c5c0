//! Compares docs/reference with the program, and the code table with the code and the tests: every
//! word that scripts may match on has one row and is used, and each finding of domain validation is
//! provoked by a test with real servers. `support::codes` compares the output of every test run with
//! the table.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "support/command_reference.rs"]
mod command_reference;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use certctl::facade::code_table::{CodeKind, entries, find, pages, validation_findings};
use certctl::facade::reference;

#[test]
fn the_reference_is_generated_from_the_program() {
    let folder = root().join("docs/reference");
    let commands = command_reference::page(certctl::cli::command_line());
    let all = pages()
        .into_iter()
        .chain(reference::pages())
        .chain([("commands.md", commands)]);
    for (file, text) in all {
        let path = folder.join(file);
        if std::env::var_os("CERTCTL_REFERENCE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == text,
            "docs/reference/{file} is out of date; to write it: \
             scripts/completions"
        );
    }
}

/// `Finding` asserts that each code has a row; this test checks the reverse.
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

/// These tests run knot, nsd, unbound and nginx. Answers that no real server gives are tested in
/// `dcv_forged_answers`.
#[test]
fn every_validation_finding_is_provoked_at_real_servers() {
    let tests = ["dcv_lab", "dcv_check", "dcv_methods"]
        .map(|file| std::fs::read_to_string(root().join(format!("tests/{file}.rs"))).unwrap())
        .concat();
    let provoked: BTreeSet<&str> = literals(&tests).collect();
    let missing: Vec<&str> = validation_findings()
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

fn read_all(folder: &Path, is_included: impl Fn(&Path) -> bool + Copy) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(read_all(&path, is_included));
        } else if path.extension().is_some_and(|end| end == "rs") && is_included(&path) {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
    texts
}

/// Returns the parts of a source text between its quotation marks; the string literals are among
/// them.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.split('"')
}
