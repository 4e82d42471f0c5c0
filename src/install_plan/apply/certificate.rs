//! Runs the steps of one plan.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::answer::{ProbeAnswer, TargetBaseline};
use super::baseline;
use super::error::{InstallError, StepError};
use super::hook::{HookCall, HookResult};
use super::kept_sources;
use crate::install_plan::apply::new_paths::NewPaths;
use crate::install_plan::apply::prove::{ProbeGoal, ProbeGroup};
use crate::install_plan::plan::{BackedUpFile, PlanStep, is_flushed_with_later_step};
use crate::pki::certificate::Certificate;
use crate::probe::ProbeTarget;
use crate::store::disk::{self, StagedRelease, StoreError, copies};
use crate::store::history;
use crate::store::layout::{
    FOLDER_MODE, LineageLayout, PRIVATE_FOLDER_MODE, ReleaseFile, ReleaseId, ReleasePointer,
    kept_name, pointer_text,
};
use crate::store::release::Release;
use crate::store::settings::{DueHook, LineageSettings, SETTINGS_LIMIT};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders::{self, BackupName};
use crate::system::fs::kept;
use crate::system::signals::InterruptSignal;
use crate::webserver::control::ControlledServer;
use crate::webserver::model::ServerSoftware;

/// Which options are in the settings file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SavedOptions {
    Before,
    OfThisRun,
    /// Those of this run that do not concern servers: the others are saved once they have worked.
    WithoutServer,
}

/// How much of a failed plan was rolled back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RollbackExtent {
    Complete,
    Partial,
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PlanKind {
    Install,
    Rollback,
}

/// Everything needed to run the plan of one lineage.
#[derive(Debug)]
pub(crate) struct PlanContext<'a> {
    pub layout: &'a LineageLayout,
    /// The release that the plan installs.
    pub wanted: &'a Release,
    /// The same release, written under a temporary name; `None` when it is installed already.
    pub staged: Option<StagedRelease>,
    /// The certificate that is taken over from plain files.
    pub taken_over: Option<&'a Release>,
    /// The servers to test and reload; the software is `None` for commands given by the user.
    pub servers: Vec<(Option<ServerSoftware>, &'a ControlledServer)>,
    /// The deployed paths as the servers' configurations spell them. A complaint that names one is
    /// about this certificate.
    pub paths: Vec<PathBuf>,
    /// The addresses to probe for the new release.
    pub targets: &'a [ProbeTarget],
    /// Where blocks with other files answer for names of the certificate.
    pub other_targets: Vec<ProbeTarget>,
    pub settings: LineageSettings,
    /// The settings before this run.
    pub settings_before: LineageSettings,
    /// How many older releases are kept.
    pub older_releases: usize,
    /// Whether the plan is a rollback, which has a list of its own in the settings.
    pub kind: PlanKind,
    /// Whether the options of this run are in the settings file.
    pub saved: SavedOptions,
    /// The command of `--after`, where it is due.
    pub hook: Option<HookCall>,
    /// Probe targets that must serve the previous certificate again after a rollback: those that
    /// served it before, where that was probed.
    pub rollback_targets: Vec<ProbeTarget>,
    /// What each of `targets` answered before anything was changed; empty until it is probed.
    pub baselines: Vec<TargetBaseline>,
    /// Why the certificate that a rollback would restore is of no use; found before anything is
    /// changed.
    pub previous_fault: Option<String>,
    /// What did not exist before the run.
    pub new_paths: &'a NewPaths,
    /// What each of `rollback_targets` must answer again, if none served the previous certificate.
    pub rollback_baselines: Vec<TargetBaseline>,
}

