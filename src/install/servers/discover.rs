//! Finds the servers of a run and observes each once, however many certificates it uses.

mod probe_address;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::advice::servers;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::install::servers::observed_server::ObservedServer;
use crate::install::servers::selection::DiscoveredServers;
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;
use crate::store::settings::LineageSettings;
use crate::system::process::{self, ProcessError};
use crate::webserver::control::{ControlledServer, ServerProgram};
use crate::webserver::model::ServerSoftware;
use crate::wording::joined_with_and;

/// A server, and how it is controlled.
#[derive(Clone, Debug, Eq, PartialEq)]
struct ServerSpec {
    software: Option<ServerSoftware>,
    config: Option<PathBuf>,
    test: Option<Vec<String>>,
    reload: Option<Vec<String>>,
}

impl ServerSpec {
    /// Returns a server that is tested and reloaded with the commands of its profile.
    fn with_profile(software: ServerSoftware, config: Option<PathBuf>) -> Self {
        Self {
            software: Some(software),
            config,
            test: None,
            reload: None,
        }
    }
}

/// Commands given by the user, which replace those of a profile.
struct GivenCommands {
    test: Option<Vec<String>>,
    reload: Option<Vec<String>>,
}

impl GivenCommands {
    fn parse(settings: &LineageSettings) -> Result<Self, Failure> {
        Ok(Self {
            test: settings.test.as_deref().map(parse_command).transpose()?,
            reload: settings.reload.as_deref().map(parse_command).transpose()?,
        })
    }

    fn are_any(&self) -> bool {
        self.test.is_some() || self.reload.is_some()
    }

    fn spec(&self, software: Option<ServerSoftware>, config: Option<&Path>) -> ServerSpec {
        ServerSpec {
            software,
            config: config.map(Path::to_owned),
            test: self.test.clone(),
            reload: self.reload.clone(),
        }
    }
}

/// The servers that were found so far in this run.
#[derive(Debug, Default)]
pub(crate) struct ServerDiscovery {
    known: Vec<(ServerSpec, Option<Rc<ObservedServer>>)>,
    /// The addresses of each `--probe`.
    probes: HashMap<String, Vec<SocketAddr>>,
    /// The codes of `--allow`.
    allowed: Vec<&'static str>,
}

