//! Tests the rules that `certctl csr` checks before an order is paid: provokes every rule, and checks
//! its code, severity, reason, source and next step, and the effect of `--allow`.
//! Needs: openssl
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use std::collections::BTreeSet;

use base64::prelude::{BASE64_STANDARD, Engine};
use support::Sandbox;
use support::external::{external_program, succeed};
use support::json::Json;

/// The key printed in RFC 9500 2.3, which is publicly known.
const PRINTED: &str = "MHcCAQEEIObLW92AqkWunJXowVR2Z5/+yVPBaFHnEedDk5WJxk/BoAoGCCqGSM49AwEHoUQDQgAEQiVI+I+3gv+17KN0RFLHKh5Vj71vc75eSOkyMsxFxbFsTNEMTLjVuKFxOelIgsiZJXKZNCX0FBmrfpCkKklCcg==";

/// Code, severity, arguments, and a part of the source in the message.
const RULES: [(&str, &str, &str, &str); 22] = [
    ("address-as-name", "error", "192.0.2.1", "BR 3.2.2.5"),
    (
        "broken-key",
        "error",
        "acme.com www.acme.com --key printed.der",
        "BR 6.1.1.3",
    ),
    (
        "common-name-not-listed",
        "error",
        "acme.com www.acme.com --subject CN=other.com",
        "BR 7.1.4.3",
    ),
    (
        "country-code",
        "error",
        "acme.com www.acme.com --subject C=UKR",
        "RFC 5280 A.1",
    ),
    ("internal-name", "error", "intranet-box", "BR 4.2.2"),
    ("mailbox-as-name", "error", "ann@acme.com", "BR 7.1.2.7.12"),
    (
        "unsupported-key-type",
        "error",
        "acme.com www.acme.com --key-type ed25519",
        "BR 6.1.5",
    ),
    ("public-suffix", "error", "co.uk", "BR 3.2.2.6"),
    ("reserved-name", "error", "db.corp", "SC-086"),
    (
        "subject-too-long",
        "error",
        "acme.com www.acme.com --subject LONG",
        "RFC 5280 A.1",
    ),
    (
        "underscore-in-name",
        "error",
        "a_b.acme.com",
        "BR 7.1.2.7.12",
    ),
    (
        "unusual-key-type",
        "error",
        "acme.com www.acme.com --key-type ecdsa-p521",
        "Mozilla Root Store Policy 5.1",
    ),
    ("apex-missing", "warning", "www.acme.com", "RFC 9525"),
    (
        "client-auth",
        "warning",
        "--like before.csr",
        "Chrome Root Program Policy",
    ),
    (
        "key-reused",
        "warning",
        "acme.com www.acme.com --key mine.example.key",
        "NIST SP 800-57",
    ),
    (
        "look-alike-name",
        "warning",
        "p\u{430}ypal.com www.p\u{430}ypal.com",
        "UTS 39",
    ),
    ("must-staple", "warning", "--like before.csr", "RFC 7633"),
    ("rsa-too-short", "warning", "--like before.crt", "BR 6.1.5"),
    ("shared-suffix", "warning", "github.io", "publicsuffix.org"),
    ("too-many-names", "warning", "MANY", "several resellers"),
    ("www-missing", "warning", "acme.com", "RFC 9525"),
    (
        "organizational-unit",
        "note",
        "acme.com www.acme.com --subject OU=Web",
        "SC-047",
    ),
];

/// Another test provokes this rule.
const WILDCARD: &str = "wildcard-not-by-file";

/// Returns a folder with a known key, an earlier request and certificate, and another request.
fn sandbox_with_inputs() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("printed.der", BASE64_STANDARD.decode(PRINTED).unwrap());
    sandbox.write(
        "x.cnf",
        "[req]\ndistinguished_name=d\nreq_extensions=e\n[d]\n[e]\nsubjectAltName=DNS:acme.com,DNS:www.acme.com\n\
         extendedKeyUsage=serverAuth,clientAuth\ntlsfeature=status_request\n",
    );
    let openssl = |words: &str| {
        succeed(
            external_program("openssl")
                .args(words.split(' '))
                .current_dir(sandbox.path()),
        )
    };
    openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out before.pem");
    openssl("req -new -key before.pem -config x.cnf -subj /CN=acme.com -out before.csr");
    openssl(
        "req -x509 -newkey rsa:1024 -nodes -keyout before.pem -extensions e -config x.cnf -subj /CN=acme.com -out before.crt",
    );
    std::fs::remove_file(sandbox.join("before.pem")).unwrap();
    sandbox.run(&["csr", "mine.example"]).expect(0);
    sandbox
}

