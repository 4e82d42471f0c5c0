//! Scans the certificates of other ACME clients: certbot's lineages and acme.sh's folders.

use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::failure::Failure;
use crate::inventory::ItemOrigin;
use crate::scan::results::ScanResults;
use crate::store::root::{path_below_root, resolve_root};
use crate::system::fs::folders;

/// The folder with certbot's links to its newest files.
const CERTBOT: &str = "/etc/letsencrypt/live";
/// The maximum number of folders.
const FOLDER_LIMIT: usize = 100_000;

impl ScanResults {
    /// Scans the newest certificate of each lineage with its key.
    pub(crate) fn scan_other_tools(&mut self, context: &Context) {
        let Ok(root) = resolve_root(context.root.as_deref()) else {
            return;
        };
        let live = path_below_root(&root, Path::new(CERTBOT));
        for name in self.folders_in(&live) {
            let origin = ItemOrigin::Certbot(name.clone());
            for file in ["fullchain.pem", "privkey.pem"] {
                let path = live.join(&name).join(file);
                if folders::is_file(&path) {
                    self.scan_file(&path, &origin, &path);
                }
            }
        }
        for base in acme_homes(context, &root) {
            for name in self.folders_in(&base) {
                let domain = name.strip_suffix("_ecc").unwrap_or(&name);
                for file in ["fullchain.cer".to_owned(), format!("{domain}.key")] {
                    let path = base.join(&name).join(file);
                    if folders::is_file(&path) {
                        self.scan_file(&path, &ItemOrigin::AcmeSh, &path);
                    }
                }
            }
        }
    }

    /// Returns the names of the folders in `folder`, sorted; none if it does not exist.
    fn folders_in(&mut self, folder: &Path) -> Vec<String> {
        let names = match folders::list_names(folder, FOLDER_LIMIT) {
            Ok(names) => names,
            Err(error) => {
                self.report_failure(&Failure::from(error), "certificate-unreadable");
                return Vec::new();
            }
        };
        let mut names: Vec<String> = names
            .into_iter()
            .filter_map(|name| name.into_string().ok())
            .collect();
        names.retain(|name| folders::is_folder(&folder.join(name)));
        names.sort();
        names
    }
}

/// Returns the folders of acme.sh: in the home of the user, and in root's home.
fn acme_homes(context: &Context, root: &Path) -> Vec<PathBuf> {
    let own = if context.root.is_none() {
        folders::home_folder()
    } else {
        None
    };
    let mut homes: Vec<PathBuf> = own
        .into_iter()
        .chain([root.join("root")])
        .map(|home| home.join(".acme.sh"))
        .collect();
    homes.dedup();
    homes.retain(|home| folders::is_folder(home));
    homes
}
