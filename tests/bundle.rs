//! `certctl bundle`: selects the leaf by its key and the chain by its signatures, and writes the
//! complete file or none.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::os::unix::fs::PermissionsExt;

use support::ca::{Leaf, TestCa, days, today};
use support::issued_certificate::IssuedCertificate;
use support::mask::masked;
use support::program::program;
use support::zip::zip;

#[test]
fn zips_become_chain_files() {
    let setup = IssuedCertificate::new();
    let bundle = setup.ca.bundle_pem().replace('\n', "\r\n");
    setup.sandbox.write(
        "example_com.zip",
        zip(&[
            ("My_CA_Bundle.ca-bundle", bundle.as_str()),
            ("example_com.crt", setup.leaf.trim_end()),
        ]),
    );
    let args = ["bundle", "example_com.zip", "--trust", "root.pem", "--json"];
    let document = setup.sandbox.run(&args).expect(0).json();
    assert_eq!(
        setup.sandbox.read("example.com.fullchain.pem"),
        setup.chain()
    );
    let mode = std::fs::metadata(setup.sandbox.join("example.com.fullchain.pem"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o644);
    insta::assert_snapshot!(masked(&format!("{:#}", document)), @r#"
    {
      "schema": "certctl.bundle/1",
      "comment": "example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate; trusted by root.pem",
      "verdict": "right",
      "changed": true,
      "certificates": [
        {
          "name": "example.com",
          "chain_path": "example.com.fullchain.pem",
          "key_path": "example.com.key",
          "request_path": "example.com.csr",
          "not_after": "[DATE]",
          "chain": [
            {
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
              }
            },
            {
              "subject": "CN=Test DV CA R2,O=certctl tests",
              "issuer": "CN=Test Root R1,O=certctl tests",
              "dns_names": [],
              "ip_addresses": [],
              "not_before": "[DATE]",
              "not_after": "[DATE]",
              "serial": "[HEX]",
              "sha256": "[HEX]",
              "key": {
                "algorithm": "ecdsa-p256",
                "id": "[HEX]"
              }
            }
          ],
          "outputs": [
            {
              "format": "pem",
              "path": "example.com.fullchain.pem",
              "mode": "0644",
              "holds_key": false,
              "changed": true
            }
          ],
          "findings": [
            {
              "code": "root-omitted",
              "severity": "note",
              "message": "omitted: Test Root R1 (root: clients already have it)",
              "next": []
            },
            {
              "code": "crlf",
              "severity": "note",
              "message": "repaired when reading My_CA_Bundle.ca-bundle in example_com.zip: Windows line endings (CR LF)",
              "next": []
            },
            {
              "code": "no-final-newline",
              "severity": "note",
              "message": "repaired when reading example_com.crt in example_com.zip: no line break at the end",
              "next": []
            }
          ]
        }
      ],
      "trust": "root.pem",
      "findings": [
        {
          "code": "root-omitted",
          "severity": "note",
          "message": "omitted: Test Root R1 (root: clients already have it)",
          "next": []
        },
        {
          "code": "crlf",
          "severity": "note",
          "message": "repaired when reading My_CA_Bundle.ca-bundle in example_com.zip: Windows line endings (CR LF)",
          "next": []
        },
        {
          "code": "no-final-newline",
          "severity": "note",
          "message": "repaired when reading example_com.crt in example_com.zip: no line break at the end",
          "next": []
        }
      ],
      "next": [
        {
          "text": "Install it, and verify that the server serves it",
          "command": "sudo certctl install example.com.fullchain.pem --trust root.pem",
          "argv": [
            "certctl",
            "install",
            "example.com.fullchain.pem",
            "--trust",
            "root.pem"
          ],
          "needs_root": true,
          "when": "now"
        }
      ]
    }
    "#);
    let again = setup.sandbox.run(&args).expect(0).json();
    assert_eq!(
        (&again["changed"], &again["certificates"][0]["chain"]),
        (&false.into(), &document["certificates"][0]["chain"])
    );
    let text = setup
        .sandbox
        .run(&["bundle", "example_com.zip", "--trust", "root.pem"])
        .expect(0);
    insta::assert_snapshot!(masked(&text.to_string()), @"
    found   example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate; trusted by root.pem
            example.com.fullchain.pem is up to date
    note    omitted: Test Root R1 (root: clients already have it)
            repaired when reading My_CA_Bundle.ca-bundle in example_com.zip: Windows line endings (CR LF)
            repaired when reading example_com.crt in example_com.zip: no line break at the end
    next    Install it, and verify that the server serves it:
                sudo certctl install example.com.fullchain.pem --trust root.pem
    --- exit 0
    ");
}

#[test]
fn out_option_selects_the_file_or_stdout() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("a.crt", &setup.leaf);
    sandbox.write("b.crt", setup.ca.bundle_pem());
    let run = |more: &[&str]| {
        sandbox.run(
            &[
                ["bundle", "b.crt", "a.crt", "--trust", "root.pem"].as_slice(),
                more,
            ]
            .concat(),
        )
    };
    let printed = run(&["--out", "-"]).expect(0);
    assert_eq!(
        (printed.stdout.as_str(), printed.stderr.as_str()),
        (setup.chain().as_str(), "")
    );
    assert!(!sandbox.join("example.com.fullchain.pem").exists());
    let error = run(&["--out", "-", "--json"]).expect(2).json();
    assert_eq!(error["error"]["kind"], "usage");
    let _ = run(&["--out", "sub.pem"]).expect(0);
    assert_eq!(sandbox.read("sub.pem"), setup.chain());
    let _ = run(&["--out", "missing/x.pem"]).expect(3);
    // Keys and paths that are not regular files are never overwritten.
    let key = sandbox.read("example.com.key");
    let refused = run(&["--out", "example.com.key"]).expect(3);
    assert!(
        refused
            .stderr
            .contains("contains a private key and was not overwritten"),
        "{refused}"
    );
    assert_eq!(sandbox.read("example.com.key"), key);
    std::fs::create_dir(sandbox.join("folder")).unwrap();
    let _ = run(&["--out", "folder"]).expect(3);
    let stdin = sandbox.run_with_input(
        &["bundle", "-", "--trust", "root.pem", "--out", "-"],
        setup.chain().as_bytes(),
    );
    assert_eq!(stdin.expect(0).stdout, setup.chain());
    // A wrong chain: stdout contains nothing that could be mistaken for a chain.
    let wrong = sandbox
        .run(&["bundle", "a.crt", "--trust", "root.pem", "--out", "-"])
        .expect(1);
    assert!(!wrong.stdout.contains("BEGIN"), "{wrong}");
}

#[test]
fn the_leaf_is_chosen_by_key_or_request() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let stranger = IssuedCertificate::new();
    let other_leaf = setup.ca.issue(&stranger.sandbox.read("example.com.csr"));
    sandbox.write(
        "all.pem",
        format!("{other_leaf}{}{}", setup.ca.bundle_pem(), setup.leaf),
    );
    sandbox.write("foreign.csr.txt", stranger.sandbox.read("example.com.csr"));
    let bundle = |more: &[&str]| {
        sandbox.run(
            &[
                ["bundle", "all.pem", "--trust", "root.pem"].as_slice(),
                more,
            ]
            .concat(),
        )
    };
    std::fs::remove_file(sandbox.join("foreign.csr.txt")).unwrap();
    let run = bundle(&[]).expect(0);
    assert_eq!(sandbox.read("example.com.fullchain.pem"), setup.chain());
    assert!(
        run.stdout
            .contains("omitted, because no key and no request matches: example.com"),
        "{run}"
    );
    // Without a key and a request, the choice is ambiguous.
    std::fs::create_dir(sandbox.join("empty")).unwrap();
    let ambiguous = bundle(&["-C", "empty", "--json"]).expect(3).json();
    assert_eq!(ambiguous["error"]["kind"], "ambiguous");
    assert_eq!(
        ambiguous["error"]["causes"].as_array().unwrap().len(),
        3,
        "{ambiguous}"
    );
    // A matching request is enough; the key may be on another machine.
    let _ = bundle(&["-C", "empty", "--csr", "example.com.csr"]).expect(0);
    assert_eq!(
        sandbox.read("empty/example.com.fullchain.pem"),
        setup.chain()
    );
    let _ = bundle(&["-C", "empty", "--key", "example.com.key", "--out", "k.pem"]).expect(0);
    assert_eq!(sandbox.read("k.pem"), setup.chain());
}

