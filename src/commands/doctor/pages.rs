//! What a site answers over https, and why: its applications, and the folder of its files.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::server::LocalServer;
use crate::advice::doctor_command;
use crate::diagnosis::{FileBarrier, PageFacts, PageFiles, UpstreamFault, UpstreamState};
use crate::install::worker_access::{self, WorkerIdentity};
use crate::pki::name::DnsName;
use crate::probe::http::{HttpScheme, SiteAnswer};
use crate::site::application::ServiceManager;
use crate::system::fs::{files, folders};
use crate::system::listening;
use crate::webserver::control::ServerDetail;
use crate::webserver::model::{ConfigBlock, UpstreamAddress};

/// The folders with the services of systemd, and those with the programs of supervisor.
const SERVICES: [(ServiceManager, &str); 4] = [
    (ServiceManager::Systemd, "/etc/systemd/system"),
    (ServiceManager::Systemd, "/lib/systemd/system"),
    (ServiceManager::Supervisor, "/etc/supervisor/conf.d"),
    (ServiceManager::Supervisor, "/etc/supervisord.d"),
];
/// The maximum size of a service's file, in bytes.
const SERVICE_SIZE: u64 = 64 * 1024;
/// How many files of a folder are read.
const SERVICE_LIMIT: usize = 2000;

/// Finds out what is behind a page.
pub(super) fn examine(
    server: &LocalServer,
    name: &DnsName,
    address: SocketAddr,
    answer: SiteAnswer,
) -> PageFacts {
    let places = server.places(name, &[address]);
    let mut places = places.into_iter();
    let place = places.find(|web| web.place.scheme == HttpScheme::Https);
    let worker = server
        .observation
        .running
        .and_then(worker_access::find_worker);
    let mut upstreams = Vec::new();
    let mut files = None;
    if let Some(place) = &place
        && !answer.works()
    {
        for upstream in server.observation.upstreams(place) {
            upstreams.push(examine_upstream(upstream, worker.as_ref()));
        }
        let block = place.block.as_ref();
        files = block.filter(|_| upstreams.is_empty()).and_then(|block| {
            let folder = root_of(server, block)?;
            Some(examine_folder(folder, worker.as_ref()))
        });
    }
    PageFacts {
        address,
        answer,
        upstreams,
        files,
        log: Some(doctor_command::error_log(server.program.software()).to_owned()),
    }
}

/// A page of which only the answer is known.
pub(super) fn without_server(address: SocketAddr, answer: SiteAnswer) -> PageFacts {
    PageFacts {
        address,
        answer,
        upstreams: Vec::new(),
        files: None,
        log: None,
    }
}

fn root_of(server: &LocalServer, block: &ConfigBlock) -> Option<PathBuf> {
    let ServerDetail::Nginx { config, .. } = &server.observation.detail else {
        return None;
    };
    let root = config.root_of(&block.file, block.line)?;
    root.is_absolute().then(|| root.to_owned())
}

fn examine_upstream(address: UpstreamAddress, worker: Option<&WorkerIdentity>) -> UpstreamState {
    let fault = match &address {
        UpstreamAddress::Socket { host, port } => {
            listening::refuses_socket(host, *port).then_some(UpstreamFault::Closed)
        }
        UpstreamAddress::Unix(path) => find_socket_fault(path, worker),
    };
    UpstreamState {
        start_command: fault.as_ref().and_then(|_| find_service(&address)),
        fault,
        address,
    }
}

fn find_socket_fault(path: &Path, worker: Option<&WorkerIdentity>) -> Option<UpstreamFault> {
    if !files::exists(path) {
        return Some(UpstreamFault::SocketMissing);
    }
    if listening::refuses_unix(path) {
        return Some(UpstreamFault::SocketDead);
    }
    let barrier = worker?.find_barrier(path, 'w')?;
    Some(UpstreamFault::Denied(barrier))
}

fn examine_folder(folder: PathBuf, worker: Option<&WorkerIdentity>) -> PageFiles {
    let index = folder.join("index.html");
    let has_index = files::exists(&index);
    // Without an index, nothing is read: it is only searched.
    let barrier: Option<FileBarrier> = worker.and_then(|worker| {
        if has_index {
            worker.find_barrier(&index, 'r')
        } else {
            worker.find_barrier(&folder, 'x')
        }
    });
    PageFiles {
        folder_exists: folders::is_folder(&folder),
        has_index,
        barrier,
        folder,
    }
}

/// Finds the service whose file names the address, and returns the command that starts it.
fn find_service(address: &UpstreamAddress) -> Option<String> {
    let wanted = match address {
        UpstreamAddress::Socket { port, .. } => format!(":{port}"),
        UpstreamAddress::Unix(path) => path.display().to_string(),
    };
    for (manager, folder) in SERVICES {
        let entries = files::entries(Path::new(folder), SERVICE_LIMIT);
        for path in entries.unwrap_or_default() {
            let Ok(bytes) = files::read(&path, SERVICE_SIZE) else {
                continue;
            };
            let text = String::from_utf8_lossy(&bytes);
            let is_command = |line: &str| {
                let line = line.trim().to_ascii_lowercase();
                line.starts_with("execstart") || line.starts_with("command")
            };
            let names = |line: &&str| is_command(line) && names_address(line, &wanted);
            if text.lines().any(|line| names(&line)) {
                let service = service_name(manager, &path, &text)?;
                return Some(doctor_command::start_service(manager, &service));
            }
        }
    }
    None
}

/// Whether a line has the address as a whole word: `:80` is not `:8000`.
fn names_address(line: &str, wanted: &str) -> bool {
    line.match_indices(wanted).any(|(start, found)| {
        let rest = &line[start + found.len()..];
        !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    })
}

/// The name of a service: that of the unit's file, or that of the section with the program.
fn service_name(manager: ServiceManager, path: &Path, text: &str) -> Option<String> {
    match manager {
        ServiceManager::Systemd => {
            let name = path.file_name()?.to_str()?;
            name.ends_with(".service").then(|| name.to_owned())
        }
        ServiceManager::Supervisor => {
            let mut lines = text.lines();
            let section = lines.find_map(|line| line.trim().strip_prefix("[program:"))?;
            section.strip_suffix(']').map(str::to_owned)
        }
    }
}
