//! `certctl install --check`: every way in which an installed certificate can differ from what the
//! last install left, each with the command that repairs it. The check changes nothing.
//! Needs: nginx
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use support::Run;
use support::external::{external_program, succeed};
use support::install_sandbox::{CHAIN, InstallSandbox, KEY, LINEAGE, codes, link, tree};
use support::json::Json;
use support::nginx::free_port;
use support::program::program;
use support::site::Site;

fn check(setup: &InstallSandbox, more: &[&str]) -> Run {
    let before = tree(&setup.sandbox.join("tree"));
    let run = setup
        .sandbox
        .run(&[&["install", "--check", "--root", "tree"], more].concat());
    assert_eq!(
        tree(&setup.sandbox.join("tree")),
        before,
        "the check changes nothing"
    );
    run
}

fn verdict(document: &Json) -> (&str, bool) {
    (
        document["verdict"].as_str().unwrap(),
        document["changed"].as_bool().unwrap(),
    )
}

#[test]
fn unchanged_certificates_pass_the_check() {
    let setup = InstallSandbox::new();
    check(&setup, &[]).expect(3);
    setup.renew_and_install(&["--key-mode", "0440"]).expect(0);
    setup.renew_and_install(&[]).expect(0);
    for name in [
        &[][..],
        &["example.com"],
        &["www.example.com"],
        &["example.com", "www.example.com"],
    ] {
        let run = check(&setup, &[name, &["--json"]].concat())
            .expect(0)
            .json();
        assert_eq!(verdict(&run), ("unchanged", false), "{run}");
        assert_eq!(run["schema"], "certctl.install/1");
        assert_eq!(run["certificates"].as_array().unwrap().len(), 1);
        assert_eq!(run["certificates"][0]["proof"], "files");
        assert_eq!(codes(&run), Vec::<&str>::new());
        let keys = |value: &Json| value.keys().join(" ");
        assert_eq!(
            keys(&run),
            "schema comment verdict changed certificates findings next"
        );
        assert_eq!(
            keys(&run["certificates"][0]),
            "name verdict changed release chain_path key_path key_mode not_after sha256 before after proof probes plan findings next"
        );
    }
    let run = check(&setup, &[]).expect(0);
    assert!(
        run.stdout
            .contains("links, files, modes and owners are unchanged"),
        "{run}"
    );
    check(&setup, &["unknown.example"]).expect(3);
    setup
        .sandbox
        .run(&["install", "--check", "--dry-run", "--root", "tree"])
        .expect(2);
    // A certificate that was rolled back passes as well.
    setup.sandbox.run(&["rollback", "--root", "tree"]).expect(0);
    check(&setup, &[]).expect(0);
}

/// A change to an installed certificate: its description, a function that makes it, and the code of
/// the finding.
type InstalledChange = (&'static str, fn(&Path), &'static str);

const fn mishaps() -> [InstalledChange; 13] {
    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    [
        (
            "the link is deleted",
            |sandbox| std::fs::remove_file(sandbox.join(CHAIN)).unwrap(),
            "drift-link",
        ),
        (
            "a plain file in its place",
            |sandbox| {
                std::fs::remove_file(sandbox.join(KEY)).unwrap();
                std::fs::write(sandbox.join(KEY), "not a key").unwrap();
            },
            "drift-link",
        ),
        (
            "a link elsewhere",
            |sandbox| {
                std::fs::remove_file(sandbox.join(KEY)).unwrap();
                symlink("/dev/null", sandbox.join(KEY)).unwrap();
            },
            "drift-link",
        ),
        (
            "a folder in its place",
            |sandbox| {
                std::fs::remove_file(sandbox.join(KEY)).unwrap();
                std::fs::create_dir(sandbox.join(KEY)).unwrap();
            },
            "drift-link",
        ),
        (
            "every user can read the key",
            |sandbox| set_mode(&sandbox.join(KEY), 0o644),
            "drift-mode",
        ),
        (
            "only root can read the chain",
            |sandbox| set_mode(&sandbox.join(CHAIN), 0o600),
            "drift-mode",
        ),
        (
            "only root can enter the folder",
            |sandbox| set_mode(&sandbox.join(LINEAGE).join("live"), 0o700),
            "drift-mode",
        ),
        (
            "ca.pem is deleted",
            |sandbox| std::fs::remove_file(sandbox.join(LINEAGE).join("live/ca.pem")).unwrap(),
            "drift-file",
        ),
        (
            "the chain has more certificates",
            |sandbox| {
                let path = sandbox.join(CHAIN);
                let text = std::fs::read_to_string(&path).unwrap();
                std::fs::write(&path, text.clone() + &text).unwrap();
            },
            "drift-file",
        ),
        (
            "the key is empty",
            |sandbox| std::fs::write(sandbox.join(KEY), "").unwrap(),
            "drift-file",
        ),
        (
            "live is deleted",
            |sandbox| std::fs::remove_file(sandbox.join(LINEAGE).join("live")).unwrap(),
            "drift-live",
        ),
        (
            "proven is deleted",
            |sandbox| std::fs::remove_file(sandbox.join(LINEAGE).join("proven")).unwrap(),
            "drift-unverified",
        ),
        (
            "every user can write to the settings",
            |sandbox| set_mode(&sandbox.join(LINEAGE).join("settings.json"), 0o666),
            "drift-settings",
        ),
    ]
}

