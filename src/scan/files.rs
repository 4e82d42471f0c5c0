//! Scans files and folders: reads each file up to a limit and reports everything else.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;

use crate::advice::inventory;
use crate::context::Context;
use crate::delivery::{CaDelivery, DeliveryInput, DeliveryLimits, UnusedContent};
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::inventory::file_reader::{self, Keys};
use crate::inventory::{InventoryItem, ItemContent, ItemLocation, ItemOrigin, zip};
use crate::permissions::Mode;
use crate::scan::results::ScanResults;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders;
use crate::system::fs::parallel_read::{ReadFile, read_in_order};
use crate::system::fs::walk::{FolderWalk, WalkDepth, WalkedEntry};

/// The maximum size of a file on the command line, in bytes.
pub(crate) const NAMED_LIMIT: u64 = 16 * 1024 * 1024;

/// The result for one entry of a folder.
enum ScannedEntry {
    Found(Vec<InventoryItem>),
    /// A request that no CA accepts.
    Unusable(Vec<Finding>),
    Unreadable(FileError),
    Other(WalkedEntry),
}

impl ScanResults {
    /// Scans the files of the working directory, without its folders.
    pub(crate) fn scan_working_directory(&mut self, context: &Context) {
        for entry in FolderWalk::new(&context.directory, WalkDepth::Own) {
            let entry = match entry {
                // Shown as the user would write the path.
                WalkedEntry::File(path) => {
                    WalkedEntry::File(context.path_of(path.file_name().unwrap_or_default()))
                }
                // Not reported, because the user did not pass it.
                WalkedEntry::Skipped(..) => continue,
                other => other,
            };
            self.scan_walked(entry, &ItemOrigin::Here);
        }
    }

    /// Scans a file, or everything below a folder. The limit for a file is high: certificate
    /// revocation lists may be large.
    pub(crate) fn scan_path(&mut self, path: &Path, origin: &ItemOrigin) {
        if !folders::is_folder(path) {
            return self.scan_named_file(path, origin);
        }
        let scan = |entries: &mut Vec<ScannedEntry>, read: ReadFile<'_>| {
            entries.push(match read {
                ReadFile::File(path, Ok((bytes, mode))) => read_entry(path, origin, bytes, mode),
                ReadFile::File(_, Err(error)) => ScannedEntry::Unreadable(error),
                ReadFile::Other(entry) => ScannedEntry::Other(entry),
            });
        };
        read_in_order(walk(path), file_reader::LIMIT, scan, |entries| {
            for entry in entries {
                self.add_entry(entry, origin);
            }
        });
    }

    fn scan_named_file(&mut self, path: &Path, origin: &ItemOrigin) {
        match files::read_with_mode(path, NAMED_LIMIT) {
            Ok((bytes, mode)) => {
                let mut items = items_in(path, origin, &bytes, mode);
                if items.is_empty() {
                    self.findings.extend(unused_contents(path, bytes));
                }
                // Certificates in a zip file that was passed have the same origin.
                for item in &mut items {
                    item.location = ItemLocation::file(path, origin.clone());
                }
                self.add_items(items);
            }
            Err(error) => self.report_failure(&Failure::from(error), "unreadable"),
        }
    }

    fn add_entry(&mut self, entry: ScannedEntry, origin: &ItemOrigin) {
        match entry {
            ScannedEntry::Found(items) => self.add_items(items),
            ScannedEntry::Unusable(findings) => {
                self.files += 1;
                self.findings.extend(findings);
            }
            ScannedEntry::Unreadable(error) => self.add_unreadable(error, origin),
            ScannedEntry::Other(entry) => self.scan_walked(entry, origin),
        }
    }

    fn scan_walked(&mut self, entry: WalkedEntry, origin: &ItemOrigin) {
        match entry {
            WalkedEntry::File(path) => self.scan_file(&path, origin, &path),
            WalkedEntry::Skipped(path, what) => {
                let message = format!("skipped {}: {what}", path.display());
                self.findings.push(Finding::note("skipped", message));
            }
            WalkedEntry::Failed(error) => {
                self.report_failure(&Failure::from(error), "unreadable");
            }
        }
    }

    /// Scans the file at `path`, which is reported as `shown`.
    pub(crate) fn scan_file(&mut self, path: &Path, origin: &ItemOrigin, shown: &Path) {
        match files::read_with_mode(path, file_reader::LIMIT) {
            Ok((bytes, mode)) => {
                let entry = read_entry(shown, origin, &bytes, mode);
                self.add_entry(entry, origin);
            }
            Err(error) => self.add_unreadable(error, origin),
        }
    }

    fn add_items(&mut self, items: Vec<InventoryItem>) {
        self.files += 1;
        self.items.extend(items);
    }

    /// Reports a file that cannot be read. Deployed keys that only their owner can read are
    /// correct; they are only counted.
    pub(crate) fn add_unreadable(&mut self, error: FileError, origin: &ItemOrigin) {
        let is_denied = error.is_denied();
        if is_denied && error.path.extension().is_some_and(|ext| ext == "key") {
            self.items.push(InventoryItem {
                location: ItemLocation::file(&error.path, origin.clone()),
                content: ItemContent::UnreadableKey,
            });
        }
        if is_denied && *origin == ItemOrigin::Renewal {
            return;
        }
        if is_denied && origin.is_live() {
            self.unreadable_keys += 1;
            return;
        }
        match unreadable_severity(&error) {
            None => {}
            Some(Severity::Note) => {
                let message = format!("skipped {}: {}", error.path.display(), error.source);
                self.findings.push(Finding::note("skipped", message));
            }
            Some(_) => self.report_failure(&Failure::from(error), "unreadable"),
        }
    }
}

