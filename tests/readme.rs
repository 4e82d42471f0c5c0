//! What the README says is so: the rehearsal it shows is what the program prints, and every name
//! that scripts rely on is in it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use support::Sandbox;

#[test]
fn the_rehearsal_shown_is_the_rehearsal() {
    let readme = read("README.md");
    let shown = readme
        .split("```\n")
        .find(|block| block.starts_with("The whole round"))
        .unwrap();
    let run = Sandbox::new().run(&["rehearse"]).expect(0);
    assert_eq!(
        masked(shown),
        masked(&run.stdout),
        "paste the output of  cargo run -- rehearse  into README.md"
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
        "the schemas were not found: {schemas:?}"
    );
    let readme = read("README.md");
    let is_missing = |schema: &&String| !readme.contains(&format!("`{schema}`"));
    let missing: Vec<_> = schemas.iter().filter(is_missing).collect();
    assert!(
        missing.is_empty(),
        "not in README.md, section JSON: {missing:?}"
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

/// What stands between double quotes, line by line: names have no escapes in them.
fn literals(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .flat_map(|line| line.split('"').skip(1).step_by(2))
}

/// Without what differs from run to run: hashes, ports, dates.
fn masked(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let plain = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let number = plain.len() >= 2 && plain.chars().all(|c| c.is_ascii_hexdigit());
        out.push_str(if number { "#" } else { plain });
        out.push_str(&word[plain.len()..]);
    }
    out
}
