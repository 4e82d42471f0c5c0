//! The paths of an installed certificate: its folder, its releases, and the links that servers
//! read. Pure: computes paths from paths. The caller ensures that no folder of the paths passed in
//! is a symbolic link.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::permissions::Mode;

/// The folder of certctl below the tree's root.
const BASE: &str = "etc/ssl/certctl";
/// The trust anchors of a certificate, in its folder.
pub(crate) const TRUST_FILE: &str = "trust.pem";

/// The mode of a private key that replaces no file.
pub(crate) const KEY_MODE: Mode = Mode::new(0o600);
/// The mode of the public files of a release.
pub(crate) const PUBLIC_MODE: Mode = Mode::new(0o644);
/// The mode of the folders of certctl.
pub(crate) const FOLDER_MODE: Mode = Mode::new(0o755);
/// The mode of the folder for keys if certctl creates it (the same as in Debian's openssl package).
pub(crate) const PRIVATE_FOLDER_MODE: Mode = Mode::new(0o700);

mod deploy_mode;
mod distro;
mod key_storage;
mod piece;

pub(crate) use deploy_mode::DeployMode;
pub(crate) use distro::DistroFamily;
pub(crate) use key_storage::KeyStorage;
pub(crate) use piece::ReleasePointer;
pub use piece::{ReleaseFile, ReleaseId, StableLink};

/// The paths of one installed certificate. They are real paths, which include `--root`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LineageLayout {
    root: PathBuf,
    staged: bool,
    stem: String,
    folder: PathBuf,
    /// The chain; the key, if it is a file; then further links.
    links: Vec<StableLink>,
    key_storage: KeyStorage,
    deploy_mode: DeployMode,
}

impl LineageLayout {
    /// Creates the layout of `stem` below `root` (`None` means `/`), with these paths of chain and
    /// key.
    #[must_use]
    pub fn new(root: Option<&Path>, stem: &str, chain_path: PathBuf, key_path: PathBuf) -> Self {
        let links = vec![
            StableLink::new(chain_path, ReleaseFile::FullChain),
            StableLink::new(key_path, ReleaseFile::Key),
        ];
        let staged = root.is_some();
        let root = root.unwrap_or_else(|| Path::new("/"));
        Self {
            root: root.to_owned(),
            staged,
            stem: stem.to_owned(),
            folder: base(root).join(stem),
            links,
            key_storage: KeyStorage::File,
            deploy_mode: DeployMode::default(),
        }
    }

    /// Returns the same layout with links or copies at its paths.
    #[must_use]
    pub(crate) fn with_deploy_mode(mut self, deploy_mode: DeployMode) -> Self {
        self.deploy_mode = deploy_mode;
        self
    }

    /// Returns whether its paths are links or copies.
    #[must_use]
    pub(crate) fn deploy_mode(&self) -> DeployMode {
        self.deploy_mode
    }

    /// Returns the same layout without the link to the key, if the key is not a file.
    #[must_use]
    pub(crate) fn with_key_storage(mut self, key_storage: KeyStorage) -> Self {
        if key_storage == KeyStorage::External {
            self.links.retain(|link| link.piece != ReleaseFile::Key);
        }
        self.key_storage = key_storage;
        self
    }

    /// Returns whether the key is a file.
    #[must_use]
    pub(crate) fn key_storage(&self) -> KeyStorage {
        self.key_storage
    }

    /// Returns the same layout with other paths, in the order of [`Self::links`].
    #[must_use]
    pub(crate) fn at_links(&self, links: impl IntoIterator<Item = StableLink>) -> Self {
        let mut other = self.clone();
        other.links.clear();
        other.with_links(links)
    }

    /// Returns the same layout with `further` links. The files that belong together are adjacent,
    /// the key last; a key that belongs to several certificate files occurs once.
    #[must_use]
    pub fn with_links(&self, further: impl IntoIterator<Item = StableLink>) -> Self {
        let mut other = self.clone();
        for link in further {
            if !other.links.contains(&link) {
                other.links.push(link);
            }
        }
        other
    }

    /// Returns all paths that servers read, in the order in which the links are created: the chain,
    /// the key if it is a file, and further files.
    #[must_use]
    pub fn links(&self) -> &[StableLink] {
        &self.links
    }

    /// Returns the links after chain and key.
    #[must_use]
    pub fn further_links(&self) -> &[StableLink] {
        &self.links[primary_links(&self.links).len()..]
    }

    /// Returns the path where servers read the chain.
    #[must_use]
    pub fn chain_path(&self) -> &Path {
        &self.links[0].path
    }

    /// Returns the path where servers read the key; `None` if the key is not a file.
    #[must_use]
    pub fn key_path(&self) -> Option<&Path> {
        match primary_links(&self.links) {
            [_, key] => Some(&key.path),
            _ => None,
        }
    }

