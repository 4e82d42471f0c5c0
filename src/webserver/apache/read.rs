//! Parses the texts of an Apache configuration into directives as Apache does: in order, with
//! variables expanded, includes followed, and `<IfModule>` and similar conditions decided. What
//! certctl cannot decide becomes a doubt.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::build::ApacheVersion;
use super::lines::{self, ApacheLine, ApacheParseError};
use super::macros::{self, ApacheMacros};
use super::variables::ApacheVariables;
use crate::webserver::model::{ConfigFile, ConfigPosition, ModelRule};

/// The maximum nesting depth of sections and includes.
pub(crate) const DEPTH: usize = 32;

/// The maximum number of lines that macros insert.
const MACRO_LINES: usize = 200_000;

/// What decides the meaning of a configuration apart from its text.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApacheEnvironment {
    /// The folder of relative paths, until a `ServerRoot` sets another.
    pub server_root: PathBuf,
    /// The environment variables of Apache (Debian's envvars).
    pub variables: HashMap<String, String>,
    /// The values of `-D` on its command line.
    pub defines: Vec<String>,
    /// The modules that are built in: `mod_so.c`.
    pub modules: Vec<String>,
    /// The version, for `<IfVersion>`.
    pub version: ApacheVersion,
}

/// One directive or section.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApacheDirective {
    /// The first word, as it was written.
    pub name: String,
    /// The words after the name, with variables expanded.
    pub arguments: Vec<String>,
    /// What follows the name, as it was written.
    pub raw: String,
    /// The file that contains it.
    pub file: PathBuf,
    /// The line in the file, counted from 1.
    pub line: u32,
    /// The directives of the section, or those of the files or of the macro that it includes.
    pub inside: Option<Vec<Self>>,
    /// False inside a section that Apache skips.
    pub applies: bool,
}

impl ApacheDirective {
    /// Its position in the configuration.
    pub(crate) fn position(&self) -> ConfigPosition<'_> {
        ConfigPosition {
            file: &self.file,
            line: self.line,
        }
    }

    /// Returns whether it has this name, ignoring case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The first word after its name.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.arguments.first().map(String::as_str)
    }

    /// Returns whether its content counts as part of the enclosing level.
    #[must_use]
    pub fn is_transparent(&self) -> bool {
        let conditional = [
            "IfModule",
            "IfDefine",
            "IfVersion",
            "IfFile",
            "IfDirective",
            "IfSection",
        ];
        self.is_include() || conditional.iter().any(|name| self.is(name))
    }

    fn is_include(&self) -> bool {
        self.is("Include") || self.is("IncludeOptional") || self.is("Use")
    }
}

/// The directives that apply at this level: includes and conditions are replaced by their content.
#[must_use]
pub(crate) fn flat(directives: &[ApacheDirective]) -> Vec<&ApacheDirective> {
    let mut all = Vec::new();
    for directive in directives {
        match &directive.inside {
            Some(inside) if directive.is_transparent() && directive.applies => {
                all.extend(flat(inside))
            }
            Some(_) if directive.is_transparent() => {}
            _ => all.push(directive),
        }
    }
    all
}

/// The first arguments of all directives of that name.
pub(super) fn first_words<'a>(
    directives: &'a [&'a ApacheDirective],
    name: &'a str,
) -> impl Iterator<Item = &'a str> {
    directives
        .iter()
        .filter(move |directive| directive.is(name))
        .filter_map(|directive| directive.first())
}

/// A parsed configuration.
#[derive(Clone, Debug)]
pub struct ParsedApache {
    pub directives: Vec<ApacheDirective>,
    /// The folder of relative paths.
    pub server_root: PathBuf,
    /// Every module, built in or loaded, by both of its names: `ssl_module`, `mod_ssl.c`.
    pub modules: Vec<String>,
    /// The version of the Apache that reads it.
    pub version: ApacheVersion,
    /// What certctl cannot evaluate: the position and the reason.
    pub doubts: Vec<String>,
}

