//! `certctl csr`: the key and the request that it writes, and what it prints.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::os::unix::fs::PermissionsExt;

use support::Sandbox;
use support::ca::TestCa;
use support::json::Json;
use support::program::program;

#[test]
fn a_new_key_has_mode_0600_and_is_never_overwritten() {
    let sandbox = Sandbox::new();
    let first = sandbox
        .run(&[
            "csr",
            "example.com",
            "www.example.com",
            "--ca",
            "sectigo",
            "--json",
        ])
        .expect(0)
        .json();
    assert_eq!(first["changed"], true);
    let mode = std::fs::metadata(sandbox.join("example.com.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
    let key = sandbox.read("example.com.key");

    let again = sandbox
        .run(&["csr", "example.com", "www.example.com", "--json"])
        .expect(0)
        .json();
    assert_eq!(again["changed"], false);
    assert_eq!(again["request"], first["request"]);
    assert_eq!(
        again["records"], first["records"],
        "the CA of the first run is stored"
    );

    sandbox
        .run(&[
            "csr",
            "example.com",
            "mail.example.com",
            "--cert-name",
            "example.com",
        ])
        .expect(3);
    assert_eq!(sandbox.read("example.com.key"), key);

    sandbox.run(&["csr", "example.com", "--force"]).expect(0);
    assert_ne!(sandbox.read("example.com.key"), key);
    assert_eq!(sandbox.read("example.com.key.~1~"), key);
}

#[test]
fn a_ca_accepts_the_request() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "example.com"]).expect(0);
    let leaf = TestCa::new().issue(&sandbox.read("example.com.csr"));
    assert!(leaf.starts_with("-----BEGIN CERTIFICATE-----\n"));
}

/// Replaces values that differ from run to run with the names of their fields.
fn masked(output: &str, document: &Json) -> String {
    let field = |object: &str, name: &str| document[object][name].as_str().unwrap().to_owned();
    let sha256 = field("request", "sha256");
    let mut output = output
        .replace(&field("request", "md5").to_uppercase(), "[MD5 UPPER]")
        .replace(&field("request", "md5"), "[MD5]")
        .replace(&sha256, "[SHA256]")
        .replace(&sha256[..32], "[SHA256 FIRST]")
        .replace(&sha256[32..], "[SHA256 LAST]")
        .replace(&field("key", "id"), "[KEY ID]");
    while let Some((before, rest)) = output.split_once("REQUEST-----\nMI") {
        let after = rest.split_once("-----END").unwrap().1;
        output = format!("{before}REQUEST-----\n[BASE64]\n-----END{after}");
    }
    output
}

