//! The account of the other program at the CA.

use std::path::Path;

use crate::acme::ca_table::AcmeChoice;
use crate::acme::signer::MessageSigner;
use crate::advice::import_command as advice;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::inputs::FoundKeyFile;
use crate::inputs::foreign_lineages::ForeignLineage;
use crate::ordering::{CaConnection, OrderSpec, record_imported_account};
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::state::StateFolder;

/// What becomes of the account.
pub(super) enum AccountImport {
    /// certctl has an account at this CA already.
    Kept(String),
    /// The other program's account is used.
    Imported(Box<ImportableAccount>),
    /// The next order creates one, for this reason.
    New(Finding),
}

/// An account that exists at the CA.
pub(super) struct ImportableAccount {
    key: PrivateKey,
    url: String,
}

impl AccountImport {
    /// Finds out which account later orders use. Nothing is written.
    ///
    /// # Errors
    /// When the CA cannot be reached.
    pub(super) fn find(
        context: &Context,
        state: &StateFolder,
        lineage: &ForeignLineage,
        spec: &OrderSpec,
    ) -> Result<Self, Failure> {
        if let Some(known) = state.read_account(spec.ca.directory())? {
            return Ok(Self::Kept(known.url));
        }
        let connection = CaConnection::open(context, spec.acme()?, spec.trust.as_deref())?;
        let path = lineage.account_key.as_deref();
        let reason = match path.map(read_key) {
            None => "no account of this CA was found",
            Some(None) => "certctl uses accounts with ECDSA P-256 keys only",
            Some(Some(key)) => match find_url(&connection, &key)? {
                None => "the CA has no account with its key",
                Some(url) => {
                    let account = ImportableAccount { key, url };
                    return Ok(Self::Imported(Box::new(account)));
                }
            },
        };
        let tool = lineage.tool.name();
        if connection.directory.requires_external_account {
            let finding = advice::external_account_needed(tool, reason, spec.acme()?);
            return Ok(Self::New(finding));
        }
        let finding = advice::new_account(tool, reason, spec.ca.title());
        Ok(Self::New(finding))
    }

    /// Writes the account, if it is imported.
    pub(super) fn save(
        &self,
        context: &Context,
        state: &StateFolder,
        ca: &AcmeChoice,
    ) -> Result<(), Failure> {
        if let Self::Imported(account) = self {
            let directory = ca.directory();
            record_imported_account(context, state, directory, &account.key, &account.url)?;
        }
        Ok(())
    }

    /// The word in JSON.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Kept(_) => "kept",
            Self::Imported(_) => "imported",
            Self::New(_) => "new",
        }
    }

    /// The URL of the account, if it exists.
    pub(super) fn url(&self) -> Option<&str> {
        match self {
            Self::Kept(url) => Some(url),
            Self::Imported(account) => Some(&account.url),
            Self::New(_) => None,
        }
    }

    pub(super) fn finding(&self) -> Option<&Finding> {
        match self {
            Self::New(finding) => Some(finding),
            Self::Kept(_) | Self::Imported(_) => None,
        }
    }
}

/// Returns the key in a file, if it is one that certctl can use. certbot's files are no PEM.
fn read_key(path: &Path) -> Option<PrivateKey> {
    let delivery = FoundKeyFile::read_installed(path).ok()?.delivery;
    let keys = delivery.keys.into_iter().map(|found| found.value);
    let mut keys = keys.filter(|key| key.algorithm() == KeyAlgorithm::EcdsaP256);
    keys.next()
}

fn find_url(connection: &CaConnection, key: &PrivateKey) -> Result<Option<String>, Failure> {
    let signer = MessageSigner::new(key)?;
    let found = connection
        .directory
        .find_account(&connection.client, &signer);
    Ok(found?)
}
