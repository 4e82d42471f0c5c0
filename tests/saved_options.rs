//! Which options of `install` are saved: those with which an install succeeded; what the next
//! renewal needs is kept where the user cannot lose it.
//! Needs: unshare, mount, setpriv
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::install_sandbox::{InstallSandbox, LINEAGE, codes};
use support::json::Json;
use support::namespace::{in_mount, is_root};

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

#[test]
fn trust_anchors_are_kept_with_the_certificate() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    assert_eq!(
        settings(&setup)["trust"],
        "/etc/ssl/certctl/example.com/trust.pem"
    );
    let kept = sandbox.read(&format!("{LINEAGE}/trust.pem"));
    assert_eq!(kept.trim(), setup.ca.root_pem().trim());
    // The same anchors again are no change.
    let again = setup.install("new.crt", &["--json"]).expect(0).json();
    assert_eq!(again["changed"], false, "{again}");

    // The tree may move, and the file that was passed may be deleted.
    std::fs::remove_file(sandbox.join("root.pem")).unwrap();
    std::fs::rename(sandbox.join("tree"), sandbox.join("moved")).unwrap();
    let tree = ["--root", "moved"];
    let run = |args: &[&str]| sandbox.run(&[args, &tree].concat());
    run(&["verify", "example.com"]).expect(0);
    run(&["status", "example.com"]).expect(0);
    setup.write_delivery("next.crt");
    run(&["install", "next.crt"]).expect(0);
    assert_eq!(
        sandbox.read("moved/etc/ssl/certctl/example.com/trust.pem"),
        kept
    );
    run(&["forget", "example.com"]).expect(0);
}

#[test]
fn trust_anchors_of_a_failed_install_do_not_replace_the_kept_ones() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let kept = setup.sandbox.read(&format!("{LINEAGE}/trust.pem"));
    let both = format!("{kept}{}", support::ca::TestCa::new().root_pem());
    setup.sandbox.write("both.pem", both);
    setup.write_delivery("next.crt");
    let failed = setup.sandbox.run(&[
        "install", "next.crt", "--root", "tree", "--trust", "both.pem", "--reload", "false",
    ]);
    assert_ne!(failed.code, 0, "{failed}");
    assert_eq!(setup.sandbox.read(&format!("{LINEAGE}/trust.pem")), kept);
}

