//! The web servers of this machine, and the one that answers for a name.

use std::net::SocketAddr;

use super::certificates::{DiskReader, chain_file};
use crate::diagnosis::{AnsweringBlock, BlockRule, KnownServer, ServerFacts, ServerTest};
use crate::pki::key::KeyAlgorithm;
use crate::pki::name::DnsName;
use crate::probe::ProbeTarget;
use crate::probe::http::HttpScheme;
use crate::system::privileges;
use crate::webserver::control::{
    ControlledServer, InstanceScope, ServerObservation, ServerProgram,
};
use crate::webserver::model::{
    InstalledPaths, ServerConfig, ServerSoftware, WebPlace, find_web_places,
};
use crate::wording::with_causes;

/// The servers that certctl knows, in the order in which they are searched.
const SOFTWARE: [ServerSoftware; 3] = [
    ServerSoftware::Nginx,
    ServerSoftware::Apache,
    ServerSoftware::Haproxy,
];

/// How many lines of a failed test are quoted.
const QUOTED_LINES: usize = 5;

/// A server with its configuration.
pub(super) struct LocalServer {
    pub program: ServerProgram,
    pub observation: ServerObservation,
}

/// The web servers of this machine.
pub(super) struct LocalServers {
    servers: Vec<LocalServer>,
    /// Why a server could not be observed.
    failure: Option<UnreadServer>,
}

/// A server whose configuration could not be read.
struct UnreadServer {
    program: Option<ServerProgram>,
    reason: String,
}

impl LocalServers {
    /// Finds them and reads their configurations.
    pub(super) fn observe() -> Self {
        let mut found = Self {
            servers: Vec::new(),
            failure: None,
        };
        for software in SOFTWARE {
            match ServerProgram::find_all(software, None, InstanceScope::Running) {
                Ok(programs) => {
                    for program in programs {
                        found.add(program);
                    }
                }
                Err(error) => {
                    found.failure = Some(UnreadServer {
                        program: None,
                        reason: with_causes(&error),
                    });
                }
            }
        }
        found
    }

    fn add(&mut self, program: ServerProgram) {
        match program.observe() {
            Ok(observation) => self.servers.push(LocalServer {
                program,
                observation,
            }),
            Err(error) => {
                self.failure = Some(UnreadServer {
                    reason: with_causes(&error),
                    program: Some(program),
                });
            }
        }
    }

    pub(super) fn observed(&self) -> &[LocalServer] {
        &self.servers
    }

    /// The configurations of all servers.
    pub(super) fn configs(&self) -> Vec<&ServerConfig> {
        let mut configs = Vec::new();
        for server in &self.servers {
            configs.push(&server.observation.config);
        }
        configs
    }

    /// The server with a block for the name, else a running one, else the first one.
    pub(super) fn find(&self, name: &DnsName) -> Option<&LocalServer> {
        let wanted = std::slice::from_ref(name);
        let has_name = |server: &&LocalServer| {
            let mut blocks = server.observation.config.blocks_serving(wanted);
            blocks.next().is_some()
        };
        let is_running = |server: &&LocalServer| server.observation.running.is_some();
        let mut named = self.servers.iter().filter(has_name);
        let running = named.clone().find(is_running);
        running
            .or_else(|| named.next())
            .or_else(|| self.servers.iter().find(is_running))
            .or_else(|| self.servers.first())
    }

    /// The facts about the server that answers for the name.
    pub(super) fn facts(&self, name: &DnsName) -> ServerFacts {
        if let Some(failure) = &self.failure
            && self.find(name).is_none_or(|server| !server.has_block(name))
        {
            return failure.facts();
        }
        match self.find(name) {
            Some(server) => ServerFacts::Known(Box::new(server.facts(name))),
            None => ServerFacts::NotInstalled,
        }
    }
}

impl UnreadServer {
    /// A configuration that cannot be read is broken if the server says so, too.
    fn facts(&self) -> ServerFacts {
        let Some(program) = &self.program else {
            return ServerFacts::Unreadable(self.reason.clone());
        };
        let test = run_test(program);
        if !matches!(test, ServerTest::Failed { .. }) {
            return ServerFacts::Unreadable(self.reason.clone());
        }
        let is_running = program.group().running().is_some();
        ServerFacts::Known(Box::new(KnownServer {
            software: program.software(),
            is_running,
            start_command: program.start_command(),
            reload_command: None,
            test,
            has_unloaded_changes: false,
            plain_block: None,
        }))
    }
}

