//! Masks values that differ from run to run, so that outputs can be compared.

/// Replaces dates and times by `[DATE]`, long hex numbers by `[HEX]`, and short key ids by `[KEY]`.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (skip, mask) = match (date(rest), hex(rest)) {
            (Some(length), _) => (length, "[DATE]"),
            (_, Some(length)) if length >= 16 => (length, "[HEX]"),
            (_, Some(8)) if rest[8..].starts_with('…') => (8 + '…'.len_utf8(), "[KEY]"),
            // A word is copied as a whole, because its end may look like a number.
            _ => {
                let word = rest
                    .find(|c: char| !c.is_ascii_alphanumeric())
                    .unwrap_or(rest.len())
                    .max(c.len_utf8());
                out.push_str(&rest[..word]);
                rest = &rest[word..];
                continue;
            }
        };
        out.push_str(mask);
        rest = &rest[skip..];
    }
    out
}

fn hex(text: &str) -> Option<usize> {
    let length = text
        .bytes()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let whole = !text[length..].starts_with(|c: char| c.is_ascii_alphanumeric());
    (length > 0 && whole).then_some(length)
}

/// `2026-11-23` with or without `T15:00:00Z`, and `2026-11-23 15:00:00 +00:00`.
fn date(text: &str) -> Option<usize> {
    let shaped = |shape: &str| {
        text.len() >= shape.len()
            && shape.bytes().zip(text.bytes()).all(|(s, t)| {
                if s == b'0' {
                    t.is_ascii_digit()
                } else {
                    s == t
                }
            })
    };
    const LOCAL_TIME: &str = "0000-00-00 00:00:00 +00:00";
    if !shaped("0000-00-00") {
        return None;
    }
    if shaped(LOCAL_TIME) {
        return Some(LOCAL_TIME.len());
    }
    let end = text[10..]
        .find('Z')
        .filter(|_| text[10..].starts_with('T'))
        .map(|at| 10 + at + 1);
    Some(end.unwrap_or(10))
}
