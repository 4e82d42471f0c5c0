//! Who may use a file on disk, beyond what its mode shows: ACLs, SELinux labels and hard links of
//! what is replaced, and what the file in its place keeps of them.

use std::path::{Path, PathBuf};

use crate::store::key_access::acl::{self, Acl, Who};
use crate::store::key_access::inherit::{self, Doubt, Node};
use crate::store::layout::{Layout, Piece};
use crate::system::fs::files::FileError;
use crate::system::fs::folders::{self, Kind, Seen};
use crate::system::fs::xattrs::{self, Attributes};

/// Something worth telling of a file that is replaced.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Remark {
    /// They may read it by an ACL, and so may they what replaces it.
    #[error("by an ACL of {} {} may read it, and so may they the new one", path.display(), listed(who))]
    Readers {
        path: PathBuf,
        /// Those who are named.
        who: Vec<Who>,
    },
    /// An ACL names them, but folders that are not in the way of the new file keep them out.
    #[error("an ACL of {} names {}, whom its folders may keep out: the new key is without it", path.display(), listed(who))]
    KeptOut {
        path: PathBuf,
        /// Those who are named.
        who: Vec<Who>,
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

fn listed(who: &[Who]) -> String {
    who.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What is at `path`, links not followed; its mode is what it is without its ACL.
///
/// # Errors
/// When it cannot be looked at.
pub(crate) fn look(path: &Path) -> Result<Option<Seen>, FileError> {
    let Some(mut seen) = folders::look(path)? else {
        return Ok(None);
    };
    if seen.kind == Kind::File
        && seen.mode & 0o070 != 0
        && let Some(acl) = acl(path)?
    {
        seen.mode = acl.mode(seen.mode);
    }
    Ok(Some(seen))
}

fn acl(path: &Path) -> Result<Option<Acl>, FileError> {
    Ok(xattrs::acl(path)?.as_deref().and_then(Acl::parse))
}

/// What the piece of a new release gets from the file that servers read now; `mode` is the new
/// file's.
///
/// # Errors
/// When that file cannot be looked at.
pub(crate) fn attributes(
    layout: &Layout,
    piece: Piece,
    mode: u32,
) -> Result<Attributes, FileError> {
    let Some(link) = layout.links().iter().find(|link| link.piece == piece) else {
        return Ok(Attributes::default());
    };
    let path = link.path.as_path();
    let attributes = match xattrs::read(path) {
        Err(error) if error.is_missing() => return Ok(Attributes::default()),
        other => other?,
    };
    if piece.is_secret() && strange(layout, path)? {
        return Ok(Attributes::default());
    }
    let acl = attributes.acl.as_deref().and_then(Acl::parse);
    let readers = acl.map(|acl| acl.readers()).unwrap_or_default();
    let (kept, _) = split(layout, path, piece, readers)?;
    Ok(Attributes {
        acl: acl::of(&kept, mode),
        ..attributes
    })
}

/// Whether a plain key file is another user's, who may have put it there.
fn strange(layout: &Layout, path: &Path) -> Result<bool, FileError> {
    let Some(seen) = look(path)?.filter(|seen| seen.kind == Kind::File) else {
        return Ok(false);
    };
    let (_, doubts) = inherit::inherit(node(&seen), &above(layout, path)?, folders::user());
    Ok(doubts
        .iter()
        .any(|doubt| matches!(doubt, Doubt::Stranger(_))))
}

/// Of those who are named in the ACL of a file: who could read it, and who could not. Whom the
/// folders of a plain key let in could, and nobody by the word of a stranger. What our own link
/// shows lies in folders that everybody may enter.
fn split(
    layout: &Layout,
    path: &Path,
    piece: Piece,
    readers: Vec<Who>,
) -> Result<(Vec<Who>, Vec<Who>), FileError> {
    let plain = folders::look(path)?.is_some_and(|seen| seen.kind == Kind::File);
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
    let opens = |(seen, acl): &(Option<Seen>, Option<Acl>), who: &Who| {
        seen.as_ref().is_none_or(|seen| seen.mode & 0o001 != 0)
            || acl.as_ref().is_some_and(|acl| acl.lets_in(*who))
    };
    Ok(readers
        .into_iter()
        .partition(|who| doors.iter().all(|door| opens(door, who))))
}

/// What decides for a mode.
#[must_use]
pub(crate) fn node(seen: &Seen) -> Node {
    Node {
        mode: seen.mode,
        owner: seen.owner,
    }
}

/// The folders of a file as far as they are inside of the tree, the nearest first.
///
/// # Errors
/// When one cannot be looked at.
pub(crate) fn above(layout: &Layout, path: &Path) -> Result<Vec<Node>, FileError> {
    let mut above = Vec::new();
    for folder in folders_of(layout, path) {
        above.extend(folders::look(folder)?.as_ref().map(node));
    }
    Ok(above)
}

fn folders_of<'a>(layout: &'a Layout, path: &'a Path) -> impl Iterator<Item = &'a Path> {
    path.ancestors()
        .skip(1)
        .take_while(|folder| folder.starts_with(layout.root()))
}

/// What is worth telling of the plain files that servers read now.
///
/// # Errors
/// When they cannot be looked at.
pub(crate) fn remarks(layout: &Layout) -> Result<Vec<Remark>, FileError> {
    let mut remarks = Vec::new();
    for link in layout.links() {
        let path = link.path.as_path();
        let Some(seen) = folders::look(path)?.filter(|seen| seen.kind == Kind::File) else {
            continue;
        };
        let readers = acl(path)?.map(|acl| acl.readers()).unwrap_or_default();
        let (kept, kept_out) = split(layout, path, link.piece, readers)?;
        let path = path.to_owned();
        if !kept.is_empty() {
            remarks.push(Remark::Readers {
                path: path.clone(),
                who: kept,
            });
        }
        if !kept_out.is_empty() {
            remarks.push(Remark::KeptOut {
                path: path.clone(),
                who: kept_out,
            });
        }
        let others = seen
            .names
            .saturating_sub(1)
            .saturating_sub(u64::from(folders::backed_up(&path)?.is_some()));
        if others > 0 {
            remarks.push(Remark::Linked {
                path,
                others,
                inode: seen.inode(),
            });
        }
    }
    Ok(remarks)
}
