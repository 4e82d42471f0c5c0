//! `certctl verify`: every mistake has its own message; a file is checked as a server would send
//! it.
//! Needs: python3
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::fmt::Write;

use support::ca::{Leaf, days, midnight, today};
use support::issued_certificate::IssuedCertificate;
use support::mask::masked;
use support::zip::zip;

/// Returns a sandbox whose directory contains every mistake that people make with good files.
fn mistakes() -> IssuedCertificate {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let request = sandbox.read("example.com.csr");
    sandbox
        .run(&["csr", "rsa.example.com", "--key-type", "rsa-2048"])
        .expect(0);
    sandbox.run(&["csr", "example.org"]).expect(0);
    let intermediate = setup.ca.intermediate_pem();
    let with_chain = |leaf: String| format!("{leaf}{intermediate}");
    let dated = |from, to| Leaf {
        not_before: days(today(), from),
        not_after: days(today(), to),
        ..Leaf::default()
    };
    let rsa = setup.ca.issue(&sandbox.read("rsa.example.com.csr"));
    for (name, content) in [
        ("good.pem", setup.chain()),
        ("leaf-only.pem", setup.leaf.clone()),
        ("reversed.pem", format!("{intermediate}{}", setup.leaf)),
        (
            "glued.pem",
            format!("{}{intermediate}", setup.leaf.trim_end()),
        ),
        (
            "expired.pem",
            with_chain(setup.ca.issue_as(&request, dated(-54, -10))),
        ),
        (
            "future.pem",
            with_chain(setup.ca.issue_as(&request, dated(10, 54))),
        ),
        ("rsa.pem", with_chain(rsa)),
        (
            "page.crt",
            "<!DOCTYPE html><html><body>Please log in</body></html>".to_owned(),
        ),
    ] {
        sandbox.write(name, content);
    }
    setup
}

/// Runs the commands and returns their outputs, each under its command line.
fn page(setup: &IssuedCertificate, commands: &[&[&str]]) -> String {
    let mut page = String::new();
    for command in commands {
        let run = setup
            .sandbox
            .run(&[command, ["--trust", "root.pem"].as_slice()].concat());
        writeln!(page, "$ certctl {}\n{run}\n", command.join(" ")).unwrap();
    }
    masked(&page)
}