/// Returns the arguments of a row, with long ones in place of their abbreviations.
fn words(typed: &str) -> Vec<String> {
    let long = || format!("O={}", "x".repeat(65));
    let expand = |word: &str| match word {
        "LONG" => vec![long()],
        "MANY" => (0..101)
            .map(|number| format!("a{number}.acme.com"))
            .collect(),
        word => vec![word.to_owned()],
    };
    typed.split(' ').flat_map(expand).collect()
}

fn files(sandbox: &Sandbox) -> BTreeSet<std::ffi::OsString> {
    std::fs::read_dir(sandbox.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect()
}

fn found(document: &Json, code: &str) -> Json {
    let findings = document["findings"].as_array().unwrap();
    let finding = findings.iter().find(|one| one["code"] == code);
    finding
        .unwrap_or_else(|| panic!("no {code}: {document:#}"))
        .clone()
}

#[test]
fn every_rule_is_reported_with_severity_reason_source_and_next_step() {
    for (code, severity, typed, source) in RULES {
        let sandbox = sandbox_with_inputs();
        let before = files(&sandbox);
        let arguments = words(typed);
        let csr = |more: &[&str]| {
            let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
            sandbox.run(&[&["csr", "--json"], &words[..], more].concat())
        };
        let refuses = severity == "error";
        let document = csr(&[]).expect(i32::from(refuses)).json();
        let finding = found(&document, code);
        assert_eq!(finding["severity"], severity, "{code}");
        let message = finding["message"].as_str().unwrap();
        assert!(
            message.contains(source) && message.ends_with(')') && message.len() > source.len() + 20,
            "{message}"
        );
        if !refuses {
            continue;
        }
        assert_eq!(files(&sandbox), before, "{code}: a refusal writes nothing");
        assert!(
            !finding["next"].as_array().unwrap().is_empty(),
            "{code}: {finding}"
        );
        assert_eq!(document["request"], Json::Null, "{code}");
        // An allowed finding is still reported.
        let allowed = csr(&["--allow", code]).expect(0).json();
        let finding = found(&allowed, code);
        assert_eq!(finding["severity"], "warning", "{code}");
        let message = finding["message"].as_str().unwrap();
        assert!(
            message.ends_with(&format!("; accepted because of `--allow {code}`")),
            "{message}"
        );
        assert!(allowed["request"]["sha256"].as_str().is_some(), "{code}");
        // The refusal's next step allows this code.
        let allow = &document["next"].as_array().unwrap().last().unwrap()["argv"];
        let words: Vec<&str> = allow
            .as_array()
            .unwrap()
            .iter()
            .map(|word| word.as_str().unwrap())
            .collect();
        assert!(
            words.windows(2).any(|pair| pair == ["--allow", code]),
            "{code}: {words:?}"
        );
    }
}

/// A new rule needs a row here.
#[test]
fn every_rule_is_provoked() {
    let rules: BTreeSet<&str> = certctl::facade::csr_lint::codes().collect();
    let provoked: BTreeSet<&str> = RULES
        .iter()
        .map(|(code, ..)| *code)
        .chain([WILDCARD])
        .collect();
    assert_eq!(rules, provoked);
}

#[test]
fn requests_for_a_private_ca_are_not_restricted() {
    let sandbox = sandbox_with_inputs();
    for (number, typed) in [
        "192.0.2.1",
        "intranet-box",
        "ann@acme.com",
        "db.corp",
        "a_b.acme.com",
        "co.uk",
        "acme.com --key-type ed25519",
        "acme.com --key-type ecdsa-p521",
        "acme.com --subject CN=other.com,OU=Web",
        "MANY",
    ]
    .into_iter()
    .enumerate()
    {
        let arguments = words(typed);
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let stem = format!("own-{number}x");
        let document = sandbox
            .run(
                &[
                    &["csr", "--ca", "private", "--json", "--cert-name", &stem],
                    &words[..],
                ]
                .concat(),
            )
            .expect(0)
            .json();
        assert_eq!(
            (&document["findings"], &document["records"]),
            (&Json::Array(Vec::new()), &Json::Array(Vec::new()))
        );
        let submit = document["next"][0].to_string();
        assert!(
            submit.contains("certreq -submit -attrib CertificateTemplate:WebServer"),
            "{submit}"
        );
    }
}