#[test]
fn each_change_is_reported_with_a_command_that_repairs_it() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let at = |path: &str| setup.sandbox.join(path);
    let copy = |from: &str, to: &str| {
        succeed(
            std::process::Command::new("cp")
                .arg("-a")
                .arg(at(from))
                .arg(at(to)),
        )
    };
    copy("tree", "kept");
    for (what, mishap, code) in mishaps() {
        std::fs::remove_dir_all(at("tree")).unwrap();
        copy("kept", "tree");
        mishap(setup.sandbox.path());
        let run = check(&setup, &["--json"]).expect(1).json();
        assert_eq!(verdict(&run), ("refused", false), "{what}: {run}");
        assert!(codes(&run).contains(&code), "{what}: {run}");
        let found = run["findings"].as_array().unwrap();
        assert!(
            found
                .iter()
                .all(|one| one["next"][0]["text"].as_str().is_some()),
            "{what}: {run}"
        );
        let wrong = found.iter().find(|one| one["code"] == code).unwrap();
        if ["drift-mode", "drift-unverified", "drift-link"].contains(&code)
            && what != "a folder in its place"
        {
            // The command as printed, without sudo and with the options of the first install.
            let line = wrong["next"][0]["command"].as_str().unwrap();
            let line = line.replace("sudo ", "");
            let line = line.replace("certctl ", &format!("{} ", program()));
            let trusting_option = line.replace("--root tree", "--root tree --trust root.pem");
            succeed(
                std::process::Command::new("sh")
                    .args(["-c", &trusting_option])
                    .current_dir(setup.sandbox.path()),
            );
            check(&setup, &[]).expect(0);
        }
    }
}

#[test]
fn certificates_that_are_not_valid_now_fail_the_check() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    for (at, code) in [
        ("2090-01-01T00:00:00Z", "expired"),
        ("2001-01-01T00:00:00Z", "not-yet-valid"),
    ] {
        let run = check(&setup, &["--at", at, "--json"]).expect(1).json();
        assert_eq!(verdict(&run), ("refused", false), "{run}");
        let found = run["findings"].as_array().unwrap();
        assert!(
            found
                .iter()
                .all(|one| one["code"] == code && one["severity"] == "error"),
            "{run}"
        );
    }
}

#[test]
fn a_rollback_is_offered_if_there_is_a_version_to_restore() {
    let setup = InstallSandbox::new();
    for offered in [false, true] {
        setup.renew_and_install(&[]).expect(0);
        let key = setup.sandbox.read(KEY);
        std::fs::write(setup.sandbox.join(KEY), "").unwrap();
        let run = check(&setup, &["--json"]).expect(1).json();
        assert_eq!(
            run.to_string().contains("certctl rollback"),
            offered,
            "{run}"
        );
        std::fs::write(setup.sandbox.join(KEY), key).unwrap();
    }
}

