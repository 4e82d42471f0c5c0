//! From the texts of an Apache configuration to its directives, as Apache reads them: in order,
//! variables put in, includes followed, `<IfModule>` and its like decided. What cannot be decided
//! here is remembered as a doubt, never guessed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::build::ApacheVersion;
use super::lines::{self, ApacheLine, ApacheParseError};
use crate::webserver::model::{ConfigFile, ConfigPosition};

/// Sections and includes go no deeper than this.
const DEPTH: usize = 32;

/// What a configuration is read in.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApacheEnvironment {
    /// What relative paths start from, until a `ServerRoot` says otherwise.
    pub server_root: PathBuf,
    /// The variables of its environment (Debian's envvars).
    pub variables: HashMap<String, String>,
    /// What is given by `-D` on its command line.
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
    /// The words after it, variables put in.
    pub arguments: Vec<String>,
    /// What follows the name, as it was written.
    pub raw: String,
    /// The file it stands in.
    pub file: PathBuf,
    /// The line in the file, counted from 1.
    pub line: u32,
    /// The directives of the section, or those of the files that it includes.
    pub inside: Option<Vec<Self>>,
    /// False for the inside of a section that Apache skips.
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

    /// Whether it has this name; upper and lower case are equal.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The first word after its name.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.arguments.first().map(String::as_str)
    }

    /// Whether its inside belongs to where it stands.
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

/// The directives that apply at this level: includes and conditions are replaced by what is in
/// them.
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

/// A configuration as it was read.
#[derive(Clone, Debug)]
pub struct ParsedApache {
    pub directives: Vec<ApacheDirective>,
    /// What relative paths start from.
    pub server_root: PathBuf,
    /// Every module, built in or loaded, by both of its names: `ssl_module`, `mod_ssl.c`.
    pub modules: Vec<String>,
    /// What only Apache can decide: where, and why.
    pub doubts: Vec<String>,
}

/// Reads `main` and all it includes. `find` gives the files that an absolute path or pattern stands
/// for, in order.
///
/// # Errors
/// What is no configuration, or what `find` fails with.
pub(crate) fn read<E: From<ApacheParseError>>(
    main: &ConfigFile,
    surroundings: ApacheEnvironment,
    find: &mut dyn FnMut(&Path) -> Result<Vec<ConfigFile>, E>,
) -> Result<ParsedApache, E> {
    let ApacheEnvironment {
        server_root,
        variables,
        defines,
        modules,
        version,
    } = surroundings;
    let modules = modules.iter().flat_map(|file| module_names(file)).collect();
    let mut reader = Reader {
        server_root,
        variables,
        defines,
        modules,
        version,
        doubts: Vec::new(),
        find,
    };
    let directives = reader.file(main, 0)?;
    let Reader {
        server_root,
        modules,
        doubts,
        ..
    } = reader;
    Ok(ParsedApache {
        directives,
        server_root,
        modules,
        doubts,
    })
}

struct Reader<'a, E> {
    server_root: PathBuf,
    variables: HashMap<String, String>,
    defines: Vec<String>,
    modules: Vec<String>,
    version: ApacheVersion,
    doubts: Vec<String>,
    find: &'a mut dyn FnMut(&Path) -> Result<Vec<ConfigFile>, E>,
}

/// Where the reader is in one file.
struct Place<'a> {
    file: &'a Path,
    lines: std::slice::Iter<'a, ApacheLine>,
    depth: usize,
}

