//! The ACME accounts, one for each CA: the key, which exists before the CA hears of it, and the URL of
//! the account.
//!
//! All certificates of a CA share its account. A lost key would lose the account with it: its external
//! account binding, its exemption from limits, and the records that name it (CAA `accounturi`).

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::folder::{FILE_MODE, StateError, StateFolder};
use crate::pki::fingerprint::Fingerprint;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::system::fs::files;

/// The folder of the accounts in the state folder.
pub(crate) const ACCOUNTS_FOLDER: &str = "accounts";
/// The maximum number of bytes of a file.
const ENTRY_LIMIT: u64 = 64 * 1024;

/// An account at a CA.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct AcmeAccount {
    /// The URL of the CA's directory.
    pub directory: String,
    /// The URL of the account, which identifies it.
    pub url: String,
    /// `mailto:` URLs that the CA may use.
    pub contact: Vec<String>,
    pub created: Timestamp,
    /// What a later version has written.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl StateFolder {
    /// Returns the path of an account's key.
    #[must_use]
    pub(crate) fn account_key_path(&self, directory: &str) -> PathBuf {
        self.account_path(directory, "key")
    }

    fn account_path(&self, directory: &str, suffix: &str) -> PathBuf {
        let hash = Fingerprint::of(directory.as_bytes()).first_digits();
        let folder = self.subfolder(ACCOUNTS_FOLDER);
        folder.join(format!("{hash}.{suffix}"))
    }

    /// Returns the account at a CA; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read_account(&self, directory: &str) -> Result<Option<AcmeAccount>, StateError> {
        self.read_entry(&self.account_path(directory, "json"))
    }

    /// Writes an account. Returns once it is on the disk.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn write_account(&self, account: &AcmeAccount) -> Result<(), StateError> {
        self.create_subfolder(ACCOUNTS_FOLDER)?;
        let path = self.account_path(&account.directory, "json");
        self.write_entry(&path, account)
    }

    /// Returns the key of the account at a CA; creates it, on the disk, if there is none.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(crate) fn account_key(&self, directory: &str) -> Result<PrivateKey, StateError> {
        let path = self.account_key_path(directory);
        let unusable = |reason: String| StateError::DamagedEntry {
            path: path.clone(),
            reason,
        };
        match files::read(&path, ENTRY_LIMIT) {
            Ok(pkcs8) => {
                let pkcs8 = zeroize::Zeroizing::new(pkcs8);
                return PrivateKey::from_der(&pkcs8).map_err(|error| unusable(error.to_string()));
            }
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error.into()),
        }
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256);
        let key = key.map_err(|error| unusable(error.to_string()))?;
        self.create_subfolder(ACCOUNTS_FOLDER)?;
        files::create_new(&path, key.pkcs8(), FILE_MODE)?;
        Ok(key)
    }
}
