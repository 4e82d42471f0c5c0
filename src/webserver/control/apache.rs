//! The Apache of this machine: found, run, its files read, its pairs checked before every reload.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::service;
use crate::finding::shell_word;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders;
use crate::system::process::{self, FinishedCommand};
use crate::webserver::apache::{self, ApacheBuild, ApacheConfig, ApacheEnvironment, build, gate};
use crate::webserver::control::observe::{
    FILES, ServerDetail, ServerError, ServerObservation, matching_files, read_text, run, running,
    speaks_ipv6,
};
use crate::webserver::model::{ConfigFile, ServerSoftware};

/// Its program and the script around it that sets its environment, as Debian, Red Hat and its own
/// makefile call them.
const PROGRAMS: [(&str, &str); 3] = [
    ("apache2", "apache2ctl"),
    ("httpd", "apachectl"),
    (
        "/usr/local/apache2/bin/httpd",
        "/usr/local/apache2/bin/apachectl",
    ),
];
/// Its units and service scripts.
const SERVICES: [&str; 2] = ["apache2", "httpd"];
/// No certificate or key is larger.
const PAIR: u64 = 1024 * 1024;

/// An Apache on this machine.
#[derive(Clone, Debug)]
pub struct ApacheProgram {
    /// The path of the control program or the server.
    pub binary: PathBuf,
    /// The script that runs it in its environment, where it is there.
    pub control: Option<PathBuf>,
    /// The main configuration file that was named (absolute), where it is not the built-in one.
    pub config: Option<PathBuf>,
    /// How it was built.
    pub build: ApacheBuild,
    /// The modules that are built in.
    pub modules: Vec<String>,
    /// The service manager's command, where one runs it.
    pub service: Option<Vec<String>>,
}

impl ApacheProgram {
    /// The Apache of this machine, with the main configuration file
    /// `config` where one was named; `None` when there is none.
    ///
    /// # Errors
    /// When what is called so cannot be run or is not Apache.
    pub fn find(config: Option<&Path>) -> Result<Option<Self>, ServerError> {
        let found = |(program, control)| Some((process::which(program)?, process::which(control)));
        let Some((binary, control)) = PROGRAMS.into_iter().find_map(found) else {
            return Ok(None);
        };
        let ask = |flag: &str| run(vec![binary.display().to_string(), flag.to_owned()]);
        let Some(build) = ApacheBuild::parse(&ask("-V")?.output) else {
            return Err(ServerError::Stranger {
                software: ServerSoftware::Apache,
                binary,
            });
        };
        let modules = build::built_in(&ask("-l")?.output);
        let absolute = |path: &Path| std::path::absolute(path).map_err(FileError::at("find", path));
        let config = config
            .map(absolute)
            .transpose()?
            .filter(|config| *config != build.config);
        // Debian's apache2-bin alone is no server: there is nothing that it could serve.
        if config.is_none() && !files::occupied(&build.config) {
            return Ok(None);
        }
        let service = if config.is_none() {
            service::reload_command(&SERVICES)
        } else {
            None
        };
        Ok(Some(Self {
            binary,
            control,
            config,
            build,
            modules,
            service,
        }))
    }

    /// The main configuration file.
    #[must_use]
    pub fn config_file(&self) -> &Path {
        self.config.as_deref().unwrap_or(&self.build.config)
    }

    /// Reads its configuration, as far as files are there, and whether it runs. Where Apache itself
    /// lists other virtual hosts than those that were read, that is a doubt.
    ///
    /// # Errors
    /// When a file cannot be read or is no configuration.
    pub fn observe(&self) -> Result<ServerObservation, ServerError> {
        let (mut config, running) = self.state()?;
        let listed = run(self.own(&["-t", "-D", "DUMP_VHOSTS"]))?;
        if listed.succeeded() {
            config
                .doubts
                .extend(apache::unlisted(&listed.output, &config));
        }
        Ok(ServerObservation {
            config: config.neutral(),
            detail: ServerDetail::Apache(config),
            running,
            ipv6: speaks_ipv6(),
        })
    }

    /// Its configuration, as the one that runs was told by `-D` to read it, and its process id.
    fn state(&self) -> Result<(ApacheConfig, Option<i32>), ServerError> {
        let config = self.read(Vec::new())?;
        let running = running(
            config.pid.as_deref().unwrap_or(&self.build.pid),
            &self.binary,
            &["apache2", "httpd"],
        );
        let defines = running.map(defines).unwrap_or_default();
        let config = if defines.is_empty() {
            config
        } else {
            self.read(defines)?
        };
        Ok((config, running))
    }

