//! Paths below the tree of `--root`. Another user may own the tree and replace a folder in it by a
//! link at any time. So no path in it is resolved from `/`: every call starts at a descriptor of the
//! tree's folder, and links are resolved inside the tree, by openat2(2) with `RESOLVE_IN_ROOT`
//! (Linux 5.6), else component by component without following links. All other paths are used as
//! they are.
//!
//! The functions have the names and the results of those in `std::fs`.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, OnceLock, PoisonError, RwLock};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode as Bits, OFlags, RenameFlags, ResolveFlags, fchmod, fstat, linkat,
    mkdirat, openat, openat2, readlinkat, renameat, renameat_with, symlinkat, unlinkat,
};
use rustix::io::{Errno, retry_on_intr};

use crate::permissions::Mode;

/// The number of links that the kernel follows in one path (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// How often a lookup is repeated that a rename elsewhere in the tree disturbed (openat2(2)).
const TRIES: usize = 16;

/// The trees that this process uses.
static TREES: RwLock<Vec<Arc<GuardedTree>>> = RwLock::new(Vec::new());

/// Whether openat2 is missing: an old kernel, or a filter that forbids it.
static IS_OLD_KERNEL: AtomicBool = AtomicBool::new(false);

/// A tree that certctl installs into.
#[derive(Debug)]
struct GuardedTree {
    /// The absolute path that the user gave.
    given: PathBuf,
    /// The same without links.
    root: PathBuf,
    /// The open folder, once it exists.
    folder: OnceLock<OwnedFd>,
}

/// Whether the last component of a path is followed if it is a link.
#[derive(Clone, Copy, Eq, PartialEq)]
enum LastLink {
    Followed,
    Kept,
}

/// A folder and a name in it that calls can use.
struct PlaceInTree {
    /// The current directory if there is none.
    folder: Option<OwnedFd>,
    name: PathBuf,
}

impl PlaceInTree {
    fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_ref().map_or(CWD, AsFd::as_fd)
    }
}

/// Returns the folder of a tree that is guarded already; `given` is the absolute path that the user
/// gave.
#[must_use]
pub(crate) fn guarded_root(given: &Path) -> Option<PathBuf> {
    let trees = TREES.read().unwrap_or_else(PoisonError::into_inner);
    let tree = trees.iter().find(|tree| tree.given == given)?;
    Some(tree.root.clone())
}

/// Guards all paths below the folder `given`, which was resolved to `resolved`, and returns the folder
/// without links. From then on it stays the same folder, whatever the path leads to.
pub(crate) fn guard(given: PathBuf, resolved: PathBuf) -> PathBuf {
    let tree = GuardedTree::open_at(given, resolved);
    let root = tree.root.clone();
    if root != Path::new("/") {
        let mut trees = TREES.write().unwrap_or_else(PoisonError::into_inner);
        trees.push(Arc::new(tree));
    }
    root
}

/// Returns the tree that a path is in, and the path below its folder.
fn find(path: &Path) -> Option<(Arc<GuardedTree>, &Path)> {
    let trees = TREES.read().unwrap_or_else(PoisonError::into_inner);
    let below = |tree: &Arc<GuardedTree>| {
        let below = path.strip_prefix(&tree.root).ok()?;
        let is_inside = !below.as_os_str().is_empty();
        is_inside.then(|| (Arc::clone(tree), below))
    };
    trees.iter().find_map(below)
}

/// Returns where the last component of a path is, which is not followed.
fn place_of(path: &Path) -> io::Result<PlaceInTree> {
    match find(path) {
        Some((tree, below)) => tree.place_of(below),
        None => Ok(PlaceInTree {
            folder: None,
            name: path.to_owned(),
        }),
    }
}

/// Opens a file or a folder; links are followed unless `flags` forbid it.
pub(super) fn open(path: &Path, flags: OFlags, mode: Mode) -> io::Result<File> {
    let flags = flags | OFlags::CLOEXEC;
    let opened = match find(path) {
        Some((tree, below)) => tree.open(below, flags, bits(mode))?,
        None => open_in(CWD, path, flags, bits(mode))?,
    };
    Ok(File::from(opened))
}

