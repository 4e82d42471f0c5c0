//! Finds, observes, tests and reloads the servers of this machine. It runs their programs and reads
//! their files; the dialects (`webserver::nginx`, ...) know what their configuration means.
//!
//! A supported server has a file here (`nginx`), a variant of [`ServerProgram`] and of
//! [`ServerDetail`], and arms for each operation: find and observe it, its test, reload and start
//! commands, the section that serves in plain text, the complaints of its test.

use std::net::SocketAddr;
use std::path::Path;

use super::apache as apache_dialect;
use super::haproxy as haproxy_dialect;
use super::nginx as nginx_dialect;
use crate::pki::name::DnsName;
use crate::system::process::{FinishedCommand, ProcessError};
use crate::webserver::model::{
    self, ComplaintSubject, PlainSite, ServerComplaint, ServerSoftware, UpstreamAddress, WebPlace,
};

pub(crate) mod apache;
pub(crate) mod haproxy;
mod loaded;
pub(crate) mod nginx;
mod observe;
mod service;

pub use apache::ApacheProgram;
pub(crate) use apache::ReloadGate;
pub(crate) use haproxy::HaproxyProgram;
pub(crate) use loaded::UnloadedChanges;
pub use nginx::NginxProgram;
use observe::run;
pub(crate) use observe::{DEADLINE, FILE_LIMIT, FILES, ServerError};
pub use observe::{ServerDetail, ServerObservation};

/// A server that uses the certificate.
#[derive(Clone, Debug)]
pub enum ControlledServer {
    /// A supported server program.
    Known {
        /// The program that was found.
        program: ServerProgram,
        /// The test command given by the user, if any.
        test: Option<Vec<String>>,
        /// The reload command given by the user, if any.
        reload: Option<Vec<String>>,
    },
    /// Any other server, controlled by commands given by the user.
    Command {
        /// The command that tests its configuration.
        test: Option<Vec<String>>,
        /// The command that reloads it.
        reload: Option<Vec<String>>,
    },
    /// No server.
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
    /// Finds the `software` on this machine; `config` is the main configuration file if the user
    /// gave one. `None` when it is not installed.
    ///
    /// # Errors
    /// When the program of that name cannot be run or is something else.
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

    /// Reads its configuration and whether it runs.
    ///
    /// # Errors
    /// When a file cannot be read or parsed.
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

    /// Its reload command; `None` where it cannot be reloaded.
    fn reload(&self) -> Option<Vec<String>> {
        match self {
            Self::Apache(apache) => Some(apache.reload()),
            Self::Haproxy(haproxy) => haproxy.reload(),
            Self::Nginx(nginx) => Some(nginx.reload()),
        }
    }
}

/// Whether a server can serve TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TlsSupport {
    /// It has loaded no module for it.
    ModuleMissing,
    Present,
}

impl ServerObservation {
    /// Returns the section that serves `names` in plain text and can serve them over TLS as well. A
    /// host of Apache cannot: it has TLS at all of its addresses or at none.
    #[must_use]
    pub(crate) fn plain_site(&self, names: &[DnsName]) -> Option<PlainSite> {
        match &self.detail {
            ServerDetail::Apache(_) => None,
            ServerDetail::Haproxy(config) => config.plain_site(),
            ServerDetail::Nginx { config, .. } => config.plain_site(names),
        }
    }

    /// Returns whether it speaks HTTP at an address of a web site.
    #[must_use]
    pub(crate) fn speaks_http(&self, address: SocketAddr) -> bool {
        match &self.detail {
            ServerDetail::Haproxy(config) => config.speaks_http(address),
            ServerDetail::Apache(_) | ServerDetail::Nginx { .. } => true,
        }
    }

    /// Returns the addresses to which it passes the requests that arrive at a place; none if the
    /// configuration does not show it.
    #[must_use]
    pub(crate) fn upstreams(&self, place: &WebPlace) -> Vec<UpstreamAddress> {
        match (&self.detail, &place.block) {
            (ServerDetail::Apache(config), Some(block)) => config.upstreams(block),
            (ServerDetail::Nginx { config, .. }, Some(block)) => config.upstreams(block),
            (ServerDetail::Haproxy(config), _) => config.upstreams(place.place.address),
            (ServerDetail::Apache(_) | ServerDetail::Nginx { .. }, None) => Vec::new(),
        }
    }

