//! The words of one line of an HAProxy configuration, by the rules of its own reader
//! (`parse_line`): quotes, escapes, and variables of the environment, which count in double quotes
//! alone. <https://docs.haproxy.org/2.6/configuration.html#2.2>

/// The environment that HAProxy was started with.
#[derive(Clone, Debug, Default)]
pub struct HaproxyEnvironment {
    pub set: Vec<(String, String)>,
    /// Whether that is all: else what is not set here cannot be told.
    pub complete: bool,
}

impl HaproxyEnvironment {
    /// The value of a variable: `Ok(None)` when it is not set, `Err` when that cannot be told.
    fn value(&self, name: &str) -> Result<Option<&str>, Untold> {
        match self.set.iter().rfind(|(set, _)| set == name) {
            Some((_, value)) => Ok(Some(value)),
            // `.FILE`, `.LINE` and `.SECTION` are made up while reading.
            None if self.complete && !name.starts_with('.') => Ok(None),
            None => Err(Untold),
        }
    }

    /// `setenv` (over what is set) and `presetenv` (not over it).
    pub(crate) fn assign(&mut self, name: &str, value: &str, OverwriteMode(over): OverwriteMode) {
        if over || self.set.iter().all(|(set, _)| set != name) {
            self.set.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// Whether an assignment replaces what is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OverwriteMode(pub(crate) bool);

struct Untold;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HaproxyWord {
    /// What it says; variables whose value cannot be told stand as they are written.
    pub text: String,
    /// Whether it holds such a variable.
    pub open: bool,
}

/// What is no line: a quote or a variable's brace that is not closed, an escape that is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct LexError;

/// The words of a line, its comment left out.
pub(crate) fn words(
    line: &str,
    environment: &HaproxyEnvironment,
) -> Result<Vec<HaproxyWord>, LexError> {
    let mut lexer = Lexer {
        rest: line.chars().collect(),
        at: 0,
        words: Vec::new(),
        word: None,
    };
    lexer.line(environment)?;
    Ok(lexer.words)
}

struct Lexer {
    rest: Vec<char>,
    at: usize,
    words: Vec<HaproxyWord>,
    word: Option<HaproxyWord>,
}

impl Lexer {
    fn line(&mut self, environment: &HaproxyEnvironment) -> Result<(), LexError> {
        let mut quote: Option<char> = None;
        while let Some(c) = self.next() {
            match (c, quote) {
                ('\n' | '\r', None) => break,
                ('#', None) => break,
                ('"' | '\'', None) => {
                    quote = Some(c);
                    self.word();
                }
                (c, Some(open)) if c == open => quote = None,
                ('\\', None | Some('"')) => self.escape(quote)?,
                ('$', Some('"')) => self.variable(environment)?,
                (c, None) if c.is_ascii_whitespace() => self.end(),
                (c, _) => self.word().text.push(c),
            }
        }
        self.end();
        if quote.is_some() {
            Err(LexError)
        } else {
            Ok(())
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.get(self.at).copied()?;
        self.at += 1;
        Some(c)
    }

    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn word(&mut self) -> &mut HaproxyWord {
        self.word.get_or_insert(HaproxyWord {
            text: String::new(),
            open: false,
        })
    }

    fn end(&mut self) {
        self.words.extend(self.word.take());
    }

    /// What is no escape stays as it is, its backslash too.
    fn escape(&mut self, quote: Option<char>) -> Result<(), LexError> {
        let c = match self.peek() {
            Some(c @ (' ' | '\\' | '#' | '\'' | '"')) => c,
            Some('t') => '\t',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('$') if quote.is_some() => '$',
            Some('x') => return self.hex(),
            _ => {
                self.word().text.push('\\');
                return Ok(());
            }
        };
        self.at += 1;
        self.word().text.push(c);
        Ok(())
    }

    fn hex(&mut self) -> Result<(), LexError> {
        self.at += 1;
        let digits: String = [self.next(), self.next()].into_iter().flatten().collect();
        let byte = u8::from_str_radix(&digits, 16).map_err(|_| LexError)?;
        self.word().text.push(char::from(byte));
        Ok(())
    }

    /// `$NAME`, `${NAME}`, `${NAME-default}`, `${NAME[*]}` (each of its words a word).
    fn variable(&mut self, environment: &HaproxyEnvironment) -> Result<(), LexError> {
        let from = self.at - 1;
        let braced = self.take('{');
        let mut name = if self.take('.') {
            ".".to_owned()
        } else {
            String::new()
        };
        while let Some(c) = self
            .peek()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        {
            name.push(c);
            self.at += 1;
        }
        let split = braced && self.take('[');
        if split && !(self.take('*') && self.take(']')) {
            return Err(LexError);
        }
        let default = if braced && self.take('-') {
            Some(self.until_brace())
        } else {
            None
        };
        if name.is_empty()
            || name.starts_with(|c: char| c.is_ascii_digit())
            || (braced && !self.take('}'))
        {
            return Err(LexError);
        }
        match environment.value(&name) {
            Ok(value) => self.expand(
                value.map(str::to_owned).or(default).unwrap_or_default(),
                split,
            ),
            Err(Untold) => {
                let written: String = self.rest[from..self.at].iter().collect();
                let word = self.word();
                word.text.push_str(&written);
                word.open = true;
            }
        }
        Ok(())
    }

    fn until_brace(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek().filter(|c| *c != '}') {
            text.push(c);
            self.at += 1;
        }
        text
    }

    fn expand(&mut self, value: String, split: bool) {
        if !split {
            return self.word().text.push_str(&value);
        }
        for (index, part) in value.split_ascii_whitespace().enumerate() {
            if index > 0 {
                self.end();
            }
            self.word().text.push_str(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HaproxyEnvironment, LexError, words};

    fn read(line: &str) -> Result<String, LexError> {
        let set = [("A", "a value"), ("EMPTY", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = HaproxyEnvironment {
            set: set.into(),
            complete: true,
        };
        let told = words(line, &environment)?.into_iter().map(|word| word.text);
        Ok(told.collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn words_are_read_as_haproxy_reads_them() {
        for (line, expected) in [
            (
                "  bind :443\tssl crt /a.pem  # note",
                "bind|:443|ssl|crt|/a.pem",
            ),
            ("# all of it", ""),
            ("", ""),
            ("a b\r\n", "a|b"),
            ("a#b c", "a"),
            (r"a\#b \ c d\\e f\qg", r"a#b| c|d\e|f\qg"),
            (r"a\tb \x41\x20B", "a\tb|A B"),
            (
                r#""a b"c 'd # "e' "f 'g' \" \$h""#,
                r#"a bc|d # "e|f 'g' " $h"#,
            ),
            (r"'a\ b$A'", r"a\ b$A"),
            (r#""" '' x"#, "||x"),
            (
                r#"$A "$A" "${A}x" "${NO-d e}f" "${EMPTY-d}" "$NO""#,
                "$A|a value|a valuex|d ef||",
            ),
            (r#""${A[*]}" "p${A[*]}s""#, "a|value|pa|values"),
        ] {
            assert_eq!(read(line).as_deref(), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_is_not_closed_is_no_line() {
        for line in [
            "a \"b",
            "a 'b",
            "\"${A\"",
            "\"$\"",
            "\"${1}\"",
            "\"${A[x]}\"",
            r"\xzz",
            r"\x",
        ] {
            assert_eq!(read(line), Err(LexError), "{line}");
        }
    }

    #[test]
    fn a_variable_that_nobody_knows_is_left_open() {
        let told = |complete| {
            let environment = HaproxyEnvironment {
                set: Vec::new(),
                complete,
            };
            words("crt \"/etc/${SITE-x}.pem\" \"${.FILE}\"", &environment).unwrap()
        };
        let flags = |complete| {
            told(complete)
                .iter()
                .map(|word| word.open)
                .collect::<Vec<_>>()
        };
        assert_eq!(told(false)[1].text, "/etc/${SITE-x}.pem");
        assert_eq!(flags(false), [false, true, true]);
        assert_eq!(flags(true), [false, false, true]);
    }

    #[test]
    fn no_line_is_too_broken_to_be_answered() {
        let whole = "a \"${A-é}\" '\\' \\x4 \"${A[*]}\" \\$ # b";
        for (start, _) in whole.char_indices() {
            for (end, _) in whole[start..].char_indices() {
                // Any answer but a panic.
                let _ = read(&whole[start..start + end]);
            }
        }
    }
}
