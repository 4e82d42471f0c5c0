//! `--owner` and `--key-mode`: who may read the key.

use std::path::{Path, PathBuf};

use crate::advice::install::owner_failure;
use crate::context::Context;
use crate::failure::Failure;
use crate::permissions::{Mode, Owner};
use crate::store::key_access::owner::{self, OwnerError};
use crate::store::root;
use crate::store::settings::LineageSettings;
use crate::system::fs::{files, folders};

/// Limit for the size of passwd(5) and group(5), in bytes.
const LIMIT: u64 = 16 * 1024 * 1024;

/// The options for the key's owner and mode.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct KeyAccessArgs {
    /// Owner of the private key: user, user:group or :group, as names or numbers
    #[arg(long, value_name = "USER[:GROUP]")]
    pub owner: Option<String>,
    /// Mode of the private key: 0600, 0640, 0400 or 0440
    #[arg(long, value_name = "MODE", value_parser = owner::parse_key_mode)]
    pub key_mode: Option<Mode>,
}

impl KeyAccessArgs {
    /// Returns the settings to save. Names are looked up in the tree that is installed into.
    ///
    /// # Errors
    /// When the user or group does not exist.
    pub(super) fn settings(&self, context: &Context) -> Result<LineageSettings, Failure> {
        let owner = self
            .owner
            .as_deref()
            .map(|text| look_up_owner(context, text))
            .transpose()?;
        let key_mode = self.key_mode.map(|mode| mode.to_string());
        Ok(LineageSettings {
            key_owner: owner,
            key_mode,
            ..LineageSettings::default()
        })
    }
}

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

fn look_up_owner(context: &Context, text: &str) -> Result<Owner, Failure> {
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
