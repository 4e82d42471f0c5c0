//! The text of a TXT record as some APIs show it: one or several strings in quotation marks, as in a
//! zone file (RFC 1035 section 5.1).

/// The longest string in a TXT record, in bytes (RFC 1035 section 3.3).
const STRING_LIMIT: usize = 255;

/// Writes a text as strings in quotation marks.
#[must_use]
pub(crate) fn quote_strings(text: &str) -> String {
    let mut strings = vec![String::new()];
    let mut length = 0;
    for c in text.chars() {
        if length + c.len_utf8() > STRING_LIMIT {
            strings.push(String::new());
            length = 0;
        }
        length += c.len_utf8();
        if let Some(last) = strings.last_mut() {
            if matches!(c, '"' | '\\') {
                last.push('\\');
            }
            last.push(c);
        }
    }
    let quoted: Vec<String> = strings.iter().map(|one| format!("\"{one}\"")).collect();
    quoted.join(" ")
}

/// Returns the text that such strings contain; a text without quotation marks as it is.
#[must_use]
pub(crate) fn join_strings(shown: &str) -> String {
    let trimmed = shown.trim();
    if !(trimmed.starts_with('"') && trimmed.ends_with('"') && trimmed.len() > 1) {
        return shown.to_owned();
    }
    let mut text = String::new();
    let mut is_inside = false;
    let mut rest = trimmed.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' => is_inside = !is_inside,
            '\\' if is_inside => text.extend(rest.next()),
            _ if is_inside => text.push(c),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{join_strings, quote_strings};

    #[test]
    fn strings_are_quoted_and_joined() {
        let long = "a".repeat(300);
        let halves = format!("\"{}\" \"{}\"", "a".repeat(255), "a".repeat(45));
        for (text, quoted) in [
            ("first", "\"first\""),
            ("a \"b\" \\c", "\"a \\\"b\\\" \\\\c\""),
            (&*long, &*halves),
            ("", "\"\""),
        ] {
            assert_eq!(quote_strings(text), quoted);
            assert_eq!(join_strings(quoted), text);
        }
        assert_eq!(join_strings("no marks"), "no marks");
        assert_eq!(join_strings("\""), "\"");
    }
}
