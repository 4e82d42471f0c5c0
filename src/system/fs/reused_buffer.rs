//! Reads one file after the other into the same buffer.

use std::io::{self, Read};
use std::path::Path;

use rustix::fs::FileType;
use zeroize::Zeroizing;

use super::files::{self, FileError};
use super::remote;
use crate::permissions::Mode;

/// Reads a file into a buffer that is reused for one file after the other. Returns how many bytes
/// of the buffer are the file's, and its permission bits. A buffer that is too small is replaced by
/// a larger one, and wiped. The end of the file is not confirmed by a further read once as many
/// bytes as its size were read.
///
/// Serves the targets for `status FOLDER` (benches/README.md) through `parallel_read`. It saves,
/// per file, an allocation, wiping it, and one system call.
///
/// # Errors
/// The same as [`files::read`].
pub(super) fn read_into(
    buffer: &mut Zeroizing<Vec<u8>>,
    path: &Path,
    limit: u64,
) -> Result<(usize, Mode), FileError> {
    if remote::remote_mount(path).is_none() {
        return fill(buffer, path, limit).map_err(FileError::at("read", path));
    }
    let (bytes, identity) = files::read_identified(path, limit)?;
    let length = bytes.len();
    *buffer = Zeroizing::new(bytes);
    Ok((length, identity.mode))
}

fn fill(buffer: &mut Zeroizing<Vec<u8>>, path: &Path, limit: u64) -> io::Result<(usize, Mode)> {
    let mut file = files::open(path)?;
    let stat = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(files::irregular(&file.metadata()?));
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
    let mut filled = 0;
    while filled <= limit && size <= limit {
        let least = filled.max(size);
        if buffer.len() <= least {
            enlarge(buffer, filled, least);
        }
        let count = match file.read(&mut buffer[filled..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        filled += count;
        if count == 0 || filled == size {
            return Ok((filled, Mode::of_status(stat.st_mode)));
        }
    }
    Err(files::too_large(limit))
}

/// Replaces the buffer by one with a capacity of more than `least` bytes, and wipes the old one.
fn enlarge(buffer: &mut Zeroizing<Vec<u8>>, filled: usize, least: usize) {
    let length = least.saturating_add(1).next_power_of_two();
    let mut larger = Zeroizing::new(vec![0; length]);
    larger[..filled].copy_from_slice(&buffer[..filled]);
    *buffer = larger;
}
