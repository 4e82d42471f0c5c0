//! Damage that editors, mail programs, shells and people cause to PEM.

use super::encode::block;
use super::world::{World, der};
use super::{ExpectedOutcome, Row};

fn utf16(text: &str, octets: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(octets).collect()
}

fn lines(text: &str, change: impl Fn(&str) -> String) -> String {
    text.lines()
        .map(|line| format!("{}\n", change(line)))
        .collect()
}

pub fn rows(world: &World) -> Vec<Row> {
    let World { leaf, middle, .. } = world;
    let all = world.chain();
    let body = |pem: &str| {
        pem.lines()
            .filter(|line| !line.starts_with('-'))
            .collect::<String>()
    };
    let one_line = |pem: &str| {
        format!(
            "-----BEGIN CERTIFICATE-----{}-----END CERTIFICATE-----\n",
            body(pem)
        )
    };
    let long_line = |pem: &str| {
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            body(pem)
        )
    };
    let bags = "Bag Attributes\n    localKeyID: 01 02 03\n    friendlyName: example.com\nsubject=CN = example.com\n\nissuer=CN = x\n\n";
    let wide = |pem: &str| {
        let body = body(pem);
        let lines: Vec<&str> = body
            .as_bytes()
            .chunks(76)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            lines.join("\n")
        )
    };
    let dashes = |dashes: &str| all.replace("-----", dashes);
    let no_end = leaf.split("-----END").next().unwrap();
    let entities = all
        .replace('-', "&#45;")
        .replace('+', "&#43;")
        .replace('/', "&#x2F;")
        .replace('=', "&#61;");
    let give: Vec<(&str, Vec<u8>)> = vec![
        ("CR LF", all.replace('\n', "\r\n").into()),
        ("CR alone", all.replace('\n', "\r").into()),
        ("CR CR LF", all.replace('\n', "\r\r\n").into()),
        ("a byte order mark", format!("\u{feff}{all}").into()),
        ("a byte order mark in the middle", format!("{leaf}\u{feff}{middle}").into()),
        ("UTF-16, little-endian, mark", utf16(&format!("\u{feff}{all}"), u16::to_le_bytes)),
        ("UTF-16, big-endian, mark", utf16(&format!("\u{feff}{all}"), u16::to_be_bytes)),
        ("UTF-16, little-endian", utf16(&all, u16::to_le_bytes)),
        ("UTF-16, big-endian", utf16(&all, u16::to_be_bytes)),
        ("no line break at the end", all.trim_end().into()),
        ("END and BEGIN glued", format!("{}{middle}", leaf.trim_end()).into()),
        ("no END line, more follows", format!("{no_end}{middle}").into()),
        ("no END line at the end", format!("{middle}{no_end}").into()),
        ("no END line, a greeting follows", format!("{middle}{no_end}\nWith kind regards, your shop.\n").into()),
        ("one line each", format!("{}{}", one_line(leaf), one_line(middle)).into()),
        ("all on one line", all.replace('\n', "").into()),
        ("all on one line, blanks for line breaks", all.replace('\n', " ").into()),
        ("one long line", format!("{}{}", long_line(leaf), long_line(middle)).into()),
        ("lines of 76", format!("{}{}", wide(leaf), wide(middle)).into()),
        ("double-spaced", all.replace('\n', "\n\n").into()),
        ("double-spaced, CR LF", all.replace('\n', "\r\n\r\n").into()),
        ("indented", lines(&all, |line| format!("    {line}")).into()),
        ("indented with tabs", lines(&all, |line| format!("\t{line}")).into()),
        ("blanks at the ends of lines", lines(&all, |line| format!("{line} \t")).into()),
        ("quoted", lines(&all, |line| format!("> {line}")).into()),
        ("quoted three deep", lines(&all, |line| format!("> >> {line}")).into()),
        ("quoted with bars", lines(&all, |line| format!("| {line}")).into()),
        ("X509 CERTIFICATE", all.replace("CERTIFICATE", "X509 CERTIFICATE").into()),
        ("TRUSTED CERTIFICATE", all.replace("CERTIFICATE", "TRUSTED CERTIFICATE").into()),
        (
            "TRUSTED CERTIFICATE with trust data",
            format!(
                "{}{middle}",
                block(
                    "TRUSTED CERTIFICATE",
                    &[der(leaf), b"\x30\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01".to_vec()].concat()
                )
            )
            .into(),
        ),
        ("Bag Attributes", format!("{bags}{leaf}{bags}{middle}").into()),
        ("text around", format!("Here it is:\n{leaf}\nand its issuer:\n{middle}\nBye\n").into()),
        (
            "openssl x509 -text",
            format!("Certificate:\n    Data:\n        Version: 3 (0x2)\n{leaf}Certificate:\n    Data:\n{middle}")
                .into(),
        ),
        ("en dashes", dashes("\u{2013}\u{2013}\u{2013}\u{2013}\u{2013}").into()),
        ("em dashes, two and a hyphen", dashes("\u{2014}\u{2014}-").into()),
        ("one em dash", dashes("\u{2014}").into()),
        ("minus signs", dashes("\u{2212}\u{2212}\u{2212}\u{2212}\u{2212}").into()),
        ("four hyphens", dashes("----").into()),
        ("six hyphens", dashes("------").into()),
        (
            "blanks inside the markers",
            all.replace("-----BEGIN CERTIFICATE-----", "----- BEGIN CERTIFICATE -----").into(),
        ),
        ("no hyphens behind the label", all.replace("BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE").into()),
        ("line breaks written as \\n", all.replace('\n', "\\n").into()),
        ("line breaks written as \\r\\n, in quotes", format!("\"{}\"", all.replace('\n', "\\r\\n")).into()),
        ("JSON with escaped slashes", format!("{{\"a\":\"{}\"}}", all.replace('/', "\\/").replace('\n', "\\n")).into()),
        ("entities", entities.replace('\n', "<br />\n").into()),
        ("a web page", format!("<html><title>Certificate</title><body><pre>{all}</pre></body></html>").into()),
        ("no-break spaces", lines(&all, |line| format!("\u{a0}{line}\u{a0}")).into()),
        ("zero-width spaces", all.replace("MII", "M\u{200b}I\u{200b}I").into()),
        (
            "soft hyphens",
            lines(&all, |line| if line.starts_with('-') { line.into() } else { line.replacen('A', "A\u{ad}", 1) })
                .into(),
        ),
        (
            "soft line breaks",
            lines(&all, |line| {
                if line.len() > 50 { format!("{}=\n{}", &line[..50], &line[50..]) } else { line.replace('=', "=3D") }
            })
            .into(),
        ),
        (
            "an unknown block between",
            format!("{leaf}-----BEGIN DH PARAMETERS-----\nMAA=\n-----END DH PARAMETERS-----\n{middle}").into(),
        ),
        ("a damaged block between", format!("{leaf}{}{middle}", world.root.replacen("MII", "M*I", 1)).into()),
        ("a leaf twice, as cat a b >> a makes it", format!("{leaf}{leaf}{middle}").into()),
        ("the chain upside down", format!("{middle}{leaf}").into()),
    ];
    let mut rows: Vec<Row> = give
        .into_iter()
        .map(|(name, bytes)| {
            Row::one(
                ExpectedOutcome::Chain,
                format!("PEM: {name}"),
                "your_site.crt",
                bytes,
            )
        })
        .collect();
    let cut: String = leaf
        .lines()
        .take(6)
        .map(|line| format!("{line}\n"))
        .collect();
    let lost: String = leaf
        .lines()
        .enumerate()
        .filter(|(at, _)| *at != 4)
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    for (name, text) in [
        ("cut off", cut),
        ("a line lost", lost),
        (
            "a character that is none of base64",
            leaf.replacen("MII", "M*I", 1),
        ),
        (
            "small letters in the markers",
            leaf.replace("BEGIN CERTIFICATE", "begin certificate")
                .replace("END CERTIFICATE", "end certificate"),
        ),
        ("END alone", "-----END CERTIFICATE-----\n".to_owned()),
    ] {
        rows.push(Row::one(
            ExpectedOutcome::Refused,
            format!("PEM: {name}"),
            "your_site.crt",
            text,
        ));
    }
    rows
}
