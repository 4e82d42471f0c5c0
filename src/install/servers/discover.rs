//! Finds the servers of a run and observes each once, however many certificates it uses.

mod probe_address;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;

use crate::advice::servers;
use crate::context::Context;
use crate::export::ExportTarget;
use crate::failure::{Failure, FailureKind};
use crate::install::servers::instances::ChosenInstances;
use crate::install::servers::observed_server::ObservedServer;
use crate::install::servers::selection::DiscoveredServers;
use crate::install::servers::server_spec::{GivenCommands, ServerSpec, find_server};
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;
use crate::store::settings::LineageSettings;
use crate::webserver::control::InstanceScope;
use crate::webserver::control::foreign::ForeignServer;
use crate::webserver::control::server_view::ServerView;
use crate::webserver::model::ServerSoftware;
use crate::wording::joined_with_and;

/// Under `--root`, which is a tree of another machine, no other running server matters.
fn scope_in(context: &Context) -> InstanceScope {
    match context.root {
        Some(_) => InstanceScope::Configured,
        None => InstanceScope::Running,
    }
}

/// The servers that were found so far in this run.
#[derive(Debug, Default)]
pub(crate) struct ServerDiscovery {
    known: Vec<(ServerSpec, Vec<Rc<ObservedServer>>)>,
    /// The servers that see other files; searched for once, and not under `--root`.
    foreign: Option<Vec<ForeignServer>>,
    /// The servers that see the same configuration and have their own mounts.
    separate: Vec<ServerView>,
    /// The addresses of each `--probe`.
    probes: HashMap<String, Vec<SocketAddr>>,
    /// The codes of `--allow`.
    allowed: Vec<&'static str>,
}

/// How to choose among several servers of one kind.
struct InstanceChoice<'a> {
    commands: &'a GivenCommands,
    scope: InstanceScope,
    links: &'a [StableLink],
    names: &'a [DnsName],
}

impl InstanceChoice<'_> {
    /// Adds those of `observed` that the certificate concerns. Commands of the user control one.
    fn add(&self, found: &mut ChosenInstances, observed: Vec<Rc<ObservedServer>>) {
        let mut more = ChosenInstances::choose(observed, self.links, self.names);
        if self.commands.are_any() {
            more.chosen.truncate(1);
        }
        found.chosen.append(&mut more.chosen);
        found.unreadable.append(&mut more.unreadable);
    }
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
    /// configuration concerns the certificate (`links`, `names`); if none does, the running ones;
    /// if none is running, all installed ones. Under `--root`, none is searched for.
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
        let scope = scope_in(context);
        self.find_foreign(scope);
        let choice = InstanceChoice {
            commands: &commands,
            scope,
            links,
            names,
        };
        let mut found = self.find_chosen(context, settings, &choice)?;
        if found.servers.len() > 1 && (commands.are_any() || config.is_some()) {
            return Err(ambiguous(&found));
        }
        if found.servers.is_empty() {
            found
                .servers
                .extend(self.observe(commands.spec(None, None, scope))?);
        }
        Ok(found)
    }

    /// Returns the servers of the options, else the installed ones.
    fn find_chosen(
        &mut self,
        context: &Context,
        settings: &LineageSettings,
        choice: &InstanceChoice<'_>,
    ) -> Result<DiscoveredServers, Failure> {
        let mut found = DiscoveredServers::default();
        let config = settings.server_config.as_deref();
        if let Some(wanted) = parse_servers(settings)? {
            let chosen = self.find_named(settings, &wanted, choice)?;
            found.servers = chosen.chosen;
            found.unreadable = chosen.unreadable;
            found.of_tree = wanted;
            let reads = |software| reads_config(settings, choice.scope, software);
            found.of_tree.retain(|&software| !reads(software));
        } else if config.is_some() {
            let nginx = Some(ServerSoftware::Nginx);
            let spec = choice.commands.spec(nginx, config, choice.scope);
            found.servers.extend(self.observe(spec)?);
        } else if context.root.is_none() {
            let chosen = self.find_installed(choice)?;
            found = DiscoveredServers::select(chosen.chosen, choice.links, choice.names);
            found.unreadable = chosen.unreadable;
        }
        Ok(found)
    }

    /// Returns the servers of the options, each with its own configuration.
    fn find_named(
        &mut self,
        settings: &LineageSettings,
        wanted: &[ServerSoftware],
        choice: &InstanceChoice<'_>,
    ) -> Result<ChosenInstances, Failure> {
        let mut found = ChosenInstances::default();
        for &software in wanted {
            if !reads_config(settings, choice.scope, software) {
                continue;
            }
            let own_config = settings.server_configs.get(software.name());
            let config = own_config.or(settings.server_config.as_ref());
            let config = config.map(PathBuf::as_path);
            let spec = choice.commands.spec(Some(software), config, choice.scope);
            let observed = self.observe(spec)?;
            if observed.is_empty() {
                return Err(not_installed(software));
            }
            choice.add(&mut found, observed);
        }
        Ok(found)
    }

    fn find_installed(&mut self, choice: &InstanceChoice<'_>) -> Result<ChosenInstances, Failure> {
        let mut found = ChosenInstances::default();
        for software in ServerSoftware::ALL {
            let spec = choice.commands.spec(Some(software), None, choice.scope);
            choice.add(&mut found, self.observe(spec)?);
        }
        Ok(found)
    }

    /// Finds the servers that see other files, once.
    fn find_foreign(&mut self, scope: InstanceScope) {
        if scope == InstanceScope::Running && self.foreign.is_none() {
            let all = ServerSoftware::ALL.into_iter();
            self.separate = all.clone().flat_map(ServerView::find_separate).collect();
            self.foreign = Some(all.flat_map(ForeignServer::find_all).collect());
        }
    }

    /// Returns the servers with their own view of the file system.
    pub(super) fn server_views(&self) -> impl Iterator<Item = &ServerView> {
        let foreign = self.foreign_servers().iter().map(|server| &server.view);
        foreign.chain(&self.separate)
    }

    /// Returns the servers that see other files than certctl.
    pub(super) fn foreign_servers(&self) -> &[ForeignServer] {
        self.foreign.as_deref().unwrap_or_default()
    }

    /// Returns every server that is installed or runs here, or why it cannot be observed.
    pub(crate) fn observe_all(
        &mut self,
        context: &Context,
    ) -> Vec<Result<Rc<ObservedServer>, Failure>> {
        let mut found = Vec::new();
        for software in ServerSoftware::ALL {
            let spec = ServerSpec::with_profile(software, None, scope_in(context));
            match self.observe(spec) {
                Ok(observed) => found.extend(observed.into_iter().map(Ok)),
                Err(failure) => found.push(Err(failure)),
            }
        }
        found
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
        if !settings.test.is_empty() || !settings.reload.is_empty() {
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
            let spec = ServerSpec::with_profile(software, config.cloned(), scope_in(context));
            let observed = self.observe(spec).unwrap_or_default().into_iter();
            unnotified.extend(observed.filter(|one| one.is_running() && one.names_any(links)));
        }
        unnotified
    }

    fn observe(&mut self, spec: ServerSpec) -> Result<Vec<Rc<ObservedServer>>, Failure> {
        if let Some((_, known)) = self.known.iter().find(|(known, _)| *known == spec) {
            return Ok(known.clone());
        }
        let servers = find_server(&spec)?.into_iter();
        let observed: Vec<Rc<ObservedServer>> = servers
            .map(|server| Rc::new(ObservedServer::new(server, &self.allowed)))
            .collect();
        self.known.push((spec, observed.clone()));
        Ok(observed)
    }
}

