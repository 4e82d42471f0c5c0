//! Tests `certctl revoke` with the real pebble, nginx and knot on loopback.
//! Needs: bash ip knotd nginx pebble unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use support::dns::with_port_53;
use support::install_sandbox::codes;
use support::json::Json;
use support::order_lab::{NAMES, OrderLab, verdict};
use support::pebble::PebbleOptions;
use support::{Run, Sandbox};

fn revoke(sandbox: &Sandbox, more: &[&str]) -> Run {
    let words = ["--root", "tree", "revoke", NAMES[0], "--json"];
    sandbox.run(&[&words[..], more].concat())
}

/// The serial numbers of the certificates in a document.
fn serials(document: &Json) -> Vec<String> {
    let certificates = document["certificates"].as_array().unwrap();
    let serials = certificates.iter().map(|one| one["serial"].as_str());
    serials.map(|serial| serial.unwrap().to_owned()).collect()
}

/// The serial number of a file.
fn serial_of(sandbox: &Sandbox, file: &str) -> String {
    let inspected = sandbox.run(&["inspect", file, "--json"]).expect(0).json();
    let serial = inspected["items"][0]["serial"].as_str().unwrap();
    serial.to_owned()
}

/// While another certctl installs, nothing is revoked: it may restore the certificate.
fn expect_to_wait_for_installs(lab: &OrderLab) {
    let lock = lab.sandbox.join("tree/etc/ssl/certctl/.lock");
    let held = std::fs::File::open(lock).unwrap();
    held.lock().unwrap();
    let words = ["--root", "tree", "revoke", NAMES[0], "--replaced"];
    let mut command = lab.sandbox.command(&words);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let waits = lines.any(|line| line.unwrap().contains("waiting up to 60 s"));
    assert!(waits, "it does not wait for the lock");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn the_replaced_certificate_is_revoked_and_the_served_one_is_not() {
    with_port_53(
        "the_replaced_certificate_is_revoked_and_the_served_one_is_not",
        || {
            let lab = OrderLab::start(0, PebbleOptions::default());
            let placeholder = ["install", "--placeholder", NAMES[0], NAMES[1]];
            let words = [&["--root", "tree"], &placeholder[..]].concat();
            lab.sandbox.run(&words).expect(0);
            let nginx = lab.nginx(&lab.both_blocks());
            let config = nginx.config().display().to_string();
            let server = ["--server", "nginx", "--server-config", &config];
            lab.sandbox.run(&[&words[..], &server].concat()).expect(0);

            // A placeholder was issued by no CA.
            let nothing = revoke(&lab.sandbox, &["--replaced"]).expect(3);
            assert!(nothing.stdout.contains("not-found"), "{nothing}");
            lab.order(&[]).expect(0);
            let first = serial_of(&lab.sandbox, "shop.example.fullchain.pem");
            let nothing = revoke(&lab.sandbox, &["--replaced"]).expect(3);
            assert!(
                nothing.stdout.contains("no earlier certificate"),
                "{nothing}"
            );
            lab.order(&["--force"]).expect(0);
            let second = serial_of(&lab.sandbox, "shop.example-2.fullchain.pem");

            let refused = revoke(&lab.sandbox, &["--serial", &second])
                .expect(1)
                .json();
            assert_eq!(verdict(&refused), "refused", "{refused}");
            assert_eq!(codes(&refused), ["certificate-in-use"]);
            assert!(refused.to_string().contains(":443"), "{refused}");

            let planned = revoke(&lab.sandbox, &["--replaced", "--dry-run"]).expect(0);
            let planned = planned.json();
            assert_eq!(verdict(&planned), "planned", "{planned}");
            assert_eq!(serials(&planned), [first.as_str()]);
            assert_eq!(lab.pebble.status(&first), "Valid");

            expect_to_wait_for_installs(&lab);
            assert_eq!(lab.pebble.status(&first), "Valid");
            let revoked = revoke(&lab.sandbox, &["--replaced"]).expect(0).json();
            assert_eq!(verdict(&revoked), "revoked", "{revoked}");
            assert_eq!(serials(&revoked), [first.as_str()]);
            assert_eq!(revoked["certificates"][0]["result"], "by-account");
            assert_eq!(revoked["reason"], "superseded");
            assert_eq!(revoked["changed"].as_bool(), Some(true));
            assert_eq!(lab.pebble.status(&first), "Revoked");
            assert_eq!(lab.pebble.status(&second), "Valid");

            // A rollback would let servers send it again.
            let rollback = ["--root", "tree", "rollback", NAMES[0], "--json"];
            let refused = lab.sandbox.run(&rollback).expect(1).json();
            assert_eq!(verdict(&refused), "refused", "{refused}");
            assert!(codes(&refused).contains(&"revoked"), "{refused}");
            let allowed = [&rollback[..], &["--allow", "revoked", "--dry-run"]].concat();
            let planned = lab.sandbox.run(&allowed).expect(0).json();
            assert_eq!(verdict(&planned), "planned", "{planned}");

            // It is revoked already.
            let again = revoke(&lab.sandbox, &["--serial", &first]).expect(0).json();
            assert_eq!(again["certificates"][0]["result"], "revoked-earlier");
            assert_eq!(again["changed"].as_bool(), Some(false));
            let unknown = revoke(&lab.sandbox, &["--serial", "abc123"]).expect(3);
            assert!(unknown.stdout.contains(&first), "{unknown}");
            revoke(&lab.sandbox, &["--serial", "xyz"]).expect(2);
            revoke(&lab.sandbox, &[]).expect(2);
        },
    );
}

#[test]
fn without_the_account_the_key_of_the_certificate_revokes_it() {
    with_port_53(
        "without_the_account_the_key_of_the_certificate_revokes_it",
        || {
            let lab = OrderLab::start(1, PebbleOptions::default());
            let _nginx = lab.nginx(&lab.plain_block());
            for key_type in ["ecdsa-p256", "rsa-2048"] {
                let csr = ["csr", NAMES[0], "--key-type", key_type, "--json"];
                lab.sandbox.run(&csr).expect(0);
                let files = ["--webroot", "webroot", "--agree-tos", "--json"];
                let more = [&files[..], &["--no-install"]].concat();
                lab.order_names(&NAMES[..1], &more).expect(0);
                let serial = serial_of(&lab.sandbox, "shop.example.fullchain.pem");
                std::fs::remove_dir_all(lab.sandbox.join("tree/var/lib/certctl")).unwrap();

                // Nothing says which CA has issued it.
                let unknown = revoke(&lab.sandbox, &["--serial", &serial]).expect(3);
                assert!(unknown.stdout.contains("--ca"), "{unknown}");
                let roots = lab.pebble.roots().display().to_string();
                let directory = lab.pebble.directory();
                let at = ["--ca", &directory, "--trust", &roots];
                let which = ["--serial", &serial, "--reason", "key-compromise"];
                let run = revoke(&lab.sandbox, &[&which[..], &at].concat());
                let revoked = run.expect(0).json();
                let result = &revoked["certificates"][0]["result"];
                assert_eq!(*result, "by-certificate-key", "{revoked}");
                // No server could be probed under --root.
                assert_eq!(codes(&revoked), ["not-probed"], "{revoked}");
                assert_eq!(lab.pebble.status(&serial), "Revoked");
                for suffix in ["key", "csr", "fullchain.pem"] {
                    let file = lab.sandbox.join(&format!("shop.example.{suffix}"));
                    std::fs::remove_file(file).unwrap();
                }
            }
        },
    );
}
