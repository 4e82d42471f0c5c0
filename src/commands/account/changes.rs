//! Changes of accounts. A key is on the disk before the CA hears of it, and the old key is replaced
//! only after the CA has accepted the new one.

use std::path::Path;
use std::time::Duration;

use super::outcome::{AccountOutcome, AccountVerdict};
use super::shown::ShownAccount;
use crate::acme::ca_table::AcmeChoice;
use crate::acme::signer::MessageSigner;
use crate::advice::account_command as advice;
use crate::audit::{self, AuditAction, AuditEvent};
use crate::context::Context;
use crate::failure::Failure;
use crate::inputs::FoundKeyFile;
use crate::install::request::RunMode;
use crate::ordering::{CaConnection, record_imported_account};
use crate::permissions::Mode;
use crate::pki::key::{KeyAlgorithm, PrivateKey};
use crate::state::{AcmeAccount, StateFolder};
use crate::system::acme::SigningAccount;
use crate::system::fs::{files, folders};

/// The mode of an exported key.
const KEY_MODE: Mode = Mode::new(0o600);
/// How long another certctl may change the same account.
const LOCK_WAIT: Duration = Duration::from_secs(60);

/// An account that is shown or changed.
pub(super) struct AccountChange<'a> {
    pub context: &'a Context,
    pub state: &'a StateFolder,
    pub ca: AcmeChoice,
    /// A value of `--trust`.
    pub trust: Option<String>,
    pub mode: RunMode,
}