#[test]
fn every_mistake_has_its_own_message() {
    let setup = mistakes();
    let before = setup.listing();
    let page = page(
        &setup,
        &[
            &["verify", "good.pem"],
            &["verify", "good.pem", "--key", "example.org.key"],
            &["verify", "leaf-only.pem"],
            &["verify", "reversed.pem"],
            &["verify", "glued.pem"],
            &["verify", "expired.pem"],
            &["verify", "future.pem"],
            &["verify", "good.pem", "--host", "www.example.org"],
            &["verify", "rsa.pem", "--key", "example.com.key"],
            &["verify", "page.crt"],
            &["verify", "example.com.csr"],
        ],
    );
    assert_eq!(setup.listing(), before);
    insta::assert_snapshot!(page, @r#"
    $ certctl verify good.pem
    done    good.pem: example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate; trusted by root.pem
    --- exit 0

    $ certctl verify good.pem --key example.org.key
    found   good.pem: example.com, www.example.com, expires [DATE]; 1 intermediate
    error   example.org.key: the private key does not match the certificate example.com: the key is [KEY], the certificate contains [KEY]; servers report "key values mismatch"
    next    Pass the key that was created with this request, for example `--key example.com.key`; if it is lost, have the certificate reissued for a new request.
    warning the matching key was found in example.com.key
    next    Repeat the command with `--key example.com.key`:
                certctl verify good.pem --trust root.pem --key example.com.key
    --- exit 1

    $ certctl verify leaf-only.pem
    found   leaf-only.pem: example.com, www.example.com, expires [DATE]; matches example.com.key; no intermediate
    error   an intermediate certificate is missing: example.com was issued by CN=Test DV CA R2,O=certctl tests, which was not found; servers start without it, but curl and phones report "unable to get local issuer certificate"
    next    Add the CA's bundle (.ca-bundle) from its mail, or download it from the CA's website.
    warning the missing intermediate was found in expired.pem
    next    Write the chain with this intermediate:
                certctl bundle --trust root.pem leaf-only.pem expired.pem
    --- exit 1

    $ certctl verify reversed.pem
    found   reversed.pem: example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate
    error   the first certificate in reversed.pem is Test DV CA R2, but the server certificate example.com is number 2; servers use the first one and report "key values mismatch"
    next    Write a correct chain file:
                certctl bundle --trust root.pem reversed.pem
    --- exit 1

    $ certctl verify glued.pem
    found   glued.pem: example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate
    error   glued.pem line 12: "-----END CERTIFICATE----------BEGIN CERTIFICATE-----" on one line: the first of the joined files had no final line break; servers report "bad end line"
    next    Write a correct chain file:
                certctl bundle --trust root.pem glued.pem
    --- exit 1

    $ certctl verify expired.pem
    found   expired.pem: example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate
    error   the certificate example.com expired on [DATE]
    next    Prepare the request for the next certificate:
                certctl csr example.com www.example.com
    --- exit 1

    $ certctl verify future.pem
    found   future.pem: example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate
    error   the certificate example.com is not valid before [DATE]; the time is [DATE]
    next    Wait until then, or correct the clock of this machine if `date -u` is wrong.
    --- exit 1

    $ certctl verify good.pem --host www.example.org
    found   good.pem: example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate
    error   the certificate does not cover www.example.org; it covers example.com, www.example.com
    next    Order a certificate that also covers www.example.org, or omit that name.
    --- exit 1

    $ certctl verify rsa.pem --key example.com.key
    found   rsa.pem: rsa.example.com, expires [DATE]; 1 intermediate
    error   example.com.key: the private key (ecdsa-p256) does not match the certificate rsa.example.com, whose key is rsa-2048; `nginx -t` accepts them, but every handshake fails
    next    Pass the key that was created with this request, for example `--key example.com.key` (`certctl inspect example.com.key` shows the type of a key); if it is lost, have the certificate reissued for a new request.
    warning the matching key was found in rsa.example.com.key
    next    Repeat the command with `--key rsa.example.com.key`:
                certctl verify rsa.pem --trust root.pem --key rsa.example.com.key
    --- exit 1

    $ certctl verify page.crt
    --- stderr
    error   page.crt is an HTML page, not a certificate
    next    Log in at the CA or reseller and download the file again: the browser saved a page, such as a login form, in its place.
    --- exit 3

    $ certctl verify example.com.csr
    --- stderr
    error   example.com.csr is a certificate request (CSR), not a certificate
            cause: a request is sent to the CA; the CA answers with a certificate
    next    Pass the zip or the .crt file that the CA sent by mail or offers for download.
    --- exit 3
    "#);
}

#[test]
fn bundle_repairs_what_it_can_and_refuses_the_rest() {
    let setup = mistakes();
    let before = setup.listing();
    let page = page(
        &setup,
        &[
            &["bundle", "good.pem", "--key", "example.org.key"],
            &["bundle", "leaf-only.pem"],
            &["bundle", "expired.pem"],
            &["bundle", "future.pem"],
            &["bundle", "rsa.pem", "--key", "example.com.key"],
            &["bundle", "page.crt"],
            &["bundle", "example.com.csr"],
        ],
    );
    assert_eq!(
        setup.listing(),
        before,
        "bundle writes nothing unless everything is right"
    );
    insta::assert_snapshot!(page, @r#"
    $ certctl bundle good.pem --key example.org.key
    found   example.com, www.example.com, expires [DATE]; matches example.com.csr; 1 intermediate
    error   the private key does not match the certificate example.com: the key is [KEY], the certificate contains [KEY]; servers report "key values mismatch"
    next    Pass the key that was created with this request, for example `--key example.com.key`; if it is lost, have the certificate reissued for a new request.
    warning the matching key was found in example.com.key
    next    Repeat the command with `--key example.com.key`:
                certctl bundle good.pem --trust root.pem --key example.com.key
    done    no file was written
    --- exit 1

    $ certctl bundle leaf-only.pem
    found   example.com, www.example.com, expires [DATE]; matches example.com.key; no intermediate
    error   an intermediate certificate is missing: example.com was issued by CN=Test DV CA R2,O=certctl tests, which was not found; servers start without it, but curl and phones report "unable to get local issuer certificate"
    next    Add the CA's bundle (.ca-bundle) from its mail, or download it from the CA's website.
    warning the missing intermediate was found in expired.pem
    next    Write the chain with this intermediate:
                certctl bundle --trust root.pem leaf-only.pem expired.pem
    done    no file was written
    --- exit 1

    $ certctl bundle expired.pem
    found   example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate
    error   the certificate example.com expired on [DATE]
    next    Request a new certificate from the CA, for example with `certctl csr example.com www.example.com`.
    done    no file was written
    --- exit 1

    $ certctl bundle future.pem
    found   example.com, www.example.com, expires [DATE]; matches example.com.key; 1 intermediate
    error   the certificate example.com is not valid before [DATE]; the time is [DATE]
    next    Wait until then, or correct the clock of this machine if `date -u` is wrong.
    done    no file was written
    --- exit 1

    $ certctl bundle rsa.pem --key example.com.key
    found   rsa.example.com, expires [DATE]; matches rsa.example.com.csr; 1 intermediate
    error   the private key (ecdsa-p256) does not match the certificate rsa.example.com, whose key is rsa-2048; `nginx -t` accepts them, but every handshake fails
    next    Pass the key that was created with this request, for example `--key example.com.key` (`certctl inspect example.com.key` shows the type of a key); if it is lost, have the certificate reissued for a new request.
    warning the matching key was found in rsa.example.com.key
    next    Repeat the command with `--key rsa.example.com.key`:
                certctl bundle rsa.pem --trust root.pem --key rsa.example.com.key
    done    no file was written
    --- exit 1

    $ certctl bundle page.crt
    --- stderr
    error   page.crt is an HTML page, not a certificate
    next    Log in at the CA or reseller and download the file again: the browser saved a page, such as a login form, in its place.
    --- exit 3

    $ certctl bundle example.com.csr
    --- stderr
    error   example.com.csr is a certificate request (CSR), not a certificate
            cause: a request is sent to the CA; the CA answers with a certificate
    next    Pass the zip or the .crt file that the CA sent by mail or offers for download.
    --- exit 3
    "#);
    for repaired in ["reversed.pem", "glued.pem"] {
        setup
            .sandbox
            .run(&["bundle", repaired, "--trust", "root.pem"])
            .expect(0);
        assert_eq!(
            setup.sandbox.read("example.com.fullchain.pem"),
            setup.chain(),
            "{repaired}"
        );
        std::fs::remove_file(setup.sandbox.join("example.com.fullchain.pem")).unwrap();
    }
}

#[test]
fn json_document_is_complete() {
    let setup = mistakes();
    let args = [
        "verify",
        "good.pem",
        "--host",
        "example.com",
        "--host",
        "BÜCHER.example",
        "--trust",
        "root.pem",
        "--json",
    ];
    let document = setup.sandbox.run(&args).expect(1).json();
    insta::assert_snapshot!(masked(&format!("{:#}", document)), @r#"
    {
      "schema": "certctl.verify/1",
      "comment": "the certificate does not cover xn--bcher-kva.example; it covers example.com, www.example.com",
      "verdict": "wrong",
      "changed": false,
      "certificates": [
        {
          "file": "good.pem",
          "verdict": "wrong",
          "key_path": "example.com.key",
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
          "findings": [
            {
              "code": "host-not-covered",
              "severity": "error",
              "message": "the certificate does not cover xn--bcher-kva.example; it covers example.com, www.example.com",
              "next": [
                {
                  "text": "Order a certificate that also covers xn--bcher-kva.example, or omit that name",
                  "needs_root": false,
                  "when": "later"
                }
              ]
            }
          ]
        }
      ],
      "trust": "root.pem",
      "hosts": [
        "example.com",
        "xn--bcher-kva.example"
      ],
      "findings": [
        {
          "code": "host-not-covered",
          "severity": "error",
          "message": "the certificate does not cover xn--bcher-kva.example; it covers example.com, www.example.com",
          "next": [
            {
              "text": "Order a certificate that also covers xn--bcher-kva.example, or omit that name",
              "needs_root": false,
              "when": "later"
            }
          ]
        }
      ],
      "next": []
    }
    "#);
}

#[test]
fn layouts_that_servers_cannot_read_are_reported() {
    let setup = mistakes();
    let (leaf, lower, root) = (
        setup.leaf.clone(),
        setup.ca.intermediate_pem(),
        setup.ca.root_pem(),
    );
    let rsa = setup.sandbox.read("rsa.pem").replace(&lower, "");
    let long = |first: &str, second: &str| format!("{leaf}{first}{second}");
    for (content, code, exit) in [
        (long(&lower, &root).into_bytes(), "root-included", 0),
        (long(&leaf, &lower).into_bytes(), "duplicate", 0),
        (long(&lower, &lower).into_bytes(), "duplicate", 0),
        (long(&lower, &rsa).into_bytes(), "unrelated", 0),
        (
            setup.chain().replace('\n', "\n\n").into_bytes(),
            "blank-lines",
            1,
        ),
        (
            setup.chain().replace('\n', "\r").into_bytes(),
            "cr-alone",
            1,
        ),
        (
            long(
                &lower,
                "-----BEGIN CERTIFICATE-----\nM*\n-----END CERTIFICATE-----\n",
            )
            .into_bytes(),
            "damaged-block",
            1,
        ),
        (
            zip(&[("leaf.crt", &leaf), ("x.ca-bundle", &lower)]),
            "still-archived",
            1,
        ),
        (setup.chain().replace('\n', "\r\n").into_bytes(), "", 0),
    ] {
        setup.sandbox.write("served.pem", content);
        let document = setup
            .sandbox
            .run(&["verify", "served.pem", "--trust", "root.pem", "--json"])
            .expect(exit)
            .json();
        let codes: Vec<&str> = document["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["code"].as_str().unwrap())
            .collect();
        assert_eq!(
            codes,
            Vec::from_iter((!code.is_empty()).then_some(code)),
            "{document}"
        );
        assert_eq!(
            document["verdict"],
            if exit == 0 { "right" } else { "wrong" }
        );
    }
}

#[test]
fn intermediates_out_of_order_are_a_warning() {
    use support::ca::subordinate;
    let setup = IssuedCertificate::new();
    let lower = subordinate(
        &setup.ca.intermediate,
        "Test DV CA R3",
        &rcgen::PKCS_ECDSA_P256_SHA256,
    );
    let leaf = support::ca::TestCa {
        root: support::ca::TestCa::new().root,
        intermediate: lower,
    };
    let issued = leaf.issue(&setup.sandbox.read("example.com.csr"));
    let (upper, lower) = (setup.ca.intermediate_pem(), leaf.intermediate_pem());
    setup
        .sandbox
        .write("order.pem", format!("{issued}{upper}{lower}"));
    let run = setup
        .sandbox
        .run(&["verify", "order.pem", "--trust", "root.pem"])
        .expect(0);
    assert!(
        run.stdout
            .contains("the intermediates in order.pem are out of order"),
        "{run}"
    );
    setup
        .sandbox
        .write("order.pem", format!("{issued}{lower}{upper}"));
    let run = setup
        .sandbox
        .run(&["verify", "order.pem", "--trust", "root.pem"])
        .expect(0);
    assert!(!run.stdout.contains("out of order"), "{run}");
}

#[test]
fn file_types_are_detected_and_passed_keys_must_match() {
    let setup = mistakes();
    let run = |args: &[&str]| {
        setup
            .sandbox
            .run(&[args, &["--trust", "root.pem"]].concat())
    };
    run(&["verify", "good.pem", "example.com.key"]).expect(0);
    run(&["verify", "example.com.key", "good.pem"]).expect(0);
    run(&["verify", "leaf-only.pem", "root.pem"]).expect(1);
    setup.sandbox.write("x.ca-bundle", setup.ca.bundle_pem());
    run(&["verify", "leaf-only.pem", "x.ca-bundle"]).expect(0);
    run(&["verify", "x.ca-bundle", "leaf-only.pem"]).expect(0);
    run(&["verify", "leaf-only.pem", "--chain", "x.ca-bundle"]).expect(0);
    // The directory contains the right key, which must not hide that the passed key is wrong.
    let wrong = run(&["verify", "good.pem", "example.org.key"]).expect(1);
    assert!(
        wrong
            .stdout
            .contains("the private key does not match the certificate example.com"),
        "{wrong}"
    );
    // A passed request must match too, and files that cannot be compared do not count as matching.
    run(&["verify", "good.pem", "example.com.csr"]).expect(0);
    let other = run(&["verify", "good.pem", "example.com.key", "example.org.csr"]).expect(1);
    assert!(
        other
            .stdout
            .contains("was not issued for the request example.org.csr"),
        "{other}"
    );
    setup.sandbox.write(
        "locked.key",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAQwAAQA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let locked = run(&["verify", "good.pem", "locked.key"]).expect(3);
    assert!(
        locked
            .stderr
            .contains("locked.key is an encrypted private key"),
        "{locked}"
    );
    run(&["verify", "good.pem", "page.crt"]).expect(3);
    setup.sandbox.write(
        "combined.pem",
        format!("{}{}", setup.chain(), setup.sandbox.read("example.com.key")),
    );
    run(&["verify", "combined.pem"]).expect(0);
    let stdin = setup.sandbox.run_with_input(
        &["verify", "-", "--trust", "root.pem"],
        setup.chain().as_bytes(),
    );
    assert!(
        stdin
            .expect(0)
            .stdout
            .starts_with("done    stdin: example.com")
    );
}

#[test]
fn chain_option_takes_the_leaf_first_and_then_any_order() {
    let setup = mistakes();
    let bag = |first: &str, second: &str, third: &str| {
        setup
            .sandbox
            .write("bag.pem", format!("{first}{second}{third}"));
        setup
            .sandbox
            .run(&["verify", "--chain", "bag.pem", "--trust", "root.pem"])
    };
    let (leaf, lower, root) = (
        &setup.leaf,
        setup.ca.intermediate_pem(),
        setup.ca.root_pem(),
    );
    let _ = bag(leaf, &root, &lower).expect(0);
    let run = bag(&lower, leaf, &root).expect(1);
    assert!(run.stdout.contains("is a CA certificate"), "{run}");
}

#[test]
fn without_arguments_certificates_of_the_directory_are_verified() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let verify =
        |more: &[&str]| sandbox.run(&[["verify", "--trust", "root.pem"].as_slice(), more].concat());
    std::fs::remove_file(sandbox.join("root.pem")).unwrap();
    sandbox.write("ca/root.pem", setup.ca.root_pem());
    let verify_here = |more: &[&str]| {
        sandbox.run(&[["verify", "--trust", "ca/root.pem"].as_slice(), more].concat())
    };
    let nothing = verify_here(&[]).expect(3);
    assert!(
        nothing
            .stderr
            .contains("no server certificate in this folder"),
        "{nothing}"
    );
    sandbox.write("your_site.crt", &setup.leaf);
    let alone = verify_here(&[]).expect(1);
    assert!(
        alone
            .stdout
            .contains("your_site.crt: example.com, www.example.com"),
        "{alone}"
    );
    sandbox.write("z.pem", setup.chain());
    let chain = verify_here(&[]).expect(0);
    assert!(
        chain.stdout.starts_with("done    z.pem: example.com"),
        "{chain}"
    );
    let named = verify_here(&["www.example.com"]).expect(0);
    assert_eq!(named.stdout, chain.stdout);
    let unknown = verify_here(&["example.net"]).expect(3);
    assert!(
        unknown
            .stderr
            .contains("known names: example.com, www.example.com"),
        "{unknown}"
    );
    verify(&[]).expect(3);
    verify_here(&["./example.com"]).expect(3);
    verify_here(&["missing.crt"]).expect(3);
}

#[test]
fn newest_renewal_is_used() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("example.com.fullchain.pem", setup.chain());
    let other = IssuedCertificate::new();
    for name in ["key", "csr"] {
        sandbox.write_key(
            &format!("example.com-2.{name}"),
            other.sandbox.read(&format!("example.com.{name}")),
        );
    }
    let dated = Leaf {
        not_before: today(),
        ..Leaf::default()
    };
    let second = setup.ca.issue_as(&sandbox.read("example.com-2.csr"), dated);
    sandbox.write("second.crt", &second);
    sandbox.write("i.crt", setup.ca.intermediate_pem());
    let bundle = sandbox
        .run(&["bundle", "second.crt", "i.crt", "--trust", "root.pem"])
        .expect(0);
    assert!(
        bundle
            .stdout
            .contains("wrote   example.com-2.fullchain.pem"),
        "{bundle}"
    );
    let verify = sandbox.run(&["verify", "--trust", "root.pem"]).expect(0);
    assert!(
        verify
            .stdout
            .starts_with("done    example.com-2.fullchain.pem"),
        "{verify}"
    );
    assert_eq!(verify.stdout.lines().count(), 1, "{verify}");
}

/// Returns a request for `name` whose key is in another directory.
fn request_elsewhere(setup: &IssuedCertificate, name: &str) -> String {
    setup.sandbox.write("elsewhere/x", "");
    setup
        .sandbox
        .run(&["-C", "elsewhere", "csr", name, "--force"])
        .expect(0);
    setup.sandbox.read(&format!("elsewhere/{name}.csr"))
}

#[test]
fn without_arguments_no_certificate_is_skipped() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("example.com.fullchain.pem", setup.chain());
    sandbox.run(&["verify", "--trust", "root.pem"]).expect(0);
    let chain = |name: &str| {
        setup.ca.issue(&request_elsewhere(&setup, name)) + &setup.ca.intermediate_pem()
    };
    sandbox.write("b.example.fullchain.pem", chain("b.example"));
    // A key without a known request or certificate is expected to match the certificate.
    sandbox.run(&["csr", "c.example"]).expect(0);
    std::fs::rename(sandbox.join("c.example.key"), sandbox.join("b.example.key")).unwrap();
    std::fs::remove_file(sandbox.join("c.example.csr")).unwrap();
    let run = sandbox.run(&["verify", "--trust", "root.pem"]).expect(1);
    assert!(
        run.stdout.contains("done    example.com.fullchain.pem"),
        "{run}"
    );
    assert!(
        run.stdout.contains("found   b.example.fullchain.pem")
            && run.stdout.contains("error   b.example.key"),
        "{run}"
    );
}

#[test]
fn a_newer_certificate_without_its_key_is_not_hidden_by_an_older_one() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let old = Leaf {
        not_before: days(today(), -30),
        not_after: days(today(), 14),
        ..Leaf::default()
    };
    let old = setup.ca.issue_as(&sandbox.read("example.com.csr"), old);
    sandbox.write("old.fullchain.pem", old + &setup.ca.intermediate_pem());
    let names = Some(vec!["example.com".to_owned(), "www.example.com".to_owned()]);
    let new = Leaf {
        names,
        ..Leaf::default()
    };
    let new = setup
        .ca
        .issue_as(&request_elsewhere(&setup, "example.com"), new);
    sandbox.write("new.fullchain.pem", new + &setup.ca.intermediate_pem());
    for args in [&["verify", "example.com"][..], &["verify"]] {
        let run = sandbox
            .run(&[args, &["--trust", "root.pem"]].concat())
            .expect(1);
        assert!(run.stdout.contains("done    old.fullchain.pem"), "{run}");
        assert!(
            run.stdout.contains("found   new.fullchain.pem") && run.stdout.contains("error   "),
            "{run}"
        );
    }
}

#[test]
fn names_are_verified_with_the_file_that_servers_use() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let pile = format!(
        "{}{}{}",
        setup.ca.root_pem(),
        setup.ca.intermediate_pem(),
        setup.leaf
    );
    sandbox.write("pile.pem", pile);
    sandbox.write("example.com.crt", &setup.leaf);
    sandbox
        .run(&["verify", "example.com", "--trust", "root.pem"])
        .expect(1);
    sandbox.write("chain.pem", setup.chain());
    let run = sandbox
        .run(&["verify", "example.com", "--trust", "root.pem"])
        .expect(0);
    assert!(run.stdout.starts_with("done    chain.pem"), "{run}");
    sandbox.write("example.com.fullchain.pem", &setup.leaf);
    let run = sandbox
        .run(&["verify", "example.com", "--trust", "root.pem"])
        .expect(1);
    assert!(
        run.stdout.starts_with("found   example.com.fullchain.pem"),
        "{run}"
    );
}

