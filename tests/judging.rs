//! Trust anchors and rules: `--trust`, `--prefer`, `--strict`, and findings about trust stores that
//! disagree.
//! Needs: openssl
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair};
use support::ca::{Leaf, days, today};
use support::issued_certificate::IssuedCertificate;
use support::json::Json;
use support::{Run, Sandbox};

/// Runs certctl on a machine whose trust store is the file `store`.
fn run_with_store(sandbox: &Sandbox, store: &str, args: &[&str]) -> Run {
    let mut command = sandbox.command(args);
    command.env("SSL_CERT_FILE", sandbox.join(store));
    sandbox.run_command(command)
}

/// Returns the findings with this code.
fn found(document: &Json, code: &str) -> Vec<Json> {
    let findings = document["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["code"] == code)
        .cloned()
        .collect()
}

fn severities(run: &Run) -> Vec<(String, String)> {
    let document = run.json();
    let findings = document["findings"].as_array().unwrap().iter();
    let text = |finding: &Json, field: &str| finding[field].as_str().unwrap().to_owned();
    findings
        .map(|finding| (text(finding, "code"), text(finding, "severity")))
        .collect()
}

#[test]
fn trust_stores_that_disagree_are_reported() {
    let setup = IssuedCertificate::new();
    setup.sandbox.write("good.pem", setup.chain());
    let mozilla = run_with_store(
        &setup.sandbox,
        "root.pem",
        &["verify", "good.pem", "--json"],
    )
    .expect(1)
    .json();
    assert_eq!(
        found(&mozilla, "missing-intermediate").len() + found(&mozilla, "unknown-root").len(),
        1,
        "{mozilla}"
    );
    let differs = &found(&mozilla, "trust-stores-disagree")[0];
    assert!(
        differs["next"][0]["text"]
            .as_str()
            .unwrap()
            .contains("--trust system"),
        "{differs}"
    );

    let system = ["verify", "good.pem", "--trust", "system", "--json"];
    let system = run_with_store(&setup.sandbox, "root.pem", &system)
        .expect(0)
        .json();
    assert_eq!(system["trust"], "this system's roots");
    assert!(
        found(&system, "trust-stores-disagree")[0]["message"]
            .as_str()
            .unwrap()
            .contains("Mozilla's list of 20"),
        "{system}"
    );

    // The system's store does not contain the root either.
    let neither = setup
        .sandbox
        .run(&["verify", "good.pem", "--json"])
        .expect(1)
        .json();
    assert!(found(&neither, "trust-stores-disagree").is_empty());
    setup.sandbox.write("empty.pem", "");
    let none = run_with_store(
        &setup.sandbox,
        "empty.pem",
        &["verify", "good.pem", "--trust", "system"],
    )
    .expect(3);
    assert!(none.stderr.contains("ca-certificates"), "{none}");
}

#[test]
fn missing_system_roots_are_a_note() {
    let setup = IssuedCertificate::new();
    setup
        .sandbox
        .write("le.pem", include_bytes!("../fixtures/letsencrypt.org.pem"));
    let args = ["verify", "le.pem", "--at", "2026-09-01T00:00:00Z", "--json"];
    for (store, is_reported) in [
        ("root.pem", true),
        ("le.pem", false),
        ("there-is-none.pem", false),
    ] {
        let run = run_with_store(&setup.sandbox, store, &args)
            .expect(0)
            .json();
        let differs = found(&run, "trust-stores-disagree");
        assert_eq!(differs.len(), usize::from(is_reported), "{store}: {run}");
        assert!(
            differs.iter().all(|one| one["severity"] == "note"),
            "{differs:?}"
        );
    }
    let system = [
        "verify",
        "le.pem",
        "--at",
        "2026-09-01T00:00:00Z",
        "--trust",
        "system",
        "--json",
    ];
    let run = run_with_store(&setup.sandbox, "root.pem", &system)
        .expect(1)
        .json();
    let differs = &found(&run, "trust-stores-disagree")[0];
    assert!(
        differs["next"][0]["text"]
            .as_str()
            .unwrap()
            .ends_with("`--trust mozilla`"),
        "{differs}"
    );
}

#[test]
fn system_trust_is_stored_in_the_settings() {
    let setup = IssuedCertificate::new();
    setup.sandbox.write("good.pem", setup.chain());
    let install = [
        "install", "good.pem", "--trust", "system", "--server", "none", "--root", "tree",
    ];
    std::fs::create_dir(setup.sandbox.join("tree")).unwrap();
    run_with_store(&setup.sandbox, "root.pem", &install).expect(0);
    let settings = setup
        .sandbox
        .read("tree/etc/ssl/certctl/example.com/settings.json");
    assert!(settings.contains("\"trust\": \"system\""), "{settings}");
}

#[test]
fn public_ca_rules_apply_to_public_cas_and_with_strict() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    let year = Leaf {
        not_before: days(today(), -1),
        not_after: days(today(), 364),
        ..Leaf::default()
    };
    let leaf = setup.ca.issue_as(&sandbox.read("example.com.csr"), year);
    sandbox.write("year.pem", format!("{leaf}{}", setup.ca.intermediate_pem()));
    let note = |severity: &str| vec![("validity-too-long".to_owned(), severity.to_owned())];

    let private = sandbox
        .run(&["verify", "year.pem", "--trust", "root.pem", "--json"])
        .expect(0);
    assert_eq!(severities(&private), note("note"));
    let strict = sandbox
        .run(&[
            "verify", "year.pem", "--trust", "root.pem", "--strict", "--json",
        ])
        .expect(1);
    assert_eq!(severities(&strict), note("error"));
    let public = ["verify", "year.pem", "--trust", "system", "--json"];
    let public = run_with_store(sandbox, "root.pem", &public).expect(1);
    assert_eq!(
        found(&public.json(), "validity-too-long")[0]["severity"],
        "error"
    );
    assert!(
        found(&public.json(), "validity-too-long")[0]["message"]
            .as_str()
            .unwrap()
            .contains("BR 6.3.2")
    );
    sandbox
        .run(&["bundle", "year.pem", "--trust", "root.pem"])
        .expect(0);
    run_with_store(
        sandbox,
        "root.pem",
        &["bundle", "year.pem", "--trust", "system", "--out", "x.pem"],
    )
    .expect(1);
    assert!(!sandbox.join("x.pem").exists());
}

