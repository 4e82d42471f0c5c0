//! `certctl status` reports the result of each server's own test of its configuration, and says when
//! that test cannot run.
//! Needs: nginx, apache2, haproxy, unshare, mount, setpriv
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use support::Sandbox;
use support::any_server::{ServedNames, ServerKind};
use support::install_sandbox::codes;
use support::json::Json;
use support::namespace::is_root;
use support::program::program;
use support::site::Site;
use support::usual_server::with_usual_server;

const SERVERS: [(ServerKind, &str); 3] = [
    (ServerKind::Apache, "/etc/apache2/apache2.conf"),
    (ServerKind::Haproxy, "/etc/haproxy/haproxy.cfg"),
    (ServerKind::Nginx, "/etc/nginx/nginx.conf"),
];

/// Returns the documents that `script` prints while the server runs.
fn documents(kind: ServerKind, site: &Site, script: &str) -> Vec<Json> {
    let sandbox = &site.setup.sandbox;
    std::fs::create_dir_all(sandbox.join("empty")).unwrap();
    // Outside of the sandbox, where the bytes of a program would be taken for those of a key.
    let bin = Sandbox::new();
    std::fs::copy(program(), bin.join("certctl")).unwrap();
    std::fs::set_permissions(bin.path(), Permissions::from_mode(0o755)).unwrap();
    let script = script.replace("./certctl", &bin.join("certctl").display().to_string());
    site.plain("tls/site.pem", "tls/site.key");
    let both = sandbox.read("tls/site.pem") + &sandbox.read("tls/site.key");
    let both = sandbox.write("tls/both.pem", both);
    std::fs::set_permissions(&both, Permissions::from_mode(0o600)).unwrap();
    let folder = sandbox.join(kind.name());
    kind.write(
        &folder,
        &[ServedNames {
            names: "example.com www.example.com",
            at: vec![([127, 0, 0, 1], site.port).into()],
            pairs: vec![(both.clone(), both)],
        }],
    );
    let run = with_usual_server(kind, sandbox, &folder, &script);
    let found: Vec<Json> = run
        .stdout
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect();
    assert!(!found.is_empty(), "{run}");
    found
}

fn tests_of(document: &Json) -> Vec<&str> {
    let mut all = codes(document);
    all.retain(|code| code.starts_with("server-"));
    all
}

#[test]
fn a_failing_test_of_a_running_server_is_reported() {
    for (kind, usual) in SERVERS {
        let site = Site::new();
        let script = format!(
            "certctl status -C empty --json || true
            echo 'NoSuchDirective on;' >> {usual}
            certctl status -C empty --json && exit 1
            true"
        );
        let found = documents(kind, &site, &script);
        assert_eq!(tests_of(&found[0]), Vec::<&str>::new(), "{}", found[0]);
        assert_eq!(
            tests_of(&found[1]),
            ["server-config-broken"],
            "{}",
            found[1]
        );
        assert_eq!(found[1]["verdict"], "wrong", "{}", found[1]);
        let quoted = found[1]["findings"].to_string();
        assert!(quoted.contains("NoSuchDirective"), "{quoted}");
    }
}

#[test]
fn a_test_that_another_user_cannot_run_is_reported_as_not_run() {
    if !is_root() {
        return;
    }
    for (kind, _) in SERVERS {
        let site = Site::new();
        let script = "chmod a+rx . empty
            setpriv --reuid 65534 --regid 65534 --clear-groups ./certctl status -C empty --json || true
            setpriv --bounding-set -all --inh-caps -all ./certctl status -C empty --json || true";
        let found = documents(kind, &site, script);
        assert_eq!(tests_of(&found[0]), ["server-not-tested"], "{}", found[0]);
        let next = found[0]["findings"].to_string();
        assert!(next.contains(r#""severity":"note""#), "{next}");
        assert!(next.contains("sudo certctl status"), "{next}");
        // Root without capabilities may open root's files; whatever it is denied is not a fault.
        assert!(
            !tests_of(&found[1]).contains(&"server-config-broken"),
            "{}",
            found[1]
        );
    }
}
