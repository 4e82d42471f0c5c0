//! The messages for missing, damaged, encrypted or misplaced files: the cause first, then the step
//! that helps.
//! Needs: openssl
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::net::TcpListener;

use certctl::facade::pki::baseline_dates::{LIFETIME, midnight_utc};
use support::external::{external_program, succeed};
use support::issued_certificate::IssuedCertificate;
use support::json::Json;
use support::zip::zip;
use support::{Run, Sandbox};

/// Returns a sandbox with the certificate in `leaf.crt` and the intermediate in `ca.pem`.
fn issued() -> IssuedCertificate {
    let issued = IssuedCertificate::new();
    issued.sandbox.write("leaf.crt", &issued.leaf);
    issued.sandbox.write("ca.pem", issued.ca.intermediate_pem());
    issued
}

fn bundle(sandbox: &Sandbox, words: &str) -> Run {
    let words: Vec<&str> = words.split(' ').collect();
    sandbox.run(&[&["bundle", "--trust", "root.pem"], words.as_slice()].concat())
}

/// Returns the finding with this code; fails if there is none.
fn finding(document: &Json, code: &str) -> Json {
    let found = document["findings"].iter().find(|one| one["code"] == code);
    found
        .unwrap_or_else(|| panic!("no finding {code}: {document}"))
        .clone()
}

fn openssl(sandbox: &Sandbox, words: &str) {
    succeed(
        external_program("openssl")
            .args(words.split(' '))
            .current_dir(sandbox.path()),
    );
}

#[test]
fn a_missing_private_root_is_reported_with_the_option_for_it() {
    let issued = issued();
    let args = ["bundle", "leaf.crt", "ca.pem", "--json"];
    // A root in the folder is proposed by its file name.
    let with_root = issued.sandbox.run(&args).expect(1).json();
    assert!(
        with_root["findings"]
            .to_string()
            .contains("--trust root.pem"),
        "{with_root}"
    );
    std::fs::remove_file(issued.sandbox.join("root.pem")).unwrap();
    let without_root = issued.sandbox.run(&args).expect(1).json();
    let missing = finding(&without_root, "unknown-issuer");
    let message = missing["message"].as_str().unwrap();
    assert!(message.contains("Test DV CA R2"), "{without_root}");
    assert!(
        missing["next"].to_string().contains("--trust"),
        "{without_root}"
    );
}

#[test]
fn a_damaged_intermediate_is_reported_before_the_missing_issuer() {
    let issued = issued();
    let damaged = issued.ca.intermediate_pem().replacen("MII", "!!!", 1);
    issued.sandbox.write("ca.pem", damaged);
    for verb in ["bundle", "install"] {
        let args = [verb, "leaf.crt", "ca.pem", "--trust", "root.pem"];
        let more: &[&str] = if verb == "install" {
            &["--root", "tree"]
        } else {
            &[]
        };
        let args = [&args[..], more].concat();
        let text = issued.sandbox.run(&args).expect(1).stdout;
        let document = issued
            .sandbox
            .run(&[args.as_slice(), &["--json"]].concat())
            .expect(1)
            .json();
        let [damaged, missing] =
            ["damaged-block", "missing-intermediate"].map(|code| finding(&document, code));
        let place = |finding: &Json| {
            let message = finding["message"].as_str().unwrap();
            let line = format!("error   {message}");
            text.find(&line)
                .unwrap_or_else(|| panic!("{line} is missing:\n{text}"))
        };
        assert!(place(&damaged) < place(&missing), "{text}");
        assert!(
            damaged["message"].as_str().unwrap().contains("ca.pem"),
            "{damaged}"
        );
        assert!(!damaged["next"].as_array().unwrap().is_empty(), "{damaged}");
    }
}