/// Returns a certificate for the key of the sandbox, changed by `change` and signed by `issuer`.
fn signed(
    setup: &IssuedCertificate,
    issuer: &Issuer<'_, KeyPair>,
    change: impl FnOnce(&mut CertificateParams),
) -> String {
    let request = setup.sandbox.read("example.com.csr");
    let mut request = rcgen::CertificateSigningRequestParams::from_pem(&request).unwrap();
    request.params.not_before = rcgen::date_time_ymd(2026, 6, 1);
    request.params.not_after = rcgen::date_time_ymd(2026, 11, 1);
    request.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    change(&mut request.params);
    request.signed_by(issuer).unwrap().pem()
}

#[test]
fn warnings_refuse_only_with_strict() {
    let setup = IssuedCertificate::new();
    let any = |params: &mut CertificateParams| {
        params
            .extended_key_usages
            .push(ExtendedKeyUsagePurpose::Any)
    };
    let leaf = signed(&setup, &setup.ca.intermediate, any);
    setup
        .sandbox
        .write("any.pem", format!("{leaf}{}", setup.ca.intermediate_pem()));
    let verify = [
        "verify",
        "any.pem",
        "--trust",
        "system",
        "--at",
        "2026-07-01T00:00:00Z",
        "--json",
    ];
    let warned = run_with_store(&setup.sandbox, "root.pem", &verify)
        .expect(0)
        .json();
    assert_eq!(
        found(&warned, "any-extended-key-usage")[0]["severity"],
        "warning"
    );
    run_with_store(
        &setup.sandbox,
        "root.pem",
        &[verify.as_slice(), &["--strict"]].concat(),
    )
    .expect(1);
}

