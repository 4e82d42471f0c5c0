//! The servers that read what is installed: found, looked at, tested, reloaded. It runs them and
//! reads their files; what their configuration means is their profile's (`webserver::nginx`, ...).
//!
//! A server with a profile is a file here (`nginx`), a variant of [`Program`] and of [`Detail`],
//! and its arms in them: find it, observe it, its own test and reload, how it is started, the block
//! to write, what its test complains of.

use std::path::Path;

use super::apache as apache_dialect;
use super::haproxy as haproxy_dialect;
use super::nginx as nginx_dialect;
use crate::system::process::{Finished, ProcessError};
use crate::webserver::model::{self, Blame, Complaint, NewBlock, Software, Written};

pub(crate) mod apache;
pub(crate) mod haproxy;
pub(crate) mod nginx;
mod observe;
mod service;

pub use apache::Apache;
pub(crate) use haproxy::Haproxy;
pub use nginx::Nginx;
pub(crate) use observe::ServerError;
use observe::run;
pub use observe::{Detail, Standing};

/// What serves the files.
#[derive(Clone, Debug)]
pub enum Server {
    /// A program that has a profile.
    Known {
        /// The program that was found.
        program: Program,
        /// In place of its own test.
        test: Option<Vec<String>>,
        /// In place of its own reload.
        reload: Option<Vec<String>>,
    },
    /// Anything else, by the commands that were given.
    Command {
        /// The test that replaces the server's own.
        test: Option<Vec<String>>,
        /// Makes it read its files again.
        reload: Option<Vec<String>>,
    },
    /// Nothing that certctl knows of.
    None,
}

/// A server program of this machine.
#[derive(Clone, Debug)]
pub enum Program {
    /// Apache httpd, as `apache2` or `httpd`.
    Apache(Apache),
    /// HAProxy, with or without a master process.
    Haproxy(Haproxy),
    /// nginx, or a build that is compatible with it.
    Nginx(Nginx),
}

impl Program {
    /// The `software` of this machine, with the main configuration file `config` where one was
    /// named; `None` when there is none.
    ///
    /// # Errors
    /// When what has its name cannot be run or is something else.
    pub fn find(software: Software, config: Option<&Path>) -> Result<Option<Self>, ServerError> {
        match software {
            Software::Nginx => Ok(Nginx::find(config)?.map(Self::Nginx)),
            Software::Apache => Ok(Apache::find(config)?.map(Self::Apache)),
            Software::Haproxy => Ok(Haproxy::find(config)?.map(Self::Haproxy)),
        }
    }

    /// The kind of server software.
    #[must_use]
    pub fn software(&self) -> Software {
        match self {
            Self::Apache(_) => Software::Apache,
            Self::Haproxy(_) => Software::Haproxy,
            Self::Nginx(_) => Software::Nginx,
        }
    }

    /// The main configuration file.
    #[must_use]
    pub fn config_file(&self) -> &Path {
        match self {
            Self::Apache(apache) => apache.config_file(),
            Self::Haproxy(haproxy) => haproxy.config_file(),
            Self::Nginx(nginx) => nginx.config_file(),
        }
    }

    /// Reads its configuration, as far as files are there, and whether it runs.
    ///
    /// # Errors
    /// When a file cannot be read or is no configuration.
    pub fn observe(&self) -> Result<Standing, ServerError> {
        match self {
            Self::Apache(apache) => apache.observe(),
            Self::Haproxy(haproxy) => haproxy.observe(),
            Self::Nginx(nginx) => nginx.observe(),
        }
    }

    /// The command line that starts it.
    #[must_use]
    pub fn start_command(&self) -> String {
        match self {
            Self::Apache(apache) => apache.start_command(),
            Self::Haproxy(haproxy) => haproxy.start_command(),
            Self::Nginx(nginx) => nginx.start_command(),
        }
    }

