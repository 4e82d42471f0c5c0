//! Writes the files of one request. They are first written completely under temporary names, so
//! that a full disk is noticed before old files are moved. The key is flushed before the request is
//! created. No file is ever overwritten. A request for an existing key is written without a key.

use std::path::{Path, PathBuf};

use crate::advice::inputs::restore_backup;
use crate::context::Context;
use crate::dcv::dcv_file::StoredRecord;
use crate::failure::Failure;

use crate::permissions::Mode;
use crate::pki::request::SigningRequest;
use crate::system::fs::files::{self, FileError, StagedFile};

/// The paths of the files of one request.
#[derive(Debug)]
pub(crate) struct RequestPaths {
    pub key: PathBuf,
    pub request: PathBuf,
    /// The `.dcv` file with its validation record.
    pub record: PathBuf,
}

impl RequestPaths {
    /// Returns the usual paths in the working directory.
    #[must_use]
    pub(crate) fn new(context: &Context, stem: &str) -> Self {
        Self::placed(stem, |name| context.path_of(name))
    }

    /// Returns the paths that `place` gives to the three file names.
    #[must_use]
    pub(crate) fn placed(stem: &str, place: impl Fn(String) -> PathBuf) -> Self {
        Self {
            key: place(format!("{stem}.key")),
            request: place(format!("{stem}.csr")),
            record: place(format!("{stem}.dcv")),
        }
    }
}

/// The mode of a new key in the working directory.
pub(crate) const KEY_MODE: Mode = Mode::new(0o600);

/// New files with temporary names beside their final paths.
#[derive(Debug)]
pub(crate) struct StagedRequestFiles {
    /// None if the key exists already.
    key: Option<StagedFile>,
    request: StagedFile,
    record: Option<StagedFile>,
}

impl StagedRequestFiles {
    /// Writes and flushes all of them; `key` is the text of the key file.
    ///
    /// # Errors
    /// When a file cannot be written; none of them is left behind.
    pub(crate) fn stage(
        paths: &RequestPaths,
        key: Option<&str>,
        request: &SigningRequest,
        stored: &StoredRecord,
    ) -> Result<Self, FileError> {
        let record = || files::stage(&paths.record, stored.text().as_bytes(), Mode::new(0o644));
        Ok(Self {
            key: key
                .map(|key| files::stage(&paths.key, key.as_bytes(), KEY_MODE))
                .transpose()?,
            request: files::stage(
                &paths.request,
                request.to_pem().as_bytes(),
                Mode::new(0o644),
            )?,
            record: stored.changed().then(record).transpose()?,
        })
    }

    /// Moves the `old` files to backups and renames the new files to their final paths; returns the
    /// paths of the backups. If that fails, the old files are moved back.
    ///
    /// # Errors
    /// When a file cannot be moved; the failure says where each file is now.
    pub(crate) fn move_into_place(self, old: &[&Path]) -> Result<Vec<PathBuf>, Failure> {
        let mut moved = Vec::new();
        move_aside(old, &mut moved)
            .and_then(|()| self.create_key_and_request())
            .map_err(|error| roll_back(error, &moved))?;
        if let Some(record) = self.record {
            record
                .replace()
                .map_err(|error| without_record(error, &moved))?;
        }
        Ok(moved.into_iter().map(|file| file.backup).collect())
    }

    /// The key's directory entry is flushed before the request exists, which may be sent to a CA.
    fn create_key_and_request(&self) -> Result<(), FileError> {
        self.key.as_ref().map_or(Ok(()), StagedFile::create)?;
        self.request
            .create()
            .inspect_err(|_| self.key.iter().for_each(StagedFile::undo_create))
    }
}

/// An old file that was moved aside.
struct MovedFile {
    original: PathBuf,
    backup: PathBuf,
}

fn move_aside(old: &[&Path], moved: &mut Vec<MovedFile>) -> Result<(), FileError> {
    for path in old.iter().filter(|path| files::exists(path)) {
        moved.push(MovedFile {
            original: path.to_path_buf(),
            backup: files::back_up(path)?,
        });
    }
    Ok(())
}

/// Moves the old files back; the failure says which of them could not be moved, and how to do it.
fn roll_back(error: FileError, moved: &[MovedFile]) -> Failure {
    let failure = Failure::from(error);
    let stuck: Vec<&MovedFile> = moved
        .iter()
        .filter(|file| files::restore_backup(&file.backup, &file.original).is_err())
        .collect();
    if stuck.is_empty() {
        return failure.because("no file was changed");
    }
    stuck.into_iter().fold(failure, |failure, file| {
        failure
            .because(format!(
                "{} was moved to {}",
                file.original.display(),
                file.backup.display()
            ))
            .with_step(restore_backup(&file.backup, &file.original))
    })
}

