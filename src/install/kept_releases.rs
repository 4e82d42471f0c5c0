//! All versions of an installed certificate that are kept.

use std::path::PathBuf;

use super::installed::usual_layout;
use crate::context::Context;
use crate::failure::Failure;
use crate::install_plan::observe;
use crate::pki::certificate::Certificate;
use crate::store::disk;
use crate::store::layout::{ReleaseFile, ReleaseId, ReleasePointer};
use crate::store::root::resolve_root;
use crate::system::fs::folders;

/// How many versions are read at most.
const LIMIT: usize = 10_000;

/// A kept certificate, the file of its key, and whether servers may use it.
pub(crate) struct KeptCertificate {
    pub leaf: Certificate,
    pub key_path: PathBuf,
    /// Whether it is live, or was the last one that was verified live.
    pub is_current: bool,
}

/// Returns every version of an installed certificate that can be read.
///
/// # Errors
/// When it is not known which one is live.
pub(crate) fn list_kept(context: &Context, stem: &str) -> Result<Vec<KeptCertificate>, Failure> {
    let root = resolve_root(context.root.as_deref())?;
    let layout = usual_layout(&root, stem);
    let mut current = Vec::new();
    for pointer in [ReleasePointer::Live, ReleasePointer::Proven] {
        let release = observe::read_pointer(&layout, pointer)?;
        current.extend(release);
    }
    let names = folders::list_names(&layout.releases(), LIMIT);
    let mut kept = Vec::new();
    for name in names.unwrap_or_default() {
        let id = name.to_str().and_then(ReleaseId::parse);
        let Some(id) = id else {
            continue;
        };
        let Ok(Some(release)) = disk::load_public(&layout, &id) else {
            continue;
        };
        kept.push(KeptCertificate {
            leaf: release.leaf().clone(),
            key_path: layout.file_path(&id, ReleaseFile::Key),
            is_current: current.contains(&id),
        });
    }
    Ok(kept)
}
