//! Text in columns of a terminal: how wide it is, and how it is shortened.

use unicode_width::UnicodeWidthChar;

/// How many columns `text` takes in a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// Two for East Asian scripts and pictures, none for marks on the character before (Unicode Annex
/// 11). Control characters count as one.
fn char_width(c: char) -> usize {
    UnicodeWidthChar::width(c).unwrap_or(1)
}

/// `text` with as many spaces behind it as fill `columns`.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Shortens the middle of a text that is too long: of a name the domain stays, of a path the file.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let keep = columns.saturating_sub(1);
    let head = fitting(text.chars(), keep / 3);
    let tail: String = fitting(text.chars().rev(), keep - width(&head))
        .chars()
        .rev()
        .collect();
    format!("{head}…{tail}")
}

/// The first characters of `text` that fit into `columns`.
fn fitting(text: impl Iterator<Item = char>, columns: usize) -> String {
    let mut left = columns;
    let mut fitting = String::new();
    for c in text {
        let Some(rest) = left.checked_sub(char_width(c)) else {
            break;
        };
        left = rest;
        fitting.push(c);
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::{cut, padded, width};

    #[test]
    fn long_texts_keep_both_ends() {
        for (text, columns, expected) in [
            ("example.com", 11, "example.com"),
            ("www.subdomain.example.com", 16, "www.s…xample.com"),
            (
                "/etc/ssl/example.com.fullchain.pem",
                20,
                "/etc/s…fullchain.pem",
            ),
            ("日本語日本語.example", 14, "日本….example"),
            ("example", 1, "…"),
        ] {
            let cut = cut(text, columns);
            assert_eq!(cut, expected);
            assert!(width(&cut) <= columns);
        }
        assert_eq!(padded("日本", 6), "日本  ");
    }
}
