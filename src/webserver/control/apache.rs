//! Finds, runs and observes the Apache of this machine, and checks its certificates before every
//! reload.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::service;
use crate::finding::shell_word;
use crate::system::fs::files;
use crate::system::fs::folders;
use crate::system::process::{self, FinishedCommand};
use crate::webserver::apache::listen::SocketSupport;
use crate::webserver::apache::{
    self, ApacheBuild, ApacheConfig, ApacheEnvironment, ApacheFiles, build, gate,
};
use crate::webserver::control::observe::{
    ConfigFileCounter, FILES, ServerDetail, ServerError, ServerObservation, absolute_config,
    matching_files, output_of, read_existing_text, read_text, run, running, split_at_nulls,
    supports_ipv6,
};
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
/// Its units and service scripts.
const SERVICES: [&str; 2] = ["apache2", "httpd"];
/// The maximum size of a certificate, key or command line, in bytes.
const FILE_LIMIT: u64 = 1024 * 1024;

/// An Apache on this machine.
#[derive(Clone, Debug)]
pub struct ApacheProgram {
    /// The path of the control program or the server.
    pub binary: PathBuf,
    /// The script that runs it in its environment, if it is installed.
    pub control: Option<PathBuf>,
    /// The main configuration file given by the user (absolute), if it is not the built-in one.
    pub config: Option<PathBuf>,
    /// How it was built.
    pub build: ApacheBuild,
    /// The modules that are built in.
    pub modules: Vec<String>,
    /// The service manager's reload command, if a service runs it.
    pub service: Option<Vec<String>>,
}

