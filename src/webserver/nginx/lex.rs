//! Splits an nginx configuration into tokens by the rules of nginx's own reader
//! (`ngx_conf_read_token`): white space separates words, `;`, `{` and `}` are separate tokens, and
//! `#` starts a comment only where a word could start.

use std::path::{Path, PathBuf};

/// A syntax error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NginxSyntaxFault {
    /// Blocks or includes are nested more than `DEPTH` times.
    Depth,
    /// A quote or a block that is not closed.
    Unclosed,
    /// A `}`, `{` or `;` in an invalid place.
    Unexpected,
}

/// Why a configuration could not be parsed. `nginx -t` reports more details.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}:{line}: {}", file.display(), description(*fault))]
pub struct NginxParseError {
    pub file: PathBuf,
    pub line: u32,
    /// What is wrong there.
    pub fault: NginxSyntaxFault,
}

fn description(fault: NginxSyntaxFault) -> &'static str {
    match fault {
        NginxSyntaxFault::Depth => "blocks or includes are nested too deeply",
        NginxSyntaxFault::Unclosed => "a quote or a block is not closed",
        NginxSyntaxFault::Unexpected => "unexpected brace or semicolon",
    }
}

impl NginxParseError {
    pub(crate) fn at(line: u32, fault: NginxSyntaxFault) -> Self {
        Self {
            file: PathBuf::new(),
            line,
            fault,
        }
    }

    pub(crate) fn with_file(mut self, file: &Path) -> Self {
        if self.file.as_os_str().is_empty() {
            self.file = file.to_owned();
        }
        self
    }
}

/// A token and the line that it starts on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum NginxToken {
    Word(String, u32),
    /// `;`
    End(u32),
    /// `{`
    Open(u32),
    /// `}`
    Close(u32),
}

/// Reads one file's text, token by token.
pub(crate) struct NginxLexer<'a> {
    text: &'a str,
    position: usize,
    line: u32,
}

impl<'a> NginxLexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text: text.strip_prefix('\u{feff}').unwrap_or(text),
            position: 0,
            line: 1,
        }
    }

    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    /// The next token; `None` at the end of the text.
    pub(crate) fn next(&mut self) -> Result<Option<NginxToken>, NginxParseError> {
        self.skip_blanks();
        let line = self.line;
        let Some(c) = self.peek() else {
            return Ok(None);
        };
        Ok(Some(match c {
            ';' => self.single(NginxToken::End(line)),
            '{' => self.single(NginxToken::Open(line)),
            '}' => self.single(NginxToken::Close(line)),
            '"' | '\'' => NginxToken::Word(self.quoted(c)?, line),
            _ => NginxToken::Word(self.bare(), line),
        }))
    }

    /// Skips a block whose content is another language (`content_by_lua_block { ... }`), up to its
    /// own closing brace.
    pub(crate) fn skip_embedded_block(&mut self) -> Result<(), NginxParseError> {
        let line = self.line;
        let mut depth = 1_u32;
        while let Some(c) = self.advance() {
            match c {
                '{' => depth += 1,
                '}' if depth == 1 => return Ok(()),
                '}' => depth -= 1,
                '"' | '\'' => self.skip_foreign_string(c),
                '[' => self.skip_long_bracket(),
                '-' if self.peek() == Some('-') => self.skip_foreign_comment(),
                _ => {}
            }
        }
        Err(NginxParseError::at(line, NginxSyntaxFault::Unclosed))
    }

    /// Skips the rest of a comment whose first `-` was read: to the end of the line, or to the end of
    /// a long bracket (`--[[ ... ]]`).
    fn skip_foreign_comment(&mut self) {
        self.advance();
        let start = self.position;
        if self.peek() == Some('[') {
            self.advance();
            self.skip_long_bracket();
        }
        // A single bracket is part of the comment.
        if self.position <= start + 1 {
            self.skip_line();
        }
    }

    /// Skips the rest of a long bracket whose first `[` was read: `[[ ... ]]`, `[=[ ... ]=]`. Skips
    /// nothing if it is another bracket, and everything if it is not closed.
    fn skip_long_bracket(&mut self) {
        let rest = &self.text[self.position..];
        let level = rest.bytes().take_while(|&byte| byte == b'=').count();
        if rest.as_bytes().get(level) != Some(&b'[') {
            return;
        }
        let closing = format!("]{}]", "=".repeat(level));
        let end = rest
            .find(&closing)
            .map_or(rest.len(), |at| at + closing.len());
        let target = self.position + end;
        while self.position < target && self.advance().is_some() {}
    }

    fn single(&mut self, token: NginxToken) -> NginxToken {
        self.advance();
        token
    }

    fn peek(&self) -> Option<char> {
        self.text[self.position..].chars().next()
    }

    fn advance(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.position += c.len_utf8();
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn skip_blanks(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' => {
                    self.advance();
                }
                '#' => self.skip_line(),
                _ => return,
            }
        }
    }

    fn skip_line(&mut self) {
        while self.peek().is_some_and(|c| c != '\n') {
            self.advance();
        }
    }

    fn skip_foreign_string(&mut self, quote: char) {
        while let Some(c) = self.advance() {
            match c {
                '\\' => {
                    self.advance();
                }
                // Strings end with the line: an apostrophe in a comment must not swallow the file.
                '\n' => return,
                c if c == quote => return,
                _ => {}
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, NginxParseError> {
        let line = self.line;
        self.advance();
        let mut word = String::new();
        while let Some(c) = self.advance() {
            match c {
                '\\' => self.escape(&mut word),
                c if c == quote => return Ok(word),
                c => word.push(c),
            }
        }
        Err(NginxParseError::at(line, NginxSyntaxFault::Unclosed))
    }

    /// Reads a word without quotes: white space, `;` or `{` ends it; `${name}` and `}` are part of
    /// it.
    fn bare(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' => break,
                '{' if !word.ends_with('$') => break,
                _ => {}
            }
            self.advance();
            if c == '\\' {
                self.escape(&mut word)
            } else {
                word.push(c)
            }
        }
        word
    }

    /// Reads what follows a backslash: quotes and the backslash are themselves, `t`, `r` and `n`
    /// are control characters; before anything else the backslash stays (as in a regular
    /// expression).
    fn escape(&mut self, word: &mut String) {
        match self.advance() {
            Some(c @ ('"' | '\'' | '\\')) => word.push(c),
            Some('t') => word.push('\t'),
            Some('r') => word.push('\r'),
            Some('n') => word.push('\n'),
            Some(c) => word.extend(['\\', c]),
            None => word.push('\\'),
        }
    }
}
