//! `certctl install` and `rollback` in a `--root` tree, without a server and with scripts that
//! replace a server's commands.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::os::unix::fs::{PermissionsExt, symlink};

use support::Sandbox;
use support::ca::{Leaf, days, today};
use support::install_sandbox::{
    CHAIN, InstallSandbox, KEY, LINEAGE, codes, key_matches_chain, leftovers, link, mode,
};
use support::program::program;

#[test]
fn a_repeated_install_changes_nothing() {
    let setup = InstallSandbox::new();
    let first = setup.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(first["verdict"], "files");
    assert_eq!(first["changed"], true);
    let certificate = &first["certificates"][0];
    assert_eq!(certificate["name"], "example.com");
    assert_eq!(certificate["proof"], "files");
    let (chain, key) = setup.served();
    assert_eq!(
        chain.matches("BEGIN CERTIFICATE").count(),
        2,
        "the chain has leaf and intermediate, but no root"
    );
    assert_eq!(key, setup.sandbox.read("example.com.key"));
    assert_eq!(mode(&setup.sandbox.join(KEY)), 0o600);
    assert_eq!(
        link(&setup.sandbox, CHAIN),
        "certctl/example.com/live/fullchain.pem"
    );
    assert_eq!(
        link(&setup.sandbox, KEY),
        "../certctl/example.com/live/key.pem"
    );
    let release = format!("releases/{}", certificate["release"].as_str().unwrap());
    assert_eq!(link(&setup.sandbox, &format!("{LINEAGE}/live")), release);
    assert_eq!(link(&setup.sandbox, &format!("{LINEAGE}/proven")), release);

    let before = setup.tree();
    let again = setup.install("new.crt", &["--json"]).expect(0).json();
    assert_eq!(
        (&again["verdict"], &again["changed"]),
        (&"unchanged".into(), &false.into())
    );
    assert_eq!(setup.tree(), before);
}

#[test]
fn a_rollback_restores_the_replaced_certificate() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let first = setup.served();
    setup.renew_and_install(&[]).expect(0);
    let second = setup.served();
    assert_ne!(first, second);

    let back = setup
        .sandbox
        .run(&["rollback", "example.com", "--root", "tree", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&back["schema"], &back["verdict"]),
        (&"certctl.rollback/1".into(), &"files".into())
    );
    assert_eq!(setup.served(), first);
    setup.sandbox.run(&["rollback", "--root", "tree"]).expect(3);
    assert_eq!(
        setup.served(),
        first,
        "there is no version before the first"
    );
    setup.install("new.crt", &[]).expect(0);
    assert_eq!(setup.served(), second);
}

#[test]
fn plain_files_with_a_matching_key_are_taken_over() {
    let setup = InstallSandbox::new();
    setup
        .renew_and_install(&["--chain-path", "/etc/old.crt", "--key-path", "/etc/old.key"])
        .expect(0);
    let sandbox = &setup.sandbox;
    let old_chain = "a comment of the CA\r\n".to_owned() + &sandbox.read("tree/etc/old.crt");
    let old_key = sandbox.read("tree/etc/old.key");
    std::fs::remove_dir_all(sandbox.join("tree")).unwrap();
    sandbox.write(CHAIN, &old_chain);
    let key = sandbox.write(KEY, &old_key);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();

    let run = setup.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "files");
    assert!(codes(&run).contains(&"key-mode-tightened"), "{run}");
    assert_eq!(
        mode(&sandbox.join(KEY)),
        0o640,
        "the mode without the bits for others"
    );
    assert_ne!(setup.served().1, old_key);
    sandbox.run(&["rollback", "--root", "tree"]).expect(0);
    assert_eq!(
        setup.served(),
        (old_chain, old_key),
        "the bytes of the replaced files"
    );
    assert_eq!(mode(&sandbox.join(KEY)), 0o640);
    setup.renew_and_install(&[]).expect(0);
    assert_eq!(
        mode(&sandbox.join(KEY)),
        0o640,
        "a rollback keeps the key's mode for the next install"
    );
}