fn without_record(error: FileError, moved: &[MovedFile]) -> Failure {
    let failure = Failure::from(error).because("the new key and request were written");
    moved.iter().fold(failure, |failure, file| {
        failure.because(format!(
            "the previous {} was moved to {}",
            file.original.display(),
            file.backup.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{RequestPaths, StagedRequestFiles};
    use crate::dcv::ca::Ca;
    use crate::dcv::dcv_file::StoredRecord;
    use crate::pki::key::{KeyAlgorithm, PrivateKey};
    use crate::pki::name::DnsNames;
    use crate::pki::request::SigningRequest;

    /// Creates old files in a folder, and stages new ones beside them.
    fn staged(folder: &Path) -> (RequestPaths, StagedRequestFiles) {
        let at = |name| folder.join(name);
        let paths = RequestPaths {
            key: at("x.key"),
            request: at("x.csr"),
            record: at("x.dcv"),
        };
        for (path, old) in [
            (&paths.key, "old key"),
            (&paths.request, "old csr"),
            (&paths.record, "old dcv"),
        ] {
            fs::write(path, old).unwrap();
        }
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let request =
            SigningRequest::build(&DnsNames::parse(&["x.example"]).unwrap(), &key).unwrap();
        let mut record = StoredRecord::default();
        record.set_ca(Ca::Namecheap);
        let fresh =
            StagedRequestFiles::stage(&paths, Some(&key.to_pem()), &request, &record).unwrap();
        (paths, fresh)
    }

    fn files(folder: &Path) -> Vec<(String, String)> {
        let read = |entry: fs::DirEntry| {
            let text = fs::read_to_string(entry.path()).unwrap();
            (
                entry.file_name().into_string().unwrap(),
                text.lines().next().unwrap_or_default().to_owned(),
            )
        };
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| read(entry.unwrap()))
            .collect();
        files.sort();
        files
    }

    fn pairs(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    }

    const KEY: &str = "-----BEGIN PRIVATE KEY-----";
    const CSR: &str = "-----BEGIN CERTIFICATE REQUEST-----";

    #[test]
    fn old_files_are_backed_up() {
        let folder = tempfile::tempdir().unwrap();
        let (paths, fresh) = staged(folder.path());
        let backups = fresh
            .move_into_place(&[&paths.key, &paths.request, &paths.record])
            .unwrap();
        assert_eq!(backups.len(), 3);
        let wanted = [
            ("x.csr", CSR),
            ("x.csr.~1~", "old csr"),
            ("x.dcv", "; ca namecheap"),
            ("x.dcv.~1~", "old dcv"),
            ("x.key", KEY),
            ("x.key.~1~", "old key"),
        ];
        assert_eq!(files(folder.path()), pairs(&wanted));
    }

    #[test]
    fn a_request_for_an_existing_key_is_written_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (paths, _) = staged(folder.path());
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let request =
            SigningRequest::build(&DnsNames::parse(&["x.example"]).unwrap(), &key).unwrap();
        StagedRequestFiles::stage(&paths, None, &request, &StoredRecord::default())
            .unwrap()
            .move_into_place(&[&paths.request])
            .unwrap();
        let wanted = [
            ("x.csr", CSR),
            ("x.csr.~1~", "old csr"),
            ("x.dcv", "old dcv"),
            ("x.key", "old key"),
        ];
        assert_eq!(files(folder.path()), pairs(&wanted));
    }

    #[test]
    fn staged_files_that_are_dropped_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (_, fresh) = staged(folder.path());
        drop(fresh);
        let wanted = [
            ("x.csr", "old csr"),
            ("x.dcv", "old dcv"),
            ("x.key", "old key"),
        ];
        assert_eq!(files(folder.path()), pairs(&wanted));
    }

    #[test]
    fn existing_files_are_not_overwritten_and_old_ones_are_restored() {
        let folder = tempfile::tempdir().unwrap();
        let (paths, fresh) = staged(folder.path());
        // The old request is not moved, as if another program had just created it.
        let failure = fresh
            .move_into_place(&[&paths.key, &paths.record])
            .unwrap_err();
        assert_eq!(failure.causes.last().unwrap(), "no file was changed");
        let wanted = [
            ("x.csr", "old csr"),
            ("x.dcv", "old dcv"),
            ("x.key", "old key"),
        ];
        assert_eq!(files(folder.path()), pairs(&wanted));
    }

    #[test]
    fn a_failed_restore_reports_where_the_backups_are() {
        let folder = tempfile::tempdir().unwrap();
        let (paths, fresh) = staged(folder.path());
        let exists_error = fresh.request.create().unwrap_err();
        let moved = super::MovedFile {
            original: paths.request,
            backup: folder.path().join("x.csr.~1~"),
        };
        let failure = super::roll_back(exists_error, &[moved]);
        assert!(
            failure.causes.last().unwrap().ends_with("x.csr.~1~"),
            "{failure:?}"
        );
        assert!(
            failure
                .next
                .last()
                .unwrap()
                .command
                .as_ref()
                .unwrap()
                .starts_with("mv -n "),
            "{failure:?}"
        );
    }
}
