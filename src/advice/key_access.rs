//! Advice on who may read a private key and who may write to its folders.

use std::path::Path;

use super::command_lines::shell_path;
use super::rerun::{RepeatOption, repeat_with};
use crate::finding::{NextStep, shell_line};

/// Users other than root may write to a folder; `change` is a symbolic mode for chmod(1).
#[must_use]
pub(crate) fn close_folder(folder: &Path, change: &str) -> NextStep {
    NextStep::run_shell(
        "Let only its owner write to the folder",
        format!("sudo chmod {change} {}", shell_path(folder)),
    )
}

/// The key belongs to `owner` (`user:group`), and its server may run as that user.
#[must_use]
pub(crate) fn keep_owner(owner: &str) -> NextStep {
    let options = [
        RepeatOption {
            name: "--owner",
            value: Some(owner),
        },
        RepeatOption {
            name: "--key-mode",
            value: Some("0600"),
        },
    ];
    let sentence = "If the server runs as that user, give it the new key: repeat the command";
    repeat_with(sentence, &["install"], &options)
}

/// A group may enter a folder of the key, and the user who has to read it is no member.
#[must_use]
pub(crate) fn add_to_group(user: &str, group: &str) -> NextStep {
    NextStep::run_shell(
        "Add the user to the group that may enter it, restart its server, and install again",
        format!("sudo {}", shell_line(&["usermod", "-aG", group, user])),
    )
}

/// A user who has to read the key cannot enter its folders, but those of `path`.
#[must_use]
pub(crate) fn use_open_path(path: &Path) -> NextStep {
    let path = path.display().to_string();
    let option = RepeatOption {
        name: "--key-path",
        value: Some(&path),
    };
    let sentence = "Use a path that every user can reach (the key itself stays closed), name it in \
        the server's configuration, and repeat the command";
    repeat_with(sentence, &["install"], &[option])
}

/// A server does not run as root, and its user cannot read the key; `owner` is `user:group`, `path` one
/// that every user can reach, where the key is in a closed folder.
#[must_use]
pub(crate) fn give_key_or_restart(owner: &str, path: Option<&Path>) -> NextStep {
    let path = path.map(|path| path.display().to_string());
    let mut options = vec![
        RepeatOption {
            name: "--owner",
            value: Some(owner),
        },
        RepeatOption {
            name: "--key-mode",
            value: Some("0600"),
        },
    ];
    let mut sentence =
        "A restart may read the key as root (then pass one with `--reload`). If the \
        server always reads it as that user, repeat the command"
            .to_owned();
    if path.is_some() {
        options.push(RepeatOption {
            name: "--key-path",
            value: path.as_deref(),
        });
        sentence = sentence.replace(
            "repeat",
            "name the new path in its configuration, and repeat",
        );
    }
    repeat_with(&sentence, &["install"], &options)
}

/// Two services read the key as different users.
#[must_use]
pub(crate) fn share_key_by_group() -> NextStep {
    NextStep::say(
        "Put both users into one group, and pass it: `--owner root:GROUP --key-mode 0640`",
    )
}
