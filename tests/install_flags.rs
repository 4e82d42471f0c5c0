//! Options of `certctl install` for the owner and mode of the key, the name of the certificate, and
//! findings that are allowed.
//! Needs: nginx
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;

use support::external::external_program;
use support::install_sandbox::{InstallSandbox, KEY, codes, mode};
use support::namespace::is_root;
use support::program::program;
use support::site::Site;

#[test]
fn owner_and_mode_of_the_key_are_set_and_saved() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    sandbox.write("tree/etc/passwd", "root:x:0:0::/:\nweb:x:33:44::/:\n");
    sandbox.write("tree/etc/group", "root:x:0:\nssl-cert:x:114:\n");
    let owner = || {
        let meta = sandbox.join(KEY).metadata().unwrap();
        (meta.uid(), meta.gid())
    };
    setup.renew_and_install(&["--key-mode", "0440"]).expect(0);
    assert_eq!(mode(&sandbox.join(KEY)), 0o440);
    let me = owner();
    // User names are looked up in the tree's own files; only root can change the owner of a key.
    if me.0 == 0 {
        setup
            .renew_and_install(&["--owner", "root:ssl-cert", "--key-mode", "640"])
            .expect(0);
        assert_eq!((owner(), mode(&sandbox.join(KEY))), ((0, 114), 0o640));
        setup.renew_and_install(&[]).expect(0);
        assert_eq!(
            (owner(), mode(&sandbox.join(KEY))),
            ((0, 114), 0o640),
            "owner and mode were saved"
        );
        let same = setup
            .install(
                "new.crt",
                &["--owner", "web", "--key-mode", "0600", "--json"],
            )
            .expect(0)
            .json();
        assert_eq!(same["changed"], true, "{same}");
        assert_eq!(
            (owner(), mode(&sandbox.join(KEY))),
            ((33, 44), 0o600),
            "the same certificate with another owner"
        );
        let again = setup
            .install("new.crt", &["--owner", "33:44", "--json"])
            .expect(0)
            .json();
        assert_eq!(
            (&again["verdict"], &again["changed"]),
            (&"unchanged".into(), &false.into()),
            "{again}"
        );
    }
    let before = setup.tree();
    for (flags, expected) in [
        (
            ["--owner", "no-such-user"],
            "there is no user \"no-such-user\"",
        ),
        (["--owner", "root:no-such-group"], "there is no group"),
        (["--owner", "4711"], "--owner 4711:ssl-cert"),
        (["--owner", ""], "the owner is empty"),
        (
            ["--key-mode", "0644"],
            "all users would have access to the key",
        ),
        (["--key-mode", "0700"], "0600, 0640, 0400 or 0440"),
        (["--cert-name", "example.com-2"], "which mark renewals"),
        (["--cert-name", "../x"], "letters, digits"),
        (["--allow", "expired"], "names-not-covered"),
    ] {
        let run = setup.install("new.crt", &flags).expect(2);
        assert!(run.stderr.contains(expected), "{run}");
        assert_eq!(setup.tree(), before);
    }
}

#[test]
fn cert_name_sets_the_name_of_the_certificate() {
    let setup = InstallSandbox::new();
    let run = setup
        .renew_and_install(&["--cert-name", "web", "--json"])
        .expect(0)
        .json();
    assert_eq!(run["certificates"][0]["name"], "web");
    assert!(
        run["certificates"][0]["key_path"]
            .as_str()
            .unwrap()
            .ends_with("/etc/ssl/private/web.key"),
        "{run}"
    );
    for name in ["web", "example.com"] {
        let again = setup.sandbox.run(&[
            "install",
            name,
            "--root",
            "tree",
            "--trust",
            "root.pem",
            "--cert-name",
            "web",
        ]);
        assert!(
            again.expect(0).stdout.contains("already up to date"),
            "{name}"
        );
    }
    // A certificate that was installed with --cert-name keeps that name, whatever its request is
    // called.
    let again = setup
        .sandbox
        .run(&["install", "example.com", "--root", "tree", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&again["certificates"][0]["name"], &again["verdict"]),
        (&"web".into(), &"unchanged".into())
    );
    setup.renew_and_install(&["--cert-name", "web"]).expect(0);
    setup
        .sandbox
        .run(&["rollback", "web", "--root", "tree"])
        .expect(0);
}

