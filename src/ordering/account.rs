//! Opens the account at the CA, or creates it: the key is on the disk before the CA hears of it, and
//! a lost answer is found again with the key alone.

use serde_json::Map;

use super::spec::{OrderSpec, TermsConsent};
use crate::acme::ca_table::AcmeChoice;
use crate::acme::signer::MessageSigner;
use crate::advice::order as advice;
use crate::audit::{self, AuditAction, AuditEvent};
use crate::context::Context;
use crate::failure::Failure;
use crate::pki::key::PrivateKey;
use crate::state::{AcmeAccount, StateFolder};
use crate::system::acme::{AcmeDirectory, AcmeSession, NewAccountTerms, SigningAccount};
use crate::system::clock;
use crate::system::fs::files;
use crate::system::http::api::{ApiClient, ApiUrl};

/// The CA and the way to it.
pub(crate) struct CaConnection {
    pub client: ApiClient,
    pub directory: AcmeDirectory,
}

impl CaConnection {
    /// Reads the directory of a CA; `trust` is a value of `--trust`.
    pub(crate) fn open(
        context: &Context,
        ca: &AcmeChoice,
        trust: Option<&str>,
    ) -> Result<Self, Failure> {
        let url = ApiUrl::parse(ca.directory());
        let url = url.map_err(|error| advice::wrong_directory(ca.directory(), error))?;
        let anchors = trust.map(|trust| crate::inputs::trust_anchors(Some(trust)));
        let anchors = anchors.transpose()?;
        let client = ApiClient::new(anchors.as_ref(), &context.interrupt)?;
        let directory = AcmeDirectory::read(&client, &url)?;
        Ok(Self { client, directory })
    }

    /// Reads the directory for an order, and checks the profile.
    pub(super) fn open_for(context: &Context, spec: &OrderSpec) -> Result<Self, Failure> {
        let connection = Self::open(context, spec.acme()?, spec.trust.as_deref())?;
        let offered = &connection.directory.profiles;
        if let Some(profile) = &spec.profile
            && !offered.contains(profile)
        {
            return Err(advice::unknown_profile(profile, offered));
        }
        Ok(connection)
    }

    /// Opens the account; creates it if there is none.
    pub(super) fn session(
        &self,
        context: &Context,
        spec: &OrderSpec,
        state: &StateFolder,
    ) -> Result<AcmeSession, Failure> {
        let directory = self.directory.url.expose();
        self.finish_rollover(state)?;
        let account = match state.read_account(directory)? {
            Some(account) => account,
            None => self.create_account(context, spec, state)?,
        };
        let key = state.account_key(directory)?;
        let opened = AcmeSession::open(&self.client, &self.directory.url, &account.url, &key);
        Ok(opened?)
    }

    /// Returns the URL of an unfinished order for these names, if the CA lists the account's orders.
    pub(super) fn find_open_order(
        &self,
        state: &StateFolder,
        names: &[String],
    ) -> Result<Option<String>, Failure> {
        let directory = self.directory.url.expose();
        let Some(account) = state.read_account(directory)? else {
            return Ok(None);
        };
        let key = state.account_key(directory)?;
        let signer = MessageSigner::new(&key)?;
        let signing = SigningAccount {
            url: &account.url,
            signer: &signer,
        };
        let found = self.directory.find_open_order(&self.client, signing, names);
        Ok(found?)
    }

    /// Finishes a change of the account's key that was interrupted after the CA had accepted the new
    /// one. Returns whether there was one.
    pub(crate) fn finish_rollover(&self, state: &StateFolder) -> Result<bool, Failure> {
        let directory = self.directory.url.expose();
        let Some(next) = state.next_account_key(directory)? else {
            return Ok(false);
        };
        let signer = MessageSigner::new(&next)?;
        let found = self.directory.find_account(&self.client, &signer)?;
        if found.is_none() {
            return Ok(false);
        }
        state.promote_account_key(directory, &next)?;
        Ok(true)
    }

    /// Checks what a new account needs; nothing is sent.
    pub(super) fn check_consent(
        &self,
        spec: &OrderSpec,
        state: &StateFolder,
    ) -> Result<(), Failure> {
        if state.read_account(self.directory.url.expose())?.is_some() {
            return Ok(());
        }
        if let Some(terms) = &self.directory.terms_of_service
            && spec.terms == TermsConsent::Unasked
        {
            return Err(advice::agree_to_terms(spec.ca.title(), terms));
        }
        let has_key = files::exists(&state.account_key_path(self.directory.url.expose()));
        if self.directory.requires_external_account && spec.external.is_none() && !has_key {
            return Err(advice::external_account_missing(
                spec.ca.title(),
                spec.ca.known(),
            ));
        }
        Ok(())
    }

    /// Creates the account and writes it down.
    fn create_account(
        &self,
        context: &Context,
        spec: &OrderSpec,
        state: &StateFolder,
    ) -> Result<AcmeAccount, Failure> {
        self.check_consent(spec, state)?;
        let directory = self.directory.url.expose();
        let key = state.account_key(directory)?;
        let url = self.account_url(spec, &key)?;
        let account = AcmeAccount {
            directory: directory.to_owned(),
            url,
            contact: spec.contact.clone(),
            created: clock::now(),
            other: Map::new(),
        };
        state.write_account(&account)?;
        audit_account(context, AuditAction::CreateAccount, &account, &key);
        Ok(account)
    }

    /// Finds the account that an interrupted run has created with this key, else creates one.
    fn account_url(&self, spec: &OrderSpec, key: &PrivateKey) -> Result<String, Failure> {
        let signer = MessageSigner::new(key)?;
        if let Some(url) = self.directory.find_account(&self.client, &signer)? {
            return Ok(url);
        }
        if self.directory.requires_external_account && spec.external.is_none() {
            return Err(advice::external_account_missing(
                spec.ca.title(),
                spec.ca.known(),
            ));
        }
        let terms = NewAccountTerms {
            contact: spec.contact.clone(),
            external: spec.external.clone(),
        };
        let created = self.directory.create_account(&self.client, &signer, &terms);
        Ok(created?)
    }
}

/// Writes an account that another program has created: the key, unless it is here, then the account.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn record_imported_account(
    context: &Context,
    state: &StateFolder,
    directory: &str,
    key: &PrivateKey,
    url: &str,
) -> Result<AcmeAccount, Failure> {
    if !files::exists(&state.account_key_path(directory)) {
        state.import_account_key(directory, key)?;
    }
    let account = AcmeAccount {
        directory: directory.to_owned(),
        url: url.to_owned(),
        contact: Vec::new(),
        created: clock::now(),
        other: Map::new(),
    };
    state.write_account(&account)?;
    audit_account(context, AuditAction::ImportAccount, &account, key);
    Ok(account)
}

/// Writes the line of a new account to the system's log.
fn audit_account(context: &Context, action: AuditAction, account: &AcmeAccount, key: &PrivateKey) {
    let event = AuditEvent {
        action,
        subject: &account.directory,
        result: "done",
        before: None,
        after: Some(&account.url),
        key_id: Some(key.id().to_string()),
        proof: "",
    };
    // The account exists whether or not the system's log has it.
    let _ = audit::record(context, &event);
}
