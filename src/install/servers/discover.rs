//! The servers of a run: found, and each looked at once, however many pairs it reads.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::install::servers::disabled_sites::{self, DisabledSite};
use crate::pki::name::DnsName;
use crate::store::layout::StableLink;
use crate::store::settings::LineageSettings;
use crate::system::process::{self, FinishedCommand, ProcessError};
use crate::system::tls;
use crate::webserver::control::{ControlledServer, ServerObservation, ServerProgram};
use crate::webserver::model::{ConfigBlock, ServerSoftware};

/// A server as it was found.
#[derive(Debug)]
pub(crate) struct ObservedServer {
    pub server: ControlledServer,
    /// Its configuration, where it has a profile.
    pub standing: Option<ServerObservation>,
    /// Why its configuration cannot be read.
    pub refusal: Option<Finding>,
    tested: OnceCell<Option<FinishedCommand>>,
    unread: OnceCell<Vec<DisabledSite>>,
}

impl ObservedServer {
    fn new(server: ControlledServer) -> Self {
        let (standing, refusal) = match server.program().map(ServerProgram::observe) {
            Some(Ok(standing)) => (Some(standing), None),
            Some(Err(error)) => (None, Some(Finding::from(&error))),
            None => (None, None),
        };
        Self {
            server,
            standing,
            refusal,
            tested: OnceCell::new(),
            unread: OnceCell::new(),
        }
    }

    /// Which it is; none for commands that were given.
    #[must_use]
    pub(crate) fn software(&self) -> Option<ServerSoftware> {
        self.server.program().map(ServerProgram::software)
    }

    /// Whether it runs, as far as its profile can tell.
    #[must_use]
    pub(crate) fn runs(&self) -> bool {
        self.standing
            .as_ref()
            .is_none_or(|standing| standing.running.is_some())
    }

    /// Its own test before anything is touched, run once; none where there is nothing to test with.
    ///
    /// # Errors
    /// When it could not be run.
    pub(crate) fn test(&self) -> Result<Option<&FinishedCommand>, ProcessError> {
        if let Some(tested) = self.tested.get() {
            return Ok(tested.as_ref());
        }
        let tested = self.server.test()?;
        Ok(self.tested.get_or_init(|| tested).as_ref())
    }

    /// The sites that are there and that it does not read, looked for once.
    #[must_use]
    pub(crate) fn unread(&self) -> &[DisabledSite] {
        let all = || {
            self.standing
                .as_ref()
                .map(|standing| disabled_sites::sites(&standing.config))
                .unwrap_or_default()
        };
        self.unread.get_or_init(all)
    }

    /// Whether its configuration names one of these files as a pair, or serves one of these names;
    /// one that cannot be read may.
    fn concerns(&self, links: &[StableLink], names: &[DnsName]) -> bool {
        self.standing.as_ref().is_none_or(|standing| {
            let config = &standing.config;
            config.naming(links).next().is_some()
                || config.serving(names).any(ConfigBlock::speaks_tls)
        })
    }
}

/// The servers of a pair.
#[derive(Debug, Default)]
pub(crate) struct DiscoveredServers {
    pub servers: Vec<Rc<ObservedServer>>,
    /// Installed and left out: they name nothing of the pair and do not run, while another does.
    pub idle: Vec<ServerSoftware>,
}

impl DiscoveredServers {
    /// Of servers that nobody named those that have to do with the pair; where there is none, those
    /// that run, for a block that is planted into another starts nothing; else all.
    fn chosen(
        mut servers: Vec<Rc<ObservedServer>>,
        links: &[StableLink],
        names: &[DnsName],
    ) -> Self {
        let mut idle = Vec::new();
        if servers.iter().any(|looked| looked.concerns(links, names)) {
            servers.retain(|looked| looked.concerns(links, names));
        } else if servers.iter().any(|looked| looked.runs()) {
            idle = servers
                .iter()
                .filter(|looked| !looked.runs())
                .filter_map(|looked| looked.software())
                .collect();
            servers.retain(|looked| looked.runs());
        }
        Self { servers, idle }
    }

    /// What is said of those that were left out.
    #[must_use]
    pub(crate) fn left_out(&self) -> Vec<Finding> {
        let names: Vec<&str> = self
            .servers
            .iter()
            .filter_map(|looked| looked.software())
            .map(ServerSoftware::name)
            .collect();
        let told = |software: &ServerSoftware| {
            let all: Vec<String> = names
                .iter()
                .chain([&software.name()])
                .map(|name| format!("--server {name}"))
                .collect();
            let message = format!(
                "{} is installed too and does not run: left out; to have it serve this as well, \
                    add {}",
                software.title(),
                all.join(" ")
            );
            Finding::note("server-skipped", message)
        };
        self.idle.iter().map(told).collect()
    }
}

