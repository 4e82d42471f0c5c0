//! Where the key of a selected certificate is: in a file, or in a store that only the server opens.

use crate::advice::install_command;
use crate::commands::install::key_argument::KeyArgument;
use crate::finding::Finding;
use crate::store::layout::KeyStorage;
use crate::store::settings::LineageSettings;

/// Where the key of a selected certificate is: on the command line or stored by an earlier install,
/// with the command line taking precedence. A change from one kind to the other is refused, and
/// nothing is changed then.
pub(super) struct StorageChoice {
    /// In a file, or where only the server opens it.
    pub key_storage: KeyStorage,
    /// Why it cannot be there.
    pub refusal: Option<Finding>,
}

impl StorageChoice {
    /// Chooses what the command line says, else what was stored.
    pub(super) fn new(stem: &str, passed: Option<&KeyArgument>, stored: &LineageSettings) -> Self {
        let passed = passed.map(KeyArgument::storage);
        let key_storage = passed.unwrap_or_else(|| stored.key_storage());
        Self {
            key_storage,
            refusal: refuse_change(stem, key_storage, stored),
        }
    }
}

/// Refuses to change from a key in a file to another key or back: the earlier versions could not be
/// restored, and a link to a key that does not exist would stay.
fn refuse_change(stem: &str, wanted: KeyStorage, stored: &LineageSettings) -> Option<Finding> {
    let is_installed = stored.chain_path.is_some();
    if !is_installed || wanted == stored.key_storage() {
        return None;
    }
    let message = match wanted {
        KeyStorage::External => format!(
            "{stem} was installed with a key file, and `--key none` would leave a link without a key"
        ),
        KeyStorage::File => {
            format!(
                "{stem} was installed with `--key none`, so its earlier versions have no key file"
            )
        }
    };
    let finding = Finding::error("key-storage-changed", message);
    Some(finding.with_step(install_command::forget_other_key_storage(stem)))
}
