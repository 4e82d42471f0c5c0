//! Finds, runs and observes the HAProxy of this machine. The command line of a running one names
//! its configuration; its environment and working directory decide what that means.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::service;
use crate::finding::shell_word;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders::{self, FileKind};
use crate::system::process::{self, FinishedCommand};
use crate::webserver::control::observe::{
    FILES, ServerDetail, ServerError, ServerObservation, absolute_config, output_of, read_text,
    split_at_nulls, supports_ipv6,
};
use crate::webserver::haproxy::{
    CrtCertificate, CrtPathContent, HaproxyBuild, HaproxyConfig, HaproxyEnvironment, HaproxyFiles,
    MasterProcess,
};
use crate::webserver::model::{ConfigFile, ServerSoftware};

/// Its usual configuration file.
const CONFIG: &str = "/etc/haproxy/haproxy.cfg";
/// Its unit and service script.
const SERVICE: &str = "haproxy";
/// The maximum size of a certificate, list or command line, in bytes.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// An HAProxy on this machine.
#[derive(Clone, Debug)]
pub struct HaproxyProgram {
    pub binary: PathBuf,
    pub build: HaproxyBuild,
    /// Its configuration files and folders, in order; absolute.
    pub config: Vec<PathBuf>,
    /// The process that runs with them.
    pub master: Option<MasterProcess>,
    /// The service manager's reload command, if a service runs it.
    pub service: Option<Vec<String>>,
}

impl HaproxyProgram {
    /// Finds the HAProxy of this machine; `config` is the configuration file if the user gave one.
    /// `None` when HAProxy is not installed.
    ///
    /// # Errors
    /// When the program called haproxy cannot be run or is not HAProxy.
    pub fn find(config: Option<&Path>) -> Result<Option<Self>, ServerError> {
        let Some(binary) = process::find_program("haproxy") else {
            return Ok(None);
        };
        let output = output_of(&binary, "-vv")?;
        if !output.contains("HAProxy version") && !output.contains("HA-Proxy version") {
            return Err(ServerError::UnexpectedProgram {
                software: ServerSoftware::Haproxy,
                binary,
            });
        }
        let given = absolute_config(config)?;
        let file = given.clone().unwrap_or_else(|| CONFIG.into());
        let master = running_masters()
            .into_iter()
            .find(|master| master.config.contains(&file) && reads_file(master, &file));
        let service = service::reload_command(given.as_deref(), &[SERVICE]);
        // The process may read further files.
        let config = master
            .as_ref()
            .map_or_else(|| vec![file], |master| master.config.clone());
        Ok(Some(Self {
            binary,
            build: HaproxyBuild::parse(&output),
            config,
            master,
            service,
        }))
    }

    /// The main configuration file.
    #[must_use]
    pub fn config_file(&self) -> &Path {
        self.config
            .first()
            .map_or_else(|| Path::new(CONFIG), PathBuf::as_path)
    }

