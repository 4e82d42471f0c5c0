//! The journal of unfinished orders, one file for each certificate, and when certificates were issued.
//! An intent is written before each step, so that a run that was ended at any point is continued by
//! the same command: the same order, the same account, the same key.
//!
//! An entry is removed when the certificate is installed, or when the CA has closed the order. An
//! entry that cannot be read is an error: without it, certctl could place a second order.
//!
//! The times of issuance are for CAs that limit how many certificates with the same names they issue
//! in a week. They are kept when the entry is removed.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::folder::{StateError, StateFolder};
use crate::pki::fingerprint::Fingerprint;
use crate::system::fs::folders;
use crate::system::fs::lock::FileLock;

/// The folder of the journal in the state folder.
pub(crate) const ORDERS_FOLDER: &str = "orders";
/// The folder with the times of issuance.
pub(crate) const ISSUED_FOLDER: &str = "issued";
/// How many times of issuance are kept for one set of names.
pub(crate) const KEPT_TIMES: usize = 50;

/// The last step of an order.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OrderProgress {
    /// Key and request exist, and the CA was about to be asked for an order.
    Placing,
    /// The CA has the order, whose URL is known.
    Placed,
    /// The request was about to be sent.
    Finalizing,
    /// The certificate is on the disk, and is to be installed.
    Issued,
}

/// An order that is not finished.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct JournaledOrder {
    /// The certificate's name in /etc/ssl.
    pub name: String,
    pub names: Vec<String>,
    /// The URL of the CA's directory.
    pub directory: String,
    pub progress: OrderProgress,
    /// The URL of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// The file of the key.
    pub key: PathBuf,
    /// The file of the request.
    pub request: PathBuf,
    /// The file of the chain.
    pub chain: PathBuf,
    /// The validation files that were written or were about to be.
    #[serde(default)]
    pub files: Vec<JournaledFile>,
    /// The values of the records that were published or were about to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<String>,
    /// When the install of the certificate was refused or rolled back: `--force` orders another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Timestamp>,
    /// The certificate that was bought, at a reseller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchase: Option<JournaledPurchase>,
    /// When the entry changed last.
    pub at: Timestamp,
    /// What a later version has written.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The last step with a certificate that is bought from a reseller. Each call that cannot be undone has
/// a step of its own, which is written before the call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PurchaseStep {
    /// Nothing was sent that changes anything.
    Chosen,
    /// The purchase was about to be sent.
    Buying,
    /// The activation was about to be sent.
    Activating,
    /// The reissue was about to be sent.
    Reissuing,
    /// The reseller has the request.
    Started,
}

/// A certificate of a reseller, and how far its order got.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct JournaledPurchase {
    pub step: PurchaseStep,
    /// The id of the certificate; unknown until it is bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The ids that it had before, as the user and earlier reissues named it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<String>,
    /// The ids of unused certificates before the purchase.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused: Vec<String>,
    /// The records that the reseller asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<JournaledRecord>,
}

impl JournaledPurchase {
    /// Returns the first entry about a certificate.
    pub(crate) fn chosen(certificate: Option<String>) -> Self {
        Self {
            step: PurchaseStep::Chosen,
            certificate,
            earlier: Vec::new(),
            unused: Vec::new(),
            records: Vec::new(),
        }
    }
}

/// A CNAME record that a reseller asks for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct JournaledRecord {
    /// The name that it validates.
    pub domain: String,
    pub host: String,
    pub target: String,
}

/// A validation file in a webroot.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct JournaledFile {
    pub webroot: PathBuf,
    pub token: String,
}

impl StateFolder {
    /// Returns the file of an entry.
    pub(crate) fn order_path(&self, name: &str) -> PathBuf {
        let hash = Fingerprint::of(name.as_bytes()).first_digits();
        let folder = self.subfolder(ORDERS_FOLDER);
        folder.join(format!("{hash}.json"))
    }

    /// Makes sure that no other certctl of this user orders the same certificate.
    ///
    /// # Errors
    /// [`StateError::OrderLocked`].
    pub(crate) fn lock_order(
        &self,
        name: &str,
        wait: std::time::Duration,
        give_up: impl FnMut() -> bool,
    ) -> Result<FileLock, StateError> {
        let folder = self.create_subfolder("locks")?;
        let hash = Fingerprint::of(name.as_bytes()).first_digits();
        let lock = FileLock::acquire(&folder.join(format!("order-{hash}")), wait, give_up)?;
        lock.ok_or_else(|| StateError::OrderLocked {
            name: name.to_owned(),
        })
    }

    /// Returns the unfinished order of a certificate.
    ///
    /// # Errors
    /// When it cannot be read: an order must not be placed twice.
    pub(crate) fn read_order(&self, name: &str) -> Result<Option<JournaledOrder>, StateError> {
        self.read_entry(&self.order_path(name))
    }

    /// Writes the entry of an order. Returns once it is on the disk.
    ///
    /// # Errors
    /// When the system reports an error; the earlier entry is then unchanged.
    pub(crate) fn write_order(&self, order: &JournaledOrder) -> Result<(), StateError> {
        self.create_subfolder(ORDERS_FOLDER)?;
        self.write_entry(&self.order_path(&order.name), order)
    }

    /// Removes the entry of a finished order.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn remove_order(&self, name: &str) -> Result<(), StateError> {
        Ok(folders::remove(&self.order_path(name))?)
    }

    /// Returns when certificates for exactly these names were issued.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn issued_at(
        &self,
        directory: &str,
        names: &[String],
    ) -> Result<Vec<Timestamp>, StateError> {
        let path = self.issued_path(directory, names);
        Ok(self.read_entry(&path)?.unwrap_or_default())
    }

    /// Adds a time of issuance.
    ///
    /// # Errors
    /// When the system reports an error.
    pub(crate) fn record_issuance(
        &self,
        directory: &str,
        names: &[String],
        at: Timestamp,
    ) -> Result<(), StateError> {
        let mut times = self.issued_at(directory, names)?;
        times.push(at);
        let excess = times.len().saturating_sub(KEPT_TIMES);
        times.drain(..excess);
        self.create_subfolder(ISSUED_FOLDER)?;
        self.write_entry(&self.issued_path(directory, names), &times)
    }

    fn issued_path(&self, directory: &str, names: &[String]) -> PathBuf {
        let mut sorted = names.to_vec();
        sorted.sort();
        sorted.insert(0, directory.to_owned());
        let hash = Fingerprint::of(sorted.join("\n").as_bytes()).first_digits();
        let folder = self.subfolder(ISSUED_FOLDER);
        folder.join(format!("{hash}.json"))
    }
}
