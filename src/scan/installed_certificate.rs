//! Reads the paths and the stored options of the installed certificates.

use std::path::Path;

use crate::context::Context;
use crate::failure::Failure;
use crate::install::installed;
use crate::install_plan::observe;
use crate::store::layout::{LineageLayout, ReleaseId, ReleasePointer};
use crate::store::root::resolve_root;
use crate::store::settings::LineageSettings;

/// A certificate that certctl installed.
pub(crate) struct InstalledCertificate {
    pub layout: LineageLayout,
    pub settings: LineageSettings,
    pub live: ReleaseId,
}

/// Reads the installed certificates of the tree; adds a failure for each that cannot be read.
pub(crate) fn read_installed(
    context: &Context,
    failures: &mut Vec<Failure>,
) -> Result<Vec<InstalledCertificate>, Failure> {
    let root = resolve_root(context.root.as_deref())?;
    let mut certificates = Vec::new();
    for stem in installed::list_installed(context)? {
        match read_certificate(context, &root, &stem) {
            Ok(certificate) => certificates.extend(certificate),
            Err(failure) => failures.push(failure),
        }
    }
    Ok(certificates)
}

/// Reads one installed certificate; returns `None` if no release is live.
fn read_certificate(
    context: &Context,
    root: &Path,
    stem: &str,
) -> Result<Option<InstalledCertificate>, Failure> {
    let settings = observe::read_settings(root, stem)?;
    let layout = installed::saved_layout(context, stem, &settings)?;
    let live = observe::read_pointer(&layout, ReleasePointer::Live)?;
    Ok(live.map(|live| InstalledCertificate {
        layout,
        settings,
        live,
    }))
}
