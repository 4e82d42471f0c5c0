//! README.md, CONTRIBUTING.md and docs/ show the real behaviour: every command block runs, with the
//! real nginx and real DNS servers, and prints what the page shows (`scripts/docs`, which lists its
//! stand-ins).
//! Needs: curl ip kdig knotd mount nginx openssl promtool python3 unbound unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::Path;

use support::external::external_program;
use support::program::program;

/// The README fits on a few screens, in bytes.
const README_SIZE: u64 = 10_240;

#[test]
fn every_command_block_prints_what_its_page_shows() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/docs");
    let output = external_program("python3")
        .arg(script)
        .env("CERTCTL", program())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "update the pages with `scripts/docs --write`:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_readme_is_short() {
    let size = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("README.md")
        .metadata()
        .unwrap()
        .len();
    assert!(size <= README_SIZE, "README.md has {size} bytes");
}

#[test]
fn the_readme_counts_the_servers_that_have_a_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = std::fs::read_to_string(root.join("docs/reference/servers.md")).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let count = rows.filter(|row| !row.starts_with("| `--server`")).count();
    let words = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen"];
    let word = words[count - 10];
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let sentence = format!("[{word} others](docs/reference/servers.md)");
    assert!(readme.to_lowercase().contains(&sentence), "{count} servers");
}
