//! `certctl verify HOST:PORT` sees every certificate of a server: of each key type, for clients with
//! and without SNI, and of each backend behind an address.
//! Needs: openssl
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use support::Sandbox;
use support::ca::{Leaf, days, midnight, today};
use support::external::external_program;
use support::issued_certificate::IssuedCertificate;
use support::nginx::free_port;

/// A running `openssl s_server`, which is stopped when this is dropped.
struct OpensslServer(Child, u16);

impl OpensslServer {
    fn start(sandbox: &Sandbox, options: &[&str]) -> Self {
        let port = free_port();
        let child = external_program("openssl")
            .args([
                "s_server",
                "-accept",
                &format!("127.0.0.1:{port}"),
                "-quiet",
            ])
            .args(options)
            .current_dir(sandbox.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let ends = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < ends, "openssl s_server did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self(child, port)
    }
}

impl Drop for OpensslServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A sandbox with a valid leaf in leaf.pem, its issuer in chain.pem, and an RSA key with a
/// certificate that has expired in rsa.key and rsa.pem.
fn sandbox_with_two_keys() -> IssuedCertificate {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("leaf.pem", &setup.leaf);
    sandbox.write("chain.pem", setup.ca.intermediate_pem());
    let rsa = ["csr", "example.com", "--key-type", "rsa-2048"];
    sandbox
        .run(&[&rsa[..], &["--cert-name", "second"]].concat())
        .expect(0);
    let expired = Leaf {
        not_before: days(today(), -54),
        not_after: days(today(), -10),
        ..Leaf::default()
    };
    let rsa = setup.ca.issue_as(&sandbox.read("second.csr"), expired);
    sandbox.write("rsa.pem", rsa);
    setup
}

const ECDSA: [&str; 6] = [
    "-cert",
    "leaf.pem",
    "-key",
    "example.com.key",
    "-cert_chain",
    "chain.pem",
];

/// Runs `verify 127.0.0.1:PORT` for example.com.
fn verify(sandbox: &Sandbox, port: u16) -> support::Run {
    let host = format!("127.0.0.1:{port}");
    let options = ["--host", "example.com", "--trust", "root.pem"];
    sandbox.run(&[&["verify", &host, "--json"], &options[..]].concat())
}

#[test]
fn a_certificate_for_each_key_type_is_checked() {
    let setup = sandbox_with_two_keys();
    let both = [
        &ECDSA[..],
        &[
            "-dcert",
            "rsa.pem",
            "-dkey",
            "second.key",
            "-dcert_chain",
            "chain.pem",
        ],
    ]
    .concat();
    let server = OpensslServer::start(&setup.sandbox, &both);
    let document = verify(&setup.sandbox, server.1).expect(1).json();
    let verdicts: Vec<&str> = document["certificates"]
        .iter()
        .map(|one| one["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(verdicts, ["right", "wrong"], "{document}");
    let algorithms: Vec<&str> = document["certificates"]
        .iter()
        .map(|one| one["chain"][0]["key"]["algorithm"].as_str().unwrap())
        .collect();
    assert_eq!(algorithms, ["ecdsa-p256", "rsa-2048"], "{document}");
    let offers = document["certificates"][0]["offers"].as_array().unwrap();
    assert_eq!(offers.len(), 4);
    let code = document["findings"][0]["code"].as_str();
    assert_eq!(code, Some("expired"), "{document}");
}

#[test]
fn a_server_with_one_certificate_is_right() {
    let setup = sandbox_with_two_keys();
    let server = OpensslServer::start(&setup.sandbox, &ECDSA);
    let document = verify(&setup.sandbox, server.1).expect(0).json();
    assert_eq!(document["certificates"].len(), 1, "{document}");
    assert_eq!(document["findings"].len(), 0, "{document}");
}

#[test]
fn another_certificate_for_clients_without_sni_is_a_note() {
    let setup = sandbox_with_two_keys();
    let options = [
        &[
            "-servername",
            "example.com",
            "-cert2",
            "leaf.pem",
            "-key2",
            "example.com.key",
        ],
        &[
            "-cert",
            "rsa.pem",
            "-key",
            "second.key",
            "-cert_chain",
            "chain.pem",
        ][..],
    ]
    .concat();
    let server = OpensslServer::start(&setup.sandbox, &options);
    let document = verify(&setup.sandbox, server.1).json();
    let codes: Vec<&str> = document["findings"]
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains(&"other-without-sni"), "{document}");
    assert!(!codes.contains(&"answers-differ"), "{document}");
}

/// Forwards connections to the backends in turn.
fn forward_in_turn(listener: TcpListener, backends: [u16; 2]) {
    for (number, client) in listener.incoming().enumerate() {
        let Ok(client) = client else { return };
        let backend = TcpStream::connect(("127.0.0.1", backends[number % 2])).unwrap();
        for (mut from, mut to) in [
            (client.try_clone().unwrap(), backend.try_clone().unwrap()),
            (backend, client),
        ] {
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.flush();
                let _ = to.shutdown(Shutdown::Write);
            });
        }
    }
}

