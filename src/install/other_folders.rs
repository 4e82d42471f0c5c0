//! The folders with the requests of installed certificates, for a command that finds nothing to work
//! on in the working directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::installed;
use crate::advice::lineages;
use crate::context::Context;
use crate::failure::Failure;
use crate::matching::describe_folder;
use crate::system::fs::folders;

/// The maximum number of folders that are listed.
const SHOWN: usize = 5;

/// Adds the path of the working directory, the folders with requests that are known on this machine,
/// and the advice to run `verb` in the right folder. The other next steps come after it.
#[must_use]
pub(crate) fn add_other_folders(context: &Context, verb: &str, mut failure: Failure) -> Failure {
    if context.directory == Path::new(".")
        && let Ok(path) = folders::absolute(&context.directory)
    {
        let place = describe_folder(&context.directory);
        failure = failure.because(format!("{place} is {}", path.display()));
    }
    let known = request_folders(context);
    for (folder, names) in known.iter().take(SHOWN) {
        let names = names.join(", ");
        failure = failure.because(format!("{} has the request for {names}", folder.display()));
    }
    let others = std::mem::take(&mut failure.next);
    let first = known.keys().next();
    failure = failure.with_step(match first {
        Some(folder) => lineages::work_in(folder, &command_in(context, folder, verb)),
        None => lineages::change_folder(),
    });
    failure.next.extend(others);
    failure
}

fn command_in(context: &Context, folder: &Path, verb: &str) -> Vec<String> {
    context.in_folder(folder.to_owned()).command_words(verb)
}

/// The folders with requests other than the working directory, each with the names of its
/// certificates in /etc/ssl.
fn request_folders(context: &Context) -> BTreeMap<PathBuf, Vec<String>> {
    let here = folders::absolute(&context.directory).ok();
    let mut known: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for stem in installed::list_installed(context).unwrap_or_default() {
        let settings = installed::read_settings(context, &stem).ok();
        let folder = settings.and_then(|settings| settings.folder);
        let other = folder.filter(|folder| Some(folder) != here.as_ref());
        if let Some(folder) = other.filter(|folder| folders::is_folder(folder)) {
            known.entry(folder).or_default().push(stem);
        }
    }
    known
}
