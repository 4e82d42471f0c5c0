//! Who may use a file on disk, beyond what its mode shows: ACLs, SELinux labels and hard links of
//! what is replaced, and what the file in its place keeps of them.

use std::path::{Path, PathBuf};

use crate::store::key_access::acl::{self, AccessControlList, AclSubject};
use crate::store::key_access::inherit::{self, FileAccess, InheritanceDoubt};
use crate::store::layout::{LineageLayout, ReleaseFile};
use crate::system::fs::files::FileError;
use crate::system::fs::folders::{self, FileKind, FileStatus};
use crate::system::fs::xattrs::{self, ExtendedAttributes};

/// Something worth telling of a file that is replaced.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AccessRemark {
    /// They may read it by an ACL, and so may they what replaces it.
    #[error("by an ACL of {} {} may read it, and so may they the new one", path.display(), listed(who))]
    Readers {
        path: PathBuf,
        /// Those who are named.
        who: Vec<AclSubject>,
    },
    /// An ACL names them, but folders that are not in the way of the new file keep them out.
    #[error("an ACL of {} names {}, whom its folders may keep out: the new key is without it", path.display(), listed(who))]
    KeptOut {
        path: PathBuf,
        /// Those who are named.
        who: Vec<AclSubject>,
    },
    /// It has that many further names.
    #[error("{} is the same file under {others} other name{}; what is read there stays the old one", path.display(), if *others == 1 { "" } else { "s" })]
    Linked {
        path: PathBuf,
        /// How many, backups of ours aside.
        others: u64,
        /// By this number they can be found.
        inode: u64,
    },
}

fn listed(who: &[AclSubject]) -> String {
    who.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What is at `path`, links not followed; its mode is what it is without its ACL.
///
/// # Errors
/// When it cannot be looked at.
pub(crate) fn look(path: &Path) -> Result<Option<FileStatus>, FileError> {
    let Some(mut seen) = folders::look(path)? else {
        return Ok(None);
    };
    if seen.kind == FileKind::File
        && seen.mode & 0o070 != 0
        && let Some(acl) = acl(path)?
    {
        seen.mode = acl.mode(seen.mode);
    }
    Ok(Some(seen))
}

fn acl(path: &Path) -> Result<Option<AccessControlList>, FileError> {
    Ok(xattrs::acl(path)?
        .as_deref()
        .and_then(AccessControlList::parse))
}

/// What the piece of a new release gets from the file that servers read now; `mode` is the new
/// file's.
///
/// # Errors
/// When that file cannot be looked at.
pub(crate) fn attributes(
    layout: &LineageLayout,
    piece: ReleaseFile,
    mode: u32,
) -> Result<ExtendedAttributes, FileError> {
    let Some(link) = layout.links().iter().find(|link| link.piece == piece) else {
        return Ok(ExtendedAttributes::default());
    };
    let path = link.path.as_path();
    let attributes = match xattrs::read(path) {
        Err(error) if error.is_missing() => return Ok(ExtendedAttributes::default()),
        other => other?,
    };
    if piece.is_secret() && strange(layout, path)? {
        return Ok(ExtendedAttributes::default());
    }
    let acl = attributes.acl.as_deref().and_then(AccessControlList::parse);
    let readers = acl.map(|acl| acl.readers()).unwrap_or_default();
    let (kept, _) = split(layout, path, piece, readers)?;
    Ok(ExtendedAttributes {
        acl: acl::of(&kept, mode),
        ..attributes
    })
}

/// Whether a plain key file is another user's, who may have put it there.
fn strange(layout: &LineageLayout, path: &Path) -> Result<bool, FileError> {
    let Some(seen) = look(path)?.filter(|seen| seen.kind == FileKind::File) else {
        return Ok(false);
    };
    let (_, doubts) = inherit::inherit(node(&seen), &above(layout, path)?, folders::user());
    Ok(doubts
        .iter()
        .any(|doubt| matches!(doubt, InheritanceDoubt::Stranger(_))))
}

/// Of those who are named in the ACL of a file: who could read it, and who could not. Whom the
/// folders of a plain key let in could, and nobody by the word of a stranger. What our own link
/// shows lies in folders that everybody may enter.
fn split(
    layout: &LineageLayout,
    path: &Path,
    piece: ReleaseFile,
    readers: Vec<AclSubject>,
) -> Result<(Vec<AclSubject>, Vec<AclSubject>), FileError> {
    let plain = folders::look(path)?.is_some_and(|seen| seen.kind == FileKind::File);
    if readers.is_empty() || !plain || !piece.is_secret() {
        return Ok((readers, Vec::new()));
    }
    if strange(layout, path)? {
        return Ok((Vec::new(), readers));
    }
    let mut doors = Vec::new();
    for folder in folders_of(layout, path) {
        doors.push((folders::look(folder)?, acl(folder)?));
    }
    let opens = |(seen, acl): &(Option<FileStatus>, Option<AccessControlList>),
                 who: &AclSubject| {
        seen.as_ref().is_none_or(|seen| seen.mode & 0o001 != 0)
            || acl.as_ref().is_some_and(|acl| acl.lets_in(*who))
    };
    Ok(readers
        .into_iter()
        .partition(|who| doors.iter().all(|door| opens(door, who))))
}

/// What decides for a mode.
#[must_use]
pub(crate) fn node(seen: &FileStatus) -> FileAccess {
    FileAccess {
        mode: seen.mode,
        owner: seen.owner,
    }
}

/// The folders of a file as far as they are inside of the tree, the nearest first.
///
/// # Errors
/// When one cannot be looked at.
pub(crate) fn above(layout: &LineageLayout, path: &Path) -> Result<Vec<FileAccess>, FileError> {
    let mut above = Vec::new();
    for folder in folders_of(layout, path) {
        above.extend(folders::look(folder)?.as_ref().map(node));
    }
    Ok(above)
}

fn folders_of<'a>(layout: &'a LineageLayout, path: &'a Path) -> impl Iterator<Item = &'a Path> {
    path.ancestors()
        .skip(1)
        .take_while(|folder| folder.starts_with(layout.root()))
}

/// What is worth telling of the plain files that servers read now.
///
/// # Errors
/// When they cannot be looked at.
pub(crate) fn remarks(layout: &LineageLayout) -> Result<Vec<AccessRemark>, FileError> {
    let mut remarks = Vec::new();
    for link in layout.links() {
        let path = link.path.as_path();
        let Some(seen) = folders::look(path)?.filter(|seen| seen.kind == FileKind::File) else {
            continue;
        };
        let readers = acl(path)?.map(|acl| acl.readers()).unwrap_or_default();
        let (kept, kept_out) = split(layout, path, link.piece, readers)?;
        let path = path.to_owned();
        if !kept.is_empty() {
            remarks.push(AccessRemark::Readers {
                path: path.clone(),
                who: kept,
            });
        }
        if !kept_out.is_empty() {
            remarks.push(AccessRemark::KeptOut {
                path: path.clone(),
                who: kept_out,
            });
        }
        let others = seen
            .names
            .saturating_sub(1)
            .saturating_sub(u64::from(folders::backed_up(&path)?.is_some()));
        if others > 0 {
            remarks.push(AccessRemark::Linked {
                path,
                others,
                inode: seen.inode(),
            });
        }
    }
    Ok(remarks)
}
