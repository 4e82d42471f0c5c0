//! The context of a command: the working directory, the tree to install into, the time, and the
//! output. No command changes the directory of the process or reads the clock in another way.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::configuration::{
    ConfigurationError, ConfigurationFolders, ConfiguredDefaults, read_defaults,
};
use crate::inventory::RenewBefore;
use crate::inventory::install_window::InstallWindow;
use crate::report::Sink;
use crate::system::{clock, signals::InterruptSignal};

/// The context of one run.
#[derive(Debug)]
pub(crate) struct Context {
    /// The working directory (`-C`).
    pub directory: PathBuf,
    /// The tree to install into instead of `/` (`--root`).
    pub root: Option<PathBuf>,
    /// The time of `--at`: dates are evaluated as of this time instead of now.
    pub at: Option<Timestamp>,
    /// Prints progress and results.
    pub sink: Sink,
    /// Set when SIGINT, SIGTERM or SIGHUP was received.
    pub interrupt: InterruptSignal,
}

impl Context {
    /// Returns the same context with another working directory and without output.
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

    /// Returns the same context for what has to be done after a signal, too: it ignores signals that
    /// have arrived.
    #[must_use]
    pub(crate) fn for_cleanup(&self) -> Self {
        let mut context = self.in_folder(self.directory.clone());
        context.interrupt = InterruptSignal::default();
        context
    }

    /// Returns whether no other working directory was given (`-C`).
    #[must_use]
    pub(crate) fn has_usual_directory(&self) -> bool {
        self.directory == Path::new(".")
    }

    /// Reads the defaults for options; with `--root`, those of the tree.
    ///
    /// # Errors
    /// A file that cannot be read, or a key or value that is not valid.
    pub(crate) fn defaults(&self) -> Result<ConfiguredDefaults, ConfigurationError> {
        read_defaults(&ConfigurationFolders::find(self.root.as_deref()))
    }

    /// Returns when renewals are due: `flag`, else the configured default.
    ///
    /// # Errors
    /// When the configuration cannot be read, or its value is not valid.
    pub(crate) fn renew_before(
        &self,
        flag: Option<RenewBefore>,
    ) -> Result<RenewBefore, ConfigurationError> {
        if let Some(flag) = flag {
            return Ok(flag);
        }
        match self.defaults()?.renew_before {
            Some(configured) => {
                RenewBefore::parse(&configured.text).map_err(|reason| configured.wrong(reason))
            }
            None => Ok(RenewBefore::default()),
        }
    }

    /// Returns when renewed certificates are installed; `None` at any time.
    ///
    /// # Errors
    /// When the configuration cannot be read, or its value is not valid.
    pub(crate) fn install_window(&self) -> Result<Option<InstallWindow>, ConfigurationError> {
        let Some(configured) = self.defaults()?.install_window else {
            return Ok(None);
        };
        let window = InstallWindow::parse(&configured.text);
        window.map(Some).map_err(|reason| configured.wrong(reason))
    }

    /// Returns the time that dates are evaluated as of.
    #[must_use]
    pub(crate) fn now(&self) -> Timestamp {
        self.at.unwrap_or_else(clock::now)
    }

    /// Returns the path of `name` in the working directory.
    #[must_use]
    pub(crate) fn path_of(&self, name: impl AsRef<Path>) -> PathBuf {
        if self.directory == Path::new(".") {
            name.as_ref().to_owned()
        } else {
            self.directory.join(name)
        }
    }

    /// Returns the first words of a certctl command line for the same directory and tree: the
    /// options and `verb`.
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
