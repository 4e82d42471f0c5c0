//! Parses the texts of an Apache configuration into directives as Apache does: in order, with
//! variables expanded, includes followed, and `<IfModule>` and similar conditions decided. What
//! certctl cannot decide becomes a doubt.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::build::ApacheVersion;
use super::lines::{self, ApacheLine, ApacheParseError};
use crate::webserver::model::{ConfigFile, ConfigPosition};

/// The maximum nesting depth of sections and includes.
pub(crate) const DEPTH: usize = 32;

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
    /// The directives of the section, or those of the files that it includes.
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
        self.is("Include") || self.is("IncludeOptional")
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

/// A parsed configuration.
#[derive(Clone, Debug)]
pub struct ParsedApache {
    pub directives: Vec<ApacheDirective>,
    /// The folder of relative paths.
    pub server_root: PathBuf,
    /// Every module, built in or loaded, by both of its names: `ssl_module`, `mod_ssl.c`.
    pub modules: Vec<String>,
    /// What certctl cannot evaluate: the position and the reason.
    pub doubts: Vec<String>,
}

/// Parses `main` and everything that it includes. `find` returns the files that an absolute path or
/// pattern matches, in order.
///
/// # Errors
/// When a file cannot be parsed, or when `find` fails.
pub(crate) fn read<E: From<ApacheParseError>>(
    main: &ConfigFile,
    environment: ApacheEnvironment,
    find: &mut dyn FnMut(&Path) -> Result<Vec<ConfigFile>, E>,
) -> Result<ParsedApache, E> {
    let mut reader = ApacheReader {
        server_root: environment.server_root,
        variables: environment.variables,
        defines: environment.defines,
        modules: environment
            .modules
            .iter()
            .flat_map(|file| module_names(file))
            .collect(),
        version: environment.version,
        doubts: Vec::new(),
        find,
    };
    let directives = reader.read_file(main, 0)?;
    Ok(ParsedApache {
        directives,
        server_root: reader.server_root,
        modules: reader.modules,
        doubts: reader.doubts,
    })
}

struct ApacheReader<'a, E> {
    server_root: PathBuf,
    variables: HashMap<String, String>,
    defines: Vec<String>,
    modules: Vec<String>,
    version: ApacheVersion,
    doubts: Vec<String>,
    find: &'a mut dyn FnMut(&Path) -> Result<Vec<ConfigFile>, E>,
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
            arguments: lines::words(&self.expand_variables(raw)),
            raw: raw.to_owned(),
            file: unread.file.to_owned(),
            line: line.number,
            inside: None,
            applies: effect == SectionEffect::Applied,
        };
        if opened.is_some() {
            directive.applies = directive.applies && self.applies(&directive);
            let inner_effect = if directive.applies {
                SectionEffect::Applied
            } else {
                SectionEffect::Skipped
            };
            let section = OpenSection {
                name,
                line: line.number,
            };
            unread.depth += 1;
            directive.inside = Some(self.read_section(unread, Some(section), inner_effect)?);
            unread.depth -= 1;
        } else if directive.applies {
            self.apply_directive(&mut directive, unread.depth)?;
        }
        Ok(directive)
    }

    /// Applies a directive that changes how the rest of the configuration is read.
    fn apply_directive(&mut self, directive: &mut ApacheDirective, depth: usize) -> Result<(), E> {
        let first = directive.first().unwrap_or_default().to_owned();
        match directive.name.to_ascii_lowercase().as_str() {
            "define" => {
                let value = directive.arguments.get(1).cloned().unwrap_or_default();
                self.variables.insert(first.clone(), value);
                self.defines.push(first);
            }
            "undefine" => {
                self.variables.remove(&first);
                self.defines.retain(|defined| *defined != first);
            }
            "loadmodule" => self.load_module(directive),
            "serverroot" => self.server_root = PathBuf::from(first),
            "use" => self.doubt(directive, "uses a macro, which certctl does not expand"),
            "include" | "includeoptional" if first.contains("${") => {
                self.doubt(
                    directive,
                    "has a variable in its path that certctl does not know",
                );
            }
            "include" | "includeoptional" => {
                let mut inside = Vec::new();
                for text in (self.find)(&self.server_root.join(first))? {
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
            "ifdefine" => self.defines.iter().any(|defined| defined == argument) == wanted,
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
            "iffile" | "ifdirective" | "ifsection" => {
                self.doubt(
                    section,
                    "is a condition that certctl cannot evaluate; it assumes that it holds",
                );
                true
            }
            "macro" => false,
            _ => true,
        }
    }

    fn doubt(&mut self, directive: &ApacheDirective, why: &str) {
        let ApacheDirective { name, raw, .. } = directive;
        self.doubts
            .push(format!("{}: {name} {raw} {why}", directive.position()));
    }

    /// Replaces `${NAME}` where the variable is known, as Apache does.
    fn expand_variables(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let known = after
                .split_once('}')
                .and_then(|(name, rest)| Some((self.variables.get(name)?, rest)));
            match known {
                Some((value, after)) => {
                    out.push_str(value);
                    rest = after;
                }
                None => {
                    out.push_str("${");
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
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

    use super::{ApacheDirective, ApacheEnvironment, ApacheParseError, ParsedApache, flat, read};
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
        read(&main, environment, &mut |path: &Path| {
            Ok(vec![ConfigFile {
                path: path.to_owned(),
                text: "Included here\n".to_owned(),
            }])
        })
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
            "<IfFile /x>\nA\n</IfFile>",
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
        for (text, line) in [("A\n</X>", 2), ("<X>\nA", 1), ("<X>\n</Y>", 2)] {
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
    }
}
