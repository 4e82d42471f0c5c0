//! The steps of a removal: every link becomes a plain file with the same content, then the
//! certificate's folder is deleted. Pure. Each step can be repeated after a crash, and servers read
//! the same content before and after it.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::install_plan::plan::PathState;
use crate::store::layout::{LineageLayout, ReleaseFile, ReleaseId, StableLink};

#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub(crate) enum ForgetStep {
    /// Deletes the certificate's folder with all of its releases: renames it first, then deletes its
    /// content.
    Discard {
        #[serde(serialize_with = "shown")]
        folder: PathBuf,
    },
    /// Replaces certctl's link with a plain file, in one rename.
    Settle {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
        piece: ReleaseFile,
    },
}

/// Serializes a path as text, lossily where it is not UTF-8.
fn shown<S: Serializer>(path: &Path, document: S) -> Result<S::Ok, S::Error> {
    document.collect_str(&path.display())
}

impl std::fmt::Display for ForgetStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Discard { folder } => {
                write!(f, "delete {} and everything in it", folder.display())
            }
            Self::Settle { path, .. } => {
                write!(
                    f,
                    "replace the link {} with a copy of the file",
                    path.display()
                )
            }
        }
    }
}

/// What to do with a certificate that was never verified live.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NeverProven {
    Refused,
    /// `--force`
    Removed,
}

/// The observed state that decides a removal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ForgetObservation {
    /// Where `live` points.
    pub live: Option<ReleaseId>,
    /// Where `proven` points.
    pub proven: Option<ReleaseId>,
    /// What to do with a certificate that was never verified live.
    pub never_proven: NeverProven,
    /// The state of each of the layout's links, in their order; `None` where it is not certctl's.
    pub path_states: Vec<Option<PathState>>,
    /// The files that the live release has.
    pub pieces: Vec<ReleaseFile>,
    /// The files in the certificate's folder that server configurations reference, directly or
    /// through links: block and path.
    pub named_files: Vec<(String, PathBuf)>,
    /// The files in the certificate's folder that certctl did not create.
    pub foreign_files: Vec<PathBuf>,
}

/// Why a removal is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ForgetRefusal {
    /// The last install was not finished.
    #[error("the last install of {0} is not finished, so the certificate was not verified")]
    NotProven(String),
    /// A server's configuration references a file in the folder itself.
    #[error("{block} references {}, which would be deleted with certctl's folder", path.display())]
    StillNamed {
        /// `FILE:LINE`.
        block: String,
        path: PathBuf,
    },
    /// One of certctl's links is dangling.
    #[error("{} is a dangling link: its target does not exist", .0.display())]
    DanglingLink(PathBuf),
    /// The folder has files that certctl did not create.
    #[error("{} was not created by certctl, and would be deleted with the folder", .0.display())]
    ForeignFile(PathBuf),
}

/// Plans the steps, in their order.
///
/// # Errors
/// Every reason to refuse the removal.
pub(crate) fn plan(
    observation: &ForgetObservation,
    layout: &LineageLayout,
) -> Result<Vec<ForgetStep>, Vec<ForgetRefusal>> {
    let our_links: Vec<&StableLink> = layout
        .links()
        .iter()
        .zip(&observation.path_states)
        .filter(|(_, path_state)| **path_state == Some(PathState::OurLink))
        .map(|(link, _)| link)
        .collect();
    let refusals = find_refusals(observation, layout, &our_links);
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let mut steps: Vec<ForgetStep> = our_links
        .into_iter()
        .map(|link| ForgetStep::Settle {
            path: link.path.clone(),
            piece: link.piece,
        })
        .collect();
    steps.push(ForgetStep::Discard {
        folder: layout.folder(),
    });
    Ok(steps)
}

fn find_refusals(
    observation: &ForgetObservation,
    layout: &LineageLayout,
    our_links: &[&StableLink],
) -> Vec<ForgetRefusal> {
    let foreign_files = observation.foreign_files.iter().cloned();
    let mut refusals: Vec<ForgetRefusal> = foreign_files.map(ForgetRefusal::ForeignFile).collect();
    for (block, path) in observation.named_files.iter().cloned() {
        refusals.push(ForgetRefusal::StillNamed { block, path });
    }
    let is_unfinished = observation.live.is_none() || observation.live != observation.proven;
    let is_forced =
        observation.proven.is_none() && observation.never_proven == NeverProven::Removed;
    if is_unfinished && !is_forced {
        refusals.push(ForgetRefusal::NotProven(layout.stem().to_owned()));
    }
    for link in our_links {
        let is_live = observation.live.is_some();
        let is_dangling = !is_live || !observation.pieces.contains(&link.piece);
        if is_dangling && (is_live || is_forced) {
            refusals.push(ForgetRefusal::DanglingLink(link.path.clone()));
        }
    }
    refusals
}

