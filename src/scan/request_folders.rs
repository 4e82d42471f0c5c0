//! Scans the folders where the requests of installed certificates were created, because `renew`
//! writes the next requests there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::inventory::ItemOrigin;
use crate::matching::file_names;
use crate::scan::results::ScanResults;
use crate::store::settings::LineageSettings;
use crate::system::fs::folders;

/// The maximum number of names in a folder.
const NAME_LIMIT: usize = 100_000;
/// The extensions of the files of a renewal.
const EXTENSIONS: [&str; 4] = ["csr", "key", "crt", "pem"];

/// The folders, each with the stems of the requests in it.
#[derive(Default)]
pub(crate) struct RequestStems(BTreeMap<PathBuf, BTreeSet<String>>);

impl RequestStems {
    pub(crate) fn add(&mut self, settings: &LineageSettings) {
        if let Some(folder) = &settings.folder
            && let Some(request) = &settings.request
        {
            self.0
                .entry(folder.clone())
                .or_default()
                .insert(file_names::strip_renewal_number(request).to_owned());
        }
    }
}

impl ScanResults {
    /// Scans the files of renewals in the folders of their requests. The working directory is
    /// scanned separately. Unreadable files are not reported, because the user did not ask for
    /// these folders.
    pub(crate) fn scan_request_folders(&mut self, context: &Context, request_stems: RequestStems) {
        let working_directory = real_path(&context.directory);
        for (folder, stems) in request_stems.0 {
            if real_path(&folder) == working_directory {
                continue;
            }
            for name in folders::list_names(&folder, NAME_LIMIT).unwrap_or_default() {
                let path = folder.join(name);
                let stem = path
                    .file_stem()
                    .and_then(|stem| stem.to_str())
                    .map(file_names::strip_renewal_number);
                let is_renewal =
                    stem.is_some_and(|stem| stems.contains(stem.trim_end_matches(".fullchain")));
                let has_known_extension = path
                    .extension()
                    .is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known));
                if is_renewal && has_known_extension && folders::is_file(&path) {
                    self.scan_file(&path, &ItemOrigin::Renewal, &path);
                }
            }
        }
    }
}

/// Returns the path of a folder without symbolic links.
fn real_path(folder: &Path) -> Option<PathBuf> {
    folders::resolve_links(&folders::absolute(folder).ok()?).ok()
}
