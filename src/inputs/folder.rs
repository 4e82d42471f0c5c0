//! Reads the keys, requests and certificates in the working directory (`-C`) and resolves
//! arguments. Files are matched by key id and by the names in them, never by file name. Only files
//! directly in the folder are read, each up to a size limit.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::advice::inputs as advice;
use crate::context::Context;
use crate::delivery::{self, CaDelivery, DeliveryInput, DeliveryLimits, FileForm, RepairKind};
use crate::failure::{Failure, FailureKind};

use crate::inputs::key_files::{KeyFileInspector, OpenedFiles};
use crate::matching::MatchingError;
use crate::matching::key_trust::KeySource;
pub(crate) use crate::matching::{FolderContents, HeldFile};
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::system::fs::files::{self, FileIdentity, FolderListing};
use crate::system::fs::{folders, stdin};

/// The maximum number of bytes read from a file that was passed.
pub(crate) const FILE_LIMIT: u64 = 16 * 1024 * 1024;

/// The maximum number of bytes read of any other file; keys, requests and chains are far smaller.
pub(crate) const GLANCE_LIMIT: u64 = 256 * 1024;

/// The maximum number of files read from a folder.
pub(crate) const FOLDER_LIMIT: usize = 10_000;

impl FolderContents {
    /// Reads the files of the working directory (`-C`).
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn read(context: &Context) -> Result<Self, Failure> {
        let listing = files::list(&context.directory, FOLDER_LIMIT)?;
        Ok(Self::read_listed(context, listing))
    }

    /// As [`FolderContents::read`]; nothing if the folder has more than `limit` entries.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn read_if_small(context: &Context, limit: usize) -> Result<Option<Self>, Failure> {
        let listing = files::list(&context.directory, limit)?;
        let is_small = listing.complete;
        Ok(is_small.then(|| Self::read_listed(context, listing)))
    }

    fn read_listed(context: &Context, listing: FolderListing) -> Self {
        let inspector = KeyFileInspector::default();
        let mut directory = Self {
            path: context.directory.clone(),
            complete: listing.complete,
            ..Self::default()
        };
        for path in listing.paths {
            if is_visible(&path) {
                let path = context.path_of(path.file_name().unwrap_or_default());
                directory.add_file(path, &inspector);
            }
        }
        // A key in a file with certificates (for HAProxy) is usually a copy; prefer the key's own
        // file.
        let shared: HashSet<&PathBuf> = directory
            .certificates
            .iter()
            .map(|held| &held.path)
            .collect();
        directory.keys.sort_by_key(|key| shared.contains(&key.path));
        directory
    }

    /// Reads one file and adds the keys, requests and certificates in it.
    fn add_file(&mut self, path: PathBuf, inspector: &KeyFileInspector) {
        let (bytes, identity) = match files::read_identified(&path, GLANCE_LIMIT) {
            Ok(read) => read,
            Err(error) if error.is_denied() => {
                self.unreadable.push(path);
                return;
            }
            // A socket, a large file, a dangling link.
            Err(_) => return,
        };
        match unpacked_contents(&path, bytes) {
            FolderFile::Plain(mut found) => {
                if !found.keys.is_empty() || !found.encrypted_keys.is_empty() {
                    let judgement = inspector.judge(&path, &identity, KeySource::Found);
                    self.add_keys(&path, &mut found, &judgement);
                }
                self.add_contents(&path, *found);
            }
            FolderFile::Archive => self.archives.push(path),
            FolderFile::Other => {}
        }
    }

    fn add_contents(&mut self, path: &Path, found: CaDelivery) {
        let is_request_file = path.extension().is_some_and(|one| one == "csr");
        let unusable = found.ignored.iter().filter(|unused| {
            let is_request = unused.content.is_request();
            is_request || is_request_file && found.requests.is_empty()
        });
        self.unusable_requests.extend(unusable.cloned());
        let requests = found.requests.into_iter().map(|request| HeldFile {
            path: path.to_owned(),
            value: request.value,
        });
        self.requests.extend(requests);
        if !found.certificates.is_empty() {
            let certificates = found.certificates.into_iter();
            self.certificates.push(HeldFile {
                path: path.to_owned(),
                value: certificates.map(|found| found.value).collect(),
            });
        }
    }
}

