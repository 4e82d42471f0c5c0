//! The access to a file on disk beyond its mode: ACLs, SELinux labels and hard links of the file
//! that is replaced, and which of them the new file keeps.

use std::path::{Path, PathBuf};

use crate::permissions::Mode;
use crate::store::key_access::acl::{self, AccessControlList, AclSubject};
use crate::store::key_access::inherit::{self, FileAccess, InheritanceDoubt};
use crate::store::key_access::reader::{AccountNames, KeyReader};
use crate::store::layout::{LineageLayout, ReleaseFile, StableLink};
use crate::store::root;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders::{self, FileKind, FileStatus};
use crate::system::fs::xattrs::{self, ExtendedAttributes};

/// The maximum size of passwd(5) and group(5), in bytes.
const DATABASE_LIMIT: u64 = 16 * 1024 * 1024;

/// Something to report about a file that is replaced.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AccessRemark {
    /// An ACL lets these users and groups read it; the new file has the same entries.
    #[error("an ACL lets {} read {}; the new file keeps that ACL", listed(who), path.display())]
    Readers {
        path: PathBuf,
        /// The users and groups of the ACL.
        who: Vec<AclSubject>,
    },
    /// An ACL names them, but they could not reach the file, or the owner is not trusted.
    #[error(
        "the ACL entries of {} for {} are not copied to the new key: they may not be able to enter \
            its folders, or another user may have put the file there",
        path.display(),
        listed(who)
    )]
    KeptOut {
        path: PathBuf,
        /// The users and groups of the ACL.
        who: Vec<AclSubject>,
    },
    /// It has further hard links.
    #[error(
        "{} has {others} other hard link{}; programs that read the file there keep reading the old \
            content",
        path.display(),
        if *others == 1 { "" } else { "s" }
    )]
    Linked {
        path: PathBuf,
        /// The number of other links, without our backups.
        others: u64,
        /// The inode number, with which find(1) finds them.
        inode: u64,
    },
}

