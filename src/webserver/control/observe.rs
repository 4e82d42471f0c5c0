//! What the control of every server needs: reading files, finding processes, running programs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::system::environment;
use crate::system::fs::files::{self, FileError};
use crate::system::process::{
    self, CommandInvocation, CommandSurroundings, FinishedCommand, ProcessError,
};
use crate::system::program_trust;
use crate::webserver::apache;
use crate::webserver::haproxy;
use crate::webserver::model::{self, ConfigFile, ServerSoftware, glob};
use crate::webserver::nginx::{self, NginxParseError};

/// A test or a reload that takes longer is killed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// The maximum number of bytes of a program's output that are kept.
const OUTPUT_LIMIT: usize = 64 * 1024;
/// The maximum size of a configuration file, in bytes.
pub(crate) const FILE_LIMIT: u64 = 4 * 1024 * 1024;
/// The maximum number of files of a configuration.
pub(crate) const FILES: usize = 20_000;

/// Which servers are searched for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum InstanceScope {
    /// The one with the configuration that the user gave, else the usual one.
    Configured,
    /// Those that run with any other configuration, too.
    Running,
}

/// Why a server could not be observed.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// nginx's configuration cannot be parsed.
    #[error("cannot parse the configuration of nginx")]
    Config(#[from] NginxParseError),
    /// Apache's configuration cannot be parsed.
    #[error("cannot parse the configuration of Apache")]
    ApacheConfig(#[from] apache::ApacheParseError),
    /// A configuration file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The program of that name is not the expected server.
    #[error(
        "{} does not look like {}: it does not report its version in the expected form",
        binary.display(),
        software.title()
    )]
    UnexpectedProgram {
        /// The expected software.
        software: ServerSoftware,
        binary: PathBuf,
    },
    /// /proc is not mounted.
    #[error("/proc is not mounted, so certctl cannot see which servers run and reload them")]
    NoProc,
    /// /proc hides the processes of other users (proc(5), hidepid).
    #[error(
        "/proc hides the processes of other users (hidepid), so certctl cannot see which servers run \
            and reload them"
    )]
    ProcessesHidden,
    /// The program could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("the configuration of {} has more than {FILES} files", .0.title())]
    TooManyFiles(ServerSoftware),
}

/// The configuration and the state of a server.
#[derive(Clone, Debug)]
pub struct ServerObservation {
    /// The configuration in the form that all servers share.
    pub config: model::ServerConfig,
    /// The configuration in the form of its own dialect.
    pub detail: ServerDetail,
    /// The process id if the server runs.
    pub running: Option<i32>,
    /// Whether this machine supports IPv6.
    pub ipv6: bool,
}

/// A configuration in the form of its dialect.
#[derive(Clone, Debug)]
pub enum ServerDetail {
    /// The virtual hosts of Apache.
    Apache(apache::ApacheConfig),
    /// The sections of HAProxy.
    Haproxy(haproxy::HaproxyConfig),
    /// The blocks of nginx.
    Nginx {
        /// The configuration with all included files.
        config: nginx::NginxConfig,
        /// The nginx that reads it.
        build: nginx::NginxBuild,
    },
}

/// Runs one of a server's own programs, for a bounded time.
///
/// # Errors
/// When it could not be started.
pub(crate) fn run(argv: Vec<String>) -> Result<FinishedCommand, ProcessError> {
    run_in(argv, &CommandSurroundings::default())
}

/// Runs a test or a reload that the user named. Root runs nothing that other users can change; the
/// command gets an environment without secrets.
///
/// # Errors
/// [`ProcessError::Exposed`], or the reason why it could not be started.
pub(crate) fn run_named(argv: Vec<String>) -> Result<FinishedCommand, ProcessError> {
    program_trust::check_command(&argv)?;
    let surroundings = CommandSurroundings {
        variables: Some(environment::without_secrets()),
        ..CommandSurroundings::default()
    };
    run_in(argv, &surroundings)
}

/// Does the same in the surroundings of another process.
///
/// # Errors
/// When it could not be started.
pub(crate) fn run_in(
    argv: Vec<String>,
    surroundings: &CommandSurroundings,
) -> Result<FinishedCommand, ProcessError> {
    let invocation = CommandInvocation {
        argv,
        deadline: DEADLINE,
        output_limit: OUTPUT_LIMIT,
    };
    process::run_in(&invocation, surroundings)
}

/// The output of a server's program when it is run with one flag.
///
/// # Errors
/// When it could not be started.
pub(crate) fn output_of(binary: &Path, flag: &str) -> Result<String, ProcessError> {
    let finished = run(vec![binary.display().to_string(), flag.to_owned()])?;
    Ok(finished.output)
}

