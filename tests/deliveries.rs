//! Files as CAs send them and as people change them: no certificate is lost, every repair is
//! reported, and no archive is unpacked to disk.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod support;

use certctl::facade::delivery::{
    CaDelivery, DeliveryError, DeliveryInput, DeliveryLimits, UnusedContent,
};
use support::ca::TestCa;
use support::issued_certificate::IssuedCertificate;
use support::seed::Generator;
use support::zip::{bomb, marked_as_encrypted, renamed, with_link, zip};

fn read(bytes: &[u8]) -> CaDelivery {
    CaDelivery::read(
        vec![DeliveryInput::new("x", bytes.to_vec())],
        &DeliveryLimits::default(),
    )
    .unwrap()
}

/// Returns the number of certificates and the codes of the repairs.
fn summary(bytes: &[u8]) -> (usize, Vec<&'static str>) {
    let delivery = read(bytes);
    let mut codes: Vec<&str> = delivery
        .repairs
        .iter()
        .map(|repair| repair.kind.code())
        .collect();
    codes.sort_unstable();
    codes.dedup();
    (delivery.certificates.len(), codes)
}

fn utf16(text: &str, octets: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(octets).collect()
}

fn der(pem_text: &str) -> Vec<u8> {
    pem::parse(pem_text).unwrap().into_contents()
}

