//! Parses the texts of an nginx configuration into directives, following includes. `include` is the
//! only directive whose meaning it knows.

use std::path::{Path, PathBuf};

use super::lex::{NginxLexer, NginxParseError, NginxSyntaxFault, NginxToken};
use crate::webserver::model::ConfigFile;

/// The maximum nesting depth of blocks and includes.
pub(crate) const DEPTH: usize = 32;

/// A directive with its arguments and its block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NginxDirective {
    /// The first word of the directive.
    pub name: String,
    /// The words after the name.
    pub arguments: Vec<String>,
    /// The file that contains it.
    pub file: PathBuf,
    /// The line its first word is on.
    pub line: u32,
    /// The directives of its block, or those of the files that it includes.
    pub block: Option<Vec<Self>>,
}

impl NginxDirective {
    /// The argument if there is exactly one.
    #[must_use]
    pub fn only(&self) -> Option<&str> {
        match self.arguments.as_slice() {
            [argument] => Some(argument),
            _ => None,
        }
    }

    /// The directives of its block, including those of included files.
    #[must_use]
    pub fn inside(&self) -> Vec<&Self> {
        flat(self.block.as_deref().unwrap_or_default())
    }
}

/// `directives` with each `include` replaced by what it includes.
#[must_use]
pub(crate) fn flat(directives: &[NginxDirective]) -> Vec<&NginxDirective> {
    let mut all = Vec::new();
    for directive in directives {
        match directive.name.as_str() {
            "include" => all.extend(directive.inside()),
            _ => all.push(directive),
        }
    }
    all
}

/// Parses `main` and everything that it includes. `find` returns the files that an absolute path or
/// pattern matches, in order; relative ones are resolved in the folder of the main file, as nginx
/// does.
///
/// # Errors
/// When a file cannot be parsed, or when `find` fails.
pub(crate) fn parse<E: From<NginxParseError>>(
    main: &ConfigFile,
    find: &mut dyn FnMut(&Path) -> Result<Vec<ConfigFile>, E>,
) -> Result<Vec<NginxDirective>, E> {
    let folder = main.path.parent().unwrap_or_else(|| Path::new("/"));
    NginxParser { folder, find }.parse_file(main, 0)
}

struct NginxParser<'a, E> {
    folder: &'a Path,
    find: &'a mut dyn FnMut(&Path) -> Result<Vec<ConfigFile>, E>,
}

/// The text of one file that is being parsed.
struct NginxSource<'a> {
    lexer: NginxLexer<'a>,
    file: &'a Path,
}

impl NginxSource<'_> {
    fn next(&mut self) -> Result<Option<NginxToken>, NginxParseError> {
        self.lexer
            .next()
            .map_err(|error| error.with_file(self.file))
    }

    fn skip_embedded_block(&mut self) -> Result<(), NginxParseError> {
        let skipped = self.lexer.skip_embedded_block();
        skipped.map_err(|error| error.with_file(self.file))
    }

    fn error(&self, line: u32, fault: NginxSyntaxFault) -> NginxParseError {
        NginxParseError::at(line, fault).with_file(self.file)
    }
}