    /// Reads its configuration and whether it runs.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn observe(&self) -> Result<ServerObservation, ServerError> {
        let mut texts: Vec<ConfigFile> = Vec::new();
        for path in &self.config {
            texts.extend(read_config(path)?);
        }
        let mut config = self.parse(&texts);
        config.doubts.extend(self.reload_doubt());
        let mut server_config = config.to_server_config();
        for path in &self.config {
            if folders::is_folder(path) {
                server_config.includes.push(path.join("*.cfg"));
            }
        }
        Ok(ServerObservation {
            config: server_config,
            detail: ServerDetail::Haproxy(config),
            running: self.master.as_ref().map(|master| master.pid),
            ipv6: supports_ipv6(),
        })
    }

    fn parse(&self, texts: &[ConfigFile]) -> HaproxyConfig {
        let mut environment = HaproxyEnvironment::default();
        let mut folder = None;
        if let Some(master) = &self.master {
            environment = environment_of(master);
            folder.clone_from(&master.folder);
        }
        let files = HaproxyFiles {
            environment,
            build: self.build.clone(),
            folder,
            read_crt: &mut read_crt_path,
            read_list: &mut |path| read_text(path).ok().map(|list| list.text),
        };
        HaproxyConfig::read(texts, files)
    }

    /// Returns a doubt about a running HAProxy that neither a service manager nor a signal can
    /// reload.
    fn reload_doubt(&self) -> Option<String> {
        let master = self.master.as_ref()?;
        if self.service.is_some() || self.reload().is_some() {
            return None;
        }
        Some(format!(
            "HAProxy (process {}) runs without a master process (`-W`); certctl can reload it only \
             with the command that `--reload` gives",
            master.pid
        ))
    }

    #[must_use]
    pub fn test(&self) -> Vec<String> {
        let mut argv = vec![self.binary.display().to_string(), "-c".to_owned()];
        if let Some(master) = &self.master {
            // The test runs in the folder and the mode of the running process, so that conditions
            // have the same results.
            if let Some(folder) = &master.folder
                && folder != Path::new("/")
            {
                argv.extend(["-C".to_owned(), folder.display().to_string()]);
            }
            if master.workers {
                argv.push("-W".to_owned());
            }
        }
        for path in &self.config {
            argv.extend(["-f".to_owned(), path.display().to_string()]);
        }
        argv
    }

    /// The service manager's reload command, else a signal to the master, which replaces its
    /// workers.
    #[must_use]
    pub fn reload(&self) -> Option<Vec<String>> {
        if self.service.is_some() {
            return self.service.clone();
        }
        let master = self.master.as_ref().filter(|master| master.workers)?;
        let words = ["kill", "-USR2", &master.pid.to_string()].map(str::to_owned);
        Some(words.into())
    }

    /// Sends the reload signal directly, without a program; `None` where a service manager reloads.
    #[must_use]
    pub fn send_reload_signal(&self) -> Option<FinishedCommand> {
        let master = self.master.as_ref().filter(|_| self.service.is_none())?;
        let is_running = running_masters()
            .iter()
            .any(|other| other.pid == master.pid);
        let is_signaled = is_running && process::send_reload_signal(master.pid);
        let output = if is_signaled {
            String::new()
        } else {
            format!(
                "certctl could not send SIGUSR2 to HAProxy (process {})",
                master.pid
            )
        };
        Some(FinishedCommand {
            status: Some(i32::from(!is_signaled)),
            signal: None,
            output,
            timed_out: false,
        })
    }

    /// The command line that starts it.
    #[must_use]
    pub fn start_command(&self) -> String {
        if self.config_file() == Path::new(CONFIG)
            && let Some(command) = service::start_command(SERVICE)
        {
            return command;
        }
        let files: Vec<String> = self
            .config
            .iter()
            .map(|path| format!("-f {}", shell_word(&path.display().to_string())))
            .collect();
        format!("sudo haproxy -W -D {}", files.join(" "))
    }
}

/// Reads a configuration file, or those of a folder that HAProxy reads.
fn read_config(path: &Path) -> Result<Vec<ConfigFile>, FileError> {
    if !folders::is_folder(path) {
        return Ok(vec![read_text(path)?]);
    }
    let mut texts = Vec::new();
    for file in files::entries(path, FILES)? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".cfg") && !name.starts_with('.') && !folders::is_folder(&file) {
            texts.push(read_text(&file)?);
        }
    }
    Ok(texts)
}

/// Reads what exists at a path that the configuration names as a certificate. The file may contain
/// a key, so its bytes are wiped.
fn read_crt_path(path: &Path) -> CrtPathContent {
    if folders::is_folder(path) {
        return files::entries(path, FILES)
            .map_or(CrtPathContent::Unreadable, CrtPathContent::Folder);
    }
    match files::read(path, FILE_LIMIT) {
        Ok(bytes) => CrtPathContent::File(CrtCertificate::from_bytes(&Zeroizing::new(bytes))),
        Err(error) if error.is_missing() => CrtPathContent::Nothing,
        Err(_) => CrtPathContent::Unreadable,
    }
}

