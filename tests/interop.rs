//! Keys and requests that certctl creates, checked by OpenSSL and GnuTLS.
//! Needs: openssl, certtool
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::process::Command;

use support::Sandbox;
use support::external::{external_program, succeed};

/// Each `--key-type` and its name in OpenSSL.
const KEY_TYPES: [(&str, &str); 7] = [
    ("ecdsa-p256", "Public-Key: (256 bit)"),
    ("ecdsa-p384", "Public-Key: (384 bit)"),
    ("ecdsa-p521", "Public-Key: (521 bit)"),
    ("ed25519", "ED25519 Public-Key:"),
    ("rsa-2048", "Public-Key: (2048 bit)"),
    ("rsa-3072", "Public-Key: (3072 bit)"),
    ("rsa-4096", "Public-Key: (4096 bit)"),
];

fn run(sandbox: &Sandbox, program: &str, args: &[&str]) -> String {
    let mut command: Command = external_program(program);
    succeed(command.args(args).current_dir(sandbox.path()))
}

#[test]
fn openssl_and_gnutls_agree_with_every_key_and_request() {
    for (key_type, openssl_name) in KEY_TYPES {
        let sandbox = Sandbox::new();
        let names = ["example.com", "*.example.com", "bücher.example"];
        let made = sandbox
            .run(
                &[
                    &["csr", "--json", "--ca", "private", "--key-type", key_type],
                    &names[..],
                ]
                .concat(),
            )
            .expect(0)
            .json();

        let verified = run(
            &sandbox,
            "openssl",
            &[
                "req",
                "-in",
                "example.com.csr",
                "-verify",
                "-noout",
                "-text",
            ],
        );
        assert!(
            verified.contains("self-signature verify OK"),
            "{key_type}: {verified}"
        );
        assert!(verified.contains(openssl_name), "{key_type}: {verified}");
        assert!(
            verified.contains("DNS:example.com, DNS:*.example.com, DNS:xn--bcher-kva.example"),
            "{verified}"
        );
        let checked = run(
            &sandbox,
            "openssl",
            &["pkey", "-in", "example.com.key", "-check", "-noout"],
        );
        assert!(checked.contains("Key is valid"), "{key_type}: {checked}");
        let of_key = run(
            &sandbox,
            "openssl",
            &["pkey", "-in", "example.com.key", "-pubout"],
        );
        let of_request = run(
            &sandbox,
            "openssl",
            &["req", "-in", "example.com.csr", "-noout", "-pubkey"],
        );
        assert_eq!(of_key, of_request, "{key_type}");

        // GnuTLS computes the same key id: SHA-256 of the SubjectPublicKeyInfo.
        let key_id = run(
            &sandbox,
            "certtool",
            &[
                "--key-id",
                "--hash",
                "sha256",
                "--load-privkey",
                "example.com.key",
            ],
        );
        assert_eq!(
            key_id.trim(),
            made["key"]["id"].as_str().unwrap(),
            "{key_type}"
        );
        let info = run(
            &sandbox,
            "certtool",
            &["--crq-info", "--infile", "example.com.csr"],
        );
        assert!(
            info.contains("Self signature: verified"),
            "{key_type}: {info}"
        );
        assert!(
            info.contains("DNSname: xn--bcher-kva.example"),
            "{key_type}: {info}"
        );
    }
}

/// The hashes that resellers show are hashes of the DER as OpenSSL writes it.
#[test]
fn openssl_agrees_with_the_hashes_of_a_request() {
    let sandbox = Sandbox::new();
    let made = sandbox
        .run(&["csr", "example.com", "--json"])
        .expect(0)
        .json();
    for (digest, field) in [("-md5", "md5"), ("-sha256", "sha256")] {
        run(
            &sandbox,
            "openssl",
            &[
                "req",
                "-in",
                "example.com.csr",
                "-outform",
                "DER",
                "-out",
                "request.der",
            ],
        );
        let printed = run(&sandbox, "openssl", &["dgst", digest, "-r", "request.der"]);
        assert_eq!(
            printed.split_whitespace().next(),
            made["request"][field].as_str()
        );
    }
}