impl FolderContents {
    /// Adds to a failure which requests in the folder cannot be used, and what to do.
    #[must_use]
    pub(crate) fn explain_unusable(&self, mut failure: Failure) -> Failure {
        if self.unusable_requests.is_empty() {
            return failure;
        }
        let unusable = Failure::from(self.unusable_requests.as_slice());
        failure.causes.push(unusable.message);
        failure.causes.extend(unusable.causes);
        failure.next.splice(0..0, unusable.next);
        failure
    }
}

/// A file of the working directory.
enum FolderFile {
    /// Keys, requests and certificates that are not in an archive.
    Plain(Box<CaDelivery>),
    /// A zip file, an email or a PKCS#7 file.
    Archive,
    /// A file that is read only if it is passed; a PKCS#12 file needs a password.
    Other,
}

/// Reads `bytes` without unpacking archives.
fn unpacked_contents(path: &Path, bytes: Vec<u8>) -> FolderFile {
    match delivery::detect_form(&bytes) {
        FileForm::Base64 | FileForm::Der | FileForm::Pem | FileForm::Utf16 => {}
        FileForm::Zip | FileForm::Mail => return FolderFile::Archive,
        _ => return FolderFile::Other,
    }
    let input = DeliveryInput::new(path.display().to_string(), bytes);
    // No key is derived from a password: that is slow, and is done only for files that were
    // passed.
    let limits = DeliveryLimits {
        derivation_iterations: 0,
        ..DeliveryLimits::default()
    };
    let Ok(found) = CaDelivery::read(vec![input], &limits) else {
        return FolderFile::Other;
    };
    let mut kinds = found.repairs.iter().map(|repair| &repair.kind);
    match kinds.find(|kind| matches!(kind, RepairKind::Pkcs7 | RepairKind::Pkcs12)) {
        None => FolderFile::Plain(Box::new(found)),
        Some(RepairKind::Pkcs7) => FolderFile::Archive,
        Some(_) => FolderFile::Other,
    }
}

/// An archive in the working directory and the certificates in it.
pub(crate) struct FolderArchive {
    pub path: PathBuf,
    pub certificates: Vec<Certificate>,
}

/// Reads the archives in the working directory, at most `limit` of them. Those that cannot be read
/// are omitted; nothing in them is decrypted.
pub(crate) fn read_archives(here: &FolderContents, limit: usize) -> Vec<FolderArchive> {
    let limits = DeliveryLimits {
        derivation_iterations: 0,
        ..DeliveryLimits::default()
    };
    let mut archives = Vec::new();
    for path in here.archives.iter().take(limit) {
        let Ok(bytes) = files::read(path, GLANCE_LIMIT) else {
            continue;
        };
        let input = DeliveryInput::new(path.display().to_string(), bytes);
        if let Ok(delivery) = CaDelivery::read(vec![input], &limits) {
            archives.push(FolderArchive {
                path: path.clone(),
                certificates: delivery.clone_certificates(),
            });
        }
    }
    archives
}

/// Returns the archives in the working directory that contain a certificate for a key or a request
/// there.
pub(crate) fn archives_for_keys(here: &FolderContents) -> Vec<PathBuf> {
    let ids = here.key_ids();
    archives_with(here, |leaf| ids.contains(&leaf.key_id))
}

/// Returns the archives in the working directory that contain a server certificate.
pub(crate) fn archives_with_certificates(here: &FolderContents) -> Vec<PathBuf> {
    archives_with(here, |_| true)
}

fn archives_with(here: &FolderContents, is_wanted: impl Fn(&Certificate) -> bool) -> Vec<PathBuf> {
    let has_leaf = |archive: &FolderArchive| {
        let mut certificates = archive.certificates.iter();
        certificates.any(|one| one.is_server_certificate() && is_wanted(one))
    };
    read_archives(here, FOLDER_LIMIT)
        .into_iter()
        .filter(has_leaf)
        .map(|archive| archive.path)
        .collect()
}

/// The meaning of an argument.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ArgumentMeaning {
    /// A file; its path is relative to the user's current directory.
    File(PathBuf),
    /// A name of a request or a certificate in the directory.
    Name(DnsName),
    /// `-`.
    Stdin,
}

impl ArgumentMeaning {
    /// Returns the meaning if it does not depend on the contents of the working directory: an
    /// existing file that is not spelled like a name, or stdin. A path with a slash or with the
    /// suffix of a certificate is not spelled like a name.
    #[must_use]
    pub(crate) fn from_path(text: &str) -> Option<Self> {
        let path = PathBuf::from(text);
        if text == "-" {
            return Some(Self::Stdin);
        }
        let is_file = files::may_exist(&path) && !folders::is_folder(&path);
        let may_be_name = !looks_like_file(text) && DnsName::parse(text).is_ok();
        (is_file && !may_be_name).then_some(Self::File(path))
    }

