//! The ACME accounts, one for each CA: the key, which exists before the CA hears of it, and the URL of
//! the account.
//!
//! All certificates of a CA share its account. A lost key would lose the account with it: its external
//! account binding, its exemption from limits, and the records that name it (CAA `accounturi`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::folder::{FILE_MODE, StateError, StateFolder};
use crate::pki::fingerprint::Fingerprint;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::system::fs::lock::FileLock;
use crate::system::fs::{files, folders};

/// The folder of the accounts in the state folder.
pub(crate) const ACCOUNTS_FOLDER: &str = "accounts";
/// The end of the name of a key that an account is about to get.
const NEXT_KEY: &str = "next-key";
/// The maximum number of files that are read.
const ACCOUNT_COUNT: usize = 10_000;
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

    /// Returns all accounts.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(crate) fn list_accounts(&self) -> Result<Vec<AcmeAccount>, StateError> {
        let folder = self.subfolder(ACCOUNTS_FOLDER);
        if !folders::is_folder(&folder) {
            return Ok(Vec::new());
        }
        let mut accounts: Vec<AcmeAccount> = Vec::new();
        for path in files::entries(&folder, ACCOUNT_COUNT)? {
            let is_account = path.extension().is_some_and(|suffix| suffix == "json");
            if is_account {
                accounts.extend(self.read_entry::<AcmeAccount>(&path)?);
            }
        }
        accounts.sort_by(|one, other| one.directory.cmp(&other.directory));
        Ok(accounts)
    }

    /// Returns the key of the account at a CA; creates it, on the disk, if there is none.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(crate) fn account_key(&self, directory: &str) -> Result<PrivateKey, StateError> {
        self.read_or_create_key(&self.account_key_path(directory))
    }

    /// Writes the key of an account that exists at the CA.
    ///
    /// # Errors
    /// When there is a key already, or the system reports an error.
    pub(crate) fn import_account_key(
        &self,
        directory: &str,
        key: &PrivateKey,
    ) -> Result<(), StateError> {
        self.create_subfolder(ACCOUNTS_FOLDER)?;
        let path = self.account_key_path(directory);
        Ok(files::create_new(&path, key.pkcs8(), FILE_MODE)?)
    }

    /// Returns the key that an account is about to get, if there is one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn next_account_key(
        &self,
        directory: &str,
    ) -> Result<Option<PrivateKey>, StateError> {
        let path = self.account_path(directory, NEXT_KEY);
        if files::exists(&path) {
            self.read_or_create_key(&path).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Returns the same, and creates it, on the disk, if there is none.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(crate) fn create_next_account_key(
        &self,
        directory: &str,
    ) -> Result<PrivateKey, StateError> {
        self.read_or_create_key(&self.account_path(directory, NEXT_KEY))
    }

    /// The CA has accepted the next key: it takes the place of the present one.
    ///
    /// # Errors
    /// When the system reports an error; the next run repeats it.
    pub(crate) fn promote_account_key(
        &self,
        directory: &str,
        next: &PrivateKey,
    ) -> Result<(), StateError> {
        files::replace(&self.account_key_path(directory), next.pkcs8(), FILE_MODE)?;
        Ok(folders::remove(&self.account_path(directory, NEXT_KEY))?)
    }

    /// Makes sure that no other certctl of this user changes the account.
    ///
    /// # Errors
    /// [`StateError::AccountLocked`].
    pub(crate) fn lock_account(
        &self,
        directory: &str,
        wait: Duration,
        give_up: impl FnMut() -> bool,
    ) -> Result<FileLock, StateError> {
        let folder = self.create_subfolder("locks")?;
        let hash = Fingerprint::of(directory.as_bytes()).first_digits();
        let lock = FileLock::acquire(&folder.join(format!("account-{hash}")), wait, give_up)?;
        lock.ok_or_else(|| StateError::AccountLocked {
            directory: directory.to_owned(),
        })
    }

    fn read_or_create_key(&self, path: &Path) -> Result<PrivateKey, StateError> {
        let unusable = |reason: String| StateError::DamagedEntry {
            path: path.to_owned(),
            reason,
        };
        match files::read(path, ENTRY_LIMIT) {
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
        files::create_new(path, key.pkcs8(), FILE_MODE)?;
        Ok(key)
    }
}