#[test]
fn every_certificate_is_found_and_every_repair_reported() {
    let ca = TestCa::new();
    let (a, b) = (ca.intermediate_pem(), ca.root_pem());
    let both = format!("{a}{b}");
    let body = |pem: &str| {
        pem.lines()
            .filter(|line| !line.starts_with('-'))
            .collect::<String>()
    };
    let label = |label: &str| a.replace("CERTIFICATE", label);
    let bags = "Bag Attributes\n    localKeyID: 01 02 03\nsubject=CN = x\n\nissuer=CN = y\n";
    for (what, bytes, count, codes) in [
        ("plain", both.clone().into_bytes(), 2, vec![]),
        (
            "CR LF",
            both.replace('\n', "\r\n").into_bytes(),
            2,
            vec!["crlf"],
        ),
        (
            "CR",
            both.replace('\n', "\r").into_bytes(),
            2,
            vec!["cr-alone"],
        ),
        (
            "BOM",
            format!("\u{feff}{both}").into_bytes(),
            2,
            vec!["byte-order-mark"],
        ),
        (
            "BOM in the middle",
            format!("{a}\u{feff}{b}").into_bytes(),
            2,
            vec![],
        ),
        (
            "no newline at the end",
            both.trim_end().into(),
            2,
            vec!["no-final-newline"],
        ),
        (
            "glued",
            format!("{}{b}", a.trim_end()).into_bytes(),
            2,
            vec!["glued-lines"],
        ),
        (
            "bag attributes",
            format!("{bags}{a}{bags}{b}").into_bytes(),
            2,
            vec![],
        ),
        (
            "text around",
            format!("Dear customer,\n{a}\nYours\n{b}Bye").into_bytes(),
            2,
            vec![],
        ),
        (
            "text before BEGIN",
            format!("{a}here: {b}").into_bytes(),
            2,
            vec!["one-line"],
        ),
        (
            "indented",
            both.lines()
                .map(|line| format!("  {line}\n"))
                .collect::<String>()
                .into(),
            2,
            vec!["indented"],
        ),
        (
            "one line each",
            format!(
                "-----BEGIN CERTIFICATE-----{}-----END CERTIFICATE-----\n",
                body(&a)
            )
            .into(),
            1,
            vec!["one-line"],
        ),
        (
            "all on one line",
            both.replace('\n', "").into_bytes(),
            2,
            vec!["glued-lines", "no-final-newline", "one-line"],
        ),
        (
            "one long line",
            format!(
                "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
                body(&a)
            )
            .into(),
            1,
            vec![],
        ),
        (
            "double spaced",
            both.replace('\n', "\n\n").into_bytes(),
            2,
            vec!["blank-lines"],
        ),
        (
            "trailing blanks",
            both.replace('\n', " \t\n").into_bytes(),
            2,
            vec![],
        ),
        (
            "X509 CERTIFICATE",
            label("X509 CERTIFICATE").into_bytes(),
            1,
            vec!["pem-label"],
        ),
        (
            "TRUSTED CERTIFICATE",
            label("TRUSTED CERTIFICATE").into_bytes(),
            1,
            vec!["pem-label"],
        ),
        (
            "trust data",
            pem::encode(&pem::Pem::new(
                "TRUSTED CERTIFICATE",
                [der(&a), vec![0x30, 0]].concat(),
            ))
            .into(),
            1,
            vec!["crlf", "pem-label", "trust-data"],
        ),
        (
            "UTF-16 LE with BOM",
            utf16(&format!("\u{feff}{both}"), u16::to_le_bytes),
            2,
            vec!["utf-16"],
        ),
        (
            "UTF-16 BE with BOM",
            utf16(&format!("\u{feff}{both}"), u16::to_be_bytes),
            2,
            vec!["utf-16"],
        ),
        (
            "UTF-16 LE",
            utf16(&both, u16::to_le_bytes),
            2,
            vec!["utf-16"],
        ),
        (
            "UTF-16 BE",
            utf16(&both, u16::to_be_bytes),
            2,
            vec!["utf-16"],
        ),
        (
            "base64 of DER",
            body(&a).into_bytes(),
            1,
            vec!["bare-base64"],
        ),
        (
            "base64 of two",
            format!("{}\n\n{}\n", body(&a), body(&b)).into(),
            2,
            vec!["bare-base64"],
        ),
        (
            "en dashes",
            both.replace("-----", "\u{2013}\u{2013}\u{2013}\u{2013}\u{2013}")
                .into(),
            2,
            vec!["wrong-dashes"],
        ),
        (
            "em dashes",
            both.replace("-----", "\u{2014}\u{2014}-").into(),
            2,
            vec!["wrong-dashes"],
        ),
        (
            "four hyphens",
            both.replace("-----", "----").into(),
            2,
            vec!["wrong-dashes"],
        ),
        (
            "six hyphens",
            both.replace("-----", "------").into(),
            2,
            vec!["wrong-dashes"],
        ),
        (
            "quoted",
            both.lines()
                .map(|line| format!("> {line}\n"))
                .collect::<String>()
                .into(),
            2,
            vec!["quoted"],
        ),
        (
            "quoted twice",
            both.lines()
                .map(|line| format!(">> > {line}\n"))
                .collect::<String>()
                .into(),
            2,
            vec!["quoted"],
        ),
        (
            "JSON",
            format!("{{\"a\":\"{}\"}}", both.replace('\n', "\\n")).into(),
            2,
            vec!["escaped-lines", "one-line"],
        ),
        (
            "entities",
            both.replace('-', "&#45;")
                .replace('+', "&#x2B;")
                .replace('\n', "<br>\n")
                .into(),
            2,
            vec!["blank-lines", "markup"],
        ),
        (
            "a page",
            format!("<html><pre>{both}</pre></html>").into(),
            2,
            vec!["markup"],
        ),
        (
            "soft line breaks",
            both.replace("MII", "MII=\n")
                .replace("=\n-", "=3D\n-")
                .into(),
            2,
            vec!["quoted-printable"],
        ),
        (
            "zero width",
            both.replace("MII", "MII\u{200b}\u{a0}").into(),
            2,
            vec!["unusual-whitespace"],
        ),
        (
            "no END, then prose",
            format!(
                "{a}{}\nYours, the CA.\n",
                b.split("-----END").next().unwrap()
            )
            .into(),
            2,
            vec!["missing-end"],
        ),
        (
            "two in one block",
            pem::encode(&pem::Pem::new("CERTIFICATE", [der(&a), der(&b)].concat())).into(),
            2,
            vec!["bytes-after-certificate", "crlf"],
        ),
        (
            "another END",
            a.replace("END CERTIFICATE", "END X509 CERTIFICATE")
                .into_bytes(),
            1,
            vec!["wrong-pem-label"],
        ),
        (
            "no END",
            format!("{}\n{b}", a.split("-----END").next().unwrap()).into(),
            2,
            vec!["missing-end"],
        ),
        ("DER", der(&a), 1, vec!["der"]),
        ("DER twice", [der(&a), der(&b)].concat(), 2, vec!["der"]),
        (
            "DER and a line break",
            [der(&a), b"\r\n".to_vec()].concat(),
            1,
            vec!["der"],
        ),
    ] {
        assert_eq!(summary(&bytes), (count, codes), "{what}");
        assert_eq!(read(&bytes).ignored, [], "{what}");
    }
}

