//! The paths of an installed certificate: its folder, its releases, the links that servers read.
//! Pure: paths in, paths out; the caller makes sure that no folder of the given paths is a symbolic
//! link.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use crate::permissions::Mode;

/// The folder of certctl below the tree's root.
const BASE: &str = "etc/ssl/certctl";

/// The mode of a private key that replaces no file.
pub(crate) const KEY_MODE: Mode = Mode::new(0o600);
/// The mode of the public files of a release.
pub(crate) const PUBLIC_MODE: Mode = Mode::new(0o644);
/// The mode of the folders of certctl.
pub(crate) const FOLDER_MODE: Mode = Mode::new(0o755);
/// The mode of the folder of keys where it has to be made (as Debian's openssl package makes it).
pub(crate) const PRIVATE_FOLDER_MODE: Mode = Mode::new(0o700);

mod distro;
mod piece;

pub(crate) use distro::DistroFamily;
pub(crate) use piece::ReleasePointer;
pub use piece::{ReleaseFile, ReleaseId, StableLink};

/// The paths of one installed certificate. All of them are real paths: `--root` is part of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LineageLayout {
    root: PathBuf,
    staged: bool,
    stem: String,
    folder: PathBuf,
    /// Chain and key, which every certificate has; then the further ones.
    links: Vec<StableLink>,
}

impl LineageLayout {
    /// The layout of `stem` below `root` (`None`: `/`), with chain and key read at these paths.
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
        }
    }

    /// The same layout with other paths of chain and key.
    #[must_use]
    pub fn with_chain_and_key_paths(&self, chain_path: PathBuf, key_path: PathBuf) -> Self {
        let mut other = self.clone();
        other.links[0].path = chain_path;
        other.links[1].path = key_path;
        other
    }

    /// The same layout with `further` links. The files of one pair follow each other, its key last; a
    /// key of several pairs occurs once.
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

    /// Every path that servers read, in the order in which they are linked; the first two are chain
    /// and key.
    #[must_use]
    pub fn links(&self) -> &[StableLink] {
        &self.links
    }

    /// The links after chain and key.
    #[must_use]
    pub fn further_links(&self) -> &[StableLink] {
        &self.links[2..]
    }

    /// Where servers read the chain.
    #[must_use]
    pub fn chain_path(&self) -> &Path {
        &self.links[0].path
    }

    /// Where servers read the key.
    #[must_use]
    pub fn key_path(&self) -> &Path {
        &self.links[1].path
    }

    /// The files that a release must have beside the usual ones, for every link to lead to a file.
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

    /// The files that servers read together, as positions among [`Self::links`]: a certificate file
    /// with its key.
    #[must_use]
    pub fn link_groups(&self) -> Vec<Vec<usize>> {
        let mut pairs = Vec::new();
        let mut open = Vec::new();
        let mut last_key = None;
        for (index, link) in self.links.iter().enumerate() {
            match link.piece {
                ReleaseFile::Combined => pairs.push(vec![index]),
                ReleaseFile::Key => {
                    open.push(index);
                    pairs.push(std::mem::take(&mut open));
                    last_key = Some(index);
                }
                ReleaseFile::FullChain | ReleaseFile::Cert | ReleaseFile::Ca => open.push(index),
            }
        }
        if !open.is_empty() {
            open.extend(last_key);
            pairs.push(open);
        }
        pairs
    }

    /// The name of the certificate in /etc/ssl.
    #[must_use]
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// The tree to install into: `/` or `--root`.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of certctl.
    #[must_use]
    pub fn base(&self) -> PathBuf {
        base(&self.root)
    }

    /// Whether `path` is in certctl's own folder, where only certctl makes files.
    #[must_use]
    pub fn is_in_own_folder(&self, path: &Path) -> bool {
        path.starts_with(self.base())
    }

    /// The folder of the certificate.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// The folder of its releases.
    #[must_use]
    pub fn releases(&self) -> PathBuf {
        self.folder.join("releases")
    }

    /// The folder of one release.
    #[must_use]
    pub fn release(&self, id: &ReleaseId) -> PathBuf {
        self.releases().join(id.as_str())
    }

    /// One file of a release.
    #[must_use]
    pub fn file_path(&self, id: &ReleaseId, piece: ReleaseFile) -> PathBuf {
        self.release(id).join(piece.file_name())
    }

    /// `live` or `proven`.
    #[must_use]
    pub fn pointer(&self, pointer: ReleasePointer) -> PathBuf {
        self.folder.join(pointer.name())
    }

    /// The file with the saved options and the history.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.folder.join("settings.json")
    }

    /// The lock of the tree: one certctl at a time may change it.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        lock(&self.root)
    }

    /// The text of a link: relative inside /etc/ssl or `--root`, so that the tree can be moved or
    /// mounted elsewhere; absolute from outside of it.
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

    /// `path` as seen from inside of the tree: it is saved like that, so that the tree can be moved.
    #[must_use]
    pub fn path_inside_tree(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root)
            .map_or_else(|_| path.to_owned(), |rest| Path::new("/").join(rest))
    }
}

/// The folder of certctl in a tree.
#[must_use]
pub(crate) fn base(root: &Path) -> PathBuf {
    root.join(BASE)
}

/// The lock of a tree.
#[must_use]
pub(crate) fn lock(root: &Path) -> PathBuf {
    base(root).join(".lock")
}

/// The text of `live` and `proven`.
#[must_use]
pub(crate) fn pointer_text(id: &ReleaseId) -> PathBuf {
    Path::new("releases").join(id.as_str())
}

/// The release that the text of `live` or `proven` names.
#[must_use]
pub(crate) fn parse_pointer_text(text: &Path) -> Option<ReleaseId> {
    let name = text.strip_prefix("releases").ok()?;
    name.to_str().and_then(ReleaseId::parse)
}

/// Whether certctl made the name for a release that is built or removed, or for a file or link that
/// is not renamed yet.
#[must_use]
pub(crate) fn is_temporary(name: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| name.starts_with('.') && name.ends_with('~'))
}

/// The file or link that a temporary name `.NAME.<16 hex digits>~` is for.
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

/// The mode of a key that replaces one of mode `before`: others can never read it, and nobody can
/// execute it.
#[must_use]
pub(crate) fn tighten_key_mode(before: Option<Mode>) -> Mode {
    match before {
        Some(mode) => mode.restricted_to(0o660).with(0o400),
        None => KEY_MODE,
    }
}

/// The relative path from `folder` to `to`. Both are absolute and without `.` and `..`.
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
    fn links_are_grouped_into_pairs() {
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
