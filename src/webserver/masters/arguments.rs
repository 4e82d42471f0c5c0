//! How a running master was started, from its command line: <https://nginx.org/en/docs/switches.html>,
//! <https://httpd.apache.org/docs/2.4/programs/httpd.html>,
//! <https://docs.haproxy.org/2.6/management.html#3>.

use std::path::{Path, PathBuf};

use super::process_facts::{ProcessFacts, nginx_command_line};
use crate::webserver::model::ServerSoftware;

/// The options of a running master that decide what its configuration is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct StartArguments {
    /// The configuration files and folders, in order, absolute if the working directory is known;
    /// none if the built-in one is used.
    pub config: Vec<PathBuf>,
    /// The folder of relative paths (`-p` of nginx, `-d` of Apache).
    pub prefix: Option<PathBuf>,
    /// The values of Apache's `-D`.
    pub defines: Vec<String>,
    /// Further options that its test needs too.
    pub for_test: Vec<String>,
    /// HAProxy: the folder of relative paths.
    pub folder: Option<PathBuf>,
    /// HAProxy: the words that start a successor with the same options.
    pub for_successor: Vec<String>,
    /// HAProxy: whether it is a master with workers, which reloads on a signal.
    pub has_workers: bool,
    /// HAProxy: whether the command line makes it a daemon.
    pub is_daemon: bool,
}

/// Apache defines these itself for some options; they do not change what it serves.
const RUN_MODES: [&str; 4] = ["FOREGROUND", "NO_DETACH", "ONE_PROCESS", "DEBUG"];
/// Options of Apache that take an argument.
const APACHE_ARGUMENTS: &str = "CcDdEefk";
/// Options with which Apache only tests or prints something.
const APACHE_ONLY: &str = "tSvVlLMhT?";
/// Options of HAProxy that take an argument.
const HAPROXY_ARGUMENTS: [&str; 9] = ["-C", "-L", "-N", "-S", "-f", "-m", "-n", "-p", "-x"];

impl StartArguments {
    /// Whether both lead to the same configuration. The order of other options may differ, because
    /// service scripts start and reload a server with different command lines.
    #[must_use]
    pub(crate) fn is_same_configuration(&self, other: &Self) -> bool {
        self.config == other.config
            && self.prefix == other.prefix
            && self.defines == other.defines
            && self.for_test == other.for_test
    }

    /// Parses the command line of a process; `None` for a command that only tests or prints
    /// something, or sends a signal.
    pub(super) fn parse(software: ServerSoftware, process: &ProcessFacts) -> Option<Self> {
        match software {
            ServerSoftware::Nginx => Self::parse_nginx(process),
            ServerSoftware::Apache => Self::parse_apache(process),
            ServerSoftware::Haproxy => Self::parse_haproxy(process),
        }
    }

    fn parse_nginx(process: &ProcessFacts) -> Option<Self> {
        let words: Vec<String> = match nginx_command_line(process) {
            Some(line) => line.split(' ').map(str::to_owned).collect(),
            None => process.words.clone(),
        };
        let values = nginx_values(&words)?;
        let value_of = |wanted: char| {
            let found = values.iter().rev().find(|(option, _)| *option == wanted);
            found.map(|(_, value)| value.trim_end().to_owned())
        };
        let mut arguments = Self {
            prefix: value_of('p').map(|prefix| absolute(process, Path::new(&prefix))),
            config: value_of('c').map(PathBuf::from).into_iter().collect(),
            ..Self::default()
        };
        arguments.complete_config();
        // What `-g` says of daemons and masters does not matter to a test.
        if let Some(directives) = value_of('g').map(|text| without_run_modes(&text))
            && !directives.is_empty()
        {
            arguments.add_for_test("-g", &directives);
        }
        Some(arguments)
    }

    /// A relative file is relative to the prefix, which may be the built-in one.
    fn complete_config(&mut self) {
        if let Some(prefix) = &self.prefix {
            for config in &mut self.config {
                *config = prefix.join(&*config);
            }
        }
    }

    fn parse_apache(process: &ProcessFacts) -> Option<Self> {
        let mut arguments = Self::default();
        let mut words = process.words.iter().skip(1);
        while let Some(word) = words.next() {
            let letters = word.strip_prefix('-')?;
            for (at, letter) in letters.char_indices() {
                if APACHE_ARGUMENTS.contains(letter) {
                    let rest = letters.get(at + 1..).unwrap_or_default();
                    let value = if rest.is_empty() { words.next()? } else { rest };
                    arguments.add_apache_option(process, letter, value)?;
                    break;
                }
                if APACHE_ONLY.contains(letter) {
                    return None;
                }
            }
        }
        for define in arguments.defines.clone() {
            if !RUN_MODES.contains(&define.as_str()) {
                arguments.add_for_test("-D", &define);
            }
        }
        arguments.complete_config();
        Some(arguments)
    }