#[test]
fn damaged_blocks_are_reported_and_do_not_affect_others() {
    let ca = TestCa::new();
    let (a, b) = (ca.intermediate_pem(), ca.root_pem());
    let bad = a.replacen("MII", "M*I", 1);
    let cut: String = a.lines().take(4).map(|line| format!("{line}\n")).collect();
    let lost = a
        .lines()
        .enumerate()
        .filter(|(line, _)| *line != 3)
        .map(|(_, text)| format!("{text}\n"))
        .collect();
    for (what, block) in [
        ("not base64", bad),
        ("cut off", cut),
        ("a line lost", lost),
        ("END alone", "-----END CERTIFICATE-----\n".to_owned()),
    ] {
        let delivery = read(format!("{b}{block}{b}").as_bytes());
        assert_eq!(delivery.certificates.len(), 2, "{what}");
        let [ignored] = delivery.ignored.as_slice() else {
            panic!("{what}: {:?}", delivery.ignored)
        };
        let line = b.lines().count() + 1;
        assert!(
            matches!(&ignored.content, UnusedContent::DamagedBlock { line: at, .. } if *at == line),
            "{what}: {ignored:?}"
        );
    }
}

#[test]
fn keys_and_requests_are_detected_by_content() {
    let setup = IssuedCertificate::new();
    let (key, request) = (
        setup.sandbox.read("example.com.key"),
        setup.sandbox.read("example.com.csr"),
    );
    let delivery = read(format!("{key}{request}{}", setup.leaf).as_bytes());
    assert_eq!(
        (
            delivery.keys.len(),
            delivery.requests.len(),
            delivery.certificates.len()
        ),
        (1, 1, 1)
    );
    assert_eq!(delivery.keys[0].id(), delivery.certificates[0].key_id);
    let renamed = read(
        request
            .replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
            .as_bytes(),
    );
    assert_eq!(
        (renamed.requests.len(), renamed.repairs[0].kind.code()),
        (1, "pem-label")
    );
    let mislabelled = read(
        request
            .replace("CERTIFICATE REQUEST", "CERTIFICATE")
            .as_bytes(),
    );
    assert_eq!(
        (
            mislabelled.requests.len(),
            mislabelled.repairs[0].kind.code()
        ),
        (1, "wrong-pem-label")
    );
    assert_eq!(read(&der(&key)).keys.len(), 1);
    assert_eq!(read(&der(&request)).requests.len(), 1);
    let parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    assert_eq!(read(format!("{parameters}{key}").as_bytes()).ignored, []);
}