#[test]
fn a_key_in_the_chain_file_is_not_published() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup
        .renew_and_install(&["--chain-path", "/etc/old.crt", "--key-path", "/etc/old.key"])
        .expect(0);
    let (chain, key) = (
        sandbox.read("tree/etc/old.crt"),
        sandbox.read("tree/etc/old.key"),
    );
    std::fs::remove_dir_all(sandbox.join("tree")).unwrap();
    let both = sandbox.write(CHAIN, chain.clone() + &key);
    let key_path = sandbox.write(KEY, &key);
    for path in [&both, &key_path] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let run = setup.renew_and_install(&["--json"]).expect(0).json();
    assert!(codes(&run).contains(&"key-in-chain"), "{run}");
    let kept = sandbox.join(&format!("{CHAIN}.~1~"));
    assert_eq!(
        std::fs::read_to_string(&kept).unwrap(),
        chain.clone() + &key,
        "the backup has the whole file"
    );
    assert_eq!(mode(&kept), 0o600);
    sandbox.run(&["rollback", "--root", "tree"]).expect(0);
    assert_eq!(setup.served(), (chain, key));
    for (path, text) in setup.tree() {
        let public = path.ends_with("fullchain.pem")
            || path.ends_with("cert.pem")
            || path.ends_with("ca.pem");
        assert!(!(public && text.contains("PRIVATE")), "{}", path.display());
    }
}

#[test]
fn the_reported_key_mode_is_the_mode_on_disk() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    let (chain, key) = setup.served();
    for (path, text) in [(CHAIN, &chain), (KEY, &key)] {
        std::fs::remove_file(sandbox.join(path)).unwrap();
        sandbox.write(path, text);
    }
    let private = sandbox.join(KEY).parent().unwrap().to_owned();
    std::fs::set_permissions(private, std::fs::Permissions::from_mode(0o710)).unwrap();
    std::fs::set_permissions(sandbox.join(KEY), std::fs::Permissions::from_mode(0o640)).unwrap();
    let run = setup.install("new.crt", &["--json"]).expect(0).json();
    assert_eq!(run["certificates"][0]["key_mode"], "0640");
    assert_eq!(mode(&sandbox.join(KEY)), 0o640);
    assert_eq!(setup.served(), (chain, key));
    assert_eq!(
        setup.install("new.crt", &["--json"]).expect(0).json()["verdict"],
        "unchanged"
    );
    setup.renew_and_install(&[]).expect(0);
    sandbox.run(&["rollback", "--root", "tree"]).expect(0);
    assert_eq!(mode(&sandbox.join(KEY)), 0o640);
}

#[test]
fn a_rollback_of_plain_files_is_refused() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    setup.renew_and_install(&[]).expect(0);
    let (chain, key) = setup.served();
    for (path, text) in [(CHAIN, &chain), (KEY, &key)] {
        std::fs::remove_file(sandbox.join(path)).unwrap();
        sandbox.write(path, text);
    }
    let before = setup.tree();
    let run = sandbox
        .run(&["rollback", "--root", "tree", "--json"])
        .expect(1)
        .json();
    assert_eq!(run["verdict"], "refused");
    assert!(
        run.to_string().contains("certctl install example.com"),
        "{run}"
    );
    assert_eq!(setup.tree(), before);
}

#[test]
fn a_failure_between_two_links_restores_broken_files() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("old.crt");
    sandbox.write(CHAIN, "no chain");
    // A file name so long that its backup's name would be too long: the failure comes after the link
    // of the chain was created.
    let long = format!("/etc/ssl/private/{}.key", "x".repeat(250));
    let key = format!("tree{long}");
    sandbox.write(&key, "no key");
    setup.install("old.crt", &["--key-path", &long]).expect(4);
    assert_eq!(
        (sandbox.read(CHAIN), sandbox.read(&key)),
        ("no chain".to_owned(), "no key".to_owned())
    );
    assert!(!sandbox.join(CHAIN).symlink_metadata().unwrap().is_symlink());
}

#[test]
fn a_rollback_restores_only_the_backup_of_its_own_run() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    sandbox.write(KEY, "the user's");
    // The new backup gets the free number 2.
    sandbox.write(&format!("{KEY}.~1~"), "of last year");
    sandbox.write(&format!("{KEY}.~3~"), "of this year");
    let run = setup.renew_and_install(&[
        "--server", "none", "--test", "true", "--reload", "false", "--json",
    ]);
    assert!([5, 6].contains(&run.code), "{run}");
    assert_eq!(sandbox.read(KEY), "the user's");
    assert_eq!(sandbox.read(&format!("{KEY}.~1~")), "of last year");
    assert_eq!(sandbox.read(&format!("{KEY}.~3~")), "of this year");
}

