//! `config.toml`: defaults for options. What is typed or was saved takes precedence; a tree (`--root`)
//! has its own file.
//! Needs: unshare, mount
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use support::ca::{Leaf, days, today};
use support::install_sandbox::{CHAIN, InstallSandbox, LINEAGE, link};
use support::json::Json;
use support::namespace::{in_mount, is_root};

const CONFIG: &str = "tree/etc/certctl/config.toml";

fn releases(setup: &InstallSandbox) -> Vec<String> {
    let folder = setup.sandbox.join(&format!("{LINEAGE}/releases"));
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn as_many_older_versions_are_kept_as_configured() {
    for (config, older) in [("", 2), ("keep = 1", 1), ("keep = 4", 4)] {
        let setup = InstallSandbox::new();
        setup.sandbox.write(CONFIG, config);
        let mut installed = Vec::new();
        for _ in 0..6 {
            setup.renew_and_install(&[]).expect(0);
            let live = link(&setup.sandbox, &format!("{LINEAGE}/live"));
            installed.push(live.trim_start_matches("releases/").to_owned());
        }
        let mut expected = installed[5 - older..].to_vec();
        expected.sort();
        assert_eq!(releases(&setup), expected, "{config}");
        // Each of them can be restored, by its id too.
        let oldest = &installed[5 - older];
        let args = ["rollback", "example.com", "--to", oldest, "--root", "tree"];
        setup.sandbox.run(&args).expect(0);
        assert_eq!(
            link(&setup.sandbox, &format!("{LINEAGE}/live")),
            format!("releases/{oldest}")
        );
    }
}

#[test]
fn configured_trust_applies_and_is_kept_with_the_certificate() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.write_delivery("new.crt");
    let install = ["install", "new.crt", "--root", "tree"];
    sandbox.run(&install).expect(1);
    let root = sandbox.join("root.pem");
    sandbox.write(CONFIG, format!("trust = \"{}\"", root.display()));
    sandbox.run(&install).expect(0);
    let settings = Json::parse(&sandbox.read(&format!("{LINEAGE}/settings.json")));
    assert_eq!(settings["trust"], "/etc/ssl/certctl/example.com/trust.pem");
    // What is typed takes precedence; so does what was saved.
    let files = [CHAIN, "--root", "tree"];
    sandbox.run(&[&["verify"], &files[..]].concat()).expect(0);
    sandbox
        .run(&[&["verify", "--trust", "mozilla"], &files[..]].concat())
        .expect(1);
    sandbox.write(CONFIG, "trust = \"mozilla\"");
    setup.write_delivery("new.crt");
    sandbox.run(&install).expect(0);
}

#[test]
fn renewals_are_due_as_configured() {
    let setup = InstallSandbox::new();
    let leaf = Leaf {
        not_before: days(today(), -10),
        not_after: days(today(), 80),
        ..Leaf::default()
    };
    setup.write_delivery_with("new.crt", leaf);
    setup.install("new.crt", &[]).expect(0);
    let status = |more: &[&str]| {
        let args = [&["status", "example.com", "--root", "tree", "--json"], more].concat();
        setup.sandbox.run(&args)
    };
    let renew = ["renew", "--dry-run", "--json", "--root", "tree"];
    status(&[]).expect(0);
    setup.sandbox.write(CONFIG, "renew_before = \"85d\"");
    assert_eq!(status(&[]).expect(1).json()["verdict"], "due");
    let planned = setup.sandbox.run(&renew).expect(0).json();
    assert_eq!(planned["verdict"], "planned", "{planned}");
    // `install` names the same date.
    let words = ["install", "example.com", "--root", "tree"];
    let installed = setup.sandbox.run(&words).expect(0).stdout;
    let due = format!("renew from {}", days(today(), 80 - 85));
    let shown = installed.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains(&due), "{installed}");
    status(&["--renew-before", "20d"]).expect(0);
    setup.sandbox.write(CONFIG, "renew_before = \"soon\"");
    let failed = status(&[]).expect(3).json();
    let message = failed["error"]["message"].as_str().unwrap();
    assert!(message.contains("renew_before"), "{failed}");
}

#[test]
fn a_configured_ca_is_used_for_new_requests_only() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    sandbox.write(CONFIG, "ca = \"Namecheap\"\nresolver = \"192.0.2.1\"");
    let csr = |more: &[&str]| {
        let args = [&["csr", "shop.example", "--root", "tree", "--json"], more].concat();
        sandbox.run(&args).expect(0).json()
    };
    let _ = csr(&["--ca", "digicert"]);
    let again = csr(&[]);
    assert_eq!(again["changed"], false, "{again}");
    assert!(sandbox.read("shop.example.dcv").contains("digicert"));
    sandbox
        .run(&["csr", "other.example", "--root", "tree"])
        .expect(0);
    assert!(sandbox.read("other.example.dcv").contains("namecheap"));
}

#[test]
fn a_configured_hook_runs_where_no_other_is_saved() {
    if !is_root() {
        return;
    }
    let setup = InstallSandbox::new();
    setup.write_delivery("one.crt");
    let hook = |name: &str| {
        let path = setup
            .sandbox
            .write(name, format!("#!/bin/sh\necho {name} >>hook.log\n"));
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
    };
    hook("configured");
    hook("typed");
    let run = in_mount(
        &setup.sandbox,
        "size=1m",
        "mount -t tmpfs -o mode=755 tmpfs /etc/ssl; mkdir -m 700 /etc/ssl/private
         export XDG_CONFIG_HOME=\"$PWD/config\"; mkdir -p config/certctl
         echo \"after = \\\"$PWD/configured\\\"\" >config/certctl/config.toml
         install() { certctl install one.crt --trust root.pem --server none \"$@\" >/dev/null; }
         install; install --key-mode 0640; install --key-mode 0600 --after \"$PWD/typed\"
         grep -c configured /etc/ssl/certctl/example.com/settings.json || true",
    );
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.stdout.trim(), "0", "{run}");
    let runs = setup.sandbox.read("hook.log");
    assert_eq!(runs.lines().next(), Some("configured"), "{runs}");
    assert_eq!(runs.lines().last(), Some("typed"), "{runs}");
}

#[test]
fn a_wrong_file_does_not_stop_a_rollback() {
    let setup = InstallSandbox::new();
    for _ in 0..5 {
        setup.renew_and_install(&[]).expect(0);
    }
    let kept = releases(&setup);
    setup.sandbox.write(CONFIG, "keep = 1\nno_such_key = 1\n");
    setup.sandbox.run(&["renew", "--root", "tree"]).expect(3);
    let rollback = ["rollback", "example.com", "--root", "tree", "--json"];
    let run = setup.sandbox.run(&rollback).expect(0).json();
    let finding = &run["findings"][0];
    assert_eq!(finding["code"], "config-ignored", "{run}");
    assert_eq!(finding["severity"], "warning", "{run}");
    assert_eq!(releases(&setup), kept);
}

#[test]
fn dcv_check_uses_the_configured_ca() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    sandbox.run(&["csr", "intra.example"]).expect(0);
    sandbox.write(CONFIG, "ca = \"private\"");
    let check = ["dcv-check", "intra.example", "--root", "tree"];
    let run = sandbox.run(&check).expect(3);
    assert!(run.stderr.contains("is for a private CA"), "{run}");
}