#[test]
fn next_steps_are_complete_commands() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    std::fs::create_dir(sandbox.join("here")).unwrap();
    sandbox.write("leaf.pem", &setup.leaf);
    sandbox.write("ca.pem", setup.ca.bundle_pem());
    let next = |args: &[&str]| {
        let document = sandbox
            .run_with_input(args, setup.leaf.as_bytes())
            .expect(1)
            .json();
        let findings = document["findings"].as_array().unwrap().iter();
        findings
            .flat_map(|one| one["next"].as_array().unwrap())
            .flat_map(|next| [next.get("text"), next.get("command")])
            .filter_map(|text| text?.as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let reversed = setup.ca.intermediate_pem() + &setup.leaf;
    sandbox.write("reversed.pem", reversed);
    let steps = next(&[
        "-C",
        "here",
        "verify",
        "reversed.pem",
        "example.com.key",
        "--trust",
        "root.pem",
        "--json",
    ]);
    assert!(
        steps.contains(
            &"certctl -C here bundle --trust root.pem reversed.pem example.com.key".to_owned()
        ),
        "{steps:?}"
    );
    let steps = next(&["verify", "-", "--trust", "root.pem", "--json"]);
    assert!(
        steps.contains(&"certctl bundle --trust root.pem - ca.pem".to_owned()),
        "{steps:?}"
    );
    // A root that signed the leaf directly is not reported as an intermediate.
    let request =
        rcgen::CertificateSigningRequestParams::from_pem(&sandbox.read("example.com.csr")).unwrap();
    sandbox.write(
        "direct.pem",
        request.signed_by(&setup.ca.root).unwrap().pem(),
    );
    std::fs::remove_file(sandbox.join("ca.pem")).unwrap();
    let steps = next(&["verify", "direct.pem", "--json"]);
    assert!(
        steps
            .iter()
            .any(|step| step.ends_with("`--trust root.pem`")),
        "{steps:?}"
    );
    assert!(
        !steps.iter().any(|step| step.contains("bundle")),
        "{steps:?}"
    );
    let run = sandbox.run(&["verify", "direct.pem"]).expect(1);
    assert!(
        !run.stdout.contains("intermediate certificate is missing"),
        "{run}"
    );
}

#[test]
fn roots_without_ca_extensions_are_not_server_certificates() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let mut params = support::ca::ca_params("Old Root");
    params.is_ca = rcgen::IsCa::NoCa;
    params.key_usages.clear();
    let root = params
        .self_signed(&rcgen::KeyPair::generate().unwrap())
        .unwrap()
        .pem();
    sandbox.write("all.pem", root + &setup.chain());
    sandbox
        .run(&["bundle", "all.pem", "--trust", "root.pem"])
        .expect(0);
    assert_eq!(sandbox.read("example.com.fullchain.pem"), setup.chain());
    std::fs::remove_file(sandbox.join("example.com.csr")).unwrap();
    std::fs::remove_file(sandbox.join("example.com.key")).unwrap();
    sandbox
        .run(&["bundle", "all.pem", "--trust", "root.pem", "--out", "x.pem"])
        .expect(0);
}

