//! Escapes characters of untrusted text that terminals interpret, in text and in JSON.

/// Escapes control characters, bidirectional overrides and invisible characters, so that untrusted
/// text can neither control the terminal nor reorder what is displayed; the characters in `keep`
/// stay.
#[must_use]
pub(crate) fn escape(text: &str, keep: &[char]) -> String {
    if is_plain(text, keep) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if needs_escape(c) && !keep.contains(&c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Returns whether `text` has only printable ASCII and the characters in `keep`: nearly all text
/// does, and the check is fast.
fn is_plain(text: &str, keep: &[char]) -> bool {
    text.bytes().all(|octet| {
        matches!(octet, 0x20..=0x7e) || (octet.is_ascii() && keep.contains(&char::from(octet)))
    })
}

/// Returns whether a character is escaped: C0, C1, DEL, line and paragraph separators, the
/// bidirectional controls of UAX #9, and invisible characters (zero-width spaces, byte order marks,
/// tags).
fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Replaces characters that terminals interpret with `\uXXXX` in JSON from `serde_json`.
pub(super) fn escape_json(json: &str) -> String {
    let mut out = String::new();
    for c in json.chars() {
        if needs_escape(c) {
            let units = c
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<String>();
            out.push_str(&units);
        } else {
            out.push(c);
        }
    }
    out
}