fn mode(path: std::path::PathBuf) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn the_document_has_these_fields_and_values() {
    let sandbox = Sandbox::new();
    let run = sandbox
        .run(&[
            "csr",
            "example.com",
            "*.example.com",
            "--ca",
            "sectigo",
            "--json",
        ])
        .expect(0);
    let mut document = run.json();
    assert_eq!(
        document["request"]["pem"],
        sandbox.read("example.com.csr").as_str()
    );
    document["request"].set("pem", "[PEM]");
    let pretty = format!("{:#}", document);
    insta::assert_snapshot!(masked(&pretty, &document), @r#"
    {
      "schema": "certctl.csr/1",
      "comment": "example.com.key (0600, ecdsa-p256), example.com.csr",
      "changed": true,
      "names": [
        "example.com",
        "*.example.com"
      ],
      "from": null,
      "key": {
        "path": "example.com.key",
        "algorithm": "ecdsa-p256",
        "id": "[KEY ID]",
        "encrypted": false,
        "reused": false
      },
      "request": {
        "path": "example.com.csr",
        "md5": "[MD5]",
        "sha256": "[SHA256]",
        "subject": "CN=example.com",
        "pem": "[PEM]"
      },
      "records": [
        {
          "name": "_[MD5].example.com",
          "zone": "example.com",
          "relative_name": "_[MD5]",
          "type": "CNAME",
          "value": "[SHA256 FIRST].[SHA256 LAST].sectigo.com",
          "complete": true,
          "validates": [
            "example.com",
            "*.example.com"
          ],
          "also_at": []
        },
        {
          "name": "example.com",
          "type": "HTTP",
          "url": "http://example.com/.well-known/pki-validation/[MD5 UPPER].txt",
          "body": "[SHA256]\nsectigo.com",
          "complete": true
        }
      ],
      "backups": [],
      "certificates": [
        {
          "name": "example.com",
          "plan": {
            "steps": [
              {
                "step": "write-key",
                "path": "example.com.key",
                "algorithm": "ecdsa-p256",
                "text": "write a new key to example.com.key (0600, ecdsa-p256)"
              },
              {
                "step": "write-request",
                "path": "example.com.csr",
                "text": "write the request to example.com.csr"
              },
              {
                "step": "write-record",
                "path": "example.com.dcv",
                "text": "store the CA in example.com.dcv"
              }
            ]
          },
          "findings": [
            {
              "code": "wildcard-not-by-file",
              "severity": "note",
              "message": "a wildcard can be validated by a DNS record or by email, but not by a file on the web server (BR 3.2.2.4.18, since 2021-12-01)",
              "next": []
            }
          ]
        }
      ],
      "findings": [
        {
          "code": "wildcard-not-by-file",
          "severity": "note",
          "message": "a wildcard can be validated by a DNS record or by email, but not by a file on the web server (BR 3.2.2.4.18, since 2021-12-01)",
          "next": []
        }
      ],
      "next": [
        {
          "text": "When the record is published, wait until the CA can see it",
          "command": "certctl dcv-check --wait example.com",
          "argv": [
            "certctl",
            "dcv-check",
            "--wait",
            "example.com"
          ],
          "needs_root": false,
          "when": "later"
        }
      ]
    }
    "#);
}

#[test]
fn each_ca_has_its_own_instructions() {
    let text = |ca: &[&str]| {
        let sandbox = Sandbox::new();
        let document = sandbox
            .run(&[&["csr", "www.example.co.uk", "--json"], ca].concat())
            .expect(0)
            .json();
        masked(
            &sandbox
                .run(&["csr", "www.example.co.uk"])
                .expect(0)
                .to_string(),
            &document,
        )
    };
    insta::assert_snapshot!(text(&["--ca", "namecheap"]), @r#"
    found   www.example.co.uk.key (0600, ecdsa-p256), www.example.co.uk.csr
            names: www.example.co.uk
    next    At Namecheap choose Activate, then DCV "Add CNAME record", and paste this CSR:
    -----BEGIN CERTIFICATE REQUEST-----
    [BASE64]
    -----END CERTIFICATE REQUEST-----
    next    Namecheap then shows a CNAME record. Add it in your DNS provider's console for the zone example.co.uk; only Namecheap knows the parts in angle brackets:
                Type   CNAME
                Host   _[MD5].www
                Value  [SHA256 FIRST].[SHA256 LAST].<unique value>.<zone>
    next    Copy the whole record that Namecheap shows, start this command, paste the record and press Ctrl-D; it waits until the CA can see the record:
                certctl dcv-check --wait --record -
    --- exit 0
    "#);
    insta::assert_snapshot!(text(&["--ca", "sectigo"]), @"
    found   www.example.co.uk.key (0600, ecdsa-p256), www.example.co.uk.csr
            names: www.example.co.uk
    next    At Sectigo choose domain validation by CNAME record, and paste this CSR:
    -----BEGIN CERTIFICATE REQUEST-----
    [BASE64]
    -----END CERTIFICATE REQUEST-----
    next    Add this record in your DNS provider's console for the zone example.co.uk:
                Type   CNAME
                Host   _[MD5].www
                Value  [SHA256 FIRST].[SHA256 LAST].sectigo.com
    next    When the record is published, wait until the CA can see it:
                certctl dcv-check --wait www.example.co.uk
    --- exit 0
    ");
    insta::assert_snapshot!(text(&["--ca", "ssl.com"]), @"
    found   www.example.co.uk.key (0600, ecdsa-p256), www.example.co.uk.csr
            names: www.example.co.uk
    next    At SSL.com choose domain validation by CNAME record, and paste this CSR:
    -----BEGIN CERTIFICATE REQUEST-----
    [BASE64]
    -----END CERTIFICATE REQUEST-----
    next    SSL.com then shows a CNAME record. Add it in your DNS provider's console for the zone example.co.uk; only SSL.com knows the parts in angle brackets:
                Type   CNAME
                Host   _[MD5].www
                Value  [SHA256 FIRST].[SHA256 LAST].<unique value>.ssl.com
    next    Copy the whole record that SSL.com shows, start this command, paste the record and press Ctrl-D; it waits until the CA can see the record:
                certctl dcv-check --wait --record -
    --- exit 0
    ");
    insta::assert_snapshot!(text(&["--ca", "private"]), @"
    found   www.example.co.uk.key (0600, ecdsa-p256), www.example.co.uk.csr
            names: www.example.co.uk
    next    Send this CSR to your CA:
    -----BEGIN CERTIFICATE REQUEST-----
    [BASE64]
    -----END CERTIFICATE REQUEST-----
    next    If your CA is Active Directory Certificate Services, copy the CSR to a Windows computer and submit it there with your CA's template, for example WebServer:
                certreq -submit -attrib CertificateTemplate:WebServer www.example.co.uk.csr www.example.co.uk.cer
    next    When the certificate and your CA's root certificate (here root.pem) have arrived in this folder, install it:
                sudo certctl install --trust root.pem
    --- exit 0
    ");
    insta::assert_snapshot!(text(&[]), @"
    found   www.example.co.uk.key (0600, ecdsa-p256), www.example.co.uk.csr
            names: www.example.co.uk
    next    Paste this CSR at the CA or reseller:
    -----BEGIN CERTIFICATE REQUEST-----
    [BASE64]
    -----END CERTIFICATE REQUEST-----
    next    If the CA then shows a CNAME record of this form (as Sectigo, SSL.com and their resellers do), add it in your DNS provider's console for the zone example.co.uk; only the CA knows the parts in angle brackets:
                Type   CNAME
                Host   _[MD5].www
                Value  [SHA256 FIRST].[SHA256 LAST][.<unique value>].<zone>
            If the CA shows another CNAME or TXT record (as DigiCert, GlobalSign, GoDaddy and AWS do), add that one.
    next    Copy the whole record that the CA shows, start this command, paste the record and press Ctrl-D; it waits until the CA can see the record:
                certctl dcv-check --wait --record -
    --- exit 0
    ");
}

#[test]
fn unicode_names_and_wildcards_become_file_names() {
    for (typed, name, stem) in [
        (
            "Bücher.example",
            "xn--bcher-kva.example",
            "xn--bcher-kva.example",
        ),
        ("*.example.com", "*.example.com", "_.example.com"),
        ("_.example.com", "*.example.com", "_.example.com"),
    ] {
        let sandbox = Sandbox::new();
        let run = sandbox.run(&["csr", typed, "--json"]).expect(0).json();
        assert_eq!(run["names"][0], name);
        assert_eq!(run["key"]["path"], format!("{stem}.key"));
        assert_eq!(run["records"][0]["zone"], name.trim_start_matches("*."));
        assert!(sandbox.join(&format!("{stem}.csr")).is_file());
    }
    let output = Sandbox::new()
        .run(&["csr", "bücher.example"])
        .expect(0)
        .stdout;
    assert!(
        output.contains("xn--bcher-kva.example (bücher.example)"),
        "{output}"
    );
}

#[test]
fn a_cert_name_must_be_a_plain_file_name() {
    let sandbox = Sandbox::new();
    for stem in [
        "x-2", "x.rsa", "x.ecdsa", "../x", "a/b", ".x", "-x", "", "a b", "x\n",
    ] {
        let stem = format!("--cert-name={stem}");
        sandbox.run(&["csr", "example.com", &stem]).expect(2);
    }
    assert_eq!(std::fs::read_dir(sandbox.path()).unwrap().count(), 0);
    sandbox
        .run(&["csr", "example.com", "--cert-name", "wildcard_of-2027.x"])
        .expect(0);
    assert!(sandbox.join("wildcard_of-2027.x.key").is_file());
}

#[test]
fn a_key_or_request_alone_blocks_a_new_request() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "example.com"]).expect(0);
    let request = sandbox.read("example.com.csr");
    let failed = sandbox
        .run(&["csr", "example.com", "--key-type", "ecdsa-p384"])
        .expect(3);
    assert!(
        failed
            .stderr
            .contains("example.com.key already exists, and its algorithm is ecdsa-p256"),
        "{failed}"
    );
    assert!(
        failed
            .stderr
            .contains("certctl csr example.com --key-type ecdsa-p384 --force"),
        "{failed}"
    );

    std::fs::remove_file(sandbox.join("example.com.csr")).unwrap();
    let failed = sandbox.run(&["csr", "example.com"]).expect(3);
    assert!(
        failed
            .stderr
            .contains("example.com.key already exists, and there is no request for it"),
        "{failed}"
    );
    std::fs::remove_file(sandbox.join("example.com.key")).unwrap();
    sandbox.write("example.com.csr", request);
    let failed = sandbox.run(&["csr", "example.com"]).expect(3);
    assert!(
        failed
            .stderr
            .contains("example.com.csr already exists, and its key was not found"),
        "{failed}"
    );
}

#[test]
fn a_key_of_a_second_algorithm_is_written_beside_the_first() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "example.com"]).expect(0);
    let first = sandbox.read("example.com.key");
    let second = sandbox
        .run(&["csr", "example.com", "--key-type", "rsa-2048", "--json"])
        .expect(0)
        .json();
    assert_eq!(second["key"]["path"], "example.com.rsa.key");
    let again = sandbox
        .run(&["csr", "example.com", "--key-type", "rsa-2048", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&again["changed"], &again["key"]),
        (&false.into(), &second["key"])
    );
    assert_eq!(sandbox.read("example.com.key"), first);
    // The same with the options in the other order.
    let sandbox = Sandbox::new();
    sandbox
        .run(&["csr", "example.com", "--key-type", "rsa-2048"])
        .expect(0);
    let second = sandbox
        .run(&["csr", "example.com", "--key-type", "ecdsa-p256", "--json"])
        .expect(0)
        .json();
    assert_eq!(second["key"]["path"], "example.com.ecdsa.key");
}

