//! Plain files that a run keeps under a hidden name until its install has succeeded.

use zeroize::Zeroizing;

use super::{PIECE_LIMIT, read_piece};
use crate::store::layout::{
    LineageLayout, ReleaseId, ReleasePointer, StableLink, kept_name, parse_pointer_text,
};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders::{self, FileKind};
use crate::system::fs::kept;

/// Whether a plain file was kept for a rollback, and is still needed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeptFile {
    None,
    /// The install that kept it has succeeded.
    Finished,
    /// It has the bytes of the release that a rollback restores.
    Unfinished,
}

/// Checks the plain file that was kept for a path.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn classify(
    layout: &LineageLayout,
    link: &StableLink,
    proven: Option<&ReleaseId>,
) -> Result<KeptFile, FileError> {
    let kept = kept_name(&link.path);
    if !files::exists(&kept) {
        return Ok(KeptFile::None);
    }
    let Some(proven) = proven else {
        return Ok(KeptFile::Unfinished);
    };
    let bytes = Zeroizing::new(files::read(&kept, PIECE_LIMIT)?);
    let is_proven = read_piece(layout, proven, link.piece)?.is_some_and(|proven| proven == bytes);
    Ok(if is_proven {
        KeptFile::Unfinished
    } else {
        KeptFile::Finished
    })
}

/// Removes the plain files that earlier runs have kept and that no rollback needs any more.
///
/// # Errors
/// When a file cannot be checked or removed.
pub(crate) fn sweep(layouts: &[&LineageLayout]) -> Result<(), FileError> {
    layouts.iter().try_for_each(|layout| sweep_lineage(layout))
}

fn sweep_lineage(layout: &LineageLayout) -> Result<(), FileError> {
    let proven = match folders::read_status(&layout.pointer(ReleasePointer::Proven))? {
        Some(status) => match status.kind {
            FileKind::Link(text) => parse_pointer_text(&text),
            _ => None,
        },
        None => None,
    };
    for link in layout.links() {
        if classify(layout, link, proven.as_ref())? == KeptFile::Finished {
            kept::remove_unflushed(&kept_name(&link.path))?;
        }
    }
    Ok(())
}
