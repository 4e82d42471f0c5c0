//! Hostile files, and files that look hostile.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::encode::{SEQUENCE, long_key, tlv};
use super::world::{World, der, unix};
use super::{ExpectedOutcome, Row};
use crate::support::zip::{bomb, marked_as_encrypted, renamed, with_link, zip};

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = names(world);
    rows.extend(archives(world));
    rows.extend(greedy(world));
    rows.extend(contents(world));
    for row in &mut rows {
        row.name = format!("hostile: {}", row.name);
    }
    rows
}

/// Hostile names of entries and files.
fn names(world: &World) -> Vec<Row> {
    let (leaf, bundle) = (world.leaf.as_str(), world.bundle());
    let long = "x".repeat(60_000);
    let pairs = [
        (
            "traversal",
            "../../../../tmp/certctl-evil.crt",
            "..\\..\\evil.ca-bundle",
        ),
        (
            "absolute paths",
            "/tmp/certctl-evil.crt",
            "C:\\Windows\\evil.crt",
        ),
        (
            "control characters and bidi",
            "\x1b[2J\x1b]0;evil\x07\u{202e}trc.live\u{9b}\n.crt",
            "a\rb\u{2028}c.crt",
        ),
        ("commands", "$(touch certctl-evil).crt", "`id`;rm -rf ~.crt"),
        ("options", "--out=certctl-evil", "-"),
        ("an empty name", "", "b.crt"),
        ("devices", "/dev/stdout", "/dev/null"),
        ("a very long name", long.as_str(), "b.crt"),
        ("names that differ in case", "A.crt", "a.crt"),
        (
            "a key's name for a certificate",
            "example.com.key",
            "example.com.csr",
        ),
    ];
    let mut rows: Vec<Row> = pairs
        .iter()
        .map(|(name, first, second)| {
            Row::one(
                ExpectedOutcome::Chain,
                *name,
                "x.zip",
                zip(&[(*first, leaf), (*second, bundle.as_str())]),
            )
        })
        .collect();
    rows.push(Row::one(
        ExpectedOutcome::Chain,
        "a link to /etc/passwd",
        "x.zip",
        with_link(
            "example.com.key",
            "/etc/passwd",
            ("a.crt", world.all().as_bytes()),
        ),
    ));
    rows.push(Row::one(
        ExpectedOutcome::Refused,
        "a link alone",
        "x.zip",
        with_link("a.crt", "/etc/ssl/private/x.key", ("b.txt", b"hello")),
    ));
    rows
}

/// Zip files whose headers do not match their content.
fn archives(world: &World) -> Vec<Row> {
    let leaf = world.leaf.as_str();
    let good = zip(&[("a.crt", leaf), ("b.crt", &world.middle)]);
    let stored = stored(&[
        ("a.crt", leaf.as_bytes()),
        ("b.crt", world.middle.as_bytes()),
    ]);
    let central = stored
        .windows(4)
        .position(|part| part == b"PK\x01\x02")
        .unwrap();
    // The declared size of the first entry, in its own header and in the directory, far above and
    // far below its real size.
    let lying = |size: [u8; 4]| {
        let mut zip = stored.clone();
        zip[22..26].copy_from_slice(&size);
        zip[central + 24..central + 28].copy_from_slice(&size);
        zip
    };
    let mut overlapping = stored.clone();
    let second = overlapping
        .windows(4)
        .rposition(|part| part == b"PK\x01\x02")
        .unwrap();
    overlapping[second + 42..second + 46].copy_from_slice(&[0; 4]);
    let mut wrong_crc = good.clone();
    wrong_crc[14] ^= 0xff;
    let at = wrong_crc
        .windows(4)
        .position(|part| part == b"PK\x01\x02")
        .unwrap();
    wrong_crc[at + 16] ^= 0xff;
    let mut method = stored.clone();
    method[8] = 97;
    method[central + 10] = 97;
    let refuse =
        |name: &str, bytes: Vec<u8>| Row::one(ExpectedOutcome::Refused, name, "x.zip", bytes);
    vec![
        refuse(
            "two files of one name",
            renamed(zip(&[("a.crt", leaf), ("b.crt", leaf)]), "b.crt", "a.crt"),
        ),
        refuse("cut off", good[..good.len() - 30].to_vec()),
        refuse("only its beginning", good[..60].to_vec()),
        refuse("a wrong checksum", wrong_crc),
        refuse("marked as locked", marked_as_encrypted(good.clone())),
        refuse(
            "no directory",
            good[..good
                .windows(4)
                .position(|part| part == b"PK\x01\x02")
                .unwrap()]
                .to_vec(),
        ),
        Row::one(
            ExpectedOutcome::Chain,
            "bytes in front",
            "x.zip",
            [b"junk junk junk\0".to_vec(), good.clone()].concat(),
        ),
        Row::one(
            ExpectedOutcome::Chain,
            "bytes behind",
            "x.zip",
            [good, b"junk".to_vec()].concat(),
        ),
        Row::one(
            ExpectedOutcome::Chain,
            "sizes far too large",
            "x.zip",
            lying([0xff, 0xff, 0xff, 0x7f]),
        ),
        Row::one(
            ExpectedOutcome::Refused,
            "sizes too small",
            "x.zip",
            lying([1, 0, 0, 0]),
        ),
        refuse("entries that overlap", overlapping),
        refuse("an unknown way of packing", method),
        refuse(
            "12 zips in each other",
            (0..12).fold(zip(&[("a.crt", leaf)]), |inner, _| zip(&[("x.zip", inner)])),
        ),
    ]
}

