//! One pair of a run: its steps, done.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::{InstallError, StepError};
use crate::install_plan::apply::prove::ProbeGroup;
use crate::install_plan::plan::{BackedUpFile, PlanStep, together};
use crate::pki::certificate::Certificate;
use crate::probe::ProbeTarget;
use crate::store::disk::{self, StagedRelease};
use crate::store::layout::{
    FOLDER_MODE, LineageLayout, PRIVATE_FOLDER_MODE, PUBLIC_MODE, ReleaseFile, ReleaseId,
    ReleasePointer, StableLink, pointer_text,
};
use crate::store::release::Release;
use crate::store::settings::{LineageSettings, SETTINGS_LIMIT};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders::{self, BackupName};
use crate::webserver::control::ControlledServer;
use crate::webserver::model::ServerSoftware;

/// What is needed to run the plan of one pair.
#[derive(Debug)]
pub(crate) struct PlanContext<'a> {
    pub layout: &'a LineageLayout,
    /// The release that the plan is for.
    pub wanted: &'a Release,
    /// It, built; none when it is there already.
    pub staged: Option<StagedRelease>,
    /// The pair that is taken over, where there is one.
    pub taken: Option<&'a Release>,
    /// What is tested and reloaded; none for commands that were given.
    pub servers: Vec<(Option<ServerSoftware>, &'a ControlledServer)>,
    /// Its paths as a server's configuration spells them, by which a complaint is known to be about
    /// it.
    pub paths: Vec<PathBuf>,
    /// Whom to ask for what.
    pub targets: &'a [ProbeTarget],
    pub settings: LineageSettings,
    /// What was remembered before.
    pub settings_before: LineageSettings,
    /// Whom the way back demands to be served by the files before: who was before, where that was
    /// asked.
    pub demanded: Vec<ProbeTarget>,
}

impl PlanContext<'_> {
    /// The server that a question is for.
    pub(crate) fn server(&self, question: &PlanStep) -> Option<&ControlledServer> {
        let (PlanStep::TestServer { server, .. } | PlanStep::Reload { server, .. }) = question
        else {
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
    pub(crate) fn asked(&self, pair: usize, id: &ReleaseId) -> Result<ProbeGroup, FileError> {
        let targets = if *id == self.wanted.id {
            self.targets.to_vec()
        } else {
            self.demanded.clone()
        };
        Ok(ProbeGroup {
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
        step: &PlanStep,
        after: impl Iterator<Item = &'s PlanStep>,
        now: Timestamp,
    ) -> Result<Option<BackedUpFile>, StepError> {
        let layout = self.layout;
        match step {
            PlanStep::BackUp { path } => {
                let backup = folders::back_up_beside(path, called(layout, path))?;
                return Ok(Some(BackedUpFile {
                    path: path.clone(),
                    backup,
                }));
            }
            PlanStep::Link { path, text } => self.link(path, text)?,
            PlanStep::MarkProven { to, .. } => {
                folders::place(&layout.pointer(ReleasePointer::Proven), &pointer_text(to))?
            }
            PlanStep::Prune => self.prune()?,
            PlanStep::Record { release, before } => self.record(release, before.as_ref(), now)?,
            PlanStep::Remember { .. } => self.remember()?,
            PlanStep::Restore { path, backup } => folders::restore(path, backup)?,
            PlanStep::Switch { to, .. } => {
                folders::place(&layout.pointer(ReleasePointer::Live), &pointer_text(to))?
            }
            PlanStep::TakeOver { .. } => {
                if let Some(taken) = self.taken {
                    disk::stage(layout, taken)?.publish(layout, taken)?;
                }
            }
            PlanStep::Unlink { path } => folders::unlink(path)?,
            PlanStep::Unpoint { pointer } => folders::remove(&layout.pointer(*pointer))?,
            PlanStep::WriteRelease { .. } => {
                let staged = match self.staged.take() {
                    Some(staged) => staged,
                    None => disk::stage(layout, self.wanted)?,
                };
                staged.publish(layout, self.wanted)?;
            }
            // Questions are asked for all pairs at once.
            PlanStep::Prove { .. } | PlanStep::Reload { .. } | PlanStep::TestServer { .. } => {}
        }
        let unflushed = matches!(
            step,
            PlanStep::MarkProven { .. }
                | PlanStep::Record { .. }
                | PlanStep::Remember { .. }
                | PlanStep::Switch { .. }
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
            Ok(bytes) => LineageSettings::parse(&bytes)
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
fn called(layout: &LineageLayout, path: &Path) -> BackupName {
    let beside = |one: &Path, other: &Path| {
        let name = one.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| *other == one.with_file_name(format!("{name}.key")))
    };
    let haproxys = |link: &StableLink| match link.piece {
        ReleaseFile::Combined => link.path == path,
        _ => beside(path, &link.path) || beside(&link.path, path),
    };
    if layout.links().iter().any(haproxys) {
        BackupName::Hidden
    } else {
        BackupName::Shown
    }
}
