//! The scripts in `completions/` are those that certctl prints.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::Path;

use support::Sandbox;

#[test]
fn completions_are_up_to_date() {
    let sandbox = Sandbox::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    for (shell, file) in [
        ("bash", "certctl.bash"),
        ("elvish", "certctl.elv"),
        ("fish", "certctl.fish"),
        ("powershell", "_certctl.ps1"),
        ("zsh", "_certctl"),
    ] {
        let printed = sandbox.run(&["completions", shell]).expect(0).stdout;
        assert!(printed.contains("dcv-check"), "{printed}");
        let kept = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
        assert!(
            kept == printed,
            "completions/{file} is out of date; to write it again:  scripts/completions"
        );
    }
}
