//! Finds, runs and observes the Apache of this machine: the installed one, and those that run. Checks
//! the certificates and addresses before every reload.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::found_programs::{FoundPrograms, RunnableProgram};
use super::master_group::MasterGroup;
use super::{ports, service};
use crate::finding::shell_word;
use crate::system::fs::files;
use crate::system::fs::folders;
use crate::system::process::{self, FinishedCommand};
use crate::webserver::apache::listen::SocketSupport;
use crate::webserver::apache::{
    self, ApacheBuild, ApacheConfig, ApacheEnvironment, ApacheFiles, build, gate,
};
use crate::webserver::control::observe::{
    ConfigFileCounter, FileView, InstanceScope, ServerDetail, ServerError, ServerObservation,
    absolute_config, hidden_process, output_of, run_in, supports_ipv6,
};
use crate::webserver::masters::ServerMaster;
use crate::webserver::model::{ConfigFile, ServerSoftware};

/// Its program and the script that runs it in its environment, as Debian, Red Hat and its own
/// makefile name them.
const PROGRAMS: [(&str, &str); 3] = [
    ("apache2", "apache2ctl"),
    ("httpd", "apachectl"),
    (
        "/usr/local/apache2/bin/httpd",
        "/usr/local/apache2/bin/apachectl",
    ),
];
/// The maximum size of a certificate or key, in bytes.
const FILE_LIMIT: u64 = 1024 * 1024;

/// An Apache on this machine.
#[derive(Clone, Debug)]
pub struct ApacheProgram {
    /// The path of the control program or the server.
    pub binary: PathBuf,
    /// The script that runs it in its environment, if it is installed.
    pub control: Option<PathBuf>,
    /// The main configuration file (absolute), if it is not the built-in one.
    pub config: Option<PathBuf>,
    /// How it was built.
    pub build: ApacheBuild,
    /// The modules that are built in.
    pub modules: Vec<String>,
    /// The masters that run with this configuration.
    pub(crate) group: MasterGroup,
    /// Whether its certificates are checked before a reload.
    pub gate: ReloadGate,
}

/// Whether certctl checks what `configtest` does not: the certificates and keys that Apache loads.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ReloadGate {
    /// A certificate that would make Apache exit prevents a reload.
    #[default]
    Checked,
    /// The user knows that Apache can load its certificates.
    Ignored,
}

impl RunnableProgram for ApacheProgram {
    const SOFTWARE: ServerSoftware = ServerSoftware::Apache;

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
        let arguments = &first.arguments;
        let root = arguments.prefix.as_ref().unwrap_or(&program.build.root);
        let config = match arguments.config.first() {
            Some(config) => root.join(config),
            None => match program.build.config.strip_prefix(&program.build.root) {
                Ok(relative) => root.join(relative),
                Err(_) => program.build.config.clone(),
            },
        };
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

impl ApacheProgram {
    /// Finds the Apache of this machine; `config` is the main configuration file if the user gave
    /// one. `None` when Apache is not installed.
    ///
    /// # Errors
    /// When the program of that name cannot be run or is not Apache.
    pub fn find(config: Option<&Path>) -> Result<Option<Self>, ServerError> {
        let found = Self::find_all(config, InstanceScope::Configured)?;
        Ok(found.into_iter().next())
    }

    /// Finds every Apache in `scope`; the installed one, with the configuration that the user gave or
    /// the built-in one, comes first.
    ///
    /// # Errors
    /// When the program of that name cannot be run or is not Apache.
    pub(crate) fn find_all(
        config: Option<&Path>,
        scope: InstanceScope,
    ) -> Result<Vec<Self>, ServerError> {
        let installed = Self::find_program(config)?;
        let usual = installed
            .as_ref()
            .map(|program| program.config_file().to_owned());
        let found = FoundPrograms::find(installed.as_ref(), usual.as_deref(), scope);
        // Debian's apache2-bin alone has no configuration, so it is not a server.
        let is_server = |program: &Self| config.is_some() || files::exists(&program.build.config);
        Ok(found.or_installed(installed.filter(is_server)))
    }

