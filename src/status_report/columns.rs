//! How wide text is in a terminal.

use unicode_width::UnicodeWidthChar;

/// Returns how many columns `text` takes in a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// Two for East Asian scripts and pictures, none for marks on the character before (Unicode Annex
/// 11). Control characters count as one.
fn char_width(c: char) -> usize {
    UnicodeWidthChar::width(c).unwrap_or(1)
}

/// Returns `text` followed by as many spaces as fill `columns`.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

#[cfg(test)]
mod tests {
    use super::padded;

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(padded("日本", 6), "日本  ");
        assert_eq!(padded("example", 3), "example");
    }
}
