//! Where everything of an installed pair lies: its folder, its releases, the links that servers read. Pure: paths in,
//! paths out; whoever calls has made sure that the folders of the given paths are real (no link on the way).

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The folder of certctl below the tree's root.
const BASE: &str = "etc/ssl/certctl";

/// The mode of a private key that replaces nothing.
pub const KEY_MODE: u32 = 0o600;
/// The mode of everything in a release that is public.
pub const PUBLIC_MODE: u32 = 0o644;
/// The mode of the folders of certctl.
pub const FOLDER_MODE: u32 = 0o755;
/// The mode of the folder of keys where it has to be made (as Debian's openssl package makes it).
pub const PRIVATE_FOLDER_MODE: u32 = 0o700;

/// What identifies a release: eight lower-case hex digits.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String")]
pub struct ReleaseId(String);

impl ReleaseId {
    /// The id in `text`, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (text.len() == 8 && text.bytes().all(hex)).then(|| Self(text.to_owned()))
    }

    /// The first eight digits of a hash.
    #[must_use]
    pub fn of_hash(hash: [u8; 32]) -> Self {
        Self(hex::encode(&hash[..4]))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ReleaseId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("eight hex digits are wanted")
    }
}

impl std::fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One file of a release.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Piece {
    /// Leaf, then intermediates.
    FullChain,
    /// The leaf alone.
    Cert,
    /// The intermediates alone.
    Ca,
    /// The private key.
    Key,
}

impl Piece {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::FullChain, Self::Cert, Self::Ca, Self::Key];

    /// Its name in the release's folder.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::FullChain => "fullchain.pem",
            Self::Cert => "cert.pem",
            Self::Ca => "ca.pem",
            Self::Key => "key.pem",
        }
    }
}

/// A path that servers read, and the file of a release that it shows.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Link {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub piece: Piece,
}

impl Link {
    /// `piece` at `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, piece: Piece) -> Self {
        Self { path: path.into(), piece }
    }
}

/// The two links inside the pair's folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pointer {
    /// What servers read.
    Live,
    /// What an install last ended well with.
    Proven,
}

impl Pointer {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Live, Self::Proven];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Proven => "proven",
        }
    }
}

/// How a system keeps certificates; decided from what is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    /// `/etc/ssl` and `/etc/ssl/private`.
    Debian,
    /// `/etc/pki/tls/certs` and `/etc/pki/tls/private`.
    RedHat,
}

impl Family {
    /// Decided from the folders that are there, named below the root.
    #[must_use]
    pub fn of(is_folder: impl Fn(&str) -> bool) -> Self {
        if is_folder("etc/pki/tls") && !is_folder("etc/ssl/private") { Self::RedHat } else { Self::Debian }
    }

    /// The stable paths of `stem`, below the root.
    #[must_use]
    pub fn stable_paths(self, stem: &str) -> (PathBuf, PathBuf) {
        let (chains, keys) = match self {
            Self::Debian => ("etc/ssl", "etc/ssl/private"),
            Self::RedHat => ("etc/pki/tls/certs", "etc/pki/tls/private"),
        };
        (Path::new(chains).join(format!("{stem}.fullchain.pem")), Path::new(keys).join(format!("{stem}.key")))
    }
}

/// The paths of one installed pair. All of them are real paths: `--root` is part of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Layout {
    root: PathBuf,
    staged: bool,
    stem: String,
    /// The path that servers read the chain at.
    pub chain_path: PathBuf,
    /// The path that servers read the key at.
    pub key_path: PathBuf,
}

impl Layout {
    /// The layout of `stem` below `root` (`None`: `/`), with the stable paths given.
    #[must_use]
    pub fn new(root: Option<&Path>, stem: &str, chain_path: PathBuf, key_path: PathBuf) -> Self {
        let staged = root.is_some();
        Self {
            root: root.unwrap_or_else(|| Path::new("/")).to_owned(),
            staged,
            stem: stem.to_owned(),
            chain_path,
            key_path,
        }
    }

    /// The same with other stable paths.
    #[must_use]
    pub fn at(&self, chain_path: PathBuf, key_path: PathBuf) -> Self {
        Self { chain_path, key_path, ..self.clone() }
    }

