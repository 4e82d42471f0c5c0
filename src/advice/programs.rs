//! Advice on programs that root runs for a user: only root may be able to change them.

use std::path::Path;

use super::command_lines::shell_path;
use crate::finding::NextStep;
use crate::system::fs::root_only::{ExposedEntry, ExposedKind};

/// Where an administrator keeps own programs for root.
const PROTECTED_FOLDER: &str = "/usr/local/sbin";

/// Users other than root can change `program`, or an entry on the way to it. If they own a folder or a
/// link there, which is not to be taken from them, the program is copied.
#[must_use]
pub(super) fn protect(program: &Path, exposed: &[ExposedEntry]) -> Vec<NextStep> {
    let is_theirs = |entry: &ExposedEntry| {
        entry.kind == ExposedKind::Link
            || (entry.kind == ExposedKind::Folder && entry.owner.uid != 0)
    };
    if exposed.iter().any(is_theirs) {
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
    let name = program.file_name().unwrap_or_default();
    let copy = Path::new(PROTECTED_FOLDER).join(name);
    let (from, to) = (shell_path(program), shell_path(&copy));
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