#[test]
fn newest_valid_certificate_of_a_key_is_used() {
    let setup = IssuedCertificate::new();
    let request = setup.sandbox.read("example.com.csr");
    let dated = |from, to| Leaf {
        not_before: days(today(), from),
        not_after: days(today(), to),
        ..Leaf::default()
    };
    let [expired, older, future] = [dated(-300, -100), dated(-50, 100), dated(20, 200)]
        .map(|leaf| setup.ca.issue_as(&request, leaf));
    let bag = format!(
        "{expired}{future}{older}{}{}",
        setup.leaf,
        setup.ca.intermediate_pem()
    );
    setup.sandbox.write("bag.pem", bag);
    let run = setup
        .sandbox
        .run(&["bundle", "bag.pem", "--trust", "root.pem"])
        .expect(0);
    assert_eq!(
        setup.sandbox.read("example.com.fullchain.pem"),
        setup.chain()
    );
    assert!(
        run.stdout
            .contains("omitted, because a newer certificate was found: example.com ("),
        "{run}"
    );
}

#[test]
fn certificates_for_another_request_are_refused() {
    let setup = IssuedCertificate::new();
    let stranger = IssuedCertificate::new();
    let other_leaf = setup.ca.issue(&stranger.sandbox.read("example.com.csr"));
    setup.sandbox.write(
        "new.zip",
        zip(&[
            ("a.crt", other_leaf),
            ("b.ca-bundle", setup.ca.bundle_pem()),
        ]),
    );
    let bundle = || {
        setup
            .sandbox
            .run(&["bundle", "new.zip", "--trust", "root.pem"])
    };
    let both = bundle().expect(1);
    assert!(
        both.stdout
            .contains("the private key does not match the certificate example.com"),
        "{both}"
    );
    assert!(both.stdout.contains("error   example.com.key: "), "{both}");
    std::fs::remove_file(setup.sandbox.join("example.com.key")).unwrap();
    let request = bundle().expect(1);
    assert!(
        request
            .stdout
            .contains("was not issued for the request example.com.csr"),
        "{request}"
    );
    // The key and the request of another site are not compared with this certificate.
    std::fs::remove_file(setup.sandbox.join("example.com.csr")).unwrap();
    setup.sandbox.run(&["csr", "example.org"]).expect(0);
    let unknown = bundle().expect(0);
    assert!(
        unknown
            .stdout
            .contains("no key and no request for example.com was found"),
        "{unknown}"
    );
}

