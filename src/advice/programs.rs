//! Advice on programs that root runs for a user: only root may be able to change them.

use std::path::{Path, PathBuf};

use super::command_lines::shell_path;
use crate::finding::NextStep;
use crate::system::fs::files;
use crate::system::fs::root_only::{ExposedEntry, ExposedKind};

/// Where an administrator keeps own programs for root.
const PROTECTED_FOLDER: &str = "/usr/local/sbin";

/// Users other than root can change `program`, or an entry on the way to it. A folder or a link there
/// has its users, so it stays as it is and the program is copied.
#[must_use]
pub(super) fn protect(program: &Path, exposed: &[ExposedEntry]) -> Vec<NextStep> {
    if exposed.iter().any(|entry| entry.kind != ExposedKind::File) {
        return copy_to_root(program);
    }
    let commands: Vec<String> = exposed
        .iter()
        .map(|entry| {
            let path = shell_path(&entry.path);
            format!("sudo chown root {path} && sudo chmod go-w {path}")
        })
        .collect();
    vec![NextStep::run_shell(
        "Check that its content is as you expect, then let only root write to it",
        commands.join(" && "),
    )]
}

fn copy_to_root(program: &Path) -> Vec<NextStep> {
    let copy = unused_name(program);
    let from = shell_path(program);
    let to = shell_path(&copy);
    vec![
        NextStep::run_shell(
            "Check the content of the program, then copy it to a folder that only root can change",
            format!("sudo install -o root -g root -m 0755 {from} {to}"),
        ),
        NextStep::say(format!(
            "Then give the path of the copy, {}",
            copy.display()
        )),
    ]
}

/// A name for the copy that no file has: the command must not overwrite another program.
fn unused_name(program: &Path) -> PathBuf {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let first = Path::new(PROTECTED_FOLDER).join(name.as_ref());
    let numbered = (2..1000).map(|number| first.with_file_name(format!("{name}-{number}")));
    std::iter::once(first.clone())
        .chain(numbered)
        .find(|path| !files::exists(path))
        .unwrap_or(first)
}
