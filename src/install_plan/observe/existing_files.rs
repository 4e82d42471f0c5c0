//! What exists at the deployed paths: nothing, certctl's links, plain files; and which certificates
//! the plain files form.

mod certificate_bytes;

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub(crate) use self::certificate_bytes::deployed_files_load;
use self::certificate_bytes::{CertificateBytes, read, read_certificate};
use crate::finding::NextStep;
use crate::install_plan::plan::{PathState, ServedBefore};
use crate::matching::file_names::is_safe_name;
use crate::pki::certificate::Certificate;
use crate::store::combined_order::CombinedOrder;
use crate::store::disk::{self, copies, copies::CopyState};
use crate::store::key_access::inherit::{self, InheritanceDoubt};
use crate::store::key_access::on_disk;
use crate::store::layout::{DeployMode, LineageLayout, ReleasePointer, StableLink};
use crate::store::release::{KeyAccess, Release, UnloadableReason};
use crate::store::settings::LineageSettings;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders::{self, FileKind, FileStatus};

/// Something at a deployed path that certctl does not touch.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PathObstacle {
    /// Two files of another certificate than the one that is taken over or live. They cannot be
    /// replaced in one step.
    #[error("{} and its key belong to another certificate than {}", .0.display(), .1.display())]
    OtherCertificate(PathBuf, PathBuf),
    #[error("{} is a folder", .0.display())]
    Folder(PathBuf),
    /// A link that another tool may maintain: the path and its target.
    #[error("{} is a symbolic link to {}, which certctl did not create", .0.display(), .1.display())]
    Link(PathBuf, PathBuf),
    /// A link of another of certctl's certificates: the path, its target and that certificate.
    #[error("{} is the link of {owner}, another certificate that certctl installed", path.display())]
    OtherLineage {
        path: PathBuf,
        target: PathBuf,
        owner: String,
    },
    /// A placeholder would replace it. The path, and the install that may replace it.
    #[error("{} exists already, and a placeholder replaces no files", .0.display())]
    Present(PathBuf, Box<NextStep>),
    /// Not certctl's link, so a rollback would not change it. The path, and the install that turns
    /// it into a link.
    #[error("{} is not certctl's link, so a rollback would not change the file that servers read there", .0.display())]
    NotOurLink(PathBuf, Box<NextStep>),
    /// A FIFO, a socket or a device.
    #[error("{} is not a regular file", .0.display())]
    NotRegular(PathBuf),
}

/// Whether a server has been seen to load the files at its paths before anything is changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LoadEvidence {
    /// The test of a configuration that names them succeeded.
    Tested,
    /// No server tested them: only certctl's own parser decides.
    Untested,
}

/// What exists at one deployed path.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum PathContent {
    /// An install may replace it.
    Replaceable(PathState),
    /// An install must not touch it.
    Obstacle(PathObstacle),
}

/// What exists at the links of a layout.
#[derive(Debug)]
pub(crate) struct ExistingAtPaths {
    /// One state per link of the layout, in its order.
    pub states: Vec<PathState>,
    /// What servers read from the plain files.
    pub served: ServedBefore,
    /// The certificate in plain files, where it is taken over.
    pub taken_over: Option<Release>,
    /// The leaf that servers read now: of the plain files, else of the live release.
    pub served_leaf: Option<Certificate>,
    /// Paths that cannot be replaced.
    pub obstacles: Vec<PathObstacle>,
}

/// Whether a server can load the files of one certificate and its key.
enum PlainFilesVerdict {
    Broken(String),
    Partial,
    Whole(Box<Release>),
}

/// The certificate that servers read now: live behind certctl's links, or about to be taken over.
struct ShownCertificate {
    /// The index of its first link in the layout.
    first_link: usize,
    release: Release,
}

