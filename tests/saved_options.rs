//! Which options of `install` are saved: those with which an install succeeded.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::install_sandbox::{InstallSandbox, LINEAGE, codes};
use support::json::Json;

fn settings(setup: &InstallSandbox) -> Json {
    Json::parse(&setup.sandbox.read(&format!("{LINEAGE}/settings.json")))
}

#[test]
fn a_command_is_saved_only_after_it_has_worked() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let before = settings(&setup);
    let failed = setup.install("new.crt", &["--reload", "false", "--json"]);
    let failed = failed.expect(1).json();
    assert!(codes(&failed).contains(&"reload-failed"), "{failed}");
    assert_eq!(settings(&setup), before);
    setup.install("new.crt", &["--test", "false"]).expect(1);
    assert_eq!(settings(&setup), before);
    setup.install("new.crt", &["--reload", "true"]).expect(0);
    assert_eq!(settings(&setup)["reload"], "true");
    setup.renew_and_install(&[]).expect(0);
    assert_eq!(settings(&setup)["reload"], "true");
}

#[test]
fn an_install_that_is_killed_saves_no_command() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let kill = "sh -c 'kill -9 $PPID'";
    let run = setup.renew_and_install(&["--reload", kill, "--probe", "127.0.0.1:9"]);
    assert_ne!(run.code, 0, "{run}");
    let saved = settings(&setup);
    assert!(
        saved.get("reload").is_none() && saved.get("probe").is_none(),
        "{saved}"
    );
    setup.install("new.crt", &[]).expect(0);
    let _ = setup.served();
}

#[test]
fn saved_options_that_took_part_in_a_failure_are_named() {
    let setup = InstallSandbox::new();
    let script = setup
        .sandbox
        .write("reload", "#!/bin/sh\ntest ! -e \"$0.broken\"\n");
    let reload = format!("sh {}", script.display());
    setup.renew_and_install(&["--reload", &reload]).expect(0);
    setup.sandbox.write("reload.broken", "");
    let failed = setup.renew_and_install(&["--json"]);
    assert!([5, 6].contains(&failed.code), "{failed}");
    let failed = failed.json();
    let findings = failed["findings"].as_array().unwrap();
    let note = findings
        .iter()
        .find(|one| one["code"] == "saved-options-used")
        .unwrap();
    assert!(
        note["message"].to_string().contains("--reload 'sh "),
        "{note}"
    );
    let command = note["next"][0]["command"].as_str().unwrap();
    assert!(command.contains("--reload auto"), "{command}");
    let given = setup
        .renew_and_install(&["--reload", "false", "--json"])
        .json();
    assert!(!codes(&given).contains(&"saved-options-used"), "{given}");
}

#[test]
fn a_placeholder_does_not_save_that_there_is_no_server() {
    let setup = InstallSandbox::new();
    setup
        .sandbox
        .run(&[
            "install",
            "--placeholder",
            "example.com",
            "--server",
            "none",
            "--root",
            "tree",
        ])
        .expect(0);
    let saved = settings(&setup);
    assert!(saved.get("server").is_none(), "{saved}");
    setup.renew_and_install(&["--server", "none"]).expect(0);
    assert_eq!(settings(&setup)["server"], "none");
}
