//! The `.dcv` file beside a request, as it is read and written: never taken for empty where it
//! cannot be read, and written only where something changed.

use std::path::{Path, PathBuf};

use crate::dcv::dcv_file::StoredRecord;
use crate::failure::{Failure, FailureKind};
use crate::finding::{NextStep, shell_word};
use crate::system::fs::files;

/// The most that is read of a `.dcv` file.
const LIMIT: u64 = 64 * 1024;

/// The `.dcv` beside a request, never over it.
#[must_use]
pub(crate) fn beside(request: &Path) -> PathBuf {
    let beside = request.with_extension("dcv");
    if beside == request {
        request.with_extension("dcv.dcv")
    } else {
        beside
    }
}

/// What is kept at `path`; nothing where there is no file.
///
/// # Errors
/// When it is there and cannot be read whole as text: writing it would lose what it holds.
pub(crate) fn read(path: &Path) -> Result<StoredRecord, Failure> {
    let bytes = match files::read(path, LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if error.is_missing() && !files::occupied(path) => {
            return Ok(StoredRecord::default());
        }
        Err(error) if error.source.raw_os_error().is_some() => return Err(error.into()),
        Err(error) => return Err(odd(path, &error.source.to_string())),
    };
    let text = String::from_utf8(bytes).map_err(|_| odd(path, "it is not text in UTF-8"))?;
    Ok(StoredRecord::read(&text))
}

/// Writes what was taken in since `path` was read; says whether anything was.
///
/// # Errors
/// The system's reason; the file is then as it was.
pub(crate) fn write(path: &Path, kept: &StoredRecord) -> Result<bool, Failure> {
    if kept.changed() {
        files::replace(path, kept.text().as_bytes(), 0o644)?;
    }
    Ok(kept.changed())
}

fn odd(path: &Path, how: &str) -> Failure {
    let shown = path.display().to_string();
    Failure::new(
        FailureKind::Malformed,
        format!("{shown} is not the zone-file text that certctl keeps a record in"),
    )
    .because(how)
    .with(NextStep::say(format!(
        "look into it, then mend it or move it away:  file {}",
        shell_word(&shown)
    )))
}
