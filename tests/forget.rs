//! `certctl forget`: plain files replace the links, and certctl's folder is deleted. If it is killed
//! at any system call, no file is missing and the next run completes the removal.
//! Needs: nginx strace unshare mount
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use support::Run;
use support::external::{external_program, succeed};
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, LINEAGE, codes, leftovers, mode, tree};
use support::json::Json;
use support::namespace::{in_mount, user};
use support::program::program;
use support::site::Site;

fn forget(setup: &InstallSandbox, more: &[&str]) -> Run {
    setup
        .sandbox
        .run(&[&["forget", "example.com", "--root", "tree"], more].concat())
}

fn is_plain(setup: &InstallSandbox, path: &str) -> bool {
    setup
        .sandbox
        .join(path)
        .symlink_metadata()
        .unwrap()
        .is_file()
}

#[test]
fn links_become_plain_files_and_the_folder_is_deleted() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&["--key-mode", "0640"]).expect(0);
    setup.renew_and_install(&[]).expect(0);
    let (before, served) = (setup.tree(), setup.served());
    let owner = |path: &str| {
        let meta = setup.sandbox.join(path).metadata().unwrap();
        (meta.uid(), meta.gid(), meta.mode())
    };
    let owners = (owner(CHAIN), owner(KEY));

    let planned = forget(&setup, &["--dry-run", "--json"]).expect(0).json();
    assert_eq!(
        (&planned["verdict"], &planned["changed"]),
        (&"planned".into(), &false.into())
    );
    assert_eq!(
        planned["certificates"][0]["plan"]["steps"]
            .as_array()
            .unwrap()
            .len(),
        3,
        "{planned}"
    );
    assert_eq!(setup.tree(), before);

    let removed = forget(&setup, &["--json"]).expect(0).json();
    assert_eq!(
        (&removed["schema"], &removed["verdict"]),
        (&"certctl.forget/1".into(), &"forgotten".into())
    );
    assert_eq!(removed["changed"], true);
    let keys = |value: &Json| value.keys().join(" ");
    assert_eq!(
        keys(&removed),
        "schema comment verdict changed certificates findings next"
    );
    assert_eq!(
        keys(&removed["certificates"][0]),
        "name release not_after sha256 before after files plan findings"
    );
    assert_eq!(
        keys(&removed["certificates"][0]["files"][0]),
        "path mode owner"
    );
    assert_eq!(
        keys(&removed["certificates"][0]["plan"]["steps"][0]),
        "step path piece text"
    );
    assert_eq!(
        removed["certificates"][0]["files"][1]["mode"], "0640",
        "{removed}"
    );
    assert!(is_plain(&setup, CHAIN) && is_plain(&setup, KEY));
    assert_eq!((owner(CHAIN), owner(KEY)), owners);
    assert_eq!(setup.served(), served);
    assert!(!setup.sandbox.join(LINEAGE).exists());
    assert_eq!(leftovers(&setup.sandbox), Vec::<std::path::PathBuf>::new());

    forget(&setup, &[]).expect(3);
    // The next install takes over the files.
    setup.renew_and_install(&[]).expect(0);
    setup.sandbox.run(&["rollback", "--root", "tree"]).expect(0);
    assert_eq!(setup.served(), served);
    assert_eq!(mode(&setup.sandbox.join(KEY)), 0o640);
}

#[test]
fn the_text_lists_files_and_says_that_no_reload_is_needed() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let plan = forget(&setup, &["--dry-run"]).expect(0).stdout;
    assert!(
        plan.contains("/etc/ssl/example.com.fullchain.pem with a copy of the file"),
        "{plan}"
    );
    assert!(
        plan.contains("/etc/ssl/certctl/example.com and everything in it"),
        "{plan}"
    );
    let done = forget(&setup, &[]).expect(0).stdout;
    assert!(
        done.contains("example.com.key (0600), with the same content as before"),
        "{done}"
    );
    assert!(done.contains("need no reload"), "{done}");
}