#[test]
fn key_option_selects_the_matching_key_of_a_file() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("chain.pem", setup.chain());
    sandbox.run(&["csr", "example.org"]).expect(0);
    sandbox.write(
        "both.key",
        sandbox.read("example.org.key") + &sandbox.read("example.com.key"),
    );
    sandbox
        .run(&[
            "verify",
            "chain.pem",
            "--key",
            "both.key",
            "--trust",
            "root.pem",
        ])
        .expect(0);
    sandbox.write("old.key", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMAA=\n-----END RSA PRIVATE KEY-----\n");
    let run = sandbox
        .run(&[
            "verify",
            "chain.pem",
            "--key",
            "old.key",
            "--trust",
            "root.pem",
        ])
        .expect(3);
    assert!(
        run.stderr
            .contains("openssl pkey -in old.key -out old.plain.key"),
        "{run}"
    );
}

#[test]
fn missing_keys_of_matching_requests_are_reported() {
    let setup = IssuedCertificate::new();
    setup.sandbox.write("chain.pem", setup.chain());
    std::fs::remove_file(setup.sandbox.join("example.com.key")).unwrap();
    let run = setup
        .sandbox
        .run(&["verify", "chain.pem", "--trust", "root.pem"])
        .expect(0);
    assert!(
        run.stdout.contains(
            "warning example.com.csr matches example.com, but its private key was not found"
        ),
        "{run}"
    );
}

