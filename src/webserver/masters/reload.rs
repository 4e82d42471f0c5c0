//! How a running master is reloaded: by what runs it, not by what is installed. Pure.

use std::path::{Path, PathBuf};

use super::ServerMaster;
use super::process_facts::{ProcessFacts, ProcessNamespaces};
use crate::webserver::model::ServerSoftware;

/// A systemd unit with the process of a master in its control group.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct UnitFacts {
    pub name: String,
    /// Its main process; 0 if systemd does not know it.
    main_pid: i32,
    can_reload: bool,
    /// Whether systemd made the unit from a service script.
    is_from_script: bool,
}

impl UnitFacts {
    /// The properties that [`UnitFacts::parse`] needs, for `systemctl show --property`.
    pub(crate) const PROPERTIES: &str = "MainPID,CanReload,SourcePath";

    /// Parses the output of `systemctl show`.
    #[must_use]
    pub(crate) fn parse(name: String, shown: &str) -> Self {
        let value = |property: &str| {
            shown.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key == property).then_some(value.trim())
            })
        };
        Self {
            name,
            main_pid: value("MainPID")
                .and_then(|pid| pid.parse().ok())
                .unwrap_or(0),
            can_reload: value("CanReload") == Some("yes"),
            is_from_script: value("SourcePath")
                .is_some_and(|path| path.starts_with("/etc/init.d/")),
        }
    }

    /// Whether the unit runs this process. A process that a user started from within another service
    /// is in the control group of that service.
    fn runs(&self, pid: i32) -> bool {
        self.main_pid == pid || (self.main_pid == 0 && self.is_from_script)
    }
}

/// Returns the system unit of a process from the content of /proc/PID/cgroup: systemd names its
/// control groups after units, in the unified hierarchy or in its own (cgroups(7)). Units of a user's
/// own service manager are not included.
#[must_use]
pub(crate) fn unit_of_cgroup(cgroup: &str) -> Option<String> {
    cgroup.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        if !controllers.is_empty() && controllers != "name=systemd" {
            return None;
        }
        let parts: Vec<&str> = path.split('/').collect();
        if parts.iter().any(|part| part.starts_with("user@")) {
            return None;
        }
        let unit = parts.iter().rev().find(|part| part.ends_with(".service"))?;
        Some((*unit).to_owned())
    })
}

/// What runs a master.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct RunnerFacts {
    pub unit: Option<UnitFacts>,
    /// The service script that started it: its pid file names the process.
    pub script: Option<String>,
    /// Whether the configuration of HAProxy makes it a daemon.
    pub is_daemon_by_config: bool,
}

/// A signal that reloads a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ReloadSignal {
    /// nginx: the master reads its configuration again.
    Hup,
    /// Apache: a graceful restart.
    Usr1,
    /// HAProxy: the master executes itself again.
    Usr2,
}

impl ReloadSignal {
    /// The option of `kill`.
    #[must_use]
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Hup => "-HUP",
            Self::Usr1 => "-USR1",
            Self::Usr2 => "-USR2",
        }
    }
}

/// How a running master is reloaded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ReloadMethod {
    /// `systemctl reload UNIT`
    Unit(String),
    /// `service NAME reload`
    Script(String),
    Signal(ReloadSignal),
    /// HAProxy without a master: a new process with the same options replaces it (`-sf`).
    Successor,
    /// HAProxy without a master, in the foreground or in a unit: whatever started it would lose it.
    /// Also one whose command line may not be trusted.
    Impossible,
}