#[test]
fn a_renewal_finds_the_key_in_the_folder_of_the_last_request() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    setup.write_delivery("next.crt");
    let sandbox = &setup.sandbox;
    std::fs::create_dir(sandbox.join("mail")).unwrap();
    std::fs::rename(sandbox.join("next.crt"), sandbox.join("mail/next.crt")).unwrap();
    let next = setup
        .install("mail/next.crt", &["-C", "mail", "--json"])
        .expect(0)
        .json();
    assert_eq!(next["verdict"], "files");
    assert_eq!(setup.served().1, sandbox.read("example.com.key"));
}

#[test]
fn plain_files_that_do_not_match_are_kept_as_backups() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("old.crt");
    let stray = sandbox.read("example.com.key");
    setup.write_delivery("other.crt");
    let chain = setup.ca.issue(&sandbox.read("example.com.csr"));
    sandbox.write(CHAIN, &chain);
    let key = sandbox.write(KEY, &stray);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();

    setup.renew_and_install(&[]).expect(0);
    setup.served();
    assert_eq!(sandbox.read(&format!("{CHAIN}.~1~")), chain);
    assert_eq!(sandbox.read(&format!("{KEY}.~1~")), stray);
    assert_eq!(mode(&sandbox.join(&format!("{KEY}.~1~"))), 0o600);
}

#[test]
fn dry_runs_show_the_plan_and_change_nothing() {
    let setup = InstallSandbox::new();
    let planned = setup
        .renew_and_install(&["--dry-run", "--json"])
        .expect(0)
        .json();
    assert_eq!(planned["verdict"], "planned");
    assert!(!setup.sandbox.join("tree").exists());
    setup.install("new.crt", &[]).expect(0);
    let before = setup.tree();
    let run = setup.renew_and_install(&["--dry-run"]).expect(0);
    assert!(run.stdout.contains("switch servers to version"), "{run}");
    for expected in [
        "/etc/ssl/certctl/example.com/releases/",
        "fullchain.pem (0644), cert.pem (0644), ca.pem (0644), key.pem (0600)",
        "link [SANDBOX]/tree/etc/ssl/certctl/example.com/proven -> releases/",
        "undo    if a step fails, version",
        "done    dry run: nothing was changed",
    ] {
        assert!(run.to_string().contains(expected), "{expected}\n{run}");
    }
    assert_eq!(setup.tree(), before);
    setup
        .sandbox
        .run(&["rollback", "--root", "tree", "--dry-run"])
        .expect(3);
}

#[test]
fn refused_installs_change_nothing() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    assert!(
        std::process::Command::new("mkfifo")
            .arg(sandbox.join("tree/etc/fifo"))
            .status()
            .unwrap()
            .success()
    );
    let before = setup.tree();
    let leaf = |leaf| setup.ca.issue_as(&sandbox.read("example.com.csr"), leaf);
    let old = Leaf {
        not_before: days(today(), -100),
        not_after: days(today(), -2),
        ..Leaf::default()
    };
    sandbox.write("expired.crt", leaf(old) + &setup.ca.bundle_pem());
    let early = Leaf {
        not_before: days(today(), 2),
        ..Leaf::default()
    };
    sandbox.write("early.crt", leaf(early) + &setup.ca.bundle_pem());
    sandbox.write("leaf-only.crt", leaf(Leaf::default()));
    sandbox.write("good.crt", leaf(Leaf::default()) + &setup.ca.bundle_pem());
    sandbox.write(
        "page.crt",
        "<!DOCTYPE html><html><body>log in</body></html>",
    );
    sandbox
        .run(&["csr", "other.example", "--key-type", "rsa-2048"])
        .expect(0);
    for (file, more, code, exit) in [
        ("expired.crt", &[][..], "expired", 1),
        ("early.crt", &[], "not-yet-valid", 1),
        ("leaf-only.crt", &[], "missing-intermediate", 1),
        (
            "good.crt",
            &["--key", "other.example.key"],
            "wrong-key-type",
            1,
        ),
        ("page.crt", &[], "", 3),
        ("example.com.csr", &[], "", 3),
        ("nowhere.crt", &[], "", 3),
        (
            "good.crt",
            &["--server", "nginx", "--server-config", "nowhere.conf"],
            "server-config-broken",
            1,
        ),
        ("good.crt", &["--test", "no-such-program"], "", 3),
        ("good.crt", &["--test", "false"], "server-config-broken", 1),
        ("good.crt", &["--chain-path", "/etc/ssl"], "path-taken", 1),
        ("good.crt", &["--chain-path", "/etc/fifo"], "path-taken", 1),
        (
            "good.crt",
            &[
                "--chain-path",
                "/etc/ssl/certctl/example.com/live/fullchain.pem",
            ],
            "",
            2,
        ),
        ("good.crt", &["--probe", "localhost"], "", 2),
    ] {
        let run = setup
            .install(file, &[more, &["--json"]].concat())
            .expect(exit);
        let document = run.json();
        if exit == 1 {
            assert_eq!(
                (&document["verdict"], &document["changed"]),
                (&"refused".into(), &false.into()),
                "{file}\n{run}"
            );
            assert!(codes(&document).contains(&code), "{file}: {document}");
        }
        assert_eq!(setup.tree(), before, "{file} {more:?}");
    }
    setup
        .install("good.crt", &["--at", "2001-01-01T00:00:00Z"])
        .expect(1);
    sandbox
        .run(&["install", "good.crt", "--at", "2027-01-01T00:00:00Z"])
        .expect(2);
}