    /// Adds an option of Apache with its value; `None` if it only sends a signal.
    fn add_apache_option(
        &mut self,
        process: &ProcessFacts,
        letter: char,
        value: &str,
    ) -> Option<()> {
        match letter {
            'f' => self.config = vec![PathBuf::from(value)],
            'd' => self.prefix = Some(absolute(process, Path::new(value))),
            'D' => self.defines.push(value.to_owned()),
            'C' | 'c' => self.add_for_test(&format!("-{letter}"), value),
            'k' if value != "start" => return None,
            _ => {}
        }
        Some(())
    }

    fn parse_haproxy(process: &ProcessFacts) -> Option<Self> {
        let mut arguments = Self {
            folder: process.folder.clone(),
            ..Self::default()
        };
        let mut words = process.words.iter().skip(1).map(String::as_str).peekable();
        while let Some(word) = words.next() {
            match word {
                "-c" | "-v" | "-vv" | "-h" => return None,
                "-sf" | "-st" => {
                    while words.next_if(|word| word.parse::<i32>().is_ok()).is_some() {}
                }
                "--" => {
                    let files: Vec<&str> = words.by_ref().collect();
                    arguments.config.extend(files.iter().map(PathBuf::from));
                    arguments.keep(&[&["--"], &files[..]].concat());
                }
                option if HAPROXY_ARGUMENTS.contains(&option) => {
                    arguments.add_haproxy_option(option, words.next()?);
                }
                option => {
                    arguments.has_workers |= ["-W", "-Ws"].contains(&option);
                    arguments.is_daemon |= option == "-D";
                    arguments.keep(&[option]);
                }
            }
        }
        if let Some(folder) = &arguments.folder {
            for path in &mut arguments.config {
                *path = folder.join(&*path);
            }
        }
        Some(arguments)
    }

    /// Adds an option of HAProxy with its value.
    fn add_haproxy_option(&mut self, option: &str, value: &str) {
        match option {
            // A master passes its sockets to itself when it reloads.
            "-x" if value.starts_with("sockpair@") => return,
            "-f" => self.config.push(PathBuf::from(value)),
            "-C" => self.folder = self.folder.take().map(|folder| folder.join(value)),
            _ => {}
        }
        self.keep(&[option, value]);
    }

    /// Keeps words of HAProxy for its successor.
    fn keep(&mut self, words: &[&str]) {
        self.for_successor
            .extend(words.iter().map(|&word| word.to_owned()));
    }

    fn add_for_test(&mut self, option: &str, value: &str) {
        self.for_test.extend([option.to_owned(), value.to_owned()]);
    }
}

fn absolute(process: &ProcessFacts, path: &Path) -> PathBuf {
    process
        .folder
        .as_ref()
        .map_or_else(|| path.to_owned(), |folder| folder.join(path))
}

/// Returns the options of nginx that have a value, in order; `None` for a command that tests, prints or
/// signals something. nginx writes its words into its title, joined by spaces, so the value of an option
/// goes on until the next option.
fn nginx_values(words: &[String]) -> Option<Vec<(char, String)>> {
    let mut values: Vec<(char, String)> = Vec::new();
    for word in words.iter().skip(1) {
        match nginx_option(word) {
            Some(NginxOption::Only) => return None,
            Some(NginxOption::Quiet) => {}
            Some(NginxOption::Value(option, value)) => values.push((option, value)),
            None => match values.last_mut() {
                Some((_, value)) if value.is_empty() => value.push_str(word),
                Some((_, value)) => {
                    value.push(' ');
                    value.push_str(word);
                }
                None => {}
            },
        }
    }
    Some(values)
}

/// A word of nginx's command line.
enum NginxOption {
    /// It makes nginx test, print or signal something and exit.
    Only,
    /// It has no value.
    Quiet,
    /// An option and the part of its value that is in the same word.
    Value(char, String),
}

/// Parses a word that begins an option; `None` for any other word.
fn nginx_option(word: &str) -> Option<NginxOption> {
    let letters = word.strip_prefix('-')?;
    for (at, letter) in letters.char_indices() {
        match letter {
            '?' | 'h' | 'v' | 'V' | 't' | 'T' | 's' => return Some(NginxOption::Only),
            'q' => {}
            'c' | 'e' | 'g' | 'p' => {
                let value = letters.get(at + 1..).unwrap_or_default();
                return Some(NginxOption::Value(letter, value.to_owned()));
            }
            _ => return None,
        }
    }
    Some(NginxOption::Quiet)
}

