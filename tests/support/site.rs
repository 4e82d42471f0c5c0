//! A shop with an nginx that reads what it installs.

use std::path::PathBuf;
use std::time::Duration;

use certctl::facade::probe::ProbeTarget;
use certctl::facade::system::tls::probe_all;

use super::Run;
use super::nginx::{Nginx, free_port};
use super::shop::Shop;

/// A shop, a port, and the folder of an nginx.
pub struct Site {
    pub shop: Shop,
    pub port: u16,
}

impl Site {
    pub fn new() -> Self {
        Self {
            shop: Shop::new(),
            port: free_port(),
        }
    }

    pub fn folder(&self) -> PathBuf {
        self.shop.sandbox.join("nginx")
    }

    /// A pair from the CA at these paths, in plain files.
    pub fn plain(&self, chain: &str, key: &str) {
        let sandbox = &self.shop.sandbox;
        sandbox
            .run(&["csr", "example.com", "www.example.com", "--force"])
            .expect(0);
        let leaf = self.shop.ca.issue(&sandbox.read("example.com.csr"));
        sandbox.write(chain, leaf + &self.shop.ca.intermediate_pem());
        sandbox.write(key, sandbox.read("example.com.key"));
    }

    /// A TLS block for these names and the pair at these paths of the tree.
    pub fn block_of(&self, names: &str, chain: &str, key: &str) -> String {
        self.block(chain, key)
            .replace("example.com www.example.com", names)
    }

    /// A TLS block for the pair at these paths of the tree.
    pub fn block(&self, chain: &str, key: &str) -> String {
        let path = |path: &str| self.shop.sandbox.join(path).display().to_string();
        format!(
            "server {{ listen 127.0.0.1:{} ssl; server_name example.com www.example.com; ssl_protocols TLSv1.2 TLSv1.3;\n\
             ssl_certificate {};\nssl_certificate_key {}; return 204; }}",
            self.port,
            path(chain),
            path(key)
        )
    }

    pub fn start(&self, http: &str) -> Nginx {
        Nginx::start(&self.folder(), http)
    }

    /// What certctl is told besides the file.
    pub fn round(&self, more: &[&str]) -> Run {
        let config = self.folder().join("nginx.conf").display().to_string();
        let nginx = ["--server", "nginx", "--server-config", &config];
        let told = if more.contains(&"--server") {
            &[][..]
        } else {
            &nginx[..]
        };
        self.shop.round(&[told, more].concat())
    }

    /// The leaf that nginx shows, as it is in a PEM file.
    pub fn shown(&self) -> Option<String> {
        let target = ProbeTarget::new(([127, 0, 0, 1], self.port).into(), "example.com");
        let handshake = probe_all(&[target], Duration::from_secs(20))
            .pop()
            .unwrap()
            .ok()?;
        let leaf =
            certctl::facade::pki::certificate::Certificate::from_der(&handshake.chain[0]).unwrap();
        Some(leaf.to_pem())
    }

    pub fn shows(&self, path: &str) {
        let leaf = self.shown().expect("a certificate");
        assert!(
            self.shop.sandbox.read(path).contains(&leaf),
            "nginx shows another certificate than {path}"
        );
    }
}
