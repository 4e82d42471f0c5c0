//! `certctl csr`: key and request, and what other people's tools think of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::os::unix::fs::PermissionsExt;

use support::Sandbox;
use support::ca::TestCa;

#[test]
fn a_key_is_born_private_and_never_overwritten() {
    let sandbox = Sandbox::new();
    let first = sandbox.run(&["csr", "example.com", "www.example.com", "--ca", "sectigo", "--json"]).expect(0).json();
    assert_eq!(first["changed"], true);
    let mode = std::fs::metadata(sandbox.join("example.com.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let key = sandbox.read("example.com.key");

    let again = sandbox.run(&["csr", "example.com", "www.example.com", "--json"]).expect(0).json();
    assert_eq!(again["changed"], false);
    assert_eq!(again["request"], first["request"]);
    assert_eq!(again["records"], first["records"], "the CA named the first time is remembered");

    sandbox.run(&["csr", "example.com", "mail.example.com", "--cert-name", "example.com"]).expect(3);
    assert_eq!(sandbox.read("example.com.key"), key);

    sandbox.run(&["csr", "example.com", "--force"]).expect(0);
    assert_ne!(sandbox.read("example.com.key"), key);
    assert_eq!(sandbox.read("example.com.key.~1~"), key);
}

#[test]
fn the_test_ca_signs_our_request() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "example.com"]).expect(0);
    let leaf = TestCa::new().issue(&sandbox.read("example.com.csr"));
    assert!(leaf.starts_with("-----BEGIN CERTIFICATE-----\n"));
}
