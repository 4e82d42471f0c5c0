//! How a server is controlled: its configuration, and the commands that the user gives.

use std::path::{Path, PathBuf};

use crate::advice::servers;
use crate::failure::{Failure, FailureKind};
use crate::store::settings::LineageSettings;
use crate::system::command_words;
use crate::system::process::{self, ProcessError};
use crate::system::program_trust;
use crate::webserver::control::{ControlledServer, InstanceScope, ServerProgram};
use crate::webserver::model::ServerSoftware;

/// A server, and how it is controlled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ServerSpec {
    software: Option<ServerSoftware>,
    config: Option<PathBuf>,
    scope: InstanceScope,
    tests: CommandList,
    reloads: CommandList,
}

/// Commands as words, in the order in which they are run.
type CommandList = Vec<Vec<String>>;

impl ServerSpec {
    /// Returns a server that is tested and reloaded with the commands of its profile.
    pub(super) fn with_profile(
        software: ServerSoftware,
        config: Option<PathBuf>,
        scope: InstanceScope,
    ) -> Self {
        Self {
            software: Some(software),
            scope: scope_of(config.as_deref(), scope),
            config,
            tests: Vec::new(),
            reloads: Vec::new(),
        }
    }
}

/// Commands given by the user, which replace those of a profile.
pub(super) struct GivenCommands {
    tests: CommandList,
    reloads: CommandList,
}

impl GivenCommands {
    pub(super) fn parse(settings: &LineageSettings) -> Result<Self, Failure> {
        Ok(Self {
            tests: parse_commands(&settings.test)?,
            reloads: parse_commands(&settings.reload)?,
        })
    }

    pub(super) fn are_any(&self) -> bool {
        !self.tests.is_empty() || !self.reloads.is_empty()
    }

    pub(super) fn spec(
        &self,
        software: Option<ServerSoftware>,
        config: Option<&Path>,
        scope: InstanceScope,
    ) -> ServerSpec {
        ServerSpec {
            software,
            config: config.map(Path::to_owned),
            scope: scope_of(config, scope),
            tests: self.tests.clone(),
            reloads: self.reloads.clone(),
        }
    }
}

/// A configuration that the user gave is the only one that matters.
fn scope_of(config: Option<&Path>, scope: InstanceScope) -> InstanceScope {
    match config {
        Some(_) => InstanceScope::Configured,
        None => scope,
    }
}

/// Finds the servers that `spec` means; none if the program is not installed.
pub(super) fn find_server(spec: &ServerSpec) -> Result<Vec<ControlledServer>, Failure> {
    let tests = spec.tests.clone();
    let reloads = spec.reloads.clone();
    let Some(software) = spec.software else {
        return Ok(vec![if tests.is_empty() && reloads.is_empty() {
            ControlledServer::None
        } else {
            ControlledServer::Command { tests, reloads }
        }]);
    };
    let test = only_command("--test", tests)?;
    let reload = only_command("--reload", reloads)?;
    let programs = ServerProgram::find_all(software, spec.config.as_deref(), spec.scope)?;
    let servers = programs.into_iter();
    Ok(servers
        .map(|program| ControlledServer::Known {
            program: Box::new(program),
            test: test.clone(),
            reload: reload.clone(),
        })
        .collect())
}

/// The command of an option that certctl runs in place of its own for a known server.
fn only_command(option: &str, commands: CommandList) -> Result<Option<Vec<String>>, Failure> {
    if commands.len() > 1 {
        let message =
            format!("`{option}` may be repeated only where certctl reads no configuration");
        let failure = Failure::new(FailureKind::Usage, message);
        return Err(failure.with_step(servers::repeat_without_server()));
    }
    Ok(commands.into_iter().next())
}

fn parse_commands(commands: &[String]) -> Result<CommandList, Failure> {
    let mut parsed = Vec::new();
    for command in commands {
        parsed.push(parse_command(command)?);
    }
    Ok(parsed)
}

/// Splits a command into words. Checks before anything is changed that its program exists, and that
/// root may run it.
pub(crate) fn parse_command(text: &str) -> Result<Vec<String>, Failure> {
    let words = command_words::split_command(text)?;
    if let Some(program) = words.first()
        && process::find_program(program).is_none()
    {
        let program = program.clone();
        return Err(ProcessError::NotFound { program }.into());
    }
    program_trust::check_command(&words)?;
    Ok(words)
}
