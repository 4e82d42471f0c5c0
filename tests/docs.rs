//! README.md, CONTRIBUTING.md and docs/ show the real behaviour: every command block runs, with the
//! real nginx and real DNS servers, and prints what the page shows (`scripts/docs`, which lists its
//! stand-ins).
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
