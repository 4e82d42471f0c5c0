//! The words of one line of an HAProxy configuration, by the rules of its own reader
//! (`parse_line`): quotes, escapes, and environment variables, which are expanded only in double
//! quotes. <https://docs.haproxy.org/2.6/configuration.html#2.2>

/// The environment that HAProxy was started with.
#[derive(Clone, Debug, Default)]
pub struct HaproxyEnvironment {
    pub set: Vec<(String, String)>,
    /// Whether `set` is complete; otherwise other variables may be set too.
    pub complete: bool,
}

impl HaproxyEnvironment {
    /// The value of a variable; `Ok(None)` if it is not set.
    fn value(&self, name: &str) -> Result<Option<&str>, UnknownVariable> {
        match self.set.iter().rfind(|(set, _)| set == name) {
            Some((_, value)) => Ok(Some(value)),
            None if self.knows(name) => Ok(None),
            None => Err(UnknownVariable),
        }
    }

    /// Whether a variable that is not in `set` is certainly not set: `.FILE`, `.LINE` and `.SECTION`
    /// depend on the position in the configuration, and HAProxy itself sets further ones.
    fn knows(&self, name: &str) -> bool {
        self.complete && !name.starts_with('.') && !name.starts_with("HAPROXY_")
    }

    /// Returns whether a variable is set; `None` where that is not known.
    pub(crate) fn is_defined(&self, name: &str) -> Option<bool> {
        match self.value(name) {
            Ok(value) => Some(value.is_some()),
            Err(UnknownVariable) => None,
        }
    }

    /// Removes a variable (`unsetenv`).
    pub(crate) fn remove(&mut self, name: &str) {
        self.set.retain(|(set, _)| set != name);
    }

    /// Removes all variables but these (`resetenv`).
    pub(crate) fn keep_only(&mut self, names: &[&str]) {
        self.set.retain(|(set, _)| names.contains(&set.as_str()));
        self.complete = true;
    }

    /// Sets a variable, even if it has a value (`setenv`).
    pub(crate) fn assign(&mut self, name: &str, value: &str) {
        self.set.push((name.to_owned(), value.to_owned()));
    }

    /// Sets a variable unless it has a value (`presetenv`).
    pub(crate) fn assign_default(&mut self, name: &str, value: &str) {
        if self.set.iter().all(|(set, _)| set != name) {
            self.assign(name, value);
        }
    }
}

/// A variable whose value is not known.
struct UnknownVariable;

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct HaproxyWord {
    /// Its text; variables with unknown values stay as they are written.
    pub text: String,
    /// Whether it contains a variable with an unknown value.
    pub unresolved: bool,
}

/// A malformed line: a quote or a variable's brace that is not closed, or a malformed escape.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct LexError;

/// The text of a word; empty where the line has fewer words.
pub(super) fn text_at(words: &[HaproxyWord], index: usize) -> &str {
    words
        .get(index)
        .map(|word| word.text.as_str())
        .unwrap_or_default()
}

/// Splits a line into words, without its comment.
pub(crate) fn words(
    line: &str,
    environment: &HaproxyEnvironment,
) -> Result<Vec<HaproxyWord>, LexError> {
    let mut lexer = HaproxyLexer {
        rest: line.chars().collect(),
        at: 0,
        words: Vec::new(),
        word: None,
    };
    lexer.line(environment)?;
    Ok(lexer.words)
}

struct HaproxyLexer {
    rest: Vec<char>,
    at: usize,
    words: Vec<HaproxyWord>,
    word: Option<HaproxyWord>,
}

