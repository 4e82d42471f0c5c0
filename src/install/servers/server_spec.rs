//! How a server is controlled: its configuration, and the commands that the user gives.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
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
    test: Option<Vec<String>>,
    reload: Option<Vec<String>>,
}

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
            test: None,
            reload: None,
        }
    }
}

/// Commands given by the user, which replace those of a profile.
pub(super) struct GivenCommands {
    test: Option<Vec<String>>,
    reload: Option<Vec<String>>,
}

impl GivenCommands {
    pub(super) fn parse(settings: &LineageSettings) -> Result<Self, Failure> {
        Ok(Self {
            test: settings.test.as_deref().map(parse_command).transpose()?,
            reload: settings.reload.as_deref().map(parse_command).transpose()?,
        })
    }

    pub(super) fn are_any(&self) -> bool {
        self.test.is_some() || self.reload.is_some()
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
            test: self.test.clone(),
            reload: self.reload.clone(),
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
    let test = spec.test.clone();
    let reload = spec.reload.clone();
    let Some(software) = spec.software else {
        return Ok(vec![if test.is_some() || reload.is_some() {
            ControlledServer::Command { test, reload }
        } else {
            ControlledServer::None
        }]);
    };
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