/// Checks every link; `live` is the release that certctl's links show.
///
/// # Errors
/// When something exists and cannot be read.
pub(crate) fn find(
    layout: &LineageLayout,
    live: Option<Release>,
    loads: LoadEvidence,
) -> Result<ExistingAtPaths, FileError> {
    let mut existing = ExistingAtPaths {
        states: Vec::new(),
        served: ServedBefore::Nothing,
        taken_over: None,
        served_leaf: leaf_of(live.as_ref()),
        obstacles: Vec::new(),
    };
    for link in layout.links() {
        let state = match check_path(layout, link)? {
            PathContent::Replaceable(state) => state,
            PathContent::Obstacle(obstacle) => {
                existing.obstacles.push(obstacle);
                PathState::Absent
            }
        };
        existing.states.push(state);
    }
    if existing.obstacles.is_empty() && existing.states.contains(&PathState::File) {
        existing.judge_plain_files(layout, live, loads)?;
    }
    Ok(existing)
}

impl ExistingAtPaths {
    /// Decides what plain files at the deployed paths mean. Where certctl's links show a whole
    /// certificate, that one counts as served; otherwise the first working certificate in plain
    /// files is taken over.
    fn judge_plain_files(
        &mut self,
        layout: &LineageLayout,
        live: Option<Release>,
        loads: LoadEvidence,
    ) -> Result<(), FileError> {
        let certificates = layout.link_groups();
        let linked = self.linked_certificate(&certificates, live);
        let mut taken_over: Option<ShownCertificate> = None;
        let mut others = Vec::new();
        for indices in &certificates {
            if self.plain_files(indices).is_empty() {
                continue;
            }
            match judge_files(layout, indices, loads)? {
                PlainFilesVerdict::Whole(release) if linked.is_none() && taken_over.is_none() => {
                    self.mark_identical(layout, indices, &release)?;
                    taken_over = Some(ShownCertificate {
                        first_link: indices[0],
                        release: *release,
                    });
                }
                verdict => others.push((indices, verdict)),
            }
        }
        let shown = linked.as_ref().or(taken_over.as_ref());
        for (indices, verdict) in others {
            self.judge_other(layout, indices, verdict, shown)?;
        }
        if let Some(ShownCertificate { release, .. }) = taken_over {
            self.served = ServedBefore::Whole(release.id.clone());
            self.served_leaf = leaf_of(Some(&release));
            self.taken_over = Some(release);
        }
        Ok(())
    }

    /// The first certificate whose files are all certctl's links, which show `live`.
    fn linked_certificate(
        &self,
        certificates: &[Vec<usize>],
        live: Option<Release>,
    ) -> Option<ShownCertificate> {
        let indices = certificates.iter().find(|indices| {
            indices
                .iter()
                .all(|&index| matches!(self.states[index], PathState::OurLink | PathState::OurCopy))
        })?;
        Some(ShownCertificate {
            first_link: indices[0],
            release: live?,
        })
    }

    /// Takes in a certificate in plain files that is not taken over.
    fn judge_other(
        &mut self,
        layout: &LineageLayout,
        indices: &[usize],
        verdict: PlainFilesVerdict,
        shown: Option<&ShownCertificate>,
    ) -> Result<(), FileError> {
        match (verdict, shown) {
            (PlainFilesVerdict::Whole(own), Some(shown)) => {
                self.mark_own(layout, indices, &own, shown)?;
            }
            (PlainFilesVerdict::Broken(why), None) => self.served = ServedBefore::Broken(why),
            (PlainFilesVerdict::Partial, None) if self.served == ServedBefore::Nothing => {
                self.served = ServedBefore::Partial;
            }
            _ => {}
        }
        Ok(())
    }

    /// The indices among `indices` whose paths hold plain files.
    fn plain_files(&self, indices: &[usize]) -> Vec<usize> {
        indices
            .iter()
            .copied()
            .filter(|&index| self.states[index] == PathState::File)
            .collect()
    }

