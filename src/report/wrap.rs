//! Wraps text between words, never inside a word or between backticks.

use std::ops::Range;

use unicode_width::UnicodeWidthStr;

/// Splits `text` into lines of at most `width` columns. A single word, or text between backticks,
/// stays on one line even if it is wider.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut end = 0;
    let mut used = 0;
    for (index, unit) in units(text).into_iter().enumerate() {
        let needed = columns(&text[unit.clone()]);
        if index > 0 && used + 1 + needed > width {
            lines.push(&text[start..end]);
            start = unit.start;
            used = needed;
        } else {
            used += usize::from(index > 0) + needed;
        }
        end = unit.end;
    }
    lines.push(&text[start..end]);
    lines
}

/// Returns the number of columns that text takes on a terminal.
pub(crate) fn columns(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.width()
    }
}

/// Finds the parts of `text` that stay on one line: words, and text between backticks.
fn units(text: &str) -> Vec<Range<usize>> {
    let mut units: Vec<Range<usize>> = Vec::new();
    let mut is_quotation_open = false;
    let mut backticks_left = text.matches('`').count();
    let mut start = 0;
    for word in text.split(' ') {
        let end = start + word.len();
        match units.last_mut() {
            Some(unit) if is_quotation_open => unit.end = end,
            _ => units.push(start..end),
        }
        start = end + 1;
        if backticks_left == 0 {
            continue;
        }
        let backticks = word.matches('`').count();
        backticks_left -= backticks;
        if backticks % 2 == 1 {
            // A backtick without a closing one opens no quotation.
            is_quotation_open = !is_quotation_open && backticks_left > 0;
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_end_at_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("", 8), [""]);
        assert_eq!(wrap("a  b", 8), ["a  b"]);
    }

    #[test]
    fn values_and_commands_stay_whole() {
        let path = "/etc/ssl/example.com.fullchain.pem";
        assert_eq!(wrap(&format!("wrote {path}"), 10), ["wrote", path]);
        let hyphenated = "xn--bcher-kva.example";
        assert_eq!(wrap(hyphenated, 5), [hyphenated]);
        assert_eq!(
            wrap("run `certctl install --check` now", 10),
            ["run", "`certctl install --check`", "now"]
        );
        assert_eq!(wrap("a ` b c", 4), ["a `", "b c"]);
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(
            wrap("\u{4f8b}\u{5b50} \u{6d4b}\u{8bd5}", 8),
            ["\u{4f8b}\u{5b50}", "\u{6d4b}\u{8bd5}"]
        );
    }
}
