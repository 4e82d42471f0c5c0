//! What all profiles share in looking at a server: its state, its files, its own programs run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::system::fs::files::{self, FileError};
use crate::system::process::{self, CommandInvocation, FinishedCommand, ProcessError};
use crate::webserver::apache;
use crate::webserver::haproxy;
use crate::webserver::model::{self, ConfigFile, ServerSoftware, glob};
use crate::webserver::nginx::{self, NginxParseError};

/// A test or a reload that takes longer is killed.
const DEADLINE: Duration = Duration::from_secs(30);
/// As much of a server's words is kept.
const OUTPUT: usize = 64 * 1024;
/// A configuration file is no larger,
const FILE: u64 = 4 * 1024 * 1024;
/// and no more of them are read.
pub(crate) const FILES: usize = 20_000;

/// Why a server could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// nginx's configuration is not one.
    #[error("nginx's configuration cannot be read")]
    Config(#[from] NginxParseError),
    /// Apache's configuration is not one.
    #[error("Apache's configuration cannot be read")]
    ApacheConfig(#[from] apache::ApacheParseError),
    /// A file of its configuration cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The program of that name is something else.
    #[error("{} does not say its version as {} does", binary.display(), software.title())]
    Stranger {
        /// What it should be.
        software: ServerSoftware,
        binary: PathBuf,
    },
    /// It could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("{}'s configuration has more than {FILES} files", .0.title())]
    TooManyFiles(ServerSoftware),
}

/// A server as it stands.
#[derive(Clone, Debug)]
pub struct ServerObservation {
    /// What its configuration says.
    pub config: model::ServerConfig,
    /// What only its profile needs of it.
    pub detail: ServerDetail,
    /// Its process id when it runs.
    pub running: Option<i32>,
    /// Whether this machine speaks IPv6.
    pub ipv6: bool,
}

/// What only a profile needs of a configuration.
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
    process::run(&CommandInvocation {
        argv,
        deadline: DEADLINE,
        output_limit: OUTPUT,
    })
}

/// Whether the kernel has IPv6: without it, a socket for `[::]` cannot be opened.
pub(crate) fn speaks_ipv6() -> bool {
    files::occupied(Path::new("/proc/net/if_inet6"))
}

/// The process of a pid file, if it is there and is this program, by one of the names that such
/// programs have.
pub(crate) fn running(pid_file: &Path, binary: &Path, names: &[&str]) -> Option<i32> {
    let text = files::read(pid_file, 64).ok()?;
    let pid: i32 = String::from_utf8(text).ok()?.trim().parse().ok()?;
    let program = binary.file_name()?.to_string_lossy().into_owned();
    // A pid file that outlived its server may name another program by now.
    let ours = |name: Vec<u8>| {
        let name = String::from_utf8_lossy(&name).trim().to_owned();
        names.iter().any(|known| name.contains(known)) || program.starts_with(&name)
    };
    let name = files::read(Path::new(&format!("/proc/{pid}/comm")), 64);
    (process::alive(pid) && name.map_or(true, ours)).then_some(pid)
}

/// One file of a configuration.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read_text(path: &Path) -> Result<ConfigFile, FileError> {
    let text = String::from_utf8_lossy(&files::read(path, FILE)?).into_owned();
    Ok(ConfigFile {
        path: path.to_owned(),
        text,
    })
}

/// The files that a pattern stands for, sorted as glob(3) does. A file that is named and not there
/// is left to `nginx -t` to complain of.
pub(crate) fn matching_files(pattern: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let part = Path::new(part.as_os_str());
        let text = part.to_string_lossy();
        if glob::is_pattern(&text) {
            let mut next = Vec::new();
            for folder in &found {
                next.extend(matching(folder, &text)?);
            }
            found = next;
        } else {
            found.iter_mut().for_each(|path| path.push(part));
        }
    }
    found.retain(|path| files::occupied(path));
    Ok(found)
}

fn matching(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, FileError> {
    let entries = match files::entries(folder, FILES) {
        Err(error) if error.is_missing() => return Ok(Vec::new()),
        other => other?,
    };
    let fits = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| glob::matches(pattern, &name.to_string_lossy()))
    };
    Ok(entries.into_iter().filter(fits).collect())
}
