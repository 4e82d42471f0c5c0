//! Groups the files of an `install`: those of one group are read together.

use std::path::{Path, PathBuf};

use crate::advice::lineages;
use crate::context::Context;
use crate::failure::Failure;
use crate::inputs;
use crate::install::installed::InstalledFiles;
use crate::install::{newest_files, other_folders};
use crate::matching::{FolderContents, HeldFile, MatchingError};
use crate::pki::request::SigningRequest;
use crate::system::fs::folders;

/// Files that are read together.
pub(super) struct InputGroup {
    pub files: Vec<String>,
    /// The key of these files, where it is known.
    pub key: Option<PathBuf>,
    pub installed: Option<InstalledGroup>,
}

/// What is known about installed files without reading their folder.
pub(super) struct InstalledGroup {
    pub stem: String,
    requests: Vec<HeldFile<SigningRequest>>,
}

impl InputGroup {
    fn of_installed(installed: InstalledFiles) -> Self {
        Self {
            files: vec![installed.chain_path.display().to_string()],
            key: installed.key_path,
            installed: Some(InstalledGroup {
                stem: installed.stem,
                requests: installed.requests,
            }),
        }
    }
}

/// Whether only folders are read: the working directory, or those that were passed. They may have
/// the files of earlier renewals too.
pub(super) fn selects_folders(files: &[String]) -> bool {
    files.iter().all(|file| folders::is_folder(Path::new(file)))
}

/// All arguments form one group, except names for which the folder has nothing newer than the
/// installed files. Each of these names forms a group with its installed files, so that an install
/// that ended `not-served` or was interrupted can be continued.
pub(super) fn input_groups(
    context: &Context,
    files: &[String],
    key: Option<&Path>,
) -> Result<Vec<InputGroup>, Failure> {
    let mut rest = InputGroup {
        files: Vec::new(),
        key: key.map(Path::to_owned),
        installed: None,
    };
    if files.is_empty() {
        return folder_groups(context, rest);
    }
    if key.is_some() {
        rest.files = files.to_vec();
        return Ok(vec![rest]);
    }
    let mut groups = Vec::new();
    let newest = newest_files::find_newest(context, files)?;
    for (name, installed) in files.iter().zip(newest) {
        match installed {
            Some(installed) => groups.push(InputGroup::of_installed(installed)),
            None => rest.files.push(name.clone()),
        }
    }
    if !rest.files.is_empty() {
        groups.push(rest);
    }
    Ok(groups)
}

/// The groups of an install without arguments: the plain files of the working directory, and each
/// archive there with a certificate for a key or a request in it.
fn folder_groups(context: &Context, plain: InputGroup) -> Result<Vec<InputGroup>, Failure> {
    let here = FolderContents::read(context)?;
    let mut groups = archive_groups(&inputs::archives_for_keys(&here), &plain);
    let ids = here.key_ids();
    let leaves = here.leaves(context.now());
    let has_plain_leaf = leaves.iter().any(|leaf| ids.contains(&leaf.key_id));
    if groups.is_empty() && leaves.is_empty() {
        // No key here fits: the archives are read nevertheless, so that the failure names them.
        groups = archive_groups(&inputs::archives_with_certificates(&here), &plain);
    }
    if groups.is_empty() && leaves.is_empty() {
        return Err(nothing_to_install(context, &here));
    }
    if groups.is_empty() || has_plain_leaf {
        groups.push(plain);
    }
    Ok(groups)
}

fn archive_groups(archives: &[PathBuf], plain: &InputGroup) -> Vec<InputGroup> {
    let group = |archive: &PathBuf| InputGroup {
        files: vec![archive.display().to_string()],
        key: plain.key.clone(),
        installed: None,
    };
    archives.iter().map(group).collect()
}

fn nothing_to_install(context: &Context, here: &FolderContents) -> Failure {
    let error = MatchingError::NoCertificateInDirectory {
        directory: here.describe(),
        name: None,
    };
    let mut failure = Failure::from(error);
    if let Some(waiting) = here.requests.first() {
        let request = waiting.path.display();
        let status = context.command_words("status");
        failure = failure.because(format!("the request {request} waits for its certificate"));
        let step = lineages::show_waiting_requests(&status);
        failure.next.insert(0, step);
    } else {
        failure = other_folders::add_other_folders(context, "install", failure);
    }
    here.explain_unusable(failure)
}

impl InstalledGroup {
    /// The working directory with only the requests of the installed files.
    pub(super) fn folder(&self, context: &Context) -> FolderContents {
        FolderContents {
            path: context.directory.clone(),
            requests: self.requests.clone(),
            complete: true,
            ..FolderContents::default()
        }
    }
}