/// Creates a file that must not exist yet, and opens it for writing.
pub(super) fn create_new(path: &Path, mode: Mode) -> io::Result<File> {
    open(path, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, mode)
}

/// Returns the status of a file; links are followed.
pub(in crate::system) fn metadata(path: &Path) -> io::Result<Metadata> {
    if find(path).is_none() {
        return fs::metadata(path);
    }
    open(path, OFlags::PATH, Mode::new(0))?.metadata()
}

/// Returns the status of a file or a link.
pub(super) fn symlink_metadata(path: &Path) -> io::Result<Metadata> {
    if find(path).is_none() {
        return fs::symlink_metadata(path);
    }
    open(path, OFlags::PATH | OFlags::NOFOLLOW, Mode::new(0))?.metadata()
}

/// Returns the target of a link.
pub(super) fn read_link(path: &Path) -> io::Result<PathBuf> {
    let place = place_of(path)?;
    let target = readlinkat(place.folder(), &place.name, Vec::new())?;
    Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
}

/// Creates a folder with these permission bits, whatever the umask is.
pub(super) fn create_dir(path: &Path, mode: Mode) -> io::Result<()> {
    let place = place_of(path)?;
    mkdirat(place.folder(), &place.name, bits(mode))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = open_in(place.folder(), &place.name, flags, Bits::empty())?;
    Ok(fchmod(open, bits(mode))?)
}

/// Creates a link with this target.
pub(super) fn symlink(target: &Path, path: &Path) -> io::Result<()> {
    let place = place_of(path)?;
    Ok(symlinkat(target, place.folder(), &place.name)?)
}

/// Creates a second name for a file.
pub(super) fn hard_link(from: &Path, to: &Path) -> io::Result<()> {
    let from = place_of(from)?;
    let to = place_of(to)?;
    let flags = AtFlags::empty();
    Ok(linkat(
        from.folder(),
        &from.name,
        to.folder(),
        &to.name,
        flags,
    )?)
}

/// Renames a file or folder over an existing one.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let from = place_of(from)?;
    let to = place_of(to)?;
    Ok(renameat(from.folder(), &from.name, to.folder(), &to.name)?)
}

/// Exchanges what is at two paths, in one step.
pub(super) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    let one = place_of(one)?;
    let other = place_of(other)?;
    let flags = RenameFlags::EXCHANGE;
    Ok(renameat_with(
        one.folder(),
        &one.name,
        other.folder(),
        &other.name,
        flags,
    )?)
}

/// Renames to a name that must be free.
pub(super) fn rename_to_free_name(from: &Path, to: &Path) -> Result<(), Errno> {
    let place = |path| place_of(path).map_err(|error| errno(&error));
    let from = place(from)?;
    let to = place(to)?;
    let flags = RenameFlags::NOREPLACE;
    renameat_with(from.folder(), &from.name, to.folder(), &to.name, flags)
}

/// Removes a file or a link.
pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    let place = place_of(path)?;
    Ok(unlinkat(place.folder(), &place.name, AtFlags::empty())?)
}

/// Removes an empty folder.
pub(super) fn remove_dir(path: &Path) -> io::Result<()> {
    let place = place_of(path)?;
    Ok(unlinkat(place.folder(), &place.name, AtFlags::REMOVEDIR)?)
}

fn open_in(
    folder: BorrowedFd<'_>,
    path: &Path,
    flags: OFlags,
    mode: Bits,
) -> Result<OwnedFd, Errno> {
    retry_on_intr(|| openat(folder, path, flags, mode))
}