    /// Returns the files that a release needs besides the usual ones, so that every link has a
    /// target.
    #[must_use]
    pub fn extra_files(&self) -> Vec<ReleaseFile> {
        let wanted = self
            .links
            .iter()
            .any(|link| link.piece == ReleaseFile::Combined);
        wanted
            .then_some(ReleaseFile::Combined)
            .into_iter()
            .collect()
    }

    /// Returns the files that servers read together, as indices into [`Self::links`]: a certificate
    /// file with its key.
    #[must_use]
    pub fn link_groups(&self) -> Vec<Vec<usize>> {
        let mut groups = Vec::new();
        let mut open = Vec::new();
        let mut last_key = None;
        for (index, link) in self.links.iter().enumerate() {
            match link.piece {
                ReleaseFile::Combined => groups.push(vec![index]),
                ReleaseFile::Key => {
                    open.push(index);
                    groups.push(std::mem::take(&mut open));
                    last_key = Some(index);
                }
                ReleaseFile::FullChain | ReleaseFile::Cert | ReleaseFile::Ca => open.push(index),
            }
        }
        if !open.is_empty() {
            open.extend(last_key);
            groups.push(open);
        }
        groups
    }

    /// Returns the stem of the certificate's file names in /etc/ssl.
    #[must_use]
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// Returns the tree to install into: `/` or `--root`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns certctl's folder.
    #[must_use]
    pub fn base(&self) -> PathBuf {
        base(&self.root)
    }

    /// Returns whether `path` is in certctl's folder, where only certctl creates files.
    #[must_use]
    pub fn is_in_own_folder(&self, path: &Path) -> bool {
        path.starts_with(self.base())
    }

    /// Returns the folder of the certificate.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// Returns the folder of its releases.
    #[must_use]
    pub fn releases(&self) -> PathBuf {
        self.folder.join("releases")
    }

    /// Returns the folder of one release.
    #[must_use]
    pub fn release(&self, id: &ReleaseId) -> PathBuf {
        self.releases().join(id.as_str())
    }

    /// Returns the path of a file of a release.
    #[must_use]
    pub fn file_path(&self, id: &ReleaseId, piece: ReleaseFile) -> PathBuf {
        self.release(id).join(piece.file_name())
    }

    /// Returns the path of `live` or `proven`.
    #[must_use]
    pub fn pointer(&self, pointer: ReleasePointer) -> PathBuf {
        self.folder.join(pointer.name())
    }

    /// Returns the path of the file with the stored options and the history.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.folder.join("settings.json")
    }

    /// Returns the path of the lock of the tree, which only one certctl at a time may change.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        lock(&self.root)
    }

    /// Returns the target of a link: relative inside /etc/ssl or `--root`, so that the tree can be
    /// moved or mounted elsewhere; absolute outside it.
    #[must_use]
    pub fn link_text(&self, link: &StableLink) -> PathBuf {
        let target = self
            .pointer(ReleasePointer::Live)
            .join(link.piece.file_name());
        let inside = if self.staged {
            self.root.clone()
        } else {
            self.root.join("etc/ssl")
        };
        match link.path.parent() {
            Some(folder) if link.path.starts_with(&inside) => relative_path(folder, &target),
            _ => target,
        }
    }

    /// Returns a path for the key whose folders every user may enter, relative to the tree.
    #[must_use]
    pub(crate) fn open_key_path(&self) -> PathBuf {
        let key = self.base().with_file_name(format!("{}.key", self.stem));
        self.path_inside_tree(&key)
    }

    /// Returns `path` relative to the tree, with a leading `/`. Paths are stored in this form, so
    /// that the tree can be moved.
    #[must_use]
    pub fn path_inside_tree(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root)
            .map_or_else(|_| path.to_owned(), |rest| Path::new("/").join(rest))
    }
}

/// Returns the links that every certificate has: the chain, and the key if it is a file.
#[must_use]
pub(crate) fn primary_links(links: &[StableLink]) -> &[StableLink] {
    match links {
        [_, key, ..] if key.piece == ReleaseFile::Key => &links[..2],
        _ => &links[..links.len().min(1)],
    }
}

/// Returns certctl's folder in a tree.
#[must_use]
pub(crate) fn base(root: &Path) -> PathBuf {
    root.join(BASE)
}

/// Returns the file with the trust anchors of a certificate.
#[must_use]
pub(crate) fn trust_file(root: &Path, stem: &str) -> PathBuf {
    base(root).join(stem).join(TRUST_FILE)
}

/// Returns the path of the lock of a tree.
#[must_use]
pub(crate) fn lock(root: &Path) -> PathBuf {
    base(root).join(".lock")
}

/// Returns the target of `live` or `proven`.
#[must_use]
pub(crate) fn pointer_text(id: &ReleaseId) -> PathBuf {
    Path::new("releases").join(id.as_str())
}