/// The files that a configuration refers to.
pub(crate) struct ApacheFiles<'a, E> {
    /// Returns the files that an absolute path or pattern matches, in order.
    pub find: &'a mut dyn FnMut(&Path) -> Result<Vec<ConfigFile>, E>,
    /// Returns whether something exists at a path, for `<IfFile>`.
    pub exists: &'a dyn Fn(&Path) -> bool,
}

/// Parses `main` and everything that it includes.
///
/// # Errors
/// When a file cannot be parsed, or when `find` fails.
pub(crate) fn read<E: From<ApacheParseError>>(
    main: &ConfigFile,
    environment: ApacheEnvironment,
    files: ApacheFiles<'_, E>,
) -> Result<ParsedApache, E> {
    let mut reader = ApacheReader {
        server_root: environment.server_root,
        variables: ApacheVariables::new(environment.variables, environment.defines),
        macros: ApacheMacros::default(),
        macro_lines: 0,
        modules: environment
            .modules
            .iter()
            .flat_map(|file| module_names(file))
            .collect(),
        version: environment.version,
        doubts: Vec::new(),
        files,
    };
    let directives = reader.read_file(main, 0)?;
    Ok(ParsedApache {
        directives,
        server_root: reader.server_root,
        modules: reader.modules,
        version: reader.version,
        doubts: reader.doubts,
    })
}

struct ApacheReader<'a, E> {
    server_root: PathBuf,
    variables: ApacheVariables,
    macros: ApacheMacros,
    /// The number of lines that macros have inserted.
    macro_lines: usize,
    modules: Vec<String>,
    version: ApacheVersion,
    doubts: Vec<String>,
    files: ApacheFiles<'a, E>,
}

/// The lines of one file that are still to be read.
struct UnreadLines<'a> {
    file: &'a Path,
    lines: std::slice::Iter<'a, ApacheLine>,
    depth: usize,
}

/// The section that is being read.
#[derive(Clone, Copy)]
struct OpenSection<'a> {
    name: &'a str,
    /// The line that opened it.
    line: u32,
}

/// Whether Apache applies the directives of a section.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum SectionEffect {
    Applied,
    Skipped,
}