    /// Finds the installed program, even if it has no configuration.
    fn find_program(config: Option<&Path>) -> Result<Option<Self>, ServerError> {
        let found = PROGRAMS.into_iter().find_map(|(program, control)| {
            Some((
                process::find_program(program)?,
                process::find_program(control),
            ))
        });
        let Some((binary, control)) = found else {
            return Ok(None);
        };
        let mut program = Self::of_binary(binary)?;
        program.control = control;
        program.config = absolute_config(config)?.filter(|config| *config != program.build.config);
        Ok(Some(program))
    }

    fn of_binary(binary: PathBuf) -> Result<Self, ServerError> {
        let Some(build) = ApacheBuild::parse(&output_of(&binary, "-V")?) else {
            return Err(ServerError::UnexpectedProgram {
                software: ServerSoftware::Apache,
                binary,
            });
        };
        let modules = build::built_in(&output_of(&binary, "-l")?);
        Ok(Self {
            binary,
            control: None,
            config: None,
            build,
            modules,
            group: MasterGroup::default(),
            gate: ReloadGate::default(),
        })
    }

    /// The main configuration file.
    #[must_use]
    pub fn config_file(&self) -> &Path {
        self.config.as_deref().unwrap_or(&self.build.config)
    }

    /// Reads its configuration and whether it runs. Virtual hosts that Apache lists and certctl did
    /// not find, or the reverse, are reported as doubts.
    ///
    /// # Errors
    /// When a file cannot be read or parsed.
    pub fn observe(&self) -> Result<ServerObservation, ServerError> {
        let (mut config, running) = self.state()?;
        config
            .doubts
            .extend(apache::unlisted_hosts(&self.listed_hosts()?, &config));
        Ok(ServerObservation {
            config: config.to_server_config(),
            detail: ServerDetail::Apache(config),
            running,
            ipv6: supports_ipv6(),
        })
    }

    /// The virtual hosts that Apache lists; empty if its test fails.
    fn listed_hosts(&self) -> Result<String, ServerError> {
        let listed = run_in(
            self.own(&["-t", "-D", "DUMP_VHOSTS"]),
            &self.group.surroundings(),
        )?;
        Ok(if listed.succeeded() {
            listed.output
        } else {
            String::new()
        })
    }

    /// Its configuration under the `-D` options of the running process, and the process id.
    fn state(&self) -> Result<(ApacheConfig, Option<i32>), ServerError> {
        let running = self.group.arguments();
        let defines = running.map(|running| running.defines.clone());
        let file = self.config_file();
        let variables = FileView::own()
            .read_text(&folder(file).join("envvars"))
            .map(|file| build::envvars(&file.text));
        let environment = ApacheEnvironment {
            server_root: self.root(),
            variables: variables.unwrap_or_default(),
            defines: defines.unwrap_or_default(),
            modules: self.modules.clone(),
            version: self.build.version,
        };
        let support = SocketSupport {
            ipv4_mapped: self.build.mapped,
            ipv6: supports_ipv6(),
        };
        let config = read_config_in(&FileView::own(), file, environment, support)?;
        let pid_file = config.pid.as_deref().unwrap_or(&self.build.pid);
        let running = self.group.running().or_else(|| hidden_process(pid_file));
        Ok((config, running))
    }

    /// The folder of relative paths, unless the configuration sets another.
    fn root(&self) -> PathBuf {
        match (self.group.arguments(), &self.config) {
            (Some(running), _) => {
                let root = running.prefix.as_ref().unwrap_or(&self.build.root);
                root.clone()
            }
            (None, Some(config)) => folder(config).to_owned(),
            (None, None) => self.build.root.clone(),
        }
    }

    /// The command that tests the configuration.
    #[must_use]
    pub fn test(&self) -> Vec<String> {
        match self.usual_control() {
            Some(control) => vec![control.display().to_string(), "configtest".to_owned()],
            None => self.own(&["-t"]),
        }
    }

    /// Its own reload command, for a process that /proc does not show.
    pub(crate) fn own_reload(&self) -> Vec<String> {
        match self.usual_control() {
            Some(control) => vec![control.display().to_string(), "graceful".to_owned()],
            None => self.own(&["-k", "graceful"]),
        }
    }