/// Parses the target of `live` or `proven`.
#[must_use]
pub(crate) fn parse_pointer_text(text: &Path) -> Option<ReleaseId> {
    let name = text.strip_prefix("releases").ok()?;
    name.to_str().and_then(ReleaseId::parse)
}

/// Returns true for a temporary name of certctl: a release that is being built or removed, or a
/// file or link that is not renamed yet.
#[must_use]
pub(crate) fn is_temporary(name: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| name.starts_with('.') && name.ends_with('~'))
}

/// Returns the name under which the plain file at `path` is kept until an install has succeeded:
/// `.NAME.before~` in the same folder.
#[must_use]
pub(crate) fn kept_name(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".before~");
    path.with_file_name(name)
}

/// Returns the name that a temporary name `.NAME.<16 hex digits>~` belongs to.
#[must_use]
pub(crate) fn temporary_of(name: &OsStr) -> Option<&OsStr> {
    let (of, digits) = name
        .to_str()?
        .strip_prefix('.')?
        .strip_suffix('~')?
        .rsplit_once('.')?;
    let random = digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    (random && !of.is_empty()).then_some(OsStr::new(of))
}

/// Returns the mode of a key that replaces one of mode `before`: other users can never read it, and
/// no user can execute it.
#[must_use]
pub(crate) fn tighten_key_mode(before: Option<Mode>) -> Mode {
    match before {
        Some(mode) => mode.restricted_to(0o660).with(0o400),
        None => KEY_MODE,
    }
}

/// Returns the relative path from `folder` to `to`; both are absolute, without `.` and `..`.
fn relative_path(folder: &Path, to: &Path) -> PathBuf {
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
    use super::{
        DistroFamily, LineageLayout, Mode, Path, PathBuf, ReleaseFile, ReleaseId, StableLink,
        parse_pointer_text, temporary_of, tighten_key_mode,
    };

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
            let layout = LineageLayout::new(root.map(Path::new), "a", chain.into(), key.into());
            assert_eq!(
                layout.link_text(&layout.links()[0]),
                Path::new(chain_text),
                "{chain}"
            );
            assert_eq!(
                layout.link_text(&layout.links()[1]),
                Path::new(key_text),
                "{key}"
            );
        }
    }

    #[test]
    fn links_are_grouped_with_their_keys() {
        let layout = LineageLayout::new(None, "a", "/c".into(), "/k".into());
        let link = |piece, path: &str| StableLink::new(path, piece);
        for (further, pairs) in [
            (vec![], vec![vec![0, 1]]),
            (
                vec![link(ReleaseFile::Combined, "/b")],
                vec![vec![0, 1], vec![2]],
            ),
            (
                vec![
                    link(ReleaseFile::Cert, "/l"),
                    link(ReleaseFile::Ca, "/i"),
                    link(ReleaseFile::Key, "/k2"),
                    link(ReleaseFile::Combined, "/b"),
                ],
                vec![vec![0, 1], vec![2, 3, 4], vec![5]],
            ),
            // The key is linked already.
            (
                vec![
                    link(ReleaseFile::FullChain, "/d"),
                    link(ReleaseFile::Key, "/k"),
                ],
                vec![vec![0, 1], vec![2, 1]],
            ),
        ] {
            assert_eq!(
                layout.with_links(further.clone()).link_groups(),
                pairs,
                "{further:?}"
            );
        }
    }

    #[test]
    fn the_family_is_decided_by_existing_folders() {
        for (folders, family) in [
            (&[][..], DistroFamily::Debian),
            (&["etc/ssl/private"], DistroFamily::Debian),
            (&["etc/pki/tls", "etc/ssl/private"], DistroFamily::Debian),
            (&["etc/pki/tls"], DistroFamily::RedHat),
        ] {
            assert_eq!(
                DistroFamily::detect(|folder| folders.contains(&folder)),
                family,
                "{folders:?}"
            );
        }
        let (chain, key) = DistroFamily::RedHat.stable_paths("a");
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
            assert_eq!(
                tighten_key_mode(before.map(Mode::new)),
                Mode::new(mode),
                "{before:?}"
            );
        }
    }

    #[test]
    fn names_of_other_programs_are_rejected() {
        assert_eq!(
            parse_pointer_text(Path::new("releases/0123abcd")),
            ReleaseId::parse("0123abcd")
        );
        for text in [
            "releases/0123abcd/..",
            "releases/0123ABCD",
            "../x",
            "/releases/0123abcd",
            "releases",
        ] {
            assert_eq!(parse_pointer_text(Path::new(text)), None, "{text}");
        }
        assert_eq!(
            temporary_of(".a.key.0123456789abcdef~".as_ref()),
            Some("a.key".as_ref())
        );
        for name in [
            ".a.key.~1~",
            "a.key.~1~",
            ".0123456789abcdef~",
            ".a.key.0123456789abcdeg~",
            "a.key",
        ] {
            assert_eq!(temporary_of(name.as_ref()), None, "{name}");
        }
    }
}
