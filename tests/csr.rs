//! `certctl csr`: key and request, and what other people's tools think of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::os::unix::fs::PermissionsExt;

use support::Sandbox;
use support::ca::TestCa;
use support::json::Json;
use support::program::program;

#[test]
fn a_key_is_born_private_and_never_overwritten() {
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
        "the CA named the first time is remembered"
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
fn the_test_ca_signs_our_request() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "example.com"]).expect(0);
    let leaf = TestCa::new().issue(&sandbox.read("example.com.csr"));
    assert!(leaf.starts_with("-----BEGIN CERTIFICATE-----\n"));
}

/// What differs from run to run, by what it is.
fn masked(said: &str, made: &Json) -> String {
    let field = |object: &str, name: &str| made[object][name].as_str().unwrap().to_owned();
    let sha256 = field("request", "sha256");
    let mut said = said
        .replace(&field("request", "md5").to_uppercase(), "[MD5 UPPER]")
        .replace(&field("request", "md5"), "[MD5]")
        .replace(&sha256, "[SHA256]")
        .replace(&sha256[..32], "[SHA256 FIRST]")
        .replace(&sha256[32..], "[SHA256 LAST]")
        .replace(&field("key", "id"), "[KEY ID]");
    while let Some((before, rest)) = said.split_once("REQUEST-----\nMI") {
        let after = rest.split_once("-----END").unwrap().1;
        said = format!("{before}REQUEST-----\n[BASE64]\n-----END{after}");
    }
    said
}

