//! Foreign text made harmless, for terminals and for programs.

use serde::Serialize;

/// `text` with control characters and bidirectional overrides made visible, so that foreign text can neither drive a
/// terminal nor reorder what is read; `keep` are the control characters that stay.
#[must_use]
pub fn escape(text: &str, keep: &[char]) -> String {
    if is_plain(text) {
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

/// Printable ASCII, which nearly all text is and which is seen at a glance.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|octet| matches!(octet, 0x20..=0x7e))
}

/// C0, C1, DEL, line and paragraph separators, the bidirectional controls of UAX #9, and what nobody sees: zero-width
/// spaces, byte order marks, tags.
fn hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// As much as most lines take.
const ROOM: usize = 1024;

/// One object on one line. Characters that `serde_json` lets through but a terminal obeys become `\uXXXX`; outside of
/// strings JSON has none of them.
#[must_use]
pub fn json_line(value: &impl Serialize) -> String {
    let mut octets = Vec::with_capacity(ROOM);
    // Only a map with keys that are no text could fail, and there is none.
    let _ = serde_json::to_writer(&mut octets, value);
    // It is text.
    let mut written = String::from_utf8(octets).unwrap_or_default();
    if is_plain(&written) || !written.contains(hostile) {
        written.push('\n');
        return written;
    }
    let mut out = String::new();
    for c in written.chars() {
        if hostile(c) {
            let units = c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            out.push_str(&units);
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    out
}
