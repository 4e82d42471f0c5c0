//! Opens the account at the CA, or creates it: the key is on the disk before the CA hears of it, and
//! a lost answer is found again with the key alone.

use serde_json::Map;

use super::spec::{OrderSpec, TermsConsent};
use crate::acme::registration::AccountSigner;
use crate::advice::order as advice;
use crate::audit::{self, AuditAction, AuditEvent};
use crate::context::Context;
use crate::failure::Failure;
use crate::pki::key::PrivateKey;
use crate::state::{AcmeAccount, StateFolder};
use crate::system::acme::{AcmeDirectory, AcmeError, AcmeSession, NewAccountTerms};
use crate::system::clock;
use crate::system::http::api::{ApiClient, ApiUrl};

/// The CA and the way to it.
pub(super) struct CaConnection {
    pub client: ApiClient,
    pub directory: AcmeDirectory,
}

impl CaConnection {
    /// Reads the directory of the CA, and checks the profile.
    pub(super) fn open(context: &Context, spec: &OrderSpec) -> Result<Self, Failure> {
        let url = ApiUrl::parse(spec.ca.directory());
        let url = url.map_err(|error| advice::wrong_directory(spec.ca.directory(), error))?;
        let anchors = spec.trust.as_deref();
        let anchors = anchors.map(|trust| crate::inputs::trust_anchors(Some(trust)));
        let anchors = anchors.transpose()?;
        let client = ApiClient::new(anchors.as_ref(), &context.interrupt)?;
        let directory = AcmeDirectory::read(&client, &url)?;
        if let Some(profile) = &spec.profile
            && !directory.profiles.contains(profile)
        {
            return Err(advice::unknown_profile(profile, &directory.profiles));
        }
        Ok(Self { client, directory })
    }

    /// Opens the account; creates it if there is none.
    pub(super) fn session(
        &self,
        context: &Context,
        spec: &OrderSpec,
        state: &StateFolder,
    ) -> Result<AcmeSession, Failure> {
        let directory = self.directory.url.expose();
        let account = match state.read_account(directory)? {
            Some(account) => account,
            None => self.create_account(context, spec, state)?,
        };
        let key = state.account_key(directory)?;
        let opened = AcmeSession::open(&self.client, &self.directory.url, &account.url, &key);
        Ok(opened?)
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
        let has_key =
            crate::system::fs::files::exists(&state.account_key_path(self.directory.url.expose()));
        if self.directory.requires_external_account && spec.external.is_none() && !has_key {
            return Err(advice::external_account_missing(&spec.ca));
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
        audit_account(context, &account, &key);
        Ok(account)
    }

    /// Finds the account that an interrupted run has created with this key, else creates one.
    fn account_url(&self, spec: &OrderSpec, key: &PrivateKey) -> Result<String, Failure> {
        let signer = AccountSigner::new(key).map_err(AcmeError::from)?;
        if let Some(url) = self.directory.find_account(&self.client, &signer)? {
            return Ok(url);
        }
        if self.directory.requires_external_account && spec.external.is_none() {
            return Err(advice::external_account_missing(&spec.ca));
        }
        let terms = NewAccountTerms {
            contact: spec.contact.clone(),
            external: spec.external.clone(),
        };
        let created = self.directory.create_account(&self.client, &signer, &terms);
        Ok(created?)
    }
}

/// Writes the line of a new account to the system's log.
fn audit_account(context: &Context, account: &AcmeAccount, key: &PrivateKey) {
    let event = AuditEvent {
        action: AuditAction::CreateAccount,
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
