//! Where the requests of installed pairs were made: what `renew` prepared lies there, whoever looks
//! and from wherever.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::inventory::ItemOrigin;
use crate::matching::file_names;
use crate::scan::results::ScanResults;
use crate::store::settings::LineageSettings;
use crate::system::fs::folders;

/// More names are nobody's folder of requests.
const MOST: usize = 100_000;
/// What the files of a round end in, as far as it is prepared or answered.
const ENDS: [&str; 4] = ["csr", "key", "crt", "pem"];

/// The folders, each with what the requests in it are called.
#[derive(Default)]
pub(crate) struct RequestStems(BTreeMap<PathBuf, BTreeSet<String>>);

impl RequestStems {
    pub(crate) fn add(&mut self, settings: &LineageSettings) {
        if let (Some(folder), Some(request)) = (&settings.folder, &settings.request) {
            self.0
                .entry(folder.clone())
                .or_default()
                .insert(file_names::without_round(request).to_owned());
        }
    }
}

impl ScanResults {
    /// The files of rounds in the folders of their requests; of the working directory everything is
    /// looked at anyway. Nobody named them: what may not be read there, or is gone, is not worth a
    /// line.
    pub(crate) fn rounds(&mut self, context: &Context, rounds: RequestStems) {
        let here = real(&context.directory);
        for (folder, stems) in rounds.0 {
            if real(&folder) == here {
                continue;
            }
            for name in folders::names(&folder, MOST).unwrap_or_default() {
                let path = folder.join(name);
                let stem = path
                    .file_stem()
                    .and_then(|stem| stem.to_str())
                    .map(file_names::without_round);
                let ours =
                    stem.is_some_and(|stem| stems.contains(stem.trim_end_matches(".fullchain")));
                let of_use = path
                    .extension()
                    .is_some_and(|end| ENDS.iter().any(|one| end == *one));
                if ours && of_use && folders::is_file(&path) {
                    self.file(&path, &ItemOrigin::Round, &path);
                }
            }
        }
    }
}

/// The folder itself, through whatever links.
fn real(folder: &Path) -> Option<PathBuf> {
    folders::real(&folders::absolute(folder).ok()?).ok()
}
