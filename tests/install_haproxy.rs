//! `certctl install` with a real HAProxy: combined and separate files, folders, lists, PROXY headers,
//! strict SNI, broken configurations, and a server that does not run.
//! Needs: haproxy
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::path::PathBuf;
use std::time::Duration;

use certctl::facade::pki::certificate::Certificate;
use certctl::facade::probe::ProbeTarget;
use certctl::facade::system::tls::probe_all;
use support::Run;
use support::haproxy::{Haproxy, write_config};
use support::install_sandbox::{CHAIN, InstallSandbox, codes, mode};
use support::nginx::free_port;

/// A CA, a request and a tree to install into, with an HAProxy that serves what is installed.
struct HaproxySite {
    setup: InstallSandbox,
    port: u16,
}

const BOTH: &str = "tree/etc/ssl/private/example.com.pem";

impl HaproxySite {
    fn new() -> Self {
        Self {
            setup: InstallSandbox::new(),
            port: free_port(),
        }
    }

    fn folder(&self) -> PathBuf {
        self.setup.sandbox.join("haproxy")
    }

    fn path(&self, path: &str) -> String {
        self.setup.sandbox.join(path).display().to_string()
    }

    /// Returns a section with TLS; `words` follow `ssl` on its `bind` line.
    fn section(&self, words: &str) -> String {
        format!(
            "frontend f\n    bind 127.0.0.1:{} ssl {words}\n    http-request return status 204\n",
            self.port
        )
    }

    fn crt(&self, path: &str) -> String {
        self.section(&format!("crt {}", self.path(path)))
    }

    fn start(&self, sections: &str) -> Haproxy {
        Haproxy::start(&self.folder(), sections)
    }

    fn flags(&self) -> [String; 4] {
        let config = self.folder().join("haproxy.cfg").display().to_string();
        [
            "--server".to_owned(),
            "haproxy".to_owned(),
            "--server-config".to_owned(),
            config,
        ]
    }

    fn renew_and_install(&self, more: &[&str]) -> Run {
        self.setup.write_delivery("new.crt");
        self.again(more)
    }

    fn again(&self, more: &[&str]) -> Run {
        let flags = self.flags();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        self.setup.install("new.crt", &[&flags[..], more].concat())
    }

    /// Issues a certificate and writes its chain and key to plain files; equal paths are one file.
    fn plain(&self, chain: &str, key: &str) {
        let sandbox = &self.setup.sandbox;
        sandbox
            .run(&["csr", "example.com", "www.example.com", "--force"])
            .expect(0);
        let leaf = self.setup.ca.issue(&sandbox.read("example.com.csr"));
        let (pem, own) = (
            leaf + &self.setup.ca.intermediate_pem(),
            sandbox.read("example.com.key"),
        );
        match chain == key {
            true => drop(sandbox.write(chain, pem + &own)),
            false => {
                sandbox.write(chain, pem);
                sandbox.write(key, own);
            }
        }
    }

    fn assert_serves(&self, path: &str) {
        let target = ProbeTarget::new(([127, 0, 0, 1], self.port).into(), "example.com");
        let handshake = probe_all(&[target], Duration::from_secs(20))
            .pop()
            .unwrap()
            .expect("a handshake");
        let leaf = Certificate::from_der(&handshake.chain[0]).unwrap().to_pem();
        assert!(
            self.setup.sandbox.read(path).contains(&leaf),
            "HAProxy serves another certificate than {path}"
        );
    }
}

