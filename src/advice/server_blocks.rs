//! Advice on server blocks: which lines to change, and how a new block gets to where the server
//! reads it.

use std::path::{Path, PathBuf};

use super::command_lines::shell_path;
use crate::finding::{NextStep, shell_word};
use crate::pki::key::KeyAlgorithm;
use crate::webserver::model::{BlockAddition, ConfigBlock, ServerSoftware, WrittenBlock};

/// A certificate of the same kind of key as `algorithm` is one of several in a block.
#[must_use]
pub(crate) fn change_one_of_several(
    block: &ConfigBlock,
    software: ServerSoftware,
    algorithm: KeyAlgorithm,
    lines: Vec<String>,
) -> NextStep {
    NextStep::say(format!(
        "{block} has {} certificates: change {} of the one with this kind of key ({algorithm}):",
        block.certificates.len(),
        software.what_changes()
    ))
    .with_lines(lines)
}

/// A block also serves `other_names`, which the certificate is not for.
#[must_use]
pub(crate) fn give_names_their_own_block(
    block: &ConfigBlock,
    names: &str,
    other_names: &[String],
    lines: Vec<String>,
) -> NextStep {
    let these = if lines.len() == 1 {
        "this"
    } else {
        "these lines"
    };
    NextStep::say(format!(
        "{block} also serves {}, which the certificate is not for: give {names} a block of its \
            own, with {these}:",
        other_names.join(", ")
    ))
    .with_lines(lines)
}

/// A block serves other files: its lines are to be changed.
#[must_use]
pub(crate) fn change_block(
    block: &ConfigBlock,
    software: ServerSoftware,
    lines: Vec<String>,
) -> NextStep {
    NextStep::say(format!(
        "to serve the new certificate there, change {} in {block}:",
        software.what_changes()
    ))
    .with_lines(lines)
}

/// As [`change_block`], for a block at `place` (`FILE:LINE`) whose files cannot be adopted.
#[must_use]
pub(crate) fn change_unadopted_block(
    place: &str,
    software: ServerSoftware,
    lines: Vec<String>,
) -> NextStep {
    NextStep::say(format!(
        "to serve the new certificate there, change {} of {place}:",
        software.what_changes()
    ))
    .with_lines(lines)
}

/// A block has several certificates, as chain and key: one of them is to be named.
#[must_use]
pub(crate) fn name_one_of_several(paths: &[(PathBuf, PathBuf)]) -> NextStep {
    let lines = paths.iter().map(|(chain, key)| {
        format!(
            "--chain-path {} --key-path {}",
            shell_path(chain),
            shell_path(key)
        )
    });
    NextStep::say(
        "add the files of the one with the same kind of key to the command line; \
                these are there:",
    )
    .with_lines(lines)
}

/// A block speaks TLS and has no certificate.
#[must_use]
pub(crate) fn add_certificate_to_block(block: &str, lines: Vec<String>) -> NextStep {
    NextStep::say(format!(
        "to serve the new certificate there, add to {block}:"
    ))
    .with_lines(lines)
}

/// Two blocks have the same name at one address.
#[must_use]
pub(crate) fn remove_duplicate_name(name: &str) -> NextStep {
    NextStep::say(format!("take {name} out of one of them"))
}

/// No block has the names: another certificate answers for them.
#[must_use]
pub(crate) fn add_names_to_block(names: &str, software: ServerSoftware) -> NextStep {
    NextStep::say(format!(
        "if {names} should be served here, add it to the {} of your block",
        software.names_directive()
    ))
}

/// A block would serve `names` with a certificate that is not for them.
#[must_use]
pub(crate) fn cover_names_or_allow(
    block: &ConfigBlock,
    names: &str,
    software: ServerSoftware,
) -> [NextStep; 3] {
    [
        NextStep::say(format!("order a certificate that has {names} too")),
        NextStep::say(format!(
            "or, if that is not to be served, take it out of {} in {block}",
            software.names_directive()
        )),
        NextStep::say("or let it be served all the same:  --allow names-not-covered"),
    ]
}

/// A server staples OCSP answers for a certificate whose CA gives none.
#[must_use]
pub(crate) fn remove_stapling(place: &str, software: ServerSoftware) -> NextStep {
    NextStep::say(format!(
        "take \"{}\" out of {place}: its CA gives no OCSP answers any more, and \
                clients do without",
        software.stapling_directive()
    ))
}

/// The one line that a written block consists of, for the end of a line of the configuration.
#[must_use]
pub(crate) fn append_to_line(addition: &BlockAddition) -> NextStep {
    NextStep::say(format!(
        "add to the end of the line {}:{}:",
        addition.file.display(),
        addition.line
    ))
    .with_lines(addition.lines.clone())
}

/// A block that could not be written to a file; `place` is the file to paste it into.
#[must_use]
pub(crate) fn paste_block(place: &str, written: &WrittenBlock) -> NextStep {
    let lines = written.text.lines().map(str::to_owned);
    NextStep::say(format!("paste it into {place}:")).with_lines(lines)
}

/// The configuration includes no folder: it has to include the new file itself.
#[must_use]
pub(crate) fn include_file(software: ServerSoftware, place: &str, file: &Path) -> NextStep {
    let line = match software {
        ServerSoftware::Nginx => format!("include {};", file.display()),
        _ => format!("Include {}", file.display()),
    };
    NextStep::say(format!("add to {place}:  {line}"))
}

/// The command that lets the server read `site` of `sites-available` in the folder `enabled`.
#[must_use]
pub(crate) fn enable_site_command(software: ServerSoftware, site: &Path, enabled: &Path) -> String {
    let name = site.file_name().unwrap_or_default().to_string_lossy();
    match name.strip_suffix(".conf") {
        Some(stem) if software == ServerSoftware::Apache => {
            format!("sudo a2ensite -q {}", shell_word(stem))
        }
        _ => {
            let target = shell_word(&format!("../sites-available/{name}"));
            let folder = shell_word(&format!("{}/", enabled.display()));
            format!("sudo ln -s {target} {folder}")
        }
    }
}

/// The command that moves the file of a block into a folder that the server reads.
#[must_use]
pub(crate) fn move_file_command(file: &Path, folder: &Path) -> String {
    let folder = shell_word(&format!("{}/", folder.display()));
    format!("sudo mv {} {folder}", shell_path(file))
}

/// The command that appends the file of a block to the main configuration.
#[must_use]
pub(crate) fn append_file_command(main_config: &Path, file: &Path) -> String {
    format!(
        "sudo tee -a {} <{} >/dev/null",
        shell_path(main_config),
        shell_path(file)
    )
}