#[test]
fn requested_names_that_were_not_issued_are_reported() {
    let setup = IssuedCertificate::new();
    let names = Some(vec!["example.com".to_owned()]);
    let leaf = setup.ca.issue_as(
        &setup.sandbox.read("example.com.csr"),
        Leaf {
            names,
            ..Leaf::default()
        },
    );
    setup
        .sandbox
        .write("x.pem", format!("{leaf}{}", setup.ca.intermediate_pem()));
    let run = setup
        .sandbox
        .run(&["bundle", "x.pem", "--trust", "root.pem"])
        .expect(0);
    assert!(
        run.stdout
            .contains("requested in example.com.csr, but not in the certificate: www.example.com"),
        "{run}"
    );
}

#[test]
fn keys_in_zips_are_found_and_encrypted_keys_are_reported() {
    let setup = IssuedCertificate::new();
    let key = setup.sandbox.read("example.com.key");
    let packed = zip(&[
        ("1_root_bundle.crt", setup.ca.bundle_pem()),
        ("2_example.com.crt", setup.leaf.clone()),
        ("3_example.com.key", key),
    ]);
    setup.sandbox.write("in/nginx.zip", packed);
    std::fs::create_dir(setup.sandbox.join("out")).unwrap();
    let run = setup
        .sandbox
        .run(&["bundle", "in/nginx.zip", "-C", "out", "--trust", "root.pem"])
        .expect(0);
    assert!(run.stdout.contains("matches in/nginx.zip"), "{run}");
    assert_eq!(
        setup.sandbox.read("out/example.com.fullchain.pem"),
        setup.chain()
    );
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAQwAAQA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    setup.sandbox.write("locked/site.key", locked);
    setup.sandbox.write("chain.pem", setup.chain());
    let run = setup
        .sandbox
        .run(&["bundle", "chain.pem", "-C", "locked", "--trust", "root.pem"])
        .expect(0);
    assert!(
        run.stdout
            .contains("locked/site.key is encrypted: without its password it cannot be compared"),
        "{run}"
    );
    let refused = setup
        .sandbox
        .run(&[
            "bundle",
            "chain.pem",
            "--key",
            "locked/site.key",
            "--trust",
            "root.pem",
        ])
        .expect(3);
    assert!(
        refused
            .stderr
            .contains("locked/site.key is an encrypted private key"),
        "{refused}"
    );
}