#[test]
fn other_content_is_described() {
    let mut signed_data = der(&TestCa::new().root_pem());
    // The outline of ContentInfo: SEQUENCE { OBJECT IDENTIFIER signedData ... }
    let pkcs7 = [
        &[0x30, 0x0b, 0x06, 0x09][..],
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
    ]
    .concat();
    let pfx = [0x30, 0x05, 0x02, 0x01, 0x03, 0x30, 0x00];
    signed_data.truncate(100);
    for (bytes, what) in [
        (b"".as_slice(), UnusedContent::Empty),
        (b" \r\n", UnusedContent::Empty),
        (b"<!DOCTYPE html><html><body>Log in</body></html>", UnusedContent::Html(String::new())),
        (b"\xef\xbb\xbf\n<HTML>", UnusedContent::Html(String::new())),
        (b"\x1f\x8b\x08\x00", UnusedContent::Archive("gzip")),
        (b"\x89PNG\r\n\x1a\n", UnusedContent::Picture),
        (b"%PDF-1.7", UnusedContent::Pdf),
        (b"\xfe\xed\xfe\xed\0\0\0\x02", UnusedContent::Jks),
        (&pkcs7, UnusedContent::Pkcs7),
        (&pfx, UnusedContent::DamagedPkcs12),
        (b"\xff\xfe-\0-\0", UnusedContent::Text),
        (b"<html><head><title>\n Log in | Shop </title>", UnusedContent::Html("Log in | Shop".into())),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", UnusedContent::Office),
        (b"ssh-ed25519 AAAAC3Nz me@here", UnusedContent::OpenSsh),
        (b"PuTTY-User-Key-File-3: ssh-ed25519", UnusedContent::OpenSsh),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nMAA=\n-----END OPENSSH PRIVATE KEY-----\n", UnusedContent::OpenSsh),
        (b"-----BEGIN PGP MESSAGE-----\n\nMAA=\n-----END PGP MESSAGE-----\n", UnusedContent::Pgp),
        (b"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n", UnusedContent::Crl),
        (b"Dear customer, your order is complete", UnusedContent::Text),
        (b"0123456789", UnusedContent::Text),
        (b"-----begin certificate-----\nMIIB", UnusedContent::DamagedMarkers),
        (
            b"----BEGIN CERTIFICATE----\nMIIB",
            UnusedContent::DamagedBlock { label: "CERTIFICATE".into(), line: 1, reason: "truncated: it has no END line" },
        ),
        (b"\x00\x01\x02\x03\xff", UnusedContent::Binary),
        (&signed_data, UnusedContent::DamagedDer),
        (b"-----BEGIN DH PARAMETERS-----\nMAA=\n-----END DH PARAMETERS-----\n", UnusedContent::OtherBlock("DH PARAMETERS".into())),
        (
            b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
            UnusedContent::TraditionalKey,
        ),
    ] {
        let delivery = read(bytes);
        let [ignored] = delivery.ignored.as_slice() else { panic!("{what:?}: {:?}", delivery.ignored) };
        assert_eq!(ignored.content, what);
        assert!(delivery.is_empty());
    }
}

