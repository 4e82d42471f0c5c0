//! Saved emails as resellers send them, and forwarded ones.

use super::encode::{base64, p7b};
use super::world::World;
use super::{ExpectedOutcome, Row};
use crate::support::zip::zip;

const HEAD: &str = "Received: from mx.example (mx.example [192.0.2.1])\r\n\tby mail.example; Mon, 23 Nov 2026 10:00:00 +0000\r\nFrom: \"A Reseller\" <no-reply@shop.example>\r\nTo: admin@example.com\r\nSubject: =?utf-8?Q?Your_certificate?=\r\nMIME-Version: 1.0\r\n";

/// Returns a MIME part with its header fields.
fn part(kind: &str, encoding: &str, body: &str) -> String {
    format!(
        "--=_b\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n"
    )
}

fn mail(parts: &[String]) -> String {
    format!(
        "{HEAD}Content-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n{}--=_b--\r\n",
        parts.concat()
    )
}

fn quoted_printable(text: &str) -> String {
    let escaped = text.replace('=', "=3D");
    let broken = escaped.lines().map(|line| match line.len() {
        0..=60 => format!("{line}\r\n"),
        _ => format!("{}=\r\n{}\r\n", &line[..60], &line[60..]),
    });
    broken.collect()
}

pub fn rows(world: &World) -> Vec<Row> {
    let World {
        leaf, middle, root, ..
    } = world;
    let all = world.all();
    let file = |name: &str, bytes: &[u8]| {
        part(
            &format!("application/octet-stream; name=\"{name}\""),
            "base64",
            &base64(bytes, 76),
        )
    };
    let hello = part(
        "text/plain; charset=utf-8",
        "8bit",
        "Dear customer,\r\nyour certificate is attached.\r\n",
    );
    let zipped = zip(&[
        ("example_com.crt", leaf.as_str()),
        ("example_com.ca-bundle", &world.bundle()),
    ]);
    let page = format!(
        "<html><body><p>Your certificate:</p><pre>{}</pre></body></html>",
        all.replace('\n', "<br>")
    );
    let attached = mail(&[hello.clone(), file("example_com.zip", &zipped)]);
    let give = |name: &str, text: String| {
        Row::one(
            ExpectedOutcome::Chain,
            format!("mail: {name}"),
            "order.eml",
            text,
        )
    };
    let forwarded = mail(&[
        hello.clone(),
        format!(
            "--=_b\r\nContent-Type: message/rfc822\r\n\r\n{}",
            attached.replace("=_b", "=_inner")
        ),
    ]);
    let twice = mail(&[format!(
        "--=_b\r\nContent-Type: message/rfc822\r\n\r\n{}",
        forwarded
            .replace("=_inner", "=_two")
            .replace("=_b", "=_one")
    )]);
    vec![
        give("a zip attached", attached.clone()),
        give(
            "two files attached",
            mail(&[
                hello.clone(),
                file("a.crt", leaf.as_bytes()),
                file("b.crt", middle.as_bytes()),
            ]),
        ),
        give(
            "a p7b attached",
            mail(&[hello.clone(), file("a.p7b", &p7b(&[leaf, middle, root]))]),
        ),
        give(
            "in the text",
            format!(
                "{HEAD}Content-Type: text/plain\r\n\r\nDear customer,\r\n\r\n{all}\r\nYours\r\n"
            ),
        ),
        give(
            "in the text, no MIME",
            format!("From: shop@shop.example\nTo: admin@example.com\nSubject: yours\n\n{all}"),
        ),
        give(
            "in the text, quoted-printable",
            format!(
                "{HEAD}Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}",
                quoted_printable(&all)
            ),
        ),
        give(
            "in the text, base64",
            format!(
                "{HEAD}Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
                base64(all.as_bytes(), 76)
            ),
        ),
        give(
            "text and page, both with it",
            mail(&[
                part("text/plain", "8bit", &all),
                part("text/html", "8bit", &page),
            ]),
        ),
        give(
            "a page alone",
            mail(&[part(
                "text/html; charset=utf-8",
                "quoted-printable",
                &quoted_printable(&page),
            )]),
        ),
        give("forwarded as an attachment", forwarded),
        give("forwarded twice", twice),
        give(
            "quoted in an answer",
            format!(
                "{HEAD}Content-Type: text/plain\r\n\r\nLike this?\r\n{}",
                all.lines()
                    .map(|line| format!("> {line}\r\n"))
                    .collect::<String>()
            ),
        ),
        give(
            "out of a mailbox",
            format!("From shop@shop.example Mon Nov 23 10:00:00 2026\n{attached}"),
        ),
        give(
            "signed (S/MIME)",
            mail(&[
                hello.clone(),
                file("x.zip", &zipped),
                part(
                    "application/pkcs7-signature; name=\"smime.p7s\"",
                    "base64",
                    &base64(&p7b(&[&world.older]), 76),
                ),
            ]),
        ),
        Row::one(
            ExpectedOutcome::Chain,
            "mail: in a zip",
            "mail.zip",
            zip(&[("order.eml", attached.as_str())]),
        ),
        Row::one(
            ExpectedOutcome::Refused,
            "mail: nothing attached",
            "order.eml",
            mail(std::slice::from_ref(&hello)),
        ),
        Row::one(
            ExpectedOutcome::Refused,
            "mail: a picture attached",
            "order.eml",
            mail(&[hello, file("logo.png", b"\x89PNG\r\n\x1a\n\0\0\0")]),
        ),
    ]
}