#[test]
fn a_chain_with_the_key_in_a_file_next_to_it() {
    let balancer = HaproxySite::new();
    let key = format!("{CHAIN}.key");
    balancer.plain(CHAIN, &key);
    let _haproxy = balancer.start(&balancer.crt(CHAIN));
    balancer.assert_serves(CHAIN);
    let (chain, key) = (balancer.path(CHAIN), balancer.path(&key));
    let run = balancer
        .renew_and_install(&["--chain-path", &chain, "--key-path", &key, "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&run["verdict"], &run["certificates"][0]["proof"]),
        (&"live".into(), &"live".into()),
        "{run}"
    );
    balancer.assert_serves(CHAIN);
    let run = balancer.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live");
    balancer.assert_serves(CHAIN);
}

#[test]
fn a_combined_file_is_installed_replaced_and_rolled_back() {
    let balancer = HaproxySite::new();
    let haproxy = balancer.start("");
    haproxy.rewrite(&balancer.crt(BOTH));
    let first = balancer.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(
        (&first["verdict"], &first["certificates"][0]["proof"]),
        (&"live".into(), &"live".into()),
        "{first}"
    );
    assert_eq!(
        first["certificates"][0]["probes"].as_array().unwrap().len(),
        2,
        "both names: {first}"
    );
    balancer.assert_serves(BOTH);
    assert_eq!(mode(&balancer.setup.sandbox.join(BOTH)), 0o600);
    let one = balancer.setup.sandbox.read(BOTH);

    let run = balancer.renew_and_install(&["--json"]).expect(0).json();
    let steps: Vec<&str> = run["certificates"][0]["plan"]["steps"]
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert!(
        steps.contains(&"test-server") && steps.contains(&"reload"),
        "{run}"
    );
    balancer.assert_serves(BOTH);
    assert_ne!(balancer.setup.sandbox.read(BOTH), one);
    assert_eq!(
        balancer.again(&["--json"]).expect(0).json()["verdict"],
        "unchanged"
    );

    balancer
        .setup
        .sandbox
        .run(&["rollback", "--root", "tree"])
        .expect(0);
    assert_eq!(balancer.setup.sandbox.read(BOTH), one);
    balancer.assert_serves(BOTH);
}

#[test]
fn a_plain_combined_file_is_adopted() {
    let balancer = HaproxySite::new();
    let path = "tree/etc/haproxy/site.pem";
    balancer.plain(path, path);
    let old = balancer.setup.sandbox.read(path);
    let _haproxy = balancer.start(&balancer.crt(path));
    let run = balancer.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live", "{run}");
    balancer.assert_serves(path);
    assert_ne!(balancer.setup.sandbox.read(path), old);
    balancer
        .setup
        .sandbox
        .run(&["rollback", "--root", "tree"])
        .expect(0);
    assert_eq!(balancer.setup.sandbox.read(path), old);
    balancer.assert_serves(path);
}

#[test]
fn backups_in_a_folder_of_certificates_are_not_loaded() {
    let balancer = HaproxySite::new();
    let sandbox = &balancer.setup.sandbox;
    let path = "tree/etc/haproxy/certs/site.pem";
    balancer.plain(path, path);
    let haproxy = balancer.start(&balancer.crt("tree/etc/haproxy/certs"));
    assert_eq!(
        balancer.renew_and_install(&["--json"]).expect(0).json()["verdict"],
        "live"
    );
    balancer.assert_serves(path);
    let listing = || {
        let names = std::fs::read_dir(sandbox.join("tree/etc/haproxy/certs")).unwrap();
        let mut names: Vec<String> = names
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        names
    };
    assert_eq!(listing(), ["site.pem"]);

    // The broken file is kept under a name that HAProxy does not load.
    std::fs::remove_file(sandbox.join(path)).unwrap();
    sandbox.write(path, "broken");
    let run = balancer.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live", "{run}");
    assert_eq!(listing(), ["site.pem"]);
    balancer.assert_serves(path);
    drop(haproxy);
}

#[test]
fn backups_of_a_chain_and_a_separate_key_are_not_loaded() {
    let balancer = HaproxySite::new();
    let sandbox = &balancer.setup.sandbox;
    let [chain, key] = [
        "tree/etc/haproxy/certs/site.crt",
        "tree/etc/haproxy/certs/site.crt.key",
    ];
    balancer.plain(chain, key);
    let _haproxy = balancer.start(&balancer.crt("tree/etc/haproxy/certs"));
    // The key does not match the chain: both are kept as backups, and HAProxy loads neither.
    balancer.plain("other.crt", key);
    let paths = [balancer.path(chain), balancer.path(key)];
    let run = balancer
        .renew_and_install(&["--chain-path", &paths[0], "--key-path", &paths[1], "--json"])
        .expect(0)
        .json();
    assert_eq!(run["verdict"], "live", "{run}");
    balancer.assert_serves(chain);
    let names = std::fs::read_dir(sandbox.join("tree/etc/haproxy/certs")).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            ".site.crt.key.~1~",
            ".site.crt.~1~",
            "site.crt",
            "site.crt.key"
        ]
    );
}

