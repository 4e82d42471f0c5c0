//! Compares docs/reference with the program, and the code table with the code and the tests: every
//! word that scripts may match on has one row and is used, and each finding of domain validation is
//! provoked by a test with real servers. `support::codes` compares the output of every test run with
//! the table.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "only a part of the helpers is used here, and tests fail by panicking"
)]

#[path = "support/command_reference.rs"]
mod command_reference;
#[path = "support/json.rs"]
mod json;
#[path = "support/json_reference.rs"]
mod json_reference;
#[path = "support/schemas.rs"]
mod schemas;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use certctl::facade::code_table::{CodeKind, entries, find, pages, validation_findings};
use certctl::facade::reference;
use json::Json;
use serde_json::json;

#[test]
fn the_reference_is_generated_from_the_program() {
    let folder = root().join("docs/reference");
    let commands = command_reference::page(certctl::cli::command_line());
    let json = json_reference::page(&schemas::read_all());
    let generated = [("commands.md", commands), ("json.md", json)];
    let all = pages()
        .into_iter()
        .chain(reference::pages())
        .chain(generated);
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

#[test]
fn each_document_has_a_schema_and_each_field_a_description() {
    let schemas = schemas::read_all();
    let described: BTreeSet<String> = schemas
        .keys()
        .filter_map(|file| schemas::document_name(file))
        .collect();
    let sources = read_all(&root().join("src"), |_| true);
    let printed: BTreeSet<String> = sources
        .iter()
        .flat_map(|text| literals(text))
        .filter(|text| text.starts_with("certctl.") && text.ends_with("/1"))
        .map(str::to_owned)
        .collect();
    assert_eq!(described, printed);
    let mut undescribed = Vec::new();
    for (file, schema) in &schemas {
        find_undescribed(schema, file, &mut undescribed);
    }
    assert!(undescribed.is_empty(), "no description: {undescribed:?}");
}

/// Adds the properties without a description, with their path.
fn find_undescribed(schema: &Json, path: &str, undescribed: &mut Vec<String>) {
    if let Json::Object(fields) = schema {
        for (name, inner) in fields {
            let path = format!("{path} {name}");
            if name == "properties" {
                for (name, property) in inner.fields() {
                    let description = property.get("description").and_then(Json::as_str);
                    if description.is_none_or(str::is_empty) {
                        undescribed.push(format!("{path} {name}"));
                    }
                }
            }
            find_undescribed(inner, &path, undescribed);
        }
    }
}

#[test]
fn documents_that_differ_from_their_schema_are_detected() {
    for (name, example) in json_reference::EXAMPLES {
        let document = Json::parse(example);
        assert_eq!(schemas::find_fault(&document), None, "{name}");
        for field in document.keys() {
            let mut other = document.clone();
            other.set(field, json!([[]]));
            assert!(schemas::find_fault(&other).is_some(), "{name}: {field}");
        }
        let mut more = document.clone();
        more.set("unknown", true);
        assert!(schemas::find_fault(&more).is_some(), "{name}");
        let mut less = document.clone();
        less.remove("comment");
        assert!(schemas::find_fault(&less).is_some(), "{name}");
    }
    let unknown = Json::parse(r#"{"schema": "certctl.unknown/1"}"#);
    assert!(schemas::find_fault(&unknown).is_some());
    assert!(schemas::find_fault(&Json::parse("{}")).is_some());
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
        .filter(|entry| !matches!(entry.kind, CodeKind::ExitCode | CodeKind::Topic))
        .filter(|entry| !used.contains(entry.code))
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
