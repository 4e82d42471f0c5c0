//! Tests each rule with a request and the codes of its faults.

use super::{
    EarlierContent, LintFault, LintedRequest, RequestChange, ReusedKey, find_faults,
    repair_together,
};
use crate::dcv::ca::Ca;
use crate::finding::Severity;
use crate::pki::alt_name::AltNames;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::subject::SubjectName;

/// The faults of a request for `names` with the default key, after `change`.
fn lint(
    names: &[&str],
    subject: &str,
    change: impl FnOnce(&mut LintedRequest<'_>),
) -> Vec<LintFault> {
    let names = AltNames::parse(names).unwrap();
    let subject = SubjectName::parse(subject).unwrap().or_named(&names);
    let mut request = LintedRequest {
        names: &names,
        subject: &subject,
        algorithm: KeyAlgorithm::EcdsaP256,
        reused_key: None,
        earlier_content: EarlierContent::default(),
        ca: None,
    };
    change(&mut request);
    find_faults(&request)
}

fn lint_names(names: &[&str]) -> Vec<LintFault> {
    lint(names, "", |_| {})
}

fn lint_for_ca(names: &[&str], subject: &str, ca: Ca) -> Vec<LintFault> {
    lint(names, subject, |request| request.ca = Some(ca))
}

fn codes(faults: &[LintFault]) -> Vec<&'static str> {
    faults.iter().map(|fault| fault.rule.code).collect()
}

type NameRow = (&'static [&'static str], &'static [&'static str]);

const ACCEPTED_NAMES: [NameRow; 5] = [
    (&["example.com", "www.example.com"], &[]),
    (&["mail.example.com"], &[]),
    (&["shop.example", "*.b.example"], &[]),
    (&["www.mail.example.com"], &[]),
    (&["me.github.io", "www.me.github.io"], &[]),
];

const RELATED_NAMES: [NameRow; 4] = [
    (&["example.com"], &["www-missing"]),
    (&["www.example.co.uk"], &["apex-missing"]),
    (&["example.com", "*.example.com"], &["wildcard-not-by-file"]),
    (
        &["*.example.com"],
        &["apex-missing", "wildcard-not-by-file"],
    ),
];

const REFUSED_NAMES: [NameRow; 13] = [
    (&["db"], &["internal-name"]),
    (&["db.corporation"], &["internal-name"]),
    (&["db.corp"], &["reserved-name"]),
    (&["localhost"], &["reserved-name"]),
    (
        &["nas.local", "nas.home.arpa"],
        &["reserved-name", "reserved-name"],
    ),
    (&["1.2.0.192.in-addr.arpa"], &["reserved-name"]),
    (&["com"], &["public-suffix"]),
    (&["co.uk"], &["public-suffix"]),
    (&["*.co.uk"], &["public-suffix"]),
    (&["github.io"], &["shared-suffix"]),
    (&["a_b.example.com"], &["underscore-in-name"]),
    (&["192.0.2.1"], &["address-as-name"]),
    (&["ann@example.com"], &["mailbox-as-name"]),
];

const LOOK_ALIKE_NAMES: [NameRow; 1] = [(
    &["p\u{430}ypal.com", "www.p\u{430}ypal.com"],
    &["look-alike-name", "look-alike-name"],
)];

/// Checks each row for a public CA, and that a private CA accepts all but look-alike names.
fn check_names(rows: &[NameRow]) {
    for (names, expected) in rows {
        assert_eq!(codes(&lint_names(names)), *expected, "{names:?}");
        let private = lint_for_ca(names, "", Ca::Private);
        let accepted = codes(&private)
            .iter()
            .all(|code| *code == "look-alike-name");
        assert!(accepted, "{names:?}: {private:?}");
    }
}

#[test]
fn usual_names_have_no_faults() {
    check_names(&ACCEPTED_NAMES);
}

#[test]
fn missing_related_names_are_reported() {
    check_names(&RELATED_NAMES);
}

#[test]
fn names_that_public_cas_refuse_are_reported() {
    check_names(&REFUSED_NAMES);
}

#[test]
fn look_alike_names_are_reported_for_every_ca() {
    check_names(&LOOK_ALIKE_NAMES);
}

