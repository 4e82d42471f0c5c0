//! The HAProxy of this machine: found, run, its files read. The one that runs says by its command
//! line which configuration it has, and by its environment and its folder what that means.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::service;
use crate::finding::shell_word;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders::{self, FileKind};
use crate::system::process::{self, FinishedCommand};
use crate::webserver::control::observe::{
    FILES, ServerDetail, ServerError, ServerObservation, read_text, run, speaks_ipv6,
};
use crate::webserver::haproxy::{
    CrtCertificate, CrtPathContent, HaproxyConfig, HaproxyEnvironment, HaproxyFiles, MasterProcess,
};
use crate::webserver::model::{ConfigFile, ServerSoftware};

/// Where its configuration is unless somebody says otherwise.
const CONFIG: &str = "/etc/haproxy/haproxy.cfg";
/// Its unit and service script.
const SERVICE: &str = "haproxy";
/// No certificate, list or command line is larger.
const FILE: u64 = 4 * 1024 * 1024;

/// An HAProxy on this machine.
#[derive(Clone, Debug)]
pub struct HaproxyProgram {
    pub binary: PathBuf,
    /// Its configuration files and folders, in their order; absolute.
    pub config: Vec<PathBuf>,
    /// The one that runs with them.
    pub master: Option<MasterProcess>,
    /// The service manager's command, where one runs it.
    pub service: Option<Vec<String>>,
}

