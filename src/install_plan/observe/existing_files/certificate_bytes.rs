//! The bytes of a certificate and its key at the deployed paths.

use std::path::Path;

use zeroize::Zeroizing;

use crate::store::disk;
use crate::store::layout::{KeyStorage, LineageLayout, ReleaseFile};
use crate::store::release::{KeyAccess, Release, UnloadableReason};
use crate::system::fs::files::{self, FileError};

pub(super) fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
    match files::read(path, disk::PIECE_LIMIT) {
        Err(error) if error.is_missing() => Ok(None),
        other => other.map(|bytes| Some(Zeroizing::new(bytes))),
    }
}

/// The bytes of a certificate and its key, from plain files and links alike.
pub(super) enum CertificateBytes {
    Separate {
        chain: Zeroizing<Vec<u8>>,
        key: Zeroizing<Vec<u8>>,
    },
    Combined(Zeroizing<Vec<u8>>),
    /// The key is not a file.
    ChainAlone(Zeroizing<Vec<u8>>),
}

/// Reads the files at the links `indices`; `None` where one of them is missing.
pub(super) fn read_certificate(
    layout: &LineageLayout,
    indices: &[usize],
) -> Result<Option<CertificateBytes>, FileError> {
    let mut chain = Zeroizing::new(Vec::new());
    let mut key = None;
    for &index in indices {
        let link = &layout.links()[index];
        let Some(bytes) = read(&link.path)? else {
            return Ok(None);
        };
        match link.piece {
            ReleaseFile::Combined => return Ok(Some(CertificateBytes::Combined(bytes))),
            ReleaseFile::Key => key = Some(bytes),
            // A single file stays as it is; a second one starts on a new line.
            _ if chain.is_empty() => chain = bytes,
            _ => {
                let joined = [chain.trim_ascii_end(), b"\n".as_slice(), bytes.as_slice()].concat();
                chain = Zeroizing::new(joined);
            }
        }
    }
    Ok(match (key, layout.key_storage()) {
        (Some(key), _) => Some(CertificateBytes::Separate { chain, key }),
        (None, KeyStorage::External) => Some(CertificateBytes::ChainAlone(chain)),
        (None, KeyStorage::File) => None,
    })
}

/// Whether a server can load all files at its paths now. An encrypted key counts, because the
/// server may have the password.
///
/// # Errors
/// When files exist and cannot be read.
pub(crate) fn deployed_files_load(layout: &LineageLayout) -> Result<bool, FileError> {
    for indices in layout.link_groups() {
        let release = match read_certificate(layout, &indices)? {
            None => return Ok(false),
            Some(CertificateBytes::Combined(combined)) => {
                Release::take_over_combined(combined, KeyAccess::default())
            }
            Some(CertificateBytes::ChainAlone(chain)) => Release::take_over_chain(chain),
            Some(CertificateBytes::Separate { chain, key }) => {
                Release::take_over(chain, key, KeyAccess::default())
            }
        };
        if !matches!(release, Ok(_) | Err(UnloadableReason::Locked)) {
            return Ok(false);
        }
    }
    Ok(true)
}
