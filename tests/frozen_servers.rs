//! Certificates that certctl 42475f8 installed for nginx, and for nginx and HAProxy together
//! (fixtures/frozen), are renewed and rolled back with the real servers, without options.
//! Needs: nginx haproxy
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use certctl::facade::pki::certificate::Certificate;
use certctl::facade::probe::ProbeTarget;
use certctl::facade::system::tls::probe_all;
use support::Sandbox;
use support::frozen::{NOW, unpack};
use support::haproxy::Haproxy;
use support::install_sandbox::{CHAIN, KEY, LINEAGE, leftovers, mode};
use support::json::Json;
use support::nginx::{Nginx, free_port};
use support::visitors::Visitors;

/// Chain and key in one file, as HAProxy reads it.
const COMBINED: &str = "tree/etc/ssl/private/example.com.pem";

/// Returns the leaf that the server at this port serves.
fn shown(port: u16) -> String {
    let target = ProbeTarget::new(([127, 0, 0, 1], port).into(), "example.com");
    let handshake = probe_all(&[target], Duration::from_secs(20))
        .pop()
        .unwrap()
        .expect("a handshake");
    Certificate::from_der(&handshake.chain[0]).unwrap().to_pem()
}

/// Installs the next certificate, rolls it back and installs it again; checks each time that all
/// servers serve the installed chain. Meanwhile no request of a client may fail.
fn assert_can_be_continued(sandbox: &Sandbox, ports: &[u16]) {
    let settings = || Json::parse(&sandbox.read(&format!("{LINEAGE}/settings.json")));
    let (before, chain) = (settings(), sandbox.read(CHAIN));
    let run = |args: &[&str]| {
        sandbox
            .run(&[args, &["--root", "tree", "--at", NOW]].concat())
            .expect(0)
    };
    let is_served = |what: &str| {
        let served = sandbox.read(CHAIN);
        ports
            .iter()
            .for_each(|port| assert!(served.starts_with(&shown(*port)), "{what}: port {port}"));
        served
    };
    is_served("before the install");
    let root = std::fs::read_to_string(before["trust"].as_str().unwrap()).unwrap();
    let addresses: Vec<SocketAddr> = ports
        .iter()
        .map(|port| SocketAddr::from(([127, 0, 0, 1], *port)))
        .collect();
    let now: jiff::Timestamp = NOW.parse().unwrap();
    let now = Duration::from_secs(u64::try_from(now.as_second()).unwrap());
    let visitors = Visitors::start_at(&addresses, "example.com", &root, now);
    visitors.await_visits(2);
    run(&["install", "next.crt"]);
    assert_ne!(is_served("installed"), chain);
    run(&["install", "--check"]);
    run(&["rollback", "example.com"]);
    assert_eq!(is_served("rolled back"), chain);
    run(&["install", "next.crt"]);
    is_served("installed again");
    visitors.await_visits(2);
    visitors.assert_no_failure();
    for field in [
        "server",
        "server_config",
        "server_configs",
        "links",
        "chain_path",
        "key_path",
    ] {
        assert_eq!(settings().get(field), before.get(field), "{field}");
    }
    // The trust anchors of the older install are kept with the certificate.
    let kept = settings()["trust"].as_str().unwrap().to_owned();
    assert_eq!(kept, "/etc/ssl/certctl/example.com/trust.pem");
    let passed = std::fs::read_to_string(before["trust"].as_str().unwrap()).unwrap();
    assert_eq!(sandbox.read(&format!("tree{kept}")), passed);
    assert_eq!(leftovers(sandbox), Vec::<std::path::PathBuf>::new());
}

/// A TLS block of nginx with the certificate at the usual paths.
fn block(sandbox: &Sandbox, port: u16) -> String {
    let path = |path: &str| sandbox.join(path).display().to_string();
    format!(
        "server {{ listen 127.0.0.1:{port} ssl; server_name example.com www.example.com; ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {};\n\
         ssl_certificate_key {}; return 204; }}",
        path(CHAIN),
        path(KEY)
    )
}

fn is_plain(path: &Path) -> bool {
    fs::symlink_metadata(path).unwrap().is_file()
}

#[test]
fn the_server_of_an_older_install_gets_the_next_certificate() {
    let sandbox = unpack("server");
    let port = free_port();
    let _nginx = Nginx::start(&sandbox.join("nginx"), &block(&sandbox, port));
    assert_can_be_continued(&sandbox, &[port]);
}

#[test]
fn both_servers_of_an_older_install_get_the_next_certificate() {
    let sandbox = unpack("servers");
    let ports = [free_port(), free_port()];
    let _nginx = Nginx::start(&sandbox.join("nginx"), &block(&sandbox, ports[0]));
    let frontend = format!(
        "frontend f\n    bind 127.0.0.1:{} ssl crt {}\n    http-request return status 204\n",
        ports[1],
        sandbox.join(COMBINED).display()
    );
    let _haproxy = Haproxy::start(&sandbox.join("haproxy"), &frontend);
    assert_can_be_continued(&sandbox, &ports);
    let combined = sandbox.read(COMBINED);
    assert_eq!(combined, sandbox.read(CHAIN) + &sandbox.read(KEY));
    sandbox
        .run(&["forget", "example.com", "--root", "tree", "--at", NOW])
        .expect(0);
    assert!(
        [CHAIN, KEY, COMBINED]
            .iter()
            .all(|path| is_plain(&sandbox.join(path)))
    );
    assert_eq!(
        (sandbox.read(COMBINED), mode(&sandbox.join(COMBINED))),
        (combined, 0o600)
    );
    assert!(!sandbox.join(LINEAGE).exists());
}