#[test]
fn files_are_restored_when_the_reload_fails() {
    let balancer = HaproxySite::new();
    let haproxy = balancer.start("");
    haproxy.rewrite(&balancer.crt(BOTH));
    balancer.renew_and_install(&[]).expect(0);
    let before = balancer.setup.sandbox.read(BOTH);
    let run = balancer
        .renew_and_install(&["--reload", "false", "--json"])
        .expect(6)
        .json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"rollback-failed".into(), &false.into()),
        "{run}"
    );
    assert!(codes(&run).contains(&"reload-failed"), "{run}");
    assert_eq!(balancer.setup.sandbox.read(BOTH), before);
    balancer.assert_serves(BOTH);
}

#[test]
fn a_name_that_another_line_serves_is_reported_with_the_line_to_change() {
    let balancer = HaproxySite::new();
    balancer.plain(BOTH, BOTH);
    balancer.plain("other.pem", "other.pem");
    let list = format!("{} example.com\n", balancer.path("other.pem"));
    let list = balancer
        .setup
        .sandbox
        .write("list", list)
        .display()
        .to_string();
    let _haproxy =
        balancer.start(&balancer.section(&format!("crt-list {list} crt {}", balancer.path(BOTH))));
    let run = balancer.renew_and_install(&[
        "--chain-path",
        &balancer.path(BOTH),
        "--key-path",
        &balancer.path(BOTH),
        "--json",
    ]);
    let run = run.expect(7).json();
    let finding = run["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["code"] == "other-certificate-served")
        .unwrap();
    assert!(
        finding["next"][0]["text"]
            .as_str()
            .unwrap()
            .contains("change the path of the certificate in "),
        "{finding}"
    );
    assert_eq!(
        finding["next"][0]["lines"][0],
        format!("crt {}", balancer.path(BOTH))
    );
}

#[test]
fn filters_of_a_crt_list_select_the_certificate() {
    let balancer = HaproxySite::new();
    let sandbox = &balancer.setup.sandbox;
    let (first, second) = ("tree/etc/haproxy/first.pem", "tree/etc/haproxy/second.pem");
    for path in [first, second] {
        balancer.plain(path, path);
    }
    let list = sandbox.write(
        "tree/etc/haproxy/list.txt",
        format!(
            "{} !*\n{} [alpn h2] example.com www.example.com\n",
            balancer.path(first),
            balancer.path(second)
        ),
    );
    let _haproxy = balancer.start(&balancer.section(&format!("crt-list {}", list.display())));
    let before = sandbox.read(first);
    let run = balancer.renew_and_install(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live", "{run}");
    balancer.assert_serves(second);
    assert_eq!(
        sandbox.read(first),
        before,
        "the certificate that answers for no name is unchanged"
    );
}

#[test]
fn proxy_headers_and_strict_sni_are_supported() {
    for words in ["accept-proxy", "strict-sni"] {
        let balancer = HaproxySite::new();
        balancer.plain(BOTH, BOTH);
        let haproxy =
            balancer.start(&balancer.section(&format!("crt {} {words}", balancer.path(BOTH))));
        let run = balancer.renew_and_install(&["--json"]).expect(0).json();
        assert_eq!(
            (&run["verdict"], &run["certificates"][0]["proof"]),
            (&"live".into(), &"live".into()),
            "{run}"
        );
        drop(haproxy);
    }
}

#[test]
fn a_configuration_with_another_error_is_not_changed() {
    let balancer = HaproxySite::new();
    let haproxy = balancer.start("");
    haproxy.rewrite(&format!("{}    bogus\n", balancer.crt(BOTH)));
    let run = balancer.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "refused");
    assert!(
        run["findings"]
            .to_string()
            .contains("unknown keyword 'bogus'"),
        "{run}"
    );
    assert!(!balancer.setup.sandbox.join("tree").exists());
}

#[test]
fn the_next_step_starts_a_server_that_does_not_run() {
    let balancer = HaproxySite::new();
    write_config(&balancer.folder(), &balancer.crt(BOTH));
    let run = balancer.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "not-served");
    assert!(codes(&run).contains(&"server-not-running"), "{run}");
    assert!(
        run["next"][0]["command"]
            .as_str()
            .unwrap()
            .contains("haproxy -W -D -f"),
        "{run}"
    );
    let _haproxy = balancer.start(&balancer.crt(BOTH));
    assert_eq!(
        balancer.again(&["--json"]).expect(0).json()["verdict"],
        "live"
    );
}

