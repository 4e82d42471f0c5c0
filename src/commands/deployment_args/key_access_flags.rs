//! `--owner` and `--key-mode`: who may read the key.

use crate::context::Context;
use crate::failure::Failure;
use crate::install::key_owner::look_up_owner;
use crate::permissions::Mode;
use crate::store::key_access::owner;
use crate::store::settings::LineageSettings;

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