#[test]
fn the_check_covers_what_nginx_serves() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    let nginx = site.start("");
    site.renew_and_install(&[]).expect(1);
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
    nginx.rewrite(&site.block(CHAIN, KEY));
    succeed(external_program("nginx").args(["-s", "reload", "-c", &config]));
    sandbox
        .run(&[&["install", "example.com"], &options[..]].concat())
        .expect(0);
    let fine = check(&site.setup, &["--json"]).expect(0).json();
    assert_eq!(fine["certificates"][0]["proof"], "live", "{fine}");
    assert_eq!(fine["certificates"][0]["probes"][0]["name"], "example.com");

    // nginx still has the previous files in memory.
    let first = std::fs::read_link(sandbox.join(LINEAGE).join("live")).unwrap();
    site.renew_and_install(&["--server", "none", "--probe", "none"])
        .expect(0);
    let settings = sandbox.read(&format!("{LINEAGE}/settings.json"));
    let mut settings = Json::parse(&settings);
    settings.set("server", "nginx");
    settings.set("probe", Json::Array(Vec::new()));
    sandbox.write(&format!("{LINEAGE}/settings.json"), settings.to_string());
    assert_ne!(
        std::fs::read_link(sandbox.join(LINEAGE).join("live")).unwrap(),
        first
    );
    let run = check(&site.setup, &["--json"]).expect(1).json();
    assert_eq!(verdict(&run), ("not-served", false), "{run}");
    assert_eq!(codes(&run), ["drift-served"], "{run}");
    assert!(
        run["findings"][0]["lines"][0]
            .as_str()
            .unwrap()
            .contains("another certificate"),
        "{run}"
    );
    sandbox
        .run(&[
            "install",
            "example.com",
            "--root",
            "tree",
            "--trust",
            "root.pem",
        ])
        .expect(0);
    check(&site.setup, &[]).expect(0);

    // The configuration references other files now, which nginx has not loaded yet: the next reload
    // would not serve the installed certificate.
    for (from, to) in [(CHAIN, "tree/tls/m.pem"), (KEY, "tree/tls/m.key")] {
        sandbox.write(to, sandbox.read(from));
    }
    nginx.rewrite(&site.block("tree/tls/m.pem", "tree/tls/m.key"));
    let run = check(&site.setup, &["--json"]).expect(1).json();
    assert_eq!(
        (verdict(&run).0, codes(&run)),
        (
            "not-served",
            vec!["configured-elsewhere", "drift-not-configured"]
        ),
        "{run}"
    );
    nginx.rewrite("");
    let run = check(&site.setup, &["--json"]).expect(1).json();
    assert_eq!(
        (verdict(&run).0, codes(&run)),
        ("not-served", vec!["drift-not-configured"]),
        "{run}"
    );
    nginx.rewrite("no such directive;");
    let run = check(&site.setup, &["--json"]).expect(1).json();
    assert_eq!(
        (verdict(&run).0, codes(&run)),
        ("not-served", vec!["server-config-broken"]),
        "{run}"
    );
    nginx.rewrite(&site.block(CHAIN, KEY));
    drop(nginx);
    let run = check(&site.setup, &["--json"]).expect(1).json();
    assert_eq!(
        (verdict(&run).0, codes(&run)),
        ("not-served", vec!["server-not-running"]),
        "{run}"
    );
}

/// Running servers have the key in memory, so nothing else shows that it is gone.
#[test]
fn the_deleted_key_of_an_installed_certificate_is_reported_with_its_repair() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    setup.install("new.crt", &[]).expect(0);
    let sandbox = &setup.sandbox;
    let status = || sandbox.run(&["status", "--root", "tree", "--json"]);
    assert!(!codes(&status().json()).contains(&"key-missing"));
    let live = link(sandbox, &format!("{LINEAGE}/live"));
    let version = sandbox.join(&format!("{LINEAGE}/{live}"));
    std::fs::remove_file(version.join("key.pem")).unwrap();
    let document = status().expect(1).json();
    assert!(codes(&document).contains(&"key-missing"), "{document}");
    let install = ["install", "example.com", "--root", "tree"];
    for run in [
        sandbox.run(&["status", "--root", "tree"]),
        sandbox.run(&install),
    ] {
        assert_ne!(run.code, 0, "{run}");
        let text = run.to_string();
        assert!(text.contains("in place of the damaged one"), "{text}");
        assert!(text.contains("    certctl install --root "), "{text}");
    }
}

#[test]
fn a_certificate_that_was_never_served_is_not_called_changed() {
    let site = Site::new();
    let other = format!("server {{ listen 127.0.0.1:{}; }}", free_port());
    let listener = site.start(&other);
    site.renew_and_install(&[]).expect(1);
    let run = site
        .setup
        .sandbox
        .run(&["install", "--check", "--root", "tree"])
        .expect(1);
    assert!(
        run.stdout.contains("unchanged, but not verified live"),
        "{run}"
    );
    assert!(!run.stdout.contains("changed since"), "{run}");
    assert!(
        run.stdout
            .contains("See which lines to add to the configuration"),
        "{run}"
    );
    drop(listener);
}

#[test]
fn an_install_replaces_a_damaged_version() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let version = setup
        .sandbox
        .join(LINEAGE)
        .join("live")
        .canonicalize()
        .unwrap();
    let install = [
        "install", "new.crt", "--trust", "root.pem", "--root", "tree", "--json",
    ];
    let damages: [fn(&Path); 3] = [
        |version| std::fs::write(version.join("fullchain.pem"), "").unwrap(),
        |version| std::fs::remove_file(version.join("key.pem")).unwrap(),
        |version| std::fs::remove_file(version.join("cert.pem")).unwrap(),
    ];
    for damage in damages {
        damage(&version);
        let run = setup.sandbox.run(&install).expect(0).json();
        assert!(codes(&run).contains(&"damaged-version-replaced"), "{run}");
        assert_eq!(
            run["certificates"][0]["release"],
            version.file_name().unwrap().to_str().unwrap()
        );
        check(&setup, &[]).expect(0);
        let versions = std::fs::read_dir(version.parent().unwrap()).unwrap();
        assert_eq!(versions.count(), 1, "nothing damaged is left behind");
    }
}