#[test]
fn force_keeps_the_old_files_with_their_modes() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&["csr", "example.com", "--ca", "namecheap"])
        .expect(0);
    std::fs::set_permissions(
        sandbox.join("example.com.key"),
        std::fs::Permissions::from_mode(0o400),
    )
    .unwrap();
    let old = sandbox.read("example.com.csr");
    for number in 1..=2 {
        let made = sandbox
            .run(&["csr", "example.com", "--force", "--json"])
            .expect(0)
            .json();
        assert_eq!(made["backups"][0], format!("example.com.key.~{number}~"));
    }
    assert_eq!(sandbox.read("example.com.csr.~1~"), old);
    assert_eq!(sandbox.read("example.com.dcv.~1~"), "; ca namecheap\n");
    assert_eq!(mode(sandbox.join("example.com.key.~1~")), 0o400);
    assert_eq!(mode(sandbox.join("example.com.key.~2~")), 0o600);
    assert_eq!(mode(sandbox.join("example.com.key")), 0o600);
}

#[test]
fn the_umask_does_not_change_file_modes() {
    for umask in ["000", "077"] {
        let sandbox = Sandbox::new();
        let certctl = program();
        let mut command = std::process::Command::new("/bin/sh");
        let line = format!("umask {umask}; exec {certctl} csr example.com --ca namecheap");
        command.args(["-c", &line]).current_dir(sandbox.path());
        sandbox.run_command(command).expect(0);
        for (file, expected) in [
            ("example.com.key", 0o600),
            ("example.com.csr", 0o644),
            ("example.com.dcv", 0o644),
        ] {
            assert_eq!(
                mode(sandbox.join(file)),
                expected,
                "{file} under umask {umask}"
            );
        }
    }
}

