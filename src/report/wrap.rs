//! Wraps text between words, never inside a word or between backticks.

use unicode_width::UnicodeWidthStr;

/// Splits `text` into lines of at most `width` columns. A single word, or text between backticks,
/// stays on one line even if it is wider.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for (index, unit) in units(text).into_iter().enumerate() {
        if index > 0 {
            if line.width() + 1 + unit.width() > width {
                lines.push(std::mem::take(&mut line));
            } else {
                line.push(' ');
            }
        }
        line.push_str(&unit);
    }
    lines.push(line);
    lines
}

/// Splits `text` into the parts that stay on one line: words, and text between backticks.
fn units(text: &str) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    let mut is_quotation_open = false;
    let mut backticks_left = text.matches('`').count();
    for word in text.split(' ') {
        match units.last_mut() {
            Some(unit) if is_quotation_open => {
                unit.push(' ');
                unit.push_str(word);
            }
            _ => units.push(word.to_owned()),
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
