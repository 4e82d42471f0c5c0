//! The statements of a Python file, as far as they are needed to find the object that answers
//! requests. The file is never run.

/// One logical line: physical lines that brackets, backslashes or quotes join are one. Comments are
/// removed, and each string is only a pair of quotes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PythonStatement {
    /// How many blanks are before it; 0 for a statement of the module itself.
    pub indent: usize,
    pub text: String,
}

/// Splits a file into its statements.
#[must_use]
pub(crate) fn statements(text: &str) -> Vec<PythonStatement> {
    let mut scanner = StatementScanner::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = scanner.read(rest, c);
        rest = rest.get(length..).unwrap_or_default();
    }
    scanner.finish();
    scanner.statements
}

#[derive(Default)]
struct StatementScanner {
    statements: Vec<PythonStatement>,
    line: String,
    /// How many brackets are open.
    depth: usize,
}

impl StatementScanner {
    /// Reads the next part of the text, which begins with `c`; returns its length.
    fn read(&mut self, rest: &str, c: char) -> usize {
        match c {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => {
                self.line.push_str("\"\"");
                string_length(rest, c)
            }
            '\\' if rest.starts_with("\\\n") => {
                self.line.push(' ');
                2
            }
            '\n' | ';' if self.depth == 0 => {
                self.finish();
                1
            }
            _ => {
                match c {
                    '(' | '[' | '{' => self.depth += 1,
                    ')' | ']' | '}' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                let is_blank = c.is_whitespace();
                self.line.push(if is_blank { ' ' } else { c });
                c.len_utf8()
            }
        }
    }

    fn finish(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = line.trim();
        if !text.is_empty() {
            self.statements.push(PythonStatement {
                indent: line.len() - line.trim_start().len(),
                text: text.split_whitespace().collect::<Vec<&str>>().join(" "),
            });
        }
    }
}

/// The length of the string at the start of the text.
fn string_length(rest: &str, quote: char) -> usize {
    let single = quote.to_string();
    let triple = single.repeat(3);
    let is_triple = rest.starts_with(&triple);
    let end = if is_triple { &triple } else { &single };
    let mut position = end.len();
    while let Some(part) = rest.get(position..).filter(|part| !part.is_empty()) {
        if part.starts_with('\\') {
            let escaped = part.chars().nth(1).map_or(0, char::len_utf8);
            position += 1 + escaped;
        } else if part.starts_with(end.as_str()) {
            return position + end.len();
        } else if part.starts_with('\n') && !is_triple {
            return position;
        } else {
            position += part.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::statements;

    #[test]
    fn comments_and_strings_are_no_statements() {
        let text = "\"\"\"app = Flask()\nx\"\"\"\nimport a # app = 1\nfrom b import (\n  C,\n  D)\n\
            app = C('a\\'b; c', \\\n  r'''x\n''')\ndef f(a,\n  b=1):\n    app = D(); g()\nx = \"ä\\\"\nü";
        let found: Vec<(usize, String)> = statements(text)
            .into_iter()
            .map(|statement| (statement.indent, statement.text))
            .collect();
        let expected = [
            (0, "\"\""),
            (0, "import a"),
            (0, "from b import ( C, D)"),
            (0, "app = C(\"\", r\"\")"),
            (0, "def f(a, b=1):"),
            (4, "app = D()"),
            (1, "g()"),
            (0, "x = \"\""),
            (0, "ü"),
        ];
        let expected = expected.map(|(indent, text)| (indent, text.to_owned()));
        assert_eq!(found, expected);
        for odd in ["'", "\"\"\"", "\\", "(((", ")", "'\\", "a\\\n"] {
            let _ = statements(odd);
        }
    }
}
