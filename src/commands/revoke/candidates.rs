//! The certificates of a name that are here: installed ones, earlier ones that are kept, and those in
//! the working directory.

use std::path::PathBuf;

use crate::context::Context;
use crate::failure::Failure;
use crate::install::kept_releases::list_kept;
use crate::matching::{FolderContents, file_names, file_stem_of};
use crate::pki::certificate::Certificate;

/// A certificate that may be revoked.
pub(super) struct RevocableCertificate {
    pub leaf: Certificate,
    /// The file of its key, if that is here.
    pub key_path: Option<PathBuf>,
    /// Whether it is live, or was the last one that was verified live.
    pub is_current: bool,
    /// Whether it was installed once, and another one has taken its place.
    pub is_replaced: bool,
}

/// Returns the certificates of a name. One that is self-signed was issued by no CA.
pub(super) fn list_candidates(
    context: &Context,
    stem: &str,
) -> Result<Vec<RevocableCertificate>, Failure> {
    let mut found = Vec::new();
    for kept in list_kept(context, stem)? {
        found.push(RevocableCertificate {
            leaf: kept.leaf,
            key_path: Some(kept.key_path),
            is_current: kept.is_current,
            is_replaced: !kept.is_current,
        });
    }
    let folder = FolderContents::read(context)?;
    for file in &folder.certificates {
        let file_stem = file_stem_of(&file.path);
        let file_stem = file_stem.trim_end_matches(".fullchain");
        if file_names::strip_renewal_number(file_stem) != stem {
            continue;
        }
        let Some(leaf) = file.value.first() else {
            continue;
        };
        let is_same = |known: &RevocableCertificate| known.leaf.der() == leaf.der();
        if found.iter().any(is_same) {
            continue;
        }
        let mut key_path = None;
        for key in &folder.keys {
            if key.value.id() == leaf.key_id {
                key_path = Some(key.path.clone());
            }
        }
        found.push(RevocableCertificate {
            leaf: leaf.clone(),
            key_path,
            is_current: false,
            is_replaced: false,
        });
    }
    found.retain(|one| !one.leaf.is_self_issued());
    Ok(found)
}