    /// The name of the pair.
    #[must_use]
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// The tree.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of certctl.
    #[must_use]
    pub fn base(&self) -> PathBuf {
        base(&self.root)
    }

    /// Whether `path` lies in certctl's own folder, where only certctl puts things.
    #[must_use]
    pub fn is_own(&self, path: &Path) -> bool {
        path.starts_with(self.base())
    }

    /// The folder of the pair.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.base().join(&self.stem)
    }

    /// The folder of its releases.
    #[must_use]
    pub fn releases(&self) -> PathBuf {
        self.folder().join("releases")
    }

    /// The folder of one release.
    #[must_use]
    pub fn release(&self, id: &ReleaseId) -> PathBuf {
        self.releases().join(id.as_str())
    }

    /// One file of a release.
    #[must_use]
    pub fn piece(&self, id: &ReleaseId, piece: Piece) -> PathBuf {
        self.release(id).join(piece.file_name())
    }

    /// `live` or `proven`.
    #[must_use]
    pub fn pointer(&self, pointer: Pointer) -> PathBuf {
        self.folder().join(pointer.name())
    }

    /// What the pair was installed with.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.folder().join("settings.json")
    }

    /// One certctl at a time per tree.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        lock(&self.root)
    }

    /// The stable path of a piece that has one.
    #[must_use]
    pub fn stable(&self, stable: Stable) -> &Path {
        match stable {
            Stable::Chain => &self.chain_path,
            Stable::Key => &self.key_path,
        }
    }

    /// What the link at a stable path says: relative inside /etc/ssl or `--root`, so that the tree can be moved or
    /// mounted elsewhere; absolute from outside of it.
    #[must_use]
    pub fn link_text(&self, stable: Stable) -> PathBuf {
        let target = self.pointer(Pointer::Live).join(stable.piece().file_name());
        let link = self.stable(stable);
        let inside = if self.staged { self.root.clone() } else { self.root.join("etc/ssl") };
        match link.parent() {
            Some(folder) if link.starts_with(&inside) => relative(folder, &target),
            _ => target,
        }
    }

    /// `path` as seen from inside of the tree: what is remembered and what survives moving the tree.
    #[must_use]
    pub fn inside(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).map_or_else(|_| path.to_owned(), |rest| Path::new("/").join(rest))
    }
}

/// The two paths that servers know.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stable {
    /// Leaf and intermediates.
    Chain,
    /// The private key.
    Key,
}

impl Stable {
    /// Both, in the order in which they are linked.
    pub const BOTH: [Self; 2] = [Self::Chain, Self::Key];

    /// The file of a release that it shows.
    #[must_use]
    pub fn piece(self) -> Piece {
        match self {
            Self::Chain => Piece::FullChain,
            Self::Key => Piece::Key,
        }
    }
}

/// The folder of certctl in a tree.
#[must_use]
pub fn base(root: &Path) -> PathBuf {
    root.join(BASE)
}

/// The lock of a tree.
#[must_use]
pub fn lock(root: &Path) -> PathBuf {
    base(root).join(".lock")
}

/// The text of `live` and `proven`.
#[must_use]
pub fn pointer_text(id: &ReleaseId) -> PathBuf {
    Path::new("releases").join(id.as_str())
}

/// The release that the text of `live` or `proven` names.
#[must_use]
pub fn pointed(text: &Path) -> Option<ReleaseId> {
    let name = text.strip_prefix("releases").ok()?;
    name.to_str().and_then(ReleaseId::parse)
}

/// True for names that only certctl's own work leaves in its folders: releases being built or thrown away, files and
/// links not yet renamed.
#[must_use]
pub fn is_temporary(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with('.') && name.ends_with('~'))
}

