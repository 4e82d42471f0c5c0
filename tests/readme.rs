//! What the README says is so: the rehearsal it shows is what the program prints, and every name
//! that scripts rely on is in it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use support::Sandbox;

/// Where the codes of findings are given, each in a list of its own: every literal there that looks
/// like one is one, but for these.
const LISTS: [&str; 10] = [
    "src/csr_lint/rules.rs",
    "src/delivery/diagnostics.rs",
    "src/advice/dcv.rs",
    "src/advice/delivery.rs",
    "src/advice/install.rs",
    "src/advice/matching.rs",
    "src/inventory/rule_changes.rs",
    "src/inventory/reason.rs",
    "src/pki/lint/rules.rs",
    "src/pki/verify/problem.rs",
];
const OTHER_WORDS: [&str; 2] = ["bundle", "nothing"];

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
fn every_name_that_scripts_rely_on_is_listed() {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for path in sources(&root().join("src")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("\n#[cfg(test)]").next().unwrap();
        let file = path.strip_prefix(root()).unwrap().display().to_string();
        names.extend(
            literals(text)
                .filter(|literal| literal.starts_with("certctl.") && literal.ends_with("/1"))
                .map(str::to_owned),
        );
        for made in ["error(", "warning(", "note("] {
            let after = text
                .split(made)
                .skip(1)
                .filter_map(|after| after.trim_start().strip_prefix('"'));
            names.extend(
                after
                    .filter_map(|code| code.split('"').next())
                    .filter(|code| is_code(code))
                    .map(str::to_owned),
            );
        }
        if LISTS.contains(&file.as_str()) {
            names.extend(
                literals(text)
                    .filter(|literal| is_code(literal) && !OTHER_WORDS.contains(literal))
                    .map(str::to_owned),
            );
        }
    }
    let readme = read("README.md");
    let missing: Vec<_> = names
        .iter()
        .filter(|name| !readme.contains(&format!("`{name}`")))
        .collect();
    assert!(names.len() > 80, "the codes were not found: {names:?}");
    assert!(
        missing.is_empty(),
        "not in README.md, section JSON: {missing:?}"
    );
}

#[test]
fn the_table_of_proofs_is_that_of_the_code() {
    let table = certctl::facade::dcv::finding_codes::table();
    assert!(
        read("README.md").contains(&table),
        "put this into README.md:\n{table}"
    );
    let mut listed: Vec<&str> = certctl::facade::dcv::finding_codes::FINDINGS
        .iter()
        .map(|(code, ..)| *code)
        .collect();
    assert!(listed.is_sorted());
    let mut told: BTreeSet<String> = BTreeSet::new();
    for file in [
        "commands/csr/caa",
        "advice/caa",
        "advice/dcv",
        "advice/dnssec",
        "advice/dcv_methods",
        "advice/zone_consistency",
        "commands/dcv_check/select",
    ] {
        let text = read(&format!("src/{file}.rs"));
        let code = |literal: &&str| is_code(literal) && literal.contains('-');
        told.extend(
            literals(text.split("\n#[cfg(test)]").next().unwrap())
                .filter(code)
                .map(str::to_owned),
        );
    }
    listed.retain(|code| !told.remove(*code));
    assert!(
        listed.is_empty() && told.is_empty(),
        "only listed: {listed:?}; only told: {told:?}"
    );
}

/// The servers are knot, nsd, unbound and nginx in all of these; who lies by program is in
/// `dcv_lies`.
#[test]
fn every_finding_of_a_proof_is_provoked_at_real_servers() {
    let tests = ["dcv_lab", "dcv_check", "dcv_methods"]
        .map(|file| read(&format!("tests/{file}.rs")))
        .concat();
    let provoked: BTreeSet<&str> = literals(&tests).collect();
    let all = certctl::facade::dcv::finding_codes::FINDINGS
        .iter()
        .map(|(code, ..)| *code);
    let missing: Vec<&str> = all.filter(|code| !provoked.contains(code)).collect();
    assert!(missing.is_empty(), "no test provokes {missing:?}");
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

fn is_code(text: &str) -> bool {
    text.len() > 2
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
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
