//! What other tools keep here: certbot's lineages, acme.sh's folders.

use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::failure::Failure;
use crate::inventory::ItemOrigin;
use crate::scan::results::ScanResults;
use crate::store::root::{below, root};
use crate::system::fs::folders;

/// certbot's links to what is newest.
const CERTBOT: &str = "/etc/letsencrypt/live";
/// No tool keeps more.
const MOST: usize = 100_000;

impl ScanResults {
    /// The newest of each lineage, with its key.
    pub(crate) fn others(&mut self, context: &Context) {
        let Ok(root) = root(context.root.as_deref()) else {
            return;
        };
        let live = below(&root, Path::new(CERTBOT));
        for name in self.folders_in(&live) {
            let origin = ItemOrigin::Certbot(name.clone());
            for file in ["fullchain.pem", "privkey.pem"] {
                let path = live.join(&name).join(file);
                if folders::is_file(&path) {
                    self.file(&path, &origin, &path);
                }
            }
        }
        for base in homes(context, &root) {
            for name in self.folders_in(&base) {
                let domain = name.strip_suffix("_ecc").unwrap_or(&name);
                for file in ["fullchain.cer".to_owned(), format!("{domain}.key")] {
                    let path = base.join(&name).join(file);
                    if folders::is_file(&path) {
                        self.file(&path, &ItemOrigin::AcmeSh, &path);
                    }
                }
            }
        }
    }

    /// The folders in a folder, by name; none where it is not there.
    fn folders_in(&mut self, folder: &Path) -> Vec<String> {
        let names = match folders::names(folder, MOST) {
            Ok(names) => names,
            Err(error) => {
                self.tell(&Failure::from(error), "certificate-unreadable");
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

/// Where acme.sh keeps its files: in the home of who runs certctl, and in root's.
fn homes(context: &Context, root: &Path) -> Vec<PathBuf> {
    let own = if context.root.is_none() {
        folders::home()
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