    /// Marks the files that equal those of `release` byte for byte: they need no backup.
    fn mark_identical(
        &mut self,
        layout: &LineageLayout,
        indices: &[usize],
        release: &Release,
    ) -> Result<(), FileError> {
        for index in self.plain_files(indices) {
            let link = &layout.links()[index];
            if read(&link.path)?.is_some_and(|bytes| bytes.as_slice() == release.bytes(link.piece))
            {
                self.states[index] = PathState::Identical;
            }
        }
        Ok(())
    }

    /// Marks a working certificate next to the shown one: its files are the same, or they are
    /// restored when the install fails. Two files are accepted only with the same key; otherwise
    /// certificate and key would not match while one of them is replaced.
    fn mark_own(
        &mut self,
        layout: &LineageLayout,
        indices: &[usize],
        own: &Release,
        shown: &ShownCertificate,
    ) -> Result<(), FileError> {
        if indices.len() > 1 && own.leaf().key_id != shown.release.leaf().key_id {
            let links = layout.links();
            self.obstacles.push(PathObstacle::OtherCertificate(
                links[indices[0]].path.clone(),
                links[shown.first_link].path.clone(),
            ));
            return Ok(());
        }
        self.mark_identical(layout, indices, &shown.release)?;
        for index in self.plain_files(indices) {
            self.states[index] = PathState::OtherCertificate;
        }
        Ok(())
    }
}

fn leaf_of(release: Option<&Release>) -> Option<Certificate> {
    release.map(|release| release.leaf().clone())
}

fn judge_files(
    layout: &LineageLayout,
    indices: &[usize],
    loads: LoadEvidence,
) -> Result<PlainFilesVerdict, FileError> {
    let Some(bytes) = read_certificate(layout, indices)? else {
        return Ok(PlainFilesVerdict::Partial);
    };
    let access = replaced_key_access(layout, indices)?;
    let release = match bytes {
        CertificateBytes::Combined(combined) => Release::take_over_combined(combined, access),
        CertificateBytes::ChainAlone(chain) => Release::take_over_chain(chain),
        CertificateBytes::Separate { chain, key } => {
            release_from_two_files(chain, key, access, loads).map(|release| {
                release.with_extra_files(&layout.extra_files(), CombinedOrder::CertificatesFirst)
            })
        }
    };
    Ok(match release {
        Ok(release) => {
            PlainFilesVerdict::Whole(Box::new(disk::choose_release_name(layout, release)?))
        }
        Err(UnloadableReason::Locked) => PlainFilesVerdict::Partial,
        Err(error) => PlainFilesVerdict::Broken(error.to_string()),
    })
}

/// Who may read the plain key file among the links `indices`.
fn replaced_key_access(layout: &LineageLayout, indices: &[usize]) -> Result<KeyAccess, FileError> {
    let secret = indices
        .iter()
        .map(|&index| &layout.links()[index])
        .find(|link| link.piece.is_secret());
    match secret.map(plain_file).transpose()?.flatten() {
        Some((path, status)) => Ok(inherited(layout, path, &status)?.0),
        None => Ok(KeyAccess::default()),
    }
}

/// Makes a release of chain and key. Files that certctl cannot parse are accepted if a server has
/// loaded them.
fn release_from_two_files(
    chain: Zeroizing<Vec<u8>>,
    key: Zeroizing<Vec<u8>>,
    access: KeyAccess,
    loads: LoadEvidence,
) -> Result<Release, UnloadableReason> {
    match Release::take_over(chain.clone(), key.clone(), access) {
        Err(why) if loads == LoadEvidence::Tested => {
            Release::take_over_opaque(chain, key, access).ok_or(why)
        }
        judged => judged,
    }
}

