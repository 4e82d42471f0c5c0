//! Text as it comes before any block is looked for: UTF-16, markup, base64 without BEGIN and END.

use memchr::{memchr2, memmem};
use zeroize::Zeroizing;

use crate::delivery::pem_body;
use crate::delivery::pem_marker;

/// UTF-16 as UTF-8: told by its byte order mark, or by the NUL bytes that plain text has in every
/// second place.
pub(super) fn from_utf16(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (body, big) = match bytes {
        [0xff, 0xfe, body @ ..] => (body, false),
        [0xfe, 0xff, body @ ..] => (body, true),
        _ => (bytes, is_utf16(bytes)?),
    };
    let unit = |pair: &[u8]| match (pair, big) {
        ([high, low], true) | ([low, high], false) => u16::from_be_bytes([*high, *low]),
        _ => u16::from(b'\n'),
    };
    let mut text = Zeroizing::new(Vec::with_capacity(body.len() / 2 + 8));
    for decoded in char::decode_utf16(body.chunks(2).map(unit)) {
        let mut buffer = [0; 4];
        text.extend_from_slice(
            decoded
                .unwrap_or(char::REPLACEMENT_CHARACTER)
                .encode_utf8(&mut buffer)
                .as_bytes(),
        );
    }
    Some(text)
}

