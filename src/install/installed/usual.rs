//! The usual paths of an installed certificate, and whether it is proven.

use std::path::Path;

use crate::failure::Failure;
use crate::install_plan::observe;
use crate::store::layout::{LineageLayout, ReleaseId, ReleasePointer};

/// Returns whether the live release was verified live.
///
/// # Errors
/// When `proven` cannot be read.
pub(super) fn is_proven(layout: &LineageLayout, live: &ReleaseId) -> Result<bool, Failure> {
    let proven = observe::read_pointer(layout, ReleasePointer::Proven)?;
    Ok(proven.as_ref() == Some(live))
}

/// The layout of a certificate with its usual paths.
#[must_use]
pub(crate) fn usual_layout(root: &Path, stem: &str) -> LineageLayout {
    let (chain, key) = observe::detect_distro_family(root).stable_paths(stem);
    LineageLayout::new(Some(root), stem, root.join(chain), root.join(key))
}