#[test]
fn extract_key_writes_the_key_that_came_with_the_certificate() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let key = sandbox.read("example.com.key");
    let packed = [
        ("example.com.pem", setup.chain()),
        ("example.com.key", key.clone()),
    ];
    sandbox.write("aliyun.zip", zip(&packed));
    std::fs::create_dir(sandbox.join("out")).unwrap();
    let run = |more: &[&str]| {
        sandbox.run(
            &[
                ["-C", "out", "bundle", "aliyun.zip", "--trust", "root.pem"].as_slice(),
                more,
            ]
            .concat(),
        )
    };
    let without = run(&[]).expect(0);
    assert!(
        without
            .stdout
            .contains("aliyun.zip also contains the private key"),
        "{without}"
    );
    assert!(!sandbox.join("out/example.com.key").exists());
    let wrote = run(&["--extract-key"]).expect(0);
    assert!(
        wrote.stdout.contains("wrote   out/example.com.key (0600)"),
        "{wrote}"
    );
    assert!(
        wrote
            .stdout
            .contains("install out/example.com.fullchain.pem --trust root.pem\n"),
        "{wrote}"
    );
    assert_eq!(sandbox.read("out/example.com.key"), key);
    let mode = std::fs::metadata(sandbox.join("out/example.com.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
    assert!(
        run(&["--extract-key"])
            .expect(0)
            .stdout
            .contains("out/example.com.key is up to date")
    );
    // An existing other key is never overwritten, and no other file is written.
    sandbox.write(
        "out/example.com.key",
        IssuedCertificate::new().sandbox.read("example.com.key"),
    );
    std::fs::remove_file(sandbox.join("out/example.com.fullchain.pem")).unwrap();
    let refused = run(&["--extract-key"]).expect(3);
    assert!(
        refused
            .stderr
            .contains("certctl never overwrites a private key"),
        "{refused}"
    );
    assert!(!sandbox.join("out/example.com.fullchain.pem").exists());
    sandbox.write("chain.pem", setup.chain());
    sandbox
        .run(&[
            "bundle",
            "chain.pem",
            "--trust",
            "root.pem",
            "--extract-key",
        ])
        .expect(3);
}

#[test]
fn every_site_gets_its_own_chain_file() {
    let setup = IssuedCertificate::new();
    setup
        .sandbox
        .run(&["csr", "example.org", "--key-type", "rsa-2048"])
        .expect(0);
    let other = TestCa::rsa();
    setup.sandbox.write(
        "roots.pem",
        format!("{}{}", setup.ca.root_pem(), other.root_pem()),
    );
    let org = other.issue(&setup.sandbox.read("example.org.csr"));
    setup.sandbox.write(
        "com.zip",
        zip(&[
            ("a.crt", setup.leaf.clone()),
            ("b.crt", setup.ca.bundle_pem()),
        ]),
    );
    setup.sandbox.write(
        "org.zip",
        zip(&[("a.crt", org.clone()), ("b.crt", other.bundle_pem())]),
    );
    let both = ["bundle", "com.zip", "org.zip", "--trust", "roots.pem"];
    let run = setup.sandbox.run(&both).expect(0);
    assert_eq!(
        setup.sandbox.read("example.com.fullchain.pem"),
        setup.chain()
    );
    assert_eq!(
        setup.sandbox.read("example.org.fullchain.pem"),
        format!("{org}{}", other.intermediate_pem())
    );
    assert!(!run.stdout.contains("not part of the chain"), "{run}");
    setup
        .sandbox
        .run(&[both.as_slice(), &["--out", "x.pem"]].concat())
        .expect(2);
}

#[test]
fn missing_intermediates_in_the_directory_are_suggested() {
    let setup = IssuedCertificate::new();
    setup.sandbox.write("a.crt", &setup.leaf);
    setup.sandbox.write("a.ca-bundle", setup.ca.bundle_pem());
    let run = setup
        .sandbox
        .run(&["bundle", "a.crt", "--trust", "root.pem"])
        .expect(1);
    assert!(
        run.stdout
            .contains("\n            certctl bundle --trust root.pem a.crt a.ca-bundle\n"),
        "{run}"
    );
    setup
        .sandbox
        .run(&["bundle", "a.crt", "a.ca-bundle", "--trust", "root.pem"])
        .expect(0);
}

#[test]
fn trust_files_must_contain_a_certificate() {
    let setup = IssuedCertificate::new();
    setup.sandbox.write("a.crt", setup.chain());
    for (trust, exit) in [
        ("example.com.csr", 3),
        ("missing.pem", 3),
        ("mozilla", 1),
        ("root.pem", 0),
    ] {
        setup
            .sandbox
            .run(&["bundle", "a.crt", "--trust", trust])
            .expect(exit);
    }
}

#[test]
fn no_private_key_is_overwritten_in_any_form() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("chain.pem", setup.chain());
    let key = rcgen::KeyPair::generate().unwrap().serialize_der();
    // SEQUENCE { SEQUENCE {}, OCTET STRING 0x00 }: the outline of an encrypted key.
    let locked = [0x30, 0x05, 0x30, 0x00, 0x04, 0x01, 0x00].to_vec();
    let pfx = [0x30, 0x05, 0x02, 0x01, 0x03, 0x30, 0x00].to_vec();
    for (name, bytes) in [("key.der", key), ("locked.der", locked), ("x.pfx", pfx)] {
        sandbox.write(name, &bytes);
        sandbox
            .run(&["bundle", "chain.pem", "--trust", "root.pem", "--out", name])
            .expect(3);
        assert_eq!(std::fs::read(sandbox.join(name)).unwrap(), bytes);
    }
}

