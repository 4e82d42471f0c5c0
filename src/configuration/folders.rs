//! The folders of the configuration: that of the machine, then that of the user.

use std::path::{Path, PathBuf};

use crate::system::environment;
use crate::system::fs::{folders, tree_root};

/// The folder of the machine.
const MACHINE: &str = "/etc/certctl";

/// The folders of the configuration; what a later one contains overrides the earlier ones.
#[derive(Clone, Debug)]
pub(crate) struct ConfigurationFolders {
    folders: Vec<PathBuf>,
}

impl ConfigurationFolders {
    /// Returns the folders of this machine and user; with `--root`, only that of the tree, which no
    /// link of the tree leads out of.
    #[must_use]
    pub(crate) fn find(root: Option<&Path>) -> Self {
        if let Some(root) = root {
            let inside = MACHINE.trim_start_matches('/');
            let root = tree_root::resolve(Some(root)).unwrap_or_else(|_| root.to_owned());
            return Self {
                folders: vec![root.join(inside)],
            };
        }
        let mut found = vec![PathBuf::from(MACHINE)];
        let base = environment::variable("XDG_CONFIG_HOME").map(PathBuf::from);
        let base = base.filter(|base| base.is_absolute());
        let base = base.or_else(|| Some(folders::home_folder()?.join(".config")));
        found.extend(base.map(|base| base.join("certctl")));
        Self { folders: found }
    }

    /// Returns the paths of a file in each folder, in the order in which they are read.
    pub(crate) fn paths_of(&self, name: &str) -> impl Iterator<Item = PathBuf> {
        self.folders.iter().map(move |folder| folder.join(name))
    }

    /// Returns the path at which the user creates a file: root in the machine's folder.
    #[must_use]
    pub(crate) fn own_path_of(&self, name: &str) -> PathBuf {
        let is_root = folders::current_user() == 0;
        let folder = if is_root {
            self.folders.first()
        } else {
            self.folders.last()
        };
        folder.map_or_else(|| PathBuf::from(name), |folder| folder.join(name))
    }
}
