//! Which certificates of an installed name were revoked. A list in its saved options keeps a rollback
//! from restoring one of them.

use crate::context::Context;
use crate::failure::Failure;
use crate::install::installed::usual_layout;
use crate::install::transaction::{LOCK_TIMEOUT, take_lock};
use crate::install_plan::apply::error::InstallError;
use crate::install_plan::apply::save_settings;
use crate::install_plan::observe;
use crate::store::layout::{self, LineageLayout};
use crate::store::root::resolve_root;
use crate::store::settings::LineageSettings;
use crate::system::fs::folders;
use crate::system::fs::lock::FileLock;

/// The right to revoke certificates of a name: no other certctl installs or restores one meanwhile.
pub(crate) struct RevocationLock {
    layout: LineageLayout,
    /// `None` where nothing is installed that this user could replace.
    _lock: Option<FileLock>,
}

/// Whether a certificate was known to be revoked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RevocationRecord {
    Known,
    New,
}

impl RevocationLock {
    /// Waits until no other certctl changes what is installed.
    ///
    /// # Errors
    /// When another certctl holds the lock for too long, or a signal arrives.
    pub(crate) fn acquire(context: &Context, stem: &str) -> Result<Self, Failure> {
        let root = resolve_root(context.root.as_deref())?;
        let layout = usual_layout(&root, stem);
        let is_installed = folders::is_folder(&layout.folder());
        if !folders::is_folder(&layout::base(&root)) {
            let _lock = None;
            return Ok(Self { layout, _lock });
        }
        let _lock = match take_lock(context, &layout, LOCK_TIMEOUT) {
            Ok((lock, _)) => Some(lock),
            // The certificate is in a folder of a user who installs nothing.
            Err(InstallError::File(error)) if error.is_denied() && !is_installed => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { layout, _lock })
    }

    /// Writes down that a certificate is about to be revoked. Returns whether that was not known before.
    ///
    /// # Errors
    /// When the options cannot be read or written.
    pub(crate) fn record(&self, sha256: &str) -> Result<RevocationRecord, Failure> {
        let Some(mut settings) = self.settings()? else {
            return Ok(RevocationRecord::Known);
        };
        if settings.is_revoked(sha256) {
            return Ok(RevocationRecord::Known);
        }
        settings.add_revoked(sha256);
        save_settings(&self.layout, &settings)?;
        Ok(RevocationRecord::New)
    }

    /// Forgets what [`Self::record`] has written: the CA has refused.
    ///
    /// # Errors
    /// When the options cannot be read or written.
    pub(crate) fn retract(&self, sha256: &str, record: RevocationRecord) -> Result<(), Failure> {
        let settings = self.settings()?;
        let Some(mut settings) = settings.filter(|_| record == RevocationRecord::New) else {
            return Ok(());
        };
        settings.forget_revoked(sha256);
        Ok(save_settings(&self.layout, &settings)?)
    }

    /// The saved options; `None` if nothing is installed.
    fn settings(&self) -> Result<Option<LineageSettings>, Failure> {
        if !folders::is_folder(&self.layout.folder()) {
            return Ok(None);
        }
        let settings = observe::read_settings(self.layout.root(), self.layout.stem())?;
        Ok(Some(settings))
    }
}
