//! What is said where something is missing, damaged, locked or elsewhere: the cause first, then the
//! step that helps.
//! Needs: openssl
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::net::TcpListener;

use certctl::facade::pki::baseline_dates::{LIFETIME, midnight_utc};
use support::foreign::{foreign, succeed};
use support::order::Order;
use support::zip::zip;
use support::{Run, Sandbox};

/// A shop whose files are at hand: `leaf.crt` and `ca.pem`.
fn shop() -> Order {
    let shop = Order::new();
    shop.sandbox.write("leaf.crt", &shop.leaf);
    shop.sandbox.write("ca.pem", shop.ca.intermediate_pem());
    shop
}

fn bundle(sandbox: &Sandbox, words: &str) -> Run {
    let words: Vec<&str> = words.split(' ').collect();
    sandbox.run(&[&["bundle", "--trust", "root.pem"], words.as_slice()].concat())
}

fn openssl(sandbox: &Sandbox, words: &str) {
    succeed(
        foreign("openssl")
            .args(words.split(' '))
            .current_dir(sandbox.path()),
    );
}

#[test]
fn a_company_that_forgot_to_name_its_root_is_told_how() {
    let shop = shop();
    // Whose root lies in the folder is told to name that one.
    let here = shop
        .sandbox
        .run(&["bundle", "leaf.crt", "ca.pem"])
        .expect(1);
    assert!(
        here.stdout
            .contains("the same command with  --trust root.pem"),
        "{here}"
    );
    std::fs::remove_file(shop.sandbox.join("root.pem")).unwrap();
    let run = shop
        .sandbox
        .run(&["bundle", "leaf.crt", "ca.pem"])
        .expect(1);
    assert!(
        run.stdout
            .contains("an intermediate certificate is missing: nothing here issued Test DV CA R2"),
        "{run}"
    );
    assert!(
        run.stdout
            .contains("if it is of your company's CA, name its root too:  --trust root.pem"),
        "{run}"
    );
}

#[test]
fn a_damaged_intermediate_is_told_before_the_gap_that_it_leaves() {
    let shop = shop();
    let damaged = shop.ca.intermediate_pem().replacen("MII", "!!!", 1);
    shop.sandbox.write("ca.pem", damaged);
    for verb in ["bundle", "install"] {
        let args = [verb, "leaf.crt", "ca.pem", "--trust", "root.pem"];
        let more: &[&str] = if verb == "install" {
            &["--root", "tree"]
        } else {
            &[]
        };
        let run = shop.sandbox.run(&[&args[..], more].concat()).expect(1);
        let place = |text: &str| {
            run.stdout
                .find(text)
                .unwrap_or_else(|| panic!("no {text}: {run}"))
        };
        assert!(
            place("wrong  not used: ca.pem is damaged") < place("wrong  an intermediate"),
            "{run}"
        );
        assert!(
            run.stdout.contains("the missing certificate may be in it"),
            "{run}"
        );
    }
}

