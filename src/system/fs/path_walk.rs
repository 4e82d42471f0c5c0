//! The folders and links on the way to a file, with their owners and modes.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::io::Errno;

use super::files::{FileError, FileIdentity};
use super::xattrs;
use crate::matching::key_trust::{NodeKind, PathNode};
use crate::permissions::{Mode, Owner};

/// The number of links that the kernel follows in one path (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// A path that was followed to its end.
#[derive(Debug)]
pub(crate) struct WalkedPath {
    /// Every folder and link on the way, from `/`.
    pub above: Vec<PathNode>,
    /// What is at the end.
    pub end: PathNode,
    /// The identity of what is at the end.
    pub identity: FileIdentity,
}

/// Follows paths; each folder is followed once.
#[derive(Debug, Default)]
pub(crate) struct PathWalker {
    folders: HashMap<PathBuf, Walk>,
}

impl PathWalker {
    /// Follows a path component by component, as the kernel does.
    ///
    /// # Errors
    /// When a component does not exist or cannot be read.
    pub(crate) fn walk(&mut self, path: &Path) -> Result<WalkedPath, FileError> {
        let fail = || FileError::at("read the status of", path);
        let absolute = std::path::absolute(path).map_err(fail())?;
        let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(fail()(io::Error::from(io::ErrorKind::IsADirectory)));
        };
        let mut walk = self.walk_folder(folder).map_err(fail())?;
        walk.follow(Path::new(name)).map_err(fail())?;
        match (walk.nodes.pop(), walk.identity) {
            (Some(end), Some(identity)) => Ok(WalkedPath {
                above: walk.nodes,
                end,
                identity,
            }),
            _ => Err(fail()(io::Error::from(io::ErrorKind::NotFound))),
        }
    }

    fn walk_folder(&mut self, folder: &Path) -> io::Result<Walk> {
        if let Some(walk) = self.folders.get(folder) {
            return Ok(walk.clone());
        }
        let mut walk = Walk::default();
        walk.follow(folder)?;
        walk.identity = None;
        walk.link_count = 0;
        self.folders.insert(folder.to_owned(), walk.clone());
        Ok(walk)
    }
}

/// A path that is being followed.
#[derive(Clone, Debug, Default)]
struct Walk {
    nodes: Vec<PathNode>,
    /// The path so far, without links.
    current: PathBuf,
    link_count: usize,
    /// The identity of the last component.
    identity: Option<FileIdentity>,
}

impl Walk {
    fn follow(&mut self, path: &Path) -> io::Result<()> {
        let mut pending: Vec<OsString> = reversed_components(path);
        while let Some(component) = pending.pop() {
            if component == ".." {
                // The folder above was visited on the way here.
                self.current.pop();
                continue;
            }
            let next = self.current.join(&component);
            let meta = fs::symlink_metadata(&next)?;
            self.nodes.push(node(&next, &meta));
            if !meta.is_symlink() {
                self.identity = Some(FileIdentity::of(&meta));
                self.current = next;
                continue;
            }
            self.link_count += 1;
            if self.link_count > MOST_LINKS {
                return Err(Errno::LOOP.into());
            }
            pending.extend(reversed_components(&fs::read_link(&next)?));
        }
        Ok(())
    }
}

/// Returns the components that have to be followed, the last one first; `/` is one of them.
fn reversed_components(path: &Path) -> Vec<OsString> {
    let components = path.components().rev();
    components
        .filter(|component| *component != Component::CurDir)
        .map(|component| component.as_os_str().to_owned())
        .collect()
}

fn node(path: &Path, meta: &fs::Metadata) -> PathNode {
    let mode = Mode::of_status(meta.mode());
    let kind = if meta.is_symlink() {
        NodeKind::Link
    } else if meta.is_dir() {
        NodeKind::Folder
    } else {
        NodeKind::File
    };
    PathNode {
        path: path.to_owned(),
        kind,
        mode,
        owner: Owner {
            uid: meta.uid(),
            gid: meta.gid(),
        },
        has_acl: kind != NodeKind::Link && mode.has_any(0o070) && may_have_acl(path),
    }
}

/// Returns whether the file has an ACL. One that cannot be read may let anyone in.
fn may_have_acl(path: &Path) -> bool {
    xattrs::acl(path).map_or(true, |acl| acl.is_some())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::{NodeKind, PathWalker};

    #[test]
    fn links_are_followed_and_listed() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        fs::create_dir(real.join("keys")).unwrap();
        fs::write(real.join("keys/k"), "").unwrap();
        symlink("keys/../keys", real.join("link")).unwrap();
        symlink(real.join("link/k"), real.join("k")).unwrap();
        symlink("loop", real.join("loop")).unwrap();
        let mut walker = PathWalker::default();
        let walked = walker.walk(&real.join("k")).unwrap();
        assert_eq!(walked.end.path, real.join("keys/k"));
        assert_eq!(walked.end.kind, NodeKind::File);
        assert_eq!(walked.above[0].path.to_str(), Some("/"));
        let links: Vec<_> = walked
            .above
            .iter()
            .filter(|node| node.kind == NodeKind::Link)
            .map(|node| node.path.clone())
            .collect();
        assert_eq!(links, [real.join("k"), real.join("link")]);
        let direct = walker.walk(&real.join("keys/./k")).unwrap();
        assert_eq!(direct.identity, walked.identity);
        assert!(walker.walk(&real.join("loop")).is_err());
        assert!(walker.walk(&real.join("missing")).is_err());
    }
}
