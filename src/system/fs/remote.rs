//! File systems whose files another machine or another program provides (NFS, SMB, FUSE): an operation
//! on them can wait without end for a server that is gone (nfs(5), `hard`). Reads get a deadline; the
//! thread that waits is abandoned. Local files are read directly.

use std::collections::HashMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::mounts::{MountEntry, MountTable};

/// How long one operation may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);
/// After so many operations without an answer, a mount is not used any more.
const MOST_SILENCES: usize = 2;
/// The number of links that the kernel follows in one path (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// The mounts of this process, read once; empty if none of them is remote.
static REMOTE: LazyLock<MountTable> = LazyLock::new(|| {
    let mounts = MountTable::own();
    if mounts.has_shared() {
        mounts
    } else {
        MountTable::default()
    }
});

/// How many operations each mount did not answer.
static SILENCES: LazyLock<Mutex<HashMap<PathBuf, usize>>> = LazyLock::new(Mutex::default);

/// Runs `work` on `path`: directly if it is local, else in a thread that has [`DEADLINE`].
///
/// # Errors
/// The error of `work`, or `TimedOut` with the type of the file system.
pub(super) fn with_deadline<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match remote_mount(path) {
        None => work(path),
        Some(mount) => run_with_deadline(path, mount, work),
    }
}

/// Returns the remote mount that an operation on `path` uses, if any.
pub(super) fn remote_mount(path: &Path) -> Option<&'static MountEntry> {
    if REMOTE.is_empty() {
        return None;
    }
    find_remote(&REMOTE, path)
}

fn run_with_deadline<T: Send + 'static>(
    path: &Path,
    mount: &MountEntry,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let silent = || {
        let text = format!(
            "the {} file system at {} does not answer",
            mount.kind,
            mount.point.display()
        );
        io::Error::new(io::ErrorKind::TimedOut, text)
    };
    if silences().get(&mount.point) >= Some(&MOST_SILENCES) {
        return Err(silent());
    }
    let (sender, receiver) = sync_channel(1);
    let path = path.to_owned();
    thread::Builder::new().spawn(move || {
        // Without a receiver, the deadline is over.
        let _ = sender.send(work(&path));
    })?;
    receiver.recv_timeout(DEADLINE).unwrap_or_else(|_| {
        *silences().entry(mount.point.clone()).or_default() += 1;
        Err(silent())
    })
}

fn silences() -> std::sync::MutexGuard<'static, HashMap<PathBuf, usize>> {
    SILENCES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Follows the links of `path`, and returns the first remote mount that a component of it is on.
/// Nothing on that mount is touched.
fn find_remote<'m>(mounts: &'m MountTable, path: &Path) -> Option<&'m MountEntry> {
    let mut rest: Vec<PathBuf> = Vec::new();
    push_components(&mut rest, &std::path::absolute(path).ok()?);
    let mut reached = PathBuf::from("/");
    let mut links = 0;
    while let Some(component) = rest.pop() {
        if component == Path::new("..") {
            reached.pop();
            continue;
        }
        reached.push(&component);
        let mount = mounts.mount_of(&reached);
        if let Some(mount) = mount
            && mount.is_shared()
        {
            return Some(mount);
        }
        if let Ok(target) = std::fs::read_link(&reached) {
            links += 1;
            if links > MOST_LINKS {
                return None;
            }
            reached.pop();
            push_components(&mut rest, &target);
        }
    }
    None
}

/// Adds the components of a path, the first one last; one that is absolute replaces what was reached.
fn push_components(rest: &mut Vec<PathBuf>, path: &Path) {
    let components: Vec<Component<'_>> = path.components().collect();
    for component in components.into_iter().rev() {
        if component != Component::CurDir {
            rest.push(PathBuf::from(component.as_os_str()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::find_remote;
    use crate::system::fs::mounts::MountTable;

    #[test]
    fn links_lead_to_remote_mounts() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().canonicalize().unwrap();
        let text = format!(
            "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:25 / {0}/nfs rw - nfs4 files:/ rw\n\
             31 30 8:1 / {0}/nfs/disk rw - ext4 /dev/sdb1 rw\n",
            at.display()
        );
        let mounts = MountTable::parse(text.as_bytes());
        std::fs::create_dir(at.join("local")).unwrap();
        symlink("../nfs/ssl", at.join("local/relative")).unwrap();
        symlink(at.join("nfs"), at.join("absolute")).unwrap();
        symlink("loop", at.join("loop")).unwrap();
        for (path, is_remote) in [
            ("local/a.pem", false),
            ("loop", false),
            ("missing/a.pem", false),
            ("nfs", true),
            ("nfs/a.pem", true),
            ("nfs/disk/a.pem", true),
            ("local/../nfs/a.pem", true),
            ("local/relative", true),
            ("local/relative/a.pem", true),
            ("absolute/a.pem", true),
            ("nfsx/a.pem", false),
        ] {
            let found = find_remote(&mounts, &at.join(path));
            assert_eq!(found.is_some(), is_remote, "{path}");
            let point = found.map(|mount| mount.point.as_path());
            assert!(point.is_none_or(|point| point == Path::new(&at.join("nfs"))));
        }
    }
}