#[test]
fn unfinished_installs_and_folders_with_other_files_are_refused() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    let refused = |code: &str| {
        let before = setup.tree();
        for more in [&["--json"][..], &["--json", "--dry-run"]] {
            let run = forget(&setup, more).expect(1).json();
            assert_eq!(
                (&run["verdict"], &run["changed"]),
                (&"refused".into(), &false.into())
            );
            assert_eq!(codes(&run), [code], "{run}");
            assert!(
                run["findings"][0]["next"][0]["text"].as_str().is_some(),
                "{run}"
            );
        }
        assert_eq!(setup.tree(), before);
    };
    sandbox.write(&format!("{LINEAGE}/my notes"), "of mine");
    refused("folder-not-empty");
    std::fs::remove_file(sandbox.join(&format!("{LINEAGE}/my notes"))).unwrap();
    std::fs::rename(
        sandbox.join(&format!("{LINEAGE}/proven")),
        sandbox.join("proven"),
    )
    .unwrap();
    refused("not-verified-live");
    std::fs::rename(
        sandbox.join("proven"),
        sandbox.join(&format!("{LINEAGE}/proven")),
    )
    .unwrap();
    std::fs::rename(
        sandbox.join(&format!("{LINEAGE}/live/key.pem")),
        sandbox.join("key.pem"),
    )
    .unwrap();
    refused("path-missing");
    std::fs::rename(
        sandbox.join("key.pem"),
        sandbox.join(&format!("{LINEAGE}/live/key.pem")),
    )
    .unwrap();
    // A path that is a plain file is left unchanged.
    std::fs::remove_file(sandbox.join(CHAIN)).unwrap();
    sandbox.write(CHAIN, "the user's");
    forget(&setup, &[]).expect(0);
    assert_eq!(sandbox.read(CHAIN), "the user's");
    sandbox
        .run(&["forget", "unknown.example", "--root", "tree"])
        .expect(3);
    sandbox
        .run(&["forget", "../etc", "--root", "tree"])
        .expect(3);
    sandbox.run(&["forget", "--root", "tree"]).expect(2);
}

#[test]
fn a_certificate_that_was_never_verified_is_removed_by_force() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    setup.renew_and_install(&[]).expect(0);
    let served = setup.served();
    let proven = sandbox.join(&format!("{LINEAGE}/proven"));
    let first = std::fs::read_dir(sandbox.join(&format!("{LINEAGE}/releases"))).unwrap();
    let live = std::fs::read_link(sandbox.join(&format!("{LINEAGE}/live"))).unwrap();
    let other = first
        .map(|entry| Path::new("releases").join(entry.unwrap().file_name()))
        .find(|release| *release != live)
        .unwrap();
    // An unfinished install over a verified one is rolled back, not forgotten.
    std::fs::remove_file(&proven).unwrap();
    std::os::unix::fs::symlink(other, &proven).unwrap();
    let refused = forget(&setup, &["--force", "--json"]).expect(1).json();
    assert_eq!(codes(&refused), ["not-verified-live"], "{refused}");

    std::fs::remove_file(&proven).unwrap();
    let refused = forget(&setup, &["--json"]).expect(1).json();
    let steps = refused["findings"][0]["next"].as_array().unwrap();
    let command = steps.last().unwrap()["command"].as_str().unwrap();
    assert!(
        command.contains("forget example.com --force --root"),
        "{refused}"
    );
    forget(&setup, &["--force"]).expect(0);
    assert!(!sandbox.join(LINEAGE).exists());
    assert!(is_plain(&setup, CHAIN) && is_plain(&setup, KEY));
    assert_eq!((sandbox.read(CHAIN), sandbox.read(KEY)), served);
}

#[test]
fn paths_of_another_certificate_can_be_taken_over() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    setup.write_delivery("second.crt");
    let path = |path: &str| sandbox.join(path).display().to_string();
    let (chain, key) = (path(CHAIN), path(KEY));
    let paths = ["--chain-path", &chain, "--key-path", &key, "--json"];
    let install = || {
        setup.install(
            "second.crt",
            &[&["--cert-name", "other"], &paths[..]].concat(),
        )
    };
    let refused = install().expect(1).json();
    let mut findings = refused["findings"].as_array().unwrap().iter();
    let finding = findings.find(|one| one["code"] == "path-taken").unwrap();
    let message = finding["message"].as_str().unwrap();
    assert!(
        message.contains("is the link of example.com, another certificate that certctl installed"),
        "{refused}"
    );
    let own = finding["next"][0]["command"].as_str().unwrap();
    assert!(own.contains("--cert-name example.com"), "{refused}");
    let forget = finding["next"][1]["command"].as_str().unwrap();
    assert!(
        forget.ends_with("certctl forget example.com --root tree"),
        "{refused}"
    );

    let words: Vec<&str> = forget
        .split(' ')
        .skip_while(|word| *word != "forget")
        .collect();
    sandbox.run(&words).expect(0);
    let installed = install().expect(0).json();
    assert_eq!(installed["changed"], true, "{installed}");
    let _ = setup.served();
    assert!(!is_plain(&setup, CHAIN) && !is_plain(&setup, KEY));
}