/// True for the temporary names of one file or link: `.NAME.<16 hex digits>~`.
#[must_use]
pub fn is_temporary_of(name: &OsStr, of: &OsStr) -> bool {
    let (Some(name), Some(of)) = (name.to_str(), of.to_str()) else { return false };
    let random = name.strip_prefix('.').and_then(|rest| rest.strip_prefix(of)).and_then(|rest| rest.strip_prefix('.'));
    random
        .and_then(|rest| rest.strip_suffix('~'))
        .is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The mode of a key that replaces one of mode `before`: never a bit for others, never one to run it.
#[must_use]
pub fn key_mode(before: Option<u32>) -> u32 {
    match before {
        Some(mode) => (mode & 0o660) | 0o400,
        None => KEY_MODE,
    }
}

/// `to` as a link in `folder` says it. Both are absolute and free of `.` and `..`.
fn relative(folder: &Path, to: &Path) -> PathBuf {
    let mut from = folder.components().peekable();
    let mut rest = to.components().peekable();
    while from.peek().is_some() && from.peek() == rest.peek() {
        from.next();
        rest.next();
    }
    from.map(|_| Component::ParentDir).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::{Family, Layout, Path, PathBuf, ReleaseId, Stable, is_temporary_of, key_mode, pointed};

    #[test]
    fn links_are_relative_inside_the_tree_and_absolute_outside() {
        let rows: [(Option<&str>, &str, &str, &str, &str); 4] = [
            (
                None,
                "/etc/ssl/a.fullchain.pem",
                "/etc/ssl/private/a.key",
                "certctl/a/live/fullchain.pem",
                "../certctl/a/live/key.pem",
            ),
            (
                None,
                "/etc/pki/tls/certs/a.fullchain.pem",
                "/etc/nginx/ssl/a.key",
                "/etc/ssl/certctl/a/live/fullchain.pem",
                "/etc/ssl/certctl/a/live/key.pem",
            ),
            (
                Some("/tree"),
                "/tree/etc/ssl/a.fullchain.pem",
                "/tree/etc/ssl/private/a.key",
                "certctl/a/live/fullchain.pem",
                "../certctl/a/live/key.pem",
            ),
            (
                Some("/tree"),
                "/tree/etc/pki/tls/certs/a.fullchain.pem",
                "/tree/srv/a.key",
                "../../../ssl/certctl/a/live/fullchain.pem",
                "../etc/ssl/certctl/a/live/key.pem",
            ),
        ];
        for (root, chain, key, chain_text, key_text) in rows {
            let layout = Layout::new(root.map(Path::new), "a", chain.into(), key.into());
            assert_eq!(layout.link_text(Stable::Chain), Path::new(chain_text), "{chain}");
            assert_eq!(layout.link_text(Stable::Key), Path::new(key_text), "{key}");
        }
    }

    #[test]
    fn the_family_is_what_is_there() {
        for (folders, family) in [
            (&[][..], Family::Debian),
            (&["etc/ssl/private"], Family::Debian),
            (&["etc/pki/tls", "etc/ssl/private"], Family::Debian),
            (&["etc/pki/tls"], Family::RedHat),
        ] {
            assert_eq!(Family::of(|folder| folders.contains(&folder)), family, "{folders:?}");
        }
        let (chain, key) = Family::RedHat.stable_paths("a");
        assert_eq!(chain, PathBuf::from("etc/pki/tls/certs/a.fullchain.pem"));
        assert_eq!(key, PathBuf::from("etc/pki/tls/private/a.key"));
    }

    #[test]
    fn a_key_never_gets_bits_for_others() {
        for (before, mode) in [
            (None, 0o600),
            (Some(0o600), 0o600),
            (Some(0o400), 0o400),
            (Some(0o640), 0o640),
            (Some(0o644), 0o640),
            (Some(0o777), 0o660),
            (Some(0o000), 0o400),
        ] {
            assert_eq!(key_mode(before), mode, "{before:?}");
        }
    }

    #[test]
    fn only_our_own_names_are_ours() {
        assert_eq!(pointed(Path::new("releases/0123abcd")), ReleaseId::parse("0123abcd"));
        for text in ["releases/0123abcd/..", "releases/0123ABCD", "../x", "/releases/0123abcd", "releases"] {
            assert_eq!(pointed(Path::new(text)), None, "{text}");
        }
        assert!(is_temporary_of(".a.key.0123456789abcdef~".as_ref(), "a.key".as_ref()));
        for name in [".a.key.~1~", "a.key.~1~", ".b.key.0123456789abcdef~", ".a.key.0123456789abcdeg~", "a.key"] {
            assert!(!is_temporary_of(name.as_ref(), "a.key".as_ref()), "{name}");
        }
    }
}
