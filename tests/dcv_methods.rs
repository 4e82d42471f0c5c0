//! Tests `certctl dcv-check --method http` with a real web server, and `--method email` with a real
//! name server.
//! Needs: ip knotd nginx unshare
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeMap;

use support::dns::{NameServer, ZONE, free_port, port_53, with_port_53};
use support::json::Json;
use support::nginx::Nginx;
use support::{Run, Sandbox};

const UNIQUE: &str = "69ff68dc5168c";

/// The last second at which CAs accept domain validation by email (SC-090).
const EMAIL_DAY: &str = "2028-03-14T23:59:59Z";

/// The web servers of these tests are on loopback, which is reported for every name.
const INSIDE: &str = "address-not-public";

fn verdict(document: &Json) -> &str {
    assert_eq!(document["schema"], "certctl.dcv-check/1", "{document}");
    document["verdict"].as_str().unwrap()
}

fn codes(document: &Json) -> Vec<&str> {
    document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

/// Creates a request for `names`, and returns its MD5 and SHA-256.
fn request(sandbox: &Sandbox, names: &[&str]) -> (String, String) {
    let created = sandbox
        .run(&[&["csr", "--json"], names].concat())
        .expect(0)
        .json();
    let text = |field: &str| created["request"][field].as_str().unwrap().to_owned();
    (text("md5"), text("sha256"))
}

/// Returns a server block that answers for `host` at `path` with `answer`, and 404 for other paths.
fn block(listen: &str, host: &str, path: &str, answer: &str) -> String {
    format!(
        "server {{ listen {listen}; server_name {host};\n  location = {path} {{ default_type text/plain; {answer} }}\n  \
         location / {{ return 404; }} }}\n"
    )
}

#[test]
fn each_state_of_a_file_gets_its_verdict() {
    with_port_53("each_state_of_a_file_gets_its_verdict", || {
        let sandbox = Sandbox::new();
        let (web, unused) = (port_53(1, 40).ip(), port_53(1, 41).ip());
        let listen = format!("{web}:80");
        let mut blocks = String::new();
        let mut zone = String::new();
        let mut orders = BTreeMap::new();
        for name in [
            "good", "upper", "lower", "page", "text", "another", "unique", "moved", "silent",
            "nowhere",
        ] {
            let host = format!("{name}.shop.example");
            let (md5, sha256) = request(&sandbox, &[&host]);
            let path = format!("/.well-known/pki-validation/{}.txt", md5.to_uppercase());
            let body = |sha256: &str, unique: &str| {
                format!("return 200 \"{sha256}\\ncomodoca.com\\n{unique}\\n\";")
            };
            blocks += &match name {
                "good" => block(&listen, &host, &path, &body(&sha256, UNIQUE)),
                "upper" => block(&listen, &host, &path, &body(&sha256.to_uppercase(), UNIQUE)),
                "lower" => block(&listen, &host, &path.to_lowercase(), &body(&sha256, UNIQUE)),
                "page" => block(&listen, &host, &path, "return 200 \"<!doctype html><p>x\";"),
                "text" => block(&listen, &host, &path, "return 200 \"soon\";"),
                "another" => block(&listen, &host, &path, &body(&"0".repeat(64), UNIQUE)),
                "unique" => block(&listen, &host, &path, &body(&sha256, "other")),
                "moved" => block(
                    &listen,
                    &host,
                    &path,
                    "return 301 https://$host$request_uri;",
                ),
                _ => String::new(),
            };
            match name {
                "nowhere" => {}
                "silent" => zone += &format!("{name} A {unused}\n"),
                _ => zone += &format!("{name} A {web}\n"),
            }
            orders.insert(name, (host, md5, sha256));
        }
        let _web = Nginx::start(&sandbox.join("nginx"), &blocks);
        let dns = NameServer::knot(&zone);
        let at = dns.at();
        let check = |name: &str, more: &[&str]| -> Run {
            let (host, md5, sha256) = &orders[name];
            let given = format!(
                "_{md5}.{host} {}.{}.{UNIQUE}.comodoca.com",
                &sha256[..32],
                &sha256[32..]
            );
            let args = [
                "dcv-check",
                host,
                "--method",
                "http",
                "--resolver",
                &at,
                "--json",
            ];
            sandbox.run(&[&args[..], &["--record", &given], more].concat())
        };
        let (host, md5, sha256) = orders["good"].clone();
        let bare = sandbox
            .run(&[
                "dcv-check",
                &host,
                "--method",
                "http",
                "--resolver",
                &at,
                "--json",
            ])
            .expect(1)
            .json();
        assert_eq!(
            (verdict(&bare), codes(&bare)),
            ("unchecked", vec!["unique-value-unchecked", INSIDE])
        );
        for (name, code, expected, mut findings) in [
            ("good", 0, "visible", vec![]),
            ("upper", 0, "visible", vec![]),
            ("lower", 1, "absent", vec!["file-not-found"]),
            ("page", 1, "different", vec!["file-is-a-page"]),
            ("text", 1, "different", vec!["file-other-content"]),
            ("another", 1, "different", vec!["file-from-another-request"]),
            ("unique", 1, "different", vec!["wrong-unique-value"]),
            ("moved", 1, "wrong-place", vec!["file-redirected"]),
            ("silent", 4, "unreachable", vec!["web-server-no-answer"]),
            ("nowhere", 1, "absent", vec!["name-without-address"]),
        ] {
            let document = check(name, &[]).expect(code).json();
            findings.extend((name != "nowhere").then_some(INSIDE));
            assert_eq!(
                (verdict(&document), codes(&document)),
                (expected, findings),
                "{name}\n{document:#}"
            );
        }
        let record = &check("good", &[]).json()["records"][0];
        let url = format!(
            "http://{host}/.well-known/pki-validation/{}.txt",
            md5.to_uppercase()
        );
        assert_eq!(record["url"], url);
        assert_eq!(record["body"], format!("{sha256}\ncomodoca.com\n{UNIQUE}"));
        assert_eq!(
            (&record["type"], &record["complete"]),
            (&Json::from("HTTP"), &Json::Bool(true))
        );
        assert_eq!(record["servers"][0]["address"], format!("{web}:80"));
        assert_eq!(record["servers"][0]["answer"], "200");
    });
}

#[test]
fn every_name_needs_its_own_file_and_wildcards_have_none() {
    with_port_53(
        "every_name_needs_its_own_file_and_wildcards_have_none",
        || {
            let sandbox = Sandbox::new();
            let web = port_53(2, 42).ip();
            let names = ["shop.example", "www.shop.example"];
            let (md5, sha256) = request(&sandbox, &names);
            let path = format!("/.well-known/pki-validation/{}.txt", md5.to_uppercase());
            let file = format!("return 200 \"{sha256}\\nsectigo.com\";");
            let server = Nginx::start(
                &sandbox.join("nginx"),
                &block(&format!("{web}:80"), "shop.example", &path, &file),
            );
            // The server's first block answers for www too, so www has no address at first.
            let mut dns = NameServer::knot(&format!("@ A {web}"));
            let at = dns.at();
            let check = |name: &str| {
                sandbox.run(&[
                    "dcv-check",
                    name,
                    "--method",
                    "http",
                    "--ca",
                    "sectigo",
                    "--resolver",
                    &at,
                    "--json",
                ])
            };
            let document = check("shop.example").expect(1).json();
            assert_eq!(
                (verdict(&document), codes(&document)),
                (
                    "absent",
                    vec![INSIDE, "name-without-address", "www-will-be-dropped"]
                )
            );
            dns.publish(&format!("@ A {web}\nwww A {web}"), 2);
            assert_eq!(verdict(&check("shop.example").expect(0).json()), "visible");
            request(&sandbox, &["*.shop.example", "--cert-name", "wild"]);
            let wild = sandbox
                .run(&[
                    "dcv-check",
                    "wild.csr",
                    "--method",
                    "http",
                    "--resolver",
                    &at,
                    "--json",
                ])
                .expect(1)
                .json();
            assert_eq!(codes(&wild), ["wildcard-not-by-file"]);
            let run = sandbox.run(&[
                "dcv-check",
                "shop.example",
                "--method",
                "http",
                "--ca",
                "aws-acm",
                "--resolver",
                &at,
            ]);
            assert!(
                run.expect(3)
                    .stderr
                    .contains("does not offer validation by a file")
            );
            let file = |ca: &str| {
                let run = sandbox.run(&[
                    "dcv-check",
                    "shop.example",
                    "--method",
                    "http",
                    "--ca",
                    ca,
                    "--resolver",
                    &at,
                    "--json",
                ]);
                run.json()["records"][0]["url"]
                    .as_str()
                    .unwrap()
                    .rsplit('/')
                    .next()
                    .unwrap()
                    .to_owned()
            };
            assert_eq!(
                ["godaddy", "starfield", "digicert"].map(file),
                ["godaddy.html", "starfield.html", "fileauth.txt"]
            );
            // With a resolver on port 53, a private address is an error, not only a warning.
            let _resolver = NameServer::unbound(
                port_53(2, 53),
                dns.address,
                "  do-not-query-localhost: no\n",
            );
            let resolver = port_53(2, 53).ip().to_string();
            let args = [
                "dcv-check",
                "shop.example",
                "--method",
                "http",
                "--ca",
                "sectigo",
                "--json",
                "--resolver",
            ];
            let outside = || sandbox.run(&[&args[..], &[&resolver]].concat());
            let document = outside().expect(1).json();
            assert_eq!(
                (verdict(&document), codes(&document)),
                ("visible", vec![INSIDE, INSIDE]),
                "{document:#}"
            );
            assert_eq!(document["findings"][0]["severity"], "error");
            // The advice is not to open a port at a private address.
            drop(server);
            let document = outside().expect(4).json();
            assert!(
                !codes(&document).contains(&"web-server-no-answer"),
                "{document:#}"
            );
        },
    );
}

/// Replaces the values that differ from run to run by placeholders.
fn masked(output: &str, masks: &[(&str, &str)]) -> String {
    masks
        .iter()
        .fold(output.to_owned(), |output, (value, mask)| {
            output.replace(value, mask)
        })
}

#[test]
fn the_output_is_pinned() {
    with_port_53("the_output_is_pinned", || {
        let sandbox = Sandbox::new();
        let web = port_53(3, 43).ip();
        let (md5, sha256) = request(&sandbox, &["shop.example"]);
        let path = format!("/.well-known/pki-validation/{}.txt", md5.to_uppercase());
        let wrong = block(
            &format!("{web}:80"),
            "shop.example",
            &path,
            "return 200 \"<html>soon\";",
        );
        let right = wrong.replace("<html>soon", &format!("{sha256}\\nsectigo.com"));
        let dns = NameServer::knot(&format!("@ A {web}\n@ MX 10 mail.example.net."));
        let (at, upper) = (dns.at(), md5.to_uppercase());
        let (web, masks) = (
            web.to_string(),
            [
                (&*upper, "[MD5]"),
                (&*sha256, "[SHA256]"),
                (&*at, "[RESOLVER]"),
            ],
        );
        let check = |method: &str, more: &[&str]| {
            let args = [
                "dcv-check",
                "--method",
                method,
                "--ca",
                "sectigo",
                "--resolver",
                &at,
            ];
            let when = if method == "email" {
                &["--at", EMAIL_DAY][..]
            } else {
                &[]
            };
            let run = sandbox.run(&[&args[..], when, more].concat());
            let output = if more.is_empty() {
                run.to_string()
            } else {
                format!("{:#}\n--- exit {}", run.json(), run.code)
            };
            masked(&output, &masks).replace(&web, "[WEB]")
        };
        let server = Nginx::start(&sandbox.join("nginx"), &wrong);
        insta::assert_snapshot!("http_different", check("http", &[]));
        insta::assert_snapshot!("http_different_json", check("http", &["--json"]));
        drop(server);
        let _server = Nginx::start(&sandbox.join("again"), &right);
        insta::assert_snapshot!("http_visible", check("http", &[]));
        insta::assert_snapshot!("email", check("email", &[]));
        insta::assert_snapshot!("email_json", check("email", &["--json"]));
    });
}

#[test]
fn unconfirmed_rules_of_a_ca_are_reported() {
    let sandbox = Sandbox::new();
    let created = sandbox
        .run(&["csr", "www.shop.example", "--ca", "certum"])
        .expect(0);
    assert!(
        created
            .stdout
            .contains("unconfirmed for Certum: the host name of its TXT record"),
        "{created}"
    );
    let dns = NameServer::knot("@ MX 10 mail.example.net.");
    let at = dns.at();
    let check =
        |more: &[&str]| sandbox.run(&[&["dcv-check", "--resolver", &at, "--json"], more].concat());
    assert!(codes(&check(&[]).expect(1).json()).contains(&"ca-rule-unconfirmed"));
    let email = check(&["--method", "email", "--ca", "digicert", "--at", EMAIL_DAY])
        .expect(1)
        .json();
    assert_eq!(
        codes(&email),
        ["ca-rule-unconfirmed", "mailbox-unchecked", "email-dcv-ends"]
    );
    let given = check(&["--record", "www.shop.example TXT abc"])
        .expect(1)
        .json();
    assert!(
        !codes(&given).contains(&"ca-rule-unconfirmed"),
        "the CA's own record was given: {given:#}"
    );
}

#[test]
fn mail_delivery_is_read_from_the_dns() {
    let sandbox = Sandbox::new();
    request(&sandbox, &["www.shop.example"]);
    let mut dns = NameServer::knot("");
    let at = dns.at();
    let check = |on: &str| {
        sandbox.run(&[
            "dcv-check",
            "--method",
            "email",
            "--resolver",
            &at,
            "--json",
            "--at",
            on,
        ])
    };
    for (serial, (zone, expected, findings)) in (2..).zip([
        ("", "absent", vec!["no-mail-for-domain", "email-dcv-ends"]),
        (
            "@ MX 0 .\nwww MX 0 .",
            "absent",
            vec!["no-mail-for-domain", "email-dcv-ends"],
        ),
        (
            "@ MX 10 mail.example.net.",
            "unchecked",
            vec!["mailbox-unchecked", "email-dcv-ends"],
        ),
        (
            "www A 192.0.2.80",
            "unchecked",
            vec!["mailbox-unchecked", "email-dcv-ends"],
        ),
        (
            "_validation-contactemail TXT dns@example.net",
            "unchecked",
            vec!["mailbox-unchecked", "email-dcv-ends"],
        ),
    ]) {
        dns.publish(zone, serial);
        let document = check(EMAIL_DAY).expect(1).json();
        assert_eq!(
            (verdict(&document), codes(&document)),
            (expected, findings),
            "{zone}\n{document:#}"
        );
    }
    let document = check(EMAIL_DAY).json();
    let mailboxes = document["records"][0]["mailboxes"].as_array().unwrap();
    let domains: Vec<_> = mailboxes
        .iter()
        .map(|one| one["domain"].as_str().unwrap())
        .collect();
    assert_eq!(
        domains,
        ["www.shop.example", "shop.example"],
        "the CA climbs to the registrable domain"
    );
    assert_eq!(mailboxes[1]["addresses"][4], "postmaster@shop.example");
    assert_eq!(mailboxes[1]["contacts"][0], "dns@example.net");
    let after = check("2028-03-15T00:00:00Z").json();
    assert!(codes(&after).contains(&"email-dcv-ended"));
    let silent = sandbox
        .run(&[
            "dcv-check",
            "--method",
            "email",
            "--resolver",
            "127.0.0.1:1",
            "--json",
        ])
        .expect(4)
        .json();
    assert_eq!(verdict(&silent), "unreachable");
}

#[test]
fn failed_lookups_are_not_reported_as_absent() {
    let sandbox = Sandbox::new();
    request(&sandbox, &["shop.example"]);
    let broken = NameServer::knot_serving(&[free_port()], ZONE, None, "");
    let at = broken.at();
    for (method, finding) in [
        ("http", "addresses-not-found"),
        ("email", "mail-lookup-failed"),
    ] {
        let run = sandbox
            .run(&["dcv-check", "--method", method, "--resolver", &at, "--json"])
            .expect(4)
            .json();
        assert_eq!(
            (verdict(&run), codes(&run)[0]),
            ("unreachable", finding),
            "{run:#}"
        );
    }
    let taken = NameServer::knot("@ MX 10 mail.example.net.");
    let run = sandbox.run(&[
        "dcv-check",
        "--method",
        "email",
        "--ca",
        "private",
        "--resolver",
        &taken.at(),
        "--json",
        "--at",
        EMAIL_DAY,
    ]);
    assert_eq!(
        codes(&run.expect(1).json()),
        ["email-not-accepted", "mailbox-unchecked", "email-dcv-ends"]
    );
}
