//! Untrusted text made harmless, for terminals and for programs.

/// `text` with control characters and bidirectional overrides made visible, so that untrusted text
/// can neither drive a terminal nor reorder what is read; `keep` are the control characters that
/// stay.
#[must_use]
pub(crate) fn escape(text: &str, keep: &[char]) -> String {
    if is_plain(text, keep) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hostile(c) && !keep.contains(&c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Printable ASCII and what is kept, which nearly all text is and which is seen at a glance.
fn is_plain(text: &str, keep: &[char]) -> bool {
    text.bytes().all(|octet| {
        matches!(octet, 0x20..=0x7e) || (octet.is_ascii() && keep.contains(&char::from(octet)))
    })
}

/// C0, C1, DEL, line and paragraph separators, the bidirectional controls of UAX #9, and what
/// is invisible: zero-width spaces, byte order marks, tags.
fn hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What `serde_json` wrote, with what a terminal obeys as `\uXXXX`.
pub(super) fn harmless(json: &str) -> String {
    let mut out = String::new();
    for c in json.chars() {
        if hostile(c) {
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