#[test]
fn limits_are_enforced() {
    let ca = TestCa::new();
    let limits = DeliveryLimits {
        entries: 8,
        inflated: 1 << 20,
        depth: 2,
        blocks: 5,
        ..DeliveryLimits::default()
    };
    let read = |bytes: Vec<u8>| {
        CaDelivery::read(vec![DeliveryInput::new("x.zip", bytes)], &limits)
            .map(|found| found.certificates.len())
    };
    let pem = ca.root_pem();
    let nested = |depth: usize| {
        (0..depth).fold(pem.clone().into_bytes(), |inner, _| {
            zip(&[("x.zip", inner)])
        })
    };
    assert_eq!(read(nested(2)), Ok(1));
    assert!(matches!(read(nested(3)), Err(DeliveryError::TooDeep(..))));
    assert_eq!(read(pem.repeat(5).into_bytes()), Ok(5));
    assert!(matches!(
        read(pem.repeat(6).into_bytes()),
        Err(DeliveryError::TooManyBlocks(..))
    ));
    let names: Vec<String> = (0..9).map(|number| format!("{number}.txt")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert!(matches!(
        read(zip(&files)),
        Err(DeliveryError::TooManyEntries(..))
    ));
    assert_eq!(read(zip(&files[..8])), Ok(0));
    assert!(matches!(
        read(bomb(2 << 20)),
        Err(DeliveryError::TooLarge(..))
    ));
    // Two entries, each of which is within the limit.
    let half = vec![b'x'; 600 << 10];
    assert!(matches!(
        read(zip(&[("a", &half), ("b", &half)])),
        Err(DeliveryError::TooLarge(..))
    ));
}

/// The seed of the random damage below, unless `CERTCTL_TEST_SEED` sets another.
const SEED: u64 = 20_261_123;

/// Changed, truncated and joined files never panic, and their content stays within the limits.
#[test]
fn damaged_bytes_never_panic() {
    let setup = IssuedCertificate::new();
    let (key, request) = (
        setup.sandbox.read("example.com.key"),
        setup.sandbox.read("example.com.csr"),
    );
    let text = format!(
        "Bag Attributes\n{}{request}{key}{}",
        setup.leaf,
        setup.ca.bundle_pem()
    );
    let packed = zip(&[("a.crt", text.as_str()), ("b.zip", "x")]);
    let seeds = [
        text.clone().into_bytes(),
        packed,
        der(&setup.leaf),
        der(&request),
        der(&key),
    ];
    let mut generator = Generator::new(SEED);
    for number in 0..4000 {
        let mut bytes = seeds[number % seeds.len()].clone();
        for _ in 0..=generator.below(4) {
            let at = generator.below(bytes.len());
            match generator.below(4) {
                0 => bytes[at] = u8::try_from(generator.below(256)).unwrap(),
                1 => bytes.truncate(at.max(1)),
                2 => {
                    bytes.remove(at);
                }
                _ => bytes.insert(at, b"-\n\r \x00\xff0:"[generator.below(8)]),
            }
            if bytes.is_empty() {
                bytes.push(b'-');
            }
        }
        let read = std::panic::catch_unwind(|| {
            CaDelivery::read(
                vec![DeliveryInput::new("x", bytes)],
                &DeliveryLimits::default(),
            )
            .is_ok()
        });
        let repeat = || generator.repeat("deliveries", "damaged_bytes_never_panic");
        assert!(read.is_ok(), "input {number} panicked; {}", repeat());
    }
}

#[test]
fn zips_are_never_unpacked_to_disk() {
    let setup = IssuedCertificate::new();
    let bundle = setup.ca.bundle_pem().replace('\n', "\r\n");
    let before = setup.listing();
    for (name, zip) in [
        (
            "up.zip",
            zip(&[
                ("../../evil.crt", &setup.leaf),
                ("..\\evil.ca-bundle", &bundle),
            ]),
        ),
        (
            "absolute.zip",
            zip(&[
                ("/tmp/evil.crt", &setup.leaf),
                ("C:\\evil.ca-bundle", &bundle),
            ]),
        ),
        (
            "control.zip",
            zip(&[
                ("\x1b[2J\u{202e}evil\n.crt", &setup.leaf),
                ("$(touch evil)", &bundle),
            ]),
        ),
        (
            "option.zip",
            zip(&[("--out=evil", &setup.leaf), ("-", &bundle)]),
        ),
        ("empty name.zip", zip(&[("", &setup.leaf), ("b", &bundle)])),
        (
            "folders.zip",
            zip(&[
                ("CER - CRT Files/", ""),
                ("CER - CRT Files/x.crt", &setup.leaf),
                ("b/c.ca-bundle", &bundle),
            ]),
        ),
    ] {
        setup.sandbox.write(name, zip);
        let run = setup
            .sandbox
            .run(&["bundle", name, "--trust", "root.pem"])
            .expect(0);
        assert!(!format!("{run}").contains('\x1b'), "{run}");
        std::fs::remove_file(setup.sandbox.join(name)).unwrap();
        std::fs::remove_file(setup.sandbox.join("example.com.fullchain.pem")).unwrap();
        assert_eq!(setup.listing(), before, "{name}");
    }
}

#[test]
fn links_in_zips_are_not_followed() {
    let setup = IssuedCertificate::new();
    let packed = format!("{}{}", setup.leaf, setup.ca.bundle_pem());
    setup.sandbox.write(
        "link.zip",
        with_link(
            "example_com.key",
            "/etc/passwd",
            ("a.crt", packed.as_bytes()),
        ),
    );
    let run = setup
        .sandbox
        .run(&["bundle", "link.zip", "--trust", "root.pem"])
        .expect(0);
    assert!(
        run.stdout
            .contains("example_com.key in link.zip is a symbolic link, not a file"),
        "{run}"
    );
}

#[test]
fn hostile_zips_are_refused_with_one_message() {
    let setup = IssuedCertificate::new();
    let good = zip(&[
        ("a.crt", &setup.leaf),
        ("b.ca-bundle", &setup.ca.bundle_pem()),
    ]);
    let many: Vec<String> = (0..1001).map(|number| format!("{number}.crt")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "x")).collect();
    let nested = (0..12).fold(good.clone(), |inner, _| zip(&[("x.zip", inner)]));
    for (name, bytes, kind, message) in [
        (
            "bomb.zip",
            bomb(120 << 20),
            "hostile",
            "example_com.crt in bomb.zip unpacks to more than 16 MiB",
        ),
        (
            "many.zip",
            zip(&many),
            "hostile",
            "many.zip contains more than 1000 files",
        ),
        (
            "nested.zip",
            nested,
            "hostile",
            "contains zip files or emails nested more than 3 levels deep",
        ),
        (
            "cut.zip",
            good[..good.len() - 30].to_vec(),
            "malformed",
            "the zip file cut.zip is damaged or truncated",
        ),
        (
            "ciphered.zip",
            marked_as_encrypted(good.clone()),
            "malformed",
            "a.crt in ciphered.zip is protected with a password",
        ),
        (
            "twice.zip",
            renamed(
                zip(&[("a.crt", &setup.leaf), ("b.crt", &setup.leaf)]),
                "b.crt",
                "a.crt",
            ),
            "malformed",
            "twice.zip contains two files with the same name",
        ),
        (
            "none.zip",
            zip::<&str>(&[]),
            "malformed",
            "the input contains no certificate, request or key",
        ),
    ] {
        setup.sandbox.write(name, bytes);
        let error = setup
            .sandbox
            .run(&["bundle", name, "--json"])
            .expect(3)
            .json();
        assert_eq!(error["error"]["kind"], kind, "{error}");
        assert!(
            error["error"]["message"]
                .as_str()
                .unwrap()
                .contains(message),
            "{error}"
        );
        assert_ne!(
            error["error"]["next"].as_array().unwrap().len(),
            0,
            "{error}"
        );
        assert!(!setup.sandbox.join("example.com.fullchain.pem").exists());
    }
}

#[test]
fn extra_bytes_are_reported_or_skipped() {
    let ca = TestCa::new();
    let delivery = read(&[der(&ca.root_pem()), vec![1, 2, 3]].concat());
    assert_eq!(
        (delivery.certificates.len(), &delivery.ignored[0].content),
        (1, &UnusedContent::Trailing(3))
    );
    // A self-extracting zip, or one that was saved with a mail header.
    let packed = zip(&[("a.crt", ca.root_pem()), ("b.crt", ca.intermediate_pem())]);
    for junk in [
        b"MZ\x90\0 a program".to_vec(),
        b"Content-Type: application/zip\r\n\r\n".to_vec(),
        vec![0x30; 50],
    ] {
        let (count, _) = summary(&[junk.clone(), packed.clone()].concat());
        assert_eq!(count, 2, "{}", String::from_utf8_lossy(&junk));
    }
    let delivery = read(b"\x7fELF\0 no zip PK\x05\x06 at all, but a text that is long enough");
    assert_eq!(delivery.ignored[0].content, UnusedContent::Binary);
}
