//! The same certificates in every container format.

use super::encode::{base64, block, open, p7b, p7b_ber, pfx, plain_pfx, tlv};
use super::world::{World, der};
use super::{ExpectedOutcome, Row};
use crate::support::zip::{aes, zip};

pub fn rows(world: &World) -> Vec<Row> {
    let World {
        leaf,
        middle,
        root,
        key,
        ..
    } = world;
    let (all, chain) = (world.all(), world.chain());
    let set = [leaf.as_str(), middle.as_str(), root.as_str()];
    let give = |name: &str, file: &str, bytes: Vec<u8>| {
        Row::one(ExpectedOutcome::Chain, name, file, bytes)
    };
    let mut rows = vec![
        give("PKCS#7, PEM", "x.p7b", block("PKCS7", &p7b(&set)).into()),
        give(
            "PKCS#7, PEM, labelled CERTIFICATE",
            "x.crt",
            block("CERTIFICATE", &p7b(&set)).into(),
        ),
        give(
            "PKCS#7, PEM, labelled CMS",
            "x.pem",
            block("CMS", &p7b(&set)).into(),
        ),
        give("PKCS#7, DER", "x.p7b", p7b(&set)),
        give("PKCS#7, BER", "x.p7b", p7b_ber(&set)),
        give(
            "PKCS#7, base64 alone",
            "x.txt",
            base64(&p7b(&set), 64).into(),
        ),
        give(
            "PKCS#12, no password, modern",
            "x.pfx",
            pfx(world, "", false),
        ),
        give(
            "PKCS#12, no password, legacy",
            "x.pfx",
            pfx(world, "", true),
        ),
        give(
            "PKCS#12, no encryption, no MAC",
            "x.pfx",
            plain_pfx(world, tlv),
        ),
        give("PKCS#12, BER", "x.pfx", plain_pfx(world, open)),
        give(
            "PKCS#12, base64 alone",
            "x.txt",
            base64(&pfx(world, "", false), 76).into(),
        ),
        give(
            "DER, one behind the other",
            "x.cer",
            [der(leaf), der(middle)].concat(),
        ),
        Row::new(
            ExpectedOutcome::Chain,
            "DER, one file each",
            vec![("a.cer", der(middle)), ("b.cer", der(leaf))],
        ),
        give(
            "base64 alone, lines of 64",
            "x.txt",
            format!("{}\n{}", base64(&der(leaf), 64), base64(&der(middle), 64)).into(),
        ),
        give(
            "base64 alone, lines of 76",
            "x.txt",
            format!("{}{}", base64(&der(leaf), 76), base64(&der(middle), 76)).into(),
        ),
        give(
            "base64 alone, one line each",
            "x.txt",
            format!("{}{}", base64(&der(leaf), 9999), base64(&der(middle), 9999)).into(),
        ),
        give(
            "zip in zip",
            "x.zip",
            zip(&[("in.zip", zip(&[("a.crt", all.as_str())]))]),
        ),
        give("a renamed zip", "x.crt", zip(&[("a.crt", all.as_str())])),
        give(
            "a zip that unpacks itself",
            "x.exe",
            [
                b"MZ\0\0 unpacks itself".to_vec(),
                zip(&[("a.crt", all.as_str())]),
            ]
            .concat(),
        ),
        give(
            "certificate and key in one file",
            "x.pem",
            format!("{key}{chain}").into(),
        ),
        Row::new(
            ExpectedOutcome::Chain,
            "several files, the bundle first",
            vec![
                ("b.ca-bundle", world.bundle().into()),
                ("a.crt", leaf.clone().into()),
            ],
        ),
        Row::new(
            ExpectedOutcome::Chain,
            "a folder",
            vec![
                ("a.crt", leaf.clone().into()),
                ("b.zip", zip(&[("c.crt", middle.as_str())])),
            ],
        )
        .arguments(&["in"]),
        Row {
            stdin: Some(all.clone().into()),
            ..Row::new(ExpectedOutcome::Chain, "stdin", Vec::new())
        }
        .arguments(&["-"]),
        Row {
            stdin: Some(zip(&[("a.crt", all.as_str())])),
            ..Row::new(ExpectedOutcome::Chain, "stdin, zipped", Vec::new())
        }
        .arguments(&["-"]),
    ];
    let locked = |name: &str, file: &'static str, bytes: Vec<u8>, arguments: &[&'static str]| {
        Row::one(ExpectedOutcome::Chain, name, file, bytes)
            .with_file("pass", "s3cret\n")
            .arguments(arguments)
    };
    rows.extend([
        locked(
            "PKCS#12, locked, modern",
            "x.pfx",
            pfx(world, "s3cret", false),
            &["in/x.pfx", "--password-file", "in/pass"],
        ),
        locked(
            "PKCS#12, locked, legacy",
            "x.pfx",
            pfx(world, "s3cret", true),
            &["in/x.pfx", "--password-file", "in/pass"],
        ),
        locked(
            "zip, locked with AES",
            "x.zip",
            aes(&[("a.crt", &all)], "s3cret"),
            &["in/x.zip", "--password-file", "in/pass"],
        ),
        Row {
            expected: ExpectedOutcome::Refused,
            ..locked(
                "PKCS#12, another password",
                "x.pfx",
                pfx(world, "other", false),
                &["in/x.pfx", "--password-file", "in/pass"],
            )
        },
        Row {
            expected: ExpectedOutcome::Refused,
            ..locked(
                "zip, another password",
                "x.zip",
                aes(&[("a.crt", &all)], "other"),
                &["in/x.zip", "--password-file", "in/pass"],
            )
        },
    ]);
    rows
}
