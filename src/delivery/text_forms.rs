//! Converts text before it is searched for blocks: UTF-16, markup, base64 without BEGIN and END.

use memchr::{memchr2, memmem};
use zeroize::Zeroizing;

use crate::delivery::pem_body;
use crate::delivery::pem_marker;

/// Converts UTF-16 to UTF-8; detected by its byte order mark, or by the NUL in every second byte.
pub(super) fn from_utf16(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (body, order) = match bytes {
        [0xff, 0xfe, body @ ..] => (body, ByteOrder::LittleEndian),
        [0xfe, 0xff, body @ ..] => (body, ByteOrder::BigEndian),
        _ => (bytes, detect_byte_order(bytes)?),
    };
    let units = body.chunks(2).map(|pair| order.decode_unit(pair));
    let mut text = Zeroizing::new(Vec::with_capacity(body.len() / 2 + 8));
    for decoded in char::decode_utf16(units) {
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

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ByteOrder {
    BigEndian,
    LittleEndian,
}

impl ByteOrder {
    /// Decodes two bytes; a single one at the end becomes a line break.
    fn decode_unit(self, pair: &[u8]) -> u16 {
        let [first, second] = pair else {
            return u16::from(b'\n');
        };
        match self {
            Self::BigEndian => u16::from_be_bytes([*first, *second]),
            Self::LittleEndian => u16::from_le_bytes([*first, *second]),
        }
    }
}

/// Detects UTF-16 without a byte order mark: its first characters are ASCII.
fn detect_byte_order(bytes: &[u8]) -> Option<ByteOrder> {
    let head = bytes
        .get(..bytes.len().min(64) & !1)
        .filter(|head| head.len() >= 8)?;
    if head.chunks(2).all(|pair| is_ascii_unit(pair[0], pair[1])) {
        Some(ByteOrder::BigEndian)
    } else if head.chunks(2).all(|pair| is_ascii_unit(pair[1], pair[0])) {
        Some(ByteOrder::LittleEndian)
    } else {
        None
    }
}

fn is_ascii_unit(high: u8, low: u8) -> bool {
    high == 0 && (low.is_ascii_graphic() || low.is_ascii_whitespace())
}

/// Entities that markup uses for the characters of a block.
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

/// Converts markup that seems to contain a block to text: entities become characters, tags become
/// line breaks or nothing. `None` for other text.
pub(super) fn from_markup(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const MARKUP_SIGNS: [&[u8]; 10] = [
        b"&#", b"&nbsp;", b"&ndash;", b"&mdash;", b"<br", b"<BR", b"</p", b"</P", b"</div",
        b"</pre",
    ];
    if memchr2(b'&', b'<', bytes).is_none()
        || memmem::find(bytes, b"BEGIN ").is_none()
        || !MARKUP_SIGNS
            .iter()
            .any(|sign| memmem::find(bytes, sign).is_some())
    {
        return None;
    }
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        let (written, length) = match byte {
            b'&' => decode_entity(rest).unwrap_or((b"&", 1)),
            b'<' => replace_tag(rest).unwrap_or((b"<", 1)),
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

/// The character that `&...;` stands for, and the length of the entity.
fn decode_entity(bytes: &[u8]) -> Option<(&'static [u8], usize)> {
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

/// The replacement of a tag, and its length. A tag that starts a new line in a browser becomes one.
fn replace_tag(bytes: &[u8]) -> Option<(&'static [u8], usize)> {
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

/// Decodes text that is only base64, wrapped at any width: certificates, a request or a p7b without
/// BEGIN and END. Several may follow each other, each with its own padding.
pub(super) fn decode_bare_base64(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const LEAST: usize = 64;
    let start = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    // "MI" is a SEQUENCE with a length of two octets.
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
    use super::{decode_bare_base64, from_markup, from_utf16};

    #[test]
    fn utf_16_is_detected_with_and_without_its_mark() {
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
    fn markup_around_a_block_is_removed() {
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
    fn base64_without_markers_is_decoded() {
        let text = format!("MIIB{}\n", "A".repeat(64));
        assert_eq!(
            decode_bare_base64(text.as_bytes()).unwrap()[..3],
            [0x30, 0x82, 0x01]
        );
        assert_eq!(
            decode_bare_base64(format!("{text}, or so").as_bytes()),
            None
        );
        assert_eq!(decode_bare_base64(b"MIIB"), None);
    }
}