#[test]
fn faults_carry_the_change_that_repairs_them() {
    let rows: [(&[&str], RequestChange); 3] = [
        (
            &["example.com"],
            RequestChange::Add(vec!["www.example.com".into()]),
        ),
        (
            &["a.example.com", "db", "nas"],
            RequestChange::Omit(vec!["db".into(), "nas".into()]),
        ),
        (&["db"], RequestChange::Private),
    ];
    for (names, expected) in rows {
        let first = lint_names(names).remove(0);
        assert_eq!(first.repair, [expected], "{names:?}");
    }
}

#[test]
fn errors_are_repaired_together() {
    let rows: [(&[&str], &[&str], RequestChange); 4] = [
        (
            &["a.example.com", "db", "192.0.2.1", "ann@example.com"],
            &[],
            RequestChange::Omit(vec![
                "db".into(),
                "192.0.2.1".into(),
                "ann@example.com".into(),
            ]),
        ),
        (
            &["a.example.com", "db", "192.0.2.1"],
            &["internal-name"],
            RequestChange::Omit(vec!["192.0.2.1".into()]),
        ),
        (&["db", "192.0.2.1"], &[], RequestChange::Private),
        (
            &["a_b.example.com", "192.0.2.1"],
            &[],
            RequestChange::Private,
        ),
    ];
    for (names, allowed, expected) in rows {
        let mut faults = lint_names(names);
        repair_together(&mut faults, allowed, names.len());
        let errors = faults.iter().filter(|fault| {
            fault.rule.severity == Severity::Error && !allowed.contains(&fault.rule.code)
        });
        for fault in errors {
            assert_eq!(fault.repair, std::slice::from_ref(&expected), "{names:?}");
        }
    }
}

#[test]
fn more_than_100_names_are_reported() {
    let many: Vec<String> = (0..101)
        .map(|number| format!("a{number}.example.com"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(codes(&lint_names(&many)), ["too-many-names"]);
    assert_eq!(codes(&lint_names(&many[1..])), [""; 0]);
}

const SITE_NAMES: [&str; 2] = ["example.com", "www.example.com"];

#[test]
fn invalid_subjects_are_reported() {
    let long = format!("O={}", "a".repeat(65));
    for (subject, public, private) in [
        ("O=Acme,C=DE", &[][..], &[][..]),
        ("CN=www.example.com", &[], &[]),
        ("CN=Acme", &["common-name-not-listed"], &[]),
        (
            "CN=a.example,CN=example.com",
            &["common-name-not-listed"],
            &[],
        ),
        ("OU=a,OU=b", &["organizational-unit"], &[]),
        ("C=de", &["country-code"], &["country-code"]),
        ("C=GER", &["country-code"], &["country-code"]),
        (&long, &["subject-too-long"], &["subject-too-long"]),
    ] {
        let public_faults = lint(&SITE_NAMES, subject, |_| {});
        assert_eq!(codes(&public_faults), public, "{subject}");
        let private_faults = lint_for_ca(&SITE_NAMES, subject, Ca::Private);
        assert_eq!(codes(&private_faults), private, "{subject}");
    }
}

#[test]
fn unusual_key_kinds_are_reported_for_public_cas() {
    for (algorithm, expected) in [
        (KeyAlgorithm::EcdsaP384, &[][..]),
        (KeyAlgorithm::Rsa(2048), &[]),
        (KeyAlgorithm::Rsa(1024), &["unsupported-key-type"]),
        (KeyAlgorithm::EcdsaP521, &["unusual-key-type"]),
        (KeyAlgorithm::Ed25519, &["unsupported-key-type"]),
    ] {
        for (ca, expected) in [
            (None, expected),
            (Some(Ca::Sectigo), expected),
            (Some(Ca::Private), &[]),
        ] {
            let found = lint(&SITE_NAMES, "", |request| {
                request.algorithm = algorithm;
                request.ca = ca;
            });
            assert_eq!(codes(&found), expected, "{algorithm} {ca:?}");
        }
    }
}

#[test]
fn reused_keys_are_reported() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let reused = ReusedKey {
        spki: key.spki().to_vec(),
        also_used_by: vec!["old.csr".into()],
    };
    let found = lint(&SITE_NAMES, "", |request| request.reused_key = Some(reused));
    assert_eq!(codes(&found), ["key-reused"]);
}

#[test]
fn omitted_content_of_the_earlier_certificate_is_reported() {
    let earlier = EarlierContent {
        client_auth: true,
        must_staple: true,
        short_rsa: Some(1024),
    };
    let found = lint(&SITE_NAMES, "", |request| request.earlier_content = earlier);
    assert_eq!(
        codes(&found),
        ["client-auth", "must-staple", "rsa-too-short"]
    );
}