impl ApacheProgram {
    /// Finds the Apache of this machine; `config` is the main configuration file if the user gave
    /// one. `None` when Apache is not installed.
    ///
    /// # Errors
    /// When the program of that name cannot be run or is not Apache.
    pub fn find(config: Option<&Path>) -> Result<Option<Self>, ServerError> {
        let found = PROGRAMS.into_iter().find_map(|(program, control)| {
            Some((
                process::find_program(program)?,
                process::find_program(control),
            ))
        });
        let Some((binary, control)) = found else {
            return Ok(None);
        };
        let Some(build) = ApacheBuild::parse(&output_of(&binary, "-V")?) else {
            return Err(ServerError::UnexpectedProgram {
                software: ServerSoftware::Apache,
                binary,
            });
        };
        let modules = build::built_in(&output_of(&binary, "-l")?);
        let config = absolute_config(config)?.filter(|config| *config != build.config);
        // Debian's apache2-bin alone has no configuration, so it is not a server.
        if config.is_none() && !files::exists(&build.config) {
            return Ok(None);
        }
        let service = service::reload_command(config.as_deref(), &SERVICES);
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

    /// Reads its configuration and whether it runs. Virtual hosts that Apache lists and certctl did
    /// not find, or the reverse, are reported as doubts.
    ///
    /// # Errors
    /// When a file cannot be read or parsed.
    pub fn observe(&self) -> Result<ServerObservation, ServerError> {
        let ApacheState {
            mut config,
            running,
            options,
        } = self.state()?;
        let listed = self.listed_hosts(&options)?;
        config
            .doubts
            .extend(apache::unlisted_hosts(&listed, &config));
        Ok(ServerObservation {
            config: config.to_server_config(),
            detail: ServerDetail::Apache(config),
            running,
            ipv6: supports_ipv6(),
        })
    }

    /// The virtual hosts that Apache lists; empty if its test fails.
    fn listed_hosts(&self, options: &ApacheOptions) -> Result<String, ServerError> {
        let mut argv = self.own(&["-t", "-D", "DUMP_VHOSTS"]);
        for name in &options.defines {
            argv.extend(["-D".to_owned(), name.clone()]);
        }
        if let (Some(root), Some(_)) = (&options.root, &self.config) {
            argv.extend(["-d".to_owned(), root.display().to_string()]);
        }
        let listed = run(argv)?;
        Ok(if listed.succeeded() {
            listed.output
        } else {
            String::new()
        })
    }

    /// Its configuration under the options of the running process, and the process id.
    fn state(&self) -> Result<ApacheState, ServerError> {
        let config = self.read(&ApacheOptions::default())?;
        let running = running(
            config.pid.as_deref().unwrap_or(&self.build.pid),
            &self.binary,
            &["apache2", "httpd"],
        );
        let options = running.map(options_of).unwrap_or_default();
        let config = if options == ApacheOptions::default() {
            config
        } else {
            self.read(&options)?
        };
        Ok(ApacheState {
            config,
            running,
            options,
        })
    }

    fn read(&self, options: &ApacheOptions) -> Result<ApacheConfig, ServerError> {
        let file = self.config_file();
        let variables =
            read_text(&folder(file).join("envvars")).map(|file| build::envvars(&file.text));
        let environment = ApacheEnvironment {
            server_root: options.root.clone().unwrap_or_else(|| self.root()),
            variables: variables.unwrap_or_default(),
            defines: options.defines.clone(),
            modules: self.modules.clone(),
            version: self.build.version,
        };
        let mut counter = ConfigFileCounter::new(ServerSoftware::Apache);
        let files = ApacheFiles {
            find: &mut |pattern: &Path| matching_texts(pattern, &mut counter),
            exists: &files::resolves,
        };
        let parsed = apache::read(&read_text(file)?, environment, files)?;
        let support = SocketSupport {
            ipv4_mapped: self.build.mapped,
            ipv6: supports_ipv6(),
        };
        Ok(ApacheConfig::new(parsed, file, support))
    }

    /// The folder of relative paths, unless the configuration sets another.
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

    /// The service manager's reload command, else its own.
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

    /// Returns the certificates and keys that would make Apache exit at a reload, as a failed test.
    /// They are read from the paths that Apache reads.
    #[must_use]
    pub fn reload_faults(&self) -> Option<FinishedCommand> {
        // Apache's own test describes better why its configuration cannot be read.
        let state = self.state().ok()?;
        let mut faults = gate::faults(&state.config, &mut read_key_file);
        if !faults.is_empty() && !state.config.doubts.is_empty() {
            // A host inside a condition that certctl cannot evaluate may not exist for Apache.
            let listed = self.listed_hosts(&state.options).unwrap_or_default();
            faults.retain(|fault| !apache::is_unlisted(&listed, &state.config, &fault.block));
        }
        if faults.is_empty() {
            return None;
        }
        let lines: Vec<String> = faults.into_iter().map(|fault| fault.line).collect();
        Some(FinishedCommand {
            status: Some(1),
            signal: None,
            output: lines.join("\n"),
            timed_out: false,
        })
    }

    /// The command line with these arguments, in the environment of its configuration.
    fn own(&self, arguments: &[&str]) -> Vec<String> {
        let program = self
            .control
            .as_ref()
            .filter(|_| self.config.is_none())
            .unwrap_or(&self.binary);
        let mut argv = vec![program.display().to_string()];
        if let Some(config) = &self.config {
            argv.push("-d".to_owned());
            argv.push(folder(config).display().to_string());
            argv.push("-f".to_owned());
            argv.push(config.display().to_string());
        }
        argv.extend(arguments.iter().map(|&argument| argument.to_owned()));
        argv
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or_else(|| Path::new("/"))
}

/// What decides the meaning of its configuration on the command line of a process.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct ApacheOptions {
    /// The values of `-D`.
    defines: Vec<String>,
    /// The value of `-d`: the folder of relative paths.
    root: Option<PathBuf>,
}

impl ApacheOptions {
    /// Parses the words of a command line; the value of an option may follow it directly.
    fn parse(words: &[String]) -> Self {
        let mut options = Self::default();
        let mut words = words.iter().skip(1);
        while let Some(word) = words.next() {
            let Some(option) = word.get(..2).filter(|start| start.starts_with('-')) else {
                continue;
            };
            // These options take a value.
            if !["-D", "-d", "-f", "-C", "-c", "-k", "-e", "-E"].contains(&option) {
                continue;
            }
            let joined = word.get(2..).filter(|value| !value.is_empty());
            let Some(value) = joined.or_else(|| words.next().map(String::as_str)) else {
                break;
            };
            match option {
                "-D" => options.defines.push(value.to_owned()),
                "-d" => {
                    options.root = Some(value.into()).filter(|root: &PathBuf| root.is_absolute())
                }
                _ => {}
            }
        }
        options
    }
}

/// The configuration of Apache, and the process that uses it.
struct ApacheState {
    config: ApacheConfig,
    running: Option<i32>,
    options: ApacheOptions,
}

fn options_of(pid: i32) -> ApacheOptions {
    let path = format!("/proc/{pid}/cmdline");
    let line = files::read(Path::new(&path), FILE_LIMIT).unwrap_or_default();
    ApacheOptions::parse(&split_at_nulls(&line))
}

/// Reads the files that a pattern matches; for a folder everything in it, as Apache does.
fn matching_texts(
    pattern: &Path,
    counter: &mut ConfigFileCounter,
) -> Result<Vec<ConfigFile>, ServerError> {
    let mut texts = Vec::new();
    let mut waiting = matching_files(pattern)?;
    waiting.reverse();
    while let Some(path) = waiting.pop() {
        counter.count_file()?;
        if folders::is_folder(&path) {
            let mut inside = files::entries(&path, FILES)?;
            inside.reverse();
            waiting.extend(inside);
            continue;
        }
        texts.extend(read_existing_text(&path)?);
    }
    Ok(texts)
}

fn read_key_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    match files::read(path, FILE_LIMIT) {
        Ok(bytes) => Ok(Zeroizing::new(bytes)),
        Err(error) => Err(error.source.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::ApacheOptions;

    #[test]
    fn options_of_command_lines_are_parsed() {
        for (line, defines, root) in [
            ("/usr/sbin/apache2 -k start", "", None),
            (
                "apache2 -D FOREGROUND -DX -d /srv/a -f b.conf -k -D",
                "FOREGROUND X",
                Some("/srv/a"),
            ),
            ("apache2 -f -D -D Y -d", "Y", None),
            ("httpd -d relative -X -D Z", "Z", None),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let options = ApacheOptions::parse(&words);
            assert_eq!(options.defines.join(" "), defines, "{line}");
            assert_eq!(
                options.root.as_deref(),
                root.map(std::path::Path::new),
                "{line}"
            );
        }
    }
}