/// Reads a certificate file as nginx does (SSL_CTX_use_certificate_chain_file).
fn python_loads(sandbox: &support::Sandbox, file: &str) -> bool {
    let script =
        format!("import ssl; ssl.SSLContext().load_cert_chain('{file}', 'example.com.key')");
    let mut python = support::external::external_program("python3");
    let output = python.args(["-c", &script]).current_dir(sandbox.path());
    output.output().unwrap().status.success()
}

#[test]
fn bytes_after_a_certificate_are_judged_as_servers_load_them() {
    use base64::Engine;
    let engine = base64::engine::general_purpose::STANDARD;
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let body: String = setup
        .leaf
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let der = engine.decode(body).unwrap();
    for (extra, code) in [
        (&[][..], 0),
        (&[0][..], 1),
        (&[0x30, 0][..], 0),
        (&[4, 1, 9][..], 1),
        (&der[..], 1),
    ] {
        let text = engine.encode([&der[..], extra].concat());
        let lines: Vec<&str> = (0..text.len())
            .step_by(64)
            .map(|start| &text[start..text.len().min(start + 64)])
            .collect();
        let lines = lines.join("\n");
        let block = format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n");
        sandbox.write("chain.pem", block + &setup.ca.intermediate_pem());
        let args = [
            "verify",
            "chain.pem",
            "example.com.key",
            "--trust",
            "root.pem",
        ];
        let verified = sandbox.run(&args).expect(code);
        assert_eq!(python_loads(sandbox, "chain.pem"), code == 0, "{verified}");
        if code == 1 {
            assert!(
                verified
                    .stdout
                    .contains("further bytes after the certificate"),
                "{verified}"
            );
            let bundle = "bundle chain.pem --trust root.pem --out repaired.pem";
            let _ = std::fs::remove_file(sandbox.join("repaired.pem"));
            let args: Vec<&str> = bundle.split(' ').collect();
            let bundled = sandbox.run(&args).expect(0);
            assert!(
                bundled
                    .stdout
                    .contains("further bytes after the certificate"),
                "{bundled}"
            );
            assert!(python_loads(sandbox, "repaired.pem"));
        }
    }
}

