//! A CA that issues certificates for example.com, and the tree that they are installed into.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use certctl::facade::store::release::{KeyAccess, Release};

use super::ca::{Leaf, TestCa};
use super::json::Json;
use super::{Run, Sandbox};

pub const CHAIN: &str = "tree/etc/ssl/example.com.fullchain.pem";
pub const KEY: &str = "tree/etc/ssl/private/example.com.key";
pub const LINEAGE: &str = "tree/etc/ssl/certctl/example.com";

/// A sandbox with a CA that issues certificates for example.com.
pub struct InstallSandbox {
    pub sandbox: Sandbox,
    pub ca: TestCa,
}

impl InstallSandbox {
    pub fn new() -> Self {
        let (sandbox, ca) = (Sandbox::new(), TestCa::new());
        sandbox.write("root.pem", ca.root_pem());
        Self { sandbox, ca }
    }

    /// Creates a new key and writes the CA's reply to `file`: the bundle, then the certificate.
    pub fn write_delivery(&self, file: &str) {
        self.write_delivery_with(file, Leaf::default());
    }

    /// Does the same for a certificate with the properties of `leaf`.
    pub fn write_delivery_with(&self, file: &str, leaf: Leaf) {
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

    /// Runs `write_delivery` and `install`.
    pub fn renew_and_install(&self, more: &[&str]) -> Run {
        self.write_delivery("new.crt");
        self.install("new.crt", more)
    }

    /// Returns the deployed chain and key; fails if they do not match.
    pub fn served(&self) -> (String, String) {
        let pair = (self.sandbox.read(CHAIN), self.sandbox.read(KEY));
        assert!(
            key_matches_chain(&self.sandbox, CHAIN, KEY),
            "chain and key do not match"
        );
        pair
    }

    pub fn tree(&self) -> BTreeMap<PathBuf, String> {
        tree(&self.sandbox.join("tree"))
    }
}

/// Returns every path below `folder` with its mode and content, or with the target of the link.
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

/// Returns whether the key matches the chain.
pub fn key_matches_chain(sandbox: &Sandbox, chain: &str, key: &str) -> bool {
    let (chain, key) = (
        sandbox.read(chain).into_bytes(),
        sandbox.read(key).into_bytes(),
    );
    Release::take_over(chain.into(), key.into(), KeyAccess::default()).is_ok()
}

/// Returns the codes of the findings of a document.
pub fn codes(document: &Json) -> Vec<&str> {
    document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect()
}

/// Returns the temporary files in the tree.
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
