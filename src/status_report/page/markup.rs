//! Text as HTML.

use jiff::Timestamp;

use crate::inventory::RowVerdict;
use crate::report::escape;
use crate::wording::day;

/// Foreign text: what would drive a terminal or reorder what is read is made visible, what would be
/// markup is not.
pub(crate) fn text(foreign: &str) -> String {
    let mut out = String::with_capacity(foreign.len());
    for c in escape(foreign, &[]).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// An instant as its day, with the instant for those who point at it.
pub(crate) fn date(at: Timestamp) -> String {
    format!("<time datetime=\"{at}\" title=\"{at}\">{}</time>", day(at))
}

/// A list of what each line says; nothing for none.
pub(crate) fn list(class: &str, lines: impl Iterator<Item = String>) -> String {
    let items: String = lines.map(|line| format!("<li>{line}</li>")).collect();
    if items.is_empty() {
        items
    } else {
        format!("<ul class=\"{class}\">{items}</ul>")
    }
}

/// A shape beside the colour, for readers who see no colours.
pub(crate) fn mark(verdict: RowVerdict) -> &'static str {
    match verdict {
        RowVerdict::Wrong => "<i aria-hidden=\"true\">✕</i> ",
        RowVerdict::Due => "<i aria-hidden=\"true\">▲</i> ",
        RowVerdict::Fine => "<i aria-hidden=\"true\">✓</i> ",
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn foreign_text_is_no_markup() {
        let hostile = "<script>alert('x')</script>\u{202e}\u{1b}[2J\"&";
        let shown = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;\\u{202e}\\u{1b}[2J&quot;&amp;";
        assert_eq!(text(hostile), shown);
    }
}