#[test]
fn backends_with_different_certificates_are_an_error() {
    let setup = sandbox_with_two_keys();
    let sandbox = &setup.sandbox;
    let old = Leaf {
        not_after: days(today(), 20),
        ..Leaf::default()
    };
    let old = setup.ca.issue_as(&sandbox.read("example.com.csr"), old);
    sandbox.write("old.pem", old);
    let new = OpensslServer::start(sandbox, &ECDSA);
    let old_options = [&["-cert", "old.pem"], &ECDSA[2..]].concat();
    let old = OpensslServer::start(sandbox, &old_options);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let backends = [new.1, old.1];
    std::thread::spawn(move || forward_in_turn(listener, backends));
    let document = verify(sandbox, port).expect(1).json();
    assert_eq!(document["certificates"].len(), 2, "{document}");
    let differ = document["findings"]
        .iter()
        .find(|one| one["code"].as_str() == Some("answers-differ"));
    let message = differ.expect("a finding")["message"].as_str().unwrap();
    assert_eq!(message.matches("SHA-256").count(), 2, "{message}");
}

/// A company's root signs the certificate directly: no intermediate is missing. Where the certificate
/// was installed with `--trust`, the root is known.
#[test]
fn the_certificate_of_a_private_root_is_judged_by_the_stored_trust() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let csr = sandbox.read("example.com.csr");
    let mut request = rcgen::CertificateSigningRequestParams::from_pem(&csr).unwrap();
    request.params.not_before = midnight(days(today(), -1));
    request.params.not_after = midnight(days(today(), 40));
    request.params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    request.params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    request.params.use_authority_key_identifier_extension = true;
    let leaf = request.signed_by(&setup.ca.root).unwrap().pem();
    sandbox.write("elsewhere/leaf.pem", leaf);
    let options = ["-cert", "elsewhere/leaf.pem", "-key", "example.com.key"];
    let server = OpensslServer::start(sandbox, &options);
    let host = format!("127.0.0.1:{}", server.1);
    let verify = [
        "--root",
        "tree",
        "verify",
        &host,
        "--host",
        "example.com",
        "--json",
    ];
    let document = sandbox.run(&verify).expect(1).json();
    let findings = &document["certificates"][0]["findings"];
    assert_eq!(findings[0]["code"], "unknown-issuer", "{document}");
    assert!(
        !document.to_string().contains("missing-intermediate"),
        "{document}"
    );
    let install = [
        "--root",
        "tree",
        "install",
        "elsewhere/leaf.pem",
        "--server",
        "none",
        "--trust",
        "root.pem",
    ];
    sandbox.run(&install).expect(0);
    let document = sandbox.run(&verify).expect(0).json();
    assert_eq!(document["verdict"], "right", "{document}");
}
