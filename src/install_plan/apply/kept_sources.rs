//! What the next renewal needs and the user may move or delete: the trust anchors are kept in the
//! certificate's folder, and the folder for root's requests is created.

use std::path::{Path, PathBuf};

use super::error::InstallError;
use crate::delivery::{CaDelivery, DeliveryInput, DeliveryLimits};
use crate::permissions::Mode;
use crate::pki::trust::select_anchors;
use crate::store::layout::{FOLDER_MODE, LineageLayout, PUBLIC_MODE, trust_file};
use crate::store::settings::{LineageSettings, ROOT_REQUESTS};
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders;

/// The maximum size of a file with trust anchors.
const ANCHORS_LIMIT: u64 = 16 * 1024 * 1024;

/// Returns the file of the trust anchors that the user passed; `None` for the built-in list, the
/// system's list, and the file in the certificate's folder.
fn find_passed_anchor_file(layout: &LineageLayout, settings: &LineageSettings) -> Option<PathBuf> {
    match settings.trust.as_deref()? {
        "mozilla" | "system" => None,
        file if Path::new(file) == kept_file(layout) => None,
        file => Some(file.into()),
    }
}

fn kept_file(layout: &LineageLayout) -> PathBuf {
    trust_file(layout.root(), layout.stem())
}

/// Reads trust anchors as PEM, whatever their form is.
fn read_as_pem(path: &Path) -> Result<Vec<u8>, FileError> {
    let bytes = files::read(path, ANCHORS_LIMIT)?;
    let input = DeliveryInput::new("trust", bytes.clone());
    let limits = DeliveryLimits::default();
    let found = CaDelivery::read(vec![input], &limits);
    let mut pem = String::new();
    let certificates = found.unwrap_or_default().clone_certificates();
    for certificate in select_anchors(certificates) {
        pem.push_str(&certificate.to_pem());
    }
    if pem.is_empty() {
        return Ok(bytes);
    }
    Ok(pem.into_bytes())
}

/// Uses the kept trust anchors if the user passed the same ones again: then nothing changes.
pub(crate) fn use_kept_anchors(layout: &LineageLayout, settings: &mut LineageSettings) {
    let Some(passed) = find_passed_anchor_file(layout, settings) else {
        return;
    };
    let kept = kept_file(layout);
    let known = files::read(&kept, ANCHORS_LIMIT);
    let passed = read_as_pem(&passed);
    if known.is_ok_and(|known| passed.is_ok_and(|passed| passed == known)) {
        set_trust(settings, &kept);
    }
}

/// Copies the trust anchors to the certificate's folder, and creates the folder for root's requests
/// if that is where the next one is written. The caller flushes the certificate's folder.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn keep_sources(
    layout: &LineageLayout,
    settings: &mut LineageSettings,
) -> Result<(), FileError> {
    if let Some(passed) = find_passed_anchor_file(layout, settings) {
        let kept = kept_file(layout);
        let pem = read_as_pem(&passed)?;
        let folder = files::parent(&kept);
        let staged = folders::run_in_folder(folder, FOLDER_MODE, || {
            files::stage(&kept, &pem, PUBLIC_MODE)
        })?;
        staged.rename_unflushed()?;
        set_trust(settings, &kept);
    }
    let requests = Path::new(ROOT_REQUESTS);
    let is_staged = layout.root() != Path::new("/");
    if is_staged || settings.folder.as_deref() != Some(requests) {
        return Ok(());
    }
    let mode = Mode::new(0o700);
    folders::create_folder(files::parent(requests), mode)?;
    folders::create_folder(requests, mode)
}

/// Writes the settings file; the caller flushes its folder.
pub(super) fn write_settings(
    layout: &LineageLayout,
    settings: &LineageSettings,
) -> Result<(), InstallError> {
    let path = layout.settings();
    let text = settings_as_stored(layout, settings)
        .to_json()
        .map_err(|source| InstallError::Settings {
            path: path.clone(),
            source,
        })?;
    let staged = folders::run_in_folder(files::parent(&path), FOLDER_MODE, || {
        files::stage(&path, text.as_bytes(), PUBLIC_MODE)
    })?;
    Ok(staged.rename_unflushed()?)
}

/// Saves options that do not belong to an install, under the lock of the tree.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn save_settings(
    layout: &LineageLayout,
    settings: &LineageSettings,
) -> Result<(), InstallError> {
    write_settings(layout, settings)?;
    Ok(files::sync_folder(&layout.folder())?)
}

/// Returns the settings as they are stored: the kept anchors by their path inside the tree.
pub(super) fn settings_as_stored(
    layout: &LineageLayout,
    settings: &LineageSettings,
) -> LineageSettings {
    let mut stored = settings.clone();
    let kept = kept_file(layout);
    let is_kept = stored
        .trust
        .as_ref()
        .is_some_and(|trust| Path::new(trust) == kept);
    if is_kept {
        let inside = layout.path_inside_tree(&kept);
        set_trust(&mut stored, &inside);
    }
    stored
}

fn set_trust(settings: &mut LineageSettings, file: &Path) {
    settings.trust = Some(file.display().to_string());
}