/// The directives of `-g` without those that decide how the process runs.
fn without_run_modes(directives: &str) -> String {
    let kept: Vec<&str> = directives
        .split_inclusive(';')
        .map(str::trim)
        .filter(|directive| {
            let name = directive.split([' ', ';']).next().unwrap_or_default();
            !matches!(name, "daemon" | "master_process" | "")
        })
        .collect();
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{ProcessFacts, ServerSoftware, StartArguments};

    fn parse(software: ServerSoftware, words: &[&str]) -> Option<StartArguments> {
        let process = ProcessFacts {
            words: words.iter().map(|&word| word.to_owned()).collect(),
            folder: Some("/w".into()),
            ..ProcessFacts::default()
        };
        StartArguments::parse(software, &process)
    }

    fn files(arguments: &StartArguments) -> String {
        let files = arguments.config.iter();
        Vec::from_iter(files.map(|path| path.display().to_string())).join(" ")
    }

    #[test]
    fn titles_and_command_lines_of_nginx_are_parsed() {
        for (words, config, for_test) in [
            (&["nginx: master process nginx"][..], "", ""),
            (
                &["nginx: master process /usr/sbin/nginx -g daemon on; master_process on;"],
                "",
                "",
            ),
            (
                &["nginx: master process nginx -c /srv/my site/a.conf -g daemon off; pid /x;"],
                "/srv/my site/a.conf",
                "-g pid /x;",
            ),
            (
                &["openresty: master process openresty -p app -c conf/n.conf"],
                "/w/app/conf/n.conf",
                "",
            ),
            (
                &["nginx", "-qc/a.conf", "-p", "/p/", "-e", "stderr"],
                "/a.conf",
                "",
            ),
        ] {
            let arguments = parse(ServerSoftware::Nginx, words).unwrap();
            assert_eq!(
                (files(&arguments).as_str(), arguments.for_test.join(" ")),
                (config, for_test.to_owned()),
                "{words:?}"
            );
        }
        for words in [
            &["nginx", "-t"][..],
            &["nginx", "-s", "reload"],
            &["nginx", "-V"],
        ] {
            assert_eq!(parse(ServerSoftware::Nginx, words), None, "{words:?}");
        }
    }

    #[test]
    fn command_lines_of_apache_are_parsed() {
        let words = [
            "apache2",
            "-k",
            "start",
            "-d",
            "conf",
            "-ftwo.conf",
            "-DBLUE",
            "-D",
            "FOREGROUND",
            "-c",
            "Listen 1",
        ];
        let arguments = parse(ServerSoftware::Apache, &words).unwrap();
        assert_eq!(files(&arguments), "/w/conf/two.conf");
        assert_eq!(arguments.defines, ["BLUE", "FOREGROUND"]);
        assert_eq!(arguments.for_test.join("|"), "-c|Listen 1|-D|BLUE");
        for words in [
            &["apache2", "-k", "restart"][..],
            &["httpd", "-t"],
            &["httpd", "-V"],
        ] {
            assert_eq!(parse(ServerSoftware::Apache, words), None, "{words:?}");
        }
    }

    #[test]
    fn command_lines_of_haproxy_are_parsed() {
        for (line, config, successor, has_workers) in [
            (
                "haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/h.pid -S /run/m.sock",
                "/etc/haproxy/haproxy.cfg",
                "-Ws -f /etc/haproxy/haproxy.cfg -p /run/h.pid -S /run/m.sock",
                true,
            ),
            (
                "haproxy -sf 12 13 -x sockpair@4 -W -f a.cfg",
                "/w/a.cfg",
                "-W -f a.cfg",
                true,
            ),
            (
                "haproxy -sf 12 13 -x /run/x -D -f a.cfg -f /b",
                "/w/a.cfg /b",
                "-x /run/x -D -f a.cfg -f /b",
                false,
            ),
            (
                "haproxy -D -C conf -f a.cfg -- b.cfg -W",
                "/w/conf/a.cfg /w/conf/b.cfg /w/conf/-W",
                "-D -C conf -f a.cfg -- b.cfg -W",
                false,
            ),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let arguments = parse(ServerSoftware::Haproxy, &words).unwrap();
            assert_eq!(
                (
                    files(&arguments).as_str(),
                    arguments.for_successor.join(" ").as_str(),
                    arguments.has_workers
                ),
                (config, successor, has_workers),
                "{line}"
            );
        }
        assert_eq!(
            parse(ServerSoftware::Haproxy, &["haproxy", "-c", "-f", "a"]),
            None
        );
    }
}