#[test]
fn missing_space_and_permissions_are_detected_before_any_change() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    std::fs::rename(setup.sandbox.join("tree"), setup.sandbox.join("kept")).unwrap();
    let mut outputs = String::new();
    for (what, options, fault) in [
        (
            "full",
            "size=256k",
            "cat /dev/zero 2>/dev/null >tree/fill || true",
        ),
        ("read-only", "size=4m", "mount -o remount,ro,bind tree"),
        (
            "another's",
            "size=4m",
            "set -- strace -f -o /dev/null -e inject=faccessat2:error=EACCES",
        ),
    ] {
        let run = in_mount(
            &setup.sandbox,
            options,
            &format!(
                "cp -a kept/. tree
                 set --
                 {fault}
                 set +e
                 find tree -printf '%p %T@\n' >before
                 for dry in --dry-run ''; do
                   \"$@\" \"$CERTCTL\" forget example.com --root tree $dry >output$dry 2>&1; echo \"exit $?\"
                 done
                 find tree -printf '%p %T@\n' | cmp before && cmp output output--dry-run && sed /^next/,\\$d output"
            ),
        );
        outputs.push_str(
            &format!("{what}: {run}\n").replace(&format!("user {}", user()), "user USER"),
        );
    }
    insta::assert_snapshot!(outputs.replace(&setup.sandbox.path().display().to_string(), "[SANDBOX]"), @"
    full: exit 4
    exit 4
    error   the file system of [SANDBOX]/tree/etc/ssl has 0 free bytes; 8192 are needed
    --- exit 0
    read-only: exit 4
    exit 4
    error   cannot write [SANDBOX]/tree/etc/ssl/example.com.fullchain.pem
            cause: Read-only file system (os error 30)
    --- exit 0
    another's: exit 4
    exit 4
    error   user USER cannot write to [SANDBOX]/tree/etc/ssl
            cause: Permission denied (os error 13)
    --- exit 0
    ");
}

#[test]
fn nginx_keeps_serving_the_same_files() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    let nginx = site.start("");
    site.renew_and_install(&[]).expect(1);
    nginx.rewrite(&site.block(CHAIN, KEY));
    succeed(
        external_program("nginx")
            .args(["-s", "reload", "-c"])
            .arg(nginx.config()),
    );
    let args = [
        "install",
        "example.com",
        "--root",
        "tree",
        "--trust",
        "root.pem",
    ];
    let config = nginx.config().display().to_string();
    sandbox
        .run(
            &[
                &args[..],
                &["--server", "nginx", "--server-config", &config],
            ]
            .concat(),
        )
        .expect(0);
    let served_leaf = site.served_leaf();
    forget(&site.setup, &[]).expect(0);
    site.assert_serves(CHAIN);
    succeed(
        external_program("nginx")
            .args(["-t", "-c"])
            .arg(nginx.config()),
    );
    succeed(
        external_program("nginx")
            .args(["-s", "reload", "-c"])
            .arg(nginx.config()),
    );
    assert_eq!(site.served_leaf(), served_leaf);
}

#[test]
fn links_of_earlier_installs_are_replaced_too() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    let nginx = site.start("");
    site.renew_and_install(&[]).expect(1);
    nginx.rewrite(&site.block(CHAIN, KEY));
    let reload = || {
        succeed(
            external_program("nginx")
                .args(["-s", "reload", "-c"])
                .arg(nginx.config()),
        )
    };
    reload();
    let config = nginx.config().display().to_string();
    let options = [
        "--root",
        "tree",
        "--trust",
        "root.pem",
        "--server",
        "nginx",
        "--server-config",
        &config,
    ];
    let install = || {
        sandbox
            .run(&[&["install", "example.com"], &options[..]].concat())
            .expect(0)
    };
    install();
    // The administrator changes the server's paths twice; other programs may still read the earlier
    // ones.
    let paths = [
        ("tree/tls/m.pem", "tree/tls/m.key"),
        ("tree/srv/n.pem", "tree/srv/n.key"),
    ];
    for (chain, key) in paths {
        sandbox.write(chain, sandbox.read(CHAIN));
        sandbox.write(key, sandbox.read(KEY));
        nginx.rewrite(&site.block(chain, key));
        reload();
        install();
        assert!(sandbox.join(chain).is_symlink() && sandbox.join(CHAIN).is_symlink());
        sandbox
            .run(&["install", "--check", "--root", "tree"])
            .expect(0);
    }
    site.renew_and_install(&[]).expect(0);
    let settings = Json::parse(&sandbox.read(&format!("{LINEAGE}/settings.json")));
    assert_eq!(
        settings["former"].as_array().map(Vec::len),
        Some(4),
        "{settings}"
    );
    // A link that was deleted is reported, and the next install forgets it.
    let first = sandbox.join(CHAIN);
    let text = std::fs::read_link(&first).unwrap();
    std::fs::remove_file(&first).unwrap();
    let check = sandbox
        .run(&["install", "--check", "--root", "tree", "--json"])
        .expect(1)
        .json();
    assert_eq!(codes(&check), ["drift-link"], "{check}");
    install();
    sandbox
        .run(&["install", "--check", "--root", "tree"])
        .expect(0);
    std::os::unix::fs::symlink(text, &first).unwrap();
    install();
    let served = site.setup.served();
    let done = forget(&site.setup, &["--json"]).expect(0).json();
    assert_eq!(
        done["certificates"][0]["files"].as_array().map(Vec::len),
        Some(6),
        "{done}"
    );
    for (chain, key) in paths.into_iter().chain([(CHAIN, KEY)]) {
        assert!(
            is_plain(&site.setup, chain) && is_plain(&site.setup, key),
            "{chain}"
        );
        assert_eq!((sandbox.read(chain), sandbox.read(key)), served, "{chain}");
    }
    assert!(!sandbox.join(LINEAGE).exists());
}

