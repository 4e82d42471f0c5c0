//! What lies in the working directory (`-C`): keys, requests and certificates, found by key id and
//! by the names in them, never by file name; and what an argument means. Only this folder's own
//! files are looked at, each up to a bound.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::delivery::{self, CaDelivery, DeliveryInput, DeliveryLimits, FileForm, RepairKind};
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::matching::MatchingError;
pub(crate) use crate::matching::{FolderContents, HeldFile};
use crate::pki::name::DnsName;
use crate::system::fs::{files, folders};

/// The most that is read of one file that was named.
pub(crate) const FILE_LIMIT: u64 = 16 * 1024 * 1024;

/// The most that is read of a file that was not named: keys, requests and chains are far smaller.
const GLANCE_LIMIT: u64 = 256 * 1024;

/// The most files of a folder that are looked at.
const FOLDER_LIMIT: usize = 10_000;

impl FolderContents {
    /// Looks at the files of `-C`.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn read(context: &Context) -> Result<Self, Failure> {
        let path = context.directory.clone();
        let listing = files::list(&path, FOLDER_LIMIT)?;
        let mut directory = Self {
            path,
            complete: listing.complete,
            ..Self::default()
        };
        for path in listing.paths {
            if is_looked_at(&path) {
                directory.look(context.here(path.file_name().unwrap_or_default()));
            }
        }
        // A key beside certificates (HAProxy's file) is a copy of the key's own file, where there
        // is one.
        let shared: HashSet<&PathBuf> = directory
            .certificates
            .iter()
            .map(|held| &held.path)
            .collect();
        directory.keys.sort_by_key(|key| shared.contains(&key.path));
        Ok(directory)
    }

    fn look(&mut self, path: PathBuf) {
        let bytes = match files::read(&path, GLANCE_LIMIT) {
            Ok(bytes) => bytes,
            Err(error) if error.source.kind() == ErrorKind::PermissionDenied => {
                self.unreadable.push(path);
                return;
            }
            // A socket, a film, a link to nowhere: nothing of ours.
            Err(_) => return,
        };
        // What is packed is looked at when it is named.
        if !matches!(
            delivery::form(&bytes),
            FileForm::Base64 | FileForm::Der | FileForm::Pem | FileForm::Utf16
        ) {
            return;
        }
        let input = DeliveryInput::new(path.display().to_string(), bytes);
        // Nothing is derived from any passphrase unasked.
        let Ok(found) = CaDelivery::read(
            vec![input],
            &DeliveryLimits {
                rounds: 0,
                ..DeliveryLimits::default()
            },
        ) else {
            return;
        };
        if found
            .repairs
            .iter()
            .any(|repair| matches!(repair.what, RepairKind::Pkcs7 | RepairKind::Pkcs12))
        {
            return;
        }
        let at = |path: &PathBuf| path.clone();
        self.locked
            .extend(found.locked.into_iter().map(|key| HeldFile {
                path: at(&path),
                value: key.value,
            }));
        self.keys.extend(found.keys.into_iter().map(|key| HeldFile {
            path: at(&path),
            value: key.value,
        }));
        self.requests
            .extend(found.requests.into_iter().map(|one| HeldFile {
                path: at(&path),
                value: one.value,
            }));
        if !found.certificates.is_empty() {
            let value = found
                .certificates
                .into_iter()
                .map(|found| found.value)
                .collect();
            self.certificates.push(HeldFile { path, value });
        }
    }
}

/// What an argument means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ArgumentMeaning {
    /// A file, relative to where the user stands.
    File(PathBuf),
    /// A name of a request or a certificate in the directory.
    Name(DnsName),
    /// `-`.
    Stdin,
}

impl ArgumentMeaning {
    /// What it means whatever lies in the directory: a file that is there, or stdin. A folder may
    /// have the name of a certificate.
    #[must_use]
    pub(crate) fn of_path(text: &str) -> Option<Self> {
        let path = PathBuf::from(text);
        match text {
            "-" => Some(Self::Stdin),
            _ => (files::occupied(&path) && !folders::is_folder(&path)).then_some(Self::File(path)),
        }
    }

    /// An existing path is a file; else a name known in `directory`; `./x` is always a file, `-` is
    /// stdin.
    ///
    /// # Errors
    /// See [`MatchingError`].
    pub(crate) fn resolve(text: &str, directory: &FolderContents) -> Result<Self, MatchingError> {
        if let Some(plain) = Self::of_path(text) {
            return Ok(plain);
        }
        let path = PathBuf::from(text);
        match DnsName::parse(text) {
            Ok(name) if !text.contains('/') && directory.knows(&name) => Ok(Self::Name(name)),
            _ if files::occupied(&path) => Ok(Self::File(path)),
            _ if looks_like_file(text) => Err(MatchingError::NoSuchFile(text.to_owned())),
            _ => {
                let (text, here) = (text.to_owned(), directory);
                let directory = here.in_words();
                Err(MatchingError::Unknown {
                    text,
                    directory,
                    known: here.names(),
                })
            }
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

/// The content of a file that was named, or of stdin, as an input.
///
/// # Errors
/// When it cannot be read or is larger than [`FILE_LIMIT`].
pub(crate) fn read_input(path: &Path) -> Result<DeliveryInput, Failure> {
    if path == Path::new("-") {
        return Ok(DeliveryInput::new("stdin", files::read_stdin(FILE_LIMIT)?));
    }
    Ok(DeliveryInput::new(
        path.display().to_string(),
        files::read_named(path, FILE_LIMIT)?,
    ))
}

/// The files of a folder that was named (not what lies below it, no hidden ones, no backups), as
/// inputs.
///
/// # Errors
/// When one cannot be read, or there are more, or larger ones, than a delivery can have.
pub(crate) fn read_folder(folder: &Path) -> Result<Vec<DeliveryInput>, Failure> {
    let limits = DeliveryLimits::default();
    let listing = files::list(folder, limits.entries)?;
    if !listing.complete {
        return Err(Failure::new(
            FailureKind::Hostile,
            format!(
                "{} holds more than {} files",
                folder.display(),
                limits.entries
            ),
        )
        .with(NextStep::say("pass the files that the CA sent, one by one")));
    }
    let (mut inputs, mut left) = (Vec::new(), FILE_LIMIT);
    for path in listing.paths.iter().filter(|path| is_looked_at(path)) {
        let bytes = match files::read(path, left) {
            // A socket, or a link to a folder or to nowhere: nothing that a CA sent.
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
        inputs.push(DeliveryInput::new(path.display().to_string(), bytes));
    }
    Ok(inputs)
}

fn is_looked_at(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && !name.ends_with('~')
}

/// Reads one file, or stdin for `-`, as a delivery.
///
/// # Errors
/// When it cannot be read or exceeds a bound; holding nothing of use is no error.
pub(crate) fn read_file(path: &Path) -> Result<CaDelivery, Failure> {
    Ok(CaDelivery::read(
        vec![read_input(path)?],
        &DeliveryLimits::default(),
    )?)
}
