//! How a certificate was ordered that was only written to a folder (`order --no-install`): a file beside
//! it, so that `renew -C FOLDER` orders it again. It contains no secret.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::spec::{CertificatePlace, InstallChoice, OrderSpec, OrderTiming};
use crate::advice::order_checks as advice;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::permissions::Mode;
use crate::state::folder::ENTRY_LIMIT;
use crate::store::settings::{LineageSettings, StoredOrder};
use crate::system::fs::files;
use crate::system::fs::folders::{FileKind, current_user, read_status};

/// The end of the file's name.
pub(crate) const ORDER_SUFFIX: &str = "order.json";
/// The mode of the file.
pub(crate) const ORDER_MODE: Mode = Mode::new(0o644);

/// The content of the file.
#[derive(Debug, Deserialize, Serialize)]
struct FolderOrder {
    order: StoredOrder,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trust: Option<String>,
    /// What a later version has written.
    #[serde(flatten)]
    other: Map<String, Value>,
}

fn file_name(name: &str) -> String {
    format!("{name}.{ORDER_SUFFIX}")
}

/// Returns how the certificate `name` in the working directory was ordered, as the options of an
/// installed one; `None` if it is not saved there.
///
/// # Errors
/// When the file cannot be read, or another user could have written it.
pub(crate) fn read_folder_order(
    context: &Context,
    name: &str,
) -> Result<Option<LineageSettings>, Failure> {
    let path = context.path_of(file_name(name));
    if !check_access(&path)? {
        return Ok(None);
    }
    let bytes = files::read(&path, ENTRY_LIMIT)?;
    let stored: FolderOrder = serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("{} cannot be parsed", path.display());
        Failure::new(FailureKind::Malformed, message).because(error.to_string())
    })?;
    Ok(Some(LineageSettings {
        order: Some(stored.order),
        trust: stored.trust,
        ..LineageSettings::default()
    }))
}

/// Writes how the certificate in `folder` was ordered, unless it belongs to an installed one, which has
/// saved options.
pub(super) fn save_folder_order(
    folder: &Path,
    spec: &OrderSpec,
    order: StoredOrder,
) -> Result<(), Failure> {
    let is_of_installed = match &spec.timing {
        OrderTiming::Renewal(renewed) => renewed.place == CertificatePlace::Installed,
        OrderTiming::Now | OrderTiming::WhenDue => false,
    };
    if is_of_installed || spec.install != InstallChoice::FilesOnly {
        return Ok(());
    }
    let stored = FolderOrder {
        order,
        trust: spec.trust.clone(),
        other: Map::new(),
    };
    let text = serde_json::to_vec_pretty(&stored);
    let text = text.map_err(|error| Failure::from_error(FailureKind::Internal, &error))?;
    Ok(files::replace(
        &folder.join(file_name(&spec.name)),
        &text,
        ORDER_MODE,
    )?)
}

/// Returns whether the file exists.
///
/// # Errors
/// When another user owns it or may write it: it says where certctl sends requests and writes files.
fn check_access(path: &Path) -> Result<bool, Failure> {
    let Some(status) = read_status(path)? else {
        return Ok(false);
    };
    let owner = status.owner.uid;
    let is_own = owner == 0 || owner == current_user();
    if matches!(status.kind, FileKind::File) && is_own && !status.mode.has_any(0o022) {
        return Ok(true);
    }
    Err(advice::saved_order_exposed(path, status.owner, status.mode))
}