#[test]
fn strict_verification_needs_no_key() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("elsewhere/chain.pem", setup.chain());
    sandbox.write("elsewhere/root.pem", setup.ca.root_pem());
    let verify = [
        "-C",
        "elsewhere",
        "verify",
        "elsewhere/chain.pem",
        "--trust",
    ];
    let strict = [&verify[..], &["elsewhere/root.pem", "--strict"]].concat();
    let run = sandbox.run(&strict).expect(0);
    assert!(
        run.stdout
            .contains("note    no key and no request for example.com was found"),
        "{run}"
    );
    let for_signing = Leaf {
        change: |params| params.key_usages.push(rcgen::KeyUsagePurpose::KeyCertSign),
        ..Leaf::default()
    };
    let leaf = setup
        .ca
        .issue_as(&sandbox.read("example.com.csr"), for_signing);
    let chain = format!("{leaf}{}", setup.ca.intermediate_pem());
    sandbox.write("elsewhere/chain.pem", chain);
    sandbox.run(&strict[..strict.len() - 1]).expect(0);
    let refused = sandbox.run(&strict).expect(1);
    assert!(
        refused
            .stdout
            .contains("refused because `--strict` treats warnings as errors")
            && refused.stdout.contains("refused by Python 3.13"),
        "{refused}"
    );
}