#[test]
fn an_existing_key_file_is_used_and_not_copied() {
    let issued = issued();
    let sandbox = &issued.sandbox;
    let key = sandbox.read("example.com.key");
    sandbox.write(
        "sent.zip",
        zip(&[("a.crt", &issued.chain()), ("a.key", &key)]),
    );
    std::fs::rename(sandbox.join("example.com.key"), sandbox.join("server.key")).unwrap();
    let run = bundle(sandbox, "sent.zip --for aws-acm").expect(0);
    assert!(
        run.stdout.contains("server.key") && run.stdout.contains("fileb://server.key"),
        "{run}"
    );
    let run = bundle(sandbox, "sent.zip --extract-key").expect(0);
    assert!(
        run.stdout.contains("server.key") && !sandbox.join("example.com.key").exists(),
        "{run}"
    );

    std::fs::remove_file(sandbox.join("server.key")).unwrap();
    for (flags, way) in [
        ("", true),
        (" --format haproxy", true),
        (" --extract-key --format haproxy", false),
    ] {
        let run = bundle(sandbox, &format!("sent.zip --json{flags}"))
            .expect(0)
            .json();
        let finding = run["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["code"] == "key-in-delivery")
            .unwrap();
        assert_eq!(
            finding["next"].to_string().contains("--extract-key"),
            way,
            "{flags}: {finding}"
        );
    }
    assert_eq!(sandbox.read("example.com.key"), key);
}

#[test]
fn the_searched_keys_are_listed() {
    let issued = issued();
    let sandbox = &issued.sandbox;
    sandbox.run(&["csr", "other.example"]).expect(0);
    for own in ["example.com.key", "example.com.csr"] {
        std::fs::remove_file(sandbox.join(own)).unwrap();
    }
    let run = bundle(sandbox, "leaf.crt ca.pem --format pfx --pfx-empty-password").expect(3);
    assert!(run.stderr.contains("other.example.key"), "{run}");
    let document = bundle(sandbox, "leaf.crt ca.pem --json").expect(0).json();
    let missing = finding(&document, "key-missing");
    let message = missing["message"].as_str().unwrap();
    assert!(message.contains("other.example.key"), "{document}");
    // The chain needs no key, but an install does.
    let refused = ["install", "leaf.crt", "ca.pem", "--root", "tree", "--json"];
    let document = sandbox.run(&refused).expect(1).json();
    let next = finding(&document, "key-missing")["next"].to_string();
    for command in ["certctl status", "certctl csr --like leaf.crt"] {
        assert!(next.contains(command), "{command} is missing: {document}");
    }
    // The proposed command works.
    sandbox.run(&["csr", "--like", "leaf.crt"]).expect(0);
    let again = bundle(sandbox, "leaf.crt ca.pem --json").expect(1).json();
    assert!(
        again["findings"]
            .iter()
            .any(|one| one["severity"] == "error"),
        "the new key must not match the old certificate: {again}"
    );
}

#[test]
fn a_pfx_of_the_same_key_is_replaced_with_its_password() {
    let issued = issued();
    let sandbox = &issued.sandbox;
    for (file, password) in [
        ("one", "first\n"),
        ("two", "second\n"),
        ("emoji", "\u{1f511}\n"),
        ("bytes", "\u{0}"),
    ] {
        sandbox.write(file, password);
    }
    sandbox.write("bytes", b"\xff\xfe\n");
    let pfx = "leaf.crt ca.pem --format pfx --pfx-password-file";
    bundle(sandbox, &format!("{pfx} one")).expect(0);
    let before = std::fs::read(sandbox.join("example.com.pfx")).unwrap();
    let refused = |arguments: &str| {
        let run = bundle(sandbox, &format!("{arguments} --json")).expect(3);
        run.json()["error"].clone()
    };
    let error = refused(&format!("{pfx} two"));
    let message = error["message"].as_str().unwrap();
    assert_eq!(error["kind"], "exists", "{error}");
    assert!(
        message.contains("example.com.pfx") && message.contains("password"),
        "{error}"
    );
    assert!(
        error["next"].to_string().contains("--password-file"),
        "{error}"
    );
    assert_eq!(
        std::fs::read(sandbox.join("example.com.pfx")).unwrap(),
        before
    );
    bundle(sandbox, &format!("{pfx} two --password-file one")).expect(0);
    openssl(
        sandbox,
        "pkcs12 -in example.com.pfx -passin file:two -noout",
    );

    // A .pfx of another key is never replaced.
    openssl(
        sandbox,
        "req -x509 -newkey rsa:2048 -nodes -keyout x.pem -out x.crt -subj /CN=x",
    );
    openssl(
        sandbox,
        "pkcs12 -export -inkey x.pem -in x.crt -passout file:one -out example.com.pfx",
    );
    let error = refused(&format!("{pfx} two --password-file one"));
    assert_eq!(error["kind"], "exists", "{error}");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("example.com.pfx"),
        "{error}"
    );

    // The message about a bad new password names the new file.
    for file in ["emoji", "bytes"] {
        let run = bundle(sandbox, &format!("{pfx} {file} --out new.pfx")).expect(3);
        assert!(
            run.stderr.contains(".pfx") && run.stderr.contains("--pfx-password-file"),
            "{run}"
        );
    }
}