impl<E: From<ApacheParseError>> ApacheReader<'_, E> {
    fn read_file(&mut self, source: &ConfigFile, depth: usize) -> Result<Vec<ApacheDirective>, E> {
        let lines = lines::lines(&source.text);
        let mut unread = UnreadLines {
            file: &source.path,
            lines: lines.iter(),
            depth,
        };
        self.read_section(&mut unread, None, SectionEffect::Applied)
    }

    /// Reads directives up to the end of the file, or up to the end of the section that was opened.
    fn read_section(
        &mut self,
        unread: &mut UnreadLines<'_>,
        opened: Option<OpenSection<'_>>,
        effect: SectionEffect,
    ) -> Result<Vec<ApacheDirective>, E> {
        let mut directives = Vec::new();
        while let Some(line) = unread.lines.next() {
            if unread.depth > DEPTH {
                let what = "sections or includes are nested too deeply";
                return Err(ApacheParseError::at(unread.file, line.number, what).into());
            }
            if let Some(closed) = line.text.strip_prefix("</") {
                let closed = closed.trim_end_matches('>').trim();
                if opened.is_some_and(|section| section.name.eq_ignore_ascii_case(closed)) {
                    return Ok(directives);
                }
                let what = "a section is closed that is not open";
                return Err(ApacheParseError::at(unread.file, line.number, what).into());
            }
            directives.push(self.read_directive(unread, line, effect)?);
        }
        match opened {
            Some(section) => {
                let what = "a section is not closed";
                Err(ApacheParseError::at(unread.file, section.line, what).into())
            }
            None => Ok(directives),
        }
    }

    fn read_directive(
        &mut self,
        unread: &mut UnreadLines<'_>,
        line: &ApacheLine,
        effect: SectionEffect,
    ) -> Result<ApacheDirective, E> {
        let opened = line.text.strip_prefix('<');
        let text = match opened {
            Some(opened) => opened.strip_suffix('>').unwrap_or(opened),
            None => line.text.as_str(),
        };
        let (name, raw) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let raw = raw.trim();
        let mut directive = ApacheDirective {
            name: name.to_owned(),
            arguments: lines::words(&self.variables.expand(raw)),
            raw: raw.to_owned(),
            file: unread.file.to_owned(),
            line: line.number,
            inside: None,
            applies: effect == SectionEffect::Applied,
        };
        if opened.is_some() && directive.is("Macro") {
            self.define_macro(unread, &directive)?;
        } else if opened.is_some() {
            self.read_inside(unread, &mut directive)?;
        } else if directive.applies {
            self.apply_directive(&mut directive, unread.depth)?;
        }
        Ok(directive)
    }

    /// Reads the directives of the section that `directive` opens.
    fn read_inside(
        &mut self,
        unread: &mut UnreadLines<'_>,
        directive: &mut ApacheDirective,
    ) -> Result<(), E> {
        directive.applies = directive.applies && self.applies(directive);
        let effect = if directive.applies {
            SectionEffect::Applied
        } else {
            SectionEffect::Skipped
        };
        let section = OpenSection {
            name: &directive.name,
            line: directive.line,
        };
        unread.depth += 1;
        directive.inside = Some(self.read_section(unread, Some(section), effect)?);
        unread.depth -= 1;
        Ok(())
    }

    /// Reads the lines of a macro, which have a meaning only where it is used.
    fn define_macro(
        &mut self,
        unread: &mut UnreadLines<'_>,
        directive: &ApacheDirective,
    ) -> Result<(), E> {
        let Some(lines) = macros::take_lines(&mut unread.lines) else {
            let what = "a section is not closed";
            return Err(ApacheParseError::at(unread.file, directive.line, what).into());
        };
        if directive.applies {
            self.macros.define(&directive.arguments, lines);
        }
        Ok(())
    }

    /// Reads the lines that `Use` inserts.
    fn use_macro(&mut self, directive: &mut ApacheDirective, depth: usize) -> Result<(), E> {
        if !ModelRule::ApacheMacro.is_followed() {
            return Ok(());
        }
        let expanded = self.macros.expand(&directive.arguments, directive.line);
        let Some(lines) = expanded else {
            self.doubt(directive, "uses a macro that certctl does not find");
            return Ok(());
        };
        self.macro_lines += lines.len();
        if self.macro_lines > MACRO_LINES {
            let what = "macros insert too many lines";
            return Err(ApacheParseError::at(&directive.file, directive.line, what).into());
        }
        let mut unread = UnreadLines {
            file: &directive.file,
            lines: lines.iter(),
            depth: depth + 1,
        };
        let inside = self.read_section(&mut unread, None, SectionEffect::Applied)?;
        directive.inside = Some(inside);
        Ok(())
    }

    /// Applies a directive that changes how the rest of the configuration is read.
    fn apply_directive(&mut self, directive: &mut ApacheDirective, depth: usize) -> Result<(), E> {
        let first = directive.first().unwrap_or_default().to_owned();
        match directive.name.to_ascii_lowercase().as_str() {
            "define" => {
                let value = directive.arguments.get(1).map(String::as_str);
                self.variables.define(&first, value);
            }
            "undefine" => self.variables.undefine(&first),
            "loadmodule" => self.load_module(directive),
            "serverroot" => self.server_root = PathBuf::from(first),
            "use" => self.use_macro(directive, depth)?,
            "undefmacro" => self.macros.undefine(&first),
            "include" | "includeoptional" if first.contains("${") => {
                self.doubt(
                    directive,
                    "has a variable in its path that certctl does not know",
                );
            }
            "include" | "includeoptional" => {
                let mut inside = Vec::new();
                for text in (self.files.find)(&self.server_root.join(first))? {
                    inside.extend(self.read_file(&text, depth + 1)?);
                }
                directive.inside = Some(inside);
            }
            _ => {}
        }
        Ok(())
    }

    /// `LoadModule ssl_module modules/mod_ssl.so` adds `ssl_module` and `mod_ssl.c`.
    fn load_module(&mut self, directive: &ApacheDirective) {
        self.modules
            .push(directive.first().unwrap_or_default().to_owned());
        let file = directive.arguments.get(1).map(Path::new);
        if let Some(stem) = file.and_then(Path::file_stem) {
            self.modules.push(format!("{}.c", stem.to_string_lossy()));
        }
    }

    /// Returns whether Apache applies the directives inside a section.
    fn applies(&mut self, section: &ApacheDirective) -> bool {
        let argument = section.first().unwrap_or_default();
        let (argument, wanted) = argument
            .strip_prefix('!')
            .map_or((argument, true), |rest| (rest, false));
        match section.name.to_ascii_lowercase().as_str() {
            "ifmodule" => self.modules.iter().any(|module| module == argument) == wanted,
            "ifdefine" => self.variables.is_defined(argument) == wanted,
            "iffile" => {
                !ModelRule::ApacheIfFile.is_followed()
                    || (self.files.exists)(&self.server_root.join(argument)) == wanted
            }
            "ifversion" => {
                let decided = self.version.fits(&section.arguments);
                if decided.is_none() {
                    self.doubt(
                        section,
                        "is a condition that certctl cannot evaluate; it assumes that it holds",
                    );
                }
                decided.unwrap_or(true)
            }
            "ifdirective" | "ifsection" => {
                self.doubt(
                    section,
                    "is a condition that certctl cannot evaluate; it assumes that it holds",
                );
                true
            }
            _ => true,
        }
    }

    fn doubt(&mut self, directive: &ApacheDirective, why: &str) {
        let ApacheDirective { name, raw, .. } = directive;
        self.doubts
            .push(format!("{}: {name} {raw} {why}", directive.position()));
    }
}

