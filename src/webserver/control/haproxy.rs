//! Finds, runs and observes the HAProxy of this machine: the installed one, and those that run. The
//! command line of a running one names its configuration; its environment and working directory
//! decide what that means.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::found_programs::{FoundPrograms, RunnableProgram};
use super::master_group::MasterGroup;
use super::{process_table, service};
use crate::finding::shell_word;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders;
use crate::system::process;
use crate::webserver::control::observe::{
    FileView, InstanceScope, ServerDetail, ServerError, ServerObservation, absolute_config,
    output_of, supports_ipv6,
};
use crate::webserver::haproxy::{
    CrtCertificate, CrtPathContent, HaproxyBuild, HaproxyConfig, HaproxyEnvironment, HaproxyFiles,
};
use crate::webserver::masters::reload::MasterBarrier;
use crate::webserver::masters::{ServerMaster, StartArguments};
use crate::webserver::model::{ConfigFile, ServerSoftware};

/// Its usual configuration file.
const CONFIG: &str = "/etc/haproxy/haproxy.cfg";
/// Its unit and service script.
const SERVICE: &str = "haproxy";
/// The maximum size of a certificate or list, in bytes.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// An HAProxy on this machine.
#[derive(Clone, Debug)]
pub struct HaproxyProgram {
    pub binary: PathBuf,
    pub build: HaproxyBuild,
    /// Its configuration files and folders, in order; absolute.
    pub config: Vec<PathBuf>,
    /// The processes that run with this configuration.
    pub(crate) group: MasterGroup,
}

impl RunnableProgram for HaproxyProgram {
    const SOFTWARE: ServerSoftware = ServerSoftware::Haproxy;

    fn of_masters(installed: Option<&Self>, masters: &[ServerMaster]) -> Option<Self> {
        let first = masters.first()?;
        let (binary, build) = match (&first.process.executable, installed) {
            (Some(path), Some(installed)) if !files::are_same_file(path, &installed.binary) => {
                (path, build_of(path))
            }
            (_, Some(installed)) => (&installed.binary, installed.build.clone()),
            (Some(path), None) => (path, build_of(path)),
            (None, None) => return None,
        };
        Some(Self {
            binary: binary.clone(),
            build,
            config: first.arguments.config.clone(),
            group: MasterGroup::default(),
        })
    }

    fn reads(&self, config: &Path) -> bool {
        let mut files = self.config.iter();
        files.any(|path| path == config || files::are_same_file(path, config))
    }

    fn attach(&mut self, group: MasterGroup, _installed: Option<&Self>) {
        self.group = group;
    }
}

impl HaproxyProgram {
    /// Finds every HAProxy in `scope`; the installed one, with the configuration that the user gave
    /// or the usual one, comes first.
    ///
    /// # Errors
    /// When the program called haproxy cannot be run or is not HAProxy.
    pub(crate) fn find_all(
        config: Option<&Path>,
        scope: InstanceScope,
    ) -> Result<Vec<Self>, ServerError> {
        let file = absolute_config(config)?.unwrap_or_else(|| CONFIG.into());
        let installed = Self::find_installed(&file)?;
        let found = FoundPrograms::find(installed.as_ref(), Some(&file), scope);
        Ok(found.or_installed(installed))
    }

    fn find_installed(file: &Path) -> Result<Option<Self>, ServerError> {
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
        Ok(Some(Self {
            binary,
            build: HaproxyBuild::parse(&output),
            config: vec![file.to_owned()],
            group: MasterGroup::default(),
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
        let first = self.group.masters.first().map(|one| &one.master);
        let mut config = read_config_in(&FileView::own(), &self.config, &self.build, first)?;
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
            running: self.group.running(),
            ipv6: supports_ipv6(),
        })
    }

    /// Returns a doubt about a running HAProxy that neither a service manager nor a signal can
    /// reload.
    fn reload_doubt(&self) -> Option<String> {
        let mut masters = self.group.masters.iter();
        let master = masters.find(|one| one.barriers.contains(&MasterBarrier::NoReload))?;
        Some(format!(
            "HAProxy (process {}) runs without a master process (`-W`); certctl can reload it only \
             with the command that `--reload` gives",
            master.master.process.pid
        ))
    }

    #[must_use]
    pub fn test(&self) -> Vec<String> {
        let mut argv = vec![self.binary.display().to_string(), "-c".to_owned()];
        if let Some(running) = self.group.arguments() {
            // The test runs in the folder and the mode of the running process, so that conditions
            // have the same results.
            if let Some(folder) = &running.folder
                && folder != Path::new("/")
            {
                argv.extend(["-C".to_owned(), folder.display().to_string()]);
            }
            if running.has_workers {
                argv.push("-W".to_owned());
            }
        }
        for path in &self.config {
            argv.extend(["-f".to_owned(), path.display().to_string()]);
        }
        argv
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

/// How a program was built; nothing is known of one that cannot be run.
fn build_of(binary: &Path) -> HaproxyBuild {
    HaproxyBuild::parse(&output_of(binary, "-vv").unwrap_or_default())
}

/// Reads a configuration with the files that a process sees; `running` is the process, if it runs.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn read_config_in(
    view: &FileView,
    paths: &[PathBuf],
    build: &HaproxyBuild,
    running: Option<&ServerMaster>,
) -> Result<HaproxyConfig, FileError> {
    let mut texts: Vec<ConfigFile> = Vec::new();
    for path in paths {
        texts.extend(read_texts(view, path)?);
    }
    let arguments: Option<&StartArguments> = running.map(|master| &master.arguments);
    let environment = running.map(|master| environment_of(master.process.pid));
    let files = HaproxyFiles {
        environment: environment.unwrap_or_default(),
        build: build.clone(),
        folder: arguments.and_then(|arguments| arguments.folder.clone()),
        read_crt: &mut |path| read_crt_path(view, path),
        read_list: &mut |path| view.read_text(path).ok().map(|list| list.text),
    };
    Ok(HaproxyConfig::read(&texts, files))
}

/// Reads a configuration file, or those of a folder that HAProxy reads.
fn read_texts(view: &FileView, path: &Path) -> Result<Vec<ConfigFile>, FileError> {
    if !folders::is_folder(&view.outside(path)) {
        return Ok(vec![view.read_text(path)?]);
    }
    let mut texts = Vec::new();
    for file in view.entries(path)? {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let is_folder = folders::is_folder(&view.outside(&file));
        if name.ends_with(".cfg") && !name.starts_with('.') && !is_folder {
            texts.push(view.read_text(&file)?);
        }
    }
    Ok(texts)
}

/// Reads what exists at a path that the configuration names as a certificate. The file may contain
/// a key, so its bytes are wiped.
fn read_crt_path(view: &FileView, path: &Path) -> CrtPathContent {
    let outside = view.outside(path);
    if folders::is_folder(&outside) {
        return view
            .entries(path)
            .map_or(CrtPathContent::Unreadable, CrtPathContent::Folder);
    }
    match files::read(&outside, FILE_LIMIT) {
        Ok(bytes) => CrtPathContent::File(CrtCertificate::from_bytes(&Zeroizing::new(bytes))),
        Err(error) if error.is_missing() => CrtPathContent::Nothing,
        Err(_) => CrtPathContent::Unreadable,
    }
}

/// The environment of a process, if it may be read.
fn environment_of(pid: i32) -> HaproxyEnvironment {
    let Some(variables) = process_table::environment_of(pid) else {
        return HaproxyEnvironment::default();
    };
    let pairs = variables.iter().filter_map(|word| word.split_once('='));
    HaproxyEnvironment {
        set: pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        complete: true,
    }
}
