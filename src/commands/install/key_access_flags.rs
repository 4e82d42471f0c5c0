//! `--owner` and `--key-mode`: who may read the key.

use std::path::Path;

use crate::advice::install::owner_failure;
use crate::context::Context;
use crate::failure::Failure;
use crate::store::key_access::owner::{self, OwnerError};
use crate::store::root;
use crate::store::settings::LineageSettings;
use crate::system::fs::{files, folders};

/// More than that is read of neither passwd(5) nor group(5).
const LIMIT: u64 = 16 * 1024 * 1024;

/// Who may read the key, where the command line says so.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct KeyAccessArgs {
    /// Who the key belongs to: user, user:group or :group, as names or numbers
    #[arg(long, value_name = "USER[:GROUP]")]
    pub owner: Option<String>,
    /// The key's mode: 0600, 0640, 0400 or 0440
    #[arg(long, value_name = "MODE", value_parser = owner::key_mode)]
    pub key_mode: Option<u32>,
}

impl KeyAccessArgs {
    /// As it is remembered. Names are looked up in the tree that is installed into.
    ///
    /// # Errors
    /// A user or a group that is not there.
    pub(super) fn settings(&self, context: &Context) -> Result<LineageSettings, Failure> {
        let owner = self
            .owner
            .as_deref()
            .map(|text| look_up(context, text))
            .transpose()?;
        let key_mode = self.key_mode.map(|mode| format!("{mode:04o}"));
        Ok(LineageSettings {
            key_owner: owner,
            key_mode,
            ..LineageSettings::default()
        })
    }
}

fn look_up(context: &Context, text: &str) -> Result<(u32, u32), Failure> {
    let root = root::root(context.root.as_deref())?;
    // A tree without them has numbers only.
    let read = |name: &str| {
        let path = root::real(&root, Path::new(name))?;
        let bytes = match files::read(&path, LIMIT) {
            Err(error) if error.is_missing() => Vec::new(),
            other => other?,
        };
        Ok::<_, Failure>((path, String::from_utf8_lossy(&bytes).into_owned()))
    };
    let (passwd_path, passwd) = read("/etc/passwd")?;
    let (group_path, group) = read("/etc/group")?;
    owner::owner(text, folders::user(), &passwd, &group).map_err(|error| {
        let path = if let OwnerError::NoGroup(_) = error {
            group_path
        } else {
            passwd_path
        };
        owner_failure(&error, &path)
    })
}
