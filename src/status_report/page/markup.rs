//! Text as HTML.

use jiff::Timestamp;

use crate::finding::NextStep;
use crate::inventory::RowVerdict;
use crate::report::escape;
use crate::wording::day;

/// Returns foreign text as HTML: control and bidirectional characters are shown as escapes, and
/// characters with a meaning in HTML as entities.
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

/// Returns the day of an instant; the tooltip shows the instant.
pub(crate) fn date(at: Timestamp) -> String {
    format!("<time datetime=\"{at}\" title=\"{at}\">{}</time>", day(at))
}

/// Returns `lines` as a list, or nothing if there are none.
pub(crate) fn list(class: &str, lines: impl Iterator<Item = String>) -> String {
    let items: String = lines.map(|line| format!("<li>{line}</li>")).collect();
    if items.is_empty() {
        items
    } else {
        format!("<ul class=\"{class}\">{items}</ul>")
    }
}

/// Returns a step as its sentence, its command and its lines to paste.
pub(crate) fn step(next: &NextStep) -> String {
    let mut shown = text(&next.sentence());
    if let Some(command) = &next.command {
        shown.push_str(&format!(
            " <code class=\"command\">{}</code>",
            text(command)
        ));
    }
    if !next.lines.is_empty() {
        let lines: Vec<String> = next.lines.iter().map(|line| text(line)).collect();
        shown.push_str(&format!("<pre>{}</pre>", lines.join("\n")));
    }
    shown
}

/// Returns a shape beside the colour, for readers who cannot tell the colours apart.
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
    fn foreign_text_cannot_add_markup() {
        let hostile = "<script>alert('x')</script>\u{202e}\u{1b}[2J\"&";
        let shown = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;\\u{202e}\\u{1b}[2J&quot;&amp;";
        assert_eq!(text(hostile), shown);
    }
}
