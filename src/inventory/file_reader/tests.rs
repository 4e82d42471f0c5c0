//! The full reader judges the short one: where the short one says anything at all, both say the
//! same.

use super::{ItemContent, Keys, glance, whole};
use crate::inventory::file_reader::fast_path;
use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::testing::{Authority, site_key};

/// How many files the short reader read itself.
fn judge<'a>(files: impl IntoIterator<Item = (String, &'a [u8])>) -> usize {
    let told = |found: &[ItemContent]| {
        found
            .iter()
            .map(|what| format!("{what:?}"))
            .collect::<Vec<_>>()
    };
    let mut read = 0;
    for (name, bytes) in files {
        let full = told(&whole(bytes, 0o600));
        assert_eq!(told(&glance(bytes, 0o600, Keys::Checked)), full, "{name}");
        read += usize::from(fast_path::read(bytes, 0o600, Keys::Checked).is_some());
        if let Some(mut found) = fast_path::read(bytes, 0o600, Keys::Named) {
            // A key that cannot be used is named all the same.
            found.retain(|what| {
                !matches!(what, ItemContent::Key(_)) || full.contains(&format!("{what:?}"))
            });
            assert_eq!(told(&found), full, "{name}");
        }
    }
    read
}

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    crate::pki::pem::encode(label, der).into_bytes()
}

/// A chain of three as PEM and the same as three files of DER, and a key of each kind.
fn made() -> Vec<(String, Vec<u8>)> {
    let (root, middle) = (
        Authority::new("Root"),
        Authority::new("Middle, with \"odd\" = letters; and #"),
    );
    let names = ["a.example", "*.b.example", "192.0.2.1", "2001:db8::1"];
    let chain = [
        middle.leaf_as(&names, &site_key(), |_| {}),
        root.certify(&middle),
        root.root(),
    ];
    let all: String = chain.iter().map(Certificate::to_pem).collect();
    let mut made = vec![("chain.pem".to_owned(), all.clone().into_bytes())];
    made.push((
        "chain with CR LF".to_owned(),
        all.replace('\n', "\r\n").into_bytes(),
    ));
    made.extend(chain.iter().map(|one| (one.label(), one.der().to_vec())));
    for algorithm in [
        KeyAlgorithm::EcdsaP256,
        KeyAlgorithm::EcdsaP384,
        KeyAlgorithm::EcdsaP521,
        KeyAlgorithm::Ed25519,
        KeyAlgorithm::Rsa(2048),
    ] {
        let key = PrivateKey::generate(algorithm).unwrap();
        made.push((algorithm.to_string(), key.to_pem().as_bytes().to_vec()));
        made.push((
            format!("{algorithm} and chain"),
            [key.to_pem().as_bytes(), all.as_bytes()].concat(),
        ));
        // What is in PKCS#8: PKCS#1 or SEC1.
        let inner = key
            .pkcs8()
            .windows(2)
            .rposition(|part| part == [0x04, 0x82]);
        made.extend(inner.map(|at| {
            (
                format!("{algorithm} PKCS#1"),
                pem("RSA PRIVATE KEY", &key.pkcs8()[at + 4..]),
            )
        }));
    }
    made
}

#[test]
fn what_is_plain_is_read_the_short_way() {
    let made = made();
    // Ed25519 keys do not name their public half, and are read in full.
    let count = judge(
        made.iter()
            .map(|(name, bytes)| (name.clone(), bytes.as_slice())),
    );
    assert!(count >= 14, "{count} of {}", made.len());
    let named = |what: &str| {
        let (_, bytes) = made.iter().find(|(name, _)| name == what).unwrap();
        !fast_path::read(bytes, 0, Keys::Named).unwrap().is_empty()
    };
    assert!(named("rsa-2048") && named("ecdsa-p384"));
}

fn judge_certificate(name: &str, der: &[u8]) -> bool {
    let short = Certificate::from_plain_der(der);
    if let Some(short) = &short {
        let full = Certificate::from_der(der)
            .unwrap_or_else(|_| panic!("{name}: only the short reader reads it"));
        assert_eq!(format!("{short:?}"), format!("{full:?}"), "{name}");
    }
    short.is_some()
}

/// Each octet of a certificate changed in every way that moves a boundary, and the text around keys
/// and certificates cut, doubled and changed.
#[test]
fn both_readers_agree_on_what_is_damaged() {
    let made = made();
    let mut still = 0;
    for (name, bytes) in made.iter().filter(|(_, bytes)| bytes[0] == 0x30) {
        for place in 0..bytes.len() {
            for change in [0x01, 0x02, 0x20, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[place] ^= change;
                still += usize::from(judge_certificate(
                    &format!("{name}: {place} ^ {change}"),
                    &changed,
                ));
            }
        }
    }
    assert!(still > 1000, "{still}");
    for (name, bytes) in made.iter().filter(|(_, bytes)| bytes[0] != 0x30) {
        for place in (0..bytes.len()).step_by(131) {
            for put in [
                &b""[..],
                b"\n",
                b"\r\n",
                b"-",
                b"=",
                b"A",
                b" ",
                b"\0",
                b":",
                b"-----BEGIN CERTIFICATE-----\n",
            ] {
                let inserted = [&bytes[..place], put, &bytes[place..]].concat();
                let replaced = [&bytes[..place], put, &bytes[place + 1..]].concat();
                let cut = [&bytes[..place], put].concat();
                let at = format!("{name}: {put:?} at {place}");
                judge([
                    (at.clone(), &inserted[..]),
                    (at.clone(), &replaced[..]),
                    (at, &cut[..]),
                ]);
            }
        }
    }
}
