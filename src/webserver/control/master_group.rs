//! The running masters of one configuration: what runs each, whether certctl can reach it, and their
//! reload.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::observe::{self, FILE_LIMIT};
use super::{ports, process_table, service};
use crate::finding::shell_line;
use crate::system::clock::{self, Stopwatch};
use crate::system::fs::files;
use crate::system::fs::folders;
use crate::system::fs::root_only;
use crate::system::process::{
    self, CommandSurroundings, FinishedCommand, ProcessError, ProcessSignal,
};
use crate::system::process_start;
use crate::webserver::masters::reload::{
    self, MasterBarrier, ReloadMethod, ReloadSignal, RunnerFacts,
};
use crate::webserver::masters::{ProcessNamespaces, ServerMaster, StartArguments};
use crate::webserver::model::ServerSoftware;

/// How long a master that is replaced may take to stop listening.
const REPLACEMENT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);
/// Variables that systemd and HAProxy set for one process.
const OF_ONE_PROCESS: [&str; 7] = [
    "HAPROXY_MWORKER",
    "HAPROXY_PROCESSES",
    "LISTEN_",
    "MAINPID",
    "NOTIFY_SOCKET",
    "PATH=",
    "WATCHDOG_",
];

/// A running master, and how it is reloaded.
#[derive(Clone, Debug)]
pub(crate) struct ControlledMaster {
    pub master: ServerMaster,
    pub method: ReloadMethod,
    /// Why certctl cannot reload or probe it.
    pub barriers: Vec<MasterBarrier>,
}

/// The masters that were started alike, in one network namespace.
#[derive(Clone, Debug, Default)]
pub(crate) struct MasterGroup {
    pub masters: Vec<ControlledMaster>,
}

/// The running masters of a server.
#[derive(Debug, Default)]
pub(crate) struct RunningMasters {
    /// Those that see the same files as certctl, grouped by how they were started.
    pub groups: Vec<Vec<ServerMaster>>,
    /// Those that see other files.
    pub foreign: Vec<ServerMaster>,
    /// Those of other users, who can change what they run or read. Nothing of them is run.
    pub untrusted: Vec<ServerMaster>,
}

impl RunningMasters {
    /// Finds the running masters of a server.
    #[must_use]
    pub(crate) fn read(software: ServerSoftware) -> Self {
        let own = process_table::own_namespaces();
        let mut running = Self::default();
        for master in process_table::read_masters(software) {
            if !sees_own_files(software, &master, &own) {
                running.foreign.push(master);
                continue;
            }
            let master = if is_ours(&master) {
                master
            } else if has_protected_files(&master) {
                master.distrusted()
            } else {
                running.untrusted.push(master);
                continue;
            };
            let group = running
                .groups
                .iter_mut()
                .find(|group| belongs_to(&master, group));
            match group {
                Some(group) => group.push(master),
                None => running.groups.push(vec![master]),
            }
        }
        running
    }
}

fn belongs_to(master: &ServerMaster, group: &[ServerMaster]) -> bool {
    group.first().is_some_and(|first| {
        first.is_started_like(master)
            && first.process.namespaces.network == master.process.namespaces.network
    })
}

/// Whether root or the user of this process started a master: it runs nothing that they could not run
/// themselves.
fn is_ours(master: &ServerMaster) -> bool {
    let user = master.process.user;
    user == Some(0) || user == Some(folders::current_user())
}

/// Whether only root can change the program and the configuration of a master.
fn has_protected_files(master: &ServerMaster) -> bool {
    let program = master.process.executable.as_deref();
    program.is_some_and(root_only::only_root_can_change)
        && master
            .arguments
            .config
            .iter()
            .all(|path| root_only::only_root_can_change(path))
}

/// Whether a process sees the files that certctl sees. The units of systemd may have a mount
/// namespace of their own, in which most files are the same.
fn sees_own_files(
    software: ServerSoftware,
    master: &ServerMaster,
    own: &ProcessNamespaces,
) -> bool {
    if reload::has_own_mounts(software, &master.process, own) {
        return true;
    }
    let view = observe::FileView::below(process_table::root_of(master.process.pid));
    let is_same = |path: &Path| {
        let theirs = view.outside(path);
        files::are_same_file(&theirs, path)
    };
    is_same(Path::new("/etc")) && master.arguments.config.iter().all(|path| is_same(path))
}

/// Whether a master has its own mounts or its own root directory.
pub(super) fn has_own_view(software: ServerSoftware, master: &ServerMaster) -> bool {
    let own = process_table::own_namespaces();
    !reload::has_own_mounts(software, &master.process, &own)
}