#[test]
fn next_steps_repeat_the_given_options() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("chain.pem", setup.chain());
    sandbox.write("keys/my.key", sandbox.read("example.com.key"));
    std::fs::create_dir(sandbox.join("out")).unwrap();
    let args = [
        "-C",
        "out",
        "bundle",
        "chain.pem",
        "--key",
        "keys/my.key",
        "--trust",
        "root.pem",
        "--json",
    ];
    let document = sandbox.run(&args).expect(0).json();
    let expected = "sudo certctl -C out install out/example.com.fullchain.pem --trust root.pem --key keys/my.key";
    assert_eq!(document["next"][0]["command"], expected);
    assert_eq!(sandbox.read("out/example.com.fullchain.pem"), setup.chain());
}

#[test]
fn folders_are_read_as_their_files() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("mail/example_com.crt", &setup.leaf);
    sandbox.write(
        "mail/ca.zip",
        zip(&[("My.ca-bundle", setup.ca.bundle_pem())]),
    );
    sandbox.write("mail/old.crt~", "-----BEGIN");
    sandbox.write("mail/below/other.pem", "hello");
    sandbox
        .run(&["bundle", "mail", "--trust", "root.pem"])
        .expect(0);
    assert_eq!(sandbox.read("example.com.fullchain.pem"), setup.chain());
    let run = sandbox.run(&["verify", "mail", "--json"]).expect(3);
    assert_eq!(run.json()["error"]["kind"], "malformed", "{run}");
    let shown = sandbox.run(&["inspect", "mail", "--json"]).expect(0).json();
    assert_eq!(shown["items"].as_array().unwrap().len(), 3, "{shown}");
}

#[test]
fn named_pipes_are_read_and_endless_devices_are_refused() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("chain.pem", setup.chain());
    let mut command = std::process::Command::new("bash");
    let script = format!(
        "{} bundle <(cat chain.pem) --trust <(cat root.pem)",
        program()
    );
    command
        .args(["-c", &script])
        .current_dir(sandbox.path())
        .stdin(std::process::Stdio::null());
    sandbox.run_command(command).expect(0);
    assert_eq!(sandbox.read("example.com.fullchain.pem"), setup.chain());
    let device = sandbox.run(&["inspect", "/dev/zero", "--json"]).expect(3);
    assert_eq!(device.json()["error"]["kind"], "malformed");
    sandbox.write("large.pem", vec![b'a'; 17 * 1024 * 1024]);
    let large = sandbox.run(&["bundle", "large.pem", "--json"]).expect(3);
    assert_eq!(large.json()["error"]["kind"], "hostile");
}

#[test]
fn requested_hosts_must_be_covered() {
    let setup = IssuedCertificate::new();
    setup.sandbox.write("sent.pem", setup.chain());
    let bundle = [
        "bundle",
        "sent.pem",
        "--trust",
        "root.pem",
        "--json",
        "--host",
        "WWW.example.com",
    ];
    let refused = setup
        .sandbox
        .run(&[bundle.as_slice(), &["--host", "shop.example.com"]].concat())
        .expect(1)
        .json();
    assert_eq!(
        refused["findings"][0]["code"], "host-not-covered",
        "{refused}"
    );
    assert!(
        refused["findings"][0]["message"]
            .as_str()
            .unwrap()
            .contains("does not cover shop.example.com"),
        "{refused}"
    );
    assert!(!setup.sandbox.join("example.com.fullchain.pem").exists());
    setup
        .sandbox
        .run(&["bundle", "sent.pem", "--host", "no host"])
        .expect(2);
    setup.sandbox.run(&bundle).expect(0);
    assert_eq!(
        setup.sandbox.read("example.com.fullchain.pem"),
        setup.chain()
    );
}
