//! The steps of a plan in words.

use std::fmt;

use super::step::PlanStep;
use crate::store::layout::ReleaseId;

impl fmt::Display for PlanStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BackUp { path } => write!(f, "keep {} as a numbered backup", path.display()),
            Self::Link { path, text } => write!(f, "link {} -> {}", path.display(), text.display()),
            Self::MarkProven { from, to } => {
                write!(
                    f,
                    "mark {to} as proven (before: {})",
                    name_or_nothing(from.as_ref())
                )
            }
            Self::Prove { release, at } => write!(f, "ask {} for {release}", at.join(", ")),
            Self::Prune => f.write_str("drop releases that nothing needs (the 3 newest stay)"),
            Self::Record { release, .. } => write!(f, "note {release} in the history"),
            Self::Reload { command, .. } => write!(f, "reload: {command}"),
            Self::Remember { path } => write!(f, "write {}", path.display()),
            Self::Restore { path, backup } => {
                write!(f, "put {} back as {}", backup.display(), path.display())
            }
            Self::Switch { from, to } => {
                write!(
                    f,
                    "switch key and chain together, in one rename: {} -> {to}",
                    name_or_nothing(from.as_ref())
                )
            }
            Self::TakeOver { release } => {
                write!(f, "take over the files that are there as {release}")
            }
            Self::TestServer { command, .. } => write!(f, "test: {command}"),
            Self::Unlink { path } => write!(f, "remove the link {}", path.display()),
            Self::Unpoint { pointer } => write!(f, "remove the link {}", pointer.name()),
            Self::WriteRelease { release, pieces } => {
                let names: Vec<&str> = pieces.iter().map(|piece| piece.file_name()).collect();
                write!(f, "write {release}: {}", names.join(", "))
            }
        }
    }
}

fn name_or_nothing(release: Option<&ReleaseId>) -> String {
    match release {
        Some(release) => release.to_string(),
        None => "nothing".to_owned(),
    }
}