impl PlanContext<'_> {
    /// The server that a test or reload step is for.
    pub(crate) fn server_of_step(&self, step: &PlanStep) -> Option<&ControlledServer> {
        let (PlanStep::TestServer { server, .. } | PlanStep::Reload { server, .. }) = step else {
            return None;
        };
        // Several servers of one kind have different commands.
        let is_meant = |controlled: &ControlledServer| match step {
            PlanStep::TestServer { command, .. } => {
                controlled.test_line().as_ref() == Some(command)
            }
            PlanStep::Reload { command, .. } => controlled.reload_line().as_ref() == Some(command),
            _ => false,
        };
        let mut servers = self.servers.iter().filter(|(other, _)| other == server);
        servers
            .find(|(_, controlled)| is_meant(controlled))
            .map(|(_, controlled)| *controlled)
    }

    /// The certificates of a release.
    pub(crate) fn certificates(&self, id: &ReleaseId) -> Result<Vec<Certificate>, FileError> {
        let in_memory = [Some(self.wanted), self.taken_over]
            .into_iter()
            .flatten()
            .find(|release| release.id == *id);
        if let Some(release) = in_memory {
            return Ok(release.certificates.clone());
        }
        let release = disk::load(self.layout, id)?;
        Ok(release.map_or_else(Vec::new, |release| release.certificates))
    }

    /// What to probe to prove that the release with this id is served.
    pub(crate) fn probe_group(
        &self,
        index: usize,
        id: &ReleaseId,
    ) -> Result<ProbeGroup, FileError> {
        let (targets, baselines, goal) = if *id == self.wanted.id {
            let targets = self.targets.to_vec();
            (targets, self.baselines.clone(), ProbeGoal::Installed)
        } else {
            let targets = self.rollback_targets.clone();
            let baselines = self.rollback_baselines.clone();
            (targets, baselines, ProbeGoal::Restored)
        };
        Ok(ProbeGroup {
            index,
            targets,
            baselines,
            certificates: self.certificates(id)?,
            goal,
            probes: Vec::new(),
        })
    }

    /// Records the answers of `targets` before anything is changed; `previous` is the certificate that
    /// a rollback would restore.
    pub(crate) fn set_baselines(&mut self, answers: &[ProbeAnswer], previous: &[Certificate]) {
        let observed = baseline::observe(answers, previous);
        let serves_previous = observed.iter().any(|target| target.serves_previous);
        self.baselines = Vec::new();
        self.rollback_targets = Vec::new();
        self.rollback_baselines = Vec::new();
        for target in observed {
            self.baselines.push(target.baseline);
            if serves_previous && !target.serves_previous {
                continue;
            }
            self.rollback_targets.push(target.restored);
            if !serves_previous {
                self.rollback_baselines.push(target.restored_baseline);
            }
        }
    }

    /// Runs a step that concerns this plan alone, before the steps `after` it; returns the backup
    /// that it made. The caller flushes the folders of backups and links.
    pub(crate) fn run_step<'s>(
        &mut self,
        step: &PlanStep,
        after: impl Iterator<Item = &'s PlanStep>,
        now: Timestamp,
    ) -> Result<Option<BackedUpFile>, StepError> {
        let backup = self.change_files(step, now)?;
        let changes_folder = matches!(
            step,
            PlanStep::MarkProven { .. }
                | PlanStep::Record { .. }
                | PlanStep::Remember { .. }
                | PlanStep::Switch { .. }
        );
        if changes_folder && !is_flushed_with_later_step(step, after) {
            files::sync_folder(&self.layout.folder())?;
        }
        Ok(backup)
    }

    fn change_files(
        &mut self,
        step: &PlanStep,
        now: Timestamp,
    ) -> Result<Option<BackedUpFile>, StepError> {
        match step {
            PlanStep::BackUp { path } => return Ok(Some(self.back_up(path)?)),
            PlanStep::Keep { path } => return Ok(Some(keep(path)?)),
            PlanStep::Link { path, text } => self.link(path, text)?,
            PlanStep::MarkProven { to, .. } => self.mark_proven(to)?,
            PlanStep::Prune => self.prune()?,
            PlanStep::Record { release, before } => self.record(release, before.as_ref(), now)?,
            PlanStep::Remember { .. } => self.save_paths()?,
            PlanStep::Copy { release, files } => copies::replace(self.layout, release, files)?,
            PlanStep::Switch { to, .. } => self.point(ReleasePointer::Live, to)?,
            PlanStep::TakeOver { .. } => self.publish_taken_over()?,
            PlanStep::WriteRelease { .. } => self.publish_wanted()?,
            _ => self.undo_change(step)?,
        }
        Ok(None)
    }

    /// Runs a step that only a rollback has. Tests, reloads and probes run once for all plans.
    fn undo_change(&self, step: &PlanStep) -> Result<(), FileError> {
        match step {
            PlanStep::RemoveCopy { path } => self.remove_copy(path),
            PlanStep::Restore { path, backup } => self.restore(path, backup),
            PlanStep::Unlink { path } => folders::remove_link(path),
            PlanStep::Unpoint { pointer } => folders::remove(&self.layout.pointer(*pointer)),
            _ => Ok(()),
        }
    }

    fn back_up(&self, path: &Path) -> Result<BackedUpFile, FileError> {
        let backup = folders::back_up_beside(path, backup_name(self.layout, path))?;
        Ok(BackedUpFile {
            path: path.to_owned(),
            backup,
        })
    }

    /// Renames a backup to its path, over certctl's link or copy; a file of another program stays.
    fn restore(&self, path: &Path, backup: &Path) -> Result<(), FileError> {
        if kept::is_unchanged(path, backup)? {
            return folders::remove(backup);
        }
        if self.is_copy(path)? && files::exists(backup) {
            return folders::replace(backup, path);
        }
        folders::restore(path, backup)
    }

    /// Removes certctl's copy; a file of another program stays.
    fn remove_copy(&self, path: &Path) -> Result<(), FileError> {
        if self.is_copy(path)? {
            folders::remove(path)?;
        }
        Ok(())
    }

    /// Whether certctl wrote the plain file at a deployed path.
    fn is_copy(&self, path: &Path) -> Result<bool, FileError> {
        let mut links = self.layout.links().iter();
        let Some(link) = links.find(|link| link.path == path) else {
            return Ok(false);
        };
        let is_plain = folders::read_status(path)?
            .is_some_and(|status| status.kind == folders::FileKind::File);
        Ok(is_plain && copies::is_of_any_release(self.layout, path, link.piece)?)
    }

    fn point(&self, pointer: ReleasePointer, to: &ReleaseId) -> Result<(), FileError> {
        folders::replace_link(&self.layout.pointer(pointer), &pointer_text(to))
    }

    /// Marks a release as verified. From then on the command of `--after` is due.
    fn mark_proven(&mut self, to: &ReleaseId) -> Result<(), InstallError> {
        if let Some(call) = self.hook.clone().filter(|call| call.due.release == *to) {
            self.note_due_hook(Some(call.due))?;
        }
        Ok(self.point(ReleasePointer::Proven, to)?)
    }

    /// Saves that the command of `--after` is due, or that it is not any more.
    fn note_due_hook(&mut self, due: Option<DueHook>) -> Result<(), InstallError> {
        let settings = match self.saved {
            SavedOptions::Before => &mut self.settings_before,
            SavedOptions::OfThisRun | SavedOptions::WithoutServer => &mut self.settings,
        };
        if settings.after_due == due {
            return Ok(());
        }
        settings.after_due = due;
        let settings = settings.clone();
        self.write_settings(&settings)?;
        Ok(files::sync_folder(&self.layout.folder())?)
    }

    /// Runs the command of `--after`, if what servers serve was verified (`probes`).
    pub(super) fn run_hook(
        &mut self,
        probes: &[ProbeAnswer],
        interrupt: &InterruptSignal,
    ) -> Option<HookResult> {
        let call = self.hook.clone()?;
        if let Err(error) = self.note_due_hook(Some(call.due.clone())) {
            return Some(HookResult::Failed(error.into()));
        }
        if probes.iter().any(ProbeAnswer::is_inconclusive) {
            return Some(HookResult::Unverified);
        }
        let mut result = call.run(interrupt);
        if matches!(result, HookResult::Succeeded)
            && let Err(error) = self.note_due_hook(None)
        {
            result = HookResult::Failed(error.into());
        }
        Some(result)
    }

    fn publish_taken_over(&self) -> Result<(), StoreError> {
        match self.taken_over {
            Some(taken) => disk::stage(self.layout, taken)?.publish(self.layout, taken),
            None => Ok(()),
        }
    }

    fn publish_wanted(&mut self) -> Result<(), StoreError> {
        let staged = match self.staged.take() {
            Some(staged) => staged,
            None => disk::stage(self.layout, self.wanted)?,
        };
        staged.publish(self.layout, self.wanted)
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
        folders::run_in_folder(files::parent(path), mode, || {
            folders::replace_link(path, text)
        })
    }

    /// Saves what describes the files, and not yet the options that concern servers; the caller flushes
    /// the folder.
    fn save_paths(&mut self) -> Result<(), InstallError> {
        let before = self.settings_before.clone();
        let paths = self.settings.clone().with_server_of(before);
        self.write_settings(&paths)?;
        self.saved = if paths == self.settings {
            SavedOptions::OfThisRun
        } else {
            SavedOptions::WithoutServer
        };
        Ok(())
    }

    /// Saves the options of a run that has succeeded, if they are not saved yet.
    pub(crate) fn save_proven_options(&mut self) -> Result<(), InstallError> {
        if self.saved != SavedOptions::WithoutServer {
            return Ok(());
        }
        self.save_options()?;
        Ok(files::sync_folder(&self.layout.folder())?)
    }

    /// Saves the options of this run; the caller flushes the folder.
    fn save_options(&mut self) -> Result<(), InstallError> {
        kept_sources::keep_sources(self.layout, &mut self.settings)?;
        self.write_settings(&self.settings)?;
        self.saved = SavedOptions::OfThisRun;
        Ok(())
    }

    /// Writes the settings file; the caller flushes its folder.
    fn write_settings(&self, settings: &LineageSettings) -> Result<(), InstallError> {
        kept_sources::write_settings(self.layout, settings)
    }

    /// After a rollback: restores the saved options, so that the next install does not use those of
    /// the failed one. Where not everything was rolled back, the options that describe the files stay.
    pub(crate) fn restore_settings(&mut self, extent: RollbackExtent) -> Result<(), InstallError> {
        let before = self.settings_before.clone();
        self.settings = match extent {
            RollbackExtent::Complete => before,
            RollbackExtent::Partial => self.settings.clone().with_server_of(before),
        };
        let is_written = match files::read(&self.layout.settings(), SETTINGS_LIMIT) {
            Ok(bytes) => {
                let is_current = |settings| {
                    let stored = kept_sources::settings_as_stored(self.layout, settings);
                    LineageSettings::parse(&bytes).is_ok_and(|saved| saved == stored)
                };
                is_current(&self.settings) || is_current(&self.settings_before)
            }
            Err(error) => error.is_missing(),
        };
        if !is_written {
            self.write_settings(&self.settings)?;
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
        let release = release.clone();
        let before = before.cloned();
        if self.kind == PlanKind::Rollback {
            // The options stay as they are: a rollback stores none.
            let mut saved = self.settings_before.clone();
            saved.add_rollback(release, before, now);
            self.settings.rollbacks.clone_from(&saved.rollbacks);
            return self.write_settings(&saved);
        }
        self.settings.add_to_history(release, before, now);
        self.save_options()
    }

    /// Removes the plain files that were kept for a rollback.
    pub(crate) fn remove_kept(&self) -> Result<(), FileError> {
        let mut links = self.layout.links().iter();
        links.try_for_each(|link| kept::remove_unflushed(&kept_name(&link.path)))
    }

    /// Removes what did not exist before the run, once everything is rolled back.
    pub(crate) fn remove_new_paths(&self) -> Result<(), FileError> {
        let mut releases = vec![&self.wanted.id];
        releases.extend(self.taken_over.map(|release| &release.id));
        self.new_paths.remove(self.layout, &releases)
    }

    /// Deletes old releases, except the one that `live` and `proven` name, those that rollbacks would
    /// restore one after the other, and those that were installed last.
    fn prune(&self) -> Result<(), FileError> {
        let mut keep = vec![self.wanted.id.clone()];
        for _ in 0..self.older_releases {
            let before = keep
                .last()
                .and_then(|last| self.settings.release_before(last));
            match before.cloned() {
                Some(before) if !keep.contains(&before) => keep.push(before),
                _ => break,
            }
        }
        let past = history::list_past_releases(&self.settings.history);
        for installed in past.into_iter().take(1 + self.older_releases) {
            keep.push(installed.release);
        }
        disk::prune(self.layout, &keep, 1 + self.older_releases)
    }
}

fn keep(path: &Path) -> Result<BackedUpFile, FileError> {
    let backup = kept_name(path);
    kept::keep(path, &backup)?;
    Ok(BackedUpFile {
        path: path.to_owned(),
        backup,
    })
}

/// HAProxy loads every file that it finds in a folder of certificates, with the key in the file or
/// next to it (`x.pem.key`), so a backup in such a folder is hidden from it.
fn backup_name(layout: &LineageLayout, path: &Path) -> BackupName {
    let is_loaded_by_haproxy = layout.links().iter().any(|link| match link.piece {
        ReleaseFile::Combined => link.path == path,
        _ => is_key_of(&link.path, path) || is_key_of(path, &link.path),
    });
    if is_loaded_by_haproxy {
        BackupName::Hidden
    } else {
        BackupName::Shown
    }
}

/// Whether `key` is `CERTIFICATE.key`.
fn is_key_of(key: &Path, certificate: &Path) -> bool {
    let name = certificate.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| *key == certificate.with_file_name(format!("{name}.key")))
}