impl ReloadMethod {
    /// Chooses how `master` is reloaded.
    #[must_use]
    pub(crate) fn choose(
        software: ServerSoftware,
        master: &ServerMaster,
        runner: &RunnerFacts,
    ) -> Self {
        if let Some(unit) = &runner.unit
            && unit.can_reload
            && unit.runs(master.process.pid)
        {
            return Self::Unit(unit.name.clone());
        }
        if let Some(script) = &runner.script {
            return Self::Script(script.clone());
        }
        let arguments = &master.arguments;
        // A process that replaces it would not belong to its unit.
        let has_unit = runner
            .unit
            .as_ref()
            .is_some_and(|unit| unit.runs(master.process.pid));
        match software {
            ServerSoftware::Nginx => Self::Signal(ReloadSignal::Hup),
            ServerSoftware::Apache => Self::Signal(ReloadSignal::Usr1),
            ServerSoftware::Haproxy if arguments.has_workers => Self::Signal(ReloadSignal::Usr2),
            ServerSoftware::Haproxy
                if master.is_trusted
                    && !has_unit
                    && (arguments.is_daemon || runner.is_daemon_by_config) =>
            {
                Self::Successor
            }
            ServerSoftware::Haproxy => Self::Impossible,
        }
    }

    /// The command that does the same, one word each; `None` if there is none.
    #[must_use]
    pub(crate) fn command(&self, master: &ServerMaster) -> Option<Vec<String>> {
        let pid = master.process.pid.to_string();
        Some(match self {
            Self::Unit(unit) => ["systemctl", "reload", unit].map(str::to_owned).into(),
            Self::Script(name) => ["service", name, "reload"].map(str::to_owned).into(),
            Self::Signal(signal) => ["kill", signal.option(), &pid].map(str::to_owned).into(),
            Self::Successor => successor_command(master),
            Self::Impossible => return None,
        })
    }
}

/// The command line of a process that replaces an HAProxy without a master.
fn successor_command(master: &ServerMaster) -> Vec<String> {
    let process = &master.process;
    let program = match &process.executable {
        Some(path) => path.display().to_string(),
        None => process.words.first().cloned().unwrap_or_default(),
    };
    let mut words = vec![program];
    let (files, rest) = match master
        .arguments
        .for_successor
        .iter()
        .position(|word| word == "--")
    {
        Some(at) => master.arguments.for_successor.split_at(at),
        None => (&master.arguments.for_successor[..], &[][..]),
    };
    words.extend(files.iter().cloned());
    words.extend(["-sf".to_owned(), process.pid.to_string()]);
    words.extend(rest.iter().cloned());
    words
}

/// Why certctl cannot reload or probe a master.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MasterBarrier {
    /// Its addresses are in another network namespace.
    OtherNetwork,
    /// It sees other files at the same paths, in a container for example.
    OtherFiles,
    /// It belongs to a user whose processes certctl may not signal.
    OtherUser,
    /// It is being replaced by this process.
    Replaced(i32),
    /// HAProxy without a master, which certctl cannot replace.
    NoReload,
    /// Another user started it, and could have changed what it runs or reads.
    Untrusted,
}

impl MasterBarrier {
    /// Whether it can be reloaded in spite of this.
    #[must_use]
    pub(crate) fn allows_reload(self) -> bool {
        self == Self::OtherNetwork
    }

    /// Whether its addresses can be probed in spite of this.
    #[must_use]
    pub(crate) fn allows_probe(self) -> bool {
        !matches!(
            self,
            Self::OtherNetwork | Self::OtherFiles | Self::Untrusted
        )
    }

    /// What certctl did not do, and why: follows the name of the process.
    #[must_use]
    pub(crate) fn reason(self) -> String {
        match self {
            Self::OtherNetwork => {
                "was not probed, because it runs in another network namespace".to_owned()
            }
            Self::OtherFiles => "was neither reloaded nor probed, because it runs in a container \
                or a chroot, with its own view of the file system"
                .to_owned(),
            Self::OtherUser => "was not reloaded, because it belongs to another user".to_owned(),
            Self::Replaced(pid) => {
                format!("was not reloaded, because process {pid} is replacing it")
            }
            Self::NoReload => "was not reloaded, because it has no master process (`-W`), and \
                certctl cannot start the process that replaces it"
                .to_owned(),
            Self::Untrusted => "was neither tested, reloaded nor probed, because another user \
                runs it and can change its program or its configuration"
                .to_owned(),
        }
    }
}