#[cfg(test)]
mod tests {
    use super::{
        ForgetObservation, ForgetRefusal, ForgetStep, LineageLayout, NeverProven, PathState,
        ReleaseFile, ReleaseId, plan,
    };

    fn layout() -> LineageLayout {
        LineageLayout::new(None, "a", "/c".into(), "/k".into())
    }

    fn observation(path_states: [Option<PathState>; 2]) -> ForgetObservation {
        ForgetObservation {
            live: ReleaseId::parse("aaaaaaaa"),
            proven: ReleaseId::parse("aaaaaaaa"),
            never_proven: NeverProven::Refused,
            path_states: path_states.to_vec(),
            pieces: vec![ReleaseFile::FullChain, ReleaseFile::Key],
            named_files: Vec::new(),
            foreign_files: Vec::new(),
        }
    }

    fn settle(path: &str, piece: ReleaseFile) -> ForgetStep {
        ForgetStep::Settle {
            path: path.into(),
            piece,
        }
    }

    #[test]
    fn links_become_files_before_the_folder_is_removed() {
        let discard = ForgetStep::Discard {
            folder: "/etc/ssl/certctl/a".into(),
        };
        for (path_states, steps) in [
            (
                [Some(PathState::OurLink); 2],
                vec![
                    settle("/c", ReleaseFile::FullChain),
                    settle("/k", ReleaseFile::Key),
                    discard.clone(),
                ],
            ),
            (
                [Some(PathState::File), Some(PathState::OurLink)],
                vec![settle("/k", ReleaseFile::Key), discard.clone()],
            ),
            ([Some(PathState::File); 2], vec![discard.clone()]),
            ([Some(PathState::Absent), None], vec![discard]),
        ] {
            let planned = plan(&observation(path_states), &layout());
            assert_eq!(planned, Ok(steps), "{path_states:?}");
        }
    }

    #[test]
    fn only_what_was_never_proven_is_removed_by_force() {
        let forced = |live: &str, proven: &str| {
            let observation = ForgetObservation {
                live: ReleaseId::parse(live),
                proven: ReleaseId::parse(proven),
                never_proven: NeverProven::Removed,
                ..observation([Some(PathState::OurLink); 2])
            };
            plan(&observation, &layout()).map(|steps| steps.len())
        };
        assert_eq!(forced("aaaaaaaa", "none"), Ok(3));
        let unfinished = Err(vec![ForgetRefusal::NotProven("a".into())]);
        assert_eq!(forced("aaaaaaaa", "bbbbbbbb"), unfinished);
        let dangling = ["/c", "/k"].map(|path| ForgetRefusal::DanglingLink(path.into()));
        assert_eq!(forced("none", "none"), Err(dangling.to_vec()));
    }

    #[test]
    fn unproven_releases_are_not_removed() {
        for (live, proven) in [
            ("aaaaaaaa", "bbbbbbbb"),
            ("aaaaaaaa", "none"),
            ("none", "none"),
        ] {
            let observation = ForgetObservation {
                live: ReleaseId::parse(live),
                proven: ReleaseId::parse(proven),
                ..observation([Some(PathState::OurLink); 2])
            };
            assert_eq!(
                plan(&observation, &layout()),
                Err(vec![ForgetRefusal::NotProven("a".into())]),
                "{live} {proven}"
            );
        }
    }

    #[test]
    fn folders_that_are_in_use_are_not_removed() {
        let ours = observation([Some(PathState::OurLink); 2]);
        for (observation, refusal) in [
            (
                ForgetObservation {
                    pieces: vec![ReleaseFile::FullChain],
                    ..ours.clone()
                },
                ForgetRefusal::DanglingLink("/k".into()),
            ),
            (
                ForgetObservation {
                    named_files: vec![("a.conf:1".into(), "/x".into())],
                    ..ours.clone()
                },
                ForgetRefusal::StillNamed {
                    block: "a.conf:1".into(),
                    path: "/x".into(),
                },
            ),
            (
                ForgetObservation {
                    foreign_files: vec!["/x".into()],
                    ..ours
                },
                ForgetRefusal::ForeignFile("/x".into()),
            ),
        ] {
            assert_eq!(plan(&observation, &layout()), Err(vec![refusal]));
        }
    }
}