/// What a server is asked for by.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Call {
    software: Option<ServerSoftware>,
    config: Option<PathBuf>,
    test: Option<Vec<String>>,
    reload: Option<Vec<String>>,
}

/// The servers of a run as far as they were asked for.
#[derive(Debug, Default)]
pub(crate) struct ServerDiscovery {
    known: Vec<(Call, Option<Rc<ObservedServer>>)>,
    /// What addresses each `--probe` has.
    probes: HashMap<String, Vec<SocketAddr>>,
}

/// A host name that is asked for may take that long to look up.
const RESOLVE: Duration = Duration::from_secs(10);

impl ServerDiscovery {
    /// Every address of one `--probe`, looked up once.
    ///
    /// # Errors
    /// What is no `HOST:PORT`, or has no address.
    pub(crate) fn addresses(&mut self, probe: &str) -> Result<&[SocketAddr], Failure> {
        match self.probes.entry(probe.to_owned()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => Ok(new.insert(addresses(probe)?)),
        }
    }

    /// The servers that were named, else those that are remembered; else every one here whose
    /// configuration has to do with the pair (`links`, `names`), or, where there is none, those
    /// that run, or else those that are installed. None under `--root`.
    ///
    /// # Errors
    /// A command line that cannot be run; a server that is named and not installed.
    pub(crate) fn find(
        &mut self,
        context: &Context,
        settings: &LineageSettings,
        links: &[StableLink],
        names: &[DnsName],
    ) -> Result<DiscoveredServers, Failure> {
        let command = |text: &Option<String>| text.as_deref().map(command).transpose();
        let (test, reload) = (command(&settings.test)?, command(&settings.reload)?);
        let given = test.is_some() || reload.is_some();
        let call = |software, config: Option<&Path>| Call {
            software,
            config: config.map(Path::to_owned),
            test: test.clone(),
            reload: reload.clone(),
        };
        let config = settings.server_config.as_deref();
        let (mut found, mut idle) = (Vec::new(), Vec::new());
        if let Some(wanted) = wanted(settings)? {
            for software in wanted {
                let config = settings
                    .server_configs
                    .get(software.name())
                    .map(PathBuf::as_path)
                    .or(config);
                found.push(
                    self.look(call(Some(software), config))?
                        .ok_or_else(|| absent(software))?,
                );
            }
        } else if config.is_some() {
            found.extend(self.look(call(Some(ServerSoftware::Nginx), config))?);
        } else if context.root.is_none() {
            for software in ServerSoftware::ALL {
                found.extend(self.look(call(Some(software), None))?);
            }
            DiscoveredServers {
                servers: found,
                idle,
            } = DiscoveredServers::chosen(found, links, names);
        }
        if found.len() > 1 && (given || config.is_some()) {
            return Err(ambiguous(&found));
        }
        if found.is_empty() {
            found.extend(self.look(call(None, None))?);
        }
        Ok(DiscoveredServers {
            servers: found,
            idle,
        })
    }

    /// Every server that is installed here, with its usual configuration; what cannot be looked at
    /// is its failure alone.
    pub(crate) fn here(&mut self) -> Vec<Result<Rc<ObservedServer>, Failure>> {
        let call = |software| Call {
            software: Some(software),
            config: None,
            test: None,
            reload: None,
        };
        ServerSoftware::ALL
            .into_iter()
            .filter_map(|software| self.look(call(software)).transpose())
            .collect()
    }

    /// Those that run here and whose configuration names the pair
    /// (`links`), though they are none of `found`, those that were named, and what else is to be
    /// told of it is no command.
    pub(crate) fn passed_over(
        &mut self,
        context: &Context,
        settings: &LineageSettings,
        found: &DiscoveredServers,
        links: &[StableLink],
    ) -> Vec<Rc<ObservedServer>> {
        if settings.test.is_some() || settings.reload.is_some() {
            return Vec::new();
        }
        let nobody = settings.server.iter().any(|name| name == "none");
        let told: Vec<ServerSoftware> = found
            .servers
            .iter()
            .filter_map(|looked| looked.software())
            .collect();
        let call = |software: ServerSoftware| {
            let config = settings.server_configs.get(software.name());
            let config = config
                .or_else(|| settings.server_config.as_ref().filter(|_| nobody))
                .cloned();
            // A tree is for servers elsewhere, unless one here was said to read it.
            (context.root.is_none() || config.is_some()).then_some(Call {
                software: Some(software),
                config,
                test: None,
                reload: None,
            })
        };
        let others = ServerSoftware::ALL
            .into_iter()
            .filter(|software| !told.contains(software));
        // What cannot be looked at was not asked for.
        let all = others
            .filter_map(call)
            .filter_map(|call| self.look(call).ok().flatten());
        let reads = |looked: &Rc<ObservedServer>| {
            let running = looked
                .standing
                .as_ref()
                .filter(|standing| standing.running.is_some());
            running.is_some_and(|standing| standing.config.naming(links).next().is_some())
        };
        all.filter(reads).collect()
    }

