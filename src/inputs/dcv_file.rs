//! Reads and writes the `.dcv` file beside a request: a file that cannot be read is an error, not an
//! empty one, and it is written only where something changed.

use std::path::{Path, PathBuf};

use crate::advice::inputs::repair_dcv_file;
use crate::dcv::dcv_file::StoredRecord;
use crate::failure::{Failure, FailureKind};

use crate::permissions::Mode;
use crate::system::fs::files;

/// The most that is read of a `.dcv` file.
const LIMIT: u64 = 64 * 1024;

/// The `.dcv` beside a request, never over it.
#[must_use]
pub(crate) fn dcv_path(request: &Path) -> PathBuf {
    let beside = request.with_extension("dcv");
    if beside == request {
        request.with_extension("dcv.dcv")
    } else {
        beside
    }
}

/// The record that is stored at `path`; an empty one where there is no file.
///
/// # Errors
/// When it is there and cannot be read whole as text: writing it would lose what it holds.
pub(crate) fn read_record(path: &Path) -> Result<StoredRecord, Failure> {
    let bytes = match files::read(path, LIMIT) {
        Ok(bytes) => bytes,
        Err(error) if error.is_missing() && !files::exists(path) => {
            return Ok(StoredRecord::default());
        }
        Err(error) if error.source.raw_os_error().is_some() => return Err(error.into()),
        Err(error) => return Err(not_a_dcv_file(path, &error.source.to_string())),
    };
    let text =
        String::from_utf8(bytes).map_err(|_| not_a_dcv_file(path, "it is not text in UTF-8"))?;
    Ok(StoredRecord::read(&text))
}

/// Writes `kept` where it changed since `path` was read; returns whether it did.
///
/// # Errors
/// The system's reason; the file is then as it was.
pub(crate) fn write_record(path: &Path, kept: &StoredRecord) -> Result<bool, Failure> {
    if kept.changed() {
        files::replace(path, kept.text().as_bytes(), Mode::new(0o644))?;
    }
    Ok(kept.changed())
}

fn not_a_dcv_file(path: &Path, reason: &str) -> Failure {
    let shown = path.display().to_string();
    Failure::new(
        FailureKind::Malformed,
        format!("{shown} is not the zone-file text that certctl keeps a record in"),
    )
    .because(reason)
    .with_step(repair_dcv_file(path))
}
