//! One pair of a run: its steps, done.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::{InstallError, Trouble};
use crate::install_plan::apply::prove::Asked;
use crate::install_plan::plan::{Kept, Step, together};
use crate::pki::certificate::Certificate;
use crate::probe::ProbeTarget;
use crate::store::disk::{self, Staged};
use crate::store::layout::{
    FOLDER_MODE, Layout, Link, PRIVATE_FOLDER_MODE, PUBLIC_MODE, Piece, Pointer, ReleaseId,
    pointer_text,
};
use crate::store::release::Release;
use crate::store::settings::{SETTINGS_LIMIT, Settings};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders::{self, Backup};
use crate::webserver::control::Server;
use crate::webserver::model::Software;

/// What is needed to run the plan of one pair.
#[derive(Debug)]
pub(crate) struct Hand<'a> {
    pub layout: &'a Layout,
    /// The release that the plan is for.
    pub wanted: &'a Release,
    /// It, built; none when it is there already.
    pub staged: Option<Staged>,
    /// The pair that is taken over, where there is one.
    pub taken: Option<&'a Release>,
    /// What is tested and reloaded; none for commands that were given.
    pub servers: Vec<(Option<Software>, &'a Server)>,
    /// Its paths as a server's configuration spells them, by which a complaint is known to be about
    /// it.
    pub paths: Vec<PathBuf>,
    /// Whom to ask for what.
    pub targets: &'a [ProbeTarget],
    pub settings: Settings,
    /// What was remembered before.
    pub settings_before: Settings,
    /// Whom the way back demands to be served by the files before: who was before, where that was
    /// asked.
    pub demanded: Vec<ProbeTarget>,
}

