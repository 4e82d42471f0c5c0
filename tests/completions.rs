//! The completion scripts in `completions/` and the manual pages in `docs/man/` are those of today's
//! command line; `scripts/completions` writes both.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

#[path = "support/manual.rs"]
mod manual;

use std::collections::BTreeSet;
use std::path::Path;

use support::Sandbox;

#[test]
fn completions_are_up_to_date() {
    let sandbox = Sandbox::new();
    for (shell, file) in [
        ("bash", "certctl.bash"),
        ("elvish", "certctl.elv"),
        ("fish", "certctl.fish"),
        ("powershell", "_certctl.ps1"),
        ("zsh", "_certctl"),
    ] {
        let printed = sandbox.run(&["completions", shell]).expect(0).stdout;
        assert!(printed.contains("dcv-check"), "{printed}");
        expect_file(&root().join("completions").join(file), &printed);
    }
}

#[test]
fn manual_pages_are_fresh() {
    let folder = root().join("docs/man");
    let pages = manual::pages(certctl::cli::command_line());
    for (name, text) in &pages {
        expect_file(&folder.join(name), text);
    }
    let written: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected: BTreeSet<String> = pages.into_keys().collect();
    assert_eq!(written, expected, "docs/man has a page of no command");
}

#[test]
fn manual_pages_begin_with_examples() {
    for (name, text) in manual::pages(certctl::cli::command_line()) {
        let sections: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix(".SH "))
            .collect();
        let first = ["NAME", "EXAMPLES", "SYNOPSIS", "DESCRIPTION"];
        assert_eq!(sections[..4], first, "{name}");
        assert!(
            sections.contains(&"\"EXIT STATUS\""),
            "{name}: {sections:?}"
        );
        assert!(sections.contains(&"ENVIRONMENT"), "{name}: {sections:?}");
        let examples = text.split(".SH EXAMPLES").nth(1).unwrap();
        let examples = examples.split(".SH").next().unwrap();
        assert!(examples.contains("certctl "), "{name} has no example");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a file with its text, after writing it if `CERTCTL_REFERENCE` is set.
fn expect_file(path: &Path, text: &str) {
    if std::env::var_os("CERTCTL_REFERENCE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == text,
        "{} is out of date; to write it: scripts/completions",
        path.strip_prefix(root()).unwrap().display()
    );
}
