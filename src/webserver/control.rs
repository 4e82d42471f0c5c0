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
use crate::finding::shell_line;
use crate::pki::name::DnsName;
use crate::system::process::{FinishedCommand, ProcessError};
use crate::webserver::model::{
    self, ComplaintSubject, PlainSite, ServerComplaint, ServerSoftware, UpstreamAddress, WebPlace,
};

pub(crate) mod apache;
pub(crate) mod foreign;
mod found_programs;
pub(crate) mod haproxy;
mod loaded;
mod master_group;
pub(crate) mod nginx;
mod observe;
pub(crate) mod open_files;
pub(crate) mod ports;
pub(crate) mod process_table;
pub(crate) mod server_view;
pub(crate) mod service;
mod view_config;

pub use apache::ApacheProgram;
pub(crate) use apache::ReloadGate;
use foreign::UnreachedMaster;
pub(crate) use haproxy::HaproxyProgram;
pub(crate) use loaded::UnloadedChanges;
use master_group::MasterGroup;
pub use nginx::NginxProgram;
pub(crate) use observe::{DEADLINE, FILE_LIMIT, FILES, InstanceScope, ServerError};
pub use observe::{ServerDetail, ServerObservation};
use observe::{run, run_in, run_named};

/// A server that uses the certificate.
#[derive(Clone, Debug)]
pub enum ControlledServer {
    /// A supported server program.
    Known {
        /// The program that was found.
        program: Box<ServerProgram>,
        /// The test command given by the user, if any.
        test: Option<Vec<String>>,
        /// The reload command given by the user, if any.
        reload: Option<Vec<String>>,
    },
    /// Any other server, controlled by commands given by the user.
    Command {
        /// The commands that test its configuration, in their order.
        tests: Vec<Vec<String>>,
        /// The commands that reload it.
        reloads: Vec<Vec<String>>,
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
        let found = Self::find_all(software, config, InstanceScope::Configured)?;
        Ok(found.into_iter().next())
    }

    /// Finds every server in `scope`, one for each configuration that running masters use; the one
    /// that [`ServerProgram::find`] returns comes first.
    ///
    /// # Errors
    /// When the program of that name cannot be run or is something else.
    pub(crate) fn find_all(
        software: ServerSoftware,
        config: Option<&Path>,
        scope: InstanceScope,
    ) -> Result<Vec<Self>, ServerError> {
        Ok(match software {
            ServerSoftware::Nginx => {
                let found = NginxProgram::find_all(config, scope)?;
                found.into_iter().map(Self::Nginx).collect()
            }
            ServerSoftware::Apache => {
                let found = ApacheProgram::find_all(config, scope)?;
                found.into_iter().map(Self::Apache).collect()
            }
            ServerSoftware::Haproxy => {
                let found = HaproxyProgram::find_all(config, scope)?;
                found.into_iter().map(Self::Haproxy).collect()
            }
        })
    }

    /// The masters that run with its configuration.
    pub(crate) fn group(&self) -> &MasterGroup {
        match self {
            Self::Apache(apache) => &apache.group,
            Self::Haproxy(haproxy) => &haproxy.group,
            Self::Nginx(nginx) => &nginx.group,
        }
    }

    /// The process ids of its masters.
    #[must_use]
    pub(crate) fn master_pids(&self) -> Vec<i32> {
        self.group().pids()
    }

    /// The process ids of its masters, before and now: a reload may have replaced some.
    #[must_use]
    pub(crate) fn current_pids(&self) -> Vec<i32> {
        let mut pids = self.group().pids();
        pids.extend(self.group().current_pids(self.software()));
        pids
    }

    /// Whether the addresses of at least one master can be probed; assumed if /proc shows none.
    #[must_use]
    pub(crate) fn can_probe(&self) -> bool {
        self.group().is_empty() || self.group().can_probe()
    }

    /// Whether at least one master can be reloaded; assumed if /proc shows none.
    #[must_use]
    pub(crate) fn can_reload(&self) -> bool {
        self.group().is_empty() || self.group().can_reload()
    }

