//! Decides what a site changes on disk: one file, and on Debian the link that enables it.

use std::path::{Path, PathBuf};

use super::diff;
use super::managed_file::FileOrigin;

/// Where the file of a site is, and what is there now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ObservedSite {
    /// The file with the block.
    pub file: PathBuf,
    /// The content of the file; `None` if it does not exist.
    pub text: Option<String>,
    /// The link that enables the site; `None` where the server reads the file itself.
    pub link: Option<SiteLink>,
}

/// The link that enables a site.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SiteLink {
    pub path: PathBuf,
    pub state: SiteLinkState,
}

/// What exists at the path of the link.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SiteLinkState {
    Absent,
    /// It leads to the file of the site.
    Present,
    /// Something else.
    Taken,
}

/// Why the files of a site are not written or removed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum SiteObstacle {
    /// Somebody has edited the file that certctl wrote; the lines are the difference to what certctl
    /// would write.
    Edited {
        file: PathBuf,
        difference: Vec<String>,
    },
    /// Somebody has edited the lines that certctl added to this file.
    AdoptedEdited(PathBuf),
    /// Something that certctl did not write is at the path of the file or of its link.
    Taken(PathBuf),
}

/// What changes on disk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SiteChange {
    /// The file with the block.
    pub file: PathBuf,
    /// The content before; `None` if the file does not exist.
    pub before: Option<String>,
    /// The content afterwards; `None` if the file is removed.
    pub after: Option<String>,
    /// The link, with its state before.
    pub link: Option<SiteLink>,
    /// What a rollback restores.
    pub previous: PreviousFile,
}

/// A file of a site as it was before a change, or before the first run of one that was not finished.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct PreviousFile {
    /// `None` if the file did not exist.
    pub text: Option<String>,
    /// Whether the link existed.
    pub is_enabled: bool,
}

impl ObservedSite {
    /// Decides what to change so that the file has this content; `None` removes it.
    ///
    /// # Errors
    /// What prevents it.
    pub(crate) fn decide(&self, after: Option<&str>) -> Result<SiteChange, SiteObstacle> {
        let origin = self.text.as_deref().map(FileOrigin::of);
        match origin {
            Some(FileOrigin::Foreign) => return Err(SiteObstacle::Taken(self.file.clone())),
            Some(FileOrigin::Edited) => {
                return Err(SiteObstacle::Edited {
                    file: self.file.clone(),
                    difference: diff::unified(&self.file, self.text.as_deref(), after),
                });
            }
            Some(FileOrigin::Certctl) | None => {}
        }
        if let Some(link) = &self.link
            && link.state == SiteLinkState::Taken
        {
            return Err(SiteObstacle::Taken(link.path.clone()));
        }
        Ok(SiteChange {
            file: self.file.clone(),
            before: self.text.clone(),
            after: after.map(str::to_owned),
            link: self.link.clone(),
            previous: PreviousFile {
                text: self.text.clone(),
                is_enabled: self.is_enabled(),
            },
        })
    }

    fn is_enabled(&self) -> bool {
        let link = self.link.as_ref();
        link.is_some_and(|link| link.state == SiteLinkState::Present)
    }

    /// Whether a block at this path of the configuration is one that certctl wrote.
    #[must_use]
    pub(crate) fn is_own(&self, path: &Path) -> bool {
        let origin = self.text.as_deref().map(FileOrigin::of);
        if origin == Some(FileOrigin::Foreign) {
            return false;
        }
        let is_link = self.link.as_ref().is_some_and(|link| link.path == path);
        is_link || self.file == path
    }
}

impl SiteChange {
    /// Creates the change of a file that exists and has no link.
    #[must_use]
    pub(crate) fn of_file(file: PathBuf, before: Option<String>, after: String) -> Self {
        Self {
            file,
            previous: PreviousFile {
                text: before.clone(),
                is_enabled: false,
            },
            before,
            after: Some(after),
            link: None,
        }
    }

    /// Whether anything on disk differs.
    #[must_use]
    pub(crate) fn is_needed(&self) -> bool {
        self.before != self.after || self.changes_link()
    }

    /// Whether the link is created or removed.
    #[must_use]
    pub(crate) fn changes_link(&self) -> bool {
        let unwanted = match self.after {
            Some(_) => SiteLinkState::Absent,
            None => SiteLinkState::Present,
        };
        self.link
            .as_ref()
            .is_some_and(|link| link.state == unwanted)
    }

    /// Returns the difference as lines of a unified diff.
    #[must_use]
    pub(crate) fn difference(&self) -> Vec<String> {
        diff::unified(&self.file, self.before.as_deref(), self.after.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{ObservedSite, SiteLink, SiteLinkState, SiteObstacle};
    use crate::site::managed_file::seal;

    fn observed(text: Option<&str>, state: SiteLinkState) -> ObservedSite {
        ObservedSite {
            file: PathBuf::from("/available/a"),
            text: text.map(str::to_owned),
            link: Some(SiteLink {
                path: PathBuf::from("/enabled/a"),
                state,
            }),
        }
    }

    #[test]
    fn only_differences_are_written() {
        use SiteLinkState::{Absent, Present};
        let old = seal("old\n");
        let new = seal("new\n");
        for (text, state, after, needed, link) in [
            (None, Absent, Some(&new), true, true),
            (Some(&old), Present, Some(&new), true, false),
            (Some(&new), Present, Some(&new), false, false),
            (Some(&new), Absent, Some(&new), true, true),
            (Some(&new), Present, None, true, true),
            (None, Absent, None, false, false),
            (None, Present, None, true, true),
        ] {
            let site = observed(text.map(String::as_str), state);
            let change = site.decide(after.map(String::as_str)).unwrap();
            assert_eq!(change.is_needed(), needed, "{change:?}");
            assert_eq!(change.changes_link(), link, "{change:?}");
        }
    }

    #[test]
    fn what_others_wrote_is_an_obstacle() {
        let new = seal("new\n");
        let foreign = observed(Some("server { }"), SiteLinkState::Present);
        let taken = SiteObstacle::Taken(PathBuf::from("/available/a"));
        assert_eq!(foreign.decide(Some(&new)), Err(taken.clone()));
        assert_eq!(foreign.decide(None), Err(taken));

        let link = observed(None, SiteLinkState::Taken);
        let taken = SiteObstacle::Taken(PathBuf::from("/enabled/a"));
        assert_eq!(link.decide(Some(&new)), Err(taken));
        assert!(link.is_own(Path::new("/enabled/a")) && !link.is_own(Path::new("/enabled/b")));

        let edited = observed(Some(&(seal("old\n") + "more\n")), SiteLinkState::Present);
        let Err(SiteObstacle::Edited { difference, .. }) = edited.decide(Some(&new)) else {
            panic!("an edited file would be overwritten");
        };
        assert!(difference.contains(&"-more".to_owned()), "{difference:?}");
    }
}
