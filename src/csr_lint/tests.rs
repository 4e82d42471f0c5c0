//! One row a rule: what is asked for, and the codes of what is wrong with it.

use super::{EarlierContent, LintFault, LintedRequest, RequestChange, ReusedKey, faults};
use crate::dcv::ca::Ca;
use crate::pki::alt_name::AltNames;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::subject::SubjectName;

/// The order of these names with the usual key, changed.
fn judged(
    names: &[&str],
    subject: &str,
    change: impl FnOnce(&mut LintedRequest<'_>),
) -> Vec<LintFault> {
    let names = AltNames::parse(names).unwrap();
    let subject = SubjectName::parse(subject).unwrap().or_named(&names);
    let (algorithm, before) = (KeyAlgorithm::EcdsaP256, EarlierContent::default());
    let mut order = LintedRequest {
        names: &names,
        subject: &subject,
        algorithm,
        reused: None,
        before,
        ca: None,
    };
    change(&mut order);
    faults(&order)
}

fn codes(faults: &[LintFault]) -> Vec<&'static str> {
    faults.iter().map(|fault| fault.rule.code).collect()
}

#[test]
fn names_are_judged() {
    for (names, wanted) in [
        (&["example.com", "www.example.com"][..], &[][..]),
        (&["mail.example.com"], &[]),
        (&["shop.example", "*.b.example"], &[]),
        (&["example.com"], &["www-missing"]),
        (&["www.example.co.uk"], &["apex-missing"]),
        (&["www.mail.example.com"], &[]),
        (&["example.com", "*.example.com"], &["wildcard-not-by-file"]),
        (
            &["*.example.com"],
            &["apex-missing", "wildcard-not-by-file"],
        ),
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
        (&["me.github.io", "www.me.github.io"], &[]),
        (&["a_b.example.com"], &["underscore-in-name"]),
        (&["192.0.2.1"], &["address-as-name"]),
        (&["ann@example.com"], &["mailbox-as-name"]),
        (
            &["p\u{430}ypal.com", "www.p\u{430}ypal.com"],
            &["look-alike-name", "look-alike-name"],
        ),
    ] {
        assert_eq!(codes(&judged(names, "", |_| {})), wanted, "{names:?}");
        let private = judged(names, "", |order| order.ca = Some(Ca::Private));
        assert!(
            codes(&private)
                .iter()
                .all(|code| *code == "look-alike-name"),
            "{names:?}: {private:?}"
        );
    }
}

#[test]
fn a_fault_has_its_cure() {
    let cure = |names: &[&str]| judged(names, "", |_| {}).remove(0).cure;
    assert_eq!(
        cure(&["example.com"]),
        Some(RequestChange::Add(vec!["www.example.com".into()]))
    );
    assert_eq!(
        cure(&["a.example.com", "db", "nas"]),
        Some(RequestChange::Leave(vec!["db".into(), "nas".into()]))
    );
    assert_eq!(cure(&["db"]), Some(RequestChange::Private));
}

#[test]
fn names_are_counted() {
    let many: Vec<String> = (0..101)
        .map(|number| format!("a{number}.example.com"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(codes(&judged(&many, "", |_| {})), ["too-many-names"]);
    assert_eq!(codes(&judged(&many[1..], "", |_| {})), [""; 0]);
}

#[test]
fn subjects_are_judged() {
    let names = ["example.com", "www.example.com"];
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
        assert_eq!(codes(&judged(&names, subject, |_| {})), public, "{subject}");
        assert_eq!(
            codes(&judged(&names, subject, |order| order.ca = Some(Ca::Private))),
            private,
            "{subject}"
        );
    }
}

#[test]
fn keys_are_judged() {
    let names = ["example.com", "www.example.com"];
    for (algorithm, wanted) in [
        (KeyAlgorithm::EcdsaP384, &[][..]),
        (KeyAlgorithm::Rsa(2048), &[]),
        (KeyAlgorithm::Rsa(1024), &["unsupported-key-type"]),
        (KeyAlgorithm::EcdsaP521, &["unusual-key-type"]),
        (KeyAlgorithm::Ed25519, &["unsupported-key-type"]),
    ] {
        let judged = |ca| {
            codes(&judged(&names, "", |order| {
                (order.algorithm, order.ca) = (algorithm, ca)
            }))
        };
        assert_eq!(judged(None), wanted, "{algorithm}");
        assert_eq!(judged(Some(Ca::Sectigo)), wanted, "{algorithm}");
        assert_eq!(judged(Some(Ca::Private)), [""; 0], "{algorithm}");
    }
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let reused = ReusedKey {
        spki: key.spki().to_vec(),
        others: vec!["old.csr".into()],
    };
    assert_eq!(
        codes(&judged(&names, "", |order| order.reused = Some(reused))),
        ["key-reused"]
    );
    let before = EarlierContent {
        client_auth: true,
        must_staple: true,
        short_rsa: Some(1024),
    };
    let found = judged(&names, "", |order| order.before = before);
    assert_eq!(
        codes(&found),
        ["client-auth", "must-staple", "rsa-too-short"]
    );
}