#[test]
fn the_lines_to_add_are_printed_when_no_bind_answers() {
    let balancer = HaproxySite::new();
    let haproxy = balancer.start("");
    let run = balancer.renew_and_install(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "not-served");
    let lines = run["next"][0]["lines"].as_array().unwrap();
    let first = lines[0].as_str().unwrap();
    assert_eq!(
        first,
        format!("bind :443 ssl crt {}", balancer.path(BOTH)),
        "{run}"
    );
    // At a port that is free here.
    let bind = first.replace(":443", &format!("127.0.0.1:{}", balancer.port));
    haproxy.rewrite(&format!(
        "frontend f\n    {bind}\n    http-request return status 204\n"
    ));
    assert_eq!(
        balancer.again(&["--json"]).expect(0).json()["verdict"],
        "live"
    );
    balancer.assert_serves(BOTH);
}

#[test]
fn of_a_bundle_only_the_chosen_file_is_replaced() {
    let balancer = HaproxySite::new();
    let sandbox = &balancer.setup.sandbox;
    let (ecdsa, rsa) = (
        "tree/etc/haproxy/site.pem.ecdsa",
        "tree/etc/haproxy/site.pem.rsa",
    );
    balancer.plain(ecdsa, ecdsa);
    sandbox
        .run(&[
            "csr",
            "example.com",
            "www.example.com",
            "--key-type",
            "rsa-2048",
        ])
        .expect(0);
    let leaf = balancer
        .setup
        .ca
        .issue(&sandbox.read("example.com.rsa.csr"));
    sandbox.write(
        rsa,
        leaf + &balancer.setup.ca.intermediate_pem() + &sandbox.read("example.com.rsa.key"),
    );
    let _haproxy = balancer.start(&balancer.crt("tree/etc/haproxy/site.pem"));
    let before = sandbox.read(rsa);

    let run = balancer.renew_and_install(&["--json"]).expect(1).json();
    let path = balancer.path(ecdsa);
    assert!(
        run["findings"]
            .to_string()
            .contains(&format!("--chain-path {path} --key-path {path}")),
        "{run}"
    );
    let run = balancer
        .again(&["--chain-path", &path, "--key-path", &path, "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&run["verdict"], &run["certificates"][0]["proof"]),
        (&"live".into(), &"live".into()),
        "{run}"
    );
    balancer.assert_serves(ecdsa);
    assert_eq!(sandbox.read(rsa), before);
    assert_eq!(
        balancer.renew_and_install(&["--json"]).expect(0).json()["verdict"],
        "live"
    );
    balancer.assert_serves(ecdsa);
}
