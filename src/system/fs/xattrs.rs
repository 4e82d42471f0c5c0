//! The SELinux label and the POSIX ACL of a file, which together with owner and mode decide who may
//! use it, in the kernel's format.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{XattrFlags, fsetxattr, getxattr};
use rustix::io::{Errno, retry_on_intr};

use super::files::FileError;
use super::tree;

/// The maximum number of bytes of one attribute in Linux (`XATTR_SIZE_MAX`).
const LIMIT: usize = 64 * 1024;
/// Enough for a label, and for an ACL with a hundred named entries.
const USUAL: usize = 1024;
const LABEL: &str = "security.selinux";
const ACL: &str = "system.posix_acl_access";

/// Both attributes, as far as a file has them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ExtendedAttributes {
    pub label: Option<Vec<u8>>,
    /// The ACL, if it has more entries than the mode.
    pub acl: Option<Vec<u8>>,
}

/// Reads the attributes of the file at `path`; links are followed. On a file system without
/// attributes there are none.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn read(path: &Path) -> Result<ExtendedAttributes, FileError> {
    let label =
        read_attribute(path, LABEL).map_err(FileError::at("read the SELinux label of", path))?;
    Ok(ExtendedAttributes {
        label,
        acl: acl(path)?,
    })
}

/// Reads the ACL of the file at `path`; links are followed.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn acl(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    read_attribute(path, ACL).map_err(FileError::at("read the ACL of", path))
}

fn read_attribute(path: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    Ok(tree::with_path(path, |path| {
        read_attribute_at(path, name)
    })??)
}

fn read_attribute_at(path: &Path, name: &str) -> Result<Option<Vec<u8>>, Errno> {
    let mut bytes = vec![0; USUAL];
    let mut result = retry_on_intr(|| getxattr(path, name, bytes.as_mut_slice()));
    if let Err(Errno::RANGE) = result {
        bytes.resize(LIMIT, 0);
        result = retry_on_intr(|| getxattr(path, name, bytes.as_mut_slice()));
    }
    match result {
        Ok(length) => {
            bytes.truncate(length);
            Ok(Some(bytes))
        }
        Err(Errno::NODATA | Errno::NOTSUP | Errno::NOSYS) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Sets the attributes of an open file, whose mode is already set. A file system without attributes
/// and a label that the user may not set are not errors; the file then has the default of its
/// folder.
///
/// # Errors
/// When the system reports an error.
pub(crate) fn write(file: &File, attributes: &ExtendedAttributes) -> std::io::Result<()> {
    if let Some(label) = &attributes.label {
        match set_attribute(file, LABEL, label) {
            Err(Errno::NOTSUP | Errno::NOSYS | Errno::PERM | Errno::ACCESS | Errno::INVAL) => {}
            other => other?,
        }
    }
    if let Some(acl) = &attributes.acl {
        match set_attribute(file, ACL, acl) {
            Err(Errno::NOTSUP | Errno::NOSYS) => {}
            other => other?,
        }
    }
    Ok(())
}

fn set_attribute(file: &File, name: &str, value: &[u8]) -> Result<(), Errno> {
    retry_on_intr(|| fsetxattr(file, name, value, XattrFlags::empty()))
}