impl ServerDiscovery {
    /// Returns a discovery that ignores the doubts with these codes.
    #[must_use]
    pub(crate) fn allowing(allowed: impl IntoIterator<Item = &'static str>) -> Self {
        Self {
            allowed: allowed.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Returns every address of one `--probe`, resolved once.
    ///
    /// # Errors
    /// When it is not `HOST:PORT`, or cannot be resolved.
    pub(crate) fn resolve_probe(&mut self, probe: &str) -> Result<&[SocketAddr], Failure> {
        match self.probes.entry(probe.to_owned()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => Ok(new.insert(probe_address::resolve(probe)?)),
        }
    }

    /// Returns the servers of the command line, else the saved ones; else the installed ones whose
    /// configuration concerns the certificate (`links`, `names`); if none does, the running ones; if
    /// none is running, all installed ones. Under `--root`, none is searched for.
    ///
    /// # Errors
    /// When a command cannot be run, or a server of the command line is not installed.
    pub(crate) fn find_servers(
        &mut self,
        context: &Context,
        settings: &LineageSettings,
        links: &[StableLink],
        names: &[DnsName],
    ) -> Result<DiscoveredServers, Failure> {
        let commands = GivenCommands::parse(settings)?;
        let config = settings.server_config.as_deref();
        let mut found = DiscoveredServers::default();
        if let Some(wanted) = parse_servers(settings)? {
            found.servers = self.find_named(settings, &wanted, &commands)?;
        } else if config.is_some() {
            let spec = commands.spec(Some(ServerSoftware::Nginx), config);
            found.servers.extend(self.observe(spec)?);
        } else if context.root.is_none() {
            let installed = self.find_installed(&commands)?;
            found = DiscoveredServers::select(installed, links, names);
        }
        if found.servers.len() > 1 && (commands.are_any() || config.is_some()) {
            return Err(ambiguous(&found));
        }
        if found.servers.is_empty() {
            found
                .servers
                .extend(self.observe(commands.spec(None, None))?);
        }
        Ok(found)
    }

    /// Returns the servers of the options, each with its own configuration.
    fn find_named(
        &mut self,
        settings: &LineageSettings,
        wanted: &[ServerSoftware],
        commands: &GivenCommands,
    ) -> Result<Vec<Rc<ObservedServer>>, Failure> {
        let mut found = Vec::new();
        for &software in wanted {
            let own_config = settings.server_configs.get(software.name());
            let config = own_config.or(settings.server_config.as_ref());
            let spec = commands.spec(Some(software), config.map(PathBuf::as_path));
            let observed = self.observe(spec)?;
            found.push(observed.ok_or_else(|| not_installed(software))?);
        }
        Ok(found)
    }

    fn find_installed(
        &mut self,
        commands: &GivenCommands,
    ) -> Result<Vec<Rc<ObservedServer>>, Failure> {
        let mut found = Vec::new();
        for software in ServerSoftware::ALL {
            found.extend(self.observe(commands.spec(Some(software), None))?);
        }
        Ok(found)
    }

    /// Returns every installed server with its usual configuration, or why it cannot be observed.
    pub(crate) fn observe_installed(&mut self) -> Vec<Result<Rc<ObservedServer>, Failure>> {
        ServerSoftware::ALL
            .into_iter()
            .filter_map(|software| {
                let spec = ServerSpec::with_profile(software, None);
                self.observe(spec).transpose()
            })
            .collect()
    }

    /// Returns the running servers whose configuration references the certificate (`links`) although
    /// they are not among `found`; none where the user gives commands.
    pub(crate) fn find_unnotified(
        &mut self,
        context: &Context,
        settings: &LineageSettings,
        found: &DiscoveredServers,
        links: &[StableLink],
    ) -> Vec<Rc<ObservedServer>> {
        if settings.test.is_some() || settings.reload.is_some() {
            return Vec::new();
        }
        let notified: Vec<ServerSoftware> = found.software().collect();
        let mut unnotified = Vec::new();
        for software in ServerSoftware::ALL {
            if notified.contains(&software) {
                continue;
            }
            let config = config_of_unnamed(settings, software);
            // A tree belongs to another machine, unless the configuration of a server here is given.
            if context.root.is_some() && config.is_none() {
                continue;
            }
            // These servers were not requested: one that cannot be observed is skipped.
            let spec = ServerSpec::with_profile(software, config.cloned());
            if let Ok(Some(observed)) = self.observe(spec)
                && observed.is_running()
                && observed.names_any(links)
            {
                unnotified.push(observed);
            }
        }
        unnotified
    }

    fn observe(&mut self, spec: ServerSpec) -> Result<Option<Rc<ObservedServer>>, Failure> {
        if let Some((_, known)) = self.known.iter().find(|(known, _)| *known == spec) {
            return Ok(known.clone());
        }
        let server = find_server(&spec)?;
        let observed = server.map(|server| Rc::new(ObservedServer::new(server, &self.allowed)));
        self.known.push((spec, observed.clone()));
        Ok(observed)
    }
}

/// Returns the configuration of a server that no `--server` names: `--server-config` applies to it
/// only with `--server none`.
fn config_of_unnamed(settings: &LineageSettings, software: ServerSoftware) -> Option<&PathBuf> {
    let own_config = settings.server_configs.get(software.name());
    let is_none_named = settings.server.iter().any(|name| name == "none");
    if own_config.is_none() && is_none_named {
        return settings.server_config.as_ref();
    }
    own_config
}

/// Finds the server that `spec` means; `None` if its program is not installed.
fn find_server(spec: &ServerSpec) -> Result<Option<ControlledServer>, Failure> {
    let test = spec.test.clone();
    let reload = spec.reload.clone();
    let Some(software) = spec.software else {
        return Ok(Some(if test.is_some() || reload.is_some() {
            ControlledServer::Command { test, reload }
        } else {
            ControlledServer::None
        }));
    };
    let program = ServerProgram::find(software, spec.config.as_deref())?;
    Ok(program.map(|program| ControlledServer::Known {
        program,
        test,
        reload,
    }))
}

/// Parses the servers of the options; `None` if the options name no server.
fn parse_servers(settings: &LineageSettings) -> Result<Option<Vec<ServerSoftware>>, Failure> {
    let names: Vec<&String> = if settings.server.is_empty() {
        settings.server_configs.keys().collect()
    } else {
        settings.server.iter().collect()
    };
    if names.is_empty() {
        return Ok(None);
    }
    let mut wanted = Vec::new();
    for name in names.into_iter().filter(|name| *name != "none") {
        let software = ServerSoftware::from_name(name).ok_or_else(|| unknown(name))?;
        if !wanted.contains(&software) {
            wanted.push(software);
        }
    }
    if !wanted.is_empty() && settings.server.iter().any(|name| name == "none") {
        let failure = Failure::new(
            FailureKind::Usage,
            "`--server none` cannot be combined with other servers",
        );
        return Err(failure.with_step(servers::name_servers_or_none()));
    }
    Ok(Some(wanted))
}

/// Splits a command into words, and checks that its program exists before anything is changed.
fn parse_command(text: &str) -> Result<Vec<String>, Failure> {
    let words = process::split_command(text)?;
    match words.first() {
        Some(program) if process::find_program(program).is_none() => Err(ProcessError::NotFound {
            program: program.clone(),
        }
        .into()),
        _ => Ok(words),
    }
}

fn ambiguous(found: &DiscoveredServers) -> Failure {
    let names: Vec<&str> = found.software().map(ServerSoftware::name).collect();
    let message = format!(
        "`--test`, `--reload` and `--server-config` apply to a single server, but {} use the \
            certificate",
        joined_with_and(&names)
    );
    let failure = Failure::new(FailureKind::Usage, message);
    names
        .into_iter()
        .map(servers::choose_server)
        .fold(failure, Failure::with_step)
}

fn unknown(name: &str) -> Failure {
    Failure::new(FailureKind::Usage, format!("unknown server {name}"))
}

fn not_installed(software: ServerSoftware) -> Failure {
    let message = format!("{} is not installed on this machine", software.title());
    let failure = Failure::new(FailureKind::NotFound, message);
    servers::install_server_or_none(software)
        .into_iter()
        .fold(failure, Failure::with_step)
}