#[test]
fn rules_for_public_cas_do_not_apply_to_private_cas() {
    let issued = IssuedCertificate::new();
    let (from, to) = (
        support::ca::today(),
        support::ca::days(support::ca::today(), 400),
    );
    let years = support::ca::Leaf {
        not_before: from,
        not_after: to,
        ..Default::default()
    };
    let leaf = issued
        .ca
        .issue_as(&issued.sandbox.read("example.com.csr"), years);
    issued
        .sandbox
        .write("leaf.crt", leaf + &issued.ca.intermediate_pem());
    let document = bundle(&issued.sandbox, "leaf.crt --json").expect(0).json();
    let rule = LIFETIME.at(midnight_utc(from)).unwrap();
    let findings = document["findings"].to_string();
    assert!(
        findings.contains("401 days") && findings.contains(&rule.since.to_string()),
        "{document}"
    );
    assert!(
        document["findings"]
            .iter()
            .all(|one| one["severity"] == "note"),
        "{document}"
    );
}

#[test]
fn plain_http_is_recognized_by_its_port() {
    let listener = TcpListener::bind("127.0.0.1:8080")
        .or_else(|_| TcpListener::bind("127.0.0.1:8888"))
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let run = Sandbox::new()
        .run(&["inspect", &format!("127.0.0.1:{port}")])
        .expect(4);
    assert!(
        run.stderr.contains("certctl inspect 127.0.0.1:443") && !run.stderr.contains("smtp"),
        "{run}"
    );
}

#[test]
fn inspect_shows_weak_requests_and_public_keys() {
    let sandbox = Sandbox::new();
    openssl(
        &sandbox,
        "req -new -newkey rsa:1024 -nodes -keyout k.pem -out short.csr -subj /CN=short.example",
    );
    openssl(
        &sandbox,
        "req -new -sha1 -newkey rsa:2048 -nodes -keyout l.pem -out sha1.csr -subj /CN=old.example",
    );
    openssl(&sandbox, "pkey -in l.pem -pubout -out public.pem");
    for (file, name) in [("short.csr", "short.example"), ("sha1.csr", "old.example")] {
        let run = sandbox.run(&["inspect", file]).expect(0);
        assert!(
            run.stdout.contains(file) && run.stdout.contains(name),
            "{run}"
        );
        assert!(
            run.stdout
                .lines()
                .any(|line| line.starts_with("warning ") && line.contains(file)),
            "{run}"
        );
        let document = sandbox.run(&["inspect", file, "--json"]).expect(0).json();
        let item = &document["items"][0];
        assert_eq!(
            (&item["kind"], &item["signature_holds"]),
            (&"request".into(), &true.into()),
            "{document}"
        );
        let der = succeed(
            external_program("openssl")
                .args(["req", "-in", file, "-outform", "DER"])
                .current_dir(sandbox.path()),
        );
        assert!(!der.is_empty());
        sandbox.run(&["verify", file]).expect(3);
    }
    let run = sandbox.run(&["inspect", "public.pem"]).expect(0);
    assert!(
        run.stdout.contains("rsa-2048") && run.stdout.contains("public.pem"),
        "{run}"
    );
    let key = sandbox
        .run(&["inspect", "l.pem", "--json"])
        .expect(0)
        .json();
    let public = sandbox
        .run(&["inspect", "public.pem", "--json"])
        .expect(0)
        .json();
    assert_eq!(public["items"][0]["kind"], "public-key");
    assert_eq!(
        public["items"][0]["key"]["id"],
        key["items"][0]["key"]["id"]
    );
}
