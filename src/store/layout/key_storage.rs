//! Where the key of a certificate is.

use serde::{Deserialize, Serialize};

/// Where the key of a certificate is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyStorage {
    /// In a file that certctl installs next to the chain.
    #[default]
    File,
    /// In a hardware module or another store that only the server opens: `engine:`, `store:` or
    /// `pkcs11:` in its configuration. Only the chain is installed.
    #[serde(rename = "none")]
    External,
}
