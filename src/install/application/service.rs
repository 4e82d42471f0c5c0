//! The service that runs an application: starts, stops and watches it through systemd or supervisor.

use std::path::{Path, PathBuf};

use super::fault::{ApplicationFault, lines_of_failure, output_of, run, try_run};
use crate::site::application::ServiceManager;
use crate::system::fs::files;
use crate::system::process;

/// Exists where systemd runs the machine (sd_booted(3)).
const SYSTEMD: &str = "/run/systemd/system";
/// Where an administrator's units are.
const UNITS: &str = "/etc/systemd/system";
/// The configuration files of supervisor, in the order in which it searches for them.
const SUPERVISOR_CONFIGS: [&str; 3] = [
    "/etc/supervisord.conf",
    "/etc/supervisor/supervisord.conf",
    "/usr/local/etc/supervisord.conf",
];
/// The folder of programs on Debian.
const PROGRAMS: &str = "/etc/supervisor/conf.d";
/// Where supervisor writes the output of programs.
const LOGS: [&str; 2] = ["/var/log/supervisor", "/var/log"];
const CONFIG_LIMIT: u64 = 256 * 1024;
/// How much of the end of a log is read, in bytes.
const LOG_LIMIT: u64 = 64 * 1024 * 1024;
/// How many rotated logs supervisor keeps.
const ROTATED: usize = 10;

/// The service of an application.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ApplicationService {
    pub manager: ServiceManager,
    /// The name of the unit without `.service`, and of the program.
    pub name: String,
}

/// What the service manager says about an application.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ServiceState {
    /// It ended, and may have been started again.
    Ended,
    /// It runs or starts, with this process number if that is known.
    Running(Option<String>),
}

/// Where the log of an application ends before it is started.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogMark {
    /// The size of the file of supervisor.
    size: usize,
    /// The cursor of the journal of systemd.
    cursor: Option<String>,
}

/// Finds the service managers that run on this machine.
#[must_use]
pub(crate) fn running_managers() -> Vec<ServiceManager> {
    let mut managers = Vec::new();
    if files::exists(Path::new(SYSTEMD)) {
        managers.push(ServiceManager::Systemd);
    }
    let has_supervisor = process::find_program("supervisorctl").is_some();
    if has_supervisor && run(&["supervisorctl", "pid"]).is_ok() {
        managers.push(ServiceManager::Supervisor);
    }
    managers
}

impl ApplicationService {
    /// The file that defines the service.
    #[must_use]
    pub(crate) fn file(&self) -> PathBuf {
        match self.manager {
            ServiceManager::Supervisor => {
                let (folder, suffix) = program_folder();
                folder.join(format!("{}{suffix}", self.name))
            }
            ServiceManager::Systemd => Path::new(UNITS).join(self.unit()),
        }
    }

    fn unit(&self) -> String {
        format!("{}.service", self.name)
    }

    /// The file that supervisor writes the output of the application to.
    #[must_use]
    pub(crate) fn log(&self) -> PathBuf {
        let mut folders = LOGS
            .iter()
            .filter(|folder| files::exists(Path::new(folder)));
        let folder = folders.next().unwrap_or(&LOGS[0]);
        Path::new(folder).join(format!("{}.log", self.name))
    }

    /// Makes the manager read the file again, and starts the application again.
    ///
    /// # Errors
    /// When the manager reports an error. An application that ends at once is not one: its state
    /// says so.
    pub(crate) fn start(&self) -> Result<(), ApplicationFault> {
        match self.manager {
            ServiceManager::Supervisor => {
                run(&["supervisorctl", "reread"])?;
                run(&["supervisorctl", "update", &self.name])?;
                // A program whose file is unchanged was not started by `update`.
                let starting = output_of(&["supervisorctl", "status", &self.name]);
                if parse_program_state(&starting) == ServiceState::Ended {
                    try_run(&["supervisorctl", "start", &self.name]);
                }
                Ok(())
            }
            ServiceManager::Systemd => {
                run(&["systemctl", "daemon-reload"])?;
                run(&["systemctl", "--quiet", "enable", &self.unit()])?;
                // It fails if the application ends at once.
                try_run(&["systemctl", "restart", &self.unit()]);
                Ok(())
            }
        }
    }

