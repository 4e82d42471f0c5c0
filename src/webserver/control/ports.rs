//! The processes that listen at an address, from /proc.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::process_table;
use crate::system::fs::files;
use crate::system::fs::folders::{self, FileKind};
use crate::system::process_start;
use crate::webserver::masters::listeners::ListeningSocket;

/// The maximum size of a table of sockets, in bytes.
const TABLE_LIMIT: u64 = 64 * 1024 * 1024;
/// The maximum number of open files of a process that are checked.
const OPEN_FILES: usize = 1_000_000;
/// The maximum number of characters of a command line that are shown.
const COMMAND_LENGTH: usize = 120;

/// A process that listens at an address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PortOwner {
    pub address: SocketAddr,
    pub pid: i32,
    /// The beginning of its command line, without options, whose values may be secret. Untrusted
    /// text.
    pub command: String,
}

impl PortOwner {
    /// Describes the owner: `127.0.0.1:443 is in use by process 812 (/usr/sbin/apache2)`.
    #[must_use]
    pub(crate) fn in_words(&self) -> String {
        format!(
            "{} is in use by process {} ({})",
            self.address, self.pid, self.command
        )
    }
}

/// Returns the sockets that listen in the network of this process now.
#[must_use]
pub(crate) fn current_sockets() -> Vec<ListeningSocket> {
    listening_sockets(Path::new("/proc/self"))
}

/// Returns the processes that listen at `addresses` with one of `sockets`, except for `servers` and
/// their workers. Of a process and its workers, which share a socket, only the first is returned.
#[must_use]
pub(crate) fn find_other_owners(
    sockets: &[ListeningSocket],
    addresses: &[SocketAddr],
    servers: &[i32],
) -> Vec<PortOwner> {
    let mut owners = Vec::new();
    for &address in addresses {
        let inodes: BTreeSet<u64> = sockets
            .iter()
            .filter(|socket| socket.covers(address))
            .map(|socket| socket.inode)
            .collect();
        let is_held = |&pid: &i32| holds_any(&folder_of(pid), &inodes) == Some(true);
        if inodes.is_empty() || servers.iter().any(is_held) {
            continue;
        }
        let holders = find_holders(&inodes);
        let is_known = |holder: &SocketHolder| {
            servers.contains(&holder.pid) || servers.contains(&holder.parent)
        };
        if holders.iter().any(is_known) {
            continue;
        }
        let mut pids = Vec::new();
        for holder in &holders {
            pids.push(holder.pid);
        }
        let first = holders.iter().find(|holder| !pids.contains(&holder.parent));
        owners.extend(first.map(|holder| PortOwner {
            address,
            pid: holder.pid,
            command: command_of(holder.pid),
        }));
    }
    owners
}

/// Returns the addresses at which `sockets` accept connections; one for all addresses becomes the
/// loopback address.
#[must_use]
pub(crate) fn listening_addresses(sockets: &[ListeningSocket]) -> Vec<SocketAddr> {
    let mut addresses: Vec<SocketAddr> = sockets
        .iter()
        .map(|socket| reachable(socket.address))
        .collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

fn reachable(address: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip.to_canonical(),
    };
    SocketAddr::new(ip, address.port())
}

/// Whether the process, or one of `others`, has a socket that listens; assumed if its open files may
/// not be read.
#[must_use]
pub(crate) fn listens(pid: i32, others: &[i32]) -> bool {
    let folder = folder_of(pid);
    let inodes: BTreeSet<u64> = listening_sockets(&folder)
        .iter()
        .map(|socket| socket.inode)
        .collect();
    std::iter::once(&pid)
        .chain(others)
        .any(|&pid| holds_any(&folder_of(pid), &inodes).unwrap_or(true))
}

/// A process that has a socket open.
struct SocketHolder {
    pid: i32,
    parent: i32,
}

fn find_holders(inodes: &BTreeSet<u64>) -> Vec<SocketHolder> {
    let mut holders = Vec::new();
    for folder in process_table::process_folders() {
        if holds_any(&folder, inodes) != Some(true) {
            continue;
        }
        if let Some(pid) = process_table::pid_of(&folder)
            && let Some(facts) = process_start::read_stat(&folder)
        {
            holders.push(SocketHolder {
                pid,
                parent: facts.parent,
            });
        }
    }
    holders
}

/// Whether a process has one of these sockets open; `None` if that may not be read.
fn holds_any(folder: &Path, inodes: &BTreeSet<u64>) -> Option<bool> {
    let open = files::entries(&folder.join("fd"), OPEN_FILES).ok()?;
    Some(open.iter().any(|path| {
        let Ok(Some(status)) = folders::read_status(path) else {
            return false;
        };
        let FileKind::Link(target) = status.kind else {
            return false;
        };
        let text = target.to_string_lossy();
        let inode = text
            .strip_prefix("socket:[")
            .and_then(|rest| rest.strip_suffix(']'))
            .and_then(|inode| inode.parse().ok());
        inode.is_some_and(|inode| inodes.contains(&inode))
    }))
}

/// Returns the listening sockets of the network namespace of a process.
fn listening_sockets(folder: &Path) -> Vec<ListeningSocket> {
    let mut sockets = Vec::new();
    for table in ["net/tcp", "net/tcp6"] {
        let bytes = files::read(&folder.join(table), TABLE_LIMIT).unwrap_or_default();
        sockets.extend(ListeningSocket::parse_table(&String::from_utf8_lossy(
            &bytes,
        )));
    }
    sockets
}

fn folder_of(pid: i32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}

/// The words of a command line up to its first option or assignment.
pub(super) fn command_of(pid: i32) -> String {
    let words = process_table::words_of(pid);
    let named = words
        .iter()
        .enumerate()
        .take_while(|(index, word)| *index == 0 || !(word.starts_with('-') || word.contains('=')));
    let named: Vec<&str> = named.map(|(_, word)| word.as_str()).collect();
    let command = named.join(" ");
    match command.char_indices().nth(COMMAND_LENGTH) {
        Some((end, _)) => format!("{}...", &command[..end]),
        None => command,
    }
}