impl AccountChange<'_> {
    /// Shows the account, and what the CA says about it.
    pub(super) fn show(&self) -> Result<AccountOutcome, Failure> {
        let account = self.account()?;
        let connection = self.connect()?;
        connection.finish_rollover(self.state)?;
        let key = self.state.account_key(&account.directory)?;
        let signer = MessageSigner::new(&key)?;
        let client = &connection.client;
        let signing = SigningAccount {
            url: &account.url,
            signer: &signer,
        };
        let said = connection.directory.read_account(client, signing)?;
        let mut shown = ShownAccount::find(self.context, self.state, account)?;
        shown.account.contact = said.contact;
        shown.status = Some(said.status);
        let mut outcome = AccountOutcome::new(AccountVerdict::Listed);
        outcome.accounts.push(shown);
        Ok(outcome)
    }

    /// Uses the account that a key has at the CA.
    pub(super) fn import(&self, path: &Path) -> Result<AccountOutcome, Failure> {
        let key = read_key(path)?;
        let known = self.state.read_account(self.ca.directory())?;
        if let Some(known) = known {
            self.compare_key(&key, &known.url)?;
            return self.outcome(AccountVerdict::Unchanged, known);
        }
        let url = self.find_account(path, &key)?;
        if self.mode == RunMode::DryRun {
            let title = self.ca.title();
            let step = format!("use the account {url} at {title}");
            return Ok(AccountOutcome::planned(step));
        }
        self.write_imported(&key, &url)
    }

    /// The URL of the account that a key has at the CA.
    fn find_account(&self, path: &Path, key: &PrivateKey) -> Result<String, Failure> {
        let connection = self.connect()?;
        let signer = MessageSigner::new(key)?;
        let client = &connection.client;
        match connection.directory.find_account(client, &signer)? {
            Some(url) => Ok(url),
            None => Err(advice::key_without_account(path, self.ca.title())),
        }
    }

    /// Writes the key, then the account.
    fn write_imported(&self, key: &PrivateKey, url: &str) -> Result<AccountOutcome, Failure> {
        let directory = self.ca.directory();
        if files::exists(&self.state.account_key_path(directory)) {
            self.compare_key(key, directory)?;
        }
        let account = record_imported_account(self.context, self.state, directory, key, url)?;
        self.outcome(AccountVerdict::Imported, account)
    }

    /// Refuses a key that is not the one in use here.
    fn compare_key(&self, key: &PrivateKey, url: &str) -> Result<(), Failure> {
        let known = self.state.account_key(self.ca.directory())?;
        if known.id() == key.id() {
            Ok(())
        } else {
            Err(advice::other_account(self.ca.title(), url))
        }
    }

    /// Writes the key of the account to a new file.
    pub(super) fn export(&self, path: &Path) -> Result<AccountOutcome, Failure> {
        let account = self.account()?;
        let path = folders::absolute(path)?;
        if self.mode == RunMode::DryRun {
            let path = path.display();
            return Ok(AccountOutcome::planned(format!("write the key to {path}")));
        }
        let key = self.state.account_key(&account.directory)?;
        files::create_new(&path, key.to_pem().as_bytes(), KEY_MODE)?;
        self.audit(AuditAction::ExportAccount, &account, &key);
        let mut outcome = self.outcome(AccountVerdict::Exported, account)?;
        outcome.file = Some(path);
        Ok(outcome)
    }

    /// Gives the account a new key (RFC 8555 7.3.5).
    pub(super) fn roll_over(&self) -> Result<AccountOutcome, Failure> {
        let account = self.account()?;
        let directory = account.directory.as_str();
        if self.mode == RunMode::DryRun {
            let url = &account.url;
            let step = format!("create a key, and replace the key of the account {url} with it");
            return Ok(AccountOutcome::planned(step));
        }
        let connection = self.connect()?;
        let give_up = || self.context.interrupt.signal().is_some();
        let _lock = self.state.lock_account(directory, LOCK_WAIT, give_up)?;
        // A rollover that was interrupted after the CA's answer is finished by this.
        if connection.finish_rollover(self.state)? {
            return self.outcome(AccountVerdict::RolledOver, account);
        }
        let old = self.state.account_key(directory)?;
        let new = self.state.create_next_account_key(directory)?;
        let old_signer = MessageSigner::new(&old)?;
        let new_signer = MessageSigner::new(&new)?;
        let signing = SigningAccount {
            url: &account.url,
            signer: &old_signer,
        };
        let client = &connection.client;
        connection
            .directory
            .change_key(client, signing, &new_signer)?;
        self.state.promote_account_key(directory, &new)?;
        self.audit(AuditAction::ChangeAccountKey, &account, &new);
        self.outcome(AccountVerdict::RolledOver, account)
    }

    fn account(&self) -> Result<AcmeAccount, Failure> {
        match self.state.read_account(self.ca.directory())? {
            Some(account) => Ok(account),
            None => Err(advice::no_account(Some(self.ca.title()))),
        }
    }

    fn connect(&self) -> Result<CaConnection, Failure> {
        CaConnection::open(self.context, &self.ca, self.trust.as_deref())
    }

    fn outcome(
        &self,
        verdict: AccountVerdict,
        account: AcmeAccount,
    ) -> Result<AccountOutcome, Failure> {
        let mut outcome = AccountOutcome::new(verdict);
        let shown = ShownAccount::find(self.context, self.state, account)?;
        outcome.accounts.push(shown);
        Ok(outcome)
    }

    fn audit(&self, action: AuditAction, account: &AcmeAccount, key: &PrivateKey) {
        let event = AuditEvent {
            action,
            subject: &account.directory,
            result: "done",
            before: None,
            after: Some(&account.url),
            key_id: Some(key.id().to_string()),
            proof: "",
        };
        // The change is made whether or not the system's log has it.
        let _ = audit::record(self.context, &event);
    }
}

/// The key in a file of the user. Other programs' RSA accounts cannot be used.
fn read_key(path: &Path) -> Result<PrivateKey, Failure> {
    let delivery = FoundKeyFile::read_installed(path)?.delivery;
    let Some(found) = delivery.keys.into_iter().next() else {
        return Err(advice::no_key_in(path));
    };
    let key = found.value;
    if key.algorithm() == KeyAlgorithm::EcdsaP256 {
        Ok(key)
    } else {
        Err(advice::key_not_usable(path, &key.algorithm().to_string()))
    }
}