    /// The script that runs it, where it runs as the script would run it.
    fn usual_control(&self) -> Option<&PathBuf> {
        let has_own_options = self.group.arguments().is_some_and(|running| {
            running.prefix.is_some() || !running.config.is_empty() || !running.for_test.is_empty()
        });
        let control = self.control.as_ref()?;
        (self.config.is_none() && !has_own_options).then_some(control)
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

    /// Returns what would make Apache exit at a reload, as a failed test: certificates and keys, read
    /// from the paths that Apache reads, and new addresses at which another process listens.
    #[must_use]
    pub fn reload_faults(&self) -> Option<FinishedCommand> {
        if self.gate == ReloadGate::Ignored {
            return None;
        }
        // Apache's own test describes better why its configuration cannot be read.
        let (config, _) = self.state().ok()?;
        let mut faults = gate::faults(&config, &mut read_key_file);
        if !faults.is_empty() && !config.doubts.is_empty() {
            // A host inside a condition that certctl cannot evaluate may not exist for Apache.
            let listed = self.listed_hosts().unwrap_or_default();
            faults.retain(|fault| !apache::is_unlisted(&listed, &config, &fault.block));
        }
        let mut lines: Vec<String> = faults.into_iter().map(|fault| fault.line).collect();
        lines.extend(self.taken_addresses(&config));
        if lines.is_empty() {
            return None;
        }
        Some(FinishedCommand {
            status: Some(1),
            signal: None,
            output: lines.join("\n"),
            timed_out: false,
        })
    }

    /// Returns the addresses that a running Apache cannot listen at, because other processes do.
    fn taken_addresses(&self, config: &ApacheConfig) -> Vec<String> {
        if !self.group.can_probe() {
            return Vec::new();
        }
        let masters = self.group.masters.iter();
        let mut own = Vec::new();
        for one in masters {
            own.push(one.master.process.pid);
        }
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for socket in &config.sockets {
            let any = IpAddr::from(Ipv4Addr::UNSPECIFIED);
            let address = SocketAddr::new(socket.address.unwrap_or(any), socket.port);
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        let owners = ports::find_other_owners(&ports::current_sockets(), &addresses, &own);
        let lines = owners
            .iter()
            .map(|owner| format!("{}{}", gate::TAKEN_ADDRESS_PREFIX, owner.in_words()));
        lines.collect()
    }

    /// The command line with these arguments, in the environment of its configuration.
    fn own(&self, arguments: &[&str]) -> Vec<String> {
        let control = self.usual_control();
        let program = control.unwrap_or(&self.binary);
        let mut argv = vec![program.display().to_string()];
        if control.is_none() {
            argv.push("-d".to_owned());
            argv.push(self.root().display().to_string());
            argv.push("-f".to_owned());
            argv.push(self.config_file().display().to_string());
        }
        let running = self.group.arguments();
        argv.extend(running.iter().flat_map(|running| running.for_test.clone()));
        argv.extend(arguments.iter().map(|&argument| argument.to_owned()));
        argv
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or_else(|| Path::new("/"))
}

/// Reads a configuration with the files that a process sees.
///
/// # Errors
/// When a file cannot be read or parsed.
pub(crate) fn read_config_in(
    view: &FileView,
    file: &Path,
    environment: ApacheEnvironment,
    support: SocketSupport,
) -> Result<ApacheConfig, ServerError> {
    let mut counter = ConfigFileCounter::new(ServerSoftware::Apache);
    let files = ApacheFiles {
        find: &mut |pattern: &Path| matching_texts(view, pattern, &mut counter),
        exists: &|path: &Path| files::resolves(&view.outside(path)),
    };
    let parsed = apache::read(&view.read_text(file)?, environment, files)?;
    Ok(ApacheConfig::new(parsed, file, support))
}

/// Reads the files that a pattern matches; for a folder everything in it, as Apache does.
fn matching_texts(
    view: &FileView,
    pattern: &Path,
    counter: &mut ConfigFileCounter,
) -> Result<Vec<ConfigFile>, ServerError> {
    let mut texts = Vec::new();
    let mut waiting = view.matching_files(pattern)?;
    waiting.reverse();
    while let Some(path) = waiting.pop() {
        counter.count_file()?;
        if folders::is_folder(&view.outside(&path)) {
            let mut inside = view.entries(&path)?;
            inside.reverse();
            waiting.extend(inside);
            continue;
        }
        texts.extend(view.read_existing_text(&path)?);
    }
    Ok(texts)
}

fn read_key_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    match files::read(path, FILE_LIMIT) {
        Ok(bytes) => Ok(Zeroizing::new(bytes)),
        Err(error) => Err(error.source.to_string()),
    }
}
