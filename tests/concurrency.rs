//! Concurrent installs of two certificates for one name, and clients that connect while certificates
//! are replaced. `scripts/stress` runs everything; `cargo test` runs a sample.
//! Needs: nginx
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed unwrap fails the test; it prints what it counted"
)]

mod support;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use certctl::facade::system::fs::lock::FileLock;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};
use support::install_sandbox::{InstallSandbox, KEY, LINEAGE, leftovers};
use support::json::Json;
use support::program::{clock_words, program};
use support::site::Site;

/// Returns `all` for `scripts/stress`, else `sample`.
fn count(all: usize, sample: usize) -> usize {
    if std::env::var_os("CERTCTL_STRESS").is_some() {
        all
    } else {
        sample
    }
}

/// Reads chain and key of `live` through one descriptor of its folder.
fn read_live(pair: &Path) -> Option<(String, String)> {
    let folder = File::open(pair.join("live")).ok()?;
    let read = |name: &str| {
        let flags = rustix::fs::OFlags::RDONLY;
        let file = rustix::fs::openat(&folder, name, flags, rustix::fs::Mode::empty()).ok()?;
        let mut text = String::new();
        File::from(file).read_to_string(&mut text).ok()?;
        Some(text)
    };
    Some((read("fullchain.pem")?, read("key.pem")?))
}

#[test]
fn concurrent_installs_never_mix_two_certificates() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    let mut pairs = Vec::new();
    for name in ["a", "b"] {
        setup.renew_and_install(&[]).expect(0);
        fs::rename(
            sandbox.join("new.crt"),
            sandbox.join(&format!("{name}.crt")),
        )
        .unwrap();
        fs::copy(
            sandbox.join("example.com.key"),
            sandbox.join(&format!("{name}.key")),
        )
        .unwrap();
        pairs.push(setup.served());
    }
    let history = || {
        let settings = Json::parse(&sandbox.read(&format!("{LINEAGE}/settings.json")));
        settings["history"].as_array().unwrap().len()
    };
    let stop = AtomicBool::new(false);
    let (mut waited, mut changes) = (0, 0);
    let repetitions = count(20, 3);
    let reads = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut reads = 0;
            while !stop.load(Ordering::Relaxed) {
                let pair = read_live(&sandbox.join(LINEAGE)).expect("a certificate is always live");
                assert!(
                    pairs.contains(&pair),
                    "chain and key of different certificates"
                );
                reads += 1;
            }
            reads
        });
        for _ in 0..repetitions {
            let before = history();
            let start = |index: usize| {
                let name = ["a", "b"][index % 2];
                let (file, key) = (format!("{name}.crt"), format!("{name}.key"));
                let args = [
                    "install", &file, "--key", &key, "--root", "tree", "--trust", "root.pem",
                ];
                sandbox
                    .command(&args)
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            };
            let children: Vec<_> = (0..50).map(start).collect();
            let mut changed = 0;
            for child in children {
                // An install that waited for a minute would have given up (exit 4).
                let run = sandbox.wait_for(child).expect(0);
                // Files that are up to date are not written.
                changed += usize::from(run.stdout.contains("\nwrote "));
                waited +=
                    usize::from(run.stderr.contains(
                        "another certctl is running; waiting up to 60 s for it to finish",
                    ));
            }
            assert!(pairs.contains(&setup.served()));
            // The history keeps a hundred entries.
            let recorded = (before + changed).min(100);
            assert_eq!(history(), recorded, "every change is in the history");
            changes += changed;
        }
        stop.store(true, Ordering::Relaxed);
        watcher.join().unwrap()
    });
    assert_eq!(leftovers(sandbox), Vec::<std::path::PathBuf>::new());
    assert!(waited > 0, "at least one install reports that it waits");
    println!(
        "{} installs, {changes} changes, {waited} waited for another and all succeeded; {reads} reads, none of a mixed pair",
        50 * repetitions
    );
}

#[test]
fn changes_of_another_run_after_the_preflight_are_detected() {
    let setup = InstallSandbox::new();
    let sandbox = &setup.sandbox;
    setup.renew_and_install(&[]).expect(0);
    setup.write_delivery("other.crt");
    fs::rename(sandbox.join("example.com.key"), sandbox.join("other.key")).unwrap();
    setup.write_delivery("new.crt");
    let at = |name: &str| sandbox.join(name).display().to_string();
    // Another complete run while the server is tested before any change: the lock is free again
    // afterwards.
    let other = [
        "install",
        &at("other.crt"),
        "--key",
        &at("other.key"),
        "--root",
        &at("tree"),
        "--trust",
        &at("root.pem"),
    ];
    let script = format!(
        "#!/bin/sh\n[ -e {done} ] && exit 0\ntouch {done}\nexec env {clock}{certctl} {}\n",
        other.join(" "),
        done = at("done"),
        clock = clock_words(),
        certctl = program(),
    );
    let test = sandbox.write("between", script);
    fs::set_permissions(&test, fs::Permissions::from_mode(0o755)).unwrap();
    let run = setup
        .install("new.crt", &["--test", &at("between")])
        .expect(0);
    assert!(!run.stderr.contains("waiting up to"), "{run}");
    setup.served();
    let settings = Json::parse(&sandbox.read(&format!("{LINEAGE}/settings.json")));
    let history = settings["history"].as_array().unwrap();
    assert_eq!(history.len(), 3, "{settings}");
    assert_eq!(history[2]["before"], history[1]["release"], "{settings}");
}

