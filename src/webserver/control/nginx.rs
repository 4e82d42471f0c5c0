//! Finds, runs and observes the nginx of this machine: the installed one, and those that run.

use std::path::{Path, PathBuf};

use super::found_programs::{FoundPrograms, RunnableProgram};
use super::master_group::MasterGroup;
use super::service;
use crate::finding::shell_word;
use crate::system::fs::files;
use crate::system::process;
use crate::webserver::control::observe::{
    ConfigFileCounter, FileView, InstanceScope, ServerDetail, ServerError, ServerObservation,
    absolute_config, hidden_process, output_of, supports_ipv6,
};
use crate::webserver::masters::{ServerMaster, StartArguments};
use crate::webserver::model::ServerSoftware;
use crate::webserver::nginx::parse;
use crate::webserver::nginx::{NginxBuild, NginxConfig, NginxDirective};

/// Where to find nginx: by its name, or where its own and OpenResty's makefiles install it.
const PROGRAMS: [&str; 3] = [
    "nginx",
    "/usr/local/nginx/sbin/nginx",
    "/usr/local/openresty/nginx/sbin/nginx",
];

/// An nginx on this machine.
#[derive(Clone, Debug)]
pub struct NginxProgram {
    /// The path of the server's program.
    pub binary: PathBuf,
    /// The main configuration file (absolute), if it is not the built-in one.
    pub config: Option<PathBuf>,
    /// How it was built.
    pub build: NginxBuild,
    /// The masters that run with this configuration.
    pub(crate) group: MasterGroup,
}

impl RunnableProgram for NginxProgram {
    const SOFTWARE: ServerSoftware = ServerSoftware::Nginx;

    fn of_masters(installed: Option<&Self>, masters: &[ServerMaster]) -> Option<Self> {
        let first = masters.first()?;
        let mut program = match (installed, &first.process.executable) {
            (Some(installed), Some(path)) if files::are_same_file(&installed.binary, path) => {
                installed.clone()
            }
            (_, Some(path)) => Self::of_binary(path.clone()).ok()?,
            (Some(installed), None) => installed.clone(),
            (None, None) => return None,
        };
        let config = program.build.config_of(&first.arguments);
        program.config = Some(config).filter(|config| *config != program.build.config);
        Some(program)
    }

    fn reads(&self, config: &Path) -> bool {
        config == self.config_file() || files::are_same_file(config, self.config_file())
    }

    fn attach(&mut self, group: MasterGroup, installed: Option<&Self>) {
        self.group = group;
        if let Some(installed) = installed {
            self.config.clone_from(&installed.config);
        }
    }
}

impl NginxProgram {
    /// Finds the nginx of this machine; `config` is the main configuration file if the user gave
    /// one. `None` when nginx is not installed.
    ///
    /// # Errors
    /// When the program called nginx cannot be run or is not nginx.
    pub fn find(config: Option<&Path>) -> Result<Option<Self>, ServerError> {
        let found = Self::find_all(config, InstanceScope::Configured)?;
        Ok(found.into_iter().next())
    }

    /// Finds every nginx in `scope`; the installed one, with the configuration that the user gave or
    /// the built-in one, comes first.
    ///
    /// # Errors
    /// When the program called nginx cannot be run or is not nginx.
    pub(crate) fn find_all(
        config: Option<&Path>,
        scope: InstanceScope,
    ) -> Result<Vec<Self>, ServerError> {
        let installed = Self::find_installed(config)?;
        let usual = installed
            .as_ref()
            .map(|program| program.config_file().to_owned());
        let found = FoundPrograms::find(installed.as_ref(), usual.as_deref(), scope);
        Ok(found.or_installed(installed))
    }

    fn find_installed(config: Option<&Path>) -> Result<Option<Self>, ServerError> {
        let Some(binary) = PROGRAMS.iter().find_map(|name| process::find_program(name)) else {
            return Ok(None);
        };
        let mut program = Self::of_binary(binary)?;
        program.config = absolute_config(config)?.filter(|config| *config != program.build.config);
        Ok(Some(program))
    }