/// Whether a process has the same root and mount namespace as certctl (`own`). If not, its files
/// have to be compared.
#[must_use]
pub(crate) fn has_own_mounts(
    software: ServerSoftware,
    process: &ProcessFacts,
    own: &ProcessNamespaces,
) -> bool {
    // HAProxy changes its root after it has read its configuration.
    let is_at_root = software == ServerSoftware::Haproxy
        || process
            .root
            .as_ref()
            .is_none_or(|root| root == Path::new("/"));
    is_at_root && is_same(process.namespaces.mount.as_ref(), own.mount.as_ref())
}

/// Whether two namespaces are the same; assumed if one of them may not be read.
#[must_use]
pub(crate) fn is_same(one: Option<&PathBuf>, other: Option<&PathBuf>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// Compares the masters before and after a reload; returns what is wrong, if anything.
#[must_use]
pub(crate) fn compare_masters(title: &str, before: &[i32], after: &[i32]) -> Option<String> {
    let join = |pids: &[i32]| Vec::from_iter(pids.iter().map(ToString::to_string)).join(", ");
    if after.len() > before.len() {
        let new: Vec<i32> = after
            .iter()
            .copied()
            .filter(|pid| !before.contains(pid))
            .collect();
        return Some(format!(
            "the reload started another {title} (process {}), and the one before (process {}) \
             still runs",
            join(&new),
            join(before)
        ));
    }
    if after.len() < before.len() {
        let gone: Vec<i32> = before
            .iter()
            .copied()
            .filter(|pid| !after.contains(pid))
            .collect();
        return Some(format!(
            "{title} (process {}) ended at the reload",
            join(&gone)
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::{StartArguments, find_masters};
    use super::{
        ProcessFacts, ReloadMethod, ReloadSignal, RunnerFacts, ServerMaster, ServerSoftware,
        UnitFacts, compare_masters, unit_of_cgroup,
    };

    fn haproxy(line: &str) -> ServerMaster {
        let process = ProcessFacts {
            pid: 7,
            name: "haproxy".to_owned(),
            words: line.split(' ').map(str::to_owned).collect(),
            executable: Some("/usr/sbin/haproxy".into()),
            ..ProcessFacts::default()
        };
        find_masters(ServerSoftware::Haproxy, &[process]).remove(0)
    }

    #[test]
    fn the_unit_is_in_the_control_group() {
        for (cgroup, unit) in [
            ("0::/system.slice/nginx.service\n", Some("nginx.service")),
            (
                "8:pids:/x.service\n1:name=systemd:/system.slice/system-apache2.slice/apache2@a.service\n0::/\n",
                Some("apache2@a.service"),
            ),
            // A container whose systemd has only the unified hierarchy.
            (
                "9:name=systemd:/\n8:pids:/\n0::/system.slice/nginx.service\n",
                Some("nginx.service"),
            ),
            ("0::/user.slice/user-0.slice/session-3.scope\n", None),
            (
                "0::/user.slice/user-5.slice/user@5.service/app.slice/nginx.service\n",
                None,
            ),
            ("0::/system.slice/web.service/sub\n", Some("web.service")),
            ("0::/docker/0123\n", None),
            ("", None),
        ] {
            assert_eq!(unit_of_cgroup(cgroup).as_deref(), unit, "{cgroup}");
        }
    }

    #[test]
    fn what_runs_a_master_decides_how_it_is_reloaded() {
        let unit = |shown: &str| Some(UnitFacts::parse("haproxy.service".to_owned(), shown));
        let plain = RunnerFacts::default();
        for (line, runner, expected) in [
            (
                "haproxy -Ws -f a",
                RunnerFacts {
                    unit: unit("MainPID=7\nCanReload=yes\nSourcePath="),
                    ..plain.clone()
                },
                "systemctl reload haproxy.service",
            ),
            (
                "haproxy -W -f a",
                RunnerFacts {
                    unit: unit("MainPID=99\nCanReload=yes\nSourcePath="),
                    ..plain.clone()
                },
                "kill -USR2 7",
            ),
            (
                "haproxy -W -f a",
                RunnerFacts {
                    unit: unit("MainPID=7\nCanReload=no"),
                    ..plain.clone()
                },
                "kill -USR2 7",
            ),
            (
                "haproxy -D -f a",
                RunnerFacts {
                    unit: unit("MainPID=0\nCanReload=yes\nSourcePath=/etc/init.d/haproxy"),
                    ..plain.clone()
                },
                "systemctl reload haproxy.service",
            ),
            (
                "haproxy -D -f a",
                RunnerFacts {
                    unit: unit("MainPID=7\nCanReload=no\nSourcePath="),
                    ..plain.clone()
                },
                "",
            ),
            (
                "haproxy -D -f a -p /run/haproxy.pid",
                RunnerFacts {
                    script: Some("haproxy".to_owned()),
                    ..plain.clone()
                },
                "service haproxy reload",
            ),
            (
                "haproxy -D -f a -sf 3",
                plain.clone(),
                "/usr/sbin/haproxy -D -f a -sf 7",
            ),
            (
                "haproxy -D -- a b",
                plain.clone(),
                "/usr/sbin/haproxy -D -sf 7 -- a b",
            ),
            ("haproxy -f a", plain.clone(), ""),
            (
                "haproxy -f a",
                RunnerFacts {
                    is_daemon_by_config: true,
                    ..plain
                },
                "/usr/sbin/haproxy -f a -sf 7",
            ),
        ] {
            let master = haproxy(line);
            let method = ReloadMethod::choose(ServerSoftware::Haproxy, &master, &runner);
            let command = method.command(&master).unwrap_or_default();
            assert_eq!(command.join(" "), expected, "{line}");
        }
    }

    /// Another user may have chosen the options, and the process can change what /proc shows of them.
    #[test]
    fn no_command_line_of_another_user_is_repeated() {
        let master = haproxy("haproxy -D -p /tmp/pid -f /etc/haproxy/haproxy.cfg");
        let plain = RunnerFacts::default();
        let choose =
            |master: &ServerMaster| ReloadMethod::choose(ServerSoftware::Haproxy, master, &plain);
        assert_eq!(choose(&master), ReloadMethod::Successor);
        let distrusted = master.clone().distrusted();
        assert_eq!(choose(&distrusted), ReloadMethod::Impossible);
        assert_eq!(distrusted.arguments.config, master.arguments.config);
        assert!(distrusted.arguments.for_successor.is_empty());
        let script = RunnerFacts {
            script: Some("haproxy".to_owned()),
            ..plain
        };
        assert_eq!(
            ReloadMethod::choose(ServerSoftware::Haproxy, &distrusted, &script),
            ReloadMethod::Script("haproxy".to_owned())
        );
    }

    #[test]
    fn nginx_and_apache_are_reloaded_by_their_signals() {
        let master = ServerMaster {
            is_trusted: true,
            process: ProcessFacts::default(),
            arguments: StartArguments::default(),
            children: Vec::new(),
            successor: None,
        };
        for (software, signal) in [
            (ServerSoftware::Nginx, ReloadSignal::Hup),
            (ServerSoftware::Apache, ReloadSignal::Usr1),
        ] {
            let method = ReloadMethod::choose(software, &master, &RunnerFacts::default());
            assert_eq!(method, ReloadMethod::Signal(signal));
        }
    }

    #[test]
    fn masters_that_a_reload_starts_or_ends_are_named() {
        assert_eq!(compare_masters("HAProxy", &[7], &[7]), None);
        assert_eq!(compare_masters("HAProxy", &[7], &[9]), None);
        let started = compare_masters("HAProxy", &[7], &[7, 9]).unwrap();
        assert!(started.contains("(process 9)"), "{started}");
        let ended = compare_masters("Apache", &[7, 8], &[8]).unwrap();
        assert_eq!(ended, "Apache (process 7) ended at the reload");
    }
}