    /// Returns whether it can serve TLS; Apache needs a module for it.
    #[must_use]
    pub(crate) fn tls_support(&self) -> TlsSupport {
        match &self.detail {
            ServerDetail::Apache(config) if !config.has("ssl_module") => TlsSupport::ModuleMissing,
            ServerDetail::Apache(_) | ServerDetail::Haproxy(_) | ServerDetail::Nginx { .. } => {
                TlsSupport::Present
            }
        }
    }
}

impl ControlledServer {
    /// Returns the faults that prevent a reload although the server's own test passes, and the server
    /// that is reloaded in spite of them.
    #[must_use]
    pub(crate) fn without_reload_gate(self) -> (Self, Option<FinishedCommand>) {
        let faults = self.reload_faults();
        match self {
            Self::Known {
                program: ServerProgram::Apache(apache),
                test,
                reload,
            } => {
                let program = ServerProgram::Apache(ApacheProgram {
                    gate: ReloadGate::Ignored,
                    ..apache
                });
                let server = Self::Known {
                    program,
                    test,
                    reload,
                };
                (server, faults)
            }
            other => (other, faults),
        }
    }

    /// Tests the configuration; `None` without a test command.
    ///
    /// # Errors
    /// When the test could not be run. A failed test is a [`FinishedCommand`].
    pub fn test(&self) -> Result<Option<FinishedCommand>, ProcessError> {
        let Some(tested) = self.test_command().map(run).transpose()? else {
            return Ok(None);
        };
        let faults = if tested.succeeded() {
            self.reload_faults()
        } else {
            None
        };
        Ok(Some(faults.unwrap_or(tested)))
    }

    /// Reloads the server; `None` without a reload command.
    ///
    /// # Errors
    /// When the command could not be run. A failed reload is a [`FinishedCommand`].
    pub fn reload(&self) -> Result<Option<FinishedCommand>, ProcessError> {
        let Some(command) = self.reload_command() else {
            return Ok(None);
        };
        let finished = self.reload_faults().or_else(|| self.send_reload_signal());
        match finished {
            Some(finished) => Ok(Some(finished)),
            None => run(command).map(Some),
        }
    }

    /// Sends the reload signal directly where no program is needed.
    fn send_reload_signal(&self) -> Option<FinishedCommand> {
        match self {
            Self::Known {
                program: ServerProgram::Haproxy(haproxy),
                reload: None,
                ..
            } => haproxy.send_reload_signal(),
            _ => None,
        }
    }

    /// Returns faults that would make the server exit at a reload although its own test passes, as
    /// a failed command. Such a server is not reloaded.
    fn reload_faults(&self) -> Option<FinishedCommand> {
        match self.program()? {
            ServerProgram::Apache(apache) => apache.reload_faults(),
            ServerProgram::Haproxy(_) | ServerProgram::Nginx(_) => None,
        }
    }

    /// The command that [`ControlledServer::test`] runs.
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

    /// The command that [`ControlledServer::reload`] runs.
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

    /// The program, if it is supported.
    #[must_use]
    pub fn program(&self) -> Option<&ServerProgram> {
        match self {
            Self::Known { program, .. } => Some(program),
            Self::Command { .. } | Self::None => None,
        }
    }

    /// Interprets the output of a failed test; `paths` are those of the certificate and its key, as
    /// the configuration names them.
    #[must_use]
    pub fn complaint(&self, output: &str, paths: &[&Path]) -> ServerComplaint {
        match self.program() {
            Some(ServerProgram::Apache(_)) => apache_dialect::complaint(output, paths),
            Some(ServerProgram::Haproxy(_)) => haproxy_dialect::complaint(output, paths),
            Some(ServerProgram::Nginx(_)) => nginx_dialect::complaint(output, paths),
            None => ServerComplaint {
                subject: ComplaintSubject::Other,
                lines: model::last_lines(output),
            },
        }
    }
}