    /// Makes the manager read the file again, and leaves the application stopped.
    ///
    /// # Errors
    /// When the manager reports an error.
    pub(crate) fn keep_stopped(&self) -> Result<(), ApplicationFault> {
        match self.manager {
            ServiceManager::Supervisor => {
                run(&["supervisorctl", "reread"])?;
                run(&["supervisorctl", "update", &self.name])?;
                try_run(&["supervisorctl", "stop", &self.name]);
                Ok(())
            }
            ServiceManager::Systemd => {
                run(&["systemctl", "daemon-reload"])?;
                run(&["systemctl", "stop", &self.unit()])
            }
        }
    }

    /// Stops the application, before its file is removed.
    ///
    /// # Errors
    /// When the manager reports an error.
    pub(crate) fn stop(&self) -> Result<(), ApplicationFault> {
        match self.manager {
            ServiceManager::Supervisor => {
                try_run(&["supervisorctl", "stop", &self.name]);
                Ok(())
            }
            ServiceManager::Systemd => {
                run(&["systemctl", "--quiet", "disable", "--now", &self.unit()])
            }
        }
    }

    /// Makes the manager forget the service after its file was removed.
    ///
    /// # Errors
    /// When the manager reports an error.
    pub(crate) fn forget(&self) -> Result<(), ApplicationFault> {
        match self.manager {
            ServiceManager::Supervisor => {
                run(&["supervisorctl", "reread"])?;
                run(&["supervisorctl", "update", &self.name])?;
                let log = self.log();
                files_of_log(&log).iter().try_for_each(|path| remove(path))
            }
            ServiceManager::Systemd => {
                run(&["systemctl", "daemon-reload"])?;
                // It fails if the application has not failed.
                try_run(&["systemctl", "reset-failed", &self.unit()]);
                Ok(())
            }
        }
    }

    /// Returns what the manager says about the application.
    #[must_use]
    pub(crate) fn state(&self) -> ServiceState {
        match self.manager {
            ServiceManager::Supervisor => {
                parse_program_state(&output_of(&["supervisorctl", "status", &self.name]))
            }
            ServiceManager::Systemd => parse_unit_state(&output_of(&[
                "systemctl",
                "show",
                "--property=ActiveState,MainPID",
                &self.unit(),
            ])),
        }
    }

    /// Returns where the log ends now.
    #[must_use]
    pub(crate) fn mark_log(&self) -> LogMark {
        match self.manager {
            ServiceManager::Supervisor => LogMark {
                size: read_log(&self.log()).len(),
                cursor: None,
            },
            ServiceManager::Systemd => LogMark {
                size: 0,
                cursor: parse_cursor(&output_of(&[
                    "journalctl",
                    "--quiet",
                    "--no-pager",
                    "--lines=1",
                    "--show-cursor",
                ])),
            },
        }
    }

    /// Returns the last lines of the log after a mark.
    #[must_use]
    pub(crate) fn log_since(&self, mark: &LogMark) -> Vec<String> {
        match self.manager {
            ServiceManager::Supervisor => {
                let log = read_log(&self.log());
                lines_of_failure(log.get(mark.size..).unwrap_or(&log))
            }
            ServiceManager::Systemd => {
                let unit = self.unit();
                let after = mark
                    .cursor
                    .as_ref()
                    .map(|cursor| format!("--after-cursor={cursor}"));
                let mut words = vec!["journalctl", "--quiet", "--no-pager", "--output=cat"];
                words.extend(["--unit", &unit]);
                words.extend(after.as_deref());
                lines_of_failure(&output_of(&words))
            }
        }
    }
}

fn remove(path: &Path) -> Result<(), ApplicationFault> {
    Ok(crate::system::fs::folders::remove(path)?)
}

/// A log with its rotated versions.
fn files_of_log(log: &Path) -> Vec<PathBuf> {
    let mut paths = vec![log.to_owned()];
    paths.extend((1..=ROTATED).map(|number| PathBuf::from(format!("{}.{number}", log.display()))));
    paths
}