/// Whether a text in UTF-16 without a mark is big-endian: its first characters are ASCII.
fn is_utf16(bytes: &[u8]) -> Option<bool> {
    let head = bytes
        .get(..bytes.len().min(64) & !1)
        .filter(|head| head.len() >= 8)?;
    let place = |nul: usize| {
        head.chunks(2).all(|pair| {
            pair[nul] == 0
                && (pair[1 - nul].is_ascii_graphic() || pair[1 - nul].is_ascii_whitespace())
        })
    };
    match (place(0), place(1)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// What markup writes in place of characters that a block consists of.
const ENTITIES: [(&str, &str); 17] = [
    ("#43", "+"),
    ("#45", "-"),
    ("#47", "/"),
    ("#61", "="),
    ("#62", ">"),
    ("#10", "\n"),
    ("#13", "\n"),
    ("#160", " "),
    ("#32", " "),
    ("amp", "&"),
    ("dash", "-"),
    ("gt", ">"),
    ("hyphen", "-"),
    ("lt", "<"),
    ("mdash", "\u{2014}"),
    ("nbsp", " "),
    ("ndash", "\u{2013}"),
];

/// Text out of markup, where a block is meant in it: entities become characters, tags line breaks
/// or nothing.
pub(super) fn from_markup(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const TELLING: [&[u8]; 10] = [
        b"&#", b"&nbsp;", b"&ndash;", b"&mdash;", b"<br", b"<BR", b"</p", b"</P", b"</div",
        b"</pre",
    ];
    let mentions = |word: &[u8]| memmem::find(bytes, word).is_some();
    if memchr2(b'&', b'<', bytes).is_none()
        || !mentions(b"BEGIN ")
        || !TELLING.iter().any(|word| mentions(word))
    {
        return None;
    }
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        let (written, length) = match byte {
            b'&' => entity(rest).unwrap_or((b"&", 1)),
            b'<' => tag(rest).unwrap_or((b"<", 1)),
            _ => {
                text.push(byte);
                rest = after;
                continue;
            }
        };
        text.extend_from_slice(written);
        rest = &rest[length..];
    }
    Some(text)
}

/// The character that `&...;` stands for, and how long it is.
fn entity(bytes: &[u8]) -> Option<(&'static [u8], usize)> {
    let end = bytes.iter().take(10).position(|&byte| byte == b';')?;
    let name = std::str::from_utf8(&bytes[1..end])
        .ok()?
        .to_ascii_lowercase();
    let name = match name.strip_prefix("#x") {
        Some(digits) => format!("#{}", u32::from_str_radix(digits, 16).ok()?),
        None => name,
    };
    let (_, character) = ENTITIES.iter().find(|(known, _)| *known == name)?;
    Some((character.as_bytes(), end + 1))
}

/// What a tag becomes, and how long it is: what starts a new line in a browser starts one here.
fn tag(bytes: &[u8]) -> Option<(&'static [u8], usize)> {
    let end = bytes.iter().take(1024).position(|&byte| byte == b'>')?;
    let name = match &bytes[1..end] {
        [b'/', name @ ..] | name => name,
    };
    if !name.first()?.is_ascii_alphabetic() && name.first() != Some(&b'!') {
        return None;
    }
    const INLINE: [&[u8]; 6] = [b"b", b"i", b"a", b"span", b"wbr", b"font"];
    let word: Vec<u8> = name
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .map(u8::to_ascii_lowercase)
        .collect();
    let inline = INLINE.iter().any(|known| *known == word);
    Some((if inline { b"" } else { b"\n" }, end + 1))
}

/// The DER of a text that is base64 alone, wrapped at any width: certificates, a request or a p7b
/// without BEGIN and END. Several stand one behind the other, each with its own padding.
pub(super) fn naked(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const LEAST: usize = 64;
    // SEQUENCE with a length of two octets, as base64.
    let start = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    if start.len() < LEAST || !start.starts_with(b"MI") || pem_marker::has_markers(bytes) {
        return None;
    }
    let body = pem_body::extract_base64_lines(start);
    let mut der = Zeroizing::new(Vec::with_capacity(body.data.len() / 4 * 3));
    let mut rest = body.data.as_slice();
    while !rest.is_empty() {
        let unpadded = rest
            .iter()
            .position(|&byte| byte == b'=')
            .unwrap_or(rest.len());
        let padding = rest[unpadded..]
            .iter()
            .take_while(|&&byte| byte == b'=')
            .count();
        let (one, more) = rest.split_at(unpadded + padding);
        der.extend_from_slice(&pem_body::decode(one)?);
        rest = more;
    }
    (der.first() == Some(&0x30)).then_some(der)
}

#[cfg(test)]
mod tests {
    use super::{from_markup, from_utf16, naked};

    #[test]
    fn utf_16_is_told_with_and_without_its_mark() {
        let text = "-----BEGIN CERTIFICATE-----\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            [b"\xff\xfe", little.as_slice()].concat(),
            [b"\xfe\xff", big.as_slice()].concat(),
            little,
            big,
        ] {
            assert_eq!(from_utf16(&bytes).unwrap().as_slice(), text.as_bytes());
        }
        for other in [
            text.as_bytes(),
            b"",
            b"\0\0\0\0\0\0\0\0",
            b"0\x82\x03\x01\0\0\0\0",
        ] {
            assert_eq!(from_utf16(other), None);
        }
    }

    #[test]
    fn markup_is_taken_off_where_a_block_is_in_it() {
        for (markup, text) in [
            (
                "&#45;&#x2D;BEGIN X<br>AA&#43;B&#61;&nbsp;",
                "--BEGIN X\nAA+B= ",
            ),
            ("<pre>BEGIN <b>X</b></pre>", "\nBEGIN X\n"),
            ("BEGIN <br/>a < b & c", "BEGIN \na < b & c"),
        ] {
            assert_eq!(
                from_markup(markup.as_bytes()).unwrap().as_slice(),
                text.as_bytes(),
                "{markup}"
            );
        }
        for other in ["-----BEGIN X-----\nAAAA", "<br>no block"] {
            assert_eq!(from_markup(other.as_bytes()), None);
        }
    }

    #[test]
    fn base64_alone_is_der() {
        let text = format!("MIIB{}\n", "A".repeat(64));
        assert_eq!(naked(text.as_bytes()).unwrap()[..3], [0x30, 0x82, 0x01]);
        assert_eq!(naked(format!("{text}, or so").as_bytes()), None);
        assert_eq!(naked(b"MIIB"), None);
    }
}
