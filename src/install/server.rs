//! The servers that read what is installed: found, looked at, tested, reloaded. It runs them and reads their files;
//! what their configuration means is `install::nginx`'s.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::nginx::glob;
use super::nginx::parse::{self, ConfigText};
use super::nginx::{Build, Config, Directive, ParseError};
use crate::system::files::{self, FileError};
use crate::system::process::{self, Finished, Invocation, ProcessError};

/// A test or a reload that takes longer is killed.
const DEADLINE: Duration = Duration::from_secs(30);
/// As much of a server's words is kept.
const OUTPUT: usize = 64 * 1024;
/// A configuration file is no larger,
const FILE: u64 = 4 * 1024 * 1024;
/// and no more of them are read.
const FILES: usize = 20_000;

/// Where nginx is: by its name, or where its own and OpenResty's makefiles put it.
const PROGRAMS: [&str; 3] = ["nginx", "/usr/local/nginx/sbin/nginx", "/usr/local/openresty/nginx/sbin/nginx"];

/// What serves the files.
#[derive(Clone, Debug)]
pub enum Server {
    /// nginx.
    Nginx(Nginx),
    /// Anything else, by the commands that were given.
    Command {
        /// Tests its configuration.
        test: Option<Vec<String>>,
        /// Makes it read its files again.
        reload: Option<Vec<String>>,
    },
    /// Nothing that certctl knows of.
    None,
}

/// An nginx on this machine.
#[derive(Clone, Debug)]
pub struct Nginx {
    /// The program.
    pub binary: PathBuf,
    /// The main configuration file that was named (absolute), where it is not the built-in one.
    pub config: Option<PathBuf>,
    /// How it was built.
    pub build: Build,
    /// In place of `nginx -t`.
    pub test: Option<Vec<String>>,
    /// In place of `nginx -s reload`.
    pub reload: Option<Vec<String>>,
}

/// Why a server could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Its configuration is not one.
    #[error("nginx's configuration cannot be read")]
    Config(#[from] ParseError),
    /// A file of its configuration cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The program called nginx is something else.
    #[error("{} does not say its version as nginx does", binary.display())]
    NotNginx {
        /// The program.
        binary: PathBuf,
    },
    /// It could not be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// Includes without end.
    #[error("nginx's configuration has more than {FILES} files")]
    TooManyFiles,
}

/// An nginx as it stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What its configuration says.
    pub config: Config,
    /// Its process id when it runs.
    pub running: Option<i32>,
    /// Whether this machine speaks IPv6.
    pub ipv6: bool,
}

impl Server {
    /// Tests the configuration; `None` where there is nothing to test with.
    ///
    /// # Errors
    /// When the test could not be run. A test that fails is a [`Finished`].
    pub fn test(&self) -> Result<Option<Finished>, ProcessError> {
        self.test_command().map(run).transpose()
    }

    /// Makes the server read its files again; `None` where there is nothing to do it with.
    ///
    /// # Errors
    /// When it could not be run. A reload that fails is a [`Finished`].
    pub fn reload(&self) -> Result<Option<Finished>, ProcessError> {
        self.reload_command().map(run).transpose()
    }

    /// What [`Server::test`] runs.
    #[must_use]
    pub fn test_command(&self) -> Option<Vec<String>> {
        match self {
            Self::Nginx(nginx) => Some(nginx.test.clone().unwrap_or_else(|| nginx.command(&["-t"]))),
            Self::Command { test, .. } => test.clone(),
            Self::None => None,
        }
    }

    /// What [`Server::reload`] runs.
    #[must_use]
    pub fn reload_command(&self) -> Option<Vec<String>> {
        match self {
            Self::Nginx(nginx) => Some(nginx.reload.clone().unwrap_or_else(|| nginx.command(&["-s", "reload"]))),
            Self::Command { reload, .. } => reload.clone(),
            Self::None => None,
        }
    }
}

impl Nginx {
    /// The nginx of this machine, with the main configuration file `config` where one was named; `None` when there is
    /// none.
    ///
    /// # Errors
    /// When what is called nginx cannot be run or is not nginx.
    pub fn find(config: Option<&Path>) -> Result<Option<Self>, ServerError> {
        let Some(binary) = PROGRAMS.iter().find_map(|name| process::which(name)) else { return Ok(None) };
        let said = run(vec![binary.display().to_string(), "-V".to_owned()])?;
        let Some(build) = Build::parse(&said.output) else { return Err(ServerError::NotNginx { binary }) };
        let absolute = |path: &Path| std::path::absolute(path).map_err(FileError::at("find", path));
        let config = config.map(absolute).transpose()?.filter(|config| *config != build.config);
        Ok(Some(Self { binary, config, build, test: None, reload: None }))
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
    pub fn observe(&self) -> Result<Standing, ServerError> {
        let file = self.config_file();
        let config = Config::new(&read_config(file)?, file, &self.build.prefix);
        let running = self.running(config.pid.as_deref().unwrap_or(&self.build.pid));
        // Not there when the kernel has no IPv6: `listen [::]:443` would then fail.
        let ipv6 = files::occupied(Path::new("/proc/net/if_inet6"));
        Ok(Standing { config, running, ipv6 })
    }

    /// The process of the pid file, if it is there and is this program.
    fn running(&self, pid_file: &Path) -> Option<i32> {
        let text = files::read(pid_file, 64).ok()?;
        let pid: i32 = String::from_utf8(text).ok()?.trim().parse().ok()?;
        let program = self.binary.file_name()?.to_string_lossy().into_owned();
        // A pid file that outlived its nginx may name another program by now.
        let ours = |name: Vec<u8>| {
            let name = String::from_utf8_lossy(&name).trim().to_owned();
            name.contains("nginx") || program.starts_with(&name)
        };
        let name = files::read(Path::new(&format!("/proc/{pid}/comm")), 64);
        (process::alive(pid) && name.map_or(true, ours)).then_some(pid)
    }

    /// The command line that starts it.
    #[must_use]
    pub fn start_command(&self) -> String {
        match &self.config {
            None if files::occupied(Path::new("/run/systemd/system")) => "sudo systemctl start nginx".to_owned(),
            None => "sudo nginx".to_owned(),
            Some(config) => format!("sudo nginx -c {}", crate::finding::shell_word(&config.display().to_string())),
        }
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

fn run(argv: Vec<String>) -> Result<Finished, ProcessError> {
    process::run(&Invocation { argv, deadline: DEADLINE, output_limit: OUTPUT })
}

/// The directives of a main file and of all that it includes, as nginx would read them.
///
/// # Errors
/// When a file cannot be read or is no configuration.
pub fn read_config(file: &Path) -> Result<Vec<Directive>, ServerError> {
    let main = read_text(file)?;
    let mut count = 0;
    parse::parse(&main, &mut |pattern: &Path| {
        let mut texts = Vec::new();
        for path in expand(pattern)? {
            count += 1;
            if count > FILES {
                return Err(ServerError::TooManyFiles);
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

fn read_text(path: &Path) -> Result<ConfigText, FileError> {
    let text = String::from_utf8_lossy(&files::read(path, FILE)?).into_owned();
    Ok(ConfigText { path: path.to_owned(), text })
}

/// The files that a pattern stands for, sorted as glob(3) does. A file that is named and not there is left to
/// `nginx -t` to complain of.
fn expand(pattern: &Path) -> Result<Vec<PathBuf>, FileError> {
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
    let fits = |path: &PathBuf| path.file_name().is_some_and(|name| glob::matches(pattern, &name.to_string_lossy()));
    Ok(entries.into_iter().filter(fits).collect())
}