impl Hand<'_> {
    /// The server that a question is for.
    pub(crate) fn server(&self, question: &Step) -> Option<&Server> {
        let (Step::TestServer { server, .. } | Step::Reload { server, .. }) = question else {
            return None;
        };
        self.servers
            .iter()
            .find(|(software, _)| software == server)
            .map(|(_, server)| *server)
    }

    /// The certificates of a release.
    pub(crate) fn certificates(&self, id: &ReleaseId) -> Result<Vec<Certificate>, FileError> {
        match [Some(self.wanted), self.taken]
            .into_iter()
            .flatten()
            .find(|release| release.id == *id)
        {
            Some(release) => Ok(release.certificates.clone()),
            None => Ok(disk::load(self.layout, id)?
                .map(|release| release.certificates)
                .unwrap_or_default()),
        }
    }

    /// Whom to ask for this release.
    pub(crate) fn asked(&self, pair: usize, id: &ReleaseId) -> Result<Asked, FileError> {
        let targets = if *id == self.wanted.id {
            self.targets.to_vec()
        } else {
            self.demanded.clone()
        };
        Ok(Asked {
            pair,
            targets,
            certificates: self.certificates(id)?,
            probes: Vec::new(),
        })
    }

    /// Does a step that is this pair's alone, before those that come `after`; says what it kept.
    /// The folders of backups and links are flushed by whoever calls.
    pub(crate) fn change<'s>(
        &mut self,
        step: &Step,
        after: impl Iterator<Item = &'s Step>,
        now: Timestamp,
    ) -> Result<Option<Kept>, Trouble> {
        let layout = self.layout;
        match step {
            Step::BackUp { path } => {
                let backup = folders::back_up_beside(path, called(layout, path))?;
                return Ok(Some(Kept {
                    path: path.clone(),
                    backup,
                }));
            }
            Step::Link { path, text } => self.link(path, text)?,
            Step::MarkProven { to, .. } => {
                folders::place(&layout.pointer(Pointer::Proven), &pointer_text(to))?
            }
            Step::Prune => self.prune()?,
            Step::Record { release, before } => self.record(release, before.as_ref(), now)?,
            Step::Remember { .. } => self.remember()?,
            Step::Restore { path, backup } => folders::restore(path, backup)?,
            Step::Switch { to, .. } => {
                folders::place(&layout.pointer(Pointer::Live), &pointer_text(to))?
            }
            Step::TakeOver { .. } => {
                if let Some(taken) = self.taken {
                    disk::stage(layout, taken)?.publish(layout, taken)?;
                }
            }
            Step::Unlink { path } => folders::unlink(path)?,
            Step::Unpoint { pointer } => folders::remove(&layout.pointer(*pointer))?,
            Step::WriteRelease { .. } => {
                let staged = match self.staged.take() {
                    Some(staged) => staged,
                    None => disk::stage(layout, self.wanted)?,
                };
                staged.publish(layout, self.wanted)?;
            }
            // Questions are asked for all pairs at once.
            Step::Prove { .. } | Step::Reload { .. } | Step::TestServer { .. } => {}
        }
        let unflushed = matches!(
            step,
            Step::MarkProven { .. }
                | Step::Record { .. }
                | Step::Remember { .. }
                | Step::Switch { .. }
        );
        if unflushed && !together(step, after) {
            files::sync_folder(&layout.folder())?;
        }
        Ok(None)
    }

    fn link(&self, path: &Path, text: &Path) -> Result<(), FileError> {
        let secret = self
            .layout
            .links()
            .iter()
            .any(|link| link.path == path && link.piece.is_secret());
        let mode = if secret {
            PRIVATE_FOLDER_MODE
        } else {
            FOLDER_MODE
        };
        folders::within(files::parent(path), mode, || folders::place(path, text))
    }

    /// The folder is flushed by whoever calls.
    fn remember(&self) -> Result<(), InstallError> {
        let path = self.layout.settings();
        let text = self
            .settings
            .to_json()
            .map_err(|source| InstallError::Settings {
                path: path.clone(),
                source,
            })?;
        let stage = || files::stage(&path, text.as_bytes(), PUBLIC_MODE);
        Ok(folders::within(files::parent(&path), FOLDER_MODE, stage)?.place()?)
    }

    /// What an install that was taken back was told about servers is not for the next one.
    pub(crate) fn forget(&mut self) -> Result<(), InstallError> {
        self.settings = self
            .settings
            .clone()
            .with_server_of(self.settings_before.clone());
        let fine = match files::read(&self.layout.settings(), SETTINGS_LIMIT) {
            Ok(bytes) => Settings::parse(&bytes)
                .is_ok_and(|there| [&self.settings, &self.settings_before].contains(&&there)),
            Err(error) => error.is_missing(),
        };
        if !fine {
            self.remember()?;
            files::sync_folder(&self.layout.folder())?;
        }
        Ok(())
    }

    fn record(
        &mut self,
        release: &ReleaseId,
        before: Option<&ReleaseId>,
        now: Timestamp,
    ) -> Result<(), InstallError> {
        self.settings.record(release.clone(), before.cloned(), now);
        self.remember()
    }

    /// What `live` and `proven` name stays, and what a rollback goes to.
    fn prune(&self) -> Result<(), InstallError> {
        let wanted = &self.wanted.id;
        let keep = [Some(wanted), self.settings.before(wanted)];
        Ok(disk::prune(
            self.layout,
            &keep.into_iter().flatten().cloned().collect::<Vec<_>>(),
        )?)
    }
}

/// HAProxy loads every file that it sees in a folder of certificates, with the key in it or beside
/// it (`x.pem.key`): a backup there is hidden from it.
fn called(layout: &Layout, path: &Path) -> Backup {
    let beside = |one: &Path, other: &Path| {
        let name = one.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| *other == one.with_file_name(format!("{name}.key")))
    };
    let haproxys = |link: &Link| match link.piece {
        Piece::Combined => link.path == path,
        _ => beside(path, &link.path) || beside(&link.path, path),
    };
    if layout.links().iter().any(haproxys) {
        Backup::Hidden
    } else {
        Backup::Shown
    }
}