    fn look(&mut self, call: Call) -> Result<Option<Rc<ObservedServer>>, Failure> {
        if let Some((_, known)) = self.known.iter().find(|(known, _)| *known == call) {
            return Ok(known.clone());
        }
        let (test, reload) = (call.test.clone(), call.reload.clone());
        let server = match call.software {
            Some(software) => {
                ServerProgram::find(software, call.config.as_deref())?.map(|program| {
                    ControlledServer::Known {
                        program,
                        test,
                        reload,
                    }
                })
            }
            None if test.is_some() || reload.is_some() => {
                Some(ControlledServer::Command { test, reload })
            }
            None => Some(ControlledServer::None),
        };
        let looked = server.map(|server| Rc::new(ObservedServer::new(server)));
        self.known.push((call, looked.clone()));
        Ok(looked)
    }
}

fn addresses(probe: &str) -> Result<Vec<SocketAddr>, Failure> {
    let place = probe
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let (host, port) = place.ok_or_else(|| {
        Failure::new(
            FailureKind::Usage,
            format!("{probe:?} is no address to ask"),
        )
        .with(NextStep::say("give host and port:  --probe 127.0.0.1:443"))
    })?;
    tls::resolve(host, port, RESOLVE).map_err(|error| {
        Failure::of(FailureKind::Network, &error)
            .with(NextStep::say("give an address:  --probe 127.0.0.1:443"))
    })
}

/// Those that are named; none where nothing is said.
fn wanted(settings: &LineageSettings) -> Result<Option<Vec<ServerSoftware>>, Failure> {
    let names: Vec<&String> = match settings.server.is_empty() {
        true => settings.server_configs.keys().collect(),
        false => settings.server.iter().collect(),
    };
    if names.is_empty() {
        return Ok(None);
    }
    let named = names.into_iter().filter(|name| *name != "none");
    let mut wanted = Vec::new();
    for name in named {
        let software = ServerSoftware::named(name).ok_or_else(|| unknown(name))?;
        if !wanted.contains(&software) {
            wanted.push(software);
        }
    }
    if !wanted.is_empty() && settings.server.iter().any(|name| name == "none") {
        return Err(
            Failure::new(FailureKind::Usage, "--server none stands alone").with(NextStep::say(
                "name the servers that read the files, or none",
            )),
        );
    }
    Ok(Some(wanted))
}

/// A command in words, whose program is there: that is known before anything is touched.
fn command(text: &str) -> Result<Vec<String>, Failure> {
    let words = process::words(text)?;
    match words.first() {
        Some(program) if process::which(program).is_none() => Err(ProcessError::NotFound {
            program: program.clone(),
        }
        .into()),
        _ => Ok(words),
    }
}

fn ambiguous(found: &[Rc<ObservedServer>]) -> Failure {
    let names: Vec<&str> = found
        .iter()
        .filter_map(|looked| looked.software())
        .map(ServerSoftware::name)
        .collect();
    let message = format!(
        "--test, --reload and --server-config are for one server, and {} read it",
        names.join(" and ")
    );
    let failure = Failure::new(FailureKind::Usage, message);
    names.iter().fold(failure, |failure, name| {
        failure.with(NextStep::say(format!("say which:  --server {name}")))
    })
}

fn unknown(name: &str) -> Failure {
    Failure::new(
        FailureKind::Usage,
        format!("certctl does not know the server {name}"),
    )
}

fn absent(software: ServerSoftware) -> Failure {
    Failure::new(
        FailureKind::NotFound,
        format!("{} is not installed here", software.title()),
    )
    .with(NextStep::say(format!(
        "sudo apt-get install {}",
        software.package()
    )))
    .with(NextStep::say(
        "or put the files into place alone:  --server none",
    ))
}