#[test]
fn the_resellers_record_is_stored_and_shown_again() {
    let sandbox = Sandbox::new();
    let made = sandbox
        .run(&["csr", "example.com", "--ca", "namecheap", "--json"])
        .expect(0)
        .json();
    assert_eq!(made["records"][0]["complete"], false);
    let sha256 = made["request"]["sha256"].as_str().unwrap();
    let value = format!(
        "{}.{}.69ff68dc5168c.comodoca.com",
        &sha256[..32],
        &sha256[32..]
    );
    let name = made["records"][0]["name"].as_str().unwrap();
    sandbox.write(
        "example.com.dcv",
        format!("; ca namecheap\n{name}. 300 IN CNAME {value}.\n"),
    );
    let again = sandbox
        .run(&["csr", "example.com", "--json"])
        .expect(0)
        .json();
    assert_eq!(again["records"][0]["value"], value);
    assert_eq!(again["records"][0]["complete"], true);
}

#[test]
fn proposed_commands_act_on_the_files_that_block_the_request() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "*.a.example"]).expect(0);
    sandbox
        .run(&["csr", "b.example", "--cert-name", "web"])
        .expect(0);
    let other_key = sandbox.read("_.a.example.key");
    let args = [
        "csr",
        "*.a.example",
        "--cert-name",
        "web",
        "--ca",
        "sectigo",
        "--key-type",
        "ecdsa-p256",
        "--json",
    ];
    let failed = sandbox.run(&args).expect(3).json();
    let argv = |index: usize| -> Vec<String> {
        let argv = failed["error"]["next"][index]["argv"].as_array().unwrap();
        argv.iter()
            .skip(1)
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    let common = "csr *.a.example --ca sectigo --key-type ecdsa-p256 --cert-name";
    assert_eq!(argv(0).join(" "), format!("{common} another-name"));
    assert_eq!(argv(1).join(" "), format!("{common} web --force"));
    let words = argv(1);
    let made = sandbox
        .run(&words.iter().map(String::as_str).collect::<Vec<_>>())
        .expect(0);
    assert!(made.stdout.contains("web.key.~1~"), "{made}");
    assert_eq!(sandbox.read("_.a.example.key"), other_key);
}