    /// Resolves an argument: a name known in `directory` means that name, else an existing path is a
    /// file. `./x` or the suffix of a certificate forces an existing file; `-` is stdin.
    ///
    /// # Errors
    /// See [`MatchingError`].
    pub(crate) fn resolve(text: &str, directory: &FolderContents) -> Result<Self, MatchingError> {
        if let Some(meaning) = Self::from_path(text) {
            return Ok(meaning);
        }
        let path = PathBuf::from(text);
        match DnsName::parse(text) {
            Ok(name) if !text.contains('/') && directory.lists_name(&name) => Ok(Self::Name(name)),
            _ if files::may_exist(&path) => Ok(Self::File(path)),
            _ if looks_like_file(text) => Err(MatchingError::NoSuchFile(text.to_owned())),
            _ => Err(MatchingError::Unknown {
                text: text.to_owned(),
                directory: directory.describe(),
                known: directory.names(),
            }),
        }
    }
}

fn looks_like_file(text: &str) -> bool {
    const EXTENSIONS: [&str; 15] = [
        "ca-bundle",
        "cer",
        "cert",
        "chain",
        "crt",
        "csr",
        "der",
        "jks",
        "key",
        "p12",
        "p7b",
        "pem",
        "pfx",
        "txt",
        "zip",
    ];
    let extension = text
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    text.contains('/')
        || extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

/// Reads a file that was passed, or stdin, as an input.
///
/// # Errors
/// When it cannot be read or is larger than [`FILE_LIMIT`].
pub(crate) fn read_input(path: &Path) -> Result<DeliveryInput, Failure> {
    read_identified(path).map(|(input, _)| input)
}

/// Like [`read_input`], but also returns which file was read; `None` for a pipe.
///
/// # Errors
/// The same as [`read_input`].
pub(super) fn read_identified(
    path: &Path,
) -> Result<(DeliveryInput, Option<FileIdentity>), Failure> {
    let name = if path == Path::new("-") {
        "stdin".to_owned()
    } else {
        path.display().to_string()
    };
    let (bytes, identity) = stdin::read_named_identified(path, FILE_LIMIT)?;
    Ok((DeliveryInput::new(name, bytes), identity))
}

/// Reads the files of a folder that was passed (without subfolders, hidden files and backups) as
/// inputs.
///
/// # Errors
/// When a file cannot be read, or when number or size of the files exceeds the limits.
pub(crate) fn read_folder(folder: &Path) -> Result<Vec<DeliveryInput>, Failure> {
    read_folder_identified(folder, &mut OpenedFiles::default())
}

/// Like [`read_folder`], but also remembers which files were read.
///
/// # Errors
/// The same as [`read_folder`].
pub(super) fn read_folder_identified(
    folder: &Path,
    opened: &mut OpenedFiles,
) -> Result<Vec<DeliveryInput>, Failure> {
    let limits = DeliveryLimits::default();
    let listing = files::list(folder, limits.entries)?;
    if !listing.complete {
        return Err(Failure::new(
            FailureKind::Hostile,
            format!(
                "{} contains more than {} files",
                folder.display(),
                limits.entries
            ),
        )
        .with_step(advice::pass_files_one_by_one()));
    }
    let mut inputs = Vec::new();
    let mut left = FILE_LIMIT;
    for path in listing.paths.iter().filter(|path| is_visible(path)) {
        let (bytes, identity) = match files::read_identified(path, left) {
            // A socket, a link to a folder, a dangling link.
            Err(error)
                if error.is_missing()
                    || matches!(
                        error.source.kind(),
                        ErrorKind::InvalidData | ErrorKind::IsADirectory
                    ) =>
            {
                continue;
            }
            read => read?,
        };
        left = left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let name = path.display().to_string();
        opened.add(&name, path, Some(identity), KeySource::Found);
        inputs.push(DeliveryInput::new(name, bytes));
    }
    Ok(inputs)
}

fn is_visible(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && !name.ends_with('~')
}

/// Reads one file, or stdin for `-`, as files from the CA.
///
/// # Errors
/// When it cannot be read or exceeds a limit. A file without usable content is not an error.
pub(crate) fn read_file(path: &Path) -> Result<CaDelivery, Failure> {
    Ok(CaDelivery::read(
        vec![read_input(path)?],
        &DeliveryLimits::default(),
    )?)
}