impl HaproxyLexer {
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
                (c, None) if c.is_ascii_whitespace() => self.end_word(),
                (c, _) => self.word().text.push(c),
            }
        }
        self.end_word();
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

    /// Skips the next character if it is `expected`; returns whether it was.
    fn skip(&mut self, expected: char) -> bool {
        let is_next = self.peek() == Some(expected);
        self.at += usize::from(is_next);
        is_next
    }

    fn word(&mut self) -> &mut HaproxyWord {
        self.word.get_or_insert(HaproxyWord {
            text: String::new(),
            unresolved: false,
        })
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    /// Reads the escape after a backslash. An unknown one stays as it is, including its backslash.
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

    /// Expands `$NAME`, `${NAME}`, `${NAME-default}` or `${NAME[*]}`, whose value is split into
    /// words.
    fn variable(&mut self, environment: &HaproxyEnvironment) -> Result<(), LexError> {
        let start = self.at - 1;
        let variable = self.parse_variable()?;
        match environment.value(&variable.name) {
            Ok(value) => {
                let value = value.map(str::to_owned).or(variable.default);
                self.push_value(&value.unwrap_or_default(), variable.expansion);
            }
            Err(UnknownVariable) => {
                let written: String = self.rest[start..self.at].iter().collect();
                let word = self.word();
                word.text.push_str(&written);
                word.unresolved = true;
            }
        }
        Ok(())
    }

    fn parse_variable(&mut self) -> Result<VariableReference, LexError> {
        let is_braced = self.skip('{');
        let name = self.variable_name();
        let mut expansion = VariableExpansion::OneWord;
        if is_braced && self.skip('[') {
            if !self.skip('*') || !self.skip(']') {
                return Err(LexError);
            }
            expansion = VariableExpansion::SplitIntoWords;
        }
        let default = if is_braced && self.skip('-') {
            Some(self.until_brace())
        } else {
            None
        };
        let is_name = name.starts_with(|c: char| !c.is_ascii_digit());
        if !is_name || (is_braced && !self.skip('}')) {
            return Err(LexError);
        }
        Ok(VariableReference {
            name,
            default,
            expansion,
        })
    }

    fn variable_name(&mut self) -> String {
        let mut name = String::new();
        if self.skip('.') {
            name.push('.');
        }
        while let Some(c) = self.peek() {
            if !c.is_ascii_alphanumeric() && c != '_' {
                break;
            }
            name.push(c);
            self.at += 1;
        }
        name
    }

    fn until_brace(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek().filter(|c| *c != '}') {
            text.push(c);
            self.at += 1;
        }
        text
    }

    fn push_value(&mut self, value: &str, expansion: VariableExpansion) {
        match expansion {
            VariableExpansion::OneWord => self.word().text.push_str(value),
            VariableExpansion::SplitIntoWords => {
                for (index, part) in value.split_ascii_whitespace().enumerate() {
                    if index > 0 {
                        self.end_word();
                    }
                    self.word().text.push_str(part);
                }
            }
        }
    }
}

struct VariableReference {
    name: String,
    default: Option<String>,
    expansion: VariableExpansion,
}

/// How a variable's value is inserted.
#[derive(Clone, Copy)]
enum VariableExpansion {
    OneWord,
    SplitIntoWords,
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
        let words = words(line, &environment)?;
        let texts: Vec<String> = words.into_iter().map(|word| word.text).collect();
        Ok(texts.join("|"))
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
    fn malformed_lines_are_rejected() {
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
    fn unknown_variables_stay_as_written() {
        for (complete, unresolved) in [(false, [false, true, true]), (true, [false, false, true])] {
            let environment = HaproxyEnvironment {
                set: Vec::new(),
                complete,
            };
            let line = "crt \"/etc/${SITE-x}.pem\" \"${.FILE}\"";
            let words = words(line, &environment).unwrap();
            let flags: Vec<bool> = words.iter().map(|word| word.unresolved).collect();
            assert_eq!(flags, unresolved);
            if !complete {
                assert_eq!(words[1].text, "/etc/${SITE-x}.pem");
            }
        }
    }

    #[test]
    fn malformed_lines_never_panic() {
        let whole = "a \"${A-é}\" '\\' \\x4 \"${A[*]}\" \\$ # b";
        for (start, _) in whole.char_indices() {
            for (end, _) in whole[start..].char_indices() {
                // Any result is fine, but it must not panic.
                let _ = read(&whole[start..start + end]);
            }
        }
    }
}
