//! Splits the text of a command into words, as a POSIX shell does. Commands run without a shell.

/// Why a text cannot be run as a command without a shell.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum WordsError {
    /// It contains only spaces.
    #[error("the command is empty")]
    Empty,
    /// A character that only a shell understands, outside quotes.
    #[error("the command contains {0:?}, but certctl runs commands without a shell")]
    Shell(char),
    /// A quotation that is not closed, or a backslash at the end.
    #[error("a quotation in the command is not closed")]
    Unclosed,
}

/// Splits a command as a POSIX shell does (spaces, quotes, backslashes), without expansions.
/// Characters that need a shell are refused, because the program would get them with another
/// meaning.
///
/// # Errors
/// See [`WordsError`].
pub(crate) fn split_command(text: &str) -> Result<Vec<String>, WordsError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => quoted(&mut chars, word.get_or_insert_default())?,
            '"' => double_quoted(&mut chars, word.get_or_insert_default())?,
            '\\' => word
                .get_or_insert_default()
                .push(chars.next().ok_or(WordsError::Unclosed)?),
            '|' | '&' | ';' | '<' | '>' | '(' | ')' | '$' | '`' | '\n' | '\r' => {
                return Err(WordsError::Shell(c));
            }
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if words.is_empty() {
        Err(WordsError::Empty)
    } else {
        Ok(words)
    }
}

fn quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), WordsError> {
    loop {
        match chars.next() {
            None => return Err(WordsError::Unclosed),
            Some('\'') => return Ok(()),
            Some(c) => word.push(c),
        }
    }
}

fn double_quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), WordsError> {
    loop {
        match chars.next().ok_or(WordsError::Unclosed)? {
            '"' => return Ok(()),
            c @ ('$' | '`') => return Err(WordsError::Shell(c)),
            '\\' => match chars.next().ok_or(WordsError::Unclosed)? {
                c @ ('"' | '\\' | '$' | '`') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{WordsError, split_command};

    #[test]
    fn a_command_is_split_as_a_shell_does() {
        for (text, expected) in [
            ("nginx -t", vec!["nginx", "-t"]),
            ("  a\tb  ", vec!["a", "b"]),
            ("a 'b c' \"d e\"f", vec!["a", "b c", "d ef"]),
            ("a '' \"\"", vec!["a", "", ""]),
            (r#"a\ b "c\"d\e" 'f\g'"#, vec!["a b", r#"c"d\e"#, r"f\g"]),
            (
                "sh -c 'a && b | c > $d'",
                vec!["sh", "-c", "a && b | c > $d"],
            ),
        ] {
            assert_eq!(split_command(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn commands_that_need_a_shell_are_rejected() {
        for (text, error) in [
            ("", WordsError::Empty),
            (" \t", WordsError::Empty),
            ("a && b", WordsError::Shell('&')),
            ("a; b", WordsError::Shell(';')),
            ("a $HOME", WordsError::Shell('$')),
            ("a \"$HOME\"", WordsError::Shell('$')),
            ("a 'b", WordsError::Unclosed),
            ("a \"b", WordsError::Unclosed),
            ("a \\", WordsError::Unclosed),
        ] {
            assert_eq!(split_command(text).unwrap_err(), error, "{text}");
        }
    }
}
