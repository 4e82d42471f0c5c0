//! The paths that servers read, as text.

use crate::store::layout::LineageLayout;

/// The path of the key, if it is a file.
pub(super) fn key_path(layout: &LineageLayout) -> Option<String> {
    layout.key_path().map(|key| key.display().to_string())
}

/// The paths of further files.
pub(super) fn further_paths(layout: &LineageLayout) -> Vec<String> {
    let links = layout.further_links().iter();
    links.map(|link| link.path.display().to_string()).collect()
}
