//! How Apache was built, from the output of `-V` and `-l`, and the variables of Debian's envvars.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A version: `2.4.57`.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct ApacheVersion(pub u16, pub u16, pub u16);

impl ApacheVersion {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::parse);
        let first = parts.next()?.ok()?;
        let mut rest = || parts.next().map_or(Some(0), Result::ok);
        Some(Self(first, rest()?, rest()?))
    }

    /// Returns whether it satisfies the arguments of `<IfVersion>`, such as `>= 2.4`; `None` for
    /// regular expressions, which certctl does not evaluate.
    #[must_use]
    pub fn fits(self, arguments: &[String]) -> Option<bool> {
        let (operator, text) = match arguments {
            [text] => ("=", text),
            [operator, text] => (operator.as_str(), text),
            _ => return None,
        };
        let other = Self::parse(text)?;
        let (operator, wanted) = operator
            .strip_prefix('!')
            .map_or((operator, true), |rest| (rest, false));
        let fits = match operator {
            "=" | "==" => self == other,
            ">" => self > other,
            ">=" => self >= other,
            "<" => self < other,
            "<=" => self <= other,
            _ => return None,
        };
        Some(fits == wanted)
    }
}

/// The version and the built-in paths of an Apache.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApacheBuild {
    pub version: ApacheVersion,
    /// The folder of relative paths.
    pub root: PathBuf,
    /// The built-in configuration file.
    pub config: PathBuf,
    /// The pid file unless the configuration sets another.
    pub pid: PathBuf,
    /// Whether a socket for `[::]` accepts IPv4 connections too.
    pub mapped: bool,
}

impl ApacheBuild {
    /// Parses the output of `-V`; `None` when it is not that of Apache.
    #[must_use]
    pub fn parse(output: &str) -> Option<Self> {
        let named = output.lines().find_map(|line| {
            line.strip_prefix("Server version: ")?
                .trim()
                .strip_prefix("Apache/")
        });
        let number = named?
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .next()?;
        let root = Path::new(definition(output, "HTTPD_ROOT").unwrap_or("/usr/local/apache2"));
        let config = definition(output, "SERVER_CONFIG_FILE").unwrap_or("conf/httpd.conf");
        let pid = definition(output, "DEFAULT_PIDLOG").unwrap_or("logs/httpd.pid");
        Some(Self {
            version: ApacheVersion::parse(number)?,
            root: root.to_owned(),
            config: root.join(config),
            pid: root.join(pid),
            mapped: output.contains("IPv4-mapped addresses enabled"),
        })
    }
}

/// The value of a definition that Apache was compiled with: ` -D NAME="VALUE"`.
fn definition<'a>(output: &'a str, name: &str) -> Option<&'a str> {
    let start = format!(" -D {name}=\"");
    output
        .lines()
        .find_map(|line| line.strip_prefix(&start)?.strip_suffix('"'))
}

/// Parses the list of modules of `-l`: `mod_so.c`.
#[must_use]
pub(crate) fn built_in(output: &str) -> Vec<String> {
    output
        .lines()
        .map(str::trim)
        .filter(|line| line.ends_with(".c"))
        .map(str::to_owned)
        .collect()
}

/// Parses the variables that `envvars` sets for Apache. It is a shell script: only lines that set
/// or export a plain value are understood. Those that run commands are skipped, so uses of their
/// variables become doubts.
#[must_use]
pub(crate) fn envvars(text: &str) -> HashMap<String, String> {
    let mut variables = HashMap::new();
    for line in text.lines().map(str::trim) {
        let set = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = set.split_once('=') else {
            continue;
        };
        let is_name =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let runs_command = value.contains(['`', '(', ';']);
        if !is_name || runs_command {
            continue;
        }
        let value = value.trim_matches('"').trim_matches('\'');
        // Debian's suffix of further instances is empty for the first one.
        let value = value.replace("${SUFFIX}", "").replace("$SUFFIX", "");
        if !value.contains('$') {
            variables.insert(name.to_owned(), value);
        }
    }
    variables
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{ApacheBuild, ApacheVersion, built_in, envvars};

    #[test]
    fn builds_of_several_vendors_are_parsed() {
        let debian = "[Mon] [core:warn] AH00111: Config variable ${APACHE_RUN_DIR} is not defined\n\
            Server version: Apache/2.4.57 (Debian)\n -D APR_HAVE_IPV6 (IPv4-mapped addresses enabled)\n \
            -D HTTPD_ROOT=\"/etc/apache2\"\n -D DEFAULT_PIDLOG=\"/var/run/apache2.pid\"\n \
            -D SERVER_CONFIG_FILE=\"apache2.conf\"\n";
        let build = ApacheBuild::parse(debian).unwrap();
        assert_eq!(
            (build.version, build.mapped),
            (ApacheVersion(2, 4, 57), true)
        );
        assert_eq!(build.config, Path::new("/etc/apache2/apache2.conf"));
        assert_eq!(build.pid, Path::new("/var/run/apache2.pid"));
        let red_hat = "Server version: Apache/2.4.62 (Red Hat Enterprise Linux)\n -D HTTPD_ROOT=\"/etc/httpd\"\n \
            -D DEFAULT_PIDLOG=\"run/httpd.pid\"\n -D SERVER_CONFIG_FILE=\"conf/httpd.conf\"\n";
        let build = ApacheBuild::parse(red_hat).unwrap();
        assert_eq!(build.config, Path::new("/etc/httpd/conf/httpd.conf"));
        assert_eq!(build.pid, Path::new("/etc/httpd/run/httpd.pid"));
        assert_eq!(ApacheBuild::parse("Server version: lighttpd/1.4"), None);
        assert_eq!(
            built_in("Compiled in modules:\n  core.c\n  mod_so.c\n"),
            ["core.c", "mod_so.c"]
        );
    }

    #[test]
    fn versions_are_compared_as_apache_does() {
        for (arguments, expected) in [
            ("2.4.57", Some(true)),
            (">= 2.4", Some(true)),
            ("< 2.4.58", Some(true)),
            ("!= 2.4.57", Some(false)),
            ("> 2.4.57", Some(false)),
            ("~ 2.4", None),
            ("= /^2/", None),
        ] {
            let arguments: Vec<String> = arguments.split(' ').map(str::to_owned).collect();
            assert_eq!(
                ApacheVersion(2, 4, 57).fits(&arguments),
                expected,
                "{arguments:?}"
            );
        }
    }

    #[test]
    fn plain_assignments_of_envvars_are_parsed() {
        let read = envvars(
            "unset HOME\nSUFFIX=\nexport APACHE_RUN_USER=www-data\nexport APACHE_RUN_DIR=/var/run/apache2$SUFFIX\n\
             export APACHE_LOG_DIR=\"/var/log/apache2\"\nexport X=$(hostname)\nexport Y=$Z/a\n# export C=1\n## x=1\n",
        );
        let mut shown: Vec<String> = read
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        shown.sort();
        let dirs = [
            "APACHE_LOG_DIR=/var/log/apache2",
            "APACHE_RUN_DIR=/var/run/apache2",
            "APACHE_RUN_USER=www-data",
        ];
        assert_eq!(shown, [&dirs[..], &["SUFFIX="]].concat());
    }
}
