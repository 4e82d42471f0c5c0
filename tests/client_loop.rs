//! Clients connect to every address over TLS 1.2 and TLS 1.3 while certctl installs a certificate,
//! fails to install one, and rolls one back: no request fails.
//! Needs: apache2 haproxy nginx
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::net::SocketAddr;

use support::Run;
use support::any_server::{Running, ServedNames, ServerKind};
use support::install_sandbox::InstallSandbox;
use support::nginx::free_port;
use support::visitors::Visitors;

/// A server that serves example.com at two addresses, with the files that certctl installs.
struct Visited {
    setup: InstallSandbox,
    kind: ServerKind,
    addresses: Vec<SocketAddr>,
    _server: Running,
}

impl Visited {
    /// Starts the server with plain files in the places where certctl then puts its links.
    fn start(kind: ServerKind) -> Self {
        let setup = InstallSandbox::new();
        let sandbox = &setup.sandbox;
        let (chain, key) = kind.default_paths(&sandbox.join("tree"));
        std::fs::create_dir_all(sandbox.join("tree/etc/ssl/private")).unwrap();
        setup.write_delivery("first.crt");
        let leaf = setup.ca.issue(&sandbox.read("example.com.csr"));
        let full_chain = leaf + &setup.ca.intermediate_pem();
        if chain == key {
            std::fs::write(&key, full_chain + &sandbox.read("example.com.key")).unwrap();
        } else {
            std::fs::write(&chain, full_chain).unwrap();
            std::fs::write(&key, sandbox.read("example.com.key")).unwrap();
        }
        let port = free_port();
        let addresses = vec![([127, 0, 0, 1], port).into(), ([127, 0, 0, 2], port).into()];
        let served = ServedNames {
            names: "example.com www.example.com",
            at: addresses.clone(),
            pairs: vec![(chain, key)],
        };
        let server = kind.start(&sandbox.join(kind.name()), &[served]);
        Self {
            setup,
            kind,
            addresses,
            _server: server,
        }
    }

    /// Installs a new certificate with the options of `more`.
    fn renew(&self, more: &[&str]) -> Run {
        let folder = self.setup.sandbox.join(self.kind.name());
        let config = self.kind.config(&folder).display().to_string();
        let server = ["--server", self.kind.name(), "--server-config", &config];
        self.setup.renew_and_install(&[&server, more].concat())
    }
}

/// Installs three certificates, one of which fails its verification, and rolls back, while clients
/// connect all the time.
fn visit_during_installs(kind: ServerKind) {
    let visited = Visited::start(kind);
    let root = visited.setup.sandbox.read("root.pem");
    let visitors = Visitors::start(&visited.addresses, "www.example.com", &root);
    visitors.await_visits(20);
    let _ = visited.renew(&[]).expect(0);
    visitors.await_visits(20);
    let _ = visited.renew(&[]).expect(0);
    visitors.await_visits(20);
    // Nothing listens there, so the new certificate cannot be verified.
    let nowhere = format!("127.0.0.3:{}", free_port());
    let _ = visited.renew(&["--probe", &nowhere]).expect(5);
    visitors.await_visits(20);
    let rollback = ["rollback", "example.com", "--root", "tree"];
    let _ = visited.setup.sandbox.run(&rollback).expect(0);
    visitors.await_visits(20);
    visitors.assert_no_failure();
}

#[test]
fn no_request_to_apache_fails() {
    visit_during_installs(ServerKind::Apache);
}

#[test]
fn no_request_to_haproxy_fails() {
    visit_during_installs(ServerKind::Haproxy);
}

#[test]
fn no_request_to_nginx_fails() {
    visit_during_installs(ServerKind::Nginx);
}

/// The clients notice a server that is away for a moment.
#[test]
fn a_server_that_goes_away_is_noticed() {
    let visited = Visited::start(ServerKind::Nginx);
    let root = visited.setup.sandbox.read("root.pem");
    let visitors = Visitors::start(&visited.addresses, "www.example.com", &root);
    visitors.await_visits(5);
    drop(visited);
    visitors.await_visits(5);
    let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        visitors.assert_no_failure();
    }));
    assert!(judged.is_err(), "failed requests are reported");
}