/// Both names of a module: `mod_ssl.c` is also `ssl_module`.
fn module_names(file: &str) -> Vec<String> {
    let short = file
        .strip_prefix("mod_")
        .and_then(|rest| rest.strip_suffix(".c"));
    let mut names = vec![file.to_owned()];
    names.extend(short.map(|short| format!("{short}_module")));
    names
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{
        ApacheDirective, ApacheEnvironment, ApacheFiles, ApacheParseError, ParsedApache, flat, read,
    };
    use crate::webserver::apache::build::ApacheVersion;
    use crate::webserver::model::ConfigFile;

    fn parse(text: &str) -> Result<ParsedApache, ApacheParseError> {
        let environment = ApacheEnvironment {
            server_root: "/etc/apache2".into(),
            variables: [("LOGS".to_owned(), "/var/log".to_owned())].into(),
            defines: vec!["GIVEN".to_owned()],
            modules: vec!["mod_so.c".to_owned(), "core.c".to_owned()],
            version: ApacheVersion(2, 4, 57),
        };
        let main = ConfigFile {
            path: "/etc/apache2/apache2.conf".into(),
            text: text.to_owned(),
        };
        let files = ApacheFiles {
            find: &mut |path: &Path| {
                Ok(vec![ConfigFile {
                    path: path.to_owned(),
                    text: "Included here\n".to_owned(),
                }])
            },
            exists: &|path: &Path| path == Path::new("/etc/apache2/here"),
        };
        read(&main, environment, files)
    }

    fn shown(directives: &[ApacheDirective]) -> Vec<String> {
        flat(directives)
            .iter()
            .map(|directive| format!("{} {}", directive.name, directive.arguments.join("|")))
            .map(|line| line.trim_end().to_owned())
            .collect()
    }

    #[test]
    fn conditions_variables_and_includes_are_evaluated() {
        for (text, expected) in [
            ("A \"1 2\" 3", vec!["A 1 2|3"]),
            ("A ${LOGS}/x ${NONE}/y", vec!["A /var/log/x|${NONE}/y"]),
            (
                "Define P 8443\nListen ${P}\nUnDefine P\nListen ${P}",
                vec!["Define P|8443", "Listen 8443", "UnDefine P", "Listen ${P}"],
            ),
            (
                "<IfModule so_module>\nA\n</IfModule>\n<IfModule mod_so.c>\nB\n</IfModule>",
                vec!["A", "B"],
            ),
            (
                "<IfModule ssl_module>\nA\n</IfModule>\n<IfModule !ssl_module>\nB\n</IfModule>",
                vec!["B"],
            ),
            (
                "LoadModule ssl_module /m/mod_ssl.so\n<IfModule \
                    mod_ssl.c>\nA\n</IfModule>\n<ifmodule ssl_module>\nB\n</IfModule>",
                vec!["LoadModule ssl_module|/m/mod_ssl.so", "A", "B"],
            ),
            (
                "<IfDefine GIVEN>\nA\n</IfDefine>\n<IfDefine !GIVEN>\nB\n</IfDefine>\n<IfDefine \
                    X>\nC\n</IfDefine>",
                vec!["A"],
            ),
            (
                "<IfVersion >= 2.4>\nA\n</IfVersion>\n<IfVersion < 2.4.10>\nB\n</IfVersion>",
                vec!["A"],
            ),
            (
                "Include a.conf\nIncludeOptional /b/*.conf",
                vec!["Included here", "Included here"],
            ),
            (
                "<VirtualHost *:80>\nA\n<Location />\nB\n</Location>\n</VirtualHost>",
                vec!["VirtualHost *:80"],
            ),
            (
                "<IfFile here>\nA\n</IfFile>\n<IfFile !/etc/apache2/here>\nB\n</IfFile>\n<IfFile \
                    /none>\nC\n</IfFile>",
                vec!["A"],
            ),
            (
                "Define V 1\n<Macro M $a>\nA $a ${V}\n<IfDefine V>\nB\n</IfDefine>\n</Macro>\nDefine V 2\nuse m x",
                vec!["Define V|1", "Macro M|$a", "Define V|2", "A x|2", "B"],
            ),
        ] {
            let parsed = parse(text).unwrap();
            assert_eq!(shown(&parsed.directives), expected, "{text}");
            assert!(parsed.doubts.is_empty(), "{text}: {:?}", parsed.doubts);
        }
    }

    #[test]
    fn conditions_that_certctl_cannot_evaluate_are_doubts() {
        for text in [
            "Use Site example.com",
            "Include ${NONE}/x.conf",
            "<IfDirective X>\nA\n</IfDirective>",
            "<Macro M $a>\nA\n</Macro>\nUse M",
            "<IfVersion ~ x>\nA\n</IfVersion>",
            "<Macro M>\nUse Other\n</Macro>\nUse M",
        ] {
            let parsed = parse(text).unwrap();
            assert_eq!(parsed.doubts.len(), 1, "{text}: {:?}", parsed.doubts);
            assert!(parsed.doubts[0].starts_with("/etc/apache2/apache2.conf:"));
        }
    }

    #[test]
    fn malformed_configurations_are_rejected() {
        for (text, line) in [
            ("A\n</X>", 2),
            ("<X>\nA", 1),
            ("<X>\n</Y>", 2),
            ("<Macro X>\nA", 1),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(
                (error.line, error.file.as_path()),
                (line, Path::new("/etc/apache2/apache2.conf")),
                "{text}"
            );
        }
        let deep = "<X>\n".repeat(40);
        assert_eq!(
            parse(&deep).unwrap_err().what,
            "sections or includes are nested too deeply"
        );
        assert_eq!(
            parse("<Macro M>\nUse M\n</Macro>\nUse M").unwrap_err().what,
            "sections or includes are nested too deeply"
        );
    }
}
