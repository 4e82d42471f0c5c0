//! What every command is given: where names are looked up, where to install, the instant to judge
//! by, where to print. Nobody calls chdir and nobody reads the clock past this.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::report::Sink;
use crate::system::{clock, signals::InterruptSignal};

/// The surroundings of one run.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where names are looked up and files go (`-C`).
    pub directory: PathBuf,
    /// The tree to install into instead of `/` (`--root`).
    pub root: Option<PathBuf>,
    /// The instant that dates are judged by (`--at`), where it is not now.
    pub at: Option<Timestamp>,
    /// Where progress and results go.
    pub sink: Sink,
    /// Set once SIGINT, SIGTERM or SIGHUP has come.
    pub interrupt: InterruptSignal,
}

impl Context {
    /// The same run with another folder to look names up in, saying nothing.
    #[must_use]
    pub(crate) fn in_folder(&self, directory: PathBuf) -> Self {
        let (root, interrupt) = (self.root.clone(), self.interrupt.clone());
        Self {
            directory,
            root,
            at: self.at,
            sink: Sink::silent(),
            interrupt,
        }
    }

    /// The instant that dates are judged by.
    #[must_use]
    pub(crate) fn now(&self) -> Timestamp {
        self.at.unwrap_or_else(clock::now)
    }

    /// `name` in the directory of this run (`-C`).
    #[must_use]
    pub(crate) fn here(&self, name: impl AsRef<Path>) -> PathBuf {
        if self.directory == Path::new(".") {
            name.as_ref().to_owned()
        } else {
            self.directory.join(name)
        }
    }

    /// The words of a certctl command line that looks in the same directory and tree.
    #[must_use]
    pub(crate) fn again(&self, verb: &str) -> Vec<String> {
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
