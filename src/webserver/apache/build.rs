//! How an Apache was built, from what `-V` and `-l` say, and the variables of Debian's envvars.

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

    /// Whether it is as `<IfVersion>` says: `>= 2.4`; `None` for what is not understood (regular
    /// expressions).
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

/// What was built in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ApacheBuild {
    pub version: ApacheVersion,
    /// What relative paths start from.
    pub root: PathBuf,
    /// The configuration that is read when none is named.
    pub config: PathBuf,
    /// Where the process id is when the configuration does not say.
    pub pid: PathBuf,
    /// Whether a socket for `[::]` takes IPv4 connections too.
    pub mapped: bool,
}

impl ApacheBuild {
    /// Reads what `-V` says; `None` when it is not Apache that speaks.
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
        let value = |name: &str| {
            let start = format!(" -D {name}=\"");
            output
                .lines()
                .find_map(|line| line.strip_prefix(&start)?.strip_suffix('"'))
                .map(Path::new)
        };
        let root = value("HTTPD_ROOT")
            .unwrap_or_else(|| Path::new("/usr/local/apache2"))
            .to_owned();
        let config =
            root.join(value("SERVER_CONFIG_FILE").unwrap_or_else(|| Path::new("conf/httpd.conf")));
        let pid = root.join(value("DEFAULT_PIDLOG").unwrap_or_else(|| Path::new("logs/httpd.pid")));
        let mapped = output.contains("IPv4-mapped addresses enabled");
        Some(Self {
            version: ApacheVersion::parse(number)?,
            root,
            config,
            pid,
            mapped,
        })
    }
}

/// The modules that `-l` lists: `mod_so.c`.
#[must_use]
pub(crate) fn built_in(output: &str) -> Vec<String> {
    output
        .lines()
        .map(str::trim)
        .filter(|line| line.ends_with(".c"))
        .map(str::to_owned)
        .collect()
}

/// The variables that an `envvars` sets for Apache. It is a shell script: lines that set or export
/// a plain value are understood, those that run something are passed over (what names such a
/// variable is then a doubt).
#[must_use]
pub(crate) fn envvars(text: &str) -> HashMap<String, String> {
    let mut variables = HashMap::new();
    for line in text.lines().map(str::trim) {
        let set = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = set.split_once('=') else {
            continue;
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(is_name) || value.contains(['`', '(', ';']) {
            continue;
        }
        let value = value.trim_matches('"').trim_matches('\'');
        // Debian's suffix of further instances: none in the usual one.
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
    fn builds_of_several_makers() {
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
    fn the_plain_lines_of_envvars() {
        let read = envvars(
            "unset HOME\nSUFFIX=\nexport APACHE_RUN_USER=www-data\nexport APACHE_RUN_DIR=/var/run/apache2$SUFFIX\n\
             export APACHE_LOG_DIR=\"/var/log/apache2\"\nexport X=$(hostname)\nexport Y=$Z/a\n# export C=1\n## x=1\n",
        );
        let mut told: Vec<String> = read
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        told.sort();
        let dirs = [
            "APACHE_LOG_DIR=/var/log/apache2",
            "APACHE_RUN_DIR=/var/run/apache2",
            "APACHE_RUN_USER=www-data",
        ];
        assert_eq!(told, [&dirs[..], &["SUFFIX="]].concat());
    }
}