#[test]
fn a_key_is_named_by_its_own_file_and_never_doubled() {
    let shop = shop();
    let sandbox = &shop.sandbox;
    let key = sandbox.read("example.com.key");
    sandbox.write(
        "sent.zip",
        zip(&[("a.crt", &shop.chain()), ("a.key", &key)]),
    );
    std::fs::rename(sandbox.join("example.com.key"), sandbox.join("server.key")).unwrap();
    let run = bundle(sandbox, "sent.zip --for aws-acm").expect(0);
    assert!(
        run.stdout.contains("fits server.key") && run.stdout.contains("fileb://server.key"),
        "{run}"
    );
    let run = bundle(sandbox, "sent.zip --extract-key").expect(0);
    assert!(
        run.stdout.contains("kept   server.key\n") && !sandbox.join("example.com.key").exists(),
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
        let told = run["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["code"] == "key-in-delivery")
            .unwrap();
        assert_eq!(
            told["next"].to_string().contains("--extract-key"),
            way,
            "{flags}: {told}"
        );
    }
    assert_eq!(sandbox.read("example.com.key"), key);
}

#[test]
fn keys_that_were_looked_at_are_named() {
    let shop = shop();
    let sandbox = &shop.sandbox;
    sandbox.run(&["csr", "other.example"]).expect(0);
    for own in ["example.com.key", "example.com.csr"] {
        std::fs::remove_file(sandbox.join(own)).unwrap();
    }
    let run = bundle(sandbox, "leaf.crt ca.pem --format pfx --pfx-empty-password").expect(3);
    assert!(
        run.stderr
            .contains("the files of this folder, with the keys in other.example.key"),
        "{run}"
    );
    let run = bundle(sandbox, "leaf.crt ca.pem").expect(0);
    assert!(
        run.stdout
            .contains("looked at what was passed and the files of this folder, with the keys"),
        "{run}"
    );
    assert!(run.stdout.contains("certctl status DIR..."), "{run}");
    assert!(
        run.stdout
            .contains("reissued for a new request:  certctl csr --like leaf.crt\n"),
        "{run}"
    );
    // What is said to be done can be done.
    sandbox.run(&["csr", "--like", "leaf.crt"]).expect(0);
    let told = bundle(sandbox, "leaf.crt ca.pem").expect(1);
    assert!(
        told.stdout.contains("does not belong to the certificate"),
        "the new key is for the next one: {told}"
    );
}

#[test]
fn a_pfx_of_the_same_key_is_replaced_when_its_password_is_given() {
    let shop = shop();
    let sandbox = &shop.sandbox;
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
    let run = bundle(sandbox, &format!("{pfx} two")).expect(3);
    assert!(
        run.stderr
            .contains("example.com.pfx is locked with another password and is not overwritten"),
        "{run}"
    );
    assert!(
        run.stderr
            .contains("give its password:  --password-file FILE"),
        "{run}"
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

    // Of another key it is not, whatever is given.
    openssl(
        sandbox,
        "req -x509 -newkey rsa:2048 -nodes -keyout x.pem -out x.crt -subj /CN=x",
    );
    openssl(
        sandbox,
        "pkcs12 -export -inkey x.pem -in x.crt -passout file:one -out example.com.pfx",
    );
    let run = bundle(sandbox, &format!("{pfx} two --password-file one")).expect(3);
    assert!(
        run.stderr
            .contains("example.com.pfx holds a private key and is not overwritten"),
        "{run}"
    );

    // What is wrong with the new password is said of the new file.
    for (file, said) in [
        ("emoji", "the password for the new .pfx"),
        ("bytes", "it is the password for the new .pfx"),
    ] {
        let run = bundle(sandbox, &format!("{pfx} {file} --out new.pfx")).expect(3);
        assert!(
            run.stderr.contains(said) && run.stderr.contains("--pfx-password-file"),
            "{run}"
        );
    }
}

#[test]
fn what_only_public_cas_must_keep_is_not_held_against_a_company() {
    let shop = Order::new();
    let (from, to) = (
        support::ca::today(),
        support::ca::days(support::ca::today(), 400),
    );
    let years = support::ca::Leaf {
        not_before: from,
        not_after: to,
        ..Default::default()
    };
    let leaf = shop
        .ca
        .issue_as(&shop.sandbox.read("example.com.csr"), years);
    shop.sandbox
        .write("leaf.crt", leaf + &shop.ca.intermediate_pem());
    let run = bundle(&shop.sandbox, "leaf.crt").expect(0);
    let rule = LIFETIME.at(midnight_utc(from)).unwrap();
    let note = format!(
        "it is valid for 401 days; of what public CAs issue since {}",
        rule.since
    );
    assert!(run.stdout.contains(&note), "{run}");
    assert!(!run.stdout.contains("refuse it"), "{run}");
}

#[test]
fn a_web_server_without_tls_is_known_by_its_port() {
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
fn requests_that_nobody_takes_and_lone_public_keys_have_cards() {
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
            run.stdout
                .contains(&format!("csr    {file}\n       names   {name}")),
            "{run}"
        );
        assert!(run.stdout.contains("no CA takes today"), "{run}");
        let document = sandbox.run(&["inspect", file, "--json"]).expect(0).json();
        let item = &document["items"][0];
        assert_eq!(
            (&item["kind"], &item["signature_holds"]),
            (&"request".into(), &false.into()),
            "{document}"
        );
        let said = succeed(
            foreign("openssl")
                .args(["req", "-in", file, "-outform", "DER"])
                .current_dir(sandbox.path()),
        );
        assert!(!said.is_empty());
        sandbox.run(&["verify", file]).expect(3);
    }
    let run = sandbox.run(&["inspect", "public.pem"]).expect(0);
    assert!(
        run.stdout.starts_with("public rsa-2048, id ") && run.stdout.ends_with("(public.pem)\n"),
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
