//! `certctl install` with a real HAProxy: combined and separate files, folders, lists, PROXY headers,
//! strict SNI, broken configurations, and a server that does not run.
//! Needs: haproxy
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::PathBuf;
use std::time::Duration;

use certctl::facade::pki::certificate::Certificate;
use certctl::facade::probe::ProbeTarget;
use certctl::facade::system::tls::probe_all;
use support::Run;
use support::haproxy::{Haproxy, write_config};
use support::nginx::free_port;
use support::shop::{CHAIN, Shop, codes, mode};

/// A CA, a request and a tree to install into, with an HAProxy that serves what is installed.
struct Balancer {
    shop: Shop,
    port: u16,
}

const BOTH: &str = "tree/etc/ssl/private/example.com.pem";

impl Balancer {
    fn new() -> Self {
        Self {
            shop: Shop::new(),
            port: free_port(),
        }
    }

    fn folder(&self) -> PathBuf {
        self.shop.sandbox.join("haproxy")
    }

    fn path(&self, path: &str) -> String {
        self.shop.sandbox.join(path).display().to_string()
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

    fn round(&self, more: &[&str]) -> Run {
        self.shop.deliver("new.crt");
        self.again(more)
    }

    fn again(&self, more: &[&str]) -> Run {
        let flags = self.flags();
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        self.shop.install("new.crt", &[&flags[..], more].concat())
    }

    /// Issues a certificate and writes its chain and key to plain files; equal paths are one file.
    fn plain(&self, chain: &str, key: &str) {
        let sandbox = &self.shop.sandbox;
        sandbox
            .run(&["csr", "example.com", "www.example.com", "--force"])
            .expect(0);
        let leaf = self.shop.ca.issue(&sandbox.read("example.com.csr"));
        let (pem, own) = (
            leaf + &self.shop.ca.intermediate_pem(),
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

    fn shows(&self, path: &str) {
        let target = ProbeTarget::new(([127, 0, 0, 1], self.port).into(), "example.com");
        let handshake = probe_all(&[target], Duration::from_secs(20))
            .pop()
            .unwrap()
            .expect("a handshake");
        let leaf = Certificate::from_der(&handshake.chain[0]).unwrap().to_pem();
        assert!(
            self.shop.sandbox.read(path).contains(&leaf),
            "HAProxy serves another certificate than {path}"
        );
    }
}

#[test]
fn a_chain_with_the_key_in_a_file_next_to_it() {
    let balancer = Balancer::new();
    let key = format!("{CHAIN}.key");
    balancer.plain(CHAIN, &key);
    let _haproxy = balancer.start(&balancer.crt(CHAIN));
    balancer.shows(CHAIN);
    let (chain, key) = (balancer.path(CHAIN), balancer.path(&key));
    let run = balancer
        .round(&["--chain-path", &chain, "--key-path", &key, "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&run["verdict"], &run["certificates"][0]["proof"]),
        (&"live".into(), &"live".into()),
        "{run}"
    );
    balancer.shows(CHAIN);
    let run = balancer.round(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live");
    balancer.shows(CHAIN);
}

#[test]
fn a_combined_file_is_installed_replaced_and_rolled_back() {
    let balancer = Balancer::new();
    let haproxy = balancer.start("");
    haproxy.rewrite(&balancer.crt(BOTH));
    let first = balancer.round(&["--json"]).expect(0).json();
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
    balancer.shows(BOTH);
    assert_eq!(mode(&balancer.shop.sandbox.join(BOTH)), 0o600);
    let one = balancer.shop.sandbox.read(BOTH);

    let run = balancer.round(&["--json"]).expect(0).json();
    let steps: Vec<&str> = run["plan"]["steps"]
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert!(
        steps.contains(&"test-server") && steps.contains(&"reload"),
        "{run}"
    );
    balancer.shows(BOTH);
    assert_ne!(balancer.shop.sandbox.read(BOTH), one);
    assert_eq!(
        balancer.again(&["--json"]).expect(0).json()["verdict"],
        "unchanged"
    );

    balancer
        .shop
        .sandbox
        .run(&["rollback", "--root", "tree"])
        .expect(0);
    assert_eq!(balancer.shop.sandbox.read(BOTH), one);
    balancer.shows(BOTH);
}

#[test]
fn a_plain_combined_file_is_adopted() {
    let balancer = Balancer::new();
    let path = "tree/etc/haproxy/site.pem";
    balancer.plain(path, path);
    let old = balancer.shop.sandbox.read(path);
    let _haproxy = balancer.start(&balancer.crt(path));
    let run = balancer.round(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live", "{run}");
    balancer.shows(path);
    assert_ne!(balancer.shop.sandbox.read(path), old);
    balancer
        .shop
        .sandbox
        .run(&["rollback", "--root", "tree"])
        .expect(0);
    assert_eq!(balancer.shop.sandbox.read(path), old);
    balancer.shows(path);
}

#[test]
fn backups_in_a_folder_of_certificates_are_not_loaded() {
    let balancer = Balancer::new();
    let sandbox = &balancer.shop.sandbox;
    let path = "tree/etc/haproxy/certs/site.pem";
    balancer.plain(path, path);
    let haproxy = balancer.start(&balancer.crt("tree/etc/haproxy/certs"));
    assert_eq!(
        balancer.round(&["--json"]).expect(0).json()["verdict"],
        "live"
    );
    balancer.shows(path);
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
    let run = balancer.round(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live", "{run}");
    assert_eq!(listing(), ["site.pem"]);
    balancer.shows(path);
    drop(haproxy);
}

#[test]
fn backups_of_a_chain_and_a_separate_key_are_not_loaded() {
    let balancer = Balancer::new();
    let sandbox = &balancer.shop.sandbox;
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
        .round(&["--chain-path", &paths[0], "--key-path", &paths[1], "--json"])
        .expect(0)
        .json();
    assert_eq!(run["verdict"], "live", "{run}");
    balancer.shows(chain);
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
fn a_failed_reload_is_rolled_back() {
    let balancer = Balancer::new();
    let haproxy = balancer.start("");
    haproxy.rewrite(&balancer.crt(BOTH));
    balancer.round(&[]).expect(0);
    let before = balancer.shop.sandbox.read(BOTH);
    let run = balancer
        .round(&["--reload", "false", "--json"])
        .expect(5)
        .json();
    assert_eq!(
        (&run["verdict"], &run["changed"]),
        (&"rolled-back".into(), &false.into()),
        "{run}"
    );
    assert!(codes(&run).contains(&"reload-failed"), "{run}");
    assert_eq!(balancer.shop.sandbox.read(BOTH), before);
    balancer.shows(BOTH);
}

#[test]
fn a_name_that_another_line_serves_is_reported_with_the_line_to_change() {
    let balancer = Balancer::new();
    balancer.plain(BOTH, BOTH);
    balancer.plain("other.pem", "other.pem");
    let list = format!("{} example.com\n", balancer.path("other.pem"));
    let list = balancer
        .shop
        .sandbox
        .write("list", list)
        .display()
        .to_string();
    let _haproxy =
        balancer.start(&balancer.section(&format!("crt-list {list} crt {}", balancer.path(BOTH))));
    let run = balancer.round(&[
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
    let balancer = Balancer::new();
    let sandbox = &balancer.shop.sandbox;
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
    let run = balancer.round(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live", "{run}");
    balancer.shows(second);
    assert_eq!(
        sandbox.read(first),
        before,
        "the certificate that answers for no name is unchanged"
    );
}

#[test]
fn proxy_headers_and_strict_sni_are_supported() {
    for words in ["accept-proxy", "strict-sni"] {
        let balancer = Balancer::new();
        balancer.plain(BOTH, BOTH);
        let haproxy =
            balancer.start(&balancer.section(&format!("crt {} {words}", balancer.path(BOTH))));
        let run = balancer.round(&["--json"]).expect(0).json();
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
    let balancer = Balancer::new();
    let haproxy = balancer.start("");
    haproxy.rewrite(&format!("{}    bogus\n", balancer.crt(BOTH)));
    let run = balancer.round(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "refused");
    assert!(
        run["findings"]
            .to_string()
            .contains("unknown keyword 'bogus'"),
        "{run}"
    );
    assert!(!balancer.shop.sandbox.join("tree").exists());
}

#[test]
fn the_next_step_starts_a_server_that_does_not_run() {
    let balancer = Balancer::new();
    write_config(&balancer.folder(), &balancer.crt(BOTH));
    let run = balancer.round(&["--json"]).expect(1).json();
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
fn a_written_section_serves_the_certificate() {
    let balancer = Balancer::new();
    let sandbox = &balancer.shop.sandbox;
    let haproxy = balancer.start("");
    let run = balancer.round(&["--json"]).expect(1).json();
    assert_eq!(run["verdict"], "not-served");
    let section = sandbox.read("example.com.haproxy.cfg");
    assert!(
        section.contains(&format!("ssl crt {}", balancer.path(BOTH))),
        "{section}"
    );
    let next = run["next"].to_string();
    assert!(
        next.contains("sudo tee -a") && next.contains("haproxy.cfg"),
        "{next}"
    );
    // The section as it was written, with ports that are free here.
    let ours: Vec<&str> = section
        .lines()
        .filter(|line| !line.contains(":::") && !line.contains("bind :80"))
        .collect();
    let ours = ours
        .join("\n")
        .replace("bind :443 ", &format!("bind 127.0.0.1:{} ", balancer.port))
        .replace(
            "http-request redirect scheme https",
            &format!(
                "bind 127.0.0.1:{}\n    http-request redirect scheme https",
                free_port()
            ),
        );
    haproxy.rewrite(&ours);
    assert_eq!(
        balancer.again(&["--json"]).expect(0).json()["verdict"],
        "live"
    );
    balancer.shows(BOTH);
}

#[test]
fn of_a_bundle_only_the_chosen_file_is_replaced() {
    let balancer = Balancer::new();
    let sandbox = &balancer.shop.sandbox;
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
    let leaf = balancer.shop.ca.issue(&sandbox.read("example.com.rsa.csr"));
    sandbox.write(
        rsa,
        leaf + &balancer.shop.ca.intermediate_pem() + &sandbox.read("example.com.rsa.key"),
    );
    let _haproxy = balancer.start(&balancer.crt("tree/etc/haproxy/site.pem"));
    let before = sandbox.read(rsa);

    let run = balancer.round(&["--json"]).expect(1).json();
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
    balancer.shows(ecdsa);
    assert_eq!(sandbox.read(rsa), before);
    assert_eq!(
        balancer.round(&["--json"]).expect(0).json()["verdict"],
        "live"
    );
    balancer.shows(ecdsa);
}