    fn test(&self) -> Vec<String> {
        match self {
            Self::Apache(apache) => apache.test(),
            Self::Haproxy(haproxy) => haproxy.test(),
            Self::Nginx(nginx) => nginx.test(),
        }
    }

    /// `None` where it cannot be told to.
    fn reload(&self) -> Option<Vec<String>> {
        match self {
            Self::Apache(apache) => Some(apache.reload()),
            Self::Haproxy(haproxy) => haproxy.reload(),
            Self::Nginx(nginx) => Some(nginx.reload()),
        }
    }
}

impl Standing {
    /// The block for a pair that no block of it names yet.
    #[must_use]
    pub fn write(&self, new: NewBlock<'_>) -> Written {
        match &self.detail {
            Detail::Apache(config) => apache_dialect::Writer { new, config }.write(),
            Detail::Haproxy(config) => haproxy_dialect::Writer { new, config }.write(),
            Detail::Nginx { config, build } => nginx_dialect::Writer { new, build, config }.write(),
        }
    }
}

impl Server {
    /// Tests the configuration; `None` where there is nothing to test with.
    ///
    /// # Errors
    /// When the test could not be run. A test that fails is a [`Finished`].
    pub fn test(&self) -> Result<Option<Finished>, ProcessError> {
        let Some(tested) = self.test_command().map(run).transpose()? else {
            return Ok(None);
        };
        let barred = if tested.succeeded() {
            self.barred()
        } else {
            None
        };
        Ok(Some(barred.unwrap_or(tested)))
    }

    /// Makes the server read its files again; `None` where there is nothing to do it with.
    ///
    /// # Errors
    /// When it could not be run. A reload that fails is a [`Finished`].
    pub fn reload(&self) -> Result<Option<Finished>, ProcessError> {
        match self.reload_command() {
            Some(command) => self
                .barred()
                .or_else(|| self.signal())
                .map_or_else(|| run(command), Ok)
                .map(Some),
            None => Ok(None),
        }
    }

    /// A reload that is a signal needs no program.
    fn signal(&self) -> Option<Finished> {
        match self {
            Self::Known {
                program: Program::Haproxy(haproxy),
                reload: None,
                ..
            } => haproxy.signal(),
            _ => None,
        }
    }

    /// What a reload would break that the server's own test does not see: then it is not told to
    /// reload.
    fn barred(&self) -> Option<Finished> {
        match self.program()? {
            Program::Apache(apache) => apache.barred(),
            Program::Haproxy(_) | Program::Nginx(_) => None,
        }
    }

    /// What [`Server::test`] runs.
    #[must_use]
    pub fn test_command(&self) -> Option<Vec<String>> {
        match self {
            Self::Known { program, test, .. } => {
                Some(test.clone().unwrap_or_else(|| program.test()))
            }
            Self::Command { test, .. } => test.clone(),
            Self::None => None,
        }
    }

    /// What [`Server::reload`] runs.
    #[must_use]
    pub fn reload_command(&self) -> Option<Vec<String>> {
        match self {
            Self::Known {
                program, reload, ..
            } => reload.clone().or_else(|| program.reload()),
            Self::Command { reload, .. } => reload.clone(),
            Self::None => None,
        }
    }

    /// The program, where it has a profile.
    #[must_use]
    pub fn program(&self) -> Option<&Program> {
        match self {
            Self::Known { program, .. } => Some(program),
            Self::Command { .. } | Self::None => None,
        }
    }

    /// What a failing test complains of; `paths` are those of the pair, as the configuration names
    /// them.
    #[must_use]
    pub fn complaint(&self, output: &str, paths: &[&Path]) -> Complaint {
        match self.program() {
            Some(Program::Apache(_)) => apache_dialect::complaint(output, paths),
            Some(Program::Haproxy(_)) => haproxy_dialect::complaint(output, paths),
            Some(Program::Nginx(_)) => nginx_dialect::complaint(output, paths),
            None => Complaint {
                blame: Blame::Other,
                lines: model::last_words(output),
            },
        }
    }
}