impl MasterGroup {
    /// Determines what runs each of these masters, and whether certctl can reach it.
    #[must_use]
    pub(crate) fn observe(software: ServerSoftware, masters: Vec<ServerMaster>) -> Self {
        let own = process_table::own_namespaces();
        let masters = masters.into_iter();
        Self {
            masters: masters
                .map(|master| ControlledMaster::observe(software, master, &own))
                .collect(),
        }
    }

    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.masters.is_empty()
    }

    /// How the masters were started; `None` if none runs.
    #[must_use]
    pub(crate) fn arguments(&self) -> Option<&StartArguments> {
        Some(&self.masters.first()?.master.arguments)
    }

    /// The process id of the first master that still runs.
    #[must_use]
    pub(crate) fn running(&self) -> Option<i32> {
        let mut masters = self.masters.iter();
        let running = masters.find(|one| is_still_running(&one.master));
        running.map(|one| one.master.process.pid)
    }

    /// Whether at least one master can be reloaded.
    #[must_use]
    pub(crate) fn can_reload(&self) -> bool {
        self.masters.iter().any(ControlledMaster::can_reload)
    }

    /// Whether the addresses of at least one master can be probed.
    #[must_use]
    pub(crate) fn can_probe(&self) -> bool {
        self.masters.iter().any(ControlledMaster::can_probe)
    }

    /// The commands that reload the masters; `None` if none can be reloaded.
    #[must_use]
    pub(crate) fn reload_command(&self) -> Option<Vec<String>> {
        let mut words: Vec<String> = Vec::new();
        for master in self.masters.iter().filter(|master| master.can_reload()) {
            let Some(command) = master.method.command(&master.master) else {
                continue;
            };
            if !words.is_empty() {
                words.push("&&".to_owned());
            }
            words.extend(command);
        }
        (!words.is_empty()).then_some(words)
    }

    /// The same as [`Self::reload_command`] as a line for a shell.
    #[must_use]
    pub(crate) fn reload_line(&self) -> Option<String> {
        let masters = self.masters.iter().filter(|master| master.can_reload());
        let commands = masters.filter_map(|master| master.method.command(&master.master));
        let mut lines = Vec::new();
        for command in commands {
            lines.push(shell_line(&command));
        }
        (!lines.is_empty()).then(|| lines.join(" && "))
    }

    /// The surroundings of the first master, for commands that read its configuration.
    #[must_use]
    pub(crate) fn surroundings(&self) -> CommandSurroundings {
        let first = self.masters.first();
        first.map_or_else(CommandSurroundings::default, |one| {
            surroundings(&one.master)
        })
    }

    /// The masters of this group that run now. A reload may have replaced some, and one that is
    /// replaced finishes its connections before it ends.
    fn read_again(&self, software: ServerSoftware) -> Vec<ServerMaster> {
        let Some(first) = self.masters.first() else {
            return Vec::new();
        };
        let mut groups = RunningMasters::read(software).groups.into_iter();
        let found = groups.find(|group| belongs_to(&first.master, group));
        let mut masters = found.unwrap_or_default();
        let listens = |master: &ServerMaster| ports::listens(master.process.pid, &master.children);
        // A configuration may have no address at all.
        if software == ServerSoftware::Haproxy && masters.iter().any(listens) {
            masters.retain(listens);
        }
        masters
    }

    /// The process ids of the masters that run now.
    pub(crate) fn current_pids(&self, software: ServerSoftware) -> Vec<i32> {
        pids(&self.read_again(software))
    }

    /// Reloads every master that can be reloaded; `None` if none can be.
    ///
    /// # Errors
    /// When a command could not be run. A failed reload is a [`FinishedCommand`].
    pub(crate) fn reload(
        &self,
        software: ServerSoftware,
    ) -> Result<Option<FinishedCommand>, ProcessError> {
        if !self.can_reload() {
            return Ok(None);
        }
        let before = self.read_again(software);
        if before.is_empty() {
            let message = format!("{} is no longer running", software.title());
            return Ok(Some(finished(Some(message))));
        }
        let current = Self::observe(software, before);
        for master in current.masters.iter().filter(|master| master.can_reload()) {
            let reloaded = master.reload(software)?;
            if !reloaded.succeeded() {
                return Ok(Some(reloaded));
            }
        }
        let wrong = self.compare(software, &current.pids());
        Ok(Some(finished(wrong)))
    }

    /// Runs a reload command of the user; afterwards as many masters must run as before.
    ///
    /// # Errors
    /// When the command could not be run.
    pub(crate) fn run_command(
        &self,
        software: ServerSoftware,
        command: Vec<String>,
    ) -> Result<FinishedCommand, ProcessError> {
        let before: Vec<i32> = pids(&self.read_again(software));
        let reloaded = observe::run_named(command)?;
        if !reloaded.succeeded() || before.is_empty() {
            return Ok(reloaded);
        }
        let wrong = self.compare(software, &before);
        Ok(wrong.map_or(reloaded, |wrong| finished(Some(wrong))))
    }

    /// The process ids of the masters.
    pub(crate) fn pids(&self) -> Vec<i32> {
        let masters = self.masters.iter();
        masters.map(|one| one.master.process.pid).collect()
    }

    /// Waits until as many masters run as before; returns what is wrong if that does not happen.
    fn compare(&self, software: ServerSoftware, before: &[i32]) -> Option<String> {
        let started = Stopwatch::start();
        loop {
            let after = pids(&self.read_again(software));
            let wrong = reload::compare_masters(software.title(), before, &after)?;
            if started.elapsed() >= REPLACEMENT {
                return Some(wrong);
            }
            clock::sleep(PAUSE);
        }
    }
}

