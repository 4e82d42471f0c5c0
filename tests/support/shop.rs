//! A shop that has issued for example.com, and the tree that its certificates are installed into.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use certctl::facade::store::release::{KeyAccess, Release};

use super::ca::{Leaf, TestCa};
use super::json::Json;
use super::{Run, Sandbox};

pub const CHAIN: &str = "tree/etc/ssl/example.com.fullchain.pem";
pub const KEY: &str = "tree/etc/ssl/private/example.com.key";
pub const PAIR: &str = "tree/etc/ssl/certctl/example.com";

/// A sandbox with a CA, and certificates for example.com as they come.
pub struct Shop {
    pub sandbox: Sandbox,
    pub ca: TestCa,
}

impl Shop {
    pub fn new() -> Self {
        let (sandbox, ca) = (Sandbox::new(), TestCa::new());
        sandbox.write("root.pem", ca.root_pem());
        Self { sandbox, ca }
    }

    /// A new key and a certificate for it in `FILE`: what the CA sends, the bundle first.
    pub fn deliver(&self, file: &str) {
        self.deliver_as(file, Leaf::default());
    }

    /// The same with a certificate that is as told.
    pub fn deliver_as(&self, file: &str, leaf: Leaf) {
        self.sandbox
            .run(&["csr", "example.com", "www.example.com", "--force"])
            .expect(0);
        let leaf = self
            .ca
            .issue_as(&self.sandbox.read("example.com.csr"), leaf);
        self.sandbox.write(file, self.ca.bundle_pem() + &leaf);
    }

    pub fn install(&self, file: &str, more: &[&str]) -> Run {
        let common = ["install", file, "--root", "tree", "--trust", "root.pem"];
        self.sandbox.run(&[&common[..], more].concat())
    }

    /// `deliver` and `install`.
    pub fn round(&self, more: &[&str]) -> Run {
        self.deliver("new.crt");
        self.install("new.crt", more)
    }

    /// Chain and key as a server reads them; they must belong together.
    pub fn served(&self) -> (String, String) {
        let pair = (self.sandbox.read(CHAIN), self.sandbox.read(KEY));
        assert!(fits(&self.sandbox, CHAIN, KEY), "a mixed pair");
        pair
    }

    pub fn tree(&self) -> BTreeMap<PathBuf, String> {
        tree(&self.sandbox.join("tree"))
    }
}

/// Every path below `folder`: mode and content, or what a link says.
pub fn tree(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let what = if meta.is_symlink() {
                format!("-> {}", std::fs::read_link(&path).unwrap().display())
            } else if meta.is_dir() {
                open.push(path.clone());
                format!("{:o}", meta.mode() & 0o7777)
            } else if !meta.is_file() {
                "special".to_owned()
            } else {
                format!(
                    "{:o} {}",
                    meta.mode() & 0o7777,
                    String::from_utf8_lossy(&std::fs::read(&path).unwrap())
                )
            };
            all.insert(path, what);
        }
    }
    all
}

pub fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

pub fn link(sandbox: &Sandbox, path: &str) -> String {
    std::fs::read_link(sandbox.join(path))
        .unwrap()
        .display()
        .to_string()
}

/// Whether a server could load the two as a pair.
pub fn fits(sandbox: &Sandbox, chain: &str, key: &str) -> bool {
    let (chain, key) = (
        sandbox.read(chain).into_bytes(),
        sandbox.read(key).into_bytes(),
    );
    Release::take_over(chain.into(), key.into(), KeyAccess::default()).is_ok()
}

/// The codes of a document's findings.
pub fn codes(document: &Json) -> Vec<&str> {
    document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect()
}

/// Temporary names anywhere in the tree.
pub fn leftovers(sandbox: &Sandbox) -> Vec<PathBuf> {
    let hidden = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with('.') && name != ".lock"
    };
    tree(&sandbox.join("tree"))
        .into_keys()
        .filter(hidden)
        .collect()
}
