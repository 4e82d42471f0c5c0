//! The folder of `--root`, below which no link is followed out of it.

use std::path::{Path, PathBuf};

use super::files::FileError;
use super::{folders, tree};

/// Resolves the tree to install into, without symbolic links: `/` without `--root`. From then on, no
/// access to a path below it follows a link out of the tree.
///
/// # Errors
/// When a link cannot be resolved.
pub(crate) fn resolve(given: Option<&Path>) -> Result<PathBuf, FileError> {
    let Some(root) = given else {
        return Ok(PathBuf::from("/"));
    };
    let given = folders::absolute(root)?;
    if let Some(guarded) = tree::guarded_root(&given) {
        return Ok(guarded);
    }
    let inner = folders::resolve_links(&given.join("etc"))?;
    let resolved = inner.parent().unwrap_or(&given).to_owned();
    Ok(tree::guard(given, resolved))
}