impl HaproxyProgram {
    /// The HAProxy of this machine, with the configuration `config` where one was named; `None`
    /// when there is none.
    ///
    /// # Errors
    /// When what is called so cannot be run or is not HAProxy.
    pub fn find(config: Option<&Path>) -> Result<Option<Self>, ServerError> {
        let Some(binary) = process::which("haproxy") else {
            return Ok(None);
        };
        let said = run(vec![binary.display().to_string(), "-v".to_owned()])?;
        if !said.output.contains("HAProxy version") && !said.output.contains("HA-Proxy version") {
            return Err(ServerError::Stranger {
                software: ServerSoftware::Haproxy,
                binary,
            });
        }
        let absolute = |path: &Path| std::path::absolute(path).map_err(FileError::at("find", path));
        let named = config.map(absolute).transpose()?;
        let file = named.clone().unwrap_or_else(|| CONFIG.into());
        let master = masters()
            .into_iter()
            .find(|master| master.config.contains(&file) && sees(master, &file));
        let service = if named.is_none() {
            service::reload_command(&[SERVICE])
        } else {
            None
        };
        // It may read more files than the one that was named.
        let config = master
            .as_ref()
            .map_or_else(|| vec![file], |master| master.config.clone());
        Ok(Some(Self {
            binary,
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

    /// Reads its configuration, as far as files are there, and whether it runs.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn observe(&self) -> Result<ServerObservation, ServerError> {
        let mut texts: Vec<ConfigFile> = Vec::new();
        for path in &self.config {
            texts.extend(read_config(path)?);
        }
        let world = HaproxyFiles {
            environment: self.master.as_ref().map(environment).unwrap_or_default(),
            folder: self
                .master
                .as_ref()
                .and_then(|master| master.folder.clone()),
            look: &mut look,
            text: &mut |path| read_text(path).ok().map(|list| list.text),
        };
        let mut config = HaproxyConfig::read(&texts, world);
        if let Some(master) = self
            .master
            .as_ref()
            .filter(|_| self.service.is_none() && self.reload().is_none())
        {
            config.doubts.push(format!(
                "HAProxy (process {}) runs without a master (-W): certctl cannot make it read its \
                    files again; say how:  --reload COMMAND",
                master.pid
            ));
        }
        let running = self.master.as_ref().map(|master| master.pid);
        let mut neutral = config.neutral();
        let read_whole = self.config.iter().filter(|path| folders::is_folder(path));
        neutral
            .includes
            .extend(read_whole.map(|folder| folder.join("*.cfg")));
        Ok(ServerObservation {
            config: neutral,
            detail: ServerDetail::Haproxy(config),
            running,
            ipv6: speaks_ipv6(),
        })
    }

    #[must_use]
    pub fn test(&self) -> Vec<String> {
        let mut argv = vec![self.binary.display().to_string(), "-c".to_owned()];
        if let Some(master) = &self.master {
            // As it runs: in its folder, and so that its conditions hold alike.
            let folder = master
                .folder
                .as_ref()
                .filter(|folder| folder.as_path() != Path::new("/"));
            argv.extend(
                folder
                    .iter()
                    .flat_map(|folder| ["-C".to_owned(), folder.display().to_string()]),
            );
            argv.extend(master.workers.then(|| "-W".to_owned()));
        }
        argv.extend(
            self.config
                .iter()
                .flat_map(|path| ["-f".to_owned(), path.display().to_string()]),
        );
        argv
    }

    /// The service manager's reload, else a signal to the master, which starts new workers in the
    /// place of the old.
    #[must_use]
    pub fn reload(&self) -> Option<Vec<String>> {
        let signal = |master: &MasterProcess| {
            let words = ["kill", "-USR2", &master.pid.to_string()].map(str::to_owned);
            master.workers.then(|| words.into())
        };
        self.service
            .clone()
            .or_else(|| self.master.as_ref().and_then(signal))
    }

    /// The signal itself: no program is needed for it.
    #[must_use]
    pub fn signal(&self) -> Option<FinishedCommand> {
        let master = self.master.as_ref().filter(|_| self.service.is_none())?;
        let told =
            masters().iter().any(|other| other.pid == master.pid) && process::reload(master.pid);
        let output = if told {
            String::new()
        } else {
            format!("there is no HAProxy with process id {}", master.pid)
        };
        Some(FinishedCommand {
            status: Some(i32::from(!told)),
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

/// A configuration file, or those of a folder that HAProxy reads.
fn read_config(path: &Path) -> Result<Vec<ConfigFile>, FileError> {
    if !folders::is_folder(path) {
        return Ok(vec![read_text(path)?]);
    }
    let wanted = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".cfg") && !name.starts_with('.') && !folders::is_folder(file)
    };
    files::entries(path, FILES)?
        .iter()
        .filter(|file| wanted(file))
        .map(|file| read_text(file))
        .collect()
}

/// What lies at a path that is named as a certificate. It may hold a key: the bytes are wiped.
fn look(path: &Path) -> CrtPathContent {
    if folders::is_folder(path) {
        return files::entries(path, FILES)
            .map_or(CrtPathContent::Unreadable, CrtPathContent::Folder);
    }
    match files::read(path, FILE) {
        Ok(bytes) => CrtPathContent::File(CrtCertificate::of(&Zeroizing::new(bytes))),
        Err(error) if error.is_missing() => CrtPathContent::Nothing,
        Err(_) => CrtPathContent::Unreadable,
    }
}

/// Every HAProxy that runs and is no worker of another.
fn masters() -> Vec<MasterProcess> {
    let all: Vec<(MasterProcess, i32)> = files::entries(Path::new("/proc"), FILES * 4)
        .unwrap_or_default()
        .iter()
        .filter_map(|it| process_at(it))
        .collect();
    let pids: Vec<i32> = all.iter().map(|(master, _)| master.pid).collect();
    let parent_is_none = |(_, parent): &(MasterProcess, i32)| !pids.contains(parent);
    let workers = |pid: i32| all.iter().any(|(_, parent)| *parent == pid);
    let own = all.iter().filter(|one| parent_is_none(one));
    own.map(|(master, _)| MasterProcess {
        workers: master.workers || workers(master.pid),
        ..master.clone()
    })
    .collect()
}

/// Whether that file is the same one to it: another container's is called alike.
fn sees(master: &MasterProcess, file: &Path) -> bool {
    let root = Path::new("/proc").join(master.pid.to_string()).join("root");
    let jailed = |seen: folders::FileStatus| matches!(seen.kind, FileKind::Link(root) if root != Path::new("/"));
    // `chroot` of its own configuration, which it has read before.
    if folders::look(&root).ok().flatten().is_some_and(jailed) {
        return true;
    }
    let theirs = folders::look(&root.join(file.strip_prefix("/").unwrap_or(file)));
    match (theirs, folders::look(file)) {
        (Ok(Some(theirs)), Ok(Some(ours))) => theirs.is(&ours),
        (Ok(None), Ok(Some(_))) => false,
        // It is not ours to look at: its name must do.
        _ => true,
    }
}

/// The process of a folder of /proc, and its parent, if it is an HAProxy.
fn process_at(folder: &Path) -> Option<(MasterProcess, i32)> {
    let pid: i32 = folder.file_name()?.to_str()?.parse().ok()?;
    let read = |name: &str| files::read(&folder.join(name), FILE).ok();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if text(read("comm")?).trim() != "haproxy" {
        return None;
    }
    let words = words(&read("cmdline")?);
    let cwd = folders::look(&folder.join("cwd"))
        .ok()
        .flatten()
        .and_then(|seen| match seen.kind {
            FileKind::Link(folder) => Some(folder),
            _ => None,
        });
    // The name in brackets may hold anything; the parent comes second after it.
    let stat = text(read("stat")?);
    let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
    Some((MasterProcess::new(pid, &words, cwd), parent))
}

/// The environment of a process, where it may be read.
fn environment(master: &MasterProcess) -> HaproxyEnvironment {
    let Ok(bytes) = files::read(Path::new(&format!("/proc/{}/environ", master.pid)), FILE) else {
        return HaproxyEnvironment::default();
    };
    let variable = |word: String| {
        word.split_once('=')
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    HaproxyEnvironment {
        set: words(&bytes).into_iter().filter_map(variable).collect(),
        complete: true,
    }
}

fn words(bytes: &[u8]) -> Vec<String> {
    let words = bytes
        .split(|&byte| byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned());
    words.filter(|word| !word.is_empty()).collect()
}