/// OpenSSL, Go and browsers accept such a key: nothing but its private half protects it, and everybody
/// can compute that.
#[test]
fn an_rsa_key_whose_modulus_is_a_prime_is_wrong() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let csr = sandbox.read("example.com.csr");
    let mut request = rcgen::CertificateSigningRequestParams::from_pem(&csr).unwrap();
    request.params.not_before = midnight(days(today(), -1));
    request.params.not_after = midnight(days(today(), 40));
    request.params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    request.params.use_authority_key_identifier_extension = true;
    let spki = rsa_public_key(&mersenne_prime_2203());
    let key = rcgen::SubjectPublicKeyInfo::from_der(&spki).unwrap();
    let leaf = request
        .params
        .signed_by(&key, &setup.ca.intermediate)
        .unwrap()
        .pem();
    let chain = format!("{leaf}{}", setup.ca.intermediate_pem());
    sandbox.write("elsewhere/chain.pem", chain);
    let verify = ["verify", "elsewhere/chain.pem", "--trust", "root.pem"];
    let run = sandbox.run(&verify).expect(1);
    let cause = "its RSA modulus is a prime, so everybody can compute the private key";
    assert!(
        run.stdout.replace("\n        ", " ").contains(cause),
        "{run}"
    );
    let bundle = [
        "bundle",
        "elsewhere/chain.pem",
        "--trust",
        "root.pem",
        "--out",
        "-",
    ];
    let run = sandbox.run(&bundle).expect(1);
    assert!(
        run.stdout.replace("\n        ", " ").contains(cause),
        "{run}"
    );
}