impl<E: From<NginxParseError>> NginxParser<'_, E> {
    fn parse_file(&mut self, file: &ConfigFile, depth: usize) -> Result<Vec<NginxDirective>, E> {
        let mut source = NginxSource {
            lexer: NginxLexer::new(&file.text),
            file: &file.path,
        };
        self.parse_block(&mut source, depth, None)
    }

    /// Parses directives up to the end of the file, or up to the `}` of the block that was opened
    /// on line `opened`.
    fn parse_block(
        &mut self,
        source: &mut NginxSource<'_>,
        depth: usize,
        opened: Option<u32>,
    ) -> Result<Vec<NginxDirective>, E> {
        if depth > DEPTH {
            let line = source.lexer.line();
            return Err(source.error(line, NginxSyntaxFault::Depth).into());
        }
        let mut directives = Vec::new();
        loop {
            match (source.next()?, opened) {
                (None, None) | (Some(NginxToken::Close(_)), Some(_)) => return Ok(directives),
                (None, Some(line)) => {
                    return Err(source.error(line, NginxSyntaxFault::Unclosed).into());
                }
                (Some(NginxToken::Word(name, line)), _) => {
                    directives.push(self.parse_directive(source, depth, name, line)?);
                }
                (
                    Some(NginxToken::End(line) | NginxToken::Open(line) | NginxToken::Close(line)),
                    _,
                ) => {
                    return Err(source.error(line, NginxSyntaxFault::Unexpected).into());
                }
            }
        }
    }

    /// Parses the rest of a directive, whose first word is `name` on `line`.
    fn parse_directive(
        &mut self,
        source: &mut NginxSource<'_>,
        depth: usize,
        name: String,
        line: u32,
    ) -> Result<NginxDirective, E> {
        let mut directive = NginxDirective {
            name,
            arguments: Vec::new(),
            file: source.file.to_owned(),
            line,
            block: None,
        };
        loop {
            match source.next()? {
                Some(NginxToken::Word(word, _)) => directive.arguments.push(word),
                Some(NginxToken::End(_)) => {
                    directive.block = self.parse_included(source, &directive, depth)?;
                    return Ok(directive);
                }
                Some(NginxToken::Open(opened)) => {
                    let name = directive.name.as_str();
                    directive.block = Some(self.parse_block_content(source, name, depth, opened)?);
                    return Ok(directive);
                }
                Some(NginxToken::Close(line)) => {
                    return Err(source.error(line, NginxSyntaxFault::Unexpected).into());
                }
                None => return Err(source.error(line, NginxSyntaxFault::Unclosed).into()),
            }
        }
    }

    /// Parses the block of the directive `name`, which was opened on line `opened`; that of a Lua
    /// directive is skipped.
    fn parse_block_content(
        &mut self,
        source: &mut NginxSource<'_>,
        name: &str,
        depth: usize,
        opened: u32,
    ) -> Result<Vec<NginxDirective>, E> {
        if name.ends_with("_by_lua_block") {
            source.skip_embedded_block()?;
            return Ok(Vec::new());
        }
        self.parse_block(source, depth + 1, Some(opened))
    }

    /// Parses the files that a directive includes; `None` if it is not an `include`.
    fn parse_included(
        &mut self,
        source: &NginxSource<'_>,
        directive: &NginxDirective,
        depth: usize,
    ) -> Result<Option<Vec<NginxDirective>>, E> {
        let ("include", Some(pattern)) = (directive.name.as_str(), directive.only()) else {
            return Ok(None);
        };
        if depth >= DEPTH {
            return Err(source.error(directive.line, NginxSyntaxFault::Depth).into());
        }
        let mut directives = Vec::new();
        for file in (self.find)(&self.folder.join(pattern))? {
            directives.extend(self.parse_file(&file, depth + 1)?);
        }
        Ok(Some(directives))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{ConfigFile, NginxDirective, NginxParseError, NginxSyntaxFault, flat, parse};

    fn text(path: &str, text: &str) -> ConfigFile {
        ConfigFile {
            path: path.into(),
            text: text.into(),
        }
    }

    fn read(main: &str, included: &[(&str, &str)]) -> Result<Vec<NginxDirective>, NginxParseError> {
        parse(
            &text("/etc/nginx/nginx.conf", main),
            &mut |pattern: &Path| {
                Ok(included
                    .iter()
                    .filter(|(path, _)| Path::new(path) == pattern)
                    .map(|(p, t)| text(p, t))
                    .collect())
            },
        )
    }

    /// `name(argument, argument){...}` of every directive.
    fn shape(directives: &[NginxDirective]) -> String {
        let one = |directive: &NginxDirective| {
            let block = directive
                .block
                .as_ref()
                .map(|block| format!("{{{}}}", shape(block)));
            format!(
                "{}({}){}",
                directive.name,
                directive.arguments.join("|"),
                block.unwrap_or_default()
            )
        };
        directives.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_are_read_as_nginx_reads_them() {
        for (source, expected) in [
            ("a;b c;", "a() b(c)"),
            ("a b#c d; # e;\nf;", "a(b#c|d) f()"),
            ("a \"b c\" 'd;e' \"f\\\"g\" 'h\\'i';", "a(b c|d;e|f\"g|h'i)"),
            ("a b\"c d\\ e;", "a(b\"c|d\\ e)"),
            ("a ~ \\.php$ \"\\d{2}\" $x;", "a(~|\\.php$|\\d{2}|$x)"),
            ("a ${x}y${z};", "a(${x}y${z})"),
            ("a x{b;}c d}e;", "a(x){b()} c(d}e)"),
            ("a\r\n\tb\r\n;\r\n", "a(b)"),
            (
                "map $a $b{default 0;\"~^x y\" 1;}",
                "map($a|$b){default(0) ~^x y(1)}",
            ),
            ("\u{feff}a;", "a()"),
            ("", ""),
            (
                "content_by_lua_block { x = {1, \"}\"} -- don't }\n } a;",
                "content_by_lua_block(){} a()",
            ),
            (
                "x_by_lua_block { --[[ it's { \n ]] say([[ {{ ' ]]) y = t[1] --[ {\n [==[ ]] } ]==] } a;",
                "x_by_lua_block(){} a()",
            ),
        ] {
            assert_eq!(shape(&read(source, &[]).unwrap()), expected, "{source}");
        }
    }

    #[test]
    fn directives_and_errors_have_line_numbers() {
        let directives = read("a;\n# b\n\nc\n d {\n e; }", &[]).unwrap();
        assert_eq!((directives[1].line, directives[1].inside()[0].line), (4, 6));
        let deep = "a{".repeat(50);
        for (source, line, fault) in [
            ("a;\nb {\nc;", 2, NginxSyntaxFault::Unclosed),
            ("a;\nb 'c\n\n", 2, NginxSyntaxFault::Unclosed),
            ("a;\nb", 2, NginxSyntaxFault::Unclosed),
            ("a;\n}", 2, NginxSyntaxFault::Unexpected),
            ("a;\n;", 2, NginxSyntaxFault::Unexpected),
            ("a;\n{", 2, NginxSyntaxFault::Unexpected),
            ("a { b }", 1, NginxSyntaxFault::Unexpected),
            ("x_by_lua_block {\n\"", 1, NginxSyntaxFault::Unclosed),
            ("x_by_lua_block {\n--[[ }", 1, NginxSyntaxFault::Unclosed),
            (&deep, 1, NginxSyntaxFault::Depth),
        ] {
            let error = read(source, &[]).unwrap_err();
            assert_eq!((error.line, error.fault), (line, fault), "{source}");
            assert_eq!(error.file, Path::new("/etc/nginx/nginx.conf"));
        }
    }

    #[test]
    fn malformed_texts_never_panic() {
        let whole = "\u{feff}http {\n \"a\\\"b\" 'é{}' ${x} # c\n x_by_lua_block { '}' -- }\n [[ } \
            }\n a\\ b; include /y; }";
        for (start, _) in whole.char_indices() {
            for (end, _) in whole[start..].char_indices() {
                // Any result is fine, but it must neither panic nor loop forever.
                let _ = read(&whole[start..start + end], &[("/y", whole)]);
            }
        }
    }

    #[test]
    fn includes_are_relative_to_the_main_file_and_expanded_in_place() {
        let directives = read(
            "a; include sites/x; include /y; include none; z;",
            &[
                ("/etc/nginx/sites/x", "x1;\ninclude sites/deeper;"),
                ("/y", "y1;"),
                ("/etc/nginx/sites/deeper", "d;"),
            ],
        )
        .unwrap();
        let names: Vec<_> = flat(&directives)
            .iter()
            .map(|d| (d.name.as_str(), d.line))
            .collect();
        assert_eq!(names, [("a", 1), ("x1", 1), ("d", 1), ("y1", 1), ("z", 1)]);
        let error = read("include /y;", &[("/y", "\ninclude /y;")]).unwrap_err();
        assert_eq!(
            (error.file.as_path(), error.fault),
            (Path::new("/y"), NginxSyntaxFault::Depth)
        );
    }
}
