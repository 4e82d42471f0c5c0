//! `certctl install` before the real HAProxy: one file or two, folders, lists, PROXY headers, strict names, broken, down.
//! Needs: haproxy
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::path::PathBuf;
use std::time::Duration;

use certctl::live::ProbeTarget;
use certctl::pki::certificate::Certificate;
use certctl::system::tls::probe_all;
use support::Run;
use support::haproxy::Haproxy;
use support::nginx::free_port;
use support::shop::{CHAIN, Shop};

/// A shop with an HAProxy that reads what it installs.
struct Balancer {
    shop: Shop,
    port: u16,
}

impl Balancer {
    fn new() -> Self {
        Self { shop: Shop::new(), port: free_port() }
    }

    fn folder(&self) -> PathBuf {
        self.shop.sandbox.join("haproxy")
    }

    fn path(&self, path: &str) -> String {
        self.shop.sandbox.join(path).display().to_string()
    }

    /// A section with TLS; `words` come after `ssl`.
    fn section(&self, words: &str) -> String {
        format!("frontend f\n    bind 127.0.0.1:{} ssl {words}\n    http-request return status 204\n", self.port)
    }

    fn crt(&self, path: &str) -> String {
        self.section(&format!("crt {}", self.path(path)))
    }

    fn start(&self, sections: &str) -> Haproxy {
        Haproxy::start(&self.folder(), sections)
    }

    fn flags(&self) -> [String; 4] {
        let config = self.folder().join("haproxy.cfg").display().to_string();
        ["--server".to_owned(), "haproxy".to_owned(), "--server-config".to_owned(), config]
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

    /// A pair from the CA in plain files; where both are one path, in one file.
    fn plain(&self, chain: &str, key: &str) {
        let sandbox = &self.shop.sandbox;
        sandbox.run(&["csr", "example.com", "www.example.com", "--force"]).expect(0);
        let leaf = self.shop.ca.issue(&sandbox.read("example.com.csr"));
        let (pem, own) = (leaf + &self.shop.ca.intermediate_pem(), sandbox.read("example.com.key"));
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
        let handshake = probe_all(&[target], Duration::from_secs(20)).pop().unwrap().expect("a handshake");
        let leaf = Certificate::from_der(&handshake.chain[0]).unwrap().to_pem();
        assert!(self.shop.sandbox.read(path).contains(&leaf), "HAProxy shows another certificate than {path}");
    }
}

#[test]
fn a_chain_with_its_key_beside_it() {
    let balancer = Balancer::new();
    let key = format!("{CHAIN}.key");
    balancer.plain(CHAIN, &key);
    let _haproxy = balancer.start(&balancer.crt(CHAIN));
    balancer.shows(CHAIN);
    let (chain, key) = (balancer.path(CHAIN), balancer.path(&key));
    let run = balancer.round(&["--chain-path", &chain, "--key-path", &key, "--json"]).expect(0).json();
    assert_eq!((&run["verdict"], &run["certificates"][0]["proof"]), (&"live".into(), &"live".into()), "{run}");
    balancer.shows(CHAIN);
    let run = balancer.round(&["--json"]).expect(0).json();
    assert_eq!(run["verdict"], "live");
    balancer.shows(CHAIN);
}