/// Checks what exists at a deployed path.
///
/// # Errors
/// When its status cannot be read.
pub(crate) fn check_path(
    layout: &LineageLayout,
    link: &StableLink,
) -> Result<PathContent, FileError> {
    let path = &link.path;
    let Some(status) = folders::read_status(path)? else {
        return Ok(PathContent::Replaceable(PathState::Absent));
    };
    Ok(match status.kind {
        FileKind::File => PathContent::Replaceable(plain_state(layout, link)?),
        FileKind::Folder => PathContent::Obstacle(PathObstacle::Folder(path.clone())),
        FileKind::Other => PathContent::Obstacle(PathObstacle::NotRegular(path.clone())),
        FileKind::Link(text) => {
            let live_file = layout
                .pointer(ReleasePointer::Live)
                .join(link.piece.file_name());
            let target = files::parent(path).join(&text);
            if text == layout.link_text(link) || folders::normalize(&target) == live_file {
                PathContent::Replaceable(PathState::OurLink)
            } else {
                PathContent::Obstacle(foreign_link(layout, path, &target, text))
            }
        }
    })
}

/// A link that is not one of this certificate.
fn foreign_link(layout: &LineageLayout, path: &Path, target: &Path, text: PathBuf) -> PathObstacle {
    let path = path.to_owned();
    match find_owner(layout, target) {
        Some(owner) => PathObstacle::OtherLineage {
            path,
            target: text,
            owner,
        },
        None => PathObstacle::Link(path, text),
    }
}

/// Returns the certificate in whose folder `target` is, if it is another one.
fn find_owner(layout: &LineageLayout, target: &Path) -> Option<String> {
    let target = folders::normalize(target);
    let inside = target.strip_prefix(layout.base()).ok()?;
    let owner = inside.iter().next()?.to_str()?;
    if owner == layout.stem() || !is_safe_name(owner) {
        return None;
    }
    Some(owner.to_owned())
}

/// What a plain file at a deployed path is.
fn plain_state(layout: &LineageLayout, link: &StableLink) -> Result<PathState, FileError> {
    if layout.deploy_mode() == DeployMode::Link {
        return Ok(PathState::File);
    }
    Ok(match copies::compare(layout, link)? {
        CopyState::Live => PathState::OurCopy,
        CopyState::OtherAccess | CopyState::Proven => PathState::OutdatedCopy,
        CopyState::Other => PathState::File,
    })
}

fn plain_file(link: &StableLink) -> Result<Option<(&Path, FileStatus)>, FileError> {
    let status = on_disk::read_status(&link.path)?.filter(|status| status.kind == FileKind::File);
    Ok(status.map(|status| (link.path.as_path(), status)))
}

/// The plain key file whose owner and mode are inherited, and the doubts about them.
pub(crate) type InheritanceDoubts<'a> = (&'a Path, Vec<InheritanceDoubt>);

/// Who may read the new key: the readers of the plain file that it replaces, else those in the
/// settings, else only the user who runs certctl. Also returns the doubts about that file.
///
/// # Errors
/// When the status of the path cannot be read.
pub(crate) fn read_key_access<'a>(
    layout: &'a LineageLayout,
    settings: &LineageSettings,
) -> Result<(KeyAccess, InheritanceDoubts<'a>), FileError> {
    for link in layout.links().iter().filter(|link| link.piece.is_secret()) {
        if let Some((path, status)) = plain_file(link)? {
            let (access, doubts) = inherited(layout, path, &status)?;
            return Ok((access, (path, doubts)));
        }
    }
    Ok((
        settings.key_access().unwrap_or_default(),
        // Without a key there are no doubts about it.
        (
            layout.key_path().unwrap_or_else(|| layout.chain_path()),
            Vec::new(),
        ),
    ))
}

/// Takes the readers of a key from its mode, owner and the folders above it inside the tree.
fn inherited(
    layout: &LineageLayout,
    path: &Path,
    key: &FileStatus,
) -> Result<(KeyAccess, Vec<InheritanceDoubt>), FileError> {
    let above = on_disk::read_folders_above(layout, path)?;
    Ok(inherit::inherit_access(
        on_disk::file_access(key),
        &above,
        folders::current_user(),
    ))
}
