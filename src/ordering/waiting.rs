//! A certificate that was issued and is not installed yet.

use crate::pki::installable::InstallableCertificate;
use crate::store::settings::LineageSettings;

/// A certificate that is installed together with others. Its order is in the journal until then.
#[derive(Debug)]
pub(crate) struct WaitingInstall {
    pub certified: InstallableCertificate,
    /// What is saved for the next renewal.
    pub flags: LineageSettings,
}
