//! The owner of a key, by the names of the tree that is installed into.

use std::path::{Path, PathBuf};

use crate::advice::install::owner_failure;
use crate::context::Context;
use crate::failure::Failure;
use crate::permissions::Owner;
use crate::store::key_access::owner::{self, OwnerError};
use crate::store::root;
use crate::system::fs::{files, folders};

/// Limit for the size of passwd(5) and group(5), in bytes.
const LIMIT: u64 = 16 * 1024 * 1024;

/// A user database file and its text.
struct DatabaseFile {
    path: PathBuf,
    text: String,
}

impl DatabaseFile {
    /// Reads `name` below `root`; empty where the tree does not have it, so that only numbers work.
    fn read(root: &Path, name: &str) -> Result<Self, Failure> {
        let path = root::resolve_in_tree(root, Path::new(name))?;
        let bytes = match files::read(&path, LIMIT) {
            Err(error) if error.is_missing() => Vec::new(),
            other => other?,
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Self { path, text })
    }
}

/// Looks up `user`, `user:group` or `:group` in the tree that is installed into.
///
/// # Errors
/// When the user or the group does not exist, or the files that list them cannot be read.
pub(crate) fn look_up_owner(context: &Context, text: &str) -> Result<Owner, Failure> {
    let root = root::resolve_root(context.root.as_deref())?;
    let passwd = DatabaseFile::read(&root, "/etc/passwd")?;
    let group = DatabaseFile::read(&root, "/etc/group")?;
    let user = folders::current_user();
    owner::parse_owner(text, user, &passwd.text, &group.text).map_err(|error| {
        let path = match error {
            OwnerError::NoGroup(_) => &group.path,
            _ => &passwd.path,
        };
        owner_failure(&error, path)
    })
}
