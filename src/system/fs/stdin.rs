//! Standard input, which can be read only once.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::files::{FileError, read_bounded, room};

/// Whether stdin was read to its end.
static IS_READ: AtomicBool = AtomicBool::new(false);

/// Reads all of stdin, at most `limit` bytes.
///
/// # Errors
/// When it is longer than `limit`, cannot be read, or was read before: two arguments are `-`.
pub(crate) fn read_stdin(limit: u64) -> Result<Vec<u8>, FileError> {
    let fail = FileError::at("read", Path::new("stdin"));
    if IS_READ.swap(true, Ordering::Relaxed) {
        let message = "it was read for another argument already";
        return Err(fail(io::Error::new(io::ErrorKind::ResourceBusy, message)));
    }
    read_bounded(io::stdin().lock(), limit, room(limit)).map_err(fail)
}

/// Returns whether stdin is a terminal.
#[must_use]
pub(crate) fn stdin_is_terminal() -> bool {
    io::IsTerminal::is_terminal(&io::stdin())
}
