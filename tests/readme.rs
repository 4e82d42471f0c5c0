//! README.md agrees with the program: it shows the output of the rehearsal, and the JSON reference,
//! to which it links, lists every schema.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use support::Sandbox;

#[test]
fn the_readme_shows_the_output_of_the_rehearsal() {
    let readme = read("README.md");
    let readme_block = readme
        .split("```\n")
        .find(|block| block.starts_with("This is a rehearsal"))
        .unwrap();
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["rehearse"]).expect(0);
    let folder = sandbox.path().display().to_string();
    let output = run.stdout.replace(&folder, "/home/ann/certctl");
    assert_eq!(
        masked(readme_block),
        masked(&output),
        "paste the output of `cargo run -- rehearse` into README.md, with the folder as \
         /home/ann/certctl"
    );
}

#[test]
fn every_schema_is_listed() {
    let mut schemas: BTreeSet<String> = BTreeSet::new();
    for path in sources(&root().join("src")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("\n#[cfg(test)]").next().unwrap();
        let found = literals(text)
            .filter(|literal| literal.starts_with("certctl.") && literal.ends_with("/1"));
        schemas.extend(found.map(str::to_owned));
    }
    assert!(
        schemas.len() > 10,
        "too few schemas were found in the sources: {schemas:?}"
    );
    assert!(read("README.md").contains("(docs/reference/json.md)"));
    let page = read("docs/reference/json.md");
    let is_missing = |schema: &&String| !page.contains(&format!("\n## {schema}\n"));
    let missing: Vec<_> = schemas.iter().filter(is_missing).collect();
    assert!(
        missing.is_empty(),
        "missing in docs/reference/json.md: {missing:?}"
    );
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// Returns the texts between double quotes, line by line. Escapes are not handled: schema names have
/// none.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .flat_map(|line| line.split('"').skip(1).step_by(2))
}

/// Replaces what differs from run to run (hashes, ports, dates) and joins wrapped lines: where they
/// are wrapped depends on the length of the folder's path.
fn masked(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut out = String::new();
    for word in words
        .join(" ")
        .split_inclusive(|c: char| !c.is_ascii_alphanumeric())
    {
        let plain = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let number = plain.len() >= 2 && plain.chars().all(|c| c.is_ascii_hexdigit());
        out.push_str(if number { "#" } else { plain });
        out.push_str(&word[plain.len()..]);
    }
    out
}
