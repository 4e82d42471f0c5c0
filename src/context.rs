//! What every command is given: the working directory, the tree to install into, the time, and where
//! to print. No command changes the directory of the process or reads the clock in another way.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::report::Sink;
use crate::system::{clock, signals::InterruptSignal};

/// The surroundings of one run.
#[derive(Debug)]
pub(crate) struct Context {
    /// The working directory (`-C`).
    pub directory: PathBuf,
    /// The tree to install into instead of `/` (`--root`).
    pub root: Option<PathBuf>,
    /// The time of `--at`: dates are evaluated as of then instead of now.
    pub at: Option<Timestamp>,
    /// Where progress and results go.
    pub sink: Sink,
    /// Set once SIGINT, SIGTERM or SIGHUP has come.
    pub interrupt: InterruptSignal,
}

impl Context {
    /// The same run in another working directory, without output.
    #[must_use]
    pub(crate) fn in_folder(&self, directory: PathBuf) -> Self {
        Self {
            directory,
            root: self.root.clone(),
            at: self.at,
            sink: Sink::silent(),
            interrupt: self.interrupt.clone(),
        }
    }

    /// The time that dates are evaluated as of.
    #[must_use]
    pub(crate) fn now(&self) -> Timestamp {
        self.at.unwrap_or_else(clock::now)
    }

    /// The path of `name` in the working directory.
    #[must_use]
    pub(crate) fn path_of(&self, name: impl AsRef<Path>) -> PathBuf {
        if self.directory == Path::new(".") {
            name.as_ref().to_owned()
        } else {
            self.directory.join(name)
        }
    }

    /// The words of a certctl command line for the same directory and tree.
    #[must_use]
    pub(crate) fn command_words(&self, verb: &str) -> Vec<String> {
        let mut words = Vec::new();
        if self.directory != Path::new(".") {
            words.extend(["-C".to_owned(), self.directory.display().to_string()]);
        }
        if let Some(root) = &self.root {
            words.extend(["--root".to_owned(), root.display().to_string()]);
        }
        words.push(verb.to_owned());
        words
    }
}
