//! Splits an Apache configuration into lines and words: a backslash at the end continues a line,
//! `#` starts a comment only at its start, words may be quoted (`ap_cfg_getline`,
//! `ap_getword_conf`).

use std::path::{Path, PathBuf};

/// Why a configuration could not be parsed. `apache2ctl configtest` reports more details.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}:{line}: {what}", file.display())]
pub struct ApacheParseError {
    pub file: PathBuf,
    pub line: u32,
    /// What is wrong there.
    pub what: &'static str,
}

impl ApacheParseError {
    pub(crate) fn at(file: &Path, line: u32, what: &'static str) -> Self {
        Self {
            file: file.to_owned(),
            line,
            what,
        }
    }
}

/// One logical line, and the number of its last physical line (as Apache counts).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ApacheLine {
    pub number: u32,
    pub text: String,
}

/// The logical lines of a text, without comments and empty lines.
pub(crate) fn lines(text: &str) -> Vec<ApacheLine> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for (index, physical) in text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .lines()
        .enumerate()
    {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        match physical.strip_suffix('\\') {
            // Two backslashes at the end do not continue the line.
            Some(begun) if !begun.ends_with('\\') => open.push_str(begun),
            _ => {
                open.push_str(physical);
                let text = std::mem::take(&mut open).trim().to_owned();
                if !text.is_empty() && !text.starts_with('#') {
                    lines.push(ApacheLine { number, text });
                }
            }
        }
    }
    lines
}

/// Splits the arguments of a directive into words.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let quote = Some(first).filter(|c| matches!(c, '"' | '\''));
        let mut word = String::new();
        let mut chars = rest
            .char_indices()
            .skip(usize::from(quote.is_some()))
            .peekable();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, next)| *next);
            match (c, quote) {
                ('\\', _) if next == Some('\\') || (quote.is_some() && next == quote) => {
                    word.extend(chars.next().map(|(_, c)| c));
                }
                (c, Some(quote)) if c == quote => {
                    end = at + 1;
                    break;
                }
                (c, None) if c.is_whitespace() => {
                    end = at;
                    break;
                }
                (c, _) => word.push(c),
            }
        }
        words.push(word);
        rest = rest[end..].trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{lines, words};

    #[test]
    fn words_are_read_as_apache_reads_them() {
        for (text, expected) in [
            ("a b\tc", vec!["a", "b", "c"]),
            (r#""a b" 'c d' e"#, vec!["a b", "c d", "e"]),
            (
                r#""a \"b\" \\ \n" 'it''s'"#,
                vec![r#"a "b" \ \n"#, "it", "s"],
            ),
            (r"^/\.x\\y$", vec![r"^/\.x\y$"]),
            (r#""not closed"#, vec!["not closed"]),
            ("", vec![]),
            (r#""""#, vec![""]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn a_backslash_continues_a_line() {
        let text = "\u{feff}a 1\n  # no\n#no \\\n still no\n\nb \\\n  2\nc#3\nd \\\\\ne";
        let read: Vec<(u32, String)> = lines(text)
            .into_iter()
            .map(|line| (line.number, line.text))
            .collect();
        let expected = [
            (1, "a 1"),
            (7, "b   2"),
            (8, "c#3"),
            (9, "d \\\\"),
            (10, "e"),
        ];
        assert_eq!(
            read,
            expected.map(|(number, text)| (number, text.to_owned()))
        );
    }
}