/// Returns the items in a file of a folder, or why the request in it cannot be used.
fn read_entry(path: &Path, origin: &ItemOrigin, bytes: &[u8], mode: Mode) -> ScannedEntry {
    let items = items_in(path, origin, bytes, mode);
    if items.is_empty() && is_reported_unused(path) {
        return ScannedEntry::Unusable(unused_contents(path, bytes.to_vec()));
    }
    ScannedEntry::Found(items)
}

/// Whether a file of this name is reported even if nothing in it can be listed: it should have a
/// request, or a certificate with its key.
fn is_reported_unused(path: &Path) -> bool {
    const SUFFIXES: [&str; 3] = ["csr", "pfx", "p12"];
    let suffix = path.extension().and_then(OsStr::to_str);
    suffix.is_some_and(|suffix| SUFFIXES.contains(&suffix))
}

/// Returns why a file has nothing to list: a broken request, an archive.
fn unused_contents(path: &Path, bytes: Vec<u8>) -> Vec<Finding> {
    let limits = DeliveryLimits {
        derivation_iterations: 0,
        ..DeliveryLimits::default()
    };
    let input = DeliveryInput::new(path.display().to_string(), bytes);
    let Ok(delivery) = CaDelivery::read(vec![input], &limits) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for mut item in delivery.ignored {
        // No key is derived here, however few iterations that takes.
        let is_locked = matches!(item.content, UnusedContent::TooMuchWork(_));
        if is_locked {
            item.content = UnusedContent::LockedPkcs12;
        }
        let mut finding = Finding::from(&item);
        if is_locked {
            finding.next = vec![inventory::read_with_password(path)];
        }
        findings.push(finding);
    }
    findings
}

/// Returns the items in a file; for a zip file or an email, only the certificates.
fn items_in(path: &Path, origin: &ItemOrigin, bytes: &[u8], mode: Mode) -> Vec<InventoryItem> {
    let contents = file_reader::read_items(bytes, mode, Keys::Checked);
    if contents.is_empty() {
        let zipped = zip::certificates_in_archive(path, bytes);
        if zipped.is_empty() {
            return Vec::new();
        }
        return vec![InventoryItem {
            location: ItemLocation::file(path, ItemOrigin::Delivery),
            content: ItemContent::Certificates(zipped),
        }];
    }
    let mut items = Vec::with_capacity(contents.len());
    for content in contents {
        items.push(InventoryItem {
            location: ItemLocation::file(path, origin.clone()),
            content,
        });
    }
    items
}

/// Returns the file at a path, or everything below the folder.
pub(crate) fn walk(path: &Path) -> Box<dyn Iterator<Item = WalkedEntry> + Send> {
    if folders::is_folder(path) {
        Box::new(FolderWalk::new(path, WalkDepth::Tree))
    } else {
        Box::new(std::iter::once(WalkedEntry::File(path.to_owned())))
    }
}

/// Returns how severe it is that a file could not be read: `None` if it was deleted in the
/// meantime, a note if it is too large or not a regular file.
#[must_use]
pub(crate) fn unreadable_severity(error: &FileError) -> Option<Severity> {
    match error.source.kind() {
        ErrorKind::NotFound => None,
        ErrorKind::FileTooLarge | ErrorKind::InvalidData => Some(Severity::Note),
        _ => Some(Severity::Error),
    }
}