#[test]
fn allowed_findings_are_reported_as_warnings() {
    let site = Site::new();
    let (chain, key) = ("etc/site.crt", "etc/site.key");
    site.plain(chain, key);
    let block = site.block_for("example.com www.example.com", chain, key);
    let _nginx = site.start(&block);
    let sandbox = &site.setup.sandbox;
    sandbox.run(&["csr", "example.com", "--force"]).expect(0);
    let leaf = site.setup.ca.issue(&sandbox.read("example.com.csr"));
    sandbox.write("new.crt", site.setup.ca.bundle_pem() + &leaf);
    let config = site.folder().join("nginx.conf").display().to_string();
    let path = |path: &str| sandbox.join(path).display().to_string();
    let common = [
        "install",
        "new.crt",
        "--trust",
        "root.pem",
        "--server-config",
        &config,
        "--json",
        "--root",
        ".",
    ];
    let paths = ["--chain-path", &path(chain), "--key-path", &path(key)];
    let refused = sandbox
        .run(&[&common[..], &paths].concat())
        .expect(1)
        .json();
    assert_eq!(refused["verdict"], "refused");
    assert!(codes(&refused).contains(&"names-not-covered"), "{refused}");
    let allowed = sandbox
        .run(&[&common[..], &paths, &["--allow", "names-not-covered"]].concat())
        .expect(0)
        .json();
    assert_eq!(
        (&allowed["verdict"], &allowed["changed"]),
        (&"live".into(), &true.into()),
        "{allowed}"
    );
    let finding = allowed["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["code"] == "names-not-covered")
        .unwrap();
    assert_eq!(finding["severity"], "warning");
    assert!(
        finding["message"]
            .as_str()
            .unwrap()
            .ends_with("(allowed by `--allow names-not-covered`)"),
        "{finding}"
    );
}

/// Options that would be saved wrongly, or that mean another process at the next renewal.
#[test]
fn options_that_cannot_be_saved_are_refused_or_reported() {
    let setup = InstallSandbox::new();
    setup.write_delivery("new.crt");
    let mut command = setup.sandbox.command(&["install", "new.crt"]);
    let path = std::ffi::OsStr::from_bytes(b"a\xff.pem");
    command.arg("--chain-path").arg(path);
    let run = setup.sandbox.run_command(command).expect(2);
    assert!(run.stderr.contains("UTF-8"), "{run}");
    let found = |reload: &str| {
        let document = setup
            .install("new.crt", &["--reload", reload, "--dry-run", "--json"])
            .expect(0)
            .json();
        codes(&document).contains(&"reload-by-number")
    };
    assert!(found("kill -HUP 39") && found("/bin/kill -s HUP 39"));
    assert!(!found("kill -l HUP") && !found("true 39") && !found("auto"));
}

/// Without /proc a server that runs counts as stopped: nothing may be switched.
#[test]
fn an_install_that_cannot_see_processes_changes_nothing() {
    let site = Site::new();
    let (chain, key) = ("etc/site.crt", "etc/site.key");
    site.plain(chain, key);
    let block = site.block_for("example.com www.example.com", chain, key);
    let nginx = site.start(&block);
    let sandbox = &site.setup.sandbox;
    site.setup.write_delivery("new.crt");
    let before = sandbox.read(chain);
    let config = site.folder().join("nginx.conf").display().to_string();
    let path = |path: &str| sandbox.join(path).display().to_string();
    let install = format!(
        "install new.crt --trust root.pem --server-config {config} --chain-path {} --key-path {}",
        path(chain),
        path(key)
    );
    let hidden = format!("mount -t tmpfs tmpfs /proc && exec \"$CERTCTL\" {install}");
    let namespace = if is_root() { "-m" } else { "-rm" };
    let mut command = external_program("unshare");
    command
        .args([namespace, "sh", "-c", &hidden])
        .env("CERTCTL", program())
        .current_dir(sandbox.path());
    let run = sandbox.run_command(command).expect(4);
    assert!(run.stderr.contains("/proc is not mounted"), "{run}");
    assert_eq!(sandbox.read(chain), before);
    drop(nginx);
}
