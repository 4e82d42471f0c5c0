//! Compares the fast path with the full reader: both must return the same items.

use super::{ItemContent, Keys, read_items, read_items_in_full};
use crate::inventory::file_reader::fast_path;
use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::pki::testing::{Authority, site_key};

/// The mode of each file, which is only passed through.
const MODE: Mode = Mode::new(0o600);

/// Compares both readers and returns how many files the fast path read.
fn compare_readers<'a>(files: impl IntoIterator<Item = (String, &'a [u8])>) -> usize {
    let mut read = 0;
    for (name, bytes) in files {
        let full = in_debug_form(&read_items_in_full(bytes, MODE));
        let both = read_items(bytes, MODE, Keys::Checked);
        assert_eq!(in_debug_form(&both), full, "{name}");
        read += usize::from(fast_path::read(bytes, MODE, Keys::Checked).is_some());
        if let Some(mut found) = fast_path::read(bytes, MODE, Keys::Identified) {
            // A damaged key may still be identified.
            found.retain(|item| {
                !matches!(item, ItemContent::Key(_)) || full.contains(&format!("{item:?}"))
            });
            assert_eq!(in_debug_form(&found), full, "{name}");
        }
    }
    read
}

fn in_debug_form(items: &[ItemContent]) -> Vec<String> {
    items.iter().map(|item| format!("{item:?}")).collect()
}

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    crate::pki::pem::encode(label, der).into_bytes()
}

/// A chain of three as PEM and as three DER files, and a key of each algorithm.
fn sample_files() -> Vec<(String, Vec<u8>)> {
    let chain = sample_chain();
    let pem: String = chain.iter().map(Certificate::to_pem).collect();
    let mut files = vec![
        ("chain.pem".to_owned(), pem.clone().into_bytes()),
        (
            "chain with CR LF".to_owned(),
            pem.replace('\n', "\r\n").into_bytes(),
        ),
    ];
    files.extend(chain.iter().map(|one| (one.label(), one.der().to_vec())));
    for algorithm in [
        KeyAlgorithm::EcdsaP256,
        KeyAlgorithm::EcdsaP384,
        KeyAlgorithm::EcdsaP521,
        KeyAlgorithm::Ed25519,
        KeyAlgorithm::Rsa(2048),
    ] {
        files.extend(key_files(algorithm, &pem));
    }
    files
}

fn sample_chain() -> [Certificate; 3] {
    let root = Authority::new("Root");
    let middle = Authority::new("Middle, with \"odd\" = letters; and #");
    let names = ["a.example", "*.b.example", "192.0.2.1", "2001:db8::1"];
    [
        middle.leaf_as(&names, &site_key(), |_| {}),
        root.certify(&middle),
        root.root(),
    ]
}

/// A key alone, with a chain, and the PKCS#1 or SEC1 that is in its PKCS#8.
fn key_files(algorithm: KeyAlgorithm, chain: &str) -> Vec<(String, Vec<u8>)> {
    let key = PrivateKey::generate(algorithm).unwrap();
    let key_pem = key.to_pem();
    let mut files = vec![
        (algorithm.to_string(), key_pem.as_bytes().to_vec()),
        (
            format!("{algorithm} and chain"),
            [key_pem.as_bytes(), chain.as_bytes()].concat(),
        ),
    ];
    let inner = key
        .pkcs8()
        .windows(2)
        .rposition(|part| part == [0x04, 0x82]);
    if let Some(at) = inner {
        files.push((
            format!("{algorithm} PKCS#1"),
            pem("RSA PRIVATE KEY", &key.pkcs8()[at + 4..]),
        ));
    }
    files
}

#[test]
fn the_fast_path_reads_plain_files() {
    let files = sample_files();
    // Ed25519 keys do not contain their public half and are read by the full reader.
    let count = compare_readers(
        files
            .iter()
            .map(|(name, bytes)| (name.clone(), bytes.as_slice())),
    );
    assert!(count >= 14, "{count} of {}", files.len());
    for expected in ["rsa-2048", "ecdsa-p384"] {
        let (_, bytes) = files.iter().find(|(name, _)| name == expected).unwrap();
        let found = fast_path::read(bytes, MODE, Keys::Identified).unwrap();
        assert!(!found.is_empty(), "{expected}");
    }
}

/// Compares both readers of a certificate and returns whether the fast one reads it.
fn compare_certificate_readers(name: &str, der: &[u8]) -> bool {
    let fast = Certificate::from_plain_der(der);
    if let Some(fast) = &fast {
        let full = Certificate::from_der(der)
            .unwrap_or_else(|_| panic!("{name}: only the fast path reads it"));
        assert_eq!(format!("{fast:?}"), format!("{full:?}"), "{name}");
    }
    fast.is_some()
}

/// Flips bits in each octet of a certificate, which changes tags and lengths too.
#[test]
fn both_readers_agree_on_damaged_certificates() {
    let mut still_readable = 0;
    for certificate in sample_chain() {
        let name = certificate.label();
        for place in 0..certificate.der().len() {
            for change in [0x01, 0x02, 0x20, 0x80, 0xff] {
                let mut changed = certificate.der().to_vec();
                changed[place] ^= change;
                let name = format!("{name}: {place} ^ {change}");
                still_readable += usize::from(compare_certificate_readers(&name, &changed));
            }
        }
    }
    assert!(still_readable > 1000, "{still_readable}");
}

/// Cuts the text of keys and certificates, and inserts or replaces characters.
#[test]
fn both_readers_agree_on_damaged_text() {
    for (name, bytes) in sample_files() {
        if bytes[0] == 0x30 {
            continue;
        }
        for place in (0..bytes.len()).step_by(131) {
            for put in INSERTED {
                let inserted = [&bytes[..place], put, &bytes[place..]].concat();
                let replaced = [&bytes[..place], put, &bytes[place + 1..]].concat();
                let cut = [&bytes[..place], put].concat();
                let at = format!("{name}: {put:?} at {place}");
                compare_readers([
                    (at.clone(), &inserted[..]),
                    (at.clone(), &replaced[..]),
                    (at, &cut[..]),
                ]);
            }
        }
    }
}

const INSERTED: [&[u8]; 10] = [
    b"",
    b"\n",
    b"\r\n",
    b"-",
    b"=",
    b"A",
    b" ",
    b"\0",
    b":",
    b"-----BEGIN CERTIFICATE-----\n",
];