/// Creates scripts that replace a server's test and reload commands and record each call in `log`.
fn scripts(sandbox: &Sandbox, test: &str, reload: &str) -> (String, String) {
    let script = |name: &str, body: &str| {
        let log = sandbox.join("log").display().to_string();
        let path = sandbox.write(name, format!("#!/bin/sh\necho {name} >>{log}\n{body}\n"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    };
    (script("test", test), script("reload", reload))
}

#[test]
fn a_test_that_fails_after_the_switch_rolls_back() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    let (first, release) = (setup.served(), link(sandbox, &format!("{LINEAGE}/live")));
    // Succeeds before the switch, fails after it, and succeeds again with the previous files.
    let condition = format!(
        "[ \"$(readlink {})\" = {release} ] || {{ echo no such luck; exit 1; }}",
        sandbox.join(&format!("{LINEAGE}/live")).display()
    );
    let (test, reload) = scripts(sandbox, &condition, "");
    let run = setup
        .renew_and_install(&["--test", &test, "--reload", &reload, "--json"])
        .expect(5)
        .json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"rolled-back".into(), &false.into())
    );
    assert!(
        run["findings"].to_string().contains("no such luck"),
        "{run}"
    );
    assert_eq!(setup.served(), first);
    let log = sandbox.read("log");
    assert_eq!(
        log.lines().filter(|line| *line == "reload").count(),
        1,
        "the only reload is that of the rollback\n{log}"
    );
    assert!(log.ends_with("test\nreload\n"), "{log}");
}

#[test]
fn a_reload_that_fails_in_the_rollback_too_is_reported() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let first = setup.served();
    let (test, reload) = scripts(&setup.sandbox, "", "echo out of order; exit 3");
    let run = setup
        .renew_and_install(&["--test", &test, "--reload", &reload, "--json"])
        .expect(6)
        .json();
    assert_eq!(run["verdict"], "rollback-failed");
    assert!(
        run["rolled_back"]["done"][0]
            .as_str()
            .unwrap()
            .starts_with("switch servers to version"),
        "{run}"
    );
    assert!(
        run["rolled_back"]["left"][0]
            .as_str()
            .unwrap()
            .contains("reload"),
        "{run}"
    );
    assert_eq!(setup.served(), first);
}

#[test]
fn a_first_install_that_fails_leaves_no_links() {
    let setup = InstallSandbox::new();
    let (_, reload) = scripts(&setup.sandbox, "", "exit 3");
    setup
        .renew_and_install(&["--reload", &reload, "--json"])
        .expect(6);
    for path in [
        CHAIN,
        KEY,
        &format!("{LINEAGE}/live"),
        &format!("{LINEAGE}/proven"),
    ] {
        assert!(
            setup.sandbox.join(path).symlink_metadata().is_err(),
            "{path}"
        );
    }
    setup.install("new.crt", &["--reload", "true"]).expect(0);
    setup.served();
}