#[test]
fn the_wait_for_the_lock_is_reported_and_bounded() {
    let setup = InstallSandbox::new();
    setup.renew_and_install(&[]).expect(0);
    let (before, pair) = (setup.tree(), setup.served());
    setup.write_delivery("new.crt");
    let held = FileLock::acquire(
        &setup.sandbox.join("tree/etc/ssl/certctl/.lock"),
        Duration::ZERO,
        || false,
    )
    .unwrap()
    .unwrap();
    // Each run ends while the lock is held.
    for (timeout, waits) in [("0s", false), ("1s", true)] {
        let run = setup
            .install("new.crt", &["--lock-timeout", timeout])
            .expect(4);
        assert!(
            run.stderr
                .contains("another certctl is running and holds the lock"),
            "{run}"
        );
        assert_eq!(
            run.stderr.contains("waiting up to 1 s for it to finish"),
            waits,
            "{run}"
        );
        assert_eq!(
            (setup.tree(), setup.served()),
            (before.clone(), pair.clone())
        );
    }
    // A run that waits gets the lock when it is released.
    let args = [
        "install",
        "new.crt",
        "--root",
        "tree",
        "--trust",
        "root.pem",
        "--lock-timeout",
        "600s",
    ];
    let mut command = setup.sandbox.command(&args);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut waiting = String::new();
    BufReader::new(child.stderr.as_mut().unwrap())
        .read_line(&mut waiting)
        .unwrap();
    assert!(
        waiting.contains("waiting up to 600 s for it to finish"),
        "{waiting}"
    );
    assert_eq!(setup.served(), pair);
    drop(held);
    setup.sandbox.wait_for(child).expect(0);
    assert_ne!(setup.sandbox.read(KEY), pair.1);
    setup
        .install("new.crt", &["--lock-timeout", "0s"])
        .expect(0);
}

/// Makes a new connection with a handshake that is verified up to the root, and one request; returns
/// the leaf.
fn visit(address: SocketAddr, config: &Arc<ClientConfig>) -> Result<Vec<u8>, String> {
    let visit = || -> std::io::Result<(Vec<u8>, String)> {
        let name = ServerName::try_from("example.com").unwrap();
        let mut tls =
            ClientConnection::new(Arc::clone(config), name).map_err(std::io::Error::other)?;
        let mut tcp = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
        tcp.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut stream = Stream::new(&mut tls, &mut tcp);
        stream.write_all(b"GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok((tls.peer_certificates().unwrap()[0].to_vec(), answer))
    };
    match visit() {
        Ok((leaf, answer)) if answer.starts_with("HTTP/1.1 204") => Ok(leaf),
        Ok((_, answer)) => Err(format!("answered {answer:?}")),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn clients_do_not_notice_replacements() {
    let site = Site::new();
    let sandbox = &site.setup.sandbox;
    site.plain("tree/etc/ssl/example.com.fullchain.pem", KEY);
    let nginx = site.start(&site.block("tree/etc/ssl/example.com.fullchain.pem", KEY));
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(sandbox.read("root.pem").as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    // Without session resumption, the server sends its certificate in each handshake.
    config.resumption = rustls::client::Resumption::disabled();
    let config = Arc::new(config);
    let address = SocketAddr::from(([127, 0, 0, 1], site.port));

    let replacements = count(200, 15);
    let stop = AtomicBool::new(false);
    let (visits, leaves) = std::thread::scope(|scope| {
        let visitor = scope.spawn(|| {
            let (mut visits, mut leaves) = (0, Vec::new());
            while !stop.load(Ordering::Relaxed) {
                let leaf = visit(address, &config)
                    .unwrap_or_else(|error| panic!("visit {visits}: {error}"));
                visits += 1;
                if leaves.last() != Some(&leaf) {
                    leaves.push(leaf);
                }
            }
            (visits, leaves)
        });
        for _ in 0..replacements {
            assert!(!visitor.is_finished(), "{}", nginx.log());
            let run = site.renew_and_install(&["--json"]).expect(0).json();
            assert_eq!(run["verdict"], "live");
        }
        stop.store(true, Ordering::Relaxed);
        visitor.join().unwrap()
    });
    // For a moment, old worker processes answer alongside new ones: a replaced certificate may
    // still be served, but every certificate is served at some time.
    let mut distinct = leaves.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(
        distinct.len(),
        replacements + 1,
        "every certificate was seen"
    );
    println!(
        "{replacements} replacements, {visits} visits, 0 failed, {} certificates seen",
        distinct.len()
    );
}
