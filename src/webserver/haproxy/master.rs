//! Parses the command line of a running HAProxy: <https://docs.haproxy.org/2.6/management.html#3>.

use std::path::{Path, PathBuf};

/// A running HAProxy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MasterProcess {
    pub pid: i32,
    /// Its configuration files and folders, in order; absolute if its working directory is known.
    pub config: Vec<PathBuf>,
    /// The folder of relative paths.
    pub folder: Option<PathBuf>,
    /// Whether it is a master process, which reloads on a signal.
    pub workers: bool,
}

impl MasterProcess {
    /// Parses the words of its command line; `folder` is its working directory.
    #[must_use]
    pub fn new(pid: i32, words: &[String], folder: Option<PathBuf>) -> Self {
        let mut master = Self {
            pid,
            config: Vec::new(),
            folder,
            workers: false,
        };
        let mut words = words.iter().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "-f" => master.config.extend(words.next().map(PathBuf::from)),
                "--" => master.config.extend(words.by_ref().map(PathBuf::from)),
                "-C" => {
                    let changed = words.next().map(Path::new).unwrap_or_else(|| Path::new(""));
                    master.folder = master.folder.map(|folder| folder.join(changed));
                }
                "-W" | "-Ws" => master.workers = true,
                // These options take an argument.
                "-p" | "-n" | "-N" | "-m" | "-L" | "-S" | "-x" => drop(words.next()),
                _ => {}
            }
        }
        if let Some(folder) = &master.folder {
            master
                .config
                .iter_mut()
                .for_each(|path| *path = folder.join(&*path));
        }
        master
    }
}

#[cfg(test)]
mod tests {
    use super::MasterProcess;

    #[test]
    fn command_lines_are_parsed() {
        for (line, config, workers) in [
            (
                "haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/h.pid -S /run/m.sock",
                "/etc/haproxy/haproxy.cfg",
                true,
            ),
            (
                "haproxy -sf 12 13 -x sockpair@4 -W -D -f a.cfg -f /b",
                "/w/a.cfg /b",
                true,
            ),
            (
                "haproxy -D -C conf -f a.cfg -- b.cfg -W",
                "/w/conf/a.cfg /w/conf/b.cfg /w/conf/-W",
                false,
            ),
            ("haproxy -L -f -db", "", false),
            ("haproxy", "", false),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let master = MasterProcess::new(1, &words, Some("/w".into()));
            let files: Vec<String> = master
                .config
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            assert_eq!(
                (files.join(" ").as_str(), master.workers),
                (config, workers),
                "{line}"
            );
        }
    }
}