/// 2^2203 - 1, which is a prime (Robinson 1952), as big-endian octets of an INTEGER.
fn mersenne_prime_2203() -> Vec<u8> {
    let mut octets = vec![0xff; 276];
    octets[0] = 0x07;
    octets
}

/// A DER `SubjectPublicKeyInfo` of RSA with the exponent 65537 (RFC 8017 A.1.1).
fn rsa_public_key(modulus: &[u8]) -> Vec<u8> {
    let element = |tag: u8, value: &[u8]| {
        let length = u16::try_from(value.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], value].concat()
    };
    let numbers = [&element(2, modulus), &b"\x02\x03\x01\x00\x01"[..]].concat();
    let key = [&[0], &element(0x30, &numbers)[..]].concat();
    let rsa = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    element(0x30, &[&rsa[..], &element(3, &key)].concat())
}

#[test]
fn without_certificates_in_the_directory_installed_ones_are_verified() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("chain.pem", setup.chain());
    let install = [
        "--root",
        "tree",
        "install",
        "chain.pem",
        "--server",
        "none",
        "--trust",
        "root.pem",
    ];
    sandbox.run(&install).expect(0);
    std::fs::create_dir_all(sandbox.join("org")).unwrap();
    sandbox.run(&["csr", "example.org", "-C", "org"]).expect(0);
    let org = setup.ca.issue(&sandbox.read("org/example.org.csr"));
    sandbox.write("org.pem", format!("{org}{}", setup.ca.intermediate_pem()));
    let other = [
        "--root", "tree", "-C", "org", "install", "org.pem", "--server", "none", "--trust",
        "root.pem",
    ];
    sandbox.run(&other).expect(0);
    std::fs::create_dir(sandbox.join("empty")).unwrap();
    let verified = sandbox
        .run(&[
            "--root", "tree", "-C", "empty", "verify", "--trust", "root.pem", "--json",
        ])
        .expect(0)
        .json();
    let names: Vec<&str> = verified["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["chain"][0]["dns_names"][0].as_str().unwrap())
        .collect();
    assert_eq!(names, ["example.com", "example.org"], "{verified}");
    let late = [
        "--root",
        "tree",
        "-C",
        "empty",
        "verify",
        "--trust",
        "root.pem",
        "--at",
        "2050-01-01T00:00:00Z",
    ];
    sandbox.run(&late).expect(1);
    // No certificate in the directory, and none installed.
    sandbox
        .run(&["--root", "none", "-C", "empty", "verify"])
        .expect(3);
}

#[test]
fn without_arguments_the_files_that_are_not_checked_are_listed() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("example.com.pem", setup.chain());
    sandbox.write("next.zip", zip(&[("next.crt", setup.leaf.clone())]));
    let run = sandbox.run(&["verify", "--trust", "root.pem"]).expect(0);
    let line = "not checked, because it is packed: next.zip";
    assert!(run.stdout.contains(line), "{run}");
    let run = sandbox
        .run(&["verify", "example.com.pem", "--trust", "root.pem"])
        .expect(0);
    assert!(!run.stdout.contains(line), "{run}");
}
