//! What decides beside owner and mode who may use a file: its SELinux label and its POSIX ACL, as
//! bytes of the kernel's.

use std::fs::File;
use std::path::Path;

use rustix::fs::{XattrFlags, fsetxattr, getxattr};
use rustix::io::{Errno, retry_on_intr};

use super::files::FileError;

/// More than Linux gives out in one attribute (`XATTR_SIZE_MAX`).
const LIMIT: usize = 64 * 1024;
/// Enough for a label, and for an ACL with a hundred names.
const USUAL: usize = 1024;
const LABEL: &str = "security.selinux";
const ACL: &str = "system.posix_acl_access";

/// Both, as far as a file has them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct ExtendedAttributes {
    pub label: Option<Vec<u8>>,
    /// The ACL, where it says more than the mode.
    pub acl: Option<Vec<u8>>,
}

/// Those of what is at `path`, links followed. A file system without attributes has none.
///
/// # Errors
/// The system's reason.
pub(crate) fn read(path: &Path) -> Result<ExtendedAttributes, FileError> {
    let label = one(path, LABEL)
        .map_err(|errno| FileError::at("read the SELinux label of", path)(errno.into()))?;
    Ok(ExtendedAttributes {
        label,
        acl: acl(path)?,
    })
}

/// The ACL of what is at `path`, links followed.
///
/// # Errors
/// The system's reason.
pub(crate) fn acl(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    one(path, ACL).map_err(|errno| FileError::at("read the ACL of", path)(errno.into()))
}

fn one(path: &Path, name: &str) -> Result<Option<Vec<u8>>, Errno> {
    let mut bytes = vec![0; USUAL];
    let ask = |bytes: &mut Vec<u8>| retry_on_intr(|| getxattr(path, name, bytes.as_mut_slice()));
    let mut got = ask(&mut bytes);
    if let Err(Errno::RANGE) = got {
        bytes.resize(LIMIT, 0);
        got = ask(&mut bytes);
    }
    match got {
        Ok(length) => {
            bytes.truncate(length);
            Ok(Some(bytes))
        }
        Err(Errno::NODATA | Errno::NOTSUP | Errno::NOSYS) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Gives them to an open file, whose mode is set. A file system that has no attributes, and a label
/// that who runs certctl may not give, are no failure: then the file has what its folder gives it.
///
/// # Errors
/// The system's reason.
pub(crate) fn write(file: &File, attributes: &ExtendedAttributes) -> std::io::Result<()> {
    let give = |name: &str, value: &[u8]| {
        retry_on_intr(|| fsetxattr(file, name, value, XattrFlags::empty()))
    };
    if let Some(label) = &attributes.label {
        match give(LABEL, label) {
            Err(Errno::NOTSUP | Errno::NOSYS | Errno::PERM | Errno::ACCESS | Errno::INVAL) => {}
            other => other?,
        }
    }
    if let Some(acl) = &attributes.acl {
        match give(ACL, acl) {
            Err(Errno::NOTSUP | Errno::NOSYS) => {}
            other => other?,
        }
    }
    Ok(())
}