fn stored(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Files that would use up memory or time.
fn greedy(world: &World) -> Vec<Row> {
    let names: Vec<String> = (0..100_000).map(|number| format!("{number}.crt")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let nested = zip(&[("inner.zip", bomb(64 << 20))]);
    let twins = zip(&[
        ("a.txt", vec![b'x'; 9 << 20]),
        ("b.txt", vec![b'x'; 9 << 20]),
    ]);
    let head = "From: a@example.com\nMIME-Version: 1.0\n";
    let multipart = format!("{head}Content-Type: multipart/mixed; boundary=b\n\n");
    let deep = [&[0x30, 0x80][..]; 100_000].concat();
    let refuse = |name: &str, bytes: Vec<u8>| {
        Row::one(ExpectedOutcome::Refused, name, "x.zip", bytes).greedy()
    };
    vec![
        refuse("a bomb of 300 MiB", bomb(300 << 20)),
        refuse("a bomb in a zip", nested),
        refuse("two files that are too large together", twins),
        refuse("100,000 files", stored(&many)),
        refuse(
            "a mail of 200,000 parts",
            format!("{multipart}{}", "--b\n\nx\n".repeat(200_000)).into(),
        ),
        refuse(
            "a mail of 20,000 mails in each other",
            format!(
                "{head}{}",
                "Content-Type: message/rfc822\n\n".repeat(20_000)
            )
            .into(),
        ),
        refuse(
            "a mail of 300,000 header fields",
            format!("{head}{}\n", "X-A: b\n".repeat(300_000)).into(),
        ),
        refuse(
            "a mail whose header field has 500,000 parameters",
            format!(
                "{head}Content-Type: text/plain;{}\n\n",
                " a=b;".repeat(500_000)
            )
            .into(),
        ),
        refuse("100,000 BER sequences in each other", deep),
        refuse(
            "DER that claims four gigabytes",
            [&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..], &[0; 64]].concat(),
        ),
        refuse(
            "a SEQUENCE of two million NULs",
            tlv(
                SEQUENCE,
                &[
                    &[6, 9],
                    b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
                    &tlv(0xa0, &[&[5, 0].repeat(1_000_000)]),
                ],
            ),
        ),
        refuse("20,000 certificates", world.root.repeat(20_000).into()),
        refuse(
            "200,000 BEGIN lines",
            "-----BEGIN CERTIFICATE-----\n".repeat(200_000).into(),
        ),
        refuse("millions of dashes", "-".repeat(8 << 20).into()),
        refuse(
            "millions of equals signs",
            format!(
                "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
                "=\n".repeat(3 << 20)
            )
            .into(),
        ),
        refuse(
            "millions of entities",
            format!("BEGIN &#45;{}", "&#45;".repeat(2 << 20)).into(),
        ),
    ]
}

/// Hostile text in certificates.
fn contents(world: &World) -> Vec<Row> {
    let mut params = rcgen::CertificateParams::new(vec!["example.com".to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let evil = "\x1b[31mexample.com\x1b[0m\r\nright  trusted\u{202e}\u{9b}2J";
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, evil);
    params
        .distinguished_name
        .push(rcgen::DnType::OrganizationName, "$(reboot)\u{7}");
    let forged = unix(
        &params
            .self_signed(&rcgen::KeyPair::generate().unwrap())
            .unwrap()
            .pem(),
    );
    let labelled = "-----BEGIN CERTIFICATE \x1b[2J-----\nAAAA\n-----END CERTIFICATE-----\n";
    let page = "<html><title>\x1b]0;owned\x07\u{202e}Log in</title>";
    let mut bits = der(&world.leaf);
    // In the public key: BIT STRING, no unused bits, an uncompressed point.
    let point = bits
        .windows(4)
        .position(|part| part == [0x03, 0x42, 0x00, 0x04])
        .unwrap();
    bits[point + 24] ^= 0x40;
    vec![
        Row::one(
            ExpectedOutcome::Invalid,
            "control characters in a subject",
            "x.crt",
            forged.clone(),
        ),
        Row::one(
            ExpectedOutcome::Chain,
            "control characters in a stray certificate",
            "x.crt",
            format!("{forged}{}", world.chain()),
        ),
        Row::one(
            ExpectedOutcome::Refused,
            "control characters in a label",
            "x.crt",
            labelled,
        ),
        Row::one(
            ExpectedOutcome::Refused,
            "control characters in a title",
            "x.crt",
            page,
        ),
        Row::one(
            ExpectedOutcome::Refused,
            "an RSA key of 131,072 bits",
            "x.cer",
            long_key(16 << 10),
        ),
        Row::one(
            ExpectedOutcome::Invalid,
            "an RSA key of 16,384 bits, a signature that is none",
            "x.cer",
            long_key(2 << 10),
        ),
        Row::one(
            ExpectedOutcome::Invalid,
            "one bit changed",
            "x.cer",
            [bits, der(&world.middle)].concat(),
        ),
        Row::one(
            ExpectedOutcome::Refused,
            "a file with control characters in its name",
            "a\x1b[2Jb\n.crt",
            "hello",
        ),
    ]
}