#[test]
fn options_are_saved_for_the_next_install() {
    let setup = InstallSandbox::new();
    let (test, reload) = scripts(&setup.sandbox, "", "");
    setup
        .renew_and_install(&[
            "--test",
            &test,
            "--reload",
            &reload,
            "--chain-path",
            "/srv/site.crt",
        ])
        .expect(0);
    setup.write_delivery("new.crt");
    setup
        .sandbox
        .run(&["install", "new.crt", "--root", "tree"])
        .expect(0);
    assert!(setup.sandbox.join("tree/srv/site.crt").exists());
    assert!(key_matches_chain(&setup.sandbox, "tree/srv/site.crt", KEY));
    assert_eq!(
        setup
            .sandbox
            .read("log")
            .lines()
            .filter(|line| *line == "reload")
            .count(),
        2
    );
    let settings = setup.sandbox.join(&format!("{LINEAGE}/settings.json"));
    assert_eq!(mode(&settings), 0o644);

    std::fs::set_permissions(&settings, std::fs::Permissions::from_mode(0o666)).unwrap();
    let before = setup.tree();
    setup.renew_and_install(&[]).expect(3);
    assert_eq!(
        setup.tree(),
        before,
        "commands that other users could have written are not run"
    );
}

#[test]
fn file_modes_do_not_depend_on_the_umask() {
    for umask in ["000", "077"] {
        let setup = InstallSandbox::new();
        setup.write_delivery("new.crt");
        let certctl = program();
        let line =
            format!("umask {umask}; exec {certctl} install new.crt --root tree --trust root.pem");
        let status = std::process::Command::new("sh")
            .args(["-c", &line])
            .current_dir(setup.sandbox.path())
            .status()
            .unwrap();
        assert!(status.success());
        for (path, wanted) in [
            (KEY, 0o600),
            (CHAIN, 0o644),
            ("tree/etc/ssl/certctl", 0o755),
            (&format!("{LINEAGE}/releases"), 0o755),
            (&format!("{LINEAGE}/live"), 0o755),
            (&format!("{LINEAGE}/settings.json"), 0o644),
            ("tree/etc/ssl/private", 0o700),
        ] {
            assert_eq!(
                mode(&setup.sandbox.join(path)),
                wanted,
                "{path} with umask {umask}"
            );
        }
    }
}

#[test]
fn a_lock_that_is_held_too_long_is_reported() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let lock = setup.sandbox.join("tree/etc/ssl/certctl/.lock");
    std::fs::write(&lock, "garbage").unwrap();
    let held = std::fs::File::open(&lock).unwrap();
    held.lock().unwrap();
    let run = setup
        .renew_and_install(&["--lock-timeout", "100ms", "--json"])
        .expect(4);
    assert_eq!(run.json()["error"]["kind"], "lock-held");
    drop(held);
    setup.install("new.crt", &[]).expect(0);
    assert!(leftovers(&setup.sandbox).is_empty());
}

#[test]
fn concurrent_installs_never_mix_chain_and_key() {
    let setup = InstallSandbox::new();
    let folders = ["one", "two"];
    for folder in folders {
        setup
            .sandbox
            .run(&["csr", "example.com", "--force"])
            .expect(0);
        let leaf = setup.ca.issue(&setup.sandbox.read("example.com.csr"));
        setup
            .sandbox
            .write(&format!("{folder}/site.crt"), leaf + &setup.ca.bundle_pem());
        let key = setup.sandbox.read("example.com.key");
        setup
            .sandbox
            .write_key(&format!("{folder}/example.com.key"), key);
    }
    for _ in 0..3 {
        let children: Vec<_> = (0..8)
            .map(|number| {
                let folder = folders[number % 2];
                let file = setup
                    .sandbox
                    .join(&format!("{folder}/site.crt"))
                    .display()
                    .to_string();
                let args = [
                    "install", &file, "-C", folder, "--root", "tree", "--trust", "root.pem",
                ];
                setup
                    .sandbox
                    .command(&args)
                    .stdout(std::process::Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        setup.served();
    }
    assert!(leftovers(&setup.sandbox).is_empty());
}

#[test]
fn releases_are_pruned_but_never_those_in_use() {
    let setup = InstallSandbox::new();
    for _ in 0..5 {
        setup.renew_and_install(&[]).expect(0);
    }
    let releases = std::fs::read_dir(setup.sandbox.join(&format!("{LINEAGE}/releases")))
        .unwrap()
        .count();
    assert_eq!(releases, 3);
    setup.sandbox.run(&["rollback", "--root", "tree"]).expect(0);
    setup.served();
}

#[test]
fn an_interrupted_install_is_continued() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    let first = link(sandbox, &format!("{LINEAGE}/proven"));
    setup.renew_and_install(&[]).expect(0);
    let second = link(sandbox, &format!("{LINEAGE}/live"));
    // The state after a kill between the switch and the verification.
    let proven = sandbox.join(&format!("{LINEAGE}/proven"));
    std::fs::remove_file(&proven).unwrap();
    symlink(&first, &proven).unwrap();
    sandbox.write(
        &format!("{LINEAGE}/releases/.0123abcd.0123456789abcdef~/key.pem"),
        "left by a kill",
    );

    // A failed install of a third release restores the proven release, not the second.
    let (test, _) = scripts(
        sandbox,
        &format!(
            "case $(readlink {}) in {first}|{second}) ;; *) exit 1;; esac",
            sandbox.join(&format!("{LINEAGE}/live")).display()
        ),
        "",
    );
    setup.renew_and_install(&["--test", &test]).expect(5);
    assert_eq!(link(sandbox, &format!("{LINEAGE}/live")), first);
    assert!(leftovers(sandbox).is_empty());
    setup.served();
}

#[test]
fn links_of_other_tools_are_not_replaced() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    sandbox.write("tree/etc/letsencrypt/live/x.pem", "theirs");
    std::fs::create_dir_all(sandbox.join("tree/etc/ssl")).unwrap();
    symlink("../letsencrypt/live/x.pem", sandbox.join(CHAIN)).unwrap();
    let before = setup.tree();
    let run = setup.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "refused");
    assert_eq!(setup.tree(), before);
}