fn pids(masters: &[ServerMaster]) -> Vec<i32> {
    masters.iter().map(|master| master.process.pid).collect()
}

impl ControlledMaster {
    fn observe(software: ServerSoftware, master: ServerMaster, own: &ProcessNamespaces) -> Self {
        let process = &master.process;
        let runner = RunnerFacts {
            // Another service manager runs the processes of another pid namespace.
            unit: reload::is_same(process.namespaces.pid.as_ref(), own.pid.as_ref())
                .then(|| service::find_unit(&process.cgroup))
                .flatten(),
            script: service::find_script(software, &master),
            is_daemon_by_config: software == ServerSoftware::Haproxy
                && is_daemon(&master.arguments.config),
        };
        let method = ReloadMethod::choose(software, &master, &runner);
        let mut barriers = Vec::new();
        if !reload::is_same(process.namespaces.network.as_ref(), own.network.as_ref()) {
            barriers.push(MasterBarrier::OtherNetwork);
        }
        if !process::may_signal(process.pid) {
            barriers.push(MasterBarrier::OtherUser);
        } else if let Some(successor) = master.successor {
            barriers.push(MasterBarrier::Replaced(successor));
        } else if method == ReloadMethod::Impossible {
            barriers.push(MasterBarrier::NoReload);
        }
        Self {
            master,
            method,
            barriers,
        }
    }

    pub(crate) fn can_reload(&self) -> bool {
        self.barriers.iter().all(|barrier| barrier.allows_reload())
    }

    pub(crate) fn can_probe(&self) -> bool {
        self.barriers.iter().all(|barrier| barrier.allows_probe())
    }

    fn reload(&self, software: ServerSoftware) -> Result<FinishedCommand, ProcessError> {
        match &self.method {
            ReloadMethod::Signal(signal) => Ok(self.send(software, *signal)),
            ReloadMethod::Successor => {
                let command = self.method.command(&self.master).unwrap_or_default();
                observe::run_in(command, &surroundings(&self.master))
            }
            ReloadMethod::Unit(_) | ReloadMethod::Script(_) | ReloadMethod::Impossible => {
                observe::run(self.method.command(&self.master).unwrap_or_default())
            }
        }
    }

    fn send(&self, software: ServerSoftware, signal: ReloadSignal) -> FinishedCommand {
        let pid = self.master.process.pid;
        let number = match signal {
            ReloadSignal::Hup => ProcessSignal::Hup,
            ReloadSignal::Usr1 => ProcessSignal::Usr1,
            ReloadSignal::Usr2 => ProcessSignal::Usr2,
        };
        // The id of a process that has ended may belong to another program by now.
        if is_still_running(&self.master) && process::send_signal(pid, number) {
            return finished(None);
        }
        finished(Some(format!(
            "certctl could not run `kill {} {pid}` for {}",
            signal.option(),
            software.title()
        )))
    }
}

/// The result of a reload without a program; `wrong` says why it failed.
fn finished(wrong: Option<String>) -> FinishedCommand {
    FinishedCommand {
        status: Some(i32::from(wrong.is_some())),
        signal: None,
        output: wrong.unwrap_or_default(),
        timed_out: false,
    }
}

fn is_still_running(master: &ServerMaster) -> bool {
    let folder = Path::new("/proc").join(master.process.pid.to_string());
    process_start::read_stat(&folder).is_some_and(|facts| facts.started == master.process.started)
}

fn surroundings(master: &ServerMaster) -> CommandSurroundings {
    if !master.is_trusted {
        return CommandSurroundings::default();
    }
    let variables = process_table::environment_of(master.process.pid).map(|mut set| {
        set.retain(|variable| !OF_ONE_PROCESS.iter().any(|name| variable.starts_with(name)));
        let pairs = set.iter().filter_map(|variable| variable.split_once('='));
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    });
    CommandSurroundings {
        folder: master.process.folder.clone(),
        variables,
        ..CommandSurroundings::default()
    }
}

/// Whether a configuration of HAProxy has the line `daemon`.
fn is_daemon(config: &[PathBuf]) -> bool {
    config.iter().any(|path| {
        let text = files::read(path, FILE_LIMIT).unwrap_or_default();
        String::from_utf8_lossy(&text)
            .lines()
            .any(|line| line.split_whitespace().next() == Some("daemon"))
    })
}
