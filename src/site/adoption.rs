//! Adds lines to a block that somebody else wrote, between two markers, and removes them again.

use crate::pki::fingerprint::Fingerprint;

/// How the first added line begins, before the name and the checksum of the lines.
const BEGIN: &str = "# certctl-adopt";
/// The last added line.
const END: &str = "# certctl-adopt end";
/// The last added line where the next one was not on a line of its own before.
const END_SPLIT: &str = "# certctl-adopt end (and of this line)";

/// What a file has of the lines that certctl added for a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum AdoptedLines {
    Absent,
    /// Somebody has changed them since.
    Edited,
    /// This is the content of the file without them.
    Removable(String),
}

/// Returns the text of a configuration file with `lines` at the start of the block that begins on
/// this line (counted from 1); `None` if no block begins there. `stem` is the site that they are for.
#[must_use]
pub(crate) fn insert_into_block(
    text: &str,
    line: u32,
    stem: &str,
    lines: &[String],
) -> Option<String> {
    let index = usize::try_from(line).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(index).map(str::len).sum();
    let head = text.get(start..)?;
    let brace = head.find('{')?;
    let is_block = head[..brace].trim() == "server";
    if !is_block {
        return None;
    }
    let (before, after) = text.split_at(start + brace + 1);
    let indent: String = head.chars().take_while(|c| *c == ' ').collect();
    let indent = format!("{indent}    ");
    let is_split = !after.starts_with('\n');
    let mut new_text = before.to_owned();
    let mut add = |line: &str| {
        new_text.push('\n');
        new_text.push_str(&indent);
        new_text.push_str(line);
    };
    add(&format!("{BEGIN} {stem} sha256:{}", checksum(lines)));
    for line in lines {
        add(line);
    }
    add(if is_split { END_SPLIT } else { END });
    if is_split {
        new_text.push('\n');
    }
    new_text.push_str(after);
    Some(new_text)
}

/// Finds the lines that were added for a site.
#[must_use]
pub(crate) fn find_adopted(text: &str, stem: &str) -> AdoptedLines {
    let marker = format!("{BEGIN} {stem} sha256:");
    let Some(found) = text.find(&marker) else {
        return AdoptedLines::Absent;
    };
    let Some(start) = text[..found].rfind('\n') else {
        return AdoptedLines::Edited;
    };
    let mut end = start + 1;
    let mut added = Vec::new();
    let mut last = None;
    for line in text[start + 1..].split_inclusive('\n') {
        let content = line.trim();
        end += line.len();
        if content == END || content == END_SPLIT {
            last = Some(content);
            break;
        }
        added.push(content.to_owned());
    }
    let expected = added.split_first().and_then(|(first, lines)| {
        let written = first.strip_prefix(&marker)?;
        Some(written == checksum(lines))
    });
    match last {
        Some(last) if expected == Some(true) => {
            // The line break before the lines belongs to them, and the one after them to the file.
            let kept = if last == END_SPLIT { end } else { end - 1 };
            let rest = text.get(kept..).unwrap_or_default();
            AdoptedLines::Removable(format!("{}{rest}", &text[..start]))
        }
        _ => AdoptedLines::Edited,
    }
}

fn checksum(lines: &[String]) -> String {
    Fingerprint::of(lines.join("\n").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::{AdoptedLines, find_adopted, insert_into_block};

    #[test]
    fn lines_are_added_to_the_block_that_begins_on_the_line_and_removed_again() {
        let lines = ["listen 443 ssl;".to_owned()];
        for (text, line, expected) in [
            (
                "server {\n  a;\n}\n",
                1,
                Some("server {\n    #\n    listen 443 ssl;\n    #\n  a;\n}\n"),
            ),
            (
                "x;\n  server\n  { a; }",
                2,
                Some("x;\n  server\n  {\n      #\n      listen 443 ssl;\n      #\n a; }"),
            ),
            ("server { a; }", 2, None),
            ("upstream x { }", 1, None),
            ("server # { \n { }", 1, None),
        ] {
            let inserted = insert_into_block(text, line, "a.example", &lines);
            let Some(inserted) = inserted else {
                assert_eq!(expected, None, "{text}");
                continue;
            };
            let mut shown = String::new();
            for line in inserted.split_inclusive('\n') {
                match line.split_once('#') {
                    Some((indent, _)) => shown.push_str(&format!("{indent}#\n")),
                    None => shown.push_str(line),
                }
            }
            assert_eq!(Some(shown.as_str()), expected, "{text}");
            let removed = AdoptedLines::Removable(text.to_owned());
            assert_eq!(find_adopted(&inserted, "a.example"), removed);
            assert_eq!(find_adopted(&inserted, "b.example"), AdoptedLines::Absent);
            let edited = inserted.replace("443", "8443");
            assert_eq!(find_adopted(&edited, "a.example"), AdoptedLines::Edited);
            let cut = inserted.replace("# certctl-adopt end", "");
            assert_eq!(find_adopted(&cut, "a.example"), AdoptedLines::Edited);
        }
    }
}