#[test]
fn a_name_selects_the_installed_certificate() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    std::fs::remove_file(setup.sandbox.join("new.crt")).unwrap();
    let again = setup
        .install("www.example.com", &["--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&again["verdict"], &again["certificates"][0]["name"]),
        (&"unchanged".into(), &"example.com".into())
    );

    let verified = setup
        .sandbox
        .run(&["verify", "example.com", "--root", "tree", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        verified["findings"],
        serde_json::json!([]),
        "key, chain and the saved root are used"
    );
    std::fs::remove_file(setup.sandbox.join(&format!("{LINEAGE}/proven"))).unwrap();
    let verified = setup
        .sandbox
        .run(&["verify", "example.com", "--root", "tree", "--json"])
        .expect(0)
        .json();
    assert_eq!(codes(&verified), ["not-verified-live"]);

    let check = setup
        .sandbox
        .run(&["dcv-check", "--root", "tree", "--resolver", "127.0.0.1:9"])
        .expect(3);
    assert!(
        check
            .stderr
            .contains("all requests in this folder have their certificate already"),
        "{check}"
    );
}

/// Runs `certctl ARGS` and sends SIGTERM as soon as `marker` exists; returns the exit code and
/// stdout.
fn terminated(setup: &InstallSandbox, args: &[&str], marker: &str) -> (i32, String) {
    let mut command = setup.sandbox.command(args);
    let child = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let ends = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !setup.sandbox.join(marker).exists() {
        assert!(
            std::time::Instant::now() < ends,
            "{marker} was not created in time"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    support::terminate(child.id());
    let output = child.wait_with_output().unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

#[test]
fn a_signal_after_the_switch_rolls_back() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let first = setup.served();
    setup.write_delivery("new.crt");
    let slow = |marker: &str| format!("touch {}; sleep 0.5", setup.sandbox.join(marker).display());
    let (test, reload) = scripts(&setup.sandbox, &slow("testing"), &slow("reloading"));
    let common = [
        "install", "new.crt", "--root", "tree", "--trust", "root.pem", "--json",
    ];

    let (code, output) = terminated(
        &setup,
        &[&common[..], &["--test", &test]].concat(),
        "testing",
    );
    assert_eq!(code, 143, "{output}");
    assert!(
        output.contains("\"kind\":\"interrupted\"")
            && output.contains("the files that servers read have not been changed"),
        "{output}"
    );
    assert_eq!(setup.served(), first);

    let (code, output) = terminated(
        &setup,
        &[&common[..], &["--reload", &reload]].concat(),
        "reloading",
    );
    assert_eq!(code, 143, "{output}");
    assert!(
        output.contains("rolled back: the files that servers read are as they were before"),
        "{output}"
    );
    assert_eq!(setup.served(), first);
    assert!(leftovers(&setup.sandbox).is_empty());
}

/// The document, with the values masked that differ from run to run.
fn masked(setup: &InstallSandbox, run: &support::Run) -> String {
    let mut shown = run.json();
    shown.set("plan_id", "[PLAN]");
    shown["certificates"][0]["after"].set("key_id", "[KEY ID]");
    shown["certificates"][0]["after"].set("owner", "[OWNER]");
    let mut text = format!("{shown:#}");
    text = text.replace(&setup.sandbox.path().display().to_string(), "[SANDBOX]");
    let document = run.json();
    let certificate = &document["certificates"][0];
    if let Some(id) = document["plan_id"].as_str() {
        text = text.replace(id, "[PLAN]");
    }
    for (field, mask) in [
        ("release", "[RELEASE]"),
        ("sha256", "[SHA256]"),
        ("not_after", "[NOT AFTER]"),
    ] {
        text = text.replace(certificate[field].as_str().unwrap(), mask);
    }
    text
}

#[test]
fn an_install_prints_this_document_and_this_text() {
    let setup = InstallSandbox::new();
    let run = setup
        .renew_and_install(&["--dry-run", "--test", "true", "--probe", "none", "--json"])
        .expect(0);
    insta::assert_snapshot!(masked(&setup, &run), @r#"
    {
      "schema": "certctl.install/1",
      "comment": "dry run: nothing was changed",
      "verdict": "planned",
      "changed": false,
      "would_change": true,
      "plan_id": "[PLAN]",
      "certificates": [
        {
          "name": "example.com",
          "verdict": "planned",
          "changed": false,
          "release": "[RELEASE]",
          "chain_path": "[SANDBOX]/tree/etc/ssl/example.com.fullchain.pem",
          "key_path": "[SANDBOX]/tree/etc/ssl/private/example.com.key",
          "key_mode": "0600",
          "not_after": "[NOT AFTER]",
          "sha256": "[SHA256]",
          "before": null,
          "after": {
            "sha256": "[SHA256]",
            "names": [
              "example.com",
              "www.example.com"
            ],
            "not_after": "[NOT AFTER]",
            "chain_length": 2,
            "key_id": "[KEY ID]",
            "key_mode": "0600",
            "owner": "[OWNER]",
            "chain_path": "[SANDBOX]/tree/etc/ssl/example.com.fullchain.pem",
            "key_path": "[SANDBOX]/tree/etc/ssl/private/example.com.key"
          },
          "proof": "none",
          "probes": [],
          "plan": {
            "steps": [
              {
                "step": "write-release",
                "release": "[RELEASE]",
                "pieces": [
                  "full-chain",
                  "cert",
                  "ca",
                  "key"
                ],
                "text": "write fullchain.pem (0644), cert.pem (0644), ca.pem (0644), key.pem (0600) to [SANDBOX]/tree/etc/ssl/certctl/example.com/releases/[RELEASE]"
              },
              {
                "step": "remember",
                "path": "[SANDBOX]/tree/etc/ssl/certctl/example.com/settings.json",
                "text": "save the options in [SANDBOX]/tree/etc/ssl/certctl/example.com/settings.json"
              },
              {
                "step": "link",
                "path": "[SANDBOX]/tree/etc/ssl/example.com.fullchain.pem",
                "target": "certctl/example.com/live/fullchain.pem",
                "text": "create the link [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem -> certctl/example.com/live/fullchain.pem"
              },
              {
                "step": "link",
                "path": "[SANDBOX]/tree/etc/ssl/private/example.com.key",
                "target": "../certctl/example.com/live/key.pem",
                "text": "create the link [SANDBOX]/tree/etc/ssl/private/example.com.key -> ../certctl/example.com/live/key.pem"
              },
              {
                "step": "switch",
                "from": null,
                "to": "[RELEASE]",
                "text": "switch servers to version [RELEASE], chain and key in one rename (before: none): [SANDBOX]/tree/etc/ssl/certctl/example.com/live"
              },
              {
                "step": "test-server",
                "command": "true",
                "text": "test the server: `true`"
              },
              {
                "step": "mark-proven",
                "from": null,
                "to": "[RELEASE]",
                "text": "mark it as verified: link [SANDBOX]/tree/etc/ssl/certctl/example.com/proven -> releases/[RELEASE]"
              },
              {
                "step": "record",
                "release": "[RELEASE]",
                "before": null,
                "text": "add version [RELEASE] to the history in [SANDBOX]/tree/etc/ssl/certctl/example.com/settings.json"
              },
              {
                "step": "prune",
                "text": "delete versions that are no longer needed (the 3 newest stay) in [SANDBOX]/tree/etc/ssl/certctl/example.com/releases"
              }
            ],
            "back": {
              "nothing": {
                "reload": true
              }
            },
            "end": "proven"
          },
          "rolled_back": {
            "done": [],
            "left": []
          },
          "settings": {
            "chain_path": "/etc/ssl/example.com.fullchain.pem",
            "key_path": "/etc/ssl/private/example.com.key",
            "key_mode": "0600",
            "test": "true",
            "trust": "[SANDBOX]/root.pem",
            "folder": "[SANDBOX]",
            "request": "example.com"
          },
          "findings": [
            {
              "code": "root-omitted",
              "severity": "note",
              "message": "omitted: Test Root R1 (root: clients already have it)",
              "next": []
            }
          ],
          "next": [],
          "undo": []
        }
      ],
      "settings": {
        "chain_path": "/etc/ssl/example.com.fullchain.pem",
        "key_path": "/etc/ssl/private/example.com.key",
        "key_mode": "0600",
        "test": "true",
        "trust": "[SANDBOX]/root.pem",
        "folder": "[SANDBOX]",
        "request": "example.com"
      },
      "rolled_back": {
        "done": [],
        "left": []
      },
      "findings": [
        {
          "code": "root-omitted",
          "severity": "note",
          "message": "omitted: Test Root R1 (root: clients already have it)",
          "next": []
        }
      ],
      "next": [
        {
          "text": "Run exactly this plan, which is refused if anything has changed by then",
          "command": "certctl install new.crt --root tree --trust root.pem --test true --probe none --json --plan [PLAN]",
          "argv": [
            "certctl",
            "install",
            "new.crt",
            "--root",
            "tree",
            "--trust",
            "root.pem",
            "--test",
            "true",
            "--probe",
            "none",
            "--json",
            "--plan",
            "[PLAN]"
          ],
          "needs_root": false,
          "when": "now"
        }
      ],
      "undo": []
    }
    "#);
    let run = setup.install("new.crt", &[]).expect(0).to_string();
    let dates = |line: &str| {
        line.split(' ')
            .map(|word| {
                if word.trim_end_matches([';', ',']).len() == 10 && word.starts_with("20") {
                    "[DATE]"
                } else {
                    word
                }
            })
            .collect::<Vec<_>>()
            .join(" ")
    };
    insta::assert_snapshot!(run.lines().map(dates).collect::<Vec<_>>().join("\n"), @"
    found   example.com, www.example.com, expires [DATE] matches example.com.key; 1 intermediate, root omitted; trusted by root.pem
    note    omitted: Test Root R1 (root: clients already have it)
    wrote   [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem, [SANDBOX]/tree/etc/ssl/private/example.com.key (0600)
    done    example.com is installed and expires [DATE] renew from [DATE] the files were replaced, and no server was reloaded or probed
    --- exit 0
    ");
}

#[test]
fn links_out_of_the_tree_are_refused() {
    let setup = InstallSandbox::new();
    std::fs::create_dir_all(setup.sandbox.join("outside")).unwrap();
    std::fs::create_dir_all(setup.sandbox.join("tree/etc/pki/tls/private")).unwrap();
    std::os::unix::fs::symlink(
        setup.sandbox.join("outside"),
        setup.sandbox.join("tree/etc/ssl"),
    )
    .unwrap();
    let run = setup.renew_and_install(&["--server", "none"]).expect(2);
    assert!(run.stderr.contains("points outside of"), "{run}");
    assert_eq!(
        std::fs::read_dir(setup.sandbox.join("outside"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn a_rollback_needs_a_name_if_several_are_installed() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let mut all = setup.ca.bundle_pem();
    for name in ["example.com", "example.org"] {
        sandbox.run(&["csr", name]).expect(0);
        all += &setup.ca.issue(&sandbox.read(&format!("{name}.csr")));
    }
    sandbox.write("two.pem", all);
    let run = setup
        .install("two.pem", &["--server", "none", "--json"])
        .expect(0)
        .json();
    assert_eq!(run["certificates"].as_array().unwrap().len(), 2, "{run}");
    assert!(
        sandbox
            .join("tree/etc/ssl/private/example.org.key")
            .exists()
    );
    assert!(
        sandbox
            .join("tree/etc/ssl/private/example.com.key")
            .exists()
    );

    let run = sandbox
        .run(&["rollback", "--root", "tree", "--json"])
        .expect(3)
        .json();
    for one in run["error"]["next"].as_array().unwrap() {
        assert!(
            one["command"].as_str().unwrap().contains("--root tree"),
            "{run}"
        );
    }
    let run = sandbox
        .run(&["rollback", "example.net", "--root", "tree"])
        .expect(3);
    for part in ["example.com, example.org", "certctl --root tree status"] {
        assert!(run.stderr.contains(part), "{run}");
    }
}
