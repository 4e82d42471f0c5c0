//! The nginx of this machine: found, run, its files read.

use std::path::{Path, PathBuf};

use super::service;
use crate::finding::shell_word;
use crate::system::fs::files::FileError;
use crate::system::process;
use crate::webserver::control::observe::{
    FILES, ServerDetail, ServerError, ServerObservation, matching_files, read_text, run, running,
    speaks_ipv6,
};
use crate::webserver::model::ServerSoftware;
use crate::webserver::nginx::parse;
use crate::webserver::nginx::{NginxBuild, NginxConfig, NginxDirective};

/// Where nginx is: by its name, or where its own and OpenResty's makefiles put it.
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
    /// The main configuration file that was named (absolute), where it is not the built-in one.
    pub config: Option<PathBuf>,
    /// How it was built.
    pub build: NginxBuild,
    /// The service manager's command, where one runs it.
    pub service: Option<Vec<String>>,
}

impl NginxProgram {
    /// The nginx of this machine, with the main configuration file
    /// `config` where one was named; `None` when there is none.
    ///
    /// # Errors
    /// When what is called nginx cannot be run or is not nginx.
    pub fn find(config: Option<&Path>) -> Result<Option<Self>, ServerError> {
        let Some(binary) = PROGRAMS.iter().find_map(|name| process::which(name)) else {
            return Ok(None);
        };
        let said = run(vec![binary.display().to_string(), "-V".to_owned()])?;
        let Some(build) = NginxBuild::parse(&said.output) else {
            return Err(ServerError::Stranger {
                software: ServerSoftware::Nginx,
                binary,
            });
        };
        let absolute = |path: &Path| std::path::absolute(path).map_err(FileError::at("find", path));
        let config = config
            .map(absolute)
            .transpose()?
            .filter(|config| *config != build.config);
        let service = if config.is_none() {
            service::reload_command(&["nginx"])
        } else {
            None
        };
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

    /// Reads its configuration, as far as files are there, and whether it runs.
    ///
    /// # Errors
    /// When a file cannot be read or is no configuration.
    pub fn observe(&self) -> Result<ServerObservation, ServerError> {
        let file = self.config_file();
        let config = NginxConfig::new(&read_config(file)?, file, &self.build.prefix);
        let running = running(
            config.pid.as_deref().unwrap_or(&self.build.pid),
            &self.binary,
            &["nginx"],
        );
        let (neutral, build) = (config.neutral(), self.build.clone());
        Ok(ServerObservation {
            config: neutral,
            detail: ServerDetail::Nginx { config, build },
            running,
            ipv6: speaks_ipv6(),
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

    /// The service manager's reload, else its own.
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

/// The directives of a main file and of all that it includes, as nginx would read them.
///
/// # Errors
/// When a file cannot be read or is no configuration.
pub fn read_config(file: &Path) -> Result<Vec<NginxDirective>, ServerError> {
    let main = read_text(file)?;
    let mut count = 0;
    parse::parse(&main, &mut |pattern: &Path| {
        let mut texts = Vec::new();
        for path in matching_files(pattern)? {
            count += 1;
            if count > FILES {
                return Err(ServerError::TooManyFiles(ServerSoftware::Nginx));
            }
            match read_text(&path) {
                // A link to nothing: `nginx -t` says so.
                Err(error) if error.is_missing() => {}
                read => texts.push(read?),
            }
        }
        Ok(texts)
    })
}