/// Whether the configuration of a server may be read: under `--root`, the usual one is that of this
/// machine, and the tree belongs to another.
fn reads_config(
    settings: &LineageSettings,
    scope: InstanceScope,
    software: ServerSoftware,
) -> bool {
    scope == InstanceScope::Running
        || settings.server_config.is_some()
        || settings.server_configs.contains_key(software.name())
}

/// Returns the configuration of a server that no `--server` names: `--server-config` applies to it
/// only with `--server none`.
fn config_of_unnamed(settings: &LineageSettings, software: ServerSoftware) -> Option<&PathBuf> {
    let own_config = settings.server_configs.get(software.name());
    let is_none_named = settings.server.iter().any(|name| has_no_model(name));
    if own_config.is_none() && is_none_named {
        return settings.server_config.as_ref();
    }
    own_config
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
    for name in names.into_iter().filter(|name| !has_no_model(name)) {
        let software = ServerSoftware::from_name(name).ok_or_else(|| unknown(name))?;
        if !wanted.contains(&software) {
            wanted.push(software);
        }
    }
    let alone = settings.server.iter().find(|name| has_no_model(name));
    if let Some(name) = alone
        && !settings.server.iter().all(|name| is_service(name))
        && settings.server.len() > 1
    {
        let message = format!("`--server {name}` cannot be combined with other servers");
        let failure = Failure::new(FailureKind::Usage, message);
        return Err(failure.with_step(servers::name_servers_or_none()));
    }
    Ok(Some(wanted))
}

/// Whether certctl does not read the configuration of the server called `name`: it is controlled
/// with commands and probed where the options say.
fn has_no_model(name: &str) -> bool {
    name == "none" || is_service(name)
}

fn is_service(name: &str) -> bool {
    ExportTarget::find_service(name).is_some()
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

/// A saved server that this version does not know. The command line accepts only known ones.
fn unknown(name: &str) -> Failure {
    let message = format!("this version of certctl does not know the saved server {name}");
    Failure::new(FailureKind::NotFound, message).because("a later version may have saved it")
}

/// Checks that every saved server is known.
///
/// # Errors
/// When one is not.
pub(crate) fn check_known(names: &[String]) -> Result<(), Failure> {
    let is_known = |name: &&String| has_no_model(name) || ServerSoftware::from_name(name).is_some();
    match names.iter().find(|name| !is_known(name)) {
        Some(name) => Err(unknown(name)),
        None => Ok(()),
    }
}

fn not_installed(software: ServerSoftware) -> Failure {
    let message = format!("{} is not installed on this machine", software.title());
    let failure = Failure::new(FailureKind::NotFound, message);
    servers::install_server_or_none(software)
        .into_iter()
        .fold(failure, Failure::with_step)
}