fn bits(mode: Mode) -> Bits {
    Bits::from_raw_mode(mode.bits())
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

impl GuardedTree {
    /// Opens the folder, if it exists, and finds out where it is: the path of the open folder counts,
    /// because the given one may lead elsewhere a moment later.
    fn open_at(given: PathBuf, resolved: PathBuf) -> Self {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = open_in(CWD, &given, flags, Bits::empty()).ok();
        let root = opened.as_ref().and_then(path_of_open_folder);
        let folder = OnceLock::new();
        if let Some(opened) = opened {
            folder.get_or_init(|| opened);
        }
        Self {
            given,
            root: root.unwrap_or(resolved),
            folder,
        }
    }

    fn folder(&self) -> io::Result<BorrowedFd<'_>> {
        if let Some(folder) = self.folder.get() {
            return Ok(folder.as_fd());
        }
        // It was created after `guard` and is not a link.
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = open_in(CWD, &self.root, flags, Bits::empty())?;
        Ok(self.folder.get_or_init(|| opened).as_fd())
    }

    /// Returns where the last component is, which is not followed.
    fn place_of(&self, below: &Path) -> io::Result<PlaceInTree> {
        let (Some(parent), Some(name)) = (below.parent(), below.file_name()) else {
            return self.walk(below, LastLink::Kept);
        };
        let parent = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match self.open_at_once(parent, flags, Bits::empty()) {
            Err(Errno::NOSYS) => self.walk(below, LastLink::Kept),
            folder => Ok(PlaceInTree {
                folder: Some(folder?),
                name: PathBuf::from(name),
            }),
        }
    }

    /// Opens a file or a folder; links are followed inside the tree unless `flags` forbid it.
    fn open(&self, below: &Path, flags: OFlags, mode: Bits) -> io::Result<OwnedFd> {
        let last = if flags.intersects(OFlags::NOFOLLOW | OFlags::EXCL) {
            LastLink::Kept
        } else {
            LastLink::Followed
        };
        match self.open_at_once(below, flags, mode) {
            Err(Errno::NOSYS) => {}
            // The link may contain the path of the tree itself.
            Err(Errno::NOENT) if last == LastLink::Followed && self.is_link(below) => {}
            other => return Ok(other?),
        }
        let place = self.walk(below, last)?;
        let flags = flags | OFlags::NOFOLLOW;
        Ok(open_in(place.folder(), &place.name, flags, mode)?)
    }

    fn is_link(&self, below: &Path) -> bool {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = self.open_at_once(below, flags, Bits::empty());
        let status = opened.and_then(fstat);
        status.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
    }

    /// Lets the kernel resolve the path inside the tree; `NOSYS` if it cannot.
    fn open_at_once(&self, below: &Path, flags: OFlags, mode: Bits) -> Result<OwnedFd, Errno> {
        if IS_OLD_KERNEL.load(Ordering::Relaxed) {
            return Err(Errno::NOSYS);
        }
        let folder = self.folder().map_err(|error| errno(&error))?;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let mut opened = Err(Errno::AGAIN);
        for _ in 0..TRIES {
            opened = retry_on_intr(|| openat2(folder, below, flags, mode, resolve));
            if !matches!(opened, Err(Errno::AGAIN)) {
                break;
            }
        }
        match opened {
            // Filters of system calls answer with EPERM.
            Err(Errno::NOSYS | Errno::PERM) => {
                if matches!(opened, Err(Errno::NOSYS)) {
                    IS_OLD_KERNEL.store(true, Ordering::Relaxed);
                }
                Err(Errno::NOSYS)
            }
            Err(Errno::AGAIN) => Err(Errno::NOSYS),
            other => other,
        }
    }

    /// Resolves a path component by component, as a process would that has the tree as its root. If
    /// the last component is a link to a path that starts with the tree's own path, that is a path in
    /// the tree too.
    fn walk(&self, below: &Path, last: LastLink) -> io::Result<PlaceInTree> {
        let root = self.folder()?;
        let mut folders: Vec<OwnedFd> = Vec::new();
        let mut pending = reversed_components(below);
        let mut link_count = 0;
        while let Some(component) = pending.pop() {
            if goes_up(&component, &mut folders) {
                continue;
            }
            let is_last = pending.is_empty();
            let top = folders.last().map_or(root, AsFd::as_fd);
            match open_node(top, &component) {
                _ if is_last && last == LastLink::Kept => return place(folders, root, &component),
                Ok(TreeNode::Folder(folder)) => folders.push(folder),
                Ok(TreeNode::Link(target)) => {
                    link_count = count_link(link_count)?;
                    let components = self.components_of_target(&target, &pending);
                    pending.extend(components);
                }
                Ok(TreeNode::File) | Err(Errno::NOENT) if is_last => {
                    return place(folders, root, &component);
                }
                Ok(TreeNode::File) => return Err(Errno::NOTDIR.into()),
                Err(errno) => return Err(errno.into()),
            }
        }
        place(folders, root, &OsString::from("."))
    }

    /// Returns the components of a link's target; `pending` are the components after the link.
    fn components_of_target(&self, target: &Path, pending: &[OsString]) -> Vec<OsString> {
        let Some(below) = target
            .strip_prefix(&self.root)
            .ok()
            .filter(|_| pending.is_empty())
        else {
            return reversed_components(target);
        };
        let mut components = reversed_components(below);
        components.push(OsString::from("/"));
        components
    }
}

