//! The tree to install into: `/`, or the folder of `--root`. No path may leave it.

use std::path::{Path, PathBuf};

use crate::store::layout;
use crate::system::fs::files::FileError;
use crate::system::fs::{folders, tree_root};

/// Why a path of the tree cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RootError {
    /// A link in it cannot be resolved.
    #[error(transparent)]
    File(#[from] FileError),
    /// A link points outside the tree.
    #[error("a link in {} points outside of {}", path.display(), root.display())]
    Outside { path: PathBuf, root: PathBuf },
}

/// Resolves the tree to install into, without symbolic links: `/` without `--root`. From then on,
/// no access to a path below it follows a link out of the tree.
///
/// # Errors
/// When a link cannot be resolved.
pub(crate) fn resolve_root(given: Option<&Path>) -> Result<PathBuf, FileError> {
    tree_root::resolve(given)
}

/// Resolves the symbolic links in a path, which must stay inside the tree.
///
/// # Errors
/// When a link points outside the tree, or cannot be resolved.
pub(crate) fn resolve_in_tree(root: &Path, path: &Path) -> Result<PathBuf, RootError> {
    let real = folders::resolve_links(&path_below_root(root, path))?;
    if real.starts_with(root) {
        return Ok(real);
    }
    Err(RootError::Outside {
        path: path.to_owned(),
        root: root.to_owned(),
    })
}

/// Checks certctl's folder in the tree and the folder of the certificate: certctl must not read or
/// write through a link that points outside.
///
/// # Errors
/// When a link points outside the tree, or cannot be resolved.
pub(crate) fn check_own_folders(root: &Path, stem: &str) -> Result<(), RootError> {
    let base = layout::base(root);
    let folder = base.join(stem);
    let deepest = folder.join("releases").join("any");
    // The usual case: no folder is a link.
    if resolve_in_tree(root, &deepest)? == deepest {
        return Ok(());
    }
    let inside = [layout::lock(root), folder.join("settings.json")];
    inside
        .iter()
        .try_for_each(|path| resolve_in_tree(root, path).map(drop))
}

/// Returns `path` below the root; unchanged if it is inside already.
#[must_use]
pub(crate) fn path_below_root(root: &Path, path: &Path) -> PathBuf {
    if path.starts_with(root) {
        path.to_owned()
    } else {
        root.join(path.strip_prefix("/").unwrap_or(path))
    }
}
