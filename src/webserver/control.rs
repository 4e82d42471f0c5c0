//! The servers that read what is installed: found, looked at, tested, reloaded. It runs them and
//! reads their files; what their configuration means is their profile's (`webserver::nginx`, ...).
//!
//! A server with a profile is a file here (`nginx`), a variant of [`ServerProgram`] and of
//! [`ServerDetail`], and its arms in them: find it, observe it, its own test and reload, how it is
//! started, the block to write, what its test complains of.

use std::path::Path;

use super::apache as apache_dialect;
use super::haproxy as haproxy_dialect;
use super::nginx as nginx_dialect;
use crate::system::process::{FinishedCommand, ProcessError};
use crate::webserver::model::{
    self, ComplaintSubject, NewBlock, ServerComplaint, ServerSoftware, WrittenBlock,
};

pub(crate) mod apache;
pub(crate) mod haproxy;
pub(crate) mod nginx;
mod observe;
mod service;

pub use apache::ApacheProgram;
pub(crate) use haproxy::HaproxyProgram;
pub use nginx::NginxProgram;
pub(crate) use observe::ServerError;
use observe::run;
pub use observe::{ServerDetail, ServerObservation};

/// What serves the files.
#[derive(Clone, Debug)]
pub enum ControlledServer {
    /// A program that has a profile.
    Known {
        /// The program that was found.
        program: ServerProgram,
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
pub enum ServerProgram {
    /// Apache httpd, as `apache2` or `httpd`.
    Apache(ApacheProgram),
    /// HAProxy, with or without a master process.
    Haproxy(HaproxyProgram),
    /// nginx, or a build that is compatible with it.
    Nginx(NginxProgram),
}

impl ServerProgram {
    /// The `software` of this machine, with the main configuration file `config` where one was
    /// named; `None` when there is none.
    ///
    /// # Errors
    /// When what has its name cannot be run or is something else.
    pub fn find(
        software: ServerSoftware,
        config: Option<&Path>,
    ) -> Result<Option<Self>, ServerError> {
        match software {
            ServerSoftware::Nginx => Ok(NginxProgram::find(config)?.map(Self::Nginx)),
            ServerSoftware::Apache => Ok(ApacheProgram::find(config)?.map(Self::Apache)),
            ServerSoftware::Haproxy => Ok(HaproxyProgram::find(config)?.map(Self::Haproxy)),
        }
    }

    /// The kind of server software.
    #[must_use]
    pub fn software(&self) -> ServerSoftware {
        match self {
            Self::Apache(_) => ServerSoftware::Apache,
            Self::Haproxy(_) => ServerSoftware::Haproxy,
            Self::Nginx(_) => ServerSoftware::Nginx,
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
    pub fn observe(&self) -> Result<ServerObservation, ServerError> {
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

impl ServerObservation {
    /// The block for a pair that no block of it names yet.
    #[must_use]
    pub fn write(&self, new: NewBlock<'_>) -> WrittenBlock {
        match &self.detail {
            ServerDetail::Apache(config) => apache_dialect::ApacheWriter { new, config }.write(),
            ServerDetail::Haproxy(config) => haproxy_dialect::HaproxyWriter { new, config }.write(),
            ServerDetail::Nginx { config, build } => {
                nginx_dialect::NginxWriter { new, build, config }.write()
            }
        }
    }
}

impl ControlledServer {
    /// Tests the configuration; `None` where there is nothing to test with.
    ///
    /// # Errors
    /// When the test could not be run. A test that fails is a [`FinishedCommand`].
    pub fn test(&self) -> Result<Option<FinishedCommand>, ProcessError> {
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
    /// When it could not be run. A reload that fails is a [`FinishedCommand`].
    pub fn reload(&self) -> Result<Option<FinishedCommand>, ProcessError> {
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
    fn signal(&self) -> Option<FinishedCommand> {
        match self {
            Self::Known {
                program: ServerProgram::Haproxy(haproxy),
                reload: None,
                ..
            } => haproxy.signal(),
            _ => None,
        }
    }

    /// What a reload would break that the server's own test does not see: then it is not told to
    /// reload.
    fn barred(&self) -> Option<FinishedCommand> {
        match self.program()? {
            ServerProgram::Apache(apache) => apache.barred(),
            ServerProgram::Haproxy(_) | ServerProgram::Nginx(_) => None,
        }
    }

    /// What [`ControlledServer::test`] runs.
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

    /// What [`ControlledServer::reload`] runs.
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
    pub fn program(&self) -> Option<&ServerProgram> {
        match self {
            Self::Known { program, .. } => Some(program),
            Self::Command { .. } | Self::None => None,
        }
    }

    /// What a failing test complains of; `paths` are those of the pair, as the configuration names
    /// them.
    #[must_use]
    pub fn complaint(&self, output: &str, paths: &[&Path]) -> ServerComplaint {
        match self.program() {
            Some(ServerProgram::Apache(_)) => apache_dialect::complaint(output, paths),
            Some(ServerProgram::Haproxy(_)) => haproxy_dialect::complaint(output, paths),
            Some(ServerProgram::Nginx(_)) => nginx_dialect::complaint(output, paths),
            None => ServerComplaint {
                blame: ComplaintSubject::Other,
                lines: model::last_lines(output),
            },
        }
    }
}
