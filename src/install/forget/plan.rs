//! The steps of a removal: every link becomes a plain file with the same bytes, then the
//! certificate's folder is removed. Pure. Each step can be repeated after a crash, and servers read
//! the same bytes before and after it.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::install_plan::plan::PathState;
use crate::store::layout::{LineageLayout, ReleaseFile, ReleaseId, StableLink};

#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub(crate) enum ForgetStep {
    /// Removes the certificate's folder with all of its releases: first its name, then its content.
    Discard {
        #[serde(serialize_with = "shown")]
        folder: PathBuf,
    },
    /// Replaces our link by a plain file, in one rename.
    Settle {
        #[serde(serialize_with = "shown")]
        path: PathBuf,
        piece: ReleaseFile,
    },
}

/// A path in JSON, which has text only.
fn shown<S: Serializer>(path: &Path, document: S) -> Result<S::Ok, S::Error> {
    document.collect_str(&path.display())
}

impl std::fmt::Display for ForgetStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Discard { folder } => write!(f, "remove {} and what is in it", folder.display()),
            Self::Settle { path, .. } => {
                write!(f, "make {} a plain file with what it shows", path.display())
            }
        }
    }
}

/// What a removal is decided by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ForgetObservation {
    /// Where `live` points.
    pub live: Option<ReleaseId>,
    /// Where `proven` points.
    pub proven: Option<ReleaseId>,
    /// What is at each of the layout's links, in their order; none where it is not certctl's.
    pub spots: Vec<Option<PathState>>,
    /// The pieces that the live release has.
    pub pieces: Vec<ReleaseFile>,
    /// The files in the certificate's folder that servers' configurations name, also through links
    /// into it: block and path.
    pub named: Vec<(String, PathBuf)>,
    /// The files in the certificate's folder that certctl did not make.
    pub strange: Vec<PathBuf>,
}

/// Why nothing may be removed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum ForgetRefusal {
    /// The last install was not finished.
    #[error("{0} is not proven yet: its last install did not end well")]
    NotProven(String),
    /// A server's configuration names a file in the folder itself: where, and the file.
    #[error("{block} names {}, which would go with the folder", path.display())]
    Named {
        /// Where: `FILE:LINE`.
        block: String,
        path: PathBuf,
    },
    /// A link of ours leads to no file.
    #[error("{} shows nothing: the file that it leads to is not there", .0.display())]
    ShowsNothing(PathBuf),
    /// The folder has files that certctl did not make.
    #[error("{} is not certctl's, and would go with the folder", .0.display())]
    Strange(PathBuf),
}

/// Plans the steps, in their order.
///
/// # Errors
/// Everything that forbids it.
pub(crate) fn plan(
    observation: &ForgetObservation,
    layout: &LineageLayout,
) -> Result<Vec<ForgetStep>, Vec<ForgetRefusal>> {
    let our_links: Vec<&StableLink> = layout
        .links()
        .iter()
        .zip(&observation.spots)
        .filter(|(_, path_state)| **path_state == Some(PathState::Ours))
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
    let strange = observation.strange.iter().cloned();
    let mut refusals: Vec<ForgetRefusal> = strange.map(ForgetRefusal::Strange).collect();
    for (block, path) in observation.named.iter().cloned() {
        refusals.push(ForgetRefusal::Named { block, path });
    }
    if observation.live.is_none() || observation.live != observation.proven {
        refusals.push(ForgetRefusal::NotProven(layout.stem().to_owned()));
    }
    for link in our_links {
        if observation.live.is_some() && !observation.pieces.contains(&link.piece) {
            refusals.push(ForgetRefusal::ShowsNothing(link.path.clone()));
        }
    }
    refusals
}

#[cfg(test)]
mod tests {
    use super::{
        ForgetObservation, ForgetRefusal, ForgetStep, LineageLayout, PathState, ReleaseFile,
        ReleaseId, plan,
    };

    #[test]
    fn links_become_files_before_the_folder_goes() {
        let layout = LineageLayout::new(None, "a", "/c".into(), "/k".into());
        let id = |text| ReleaseId::parse(text);
        let standing = |spots: [Option<PathState>; 2]| ForgetObservation {
            live: id("aaaaaaaa"),
            proven: id("aaaaaaaa"),
            spots: spots.to_vec(),
            pieces: vec![ReleaseFile::FullChain, ReleaseFile::Key],
            named: Vec::new(),
            strange: Vec::new(),
        };
        let settle = |path: &str, piece| ForgetStep::Settle {
            path: path.into(),
            piece,
        };
        let discard = ForgetStep::Discard {
            folder: "/etc/ssl/certctl/a".into(),
        };
        for (spots, steps) in [
            (
                [Some(PathState::Ours); 2],
                vec![
                    settle("/c", ReleaseFile::FullChain),
                    settle("/k", ReleaseFile::Key),
                    discard.clone(),
                ],
            ),
            (
                [Some(PathState::File), Some(PathState::Ours)],
                vec![settle("/k", ReleaseFile::Key), discard.clone()],
            ),
            ([Some(PathState::File); 2], vec![discard.clone()]),
            ([Some(PathState::Absent), None], vec![discard]),
        ] {
            assert_eq!(plan(&standing(spots), &layout), Ok(steps), "{spots:?}");
        }
        let both = standing([Some(PathState::Ours); 2]);
        for (refused, why) in [
            (
                ForgetObservation {
                    proven: id("bbbbbbbb"),
                    ..both.clone()
                },
                ForgetRefusal::NotProven("a".into()),
            ),
            (
                ForgetObservation {
                    proven: None,
                    ..both.clone()
                },
                ForgetRefusal::NotProven("a".into()),
            ),
            (
                ForgetObservation {
                    live: None,
                    proven: None,
                    ..both.clone()
                },
                ForgetRefusal::NotProven("a".into()),
            ),
            (
                ForgetObservation {
                    pieces: vec![ReleaseFile::FullChain],
                    ..both.clone()
                },
                ForgetRefusal::ShowsNothing("/k".into()),
            ),
            (
                ForgetObservation {
                    named: vec![("a.conf:1".into(), "/x".into())],
                    ..both.clone()
                },
                ForgetRefusal::Named {
                    block: "a.conf:1".into(),
                    path: "/x".into(),
                },
            ),
            (
                ForgetObservation {
                    strange: vec!["/x".into()],
                    ..both
                },
                ForgetRefusal::Strange("/x".into()),
            ),
        ] {
            assert_eq!(plan(&refused, &layout), Err(vec![why]));
        }
    }
}