fn listed(who: &[AclSubject]) -> String {
    who.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Returns the status of `path` without following links; the mode is that without its ACL.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read_status(path: &Path) -> Result<Option<FileStatus>, FileError> {
    let Some(mut status) = folders::read_status(path)? else {
        return Ok(None);
    };
    if status.kind == FileKind::File
        && status.mode.has_any(0o070)
        && let Some(acl) = acl(path)?
    {
        status.mode = acl.mode(status.mode);
    }
    Ok(Some(status))
}

/// Returns the texts of passwd(5) and group(5) below `root`; a file that is missing or cannot be
/// read counts as empty, so that users and groups have only numbers.
#[must_use]
pub(crate) fn read_account_names(root: &Path) -> AccountNames {
    let read = |path: &str| {
        let path = root::resolve_in_tree(root, Path::new(path)).ok()?;
        let bytes = files::read(&path, DATABASE_LIMIT).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let passwd = read("/etc/passwd").unwrap_or_default();
    AccountNames::new(passwd, read("/etc/group").unwrap_or_default())
}

/// Whether the ACL of a folder lets the user or one of the groups enter.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn acl_lets_in(folder: &Path, reader: &KeyReader) -> Result<bool, FileError> {
    let acl = match acl(folder) {
        // The install creates it.
        Err(error) if error.is_missing() => None,
        other => other?,
    };
    let Some(acl) = acl else {
        return Ok(false);
    };
    let mut groups = reader.groups.iter().copied();
    Ok(acl.lets_in(AclSubject::User(reader.uid))
        || groups.any(|group| acl.lets_in(AclSubject::Group(group))))
}

/// Whether the mode alone decides who may read `path`, as far as can be read.
#[must_use]
pub(crate) fn has_no_acl(path: &Path) -> bool {
    matches!(acl(path), Ok(None))
}

fn acl(path: &Path) -> Result<Option<AccessControlList>, FileError> {
    Ok(xattrs::acl(path)?
        .as_deref()
        .and_then(AccessControlList::parse))
}

/// Returns the attributes that a file of a new release inherits from the file that servers read
/// now; `mode` is that of the new file.
///
/// # Errors
/// When that file cannot be read.
pub(crate) fn inherited_attributes(
    layout: &LineageLayout,
    piece: ReleaseFile,
    mode: Mode,
) -> Result<ExtendedAttributes, FileError> {
    let Some(link) = layout.links().iter().find(|link| link.piece == piece) else {
        return Ok(ExtendedAttributes::default());
    };
    let path = link.path.as_path();
    let attributes = match xattrs::read(path) {
        Err(error) if error.is_missing() => return Ok(ExtendedAttributes::default()),
        other => other?,
    };
    if piece.is_secret() && belongs_to_stranger(layout, path)? {
        return Ok(ExtendedAttributes::default());
    }
    let acl = attributes.acl.as_deref().and_then(AccessControlList::parse);
    let readers = acl.map(|acl| acl.readers()).unwrap_or_default();
    let readers = split_readers(layout, path, piece, readers)?;
    Ok(ExtendedAttributes {
        acl: acl::encode_readers(&readers.kept, mode),
        ..attributes
    })
}

/// Returns whether a plain key file belongs to another user, who may have put it there.
fn belongs_to_stranger(layout: &LineageLayout, path: &Path) -> Result<bool, FileError> {
    let Some(status) = read_status(path)?.filter(|status| status.kind == FileKind::File) else {
        return Ok(false);
    };
    let (_, doubts) = inherit::inherit_access(
        file_access(&status),
        &read_folders_above(layout, path)?,
        folders::current_user(),
    );
    Ok(doubts
        .iter()
        .any(|doubt| matches!(doubt, InheritanceDoubt::Stranger(_))))
}

/// The named readers of an ACL.
struct AclReaders {
    /// Those who may read the new file too.
    kept: Vec<AclSubject>,
    /// Those who could not reach the file, or whose file is not trusted.
    kept_out: Vec<AclSubject>,
}

/// Splits the named readers of the ACL of a file. For a plain key file, those who can enter its
/// folders are kept, and none if the file belongs to a stranger. Our own links are in folders that
/// all users may enter.
fn split_readers(
    layout: &LineageLayout,
    path: &Path,
    piece: ReleaseFile,
    readers: Vec<AclSubject>,
) -> Result<AclReaders, FileError> {
    let is_plain = folders::read_status(path)?.is_some_and(|status| status.kind == FileKind::File);
    if readers.is_empty() || !is_plain || !piece.is_secret() {
        return Ok(AclReaders {
            kept: readers,
            kept_out: Vec::new(),
        });
    }
    if belongs_to_stranger(layout, path)? {
        return Ok(AclReaders {
            kept: Vec::new(),
            kept_out: readers,
        });
    }
    let mut folders_above = Vec::new();
    for folder in folders_of(layout, path) {
        folders_above.push(FolderAccess {
            status: folders::read_status(folder)?,
            acl: acl(folder)?,
        });
    }
    let (kept, kept_out) = readers
        .into_iter()
        .partition(|reader| folders_above.iter().all(|folder| folder.lets_in(*reader)));
    Ok(AclReaders { kept, kept_out })
}

/// The access to a folder.
struct FolderAccess {
    status: Option<FileStatus>,
    acl: Option<AccessControlList>,
}

impl FolderAccess {
    fn lets_in(&self, subject: AclSubject) -> bool {
        let all_users_enter = self
            .status
            .as_ref()
            .is_none_or(|status| status.mode.has_any(0o001));
        all_users_enter || self.acl.as_ref().is_some_and(|acl| acl.lets_in(subject))
    }
}

/// Returns the permission bits and the owner of a file.
#[must_use]
pub(crate) fn file_access(status: &FileStatus) -> FileAccess {
    FileAccess {
        mode: status.mode,
        owner: status.owner,
    }
}

/// Returns the folders above a file inside the tree, the nearest first.
///
/// # Errors
/// When one cannot be read.
pub(crate) fn read_folders_above(
    layout: &LineageLayout,
    path: &Path,
) -> Result<Vec<FileAccess>, FileError> {
    let mut above = Vec::new();
    for folder in folders_of(layout, path) {
        above.extend(folders::read_status(folder)?.as_ref().map(file_access));
    }
    Ok(above)
}

fn folders_of<'a>(layout: &'a LineageLayout, path: &'a Path) -> impl Iterator<Item = &'a Path> {
    path.ancestors()
        .skip(1)
        .take_while(|folder| folder.starts_with(layout.root()))
}

/// Returns remarks on the plain files that servers read now.
///
/// # Errors
/// When they cannot be read.
pub(crate) fn list_remarks(layout: &LineageLayout) -> Result<Vec<AccessRemark>, FileError> {
    let mut remarks = Vec::new();
    for link in layout.links() {
        let status = folders::read_status(&link.path)?;
        if let Some(status) = status.filter(|status| status.kind == FileKind::File) {
            add_remarks(layout, link, &status, &mut remarks)?;
        }
    }
    Ok(remarks)
}

fn add_remarks(
    layout: &LineageLayout,
    link: &StableLink,
    status: &FileStatus,
    remarks: &mut Vec<AccessRemark>,
) -> Result<(), FileError> {
    let path = &link.path;
    let readers = acl(path)?.map(|acl| acl.readers()).unwrap_or_default();
    let readers = split_readers(layout, path, link.piece, readers)?;
    if !readers.kept.is_empty() {
        remarks.push(AccessRemark::Readers {
            path: path.clone(),
            who: readers.kept,
        });
    }
    if !readers.kept_out.is_empty() {
        remarks.push(AccessRemark::KeptOut {
            path: path.clone(),
            who: readers.kept_out,
        });
    }
    let backups = u64::from(folders::find_backup(path)?.is_some());
    let others = status.link_count.saturating_sub(1).saturating_sub(backups);
    if others > 0 {
        remarks.push(AccessRemark::Linked {
            path: path.clone(),
            others,
            inode: status.inode(),
        });
    }
    Ok(())
}