/// Runs the server's own test, which needs root to read keys and to open logs.
fn run_test(program: &ServerProgram) -> ServerTest {
    if !privileges::overrides_permissions() {
        return ServerTest::Unchecked("it needs root".to_owned());
    }
    let server = controlled(program);
    match server.test() {
        Ok(Some(finished)) if !finished.succeeded() => {
            let mut lines: Vec<String> = Vec::new();
            for line in finished.output.lines().filter(|line| !line.is_empty()) {
                lines.push(line.to_owned());
            }
            lines.truncate(QUOTED_LINES);
            let command = server.test_line().unwrap_or_default();
            ServerTest::Failed {
                lines,
                command: format!("sudo {command}"),
            }
        }
        Ok(Some(_)) => ServerTest::Passed,
        Ok(None) => ServerTest::Unchecked("it has none".to_owned()),
        Err(error) => ServerTest::Unchecked(with_causes(&error)),
    }
}

fn controlled(program: &ServerProgram) -> ControlledServer {
    ControlledServer::Known {
        program: Box::new(program.clone()),
        test: None,
        reload: None,
    }
}

impl LocalServer {
    /// Whether its configuration has a block with the name.
    pub(super) fn has_block(&self, name: &DnsName) -> bool {
        let wanted = std::slice::from_ref(name);
        let mut blocks = self.observation.config.blocks_serving(wanted);
        blocks.next().is_some()
    }

    fn facts(&self, name: &DnsName) -> KnownServer {
        let wanted = std::slice::from_ref(name);
        let config = &self.observation.config;
        let mut plain = config.blocks().iter();
        let plain = plain.find(|block| block.serves_in_plain_text(wanted));
        let reload = controlled(&self.program).reload_line();
        KnownServer {
            software: self.program.software(),
            is_running: self.observation.running.is_some(),
            start_command: self.program.start_command(),
            reload_command: reload.map(|line| with_sudo(&line)),
            test: run_test(&self.program),
            has_unloaded_changes: self.observation.unloaded_changes().is_some(),
            plain_block: plain.map(ToString::to_string),
        }
    }

    /// Where the server answers for the name, by its configuration: at port 80 in plain text, and at
    /// `addresses` over TLS.
    pub(super) fn places(&self, name: &DnsName, addresses: &[SocketAddr]) -> Vec<WebPlace> {
        let wanted = InstalledPaths {
            links: &[],
            names: std::slice::from_ref(name),
            algorithm: KeyAlgorithm::EcdsaP256,
        };
        let mut targets = Vec::new();
        for &address in addresses {
            targets.push(ProbeTarget::new(address, name.as_str()));
        }
        find_web_places(&self.observation.config, &wanted, &targets)
    }

    /// The block that answers over TLS at an address; `None` if the configuration has no TLS there.
    pub(super) fn answering(
        &self,
        name: &DnsName,
        address: SocketAddr,
        reader: &DiskReader<'_>,
    ) -> Option<AnsweringBlock> {
        let places = self.places(name, &[address]);
        let mut places = places.into_iter();
        let place = places.find(|web| web.place.scheme == HttpScheme::Https)?;
        let Some(block) = place.block else {
            return Some(AnsweringBlock {
                place: self.observation.config.file.display().to_string(),
                rule: BlockRule::Default,
                on_disk: None,
            });
        };
        let rule = if block.answers_to(name.as_str()) {
            BlockRule::Named
        } else {
            BlockRule::Default
        };
        Some(AnsweringBlock {
            place: block.to_string(),
            rule,
            on_disk: chain_file(&block).and_then(|file| reader.read(&file)),
        })
    }

    /// The process ids of the server.
    pub(super) fn pids(&self) -> Vec<i32> {
        self.program.current_pids()
    }
}

fn with_sudo(line: &str) -> String {
    if line.starts_with("sudo ") {
        line.to_owned()
    } else {
        format!("sudo {line}")
    }
}
