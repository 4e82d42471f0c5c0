//! Checks the packages that certctl depends on: licences, sources, banned packages, and a single
//! version of packages that verify signatures. It replaces `cargo deny`, whose build takes longer
//! than ours, with `cargo tree` (what is built on each platform) and `Cargo.lock` (where it comes
//! from).
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::process::Command;

/// Licences whose terms a binary of certctl meets by listing them.
const LICENCES: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "bzip2-1.0.6",
    "CC0-1.0",
    "CDLA-Permissive-2.0", // webpki-roots: Mozilla's list, as data
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

/// Banned packages: a second crypto provider, and a DNS server, which needs only a few lines on top
/// of `hickory-proto`.
const BANNED: [&str; 6] = [
    "hickory-server",
    "native-tls",
    "openssl",
    "openssl-src",
    "openssl-sys",
    "ring",
];

/// Only one version of these may be used, because two could verify signatures differently.
const ONCE: [&str; 6] = [
    "aws-lc-rs",
    "aws-lc-sys",
    "rustls",
    "rustls-pki-types",
    "rustls-webpki",
    "webpki-roots",
];

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Name, version and licence of one package of the tree.
struct Package {
    name: String,
    version: String,
    licence: String,
}

impl Package {
    /// Parses `name v1.2.3|MIT`.
    fn of(line: &str) -> Option<Self> {
        let (package, licence) = line.split_once('|')?;
        let mut words = package.split_whitespace();
        let (name, version) = (words.next()?.to_owned(), words.next()?.to_owned());
        Some(Self {
            name,
            version,
            licence: licence.to_owned(),
        })
    }
}

fn tree() -> Vec<Package> {
    let args = [
        "tree",
        "--locked",
        "--edges",
        "normal,build",
        "--target",
        "all",
        "--prefix",
        "none",
    ];
    let output = Command::new(env!("CARGO"))
        .args(args)
        .args(["--format", "{p}|{l}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines: BTreeSet<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.trim_end_matches(" (*)").to_owned())
        .collect();
    let packages: Vec<Package> = lines.iter().filter_map(|line| Package::of(line)).collect();
    assert!(
        packages.len() > 50 && packages.len() == lines.len(),
        "cargo tree was not understood: {lines:?}"
    );
    packages
}

#[test]
fn all_dependencies_are_allowed() {
    let broken = broken(&tree());
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn all_packages_come_from_crates_io() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap();
    let other_sources = foreign_sources(&lock);
    assert!(other_sources.is_empty(), "{other_sources:?}");
    assert!(
        lock.matches(CRATES_IO).count() > 50,
        "Cargo.lock was not understood"
    );
}

#[test]
fn each_rule_detects_violations() {
    let package = |line: &str| Package::of(line).unwrap();
    assert_eq!(
        broken(&[package("ring v0.17.14|Apache-2.0 AND ISC")]),
        ["ring is banned"]
    );
    assert_eq!(
        broken(&[package("x v1.0.0|GPL-3.0")]),
        ["x 1.0.0: licence GPL-3.0"]
    );
    assert_eq!(broken(&[package("x v1.0.0|")]), ["x 1.0.0: licence "]);
    let twice = [
        package("rustls v0.23.46|MIT"),
        package("rustls v0.24.0|MIT"),
    ];
    assert_eq!(broken(&twice), ["rustls has 2 versions"]);
    let lock = "[[package]]\nname = \"certctl\"\n\n[[package]]\nname = \"x\"\nsource = \"git+https://example.com/x\"\n";
    assert_eq!(foreign_sources(lock), ["x"]);
    for (licence, fine) in [
        ("MIT OR GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0 OR (MIT AND ISC)", true),
        ("(GPL-3.0 OR MIT) AND (GPL-2.0 OR LGPL-2.1)", false),
        ("GPL-3.0 WITH LLVM-exception", false),
    ] {
        assert_eq!(allowed(licence), fine, "{licence}");
    }
}

fn broken(packages: &[Package]) -> Vec<String> {
    let mut complaints = Vec::new();
    for Package {
        name,
        version,
        licence,
    } in packages
    {
        if BANNED.contains(&name.as_str()) {
            complaints.push(format!("{name} is banned"));
        }
        if !allowed(licence) {
            complaints.push(format!(
                "{name} {}: licence {licence}",
                version.trim_start_matches('v')
            ));
        }
    }
    for once in ONCE {
        let versions = packages
            .iter()
            .filter(|package| package.name == once)
            .count();
        if versions > 1 {
            complaints.push(format!("{once} has {versions} versions"));
        }
    }
    complaints
}

/// Returns the packages of a lock file that are not from crates.io; certctl itself has no source.
fn foreign_sources(lock: &str) -> Vec<String> {
    let field = |block: &str, key: &str| {
        let line = block
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
        line.map(|value| value.trim_end_matches('"').to_owned())
    };
    let packages = lock.split("[[package]]").skip(1);
    packages
        .filter_map(|block| {
            let name = field(block, "name").unwrap_or_default();
            let source = field(block, "source");
            (name != "certctl" && source.as_deref() != Some(CRATES_IO)).then_some(name)
        })
        .collect()
}

/// Evaluates an SPDX expression (Annex D), with the old `/` for `OR`: true if allowed licences are
/// sufficient.
fn allowed(expression: &str) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ")
        .replace(" WITH ", "\u{0}WITH\u{0}");
    let words: Vec<String> = spaced
        .split_whitespace()
        .map(|word| word.replace('\u{0}', " "))
        .collect();
    let mut at = 0;
    any(&words, &mut at) && at == words.len()
}

fn any(words: &[String], at: &mut usize) -> bool {
    let mut fine = all(words, at);
    while words.get(*at).is_some_and(|word| word == "OR") {
        *at += 1;
        fine |= all(words, at);
    }
    fine
}

fn all(words: &[String], at: &mut usize) -> bool {
    let mut fine = one(words, at);
    while words.get(*at).is_some_and(|word| word == "AND") {
        *at += 1;
        fine &= one(words, at);
    }
    fine
}

fn one(words: &[String], at: &mut usize) -> bool {
    let Some(word) = words.get(*at) else {
        return false;
    };
    *at += 1;
    if word != "(" {
        return LICENCES.contains(&word.as_str());
    }
    let fine = any(words, at);
    *at += 1; // the closing parenthesis
    fine
}