fn read_log(path: &Path) -> String {
    let bytes = files::read(path, LOG_LIMIT).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The folder that supervisor reads programs from, and how their files end.
fn program_folder() -> (PathBuf, &'static str) {
    for config in SUPERVISOR_CONFIGS {
        let Ok(bytes) = files::read(Path::new(config), CONFIG_LIMIT) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((folder, suffix)) = parse_include(&text) {
            let folder = files::parent(Path::new(config)).join(folder);
            return (folder, suffix);
        }
    }
    (PathBuf::from(PROGRAMS), ".conf")
}

/// Reads the first pattern of `files` in the section `[include]`.
fn parse_include(text: &str) -> Option<(&str, &'static str)> {
    let (_, section) = text.split_once("\n[include]")?;
    let section = section.split("\n[").next()?;
    let line = section
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("files"))?;
    let (_, patterns) = line.split_once('=')?;
    patterns.split_whitespace().find_map(|pattern| {
        let (folder, name) = pattern.rsplit_once('/')?;
        match name {
            "*.conf" => Some((folder, ".conf")),
            "*.ini" => Some((folder, ".ini")),
            _ => None,
        }
    })
}

/// Parses `NAME  RUNNING  pid 12, uptime 0:00:01`.
fn parse_program_state(line: &str) -> ServiceState {
    let mut words = line.split_whitespace();
    match words.nth(1) {
        Some("RUNNING") => {
            let pid = words.nth(1).map(|pid| pid.trim_end_matches(',').to_owned());
            ServiceState::Running(pid)
        }
        Some("STARTING") => ServiceState::Running(None),
        _ => ServiceState::Ended,
    }
}

/// Parses the properties of a unit.
fn parse_unit_state(text: &str) -> ServiceState {
    let value = |name: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    };
    let pid = value("MainPID").filter(|pid| *pid != "0");
    match (value("ActiveState"), pid) {
        (Some("active" | "activating" | "reloading"), Some(pid)) => {
            ServiceState::Running(Some(pid.to_owned()))
        }
        _ => ServiceState::Ended,
    }
}

/// Parses the last line of journalctl with `--show-cursor`.
fn parse_cursor(text: &str) -> Option<String> {
    let mut lines = text.lines().rev();
    lines.find_map(|line| line.strip_prefix("-- cursor: ").map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::{ServiceState, parse_cursor, parse_include, parse_program_state, parse_unit_state};

    #[test]
    fn states_of_both_managers_are_read() {
        let running = |pid: &str| ServiceState::Running(Some(pid.to_owned()));
        for (line, state) in [
            ("app  RUNNING   pid 12, uptime 0:00:01\n", running("12")),
            ("app  STARTING  \n", ServiceState::Running(None)),
            ("app  BACKOFF   Exited too quickly\n", ServiceState::Ended),
            ("app: ERROR (no such process)\n", ServiceState::Ended),
            ("", ServiceState::Ended),
        ] {
            assert_eq!(parse_program_state(line), state, "{line}");
        }
        for (text, state) in [
            ("MainPID=7\nActiveState=active\n", running("7")),
            ("ActiveState=activating\nMainPID=7\n", running("7")),
            ("ActiveState=activating\nMainPID=0\n", ServiceState::Ended),
            ("ActiveState=failed\nMainPID=0\n", ServiceState::Ended),
            ("", ServiceState::Ended),
        ] {
            assert_eq!(parse_unit_state(text), state, "{text}");
        }
        assert_eq!(
            parse_cursor("a\n-- cursor: s=1;i=2\n").as_deref(),
            Some("s=1;i=2")
        );
        assert_eq!(parse_cursor("a\n"), None);
    }

    #[test]
    fn the_folder_of_programs_is_read() {
        let text = "[supervisord]\nx=1\n[include]\n; comment\nfiles = /etc/supervisor/conf.d/*.conf\n[a]\n";
        assert_eq!(
            parse_include(text),
            Some(("/etc/supervisor/conf.d", ".conf"))
        );
        let text = "\n[include]\nfiles=x.conf supervisord.d/*.ini\n";
        assert_eq!(parse_include(text), Some(("supervisord.d", ".ini")));
        assert_eq!(parse_include("\n[include]\n[a]\nfiles=/x/*.conf\n"), None);
    }
}