#[test]
fn the_home_of_another_user_is_not_stored() {
    if !is_root() {
        return;
    }
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    let script = "
        for folder in /home /var/lib /etc/ssl; do mount -t tmpfs -o mode=0755 tmpfs $folder; done
        mkdir -m 0710 /etc/ssl/private
        mkdir -m 0755 /home/alice; cp new.crt root.pem example.com.csr example.com.key /home/alice
        chmod 0600 /home/alice/example.com.key
        cp \"$CERTCTL\" /home/certctl
        cd /home/alice
        certctl install new.crt --trust root.pem --server none >/dev/null
        printf 'settings '; cat /etc/ssl/certctl/example.com/settings.json | tr -d '\\n'; echo
        stat -c '%a %u %n' /var/lib/certctl /var/lib/certctl/requests
        chown -R 4242 /home/alice
        setpriv --reuid 4242 --regid 4242 --clear-groups -- \
            /home/certctl renew --renew-before 9000d --json
        ls /home/alice
        cd /; certctl renew --renew-before 9000d --json
        ls /var/lib/certctl/requests";
    let run = in_mount(&setup.sandbox, "size=1m", script).expect(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    let settings = Json::parse(lines[0].strip_prefix("settings ").unwrap());
    assert_eq!(settings["folder"], "/var/lib/certctl/requests", "{run}");
    assert!(!lines[0].contains("/home/alice"), "{run}");
    assert_eq!(lines[1], "700 0 /var/lib/certctl", "{run}");
    assert_eq!(lines[2], "700 0 /var/lib/certctl/requests", "{run}");
    let of_user = Json::parse(lines[3]);
    assert_eq!(of_user["verdict"], "prepared", "{run}");
    assert!(!lines[3].contains("folder-missing"), "{run}");
    assert!(lines[4..].contains(&"example.com-2.csr"), "{run}");
    let of_root = lines
        .iter()
        .rposition(|line| line.starts_with('{'))
        .unwrap();
    assert_eq!(Json::parse(lines[of_root])["verdict"], "prepared", "{run}");
    let requests = &lines[of_root + 1..];
    assert!(requests.iter().any(|file| file.ends_with(".csr")), "{run}");
    assert!(requests.iter().any(|file| file.ends_with(".key")), "{run}");
}

#[test]
fn a_saved_command_that_is_gone_is_named_with_the_option_that_forgets_it() {
    let setup = InstallSandbox::new();
    let script = setup.sandbox.write("check", "#!/bin/sh\nexit 0\n");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let command = script.display().to_string();
    setup.renew_and_install(&["--test", &command]).expect(0);
    setup.renew_and_install(&[]).expect(0);
    std::fs::remove_file(&script).unwrap();

    let failed = setup.renew_and_install(&["--json"]).expect(3).json();
    let message = failed["error"]["message"].as_str().unwrap();
    assert_eq!(
        message,
        format!("the saved command of `--test` cannot be used: {command}")
    );
    let step = failed["error"]["next"][0]["command"].as_str().unwrap();
    assert!(step.ends_with("--json --test auto"), "{failed}");
    let failed = setup.sandbox.run(&["rollback", "--root", "tree", "--json"]);
    let step = failed.expect(3).json()["error"]["next"][0]["command"].clone();
    assert_eq!(step, "certctl install example.com --test auto --root tree");
    setup.install("new.crt", &["--test", "auto"]).expect(0);
    assert!(settings(&setup).get("test").is_none());
}

/// The options about the files too: the path and the mode of the key are again those of the files
/// that the rollback restored.
#[test]
fn an_install_that_was_rolled_back_saves_no_option() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&["--reload", "true"]).expect(0);
    let before = settings(&setup);
    let key = setup.sandbox.join("tree/srv/other.key");
    let flag = setup.sandbox.join("failed-once");
    let flag = flag.display();
    let fails_once = format!("sh -c '[ -e {flag} ] || {{ touch {flag}; exit 1; }}'");
    let other_path = key.display().to_string();
    let options = ["--key-path", &other_path, "--key-mode", "0640"];
    let reload = ["--reload", &fails_once];
    let failed =
        setup.renew_and_install(&[options, ["--server", "none", reload[0], reload[1]]].concat());
    failed.expect(5);
    assert_eq!(settings(&setup), before);
    assert!(!key.exists());
    setup.renew_and_install(&[]).expect(0);
    assert!(!key.exists());
    assert_eq!(settings(&setup)["key_mode"], "0600");
}

#[test]
fn saved_options_are_shown_in_the_plan() {
    let setup = InstallSandbox::new();
    let saved = ["--reload", "true", "--test", "true", "--key-mode", "0640"];
    setup.renew_and_install(&saved).expect(0);
    let planned = setup.renew_and_install(&["--dry-run"]).expect(0);
    for line in ["reload      true", "test        true", "key mode    0640"] {
        assert!(planned.stdout.contains(line), "{planned}");
    }
    setup.install("new.crt", &[]).expect(0);
    let back = ["rollback", "example.com", "--root", "tree", "--dry-run"];
    let planned = setup.sandbox.run(&back).expect(0);
    assert!(planned.stdout.contains("reload      true"), "{planned}");
}

/// What applies to one run only: `--allow`, `--dry-run`, `--check`, `--at`, `--root`, `--probe none`,
/// `--placeholder`; and the paths of the tree.
#[test]
fn options_of_one_run_are_not_saved() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let placeholder = ["install", "--placeholder", "example.com", "--root", "tree"];
    sandbox.run(&placeholder).expect(0);
    let at = support::ca::noon(0).to_string();
    let once = ["--allow", "ends-earlier", "--probe", "none", "--at", &at];
    setup.renew_and_install(&once).expect(0);
    let dry_run = ["--dry-run", "--reload", "true"];
    setup.renew_and_install(&dry_run).expect(0);
    let check = ["install", "--check", "example.com", "--root", "tree"];
    sandbox.run(&check).expect(0);
    let saved = settings(&setup);
    let expected = [
        "chain_path",
        "key_path",
        "key_mode",
        "trust",
        "folder",
        "request",
        "history",
    ];
    assert_eq!(saved.keys(), expected, "{saved}");
    let text = saved.to_string();
    for once in ["ends-earlier", "probe", "none", "placeholder", "reload"] {
        assert!(!text.contains(once), "{once}: {saved}");
    }
    assert!(!saved["chain_path"].to_string().contains("tree"), "{saved}");
}
