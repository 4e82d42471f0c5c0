//! A CA, a request and a tree to install into, with an nginx that serves what is installed.

use std::path::PathBuf;
use std::time::Duration;

use certctl::facade::probe::ProbeTarget;
use certctl::facade::system::tls::probe_all;

use super::Run;
use super::install_sandbox::InstallSandbox;
use super::nginx::{Nginx, free_port};

/// What a test of one nginx site needs.
pub struct Site {
    pub setup: InstallSandbox,
    /// The port of 127.0.0.1 that nginx listens on.
    pub port: u16,
}

impl Site {
    pub fn new() -> Self {
        Self {
            setup: InstallSandbox::new(),
            port: free_port(),
        }
    }

    pub fn folder(&self) -> PathBuf {
        self.setup.sandbox.join("nginx")
    }

    /// Issues a certificate and writes its chain and key to plain files at these paths.
    pub fn plain(&self, chain: &str, key: &str) {
        let sandbox = &self.setup.sandbox;
        sandbox
            .run(&["csr", "example.com", "www.example.com", "--force"])
            .expect(0);
        let leaf = self.setup.ca.issue(&sandbox.read("example.com.csr"));
        sandbox.write(chain, leaf + &self.setup.ca.intermediate_pem());
        sandbox.write(key, sandbox.read("example.com.key"));
    }

    /// Returns a TLS block for these names with the chain and key at these paths of the sandbox.
    pub fn block_for(&self, names: &str, chain: &str, key: &str) -> String {
        self.block(chain, key)
            .replace("example.com www.example.com", names)
    }

    /// Returns a TLS block with the chain and key at these paths of the sandbox.
    pub fn block(&self, chain: &str, key: &str) -> String {
        let path = |path: &str| self.setup.sandbox.join(path).display().to_string();
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

    /// Issues the next certificate and installs it; `more` are further arguments. Without `--server`
    /// among them, the server is this nginx.
    pub fn renew_and_install(&self, more: &[&str]) -> Run {
        let config = self.folder().join("nginx.conf").display().to_string();
        let nginx = ["--server", "nginx", "--server-config", &config];
        let server = if more.contains(&"--server") {
            &[][..]
        } else {
            &nginx[..]
        };
        self.setup.renew_and_install(&[server, more].concat())
    }

    /// Returns the leaf that nginx serves, in PEM; `None` if the handshake fails.
    pub fn served_leaf(&self) -> Option<String> {
        let target = ProbeTarget::new(([127, 0, 0, 1], self.port).into(), "example.com");
        let handshake = probe_all(&[target], Duration::from_secs(20))
            .pop()
            .unwrap()
            .ok()?;
        let leaf =
            certctl::facade::pki::certificate::Certificate::from_der(&handshake.chain[0]).unwrap();
        Some(leaf.to_pem())
    }

    pub fn assert_serves(&self, path: &str) {
        let leaf = self.served_leaf().expect("a certificate");
        assert!(
            self.setup.sandbox.read(path).contains(&leaf),
            "nginx serves another certificate than {path}"
        );
    }
}