/// Subjects as given on the command line; OpenSSL and GnuTLS must read the same values.
#[test]
fn openssl_and_gnutls_agree_with_every_attribute() {
    for (number, subject) in [
        "CN=one.example,OU=b,OU=a,O=Acme\\, Inc.,L=Köln,ST=NRW,C=DE",
        "CN=one.example+OU=a,O=\\#1 \\+ \\<b\\>,C=DE",
        "CN=one.example,emailAddress=ann@example.com,DC=corp,DC=example,UID=ann",
        "CN=one.example,serialNumber=HRB 12345,street=Am Markt 1,postalCode=10115,title=x,GN=Ann,SN=O'Neil,initials=A",
        "CN=one.example,businessCategory=Private Organization,jurisdictionC=DE,jurisdictionST=NRW,jurisdictionL=Köln",
        "CN=one.example,O=\\ both ends\\ ",
        "CN=one.example,1.3.6.1.4.1.99999.1=#1303616263+1.3.6.1.4.1.99999.2=#0c0161,O=#0c0441636d65,C=DE",
    ]
    .into_iter()
    .enumerate()
    {
        let sandbox = Sandbox::new();
        let names = ["one.example", "10.0.0.1", "2001:db8::1", "ann@example.com"];
        let args = ["csr", "--ca", "private", "--json", "--cert-name", "x", "--subject", subject];
        let made = sandbox.run(&[&args[..], &names].concat()).expect(0).json();
        let ours = made["request"]["subject"].as_str().unwrap();
        let openssl = run(
            &sandbox,
            "openssl",
            &["req", "-in", "x.csr", "-noout", "-verify", "-subject", "-nameopt", "RFC2253,-esc_msb,utf8"],
        );
        let shown = openssl.lines().find_map(|line| line.strip_prefix("subject=")).unwrap();
        // The attributes of one RDN are a set, so their order does not matter.
        let part = |part: &str| {
            let mut attributes: Vec<&str> = part.split('+').collect();
            attributes.sort_unstable();
            attributes.join("+")
        };
        let alike = |text: &str| text.to_lowercase().split(',').map(part).collect::<Vec<_>>();
        assert_eq!(alike(shown), alike(ours), "{number}");
        let text = run(&sandbox, "openssl", &["req", "-in", "x.csr", "-noout", "-text"]);
        let sans = "DNS:one.example, IP Address:10.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1, email:ann@example.com";
        assert!(text.contains(sans), "{text}");
        let info = run(&sandbox, "certtool", &["--crq-info", "--infile", "x.csr"]);
        assert!(info.contains("Self signature: verified"), "{info}");
        for expected in
            ["DNSname: one.example", "IPAddress: 10.0.0.1", "IPAddress: 2001:db8::1", "RFC822Name: ann@example.com"]
        {
            assert!(info.contains(expected), "{expected}: {info}");
        }
        let gnutls = info.lines().find_map(|line| line.trim().strip_prefix("Subject: ")).unwrap();
        for value in ["one.example", ",C=DE", "Köln", "ann", "HRB 12345", "1.3.6.1.4.1.99999.1"] {
            assert_eq!(gnutls.contains(value), ours.contains(value), "{value}: {gnutls}");
        }
        let types = run(&sandbox, "openssl", &["asn1parse", "-in", "x.csr"]);
        for (value, kind) in
            [("DE", "PRINTABLESTRING"), ("ann@example.com", "IA5STRING"), ("one.example", "UTF8STRING")]
        {
            let line = types.lines().find(|line| line.trim_end().ends_with(&format!(":{value}")));
            assert!(line.is_none_or(|line| line.contains(kind)), "{types}");
        }
    }
}
