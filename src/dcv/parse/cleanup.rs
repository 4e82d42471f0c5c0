//! Removes from pasted text what its surroundings added: invisible characters, HTML, Markdown's
//! emphasis, and the soft line breaks of quoted-printable mail.

use std::borrow::Cow;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// The references of HTML that consoles and mails use; an unknown one stays as it is.
const REFERENCES: [(&str, &str); 8] = [
    ("&nbsp;", " "),
    ("&#160;", " "),
    ("&quot;", "\""),
    ("&#34;", "\""),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&shy;", ""),
    ("&amp;", "&"),
];

/// Returns the text that a person saw when it was copied.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    // Long lists are ASCII lines without any of this.
    if text.is_ascii() && !text.contains("</") && !text.contains("**") && !text.contains("=\n") {
        let has_soft_break = text.contains("=\r\n");
        let has_other_tags = text.contains("<br") || text.contains("&nbsp;");
        if !has_soft_break && !has_other_tags {
            return Cow::Borrowed(text);
        }
    }
    let text: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let text = text.replace("=\r\n", "").replace("=\n", "");
    let text = text.replace("**", "");
    Cow::Owned(without_markup(&text))
}

/// Format characters (category Cf), such as zero-width spaces and soft hyphens, which no name or value
/// contains.
fn is_invisible(character: char) -> bool {
    !character.is_ascii() && character.general_category() == GeneralCategory::Format
}

/// Returns the text without tags of HTML. Responses of APIs in XML keep theirs: they name the parts of
/// the record.
fn without_markup(text: &str) -> String {
    let is_html = [
        "</td>", "</p>", "</div>", "</span>", "</code>", "</li>", "</tr>", "</b>", "</a>", "<br",
    ]
    .into_iter()
    .any(|tag| contains_ignoring_case(text, tag));
    if !is_html || contains_ignoring_case(text, "<?xml") {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        plain.push_str(&rest[..start]);
        plain.push('\n');
        rest = rest[start..]
            .find('>')
            .map_or("", |end| &rest[start + end + 1..]);
    }
    plain.push_str(rest);
    for (reference, character) in REFERENCES {
        plain = plain.replace(reference, character);
    }
    plain
}

fn contains_ignoring_case(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    text.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}