/// Returns the path of an open folder; `None` where /proc does not show it.
fn path_of_open_folder(folder: &OwnedFd) -> Option<PathBuf> {
    let path = fs::read_link(descriptor_path(folder)).ok()?;
    let there = fs::symlink_metadata(&path).ok()?;
    let opened = fstat(folder).ok()?;
    let is_same = (there.dev(), there.ino()) == (opened.st_dev, opened.st_ino);
    (path.is_absolute() && is_same).then_some(path)
}

/// Returns the path under which calls that need a path find an open file (proc_pid_fd(5)).
fn descriptor_path(file: &impl AsRawFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// Calls `act`, which only reads, with a path that leads to the same file: links are followed inside
/// the tree. Without /proc, as in some containers, it is the path itself.
pub(super) fn with_path<T>(path: &Path, act: impl FnOnce(&Path) -> T) -> io::Result<T> {
    static HAS_PROC: LazyLock<bool> = LazyLock::new(|| Path::new("/proc/self/fd").exists());
    if find(path).is_none() || !*HAS_PROC {
        return Ok(act(path));
    }
    let file = open(path, OFlags::PATH, Mode::new(0))?;
    Ok(act(&descriptor_path(&file)))
}

/// Leaves the folder for `..`, and all folders for `/`; returns whether the component is one of them.
fn goes_up(component: &OsString, folders: &mut Vec<OwnedFd>) -> bool {
    if component == "/" {
        folders.clear();
        true
    } else if component == ".." {
        folders.pop();
        true
    } else {
        false
    }
}

/// Counts one more link, of which a path has only a limited number.
fn count_link(count: usize) -> Result<usize, Errno> {
    if count == MOST_LINKS {
        return Err(Errno::LOOP);
    }
    Ok(count + 1)
}

/// What is at a name in a folder.
enum TreeNode {
    File,
    Folder(OwnedFd),
    /// A link, and its target.
    Link(PathBuf),
}

fn open_node(folder: BorrowedFd<'_>, name: &OsString) -> Result<TreeNode, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = open_in(folder, Path::new(name), flags, Bits::empty())?;
    match FileType::from_raw_mode(fstat(&opened)?.st_mode) {
        FileType::Directory => Ok(TreeNode::Folder(opened)),
        FileType::Symlink => {
            let target = readlinkat(&opened, "", Vec::new())?;
            let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
            Ok(TreeNode::Link(target))
        }
        _ => Ok(TreeNode::File),
    }
}

fn place(
    mut folders: Vec<OwnedFd>,
    root: BorrowedFd<'_>,
    name: &OsString,
) -> io::Result<PlaceInTree> {
    let folder = match folders.pop() {
        Some(folder) => folder,
        None => root.try_clone_to_owned()?,
    };
    Ok(PlaceInTree {
        folder: Some(folder),
        name: PathBuf::from(name),
    })
}

/// Returns the components that have to be followed, the last one first; `/` is one of them.
fn reversed_components(path: &Path) -> Vec<OsString> {
    let components = path.components().rev();
    components
        .filter(|component| *component != Component::CurDir)
        .map(|component| component.as_os_str().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};

    use tempfile::TempDir;

    use super::{AsFd, Bits, Errno, File, GuardedTree, LastLink, OFlags, openat, retry_on_intr};

    /// A tree in a folder with a file of the same name outside of it.
    struct LinkedTree {
        folder: TempDir,
        tree: GuardedTree,
    }

    impl LinkedTree {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let base = folder.path().canonicalize().unwrap();
            for (path, content) in [("etc/ssl", "outside"), ("tree/etc/ssl", "inside")] {
                fs::create_dir_all(base.join(path)).unwrap();
                fs::write(base.join(path).join("file"), content).unwrap();
            }
            let path = base.join("tree");
            let tree = GuardedTree::open_at(path.clone(), path);
            Self { folder, tree }
        }

        fn link(&self, target: impl AsRef<Path>, path: &str) {
            symlink(target, self.tree.root.join(path)).unwrap();
        }

        /// Reads a file without openat2.
        fn read_by_hand(&self, path: &str) -> Result<String, Errno> {
            let walked = self.tree.walk(Path::new(path), LastLink::Followed);
            let place = walked.map_err(|error| super::errno(&error))?;
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW;
            let opened = openat(place.folder(), &place.name, flags, Bits::empty())?;
            Ok(content(File::from(opened)))
        }

        fn read(&self, path: &str) -> Result<String, Errno> {
            let opened = self
                .tree
                .open(Path::new(path), OFlags::RDONLY, Bits::empty());
            let opened = opened.map_err(|error| super::errno(&error))?;
            Ok(content(File::from(opened)))
        }
    }

    fn content(mut file: File) -> String {
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn links_are_resolved_inside_the_tree() {
        let linked = LinkedTree::new();
        linked.link("ssl", "etc/relative");
        linked.link("/etc/ssl/file", "absolute");
        linked.link("../../../../../../../../etc/ssl/file", "etc/escaping");
        linked.link(linked.tree.root.join("etc/ssl"), "etc/own-path");
        linked.link(linked.tree.root.join("etc/ssl/file"), "own-path");
        linked.link(linked.folder.path().join("etc/ssl/file"), "outside");
        linked.link("loop", "loop");
        linked.link("/missing", "etc/dangling");
        let inside = || Ok("inside".to_owned());
        for (path, expected) in [
            ("etc/ssl/file", inside()),
            ("etc/./ssl/../ssl/file", inside()),
            ("../../etc/ssl/file", inside()),
            ("etc/relative/file", inside()),
            ("absolute", inside()),
            ("etc/escaping", inside()),
            ("own-path", inside()),
            ("etc/own-path/file", Err(Errno::NOENT)),
            ("outside", Err(Errno::NOENT)),
            ("loop", Err(Errno::LOOP)),
            ("etc/dangling", Err(Errno::NOENT)),
            ("etc/ssl/file/x", Err(Errno::NOTDIR)),
            ("etc/none/x", Err(Errno::NOENT)),
        ] {
            assert_eq!(linked.read(path), expected, "{path}");
            assert_eq!(linked.read_by_hand(path), expected, "{path} by hand");
        }
    }

    #[test]
    fn the_last_link_is_kept() {
        let linked = LinkedTree::new();
        linked.link("ssl/file", "etc/link");
        linked.link("/etc", "alias");
        for path in ["etc/link", "alias/link"] {
            let flags = OFlags::PATH | OFlags::NOFOLLOW;
            let kept = [
                linked.tree.place_of(Path::new(path)).unwrap(),
                linked.tree.walk(Path::new(path), LastLink::Kept).unwrap(),
            ];
            for place in kept {
                assert_eq!(place.name, PathBuf::from("link"));
                let open = || openat(place.folder(), &place.name, flags, Bits::empty());
                let link = File::from(retry_on_intr(open).unwrap());
                assert!(link.metadata().unwrap().is_symlink(), "{path}");
            }
        }
    }

    #[test]
    fn the_tree_is_the_folder_that_was_opened() {
        let linked = LinkedTree::new();
        let root = linked.tree.root.clone();
        fs::rename(&root, root.with_file_name("moved")).unwrap();
        symlink("/", &root).unwrap();
        assert_eq!(linked.read("etc/ssl/file"), Ok("inside".to_owned()));
        assert!(
            linked
                .tree
                .folder()
                .unwrap()
                .as_fd()
                .try_clone_to_owned()
                .is_ok()
        );
        // A tree that did not exist yet is not found through a link.
        let path = root.with_file_name("late");
        let late = GuardedTree::open_at(path.clone(), path);
        assert!(late.folder().is_err());
        symlink("/", root.with_file_name("late")).unwrap();
        assert!(late.folder().is_err());
    }
}