    /// Describes the masters that certctl cannot reload or probe, and why.
    pub(crate) fn barriers(&self) -> Vec<UnreachedMaster> {
        let mut unreached = Vec::new();
        for one in &self.group().masters {
            for &barrier in &one.barriers {
                unreached.push(UnreachedMaster {
                    software: self.software(),
                    pid: one.master.process.pid,
                    barrier,
                });
            }
        }
        unreached
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
    fn reload_command(&self) -> Option<Vec<String>> {
        if self.group().is_empty() {
            return self.own_reload();
        }
        self.group().reload_command()
    }

    /// The reload command of the server itself, for a process that /proc does not show.
    fn own_reload(&self) -> Option<Vec<String>> {
        match self {
            Self::Apache(apache) => Some(apache.own_reload()),
            Self::Haproxy(_) => None,
            Self::Nginx(nginx) => Some(nginx.own_reload()),
        }
    }

    /// Reloads its masters; `None` if none can be reloaded.
    fn reload(&self) -> Result<Option<FinishedCommand>, ProcessError> {
        if self.group().is_empty() {
            return self.own_reload().map(run).transpose();
        }
        self.group().reload(self.software())
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

/// Runs commands one after the other; the first that fails ends it. Returns what they printed
/// together; `None` if there is none.
fn run_all(commands: &[Vec<String>]) -> Result<Option<FinishedCommand>, ProcessError> {
    let mut before = String::new();
    let mut last = None;
    for command in commands {
        let mut finished = run_named(command.clone())?;
        if !finished.succeeded() {
            return Ok(Some(finished));
        }
        before.push_str(&finished.output);
        finished.output.clone_from(&before);
        last = Some(finished);
    }
    Ok(last)
}

/// Several commands as one line for a shell.
fn joined_line(commands: &[Vec<String>]) -> Option<String> {
    let mut lines = Vec::new();
    for command in commands {
        lines.push(shell_line(command));
    }
    (!lines.is_empty()).then(|| lines.join(" && "))
}

impl ControlledServer {
    /// Returns the faults that prevent a reload although the server's own test passes, and the server
    /// that is reloaded in spite of them.
    #[must_use]
    pub(crate) fn without_reload_gate(self) -> (Self, Option<FinishedCommand>) {
        let faults = self.reload_faults();
        match self {
            Self::Known {
                program,
                test,
                reload,
            } => {
                let program = match *program {
                    ServerProgram::Apache(apache) => ServerProgram::Apache(ApacheProgram {
                        gate: ReloadGate::Ignored,
                        ..apache
                    }),
                    other => other,
                };
                let server = Self::Known {
                    program: Box::new(program),
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
        if let Self::Command { tests, .. } = self {
            return run_all(tests);
        }
        let Some(command) = self.test_command() else {
            return Ok(None);
        };
        // nginx does not read its environment when it tests its configuration.
        let tested = match self {
            Self::Known {
                program,
                test: None,
                ..
            } if !matches!(**program, ServerProgram::Nginx(_)) => {
                run_in(command, &program.group().surroundings())?
            }
            Self::Known { test: None, .. } => run(command)?,
            _ => run_named(command)?,
        };
        let faults = if tested.succeeded() {
            self.reload_faults()
        } else {
            None
        };
        Ok(Some(faults.unwrap_or(tested)))
    }

    /// The command that [`ControlledServer::test`] runs, as a line for a shell.
    #[must_use]
    pub(crate) fn test_line(&self) -> Option<String> {
        if let Self::Command { tests, .. } = self {
            return joined_line(tests);
        }
        self.test_command().map(|words| shell_line(&words))
    }

    /// The command that [`ControlledServer::reload`] runs, as a line for a shell.
    #[must_use]
    pub(crate) fn reload_line(&self) -> Option<String> {
        match self {
            Self::Known {
                program,
                reload: None,
                ..
            } if !program.group().is_empty() => program.group().reload_line(),
            Self::Command { reloads, .. } => joined_line(reloads),
            _ => self.reload_command().map(|words| shell_line(&words)),
        }
    }

    /// Reloads the server; `None` without a reload command.
    ///
    /// # Errors
    /// When the command could not be run. A failed reload is a [`FinishedCommand`].
    pub fn reload(&self) -> Result<Option<FinishedCommand>, ProcessError> {
        if let Some(faults) = self.reload_faults() {
            return Ok(self.reload_command().map(|_| faults));
        }
        match self {
            Self::Known {
                program,
                reload: None,
                ..
            } => program.reload(),
            Self::Known {
                program,
                reload: Some(command),
                ..
            } => {
                let group = program.group();
                group
                    .run_command(program.software(), command.clone())
                    .map(Some)
            }
            Self::Command { reloads, .. } => run_all(reloads),
            Self::None => Ok(None),
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
            Self::Command { tests, .. } => tests.first().cloned(),
            Self::None => None,
        }
    }

    /// The command that [`ControlledServer::reload`] runs.
    #[must_use]
    pub fn reload_command(&self) -> Option<Vec<String>> {
        match self {
            Self::Known {
                program, reload, ..
            } => reload.clone().or_else(|| program.reload_command()),
            Self::Command { reloads, .. } => reloads.first().cloned(),
            Self::None => None,
        }
    }

    /// The program, if it is supported.
    #[must_use]
    pub fn program(&self) -> Option<&ServerProgram> {
        match self {
            Self::Known { program, .. } => Some(program.as_ref()),
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
