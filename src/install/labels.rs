//! Reports SELinux labels of deployed files that differ from those of the files beside them: a server
//! that SELinux confines may not open such a file, whatever its mode is.

use std::path::{Path, PathBuf};

use crate::advice::drift;
use crate::finding::Finding;
use crate::store::layout::{DeployMode, LineageLayout, ReleaseId};
use crate::system::fs::{files, folders, xattrs};

/// The most files of a folder that are compared.
const SIBLINGS: usize = 100;

/// Returns a finding for each path of `layout` whose file, which is that of the release `live` where
/// links are deployed, has another type than all files beside the path.
pub(crate) fn find_odd_labels(layout: &LineageLayout, live: &ReleaseId) -> Vec<Finding> {
    let mut findings = Vec::new();
    for link in layout.links() {
        let real = match layout.deploy_mode() {
            DeployMode::Link => layout.file_path(live, link.piece),
            DeployMode::Copy => link.path.clone(),
        };
        if let (Some(label), Some(usual)) = (type_at(&real), usual_type(&link.path))
            && label != usual
        {
            findings.push(drift::report_label(&real, &label, &usual));
        }
    }
    findings
}

/// Returns the type that the other regular files in the folder of `path` have, if it is the same for
/// all of them.
fn usual_type(path: &Path) -> Option<String> {
    let listed = files::entries(files::parent(path), SIBLINGS).ok()?;
    let is_sibling = |one: &PathBuf| one != path && folders::is_file(one);
    let types: Vec<String> = listed
        .iter()
        .filter(|one| is_sibling(one))
        .filter_map(|one| type_at(one))
        .collect();
    let first = types.first()?;
    types.iter().all(|one| one == first).then(|| first.clone())
}

/// Returns the type of the file at `path`: the third field of its label, `cert_t` in
/// `system_u:object_r:cert_t:s0`.
fn type_at(path: &Path) -> Option<String> {
    let label = xattrs::read(path).ok()?.label?;
    let text = String::from_utf8_lossy(&label).into_owned();
    let kind = text.trim_end_matches('\0').split(':').nth(2)?;
    Some(kind.to_owned())
}
