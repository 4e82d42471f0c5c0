//! The steps of a plan, in words.

use std::fmt;

use super::step::{InstallPlan, PlanStep};
use crate::store::layout::{ReleaseId, kept_name};
use crate::wording::joined_with_and;

impl InstallPlan {
    /// Describes one of its steps. Where copies are deployed, no server reads `live`.
    #[must_use]
    pub(crate) fn describe(&self, step: &PlanStep) -> String {
        let has_copies = self
            .steps
            .iter()
            .any(|step| matches!(step, PlanStep::Copy { .. }));
        match step {
            PlanStep::Switch { from, to } if has_copies && self.start.links.is_empty() => format!(
                "record version {to} as the installed one (before: {})",
                name_or_none(from.as_ref())
            ),
            _ => step.to_string(),
        }
    }
}

impl fmt::Display for PlanStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BackUp { path } => write!(f, "keep a numbered backup of {}", path.display()),
            Self::Copy { release, files } => {
                let paths: Vec<String> = files
                    .iter()
                    .map(|file| file.path.display().to_string())
                    .collect();
                write!(
                    f,
                    "replace {} with copies of version {release}, one rename after the other",
                    joined_with_and(&paths)
                )
            }
            Self::RemoveCopy { path } => write!(f, "remove the copy {}", path.display()),
            Self::Keep { path } => {
                write!(f, "keep {} until the install has succeeded", path.display())
            }
            Self::Link { path, text } => write!(
                f,
                "create the link {} -> {}",
                path.display(),
                text.display()
            ),
            Self::MarkProven { from, to } => {
                write!(
                    f,
                    "mark version {to} as verified (before: {})",
                    name_or_none(from.as_ref())
                )
            }
            Self::Prove { release, at } => {
                write!(f, "verify that {} serves version {release}", at.join(", "))
            }
            Self::Prune => {
                f.write_str("delete versions that are no longer needed (the 3 newest stay)")
            }
            Self::Record { release, .. } => write!(f, "add version {release} to the history"),
            Self::Reload { command, .. } => write!(f, "reload the server: `{command}`"),
            Self::Remember { path } => write!(f, "save the options in {}", path.display()),
            Self::Restore { path, backup } if *backup == kept_name(path) => {
                write!(f, "restore the previous file {}", path.display())
            }
            Self::Restore { path, backup } => {
                write!(f, "restore {} from {}", path.display(), backup.display())
            }
            Self::RunHook { command } => {
                write!(f, "run `{command}`, once everything is verified")
            }
            Self::Switch { from, to } => {
                write!(
                    f,
                    "switch servers to version {to}, chain and key in one rename (before: {})",
                    name_or_none(from.as_ref())
                )
            }
            Self::TakeOver { release } => {
                write!(f, "copy the existing files as version {release}")
            }
            Self::TestServer { command, .. } => write!(f, "test the server: `{command}`"),
            Self::Unlink { path } => write!(f, "remove the link {}", path.display()),
            Self::Unpoint { pointer } => write!(f, "remove the link {}", pointer.name()),
            Self::WriteRelease { release, pieces } => {
                let mut names = Vec::new();
                for piece in pieces {
                    names.push(piece.file_name());
                }
                write!(f, "write version {release}: {}", names.join(", "))
            }
        }
    }
}

fn name_or_none(release: Option<&ReleaseId>) -> String {
    match release {
        Some(release) => release.to_string(),
        None => "none".to_owned(),
    }
}