impl<E: From<ApacheParseError>> Reader<'_, E> {
    fn file(&mut self, source: &ConfigFile, depth: usize) -> Result<Vec<ApacheDirective>, E> {
        let lines = lines::lines(&source.text);
        let mut place = Place {
            file: &source.path,
            lines: lines.iter(),
            depth,
        };
        self.section(&mut place, None, true)
    }

    /// Directives up to the end of the file, or up to the end of the section that was opened.
    fn section(
        &mut self,
        place: &mut Place<'_>,
        opened: Option<(&str, u32)>,
        applies: bool,
    ) -> Result<Vec<ApacheDirective>, E> {
        let mut directives = Vec::new();
        while let Some(line) = place.lines.next() {
            let failed = |what| E::from(ApacheParseError::at(place.file, line.number, what));
            if place.depth > DEPTH {
                return Err(failed("sections or includes are nested too deeply"));
            }
            if let Some(closed) = line.text.strip_prefix("</") {
                let closed = closed.trim_end_matches('>').trim();
                return match opened {
                    Some((name, _)) if name.eq_ignore_ascii_case(closed) => Ok(directives),
                    _ => Err(failed("the end of a section that was not opened")),
                };
            }
            directives.push(self.directive(place, line, applies)?);
        }
        match opened {
            Some((_, line)) => {
                Err(ApacheParseError::at(place.file, line, "a section is not closed").into())
            }
            None => Ok(directives),
        }
    }

    fn directive(
        &mut self,
        place: &mut Place<'_>,
        line: &ApacheLine,
        applies: bool,
    ) -> Result<ApacheDirective, E> {
        let opens = line.text.strip_prefix('<');
        let text = opens.map_or(line.text.as_str(), |opened| {
            opened.strip_suffix('>').unwrap_or(opened)
        });
        let (name, raw) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let raw = raw.trim();
        let mut directive = ApacheDirective {
            name: name.to_owned(),
            arguments: lines::words(&self.expanded(raw)),
            raw: raw.to_owned(),
            file: place.file.to_owned(),
            line: line.number,
            inside: None,
            applies,
        };
        if opens.is_some() {
            directive.applies = applies && self.applies(&directive);
            place.depth += 1;
            directive.inside =
                Some(self.section(place, Some((name, line.number)), directive.applies)?);
            place.depth -= 1;
        } else if applies {
            self.obey(&mut directive, place.depth)?;
        }
        Ok(directive)
    }

    /// Directives that change how the rest is read.
    fn obey(&mut self, directive: &mut ApacheDirective, depth: usize) -> Result<(), E> {
        let first = directive.first().unwrap_or_default().to_owned();
        let second = directive.arguments.get(1).cloned();
        match directive.name.to_ascii_lowercase().as_str() {
            "define" => {
                self.variables
                    .insert(first.clone(), second.unwrap_or_default());
                self.defines.push(first);
            }
            "undefine" => {
                self.variables.remove(&first);
                self.defines.retain(|defined| *defined != first);
            }
            "loadmodule" => {
                self.modules.push(first);
                let file = second
                    .as_deref()
                    .and_then(|path| Path::new(path).file_stem());
                self.modules
                    .extend(file.map(|stem| format!("{}.c", stem.to_string_lossy())));
            }
            "serverroot" => self.server_root = PathBuf::from(first),
            "use" => self.doubt(directive, "uses a macro, whose inside was not read"),
            "include" | "includeoptional" if first.contains("${") => {
                self.doubt(
                    directive,
                    "includes what only Apache's own environment names",
                );
            }
            "include" | "includeoptional" => {
                let mut inside = Vec::new();
                for text in (self.find)(&self.server_root.join(first))? {
                    inside.extend(self.file(&text, depth + 1)?);
                }
                directive.inside = Some(inside);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether Apache reads the inside of a section.
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
                        "compares versions in a way that was not understood",
                    );
                }
                decided.unwrap_or(true)
            }
            "iffile" | "ifdirective" | "ifsection" => {
                self.doubt(
                    section,
                    "is a condition that only Apache decides; it was read as met",
                );
                true
            }
            "macro" => false,
            _ => true,
        }
    }

    fn doubt(&mut self, directive: &ApacheDirective, why: &str) {
        let ApacheDirective {
            file,
            line,
            name,
            raw,
            ..
        } = directive;
        self.doubts
            .push(format!("{}:{line}: {name} {raw} {why}", file.display()));
    }

    /// `${NAME}` replaced where it is known; Apache leaves the others as they are.
    fn expanded(&self, text: &str) -> String {
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

/// `mod_ssl.c` is `ssl_module` too.
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

    fn reading(text: &str) -> Result<ParsedApache, ApacheParseError> {
        let surroundings = ApacheEnvironment {
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
        read(&main, surroundings, &mut |path: &Path| {
            Ok(vec![ConfigFile {
                path: path.to_owned(),
                text: "Included here\n".to_owned(),
            }])
        })
    }

    fn told(directives: &[ApacheDirective]) -> Vec<String> {
        let words = |it: &&ApacheDirective| format!("{} {}", it.name, it.arguments.join("|"));
        flat(directives)
            .iter()
            .map(words)
            .map(|line| line.trim_end().to_owned())
            .collect()
    }

    #[test]
    fn conditions_variables_and_includes() {
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
            let read = reading(text).unwrap();
            assert_eq!(told(&read.directives), expected, "{text}");
            assert!(read.doubts.is_empty(), "{text}: {:?}", read.doubts);
        }
    }

    #[test]
    fn what_only_apache_decides_is_a_doubt() {
        for text in [
            "Use Site example.com",
            "Include ${NONE}/x.conf",
            "<IfFile /x>\nA\n</IfFile>",
            "<IfVersion ~ x>\nA\n</IfVersion>",
            "<Macro M>\nUse Other\n</Macro>\nUse M",
        ] {
            let read = reading(text).unwrap();
            assert_eq!(read.doubts.len(), 1, "{text}: {:?}", read.doubts);
            assert!(read.doubts[0].starts_with("/etc/apache2/apache2.conf:"));
        }
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        for (text, line) in [("A\n</X>", 2), ("<X>\nA", 1), ("<X>\n</Y>", 2)] {
            let error = reading(text).unwrap_err();
            assert_eq!(
                (error.line, error.file.as_path()),
                (line, Path::new("/etc/apache2/apache2.conf")),
                "{text}"
            );
        }
        let deep = "<X>\n".repeat(40);
        assert_eq!(
            reading(&deep).unwrap_err().what,
            "sections or includes are nested too deeply"
        );
    }
}
