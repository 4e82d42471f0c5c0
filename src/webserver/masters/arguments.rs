//! How a running master was started, from its command line: <https://nginx.org/en/docs/switches.html>,
//! <https://httpd.apache.org/docs/2.4/programs/httpd.html>,
//! <https://docs.haproxy.org/2.6/management.html#3>.

use std::path::{Path, PathBuf};

use super::{ProcessFacts, ServerSoftware, nginx_command_line};

/// The options of a running master that decide what its configuration is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct StartArguments {
    /// The configuration files and folders, in order, absolute if the working directory is known;
    /// none if the built-in one is used.
    pub(crate) config: Vec<PathBuf>,
    /// The folder of relative paths (`-p` of nginx, `-d` of Apache).
    pub(crate) prefix: Option<PathBuf>,
    /// The values of Apache's `-D`.
    pub(crate) defines: Vec<String>,
    /// Further options that its test needs too.
    pub(crate) for_test: Vec<String>,
    /// HAProxy: the folder of relative paths.
    pub(crate) folder: Option<PathBuf>,
    /// HAProxy: the words that start a successor with the same options.
    pub(crate) for_successor: Vec<String>,
    /// HAProxy: whether it is a master with workers, which reloads on a signal.
    pub(crate) has_workers: bool,
    /// HAProxy: whether the command line makes it a daemon.
    pub(crate) is_daemon: bool,
}

/// Apache defines these itself for some options; they do not change what it serves.
const RUN_MODES: [&str; 4] = ["FOREGROUND", "NO_DETACH", "ONE_PROCESS", "DEBUG"];
/// Options of Apache that take an argument.
const APACHE_ARGUMENTS: &str = "CcDdEefk";
/// Options of HAProxy that take an argument.
const HAPROXY_ARGUMENTS: [&str; 6] = ["-p", "-n", "-N", "-m", "-L", "-S"];

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
    pub(super) fn parse(
        software: ServerSoftware,
        process: &ProcessFacts,
        has_children: bool,
    ) -> Option<Self> {
        match software {
            ServerSoftware::Nginx => Self::parse_nginx(process),
            ServerSoftware::Apache => Self::parse_apache(process),
            ServerSoftware::Haproxy => Self::parse_haproxy(process, has_children),
        }
    }

    /// nginx writes its words into its title, joined by spaces, so the value of an option goes on
    /// until the next option.
    fn parse_nginx(process: &ProcessFacts) -> Option<Self> {
        let words: Vec<String> = match nginx_command_line(process) {
            Some(line) => line.split(' ').map(str::to_owned).collect(),
            None => process.words.clone(),
        };
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
        let mut arguments = Self::default();
        let value_of = |wanted: char| {
            let found = values.iter().rev().find(|(option, _)| *option == wanted);
            found.map(|(_, value)| value.trim_end().to_owned())
        };
        arguments.prefix = value_of('p').map(|prefix| absolute(process, Path::new(&prefix)));
        if let Some(config) = value_of('c') {
            // A relative file is relative to the prefix, which may be the built-in one.
            let config = match &arguments.prefix {
                Some(prefix) => prefix.join(config),
                None => PathBuf::from(config),
            };
            arguments.config.push(config);
        }
        // What `-g` says of daemons and masters does not matter to a test.
        if let Some(directives) = value_of('g').map(|text| without_run_modes(&text))
            && !directives.is_empty()
        {
            arguments.add_for_test("-g", &directives);
        }
        Some(arguments)
    }

    fn parse_apache(process: &ProcessFacts) -> Option<Self> {
        let mut arguments = Self::default();
        let mut config = None;
        let mut words = process.words.iter().skip(1);
        while let Some(word) = words.next() {
            let mut letters = word.strip_prefix('-')?.chars();
            while let Some(letter) = letters.next() {
                if !APACHE_ARGUMENTS.contains(letter) {
                    if "tSvVlLMhT?".contains(letter) {
                        return None;
                    }
                    continue;
                }
                let rest = letters.as_str();
                let value = if rest.is_empty() {
                    words.next()?.clone()
                } else {
                    rest.to_owned()
                };
                match letter {
                    'f' => config = Some(PathBuf::from(value)),
                    'd' => arguments.prefix = Some(absolute(process, Path::new(&value))),
                    'D' => arguments.defines.push(value),
                    'C' | 'c' => arguments.add_for_test(&format!("-{letter}"), &value),
                    'k' if value != "start" => return None,
                    _ => {}
                }
                break;
            }
        }
        for define in arguments.defines.clone() {
            if !RUN_MODES.contains(&define.as_str()) {
                arguments.add_for_test("-D", &define);
            }
        }
        if let Some(config) = config {
            // A relative file is relative to the server root, which may be the built-in one.
            let config = match &arguments.prefix {
                Some(root) => root.join(config),
                None => config,
            };
            arguments.config.push(config);
        }
        Some(arguments)
    }

    fn parse_haproxy(process: &ProcessFacts, has_children: bool) -> Option<Self> {
        let mut arguments = Self {
            has_workers: has_children,
            ..Self::default()
        };
        let mut folder = process.folder.clone();
        let mut words = process.words.iter().skip(1).peekable();
        while let Some(word) = words.next() {
            let mut kept = vec![word.clone()];
            match word.as_str() {
                "-c" | "-v" | "-vv" | "-h" => return None,
                "-f" => {
                    let value = words.next()?;
                    arguments.config.push(PathBuf::from(value));
                    kept.push(value.clone());
                }
                "--" => {
                    let files: Vec<String> = words.by_ref().cloned().collect();
                    arguments.config.extend(files.iter().map(PathBuf::from));
                    kept.extend(files);
                }
                "-sf" | "-st" => {
                    while words.next_if(|word| word.parse::<i32>().is_ok()).is_some() {}
                    continue;
                }
                "-C" => {
                    let changed = words.next()?;
                    folder = folder.map(|folder| folder.join(changed));
                    kept.push(changed.clone());
                }
                // A master passes its sockets to itself when it reloads.
                "-x" => {
                    let value = words.next()?;
                    if value.starts_with("sockpair@") {
                        continue;
                    }
                    kept.push(value.clone());
                }
                "-W" | "-Ws" => arguments.has_workers = true,
                "-D" => arguments.is_daemon = true,
                option if HAPROXY_ARGUMENTS.contains(&option) => kept.extend(words.next().cloned()),
                _ => {}
            }
            arguments.for_successor.extend(kept);
        }
        if let Some(folder) = &folder {
            for path in &mut arguments.config {
                *path = folder.join(&*path);
            }
        }
        arguments.folder = folder;
        Some(arguments)
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
        StartArguments::parse(software, &process, false)
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