/// A running HAProxy, and the process id of its parent.
struct HaproxyProcess {
    process: MasterProcess,
    parent: i32,
}

/// Every running HAProxy that is not a worker of another.
fn running_masters() -> Vec<MasterProcess> {
    let running: Vec<HaproxyProcess> = files::entries(Path::new("/proc"), FILES * 4)
        .unwrap_or_default()
        .iter()
        .filter_map(|folder| process_at(folder))
        .collect();
    let pids: Vec<i32> = running.iter().map(|one| one.process.pid).collect();
    let parents: Vec<i32> = running.iter().map(|one| one.parent).collect();
    let mut masters = Vec::new();
    for HaproxyProcess { process, parent } in running {
        if pids.contains(&parent) {
            continue;
        }
        masters.push(MasterProcess {
            workers: process.workers || parents.contains(&process.pid),
            ..process
        });
    }
    masters
}

/// Returns whether the path leads to the same file for the process, which may run in another
/// container.
fn reads_file(master: &MasterProcess, file: &Path) -> bool {
    let root = Path::new("/proc").join(master.pid.to_string()).join("root");
    // The process has changed its root (`chroot`) after it had read its configuration.
    if let Ok(Some(status)) = folders::read_status(&root)
        && let FileKind::Link(root) = status.kind
        && root != Path::new("/")
    {
        return true;
    }
    let theirs = folders::read_status(&root.join(file.strip_prefix("/").unwrap_or(file)));
    match (theirs, folders::read_status(file)) {
        (Ok(Some(theirs)), Ok(Some(ours))) => theirs.is_same_file(&ours),
        (Ok(None), Ok(Some(_))) => false,
        // Without permission to read the status, equal paths count as the same file.
        _ => true,
    }
}

/// The process of a folder of /proc, if it is an HAProxy.
fn process_at(folder: &Path) -> Option<HaproxyProcess> {
    let pid: i32 = folder.file_name()?.to_str()?.parse().ok()?;
    let name = files::read(&folder.join("comm"), FILE_LIMIT).ok()?;
    if String::from_utf8_lossy(&name).trim() != "haproxy" {
        return None;
    }
    let command_line = files::read(&folder.join("cmdline"), FILE_LIMIT).ok()?;
    let cwd = match folders::read_status(&folder.join("cwd")) {
        Ok(Some(status)) => link_target(status.kind),
        _ => None,
    };
    let stat = files::read(&folder.join("stat"), FILE_LIMIT).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    // The name in brackets may contain anything; the parent is the second field after it.
    let (_, fields) = stat.rsplit_once(") ")?;
    let parent = fields.split(' ').nth(1)?.parse().ok()?;
    Some(HaproxyProcess {
        process: MasterProcess::new(pid, &nonempty_words(&command_line), cwd),
        parent,
    })
}

fn link_target(kind: FileKind) -> Option<PathBuf> {
    match kind {
        FileKind::Link(target) => Some(target),
        _ => None,
    }
}

/// The environment of a process, if it may be read.
fn environment_of(master: &MasterProcess) -> HaproxyEnvironment {
    let path = format!("/proc/{}/environ", master.pid);
    let Ok(bytes) = files::read(Path::new(&path), FILE_LIMIT) else {
        return HaproxyEnvironment::default();
    };
    let mut set = Vec::new();
    for word in nonempty_words(&bytes) {
        if let Some((name, value)) = word.split_once('=') {
            set.push((name.to_owned(), value.to_owned()));
        }
    }
    HaproxyEnvironment {
        set,
        complete: true,
    }
}

fn nonempty_words(bytes: &[u8]) -> Vec<String> {
    let mut words = split_at_nulls(bytes);
    words.retain(|word| !word.is_empty());
    words
}