fn mode(path: std::path::PathBuf) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn the_document_is_pinned() {
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
    let document = run.json();
    let pretty = format!("{:#}", document);
    insta::assert_snapshot!(masked(&pretty, &document), @r#"
    {
      "schema": "certctl.csr/1",
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
        "subject": "CN=example.com"
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
      "findings": [
        {
          "code": "wildcard-not-by-file",
          "severity": "note",
          "message": "a wildcard is proved by the DNS or by e-mail, never by a file on the web server (BR 3.2.2.4.18, since 2021-12-01)",
          "next": []
        }
      ],
      "next": [
        {
          "text": "certctl dcv-check --wait example.com",
          "argv": [
            "certctl",
            "dcv-check",
            "--wait",
            "example.com"
          ],
          "needs_root": false,
          "when": "now"
        }
      ]
    }
    "#);
}

#[test]
fn each_ca_has_its_words() {
    let text = |ca: &[&str]| {
        let sandbox = Sandbox::new();
        let made = sandbox
            .run(&[&["csr", "www.example.co.uk", "--json"], ca].concat())
            .expect(0)
            .json();
        masked(
            &sandbox
                .run(&["csr", "www.example.co.uk"])
                .expect(0)
                .to_string(),
            &made,
        )
    };
    insta::assert_snapshot!(text(&["--ca", "namecheap"]), @r#"
    found  www.example.co.uk.key (0600, ecdsa-p256)   www.example.co.uk.csr   for www.example.co.uk
    next   1. Namecheap > Activate > DCV "Add CNAME record", paste:
    -----BEGIN CERTIFICATE REQUEST-----
    [BASE64]
    -----END CERTIFICATE REQUEST-----
    next   2. Namecheap shows a CNAME; in the panel of example.co.uk its host is _[MD5].www
              and its value has the form [SHA256 FIRST].[SHA256 LAST].<unique value>.<zone>
           3. then give the record that the shop shows, whole, and wait:  certctl dcv-check --wait --record -
    --- exit 0
    "#);
    insta::assert_snapshot!(text(&["--ca", "sectigo"]), @r"
    found  www.example.co.uk.key (0600, ecdsa-p256)   www.example.co.uk.csr   for www.example.co.uk
    next   1. paste this request at Sectigo, and choose DCV by CNAME:
    -----BEGIN CERTIFICATE REQUEST-----
    [BASE64]
    -----END CERTIFICATE REQUEST-----
    next   2. add in the panel of example.co.uk:  CNAME | host _[MD5].www | value [SHA256 FIRST].[SHA256 LAST].sectigo.com
           3. then wait until the CA can see it:  certctl dcv-check --wait www.example.co.uk
    --- exit 0
    ");
    insta::assert_snapshot!(text(&["--ca", "ssl.com"]), @r"
    found  www.example.co.uk.key (0600, ecdsa-p256)   www.example.co.uk.csr   for www.example.co.uk
    next   1. paste this request at SSL.com, and choose DCV by CNAME:
    -----BEGIN CERTIFICATE REQUEST-----
    [BASE64]
    -----END CERTIFICATE REQUEST-----
    next   2. SSL.com shows a CNAME; in the panel of example.co.uk its host is _[MD5].www
              and its value has the form [SHA256 FIRST].[SHA256 LAST].<unique value>.ssl.com
           3. then give the record that the shop shows, whole, and wait:  certctl dcv-check --wait --record -
    --- exit 0
    ");
    insta::assert_snapshot!(text(&["--ca", "private"]), @r"
    found  www.example.co.uk.key (0600, ecdsa-p256)   www.example.co.uk.csr   for www.example.co.uk
    next   1. hand this request to your CA:
    -----BEGIN CERTIFICATE REQUEST-----
    [BASE64]
    -----END CERTIFICATE REQUEST-----
    next   2. where it is Active Directory's (AD CS):  certreq -submit -attrib CertificateTemplate:WebServer www.example.co.uk.csr www.example.co.uk.cer
           3. when the certificate has come:  sudo certctl install FILE
    --- exit 0
    ");
    insta::assert_snapshot!(text(&[]), @r"
    found  www.example.co.uk.key (0600, ecdsa-p256)   www.example.co.uk.csr   for www.example.co.uk
    next   1. paste this request at the shop or CA:
    -----BEGIN CERTIFICATE REQUEST-----
    [BASE64]
    -----END CERTIFICATE REQUEST-----
    next   2. if it shows a CNAME with host _[MD5].www (Sectigo, SSL.com and their shops),
              enter it in the panel of example.co.uk; its value has the form [SHA256 FIRST].[SHA256 LAST][.<unique value>].<zone>
              if it shows another CNAME or TXT (DigiCert, GlobalSign, GoDaddy, AWS), enter that
           3. then give the record that the shop shows, whole, and wait:  certctl dcv-check --wait --record -
    --- exit 0
    ");
}

#[test]
fn names_in_unicode_and_wildcards_make_file_names() {
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
    let said = Sandbox::new()
        .run(&["csr", "bücher.example"])
        .expect(0)
        .stdout;
    assert!(
        said.contains("xn--bcher-kva.example (bücher.example)"),
        "{said}"
    );
}

#[test]
fn a_cert_name_is_a_plain_file_name() {
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
fn a_lone_key_or_another_kind_of_key_is_not_guessed_about() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "example.com"]).expect(0);
    let request = sandbox.read("example.com.csr");
    let failed = sandbox
        .run(&["csr", "example.com", "--key-type", "ecdsa-p384"])
        .expect(3);
    assert!(failed.stderr.contains("it is ecdsa-p256"), "{failed}");
    assert!(
        failed
            .stderr
            .contains("certctl csr example.com --key-type ecdsa-p384 --force"),
        "{failed}"
    );

    std::fs::remove_file(sandbox.join("example.com.csr")).unwrap();
    let failed = sandbox.run(&["csr", "example.com"]).expect(3);
    assert!(
        failed.stderr.contains("a key is there without a request"),
        "{failed}"
    );
    std::fs::remove_file(sandbox.join("example.com.key")).unwrap();
    sandbox.write("example.com.csr", request);
    let failed = sandbox.run(&["csr", "example.com"]).expect(3);
    assert!(
        failed.stderr.contains("a request is there without its key"),
        "{failed}"
    );
}

#[test]
fn a_key_of_a_second_algorithm_lies_beside_the_first() {
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
    // The other way round.
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
    for round in 1..=2 {
        let made = sandbox
            .run(&["csr", "example.com", "--force", "--json"])
            .expect(0)
            .json();
        assert_eq!(made["backups"][0], format!("example.com.key.~{round}~"));
    }
    assert_eq!(sandbox.read("example.com.csr.~1~"), old);
    assert_eq!(sandbox.read("example.com.dcv.~1~"), "; ca namecheap\n");
    assert_eq!(mode(sandbox.join("example.com.key.~1~")), 0o400);
    assert_eq!(mode(sandbox.join("example.com.key.~2~")), 0o600);
    assert_eq!(mode(sandbox.join("example.com.key")), 0o600);
}

#[test]
fn no_umask_changes_the_modes() {
    for umask in ["000", "077"] {
        let sandbox = Sandbox::new();
        let certctl = program();
        let mut command = std::process::Command::new("/bin/sh");
        let line = format!("umask {umask}; exec {certctl} csr example.com --ca namecheap");
        command.args(["-c", &line]).current_dir(sandbox.path());
        sandbox.run_command(command).expect(0);
        for (file, wanted) in [
            ("example.com.key", 0o600),
            ("example.com.csr", 0o644),
            ("example.com.dcv", 0o644),
        ] {
            assert_eq!(
                mode(sandbox.join(file)),
                wanted,
                "{file} under umask {umask}"
            );
        }
    }
}

#[test]
fn the_shops_record_is_shown_again() {
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
fn the_lines_proposed_act_on_the_pair_that_is_in_the_way() {
    let sandbox = Sandbox::new();
    sandbox.run(&["csr", "*.a.example"]).expect(0);
    sandbox
        .run(&["csr", "b.example", "--cert-name", "web"])
        .expect(0);
    let live = sandbox.read("_.a.example.key");
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
    assert_eq!(sandbox.read("_.a.example.key"), live);
}

#[test]
fn where_the_folder_is_gone_it_says_so() {
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
        run.stderr.contains("cd to a folder that exists") && !run.stderr.contains("mkdir"),
        "{run}"
    );
}

#[test]
fn a_ca_named_later_is_a_change() {
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
    let said = run(&["--ca", "sectigo"]).stdout;
    assert!(
        said.starts_with("found  example.com.key") && said.contains("wrote  example.com.dcv"),
        "{said}"
    );
}

#[test]
fn a_full_disk_leaves_the_old_pair_where_it_was() {
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
    // In blocks of 512 bytes: none for the key; one for the key (an RSA key needs more); no room
    // for the request.
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

/// So many names that a request for them takes more than a block.
fn names(count: usize) -> String {
    (0..count)
        .map(|number| format!("a-rather-long-name-{number}.example.com "))
        .collect()
}

#[test]
fn what_a_ca_would_refuse_is_refused_before_anything_is_written() {
    let sandbox = Sandbox::new();
    let run = sandbox
        .run(&["csr", "db.corp", "mail.acme.com", "--subject", "C=de"])
        .expect(1);
    insta::assert_snapshot!(run, @r"
    wrong  db.corp: corp will never be delegated (ICANN 2018); no public CA certifies names in it (BR 4.2.2, SC-086)
    next   certctl csr mail.acme.com --subject C=de   (without)
    wrong  C=de: a country is its two capital letters in ISO 3166-1, as DE (RFC 5280 A.1, BR 7.1.4.2)
    next   --subject '...,C=DE'
           certctl csr db.corp mail.acme.com --subject C=de --allow reserved-name --allow country-code   (to ask for it all the same)
    left   no file was written
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
    // The line proposed does it.
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
    assert!(made.contains("allowed by --allow reserved-name"), "{made}");
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
            .contains("what can be allowed: address-as-name,"),
        "{usage}"
    );
}

#[test]
fn what_may_be_better_is_told_with_the_line_for_it() {
    let sandbox = Sandbox::new();
    let made = sandbox
        .run(&["csr", "acme.com", "--ca", "namecheap"])
        .expect(0);
    let [warning, line] = [1, 2].map(|line| made.stdout.lines().nth(line).unwrap());
    assert_eq!(
        warning,
        "warn   not asked for: www.acme.com; some CAs add it by themselves, and some do not (RFC 9525 6.3)"
    );
    let words: Vec<&str> = line
        .split("   (")
        .next()
        .unwrap()
        .split_whitespace()
        .skip(2)
        .collect();
    assert_eq!(
        words.join(" "),
        "csr acme.com www.acme.com --ca namecheap --force"
    );
    let again = sandbox.run(&words).expect(0);
    assert!(!again.stdout.contains("warn"), "{again}");
}

#[test]
fn a_subject_is_kept_as_it_is() {
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
        "acme.com.csr is in the way: its subject is CN=acme.com,OU=b,OU=a,O=Acme\\, Inc.,C=DE"
    );
    let slashes = made(&["--subject", "/C=DE/O=Acme"]).expect(2).json();
    assert_eq!(slashes["error"]["next"][0]["text"], "--subject O=Acme,C=DE");
}