/// The path that the user gave for the main configuration file, made absolute.
///
/// # Errors
/// When the working directory cannot be read.
pub(crate) fn absolute_config(config: Option<&Path>) -> Result<Option<PathBuf>, FileError> {
    config
        .map(|path| std::path::absolute(path).map_err(FileError::at("find", path)))
        .transpose()
}

/// Counts the files of a configuration, up to a limit.
pub(crate) struct ConfigFileCounter {
    software: ServerSoftware,
    count: usize,
}

impl ConfigFileCounter {
    pub(crate) fn new(software: ServerSoftware) -> Self {
        Self { software, count: 0 }
    }

    /// Counts one more file.
    ///
    /// # Errors
    /// [`ServerError::TooManyFiles`] above the limit.
    pub(crate) fn count_file(&mut self) -> Result<(), ServerError> {
        self.count += 1;
        if self.count > FILES {
            return Err(ServerError::TooManyFiles(self.software));
        }
        Ok(())
    }
}

/// Splits a file of /proc at its null bytes.
pub(crate) fn split_at_nulls(bytes: &[u8]) -> Vec<String> {
    bytes
        .split(|&byte| byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// Returns whether the kernel has IPv6: without it, a socket for `[::]` cannot be opened.
pub(crate) fn supports_ipv6() -> bool {
    files::exists(Path::new("/proc/net/if_inet6"))
}

/// The process id in a pid file, if that process runs and /proc does not show what it is. If /proc
/// shows it, [`super::process_table`] finds it.
pub(crate) fn hidden_process(pid_file: &Path) -> Option<i32> {
    let text = files::read(pid_file, 64).ok()?;
    let pid: i32 = String::from_utf8(text).ok()?.trim().parse().ok()?;
    let is_shown = files::read(Path::new(&format!("/proc/{pid}/comm")), 64).is_ok();
    (!is_shown && process::is_alive(pid)).then_some(pid)
}

/// The file system as a process sees it.
#[derive(Clone, Debug)]
pub(crate) struct FileView {
    /// The root directory of the process, as certctl sees it.
    root: PathBuf,
}

impl FileView {
    /// What certctl itself sees.
    pub(crate) fn own() -> Self {
        Self {
            root: PathBuf::from("/"),
        }
    }

    /// What another process sees; `root` is its root directory in /proc.
    pub(crate) fn below(root: PathBuf) -> Self {
        Self { root }
    }

    /// The path at which certctl sees a file that the process sees at `path`.
    pub(crate) fn outside(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Reads one configuration file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read_text(&self, path: &Path) -> Result<ConfigFile, FileError> {
        let bytes = files::read(&self.outside(path), FILE_LIMIT)?;
        Ok(ConfigFile {
            path: path.to_owned(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }

    /// Reads one configuration file; `None` for a link to nothing, about which the server's own test
    /// complains.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    pub(crate) fn read_existing_text(&self, path: &Path) -> Result<Option<ConfigFile>, FileError> {
        match self.read_text(path) {
            Err(error) if error.is_missing() => Ok(None),
            read => read.map(Some),
        }
    }

    /// The files that a pattern matches, sorted as glob(3) does. Missing files are omitted: the
    /// server's own test complains about them.
    pub(crate) fn matching_files(&self, pattern: &Path) -> Result<Vec<PathBuf>, FileError> {
        let mut found = vec![PathBuf::new()];
        for part in pattern.components() {
            let part = Path::new(part.as_os_str());
            let text = part.to_string_lossy();
            if glob::is_pattern(&text) {
                let mut next = Vec::new();
                for folder in &found {
                    next.extend(self.matching(folder, &text)?);
                }
                found = next;
            } else {
                found.iter_mut().for_each(|path| path.push(part));
            }
        }
        found.retain(|path| files::exists(&self.outside(path)));
        Ok(found)
    }

    fn matching(&self, folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, FileError> {
        let mut matching = self.entries(folder)?;
        matching.retain(|path| {
            path.file_name()
                .is_some_and(|name| glob::matches(pattern, &name.to_string_lossy()))
        });
        Ok(matching)
    }

    /// The entries of a folder, sorted by name; none if it does not exist.
    pub(crate) fn entries(&self, folder: &Path) -> Result<Vec<PathBuf>, FileError> {
        let entries = match files::entries(&self.outside(folder), FILES) {
            Err(error) if error.is_missing() => return Ok(Vec::new()),
            other => other?,
        };
        let names = entries.iter().filter_map(|path| path.file_name());
        Ok(names.map(|name| folder.join(name)).collect())
    }
}
