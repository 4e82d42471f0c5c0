//! Reads and writes the `.dcv` file of a request. A file that cannot be read is an error, not an
//! empty record; a file is written only if something changed.

use std::path::{Path, PathBuf};

use crate::advice::inputs::repair_dcv_file;
use crate::dcv::ca::{Ca, DnsValidation};
use crate::dcv::dcv_file::StoredRecord;
use crate::failure::{Failure, FailureKind};

use crate::permissions::Mode;
use crate::system::fs::files;

/// The maximum number of bytes read from a `.dcv` file.
const LIMIT: u64 = 64 * 1024;

/// Returns the path of the `.dcv` file of a request, which is never the path of the request itself.
#[must_use]
pub(crate) fn dcv_path(request: &Path) -> PathBuf {
    let path = request.with_extension("dcv");
    if path == request {
        request.with_extension("dcv.dcv")
    } else {
        path
    }
}

/// Returns whether the request at `path` is for a company's own CA, which validates no domain.
#[must_use]
pub(crate) fn is_for_private_ca(path: &Path) -> bool {
    let stored = read_record(&dcv_path(path));
    stored.is_ok_and(|stored| stored.ca() == Some(Ca::Private))
}

/// Returns the CA of the request at `path` if it shows a record that is not stored yet.
#[must_use]
pub(crate) fn ca_with_record_to_copy(path: &Path) -> Option<Ca> {
    let stored = read_record(&dcv_path(path)).ok()?;
    let ca = stored.ca()?;
    let shows_record = !matches!(ca.profile().dns, DnsValidation::None);
    (shows_record && stored.records().is_empty()).then_some(ca)
}

/// Returns the record that is stored at `path`; an empty one if there is no file.
///
/// # Errors
/// When the file exists and cannot be read completely as text: writing it would lose its content.
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
        String::from_utf8(bytes).map_err(|_| not_a_dcv_file(path, "it is not UTF-8 text"))?;
    Ok(StoredRecord::read(&text))
}

/// Writes `record` if it changed since `path` was read; returns whether it did.
///
/// # Errors
/// When the file cannot be written; it is then unchanged.
pub(crate) fn write_record(path: &Path, record: &StoredRecord) -> Result<bool, Failure> {
    if record.changed() {
        files::replace(path, record.text().as_bytes(), Mode::new(0o644))?;
    }
    Ok(record.changed())
}

fn not_a_dcv_file(path: &Path, reason: &str) -> Failure {
    let shown = path.display().to_string();
    Failure::new(
        FailureKind::Malformed,
        format!("{shown} is not a record in zone-file format, which certctl expects there"),
    )
    .because(reason)
    .with_step(repair_dcv_file(path))
}
