//! Asks the CA to revoke: with the account from which the certificate was ordered, else with the
//! certificate's own key (RFC 8555 7.6).

use std::path::Path;

use super::candidates::RevocableCertificate;
use super::in_use::ServedCheck;
use super::outcome::{RevocationResult, RevokeOutcome, RevokedCertificate};
use crate::acme::ca_table::AcmeChoice;
use crate::acme::revocation_reason::RevocationReason;
use crate::acme::signer::{MessageSender, MessageSigner};
use crate::advice::revoke_command as advice;
use crate::audit::{self, AuditAction, AuditEvent};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::inputs::FoundKeyFile;
use crate::install::revocations::RevocationLock;
use crate::ordering::CaConnection;
use crate::pki::certificate::Certificate;
use crate::pki::key::PrivateKey;
use crate::state::{AcmeAccount, StateFolder};
use crate::system::acme::{AcmeError, RevocationRequest};

/// What is revoked, and where.
pub(super) struct Revocation<'a> {
    pub context: &'a Context,
    pub state: &'a StateFolder,
    pub stem: &'a str,
    pub ca: AcmeChoice,
    pub trust: Option<String>,
    pub reason: RevocationReason,
    /// The right to revoke; `None` in a dry run.
    pub lock: Option<RevocationLock>,
}

/// An account, and the key that signs for it.
struct AccountKey {
    account: AcmeAccount,
    key: PrivateKey,
}

impl Revocation<'_> {
    /// Revokes the certificates that are not in use. If one of them is in use, none is revoked.
    pub(super) fn carry_out(
        &self,
        chosen: Vec<RevocableCertificate>,
    ) -> Result<RevokeOutcome, Failure> {
        let served = ServedCheck::new(self.context, self.stem)?;
        let mut outcome = RevokeOutcome::new(self.stem, &self.ca, self.reason);
        for certificate in &chosen {
            let addresses = served.addresses_of(&certificate.leaf);
            if certificate.is_current || !addresses.is_empty() {
                let finding = advice::in_use(self.stem, &certificate.leaf, &addresses);
                outcome.findings.push(finding);
            }
        }
        if !outcome.findings.is_empty() {
            outcome.refuse(chosen);
            return Ok(outcome);
        }
        if !served.is_complete() {
            outcome.findings.push(advice::not_probed(self.stem));
        }
        match &self.lock {
            None => outcome.plan(chosen),
            Some(lock) => self.revoke_all(lock, chosen, &mut outcome)?,
        }
        Ok(outcome)
    }

    /// Revokes one after the other. What fails after the first success is part of the outcome.
    fn revoke_all(
        &self,
        lock: &RevocationLock,
        chosen: Vec<RevocableCertificate>,
        outcome: &mut RevokeOutcome,
    ) -> Result<(), Failure> {
        let connection = CaConnection::open(self.context, &self.ca, self.trust.as_deref())?;
        connection.finish_rollover(self.state)?;
        let account = self.account()?;
        for certificate in chosen {
            // Written first: if this run ends in between, a rollback does not restore it.
            let sha256 = certificate.leaf.sha256();
            let record = lock.record(&sha256)?;
            let result = self.revoke(&connection, account.as_ref(), &certificate);
            if let Err(failure) = &result
                && is_refusal(failure)
            {
                lock.retract(&sha256, record)?;
            }
            let result = match result {
                Ok(result) => result,
                Err(failure) if outcome.certificates.is_empty() => return Err(failure),
                Err(failure) => {
                    outcome.fail(failure);
                    RevocationResult::Failed
                }
            };
            if result != RevocationResult::Failed {
                self.audit(&certificate.leaf);
            }
            let leaf = certificate.leaf;
            outcome
                .certificates
                .push(RevokedCertificate { leaf, result });
        }
        Ok(())
    }

    /// The account at the CA, if there is one.
    fn account(&self) -> Result<Option<AccountKey>, Failure> {
        let directory = self.ca.directory();
        let Some(account) = self.state.read_account(directory)? else {
            return Ok(None);
        };
        let key = self.state.account_key(directory)?;
        Ok(Some(AccountKey { account, key }))
    }

    fn revoke(
        &self,
        connection: &CaConnection,
        account: Option<&AccountKey>,
        certificate: &RevocableCertificate,
    ) -> Result<RevocationResult, Failure> {
        let mut refusal = None;
        if let Some(account) = account {
            let sender = MessageSender::Account(&account.account.url);
            match self.ask(connection, &account.key, sender, &certificate.leaf) {
                Ok(result) => return Ok(result),
                Err(error) if error.is_unauthorized() => refusal = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        let key = certificate.key_path.as_deref();
        let key = key.and_then(|path| read_key(path, &certificate.leaf));
        match (key, refusal) {
            (Some(key), _) => {
                let asked = self.ask(connection, &key, MessageSender::Key, &certificate.leaf);
                Ok(asked?)
            }
            (None, Some(error)) => Err(error.into()),
            (None, None) => Err(advice::nobody_may_revoke(self.stem, self.ca.title())),
        }
    }

    fn ask(
        &self,
        connection: &CaConnection,
        key: &PrivateKey,
        sender: MessageSender<'_>,
        leaf: &Certificate,
    ) -> Result<RevocationResult, AcmeError> {
        let signer = MessageSigner::new(key)?;
        let revocation = RevocationRequest {
            der: leaf.der(),
            reason: self.reason,
        };
        let client = &connection.client;
        match connection
            .directory
            .revoke(client, &signer, sender, revocation)
        {
            Ok(()) if matches!(sender, MessageSender::Key) => Ok(RevocationResult::ByOwnKey),
            Ok(()) => Ok(RevocationResult::ByAccount),
            Err(error) if error.is_already_revoked() => Ok(RevocationResult::Earlier),
            Err(error) => Err(error),
        }
    }

    fn audit(&self, leaf: &Certificate) {
        let event = AuditEvent {
            action: AuditAction::Revoke,
            subject: self.stem,
            result: self.reason.word(),
            before: Some(&leaf.sha256()),
            after: None,
            key_id: None,
            proof: self.ca.directory(),
        };
        // The certificate is revoked whether or not the system's log has it.
        let _ = audit::record(self.context, &event);
    }
}

/// Returns whether the CA has certainly not revoked the certificate. An answer may have been lost.
fn is_refusal(failure: &Failure) -> bool {
    !matches!(
        failure.kind,
        FailureKind::Interrupted(_) | FailureKind::Network | FailureKind::Hostile
    )
}

/// The key of a certificate, if it can be read and belongs to it.
fn read_key(path: &Path, leaf: &Certificate) -> Option<PrivateKey> {
    let file = FoundKeyFile::read_installed(path).ok()?;
    let key = file.into_key(path, leaf.key_id)?.ok()?;
    Some(key.into_held().value)
}