    fn of_binary(binary: PathBuf) -> Result<Self, ServerError> {
        let Some(build) = NginxBuild::parse(&output_of(&binary, "-V")?) else {
            return Err(ServerError::UnexpectedProgram {
                software: ServerSoftware::Nginx,
                binary,
            });
        };
        Ok(Self {
            binary,
            config: None,
            build,
            group: MasterGroup::default(),
        })
    }

    /// The main configuration file.
    #[must_use]
    pub fn config_file(&self) -> &Path {
        self.config.as_deref().unwrap_or(&self.build.config)
    }

    /// Reads its configuration and whether it runs.
    ///
    /// # Errors
    /// When a file cannot be read or parsed.
    pub fn observe(&self) -> Result<ServerObservation, ServerError> {
        let file = self.config_file();
        let prefix = self.prefix().unwrap_or(&self.build.prefix);
        let config = NginxConfig::new(&read_config(file)?, file, prefix);
        let pid_file = config.pid.as_deref().unwrap_or(&self.build.pid);
        let running = self.group.running().or_else(|| hidden_process(pid_file));
        let server_config = config.to_server_config();
        let build = self.build.clone();
        Ok(ServerObservation {
            config: server_config,
            detail: ServerDetail::Nginx { config, build },
            running,
            ipv6: supports_ipv6(),
        })
    }

    /// The value of `-p` of the running nginx.
    fn prefix(&self) -> Option<&PathBuf> {
        self.group.arguments()?.prefix.as_ref()
    }

    /// The command line that starts it.
    #[must_use]
    pub fn start_command(&self) -> String {
        match &self.config {
            None => service::start_command("nginx").unwrap_or_else(|| "sudo nginx".to_owned()),
            Some(config) => format!(
                "sudo nginx -c {}",
                shell_word(&config.display().to_string())
            ),
        }
    }

    /// The command that tests the configuration.
    #[must_use]
    pub fn test(&self) -> Vec<String> {
        self.command(&["-t"])
    }

    /// Its own reload command, for a process that /proc does not show.
    pub(crate) fn own_reload(&self) -> Vec<String> {
        self.command(&["-s", "reload"])
    }

    fn command(&self, arguments: &[&str]) -> Vec<String> {
        let mut argv = vec![self.binary.display().to_string()];
        argv.extend(arguments.iter().map(|&argument| argument.to_owned()));
        if let Some(prefix) = self.prefix() {
            argv.extend(["-p".to_owned(), prefix.display().to_string()]);
        }
        let running = self.group.arguments();
        argv.extend(running.iter().flat_map(|running| running.for_test.clone()));
        if let Some(config) = &self.config {
            argv.extend(["-c".to_owned(), config.display().to_string()]);
        }
        argv
    }
}

impl NginxBuild {
    /// The configuration file that these options lead to.
    fn config_of(&self, arguments: &StartArguments) -> PathBuf {
        if let Some(config) = arguments.config.first() {
            return self.prefix.join(config);
        }
        // A built-in relative path is below the prefix.
        let relative = self.config.strip_prefix(&self.prefix).ok();
        let moved = arguments.prefix.as_ref().zip(relative);
        moved
            .map(|(prefix, relative)| prefix.join(relative))
            .filter(|config| files::exists(config))
            .unwrap_or_else(|| self.config.clone())
    }
}

/// Reads the directives of a main file and of everything that it includes, as nginx would.
///
/// # Errors
/// When a file cannot be read or parsed.
pub fn read_config(file: &Path) -> Result<Vec<NginxDirective>, ServerError> {
    read_config_in(&FileView::own(), file)
}

/// Does the same with the files that another process sees.
///
/// # Errors
/// When a file cannot be read or parsed.
pub(crate) fn read_config_in(
    view: &FileView,
    file: &Path,
) -> Result<Vec<NginxDirective>, ServerError> {
    let main = view.read_text(file)?;
    let mut counter = ConfigFileCounter::new(ServerSoftware::Nginx);
    parse::parse(&main, &mut |pattern: &Path| {
        let mut texts = Vec::new();
        for path in view.matching_files(pattern)? {
            counter.count_file()?;
            texts.extend(view.read_existing_text(&path)?);
        }
        Ok(texts)
    })
}