/// Checks that servers find the same files, and that no key is readable by more users.
fn whole(setup: &InstallSandbox, served: &(String, String), point: &str) {
    assert_eq!(setup.served(), *served, "{point}");
    for (path, text) in tree(&setup.sandbox.join("tree")) {
        let secret = text.contains("PRIVATE KEY");
        assert!(
            !secret || text.starts_with("600 "),
            "{point}: {} {}",
            path.display(),
            &text[..4]
        );
    }
}

#[test]
fn a_removal_that_was_killed_is_completed_by_the_next_run() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let served = setup.served();
    let at = |path: &str| setup.sandbox.join(path);
    let copy = |from: &Path, to: &Path| succeed(Command::new("cp").arg("-a").arg(from).arg(to));
    copy(&at("tree"), &at("kept"));
    let strace = |options: &[String]| {
        let mut command = external_program("strace");
        command
            .args(["-f", "-qq", "-o", "/dev/null"])
            .args(options)
            .arg(program());
        command
            .args(["forget", "example.com", "--root", "tree"])
            .current_dir(setup.sandbox.path());
        command.output().unwrap().status
    };
    let mut killed = 0;
    for call in [
        "openat",
        "openat2",
        "write",
        "fchown",
        "fchmod",
        "fsync",
        "rename",
        "renameat",
        "renameat2",
        "unlink",
        "unlinkat",
        "rmdir",
    ] {
        for number in 1..200 {
            let _ = std::fs::remove_dir_all(at("tree"));
            copy(&at("kept"), &at("tree"));
            let inject = format!("inject={call}:signal=KILL:when={number}");
            if strace(&[
                "-e".to_owned(),
                format!("trace={call}"),
                "-e".to_owned(),
                inject,
            ])
            .success()
            {
                break;
            }
            killed += 1;
            let point = format!("{call} {number}");
            whole(&setup, &served, &point);
            let next = forget(&setup, &[]);
            // If only the output failed, the certificate is no longer installed.
            assert!(
                next.code == 0 || next.code == 3 && !at(LINEAGE).exists(),
                "{point}\n{next}"
            );
            whole(&setup, &served, &point);
            assert!(
                is_plain(&setup, CHAIN) && is_plain(&setup, KEY) && !at(LINEAGE).exists(),
                "{point}"
            );
            assert!(
                leftovers(&setup.sandbox).is_empty(),
                "{point}: {:?}",
                leftovers(&setup.sandbox)
            );
        }
    }
    assert!(killed > 40, "only {killed} points were tried");
}

#[test]
fn a_configuration_that_references_the_folder_blocks_the_removal() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    site.renew_and_install(&["--server", "none"]).expect(0);
    let config = sandbox
        .join("nginx")
        .join("nginx.conf")
        .display()
        .to_string();
    let settings = format!("{LINEAGE}/settings.json");
    let mut saved = Json::parse(&sandbox.read(&settings));
    saved.set("server", "nginx");
    saved.set("server_config", config);
    sandbox.write(&settings, saved.to_string());
    std::os::unix::fs::symlink(
        sandbox.join(LINEAGE).join("live/key.pem"),
        sandbox.join("alias.key"),
    )
    .unwrap();
    let live = format!("{LINEAGE}/live/fullchain.pem");
    let before = shop_files(&site.setup);
    for (chain, key) in [(live.as_str(), KEY), (CHAIN, "alias.key")] {
        let nginx = site.start(&site.block(chain, key));
        let run = forget(&site.setup, &["--json"]).expect(1).json();
        assert_eq!(codes(&run), ["still-configured"], "{run}");
        assert_eq!(shop_files(&site.setup), before);
        drop(nginx);
    }
    let _nginx = site.start(&site.block(CHAIN, KEY));
    forget(&site.setup, &[]).expect(0);
}

fn shop_files(setup: &InstallSandbox) -> Vec<std::path::PathBuf> {
    setup.tree().into_keys().collect()
}