#[test]
fn a_removed_working_directory_is_reported() {
    let sandbox = Sandbox::new();
    let mut command = std::process::Command::new("/bin/sh");
    let certctl = program();
    command.args([
        "-c",
        &format!("mkdir gone && cd gone && rmdir ../gone && exec {certctl} csr example.com"),
    ]);
    command.current_dir(sandbox.path());
    let run = sandbox.run_command(command).expect(3);
    assert!(
        run.stderr.contains("change to a folder that exists") && !run.stderr.contains("mkdir"),
        "{run}"
    );
}

#[test]
fn a_ca_that_is_given_later_is_stored() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "example.com"]).expect(0);
    let run = |args: &[&str]| {
        sandbox
            .run(&[&["csr", "example.com"], args].concat())
            .expect(0)
    };
    assert_eq!(
        run(&["--ca", "namecheap", "--json"]).json()["changed"],
        true
    );
    assert_eq!(
        run(&["--ca", "namecheap", "--json"]).json()["changed"],
        false
    );
    let output = run(&["--ca", "sectigo"]).stdout;
    assert!(
        output.starts_with("found   example.com.key")
            && output.contains("wrote   example.com.dcv, which stores the CA: sectigo"),
        "{output}"
    );
}

#[test]
fn a_full_disk_leaves_the_old_files_in_place() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&["csr", "example.com", "--ca", "namecheap"])
        .expect(0);
    let files = || {
        let mut names: Vec<_> = std::fs::read_dir(sandbox.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
            .into_iter()
            .map(|name| (sandbox.read(name.to_str().unwrap()), name))
            .collect::<Vec<_>>()
    };
    let before = files();
    // The limit in blocks of 512 bytes: none for the key; one for the key (an RSA key needs more); one
    // for a key that fits, but not for its request.
    for (blocks, more) in [
        ("0", ""),
        ("1", "--key-type rsa-2048 --cert-name example.com"),
        ("1", &names(20)),
    ] {
        let mut command = std::process::Command::new("/bin/sh");
        let certctl = program();
        let line = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec {certctl} csr example.com {more} --ca sectigo --force"
        );
        command.args(["-c", &line]).current_dir(sandbox.path());
        let run = sandbox.run_command(command).expect(4);
        assert!(run.stderr.contains("cannot create example.com."), "{run}");
        assert_eq!(files(), before, "{run}");
    }
}