#[test]
fn cross_signed_roots_are_kept_unless_the_shortest_chain_is_requested() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    // An older root cross-signed the newer one.
    let old = rcgen::CertifiedIssuer::self_signed(
        support::ca::ca_params("Old Root"),
        KeyPair::generate().unwrap(),
    )
    .unwrap();
    let cross = support::ca::ca_params("Test Root R1")
        .signed_by(setup.ca.root.key(), &old)
        .unwrap()
        .pem();
    sandbox.write("old.pem", old.pem());
    sandbox.write("both.pem", format!("{}{}", old.pem(), setup.ca.root_pem()));
    sandbox.write(
        "delivered.pem",
        format!(
            "{cross}{}{}{}",
            setup.leaf,
            setup.ca.root_pem(),
            setup.ca.intermediate_pem()
        ),
    );
    for (trust, prefer, count) in [
        ("both.pem", "compatible", 3),
        ("both.pem", "shortest", 2),
        ("old.pem", "shortest", 3),
    ] {
        let args = [
            "bundle",
            "delivered.pem",
            "--trust",
            trust,
            "--prefer",
            prefer,
            "--out",
            "-",
        ];
        let printed = sandbox.run(&args).expect(0).stdout;
        assert_eq!(
            printed.matches("BEGIN CERTIFICATE").count(),
            count,
            "{trust} {prefer}"
        );
        assert!(!printed.contains(&setup.ca.root_pem()), "no root");
    }
}

#[test]
fn trust_files_may_have_any_format() {
    let setup = IssuedCertificate::new();
    let sandbox = &setup.sandbox;
    sandbox.write("good.pem", setup.chain());
    let openssl = |args: &[&str]| {
        let mut command = support::external::external_program("openssl");
        support::external::succeed(command.args(args).current_dir(sandbox.path()))
    };
    openssl(&[
        "x509", "-in", "root.pem", "-outform", "DER", "-out", "root.der",
    ]);
    openssl(&[
        "crl2pkcs7",
        "-nocrl",
        "-certfile",
        "root.pem",
        "-out",
        "root.p7b",
    ]);
    openssl(&[
        "crl2pkcs7",
        "-nocrl",
        "-certfile",
        "root.pem",
        "-outform",
        "DER",
        "-out",
        "root.p7c",
    ]);
    for roots in ["root.pem", "root.der", "root.p7b", "root.p7c"] {
        sandbox
            .run(&["verify", "good.pem", "--trust", roots])
            .expect(0);
    }
    let none = sandbox
        .run(&["verify", "good.pem", "--trust", "example.com.csr"])
        .expect(3);
    assert!(none.stderr.contains("example.com.csr"), "{none}");
}

#[test]
fn outdated_roots_are_reported() {
    let setup = IssuedCertificate::new();
    let gone = rcgen::CertifiedIssuer::self_signed(
        support::ca::ca_params("AddTrust External CA Root"),
        KeyPair::generate().unwrap(),
    )
    .unwrap();
    let old = support::ca::ca_params("USERTrust RSA Certification Authority")
        .signed_by(setup.ca.root.key(), &gone)
        .unwrap();
    setup
        .sandbox
        .write("sent.pem", format!("{}{}", setup.chain(), old.pem()));
    let verify = setup
        .sandbox
        .run(&["verify", "sent.pem", "--trust", "root.pem", "--json"])
        .expect(0)
        .json();
    let finding = &found(&verify, "outdated-ca")[0];
    assert_eq!(finding["severity"], "warning");
    assert!(
        finding["message"]
            .as_str()
            .unwrap()
            .contains("it expired on 2020-05-30"),
        "{finding}"
    );
    let bundle = setup
        .sandbox
        .run(&["bundle", "sent.pem", "--trust", "root.pem", "--json"])
        .expect(0)
        .json();
    assert_eq!(found(&bundle, "outdated-ca")[0]["severity"], "note");
}
