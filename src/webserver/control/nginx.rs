//! Finds, runs and observes the nginx of this machine.

use std::path::{Path, PathBuf};

use super::service;
use crate::finding::shell_word;
use crate::system::process;
use crate::webserver::control::observe::{
    ConfigFileCounter, ServerDetail, ServerError, ServerObservation, absolute_config,
    matching_files, output_of, read_existing_text, read_text, running, supports_ipv6,
};
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
    /// The main configuration file given by the user (absolute), if it is not the built-in one.
    pub config: Option<PathBuf>,
    /// How it was built.
    pub build: NginxBuild,
    /// The service manager's reload command, if a service runs it.
    pub service: Option<Vec<String>>,
}

impl NginxProgram {
    /// Finds the nginx of this machine; `config` is the main configuration file if the user gave
    /// one. `None` when nginx is not installed.
    ///
    /// # Errors
    /// When the program called nginx cannot be run or is not nginx.
    pub fn find(config: Option<&Path>) -> Result<Option<Self>, ServerError> {
        let Some(binary) = PROGRAMS.iter().find_map(|name| process::find_program(name)) else {
            return Ok(None);
        };
        let Some(build) = NginxBuild::parse(&output_of(&binary, "-V")?) else {
            return Err(ServerError::UnexpectedProgram {
                software: ServerSoftware::Nginx,
                binary,
            });
        };
        let config = absolute_config(config)?.filter(|config| *config != build.config);
        let service = service::reload_command(config.as_deref(), &["nginx"]);
        Ok(Some(Self {
            binary,
            config,
            build,
            service,
        }))
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
        let config = NginxConfig::new(&read_config(file)?, file, &self.build.prefix);
        let running = running(
            config.pid.as_deref().unwrap_or(&self.build.pid),
            &self.binary,
            &["nginx"],
        );
        let server_config = config.to_server_config();
        let build = self.build.clone();
        Ok(ServerObservation {
            config: server_config,
            detail: ServerDetail::Nginx { config, build },
            running,
            ipv6: supports_ipv6(),
        })
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

    /// The service manager's reload command, else its own.
    #[must_use]
    pub fn reload(&self) -> Vec<String> {
        self.service
            .clone()
            .unwrap_or_else(|| self.command(&["-s", "reload"]))
    }

    fn command(&self, arguments: &[&str]) -> Vec<String> {
        let mut argv = vec![self.binary.display().to_string()];
        argv.extend(arguments.iter().map(|&argument| argument.to_owned()));
        if let Some(config) = &self.config {
            argv.extend(["-c".to_owned(), config.display().to_string()]);
        }
        argv
    }
}

/// Reads the directives of a main file and of everything that it includes, as nginx would.
///
/// # Errors
/// When a file cannot be read or parsed.
pub fn read_config(file: &Path) -> Result<Vec<NginxDirective>, ServerError> {
    let main = read_text(file)?;
    let mut counter = ConfigFileCounter::new(ServerSoftware::Nginx);
    parse::parse(&main, &mut |pattern: &Path| {
        let mut texts = Vec::new();
        for path in matching_files(pattern)? {
            counter.count_file()?;
            texts.extend(read_existing_text(&path)?);
        }
        Ok(texts)
    })
}
