//! Removes from pasted text what its surroundings added: invisible characters, HTML, Markdown's
//! emphasis, and the soft line breaks of quoted-printable mail.

use std::borrow::Cow;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The references of HTML that consoles and mails use; an unknown one stays as it is.
const REFERENCES: [(&str, &str); 8] = [
    ("&nbsp;", " "),
    ("&quot;", "\""),
    ("&period;", "."),
    ("&lowbar;", "_"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&shy;", ""),
    ("&amp;", "&"),
];

/// Returns the text that a person saw when it was copied.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    // Long lists are ASCII lines without any of this.
    if text.is_ascii() && !text.contains("</") && !text.contains("**") && !text.contains("=\n") {
        let has_soft_break = text.contains("=\r\n");
        let has_other_tags = ["<br", "<wbr", "&nbsp;", "&#"]
            .into_iter()
            .any(|part| text.contains(part));
        if !has_soft_break && !has_other_tags {
            return Cow::Borrowed(text);
        }
    }
    let text: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let text = without_soft_breaks(text);
    let text = text.replace("**", "");
    Cow::Owned(without_markup(&text))
}

/// Decodes quoted-printable (RFC 2045 6.7), if a soft line break shows that the text is: `=` alone may
/// stand between a label and its value.
fn without_soft_breaks(text: String) -> String {
    if !text.contains("=\n") && !text.contains("=\r\n") {
        return text;
    }
    let joined = text.replace("=\r\n", "").replace("=\n", "");
    let mut parts = joined.split('=');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.get(..2).filter(|digits| {
            let mut octets = digits.bytes();
            octets.all(|octet| matches!(octet, b'0'..=b'9' | b'A'..=b'F'))
        });
        let octet = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match octet.filter(u8::is_ascii) {
            Some(octet) => {
                decoded.push(char::from(octet));
                decoded.push_str(&part[2..]);
            }
            None => {
                decoded.push('=');
                decoded.push_str(part);
            }
        }
    }
    decoded
}

/// Format characters (category Cf), such as zero-width spaces and soft hyphens, which no name or value
/// contains.
fn is_invisible(character: char) -> bool {
    !character.is_ascii() && character.general_category() == GeneralCategory::Format
}

/// Returns the text without tags of HTML. Responses of APIs in XML keep theirs: they name the parts of
/// the record.
fn without_markup(text: &str) -> String {
    let is_html = [
        "</td>", "</p>", "</div>", "</span>", "</code>", "</li>", "</tr>", "</b>", "</a>", "<br",
        "<wbr", "&#",
    ]
    .into_iter()
    .any(|tag| contains_ignoring_case(text, tag));
    if !is_html || contains_ignoring_case(text, "<?xml") {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        plain.push_str(&rest[..start]);
        // A place where a browser may break a long word.
        let is_break = rest[start..]
            .get(..4)
            .is_some_and(|tag| tag.eq_ignore_ascii_case("<wbr"));
        if !is_break {
            plain.push('\n');
        }
        rest = rest[start..]
            .find('>')
            .map_or("", |end| &rest[start + end + 1..]);
    }
    plain.push_str(rest);
    for (reference, character) in REFERENCES {
        plain = plain.replace(reference, character);
    }
    without_numbered_references(&plain)
}

/// Replaces references by number: `&#46;`, `&#x2E;`.
fn without_numbered_references(text: &str) -> String {
    let mut parts = text.split("&#");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let decoded = part.split_once(';').and_then(|(number, rest)| {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            Some((char::from_u32(code.ok()?)?, rest))
        });
        match decoded {
            Some(('\u{a0}', rest)) => {
                plain.push(' ');
                plain.push_str(rest);
            }
            Some((character, rest)) if !is_invisible(character) => {
                plain.push(character);
                plain.push_str(rest);
            }
            Some((_, rest)) => plain.push_str(rest),
            None => {
                plain.push_str("&#");
                plain.push_str(part);
            }
        }
    }
    plain
}

fn contains_ignoring_case(text: &str, part: &str) -> bool {
    let text = text.as_bytes();
    let part = part.as_bytes();
    text.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}