/// Returns `count` names; a request for 20 of them is larger than a block.
fn names(count: usize) -> String {
    (0..count)
        .map(|number| format!("a-rather-long-name-{number}.example.com "))
        .collect()
}

#[test]
fn requests_that_a_ca_would_refuse_are_refused_before_a_file_is_written() {
    let sandbox = Sandbox::new();
    let run = sandbox
        .run(&["csr", "db.corp", "mail.acme.com", "--subject", "C=de"])
        .expect(1);
    insta::assert_snapshot!(run, @"
    error   db.corp: corp will never be delegated (ICANN 2018); public CAs do not issue for names in it (BR 4.2.2, SC-086)
    next    Request the certificate without db.corp:
                certctl csr mail.acme.com --subject C=de
    error   C=de is not a two-letter country code in upper case (ISO 3166-1), such as DE (RFC 5280 A.1, BR 7.1.4.2)
    next    Use the two-letter code, for example `--subject 'O=Acme,C=DE'`.
    done    no file was written
    next    If your CA accepts this request, make it anyway:
                certctl csr db.corp mail.acme.com --subject C=de --allow reserved-name --allow country-code
    --- exit 1
    ");
    assert_eq!(std::fs::read_dir(sandbox.path()).unwrap().count(), 0);
    let refused = sandbox
        .run(&["csr", "db.corp", "--key-type", "ed25519", "--json"])
        .expect(1)
        .json();
    assert_eq!(
        (&refused["changed"], &refused["request"]),
        (&false.into(), &Json::Null)
    );
    let codes: Vec<_> = refused["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["reserved-name", "unsupported-key-type"]);
    // The proposed command creates the request.
    let argv: Vec<&str> = refused["next"][0]["argv"]
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
        .map(|word| word.as_str().unwrap())
        .collect();
    assert_eq!(
        argv.join(" "),
        "csr db.corp --key-type ed25519 --allow reserved-name --allow unsupported-key-type"
    );
    let made = sandbox.run(&argv).expect(0).stdout;
    assert!(
        made.contains("accepted because of `--allow reserved-name`"),
        "{made}"
    );
    sandbox
        .run(&[
            "csr",
            "nas.corp",
            "--key-type",
            "ed25519",
            "--ca",
            "private",
        ])
        .expect(0);
    let usage = sandbox
        .run(&["csr", "x.corp", "--allow", "www-missing"])
        .expect(2);
    assert!(
        usage
            .stderr
            .contains("the codes that can be allowed are address-as-name,"),
        "{usage}"
    );
}

#[test]
fn a_warning_carries_the_command_that_follows_its_advice() {
    let sandbox = Sandbox::new();
    let document = sandbox
        .run(&["csr", "acme.com", "--ca", "namecheap", "--json"])
        .expect(0)
        .json();
    let finding = &document["findings"][0];
    assert_eq!(
        (&finding["code"], &finding["severity"]),
        (&"www-missing".into(), &"warning".into())
    );
    let command = finding["next"][0]["command"].as_str().unwrap();
    assert_eq!(
        command,
        "certctl csr acme.com www.acme.com --ca namecheap --force"
    );
    let text = Sandbox::new()
        .run(&["csr", "acme.com", "--ca", "namecheap"])
        .expect(0);
    assert!(
        text.stdout.contains("\nwarning ")
            && text.stdout.contains(&format!("\n            {command}\n")),
        "{text}"
    );
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let again = sandbox.run(&words).expect(0);
    assert!(!again.stdout.contains("warning"), "{again}");
}

#[test]
fn the_subject_keeps_its_order_and_escapes() {
    let sandbox = Sandbox::new();
    let subject = "OU=b,OU=a,O=Acme\\, Inc.,C=DE";
    let made = |args: &[&str]| {
        sandbox.run(&[&["csr", "acme.com", "www.acme.com", "--json"], args].concat())
    };
    let first = made(&["--subject", subject]).expect(0).json();
    assert_eq!(
        first["request"]["subject"],
        "CN=acme.com,OU=b,OU=a,O=Acme\\, Inc.,C=DE"
    );
    assert_eq!(
        made(&["--subject", &format!("CN=ACME.com,{subject}")])
            .expect(0)
            .json()["changed"],
        false
    );
    assert_eq!(made(&[]).expect(0).json()["request"], first["request"]);
    let other = made(&["--subject", "O=Other"]).expect(3).json();
    assert_eq!(
        other["error"]["message"],
        "acme.com.csr already exists, and its subject is CN=acme.com,OU=b,OU=a,O=Acme\\, Inc.,C=DE"
    );
    let slashes = made(&["--subject", "/C=DE/O=Acme"]).expect(2).json();
    assert_eq!(
        slashes["error"]["next"][0]["text"],
        "Write it as `--subject O=Acme,C=DE`"
    );
}

#[test]
fn a_dry_run_advises_to_replace_no_file() {
    let sandbox = Sandbox::new();
    let run = sandbox.run(&["csr", "example.com", "--dry-run"]).expect(0);
    assert!(!run.stdout.contains("--force"), "{run}");
    // Afterwards the same advice has to replace the files.
    let run = sandbox.run(&["csr", "example.com"]).expect(0);
    assert!(run.stdout.contains("--force"), "{run}");
}

#[test]
fn requests_for_a_private_ca_wait_for_its_root_certificate() {
    let sandbox = Sandbox::new();
    let line = "install --trust root.pem";
    let csr = ["csr", "intra.example", "--ca", "private"];
    let created = sandbox.run(&csr).expect(0);
    assert!(created.stdout.contains(line), "{created}");
    for (args, code) in [(&[][..], 0), (&["status", "--root", "tree"], 1)] {
        let run = sandbox.run(args).expect(code);
        assert!(
            run.stdout.contains("Send intra.example.csr to your CA"),
            "{run}"
        );
        assert!(!run.stdout.contains("dcv-check intra"), "{run}");
    }
}

#[test]
fn root_learns_that_its_files_are_in_a_folder_of_another_user() {
    let sandbox = Sandbox::new();
    if !support::namespace::is_root() {
        return;
    }
    let created = sandbox.run(&["csr", "one.example"]).expect(0);
    assert!(!created.stdout.contains("chown"), "{created}");
    std::os::unix::fs::chown(sandbox.path(), Some(1000), Some(1000)).unwrap();
    let created = sandbox.run(&["csr", "two.example"]).expect(0);
    let line = "sudo chown 1000:1000 two.example.key two.example.csr";
    assert!(created.stdout.contains(line), "{created}");
}