    fn read(&self, defines: Vec<String>) -> Result<ApacheConfig, ServerError> {
        let file = self.config_file();
        let envvars =
            read_text(&folder(file).join("envvars")).map(|file| build::envvars(&file.text));
        let surroundings = ApacheEnvironment {
            server_root: self.root(),
            variables: envvars.unwrap_or_default(),
            defines,
            modules: self.modules.clone(),
            version: self.build.version,
        };
        let mut count = 0;
        let read = apache::read(&read_text(file)?, surroundings, &mut |pattern: &Path| {
            texts(pattern, &mut count)
        })?;
        Ok(ApacheConfig::new(
            read,
            file,
            (self.build.mapped, speaks_ipv6()),
        ))
    }

    /// What relative paths start from when the configuration does not say.
    fn root(&self) -> PathBuf {
        self.config.as_deref().map_or_else(
            || self.build.root.clone(),
            |config| folder(config).to_owned(),
        )
    }

    /// The command that tests the configuration.
    #[must_use]
    pub fn test(&self) -> Vec<String> {
        match (&self.config, &self.control) {
            (None, Some(control)) => vec![control.display().to_string(), "configtest".to_owned()],
            _ => self.own(&["-t"]),
        }
    }

    /// The service manager's reload, else its own.
    #[must_use]
    pub fn reload(&self) -> Vec<String> {
        match (&self.service, &self.config, &self.control) {
            (Some(service), ..) => service.clone(),
            (None, None, Some(control)) => {
                vec![control.display().to_string(), "graceful".to_owned()]
            }
            _ => self.own(&["-k", "graceful"]),
        }
    }

    /// The command line that starts it.
    #[must_use]
    pub fn start_command(&self) -> String {
        let name = if self.binary.ends_with("apache2") {
            "apache2"
        } else {
            "httpd"
        };
        match &self.config {
            None => {
                service::start_command(name).unwrap_or_else(|| "sudo apachectl start".to_owned())
            }
            Some(_) => {
                let words: Vec<String> = self
                    .own(&["-k", "start"])
                    .iter()
                    .map(|word| shell_word(word))
                    .collect();
                format!("sudo {}", words.join(" "))
            }
        }
    }

    /// What would end it at a reload, as a test that failed; read anew from the very paths that it
    /// will read.
    #[must_use]
    pub fn barred(&self) -> Option<FinishedCommand> {
        // Of what cannot be read here, its own test has the better words.
        let (config, _) = self.state().ok()?;
        let lines = gate::faults(&config, &mut pair_file);
        let failed = FinishedCommand {
            status: Some(1),
            signal: None,
            output: lines.join("\n"),
            timed_out: false,
        };
        (!lines.is_empty()).then_some(failed)
    }

    /// The program with these arguments, in the environment that belongs to its configuration.
    fn own(&self, arguments: &[&str]) -> Vec<String> {
        let program = self
            .control
            .as_ref()
            .filter(|_| self.config.is_none())
            .unwrap_or(&self.binary);
        let mut argv = vec![program.display().to_string()];
        if let Some(config) = &self.config {
            let words = [
                "-d".to_owned(),
                folder(config).display().to_string(),
                "-f".to_owned(),
            ];
            argv.extend(words);
            argv.push(config.display().to_string());
        }
        argv.extend(arguments.iter().map(|&argument| argument.to_owned()));
        argv
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or_else(|| Path::new("/"))
}

/// What `-D` gave to a process.
fn defines(pid: i32) -> Vec<String> {
    let line = files::read(Path::new(&format!("/proc/{pid}/cmdline")), PAIR).unwrap_or_default();
    let words: Vec<String> = line
        .split(|&byte| byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    words
        .windows(2)
        .filter(|two| two[0] == "-D")
        .map(|two| two[1].clone())
        .collect()
}

/// The files that a pattern stands for; of a folder all that is in it, as Apache does.
fn texts(pattern: &Path, count: &mut usize) -> Result<Vec<ConfigFile>, ServerError> {
    let mut texts = Vec::new();
    let mut waiting = matching_files(pattern)?;
    waiting.reverse();
    while let Some(path) = waiting.pop() {
        *count += 1;
        if *count > FILES {
            return Err(ServerError::TooManyFiles(ServerSoftware::Apache));
        }
        if folders::is_folder(&path) {
            let mut inside = files::entries(&path, FILES)?;
            inside.reverse();
            waiting.extend(inside);
            continue;
        }
        match read_text(&path) {
            // A link to nothing: Apache's own test says so.
            Err(error) if error.is_missing() => {}
            read => texts.push(read?),
        }
    }
    Ok(texts)
}

fn pair_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    match files::read(path, PAIR) {
        Ok(bytes) => Ok(Zeroizing::new(bytes)),
        Err(error) => Err(error.source.to_string()),
    }
}
