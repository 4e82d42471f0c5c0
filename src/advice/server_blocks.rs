//! Advice on server blocks: which lines to change, and how to put a new block where the server
//! reads it.

use std::path::{Path, PathBuf};

use super::command_lines::shell_path;
use crate::finding::{NextStep, shell_word};
use crate::pki::key::KeyAlgorithm;
use crate::webserver::model::{BlockAddition, ConfigBlock, ServerSoftware, WrittenBlock};

/// A block has several certificates; the one with a key of type `algorithm` is to be replaced.
#[must_use]
pub(crate) fn change_one_of_several(
    block: &ConfigBlock,
    software: ServerSoftware,
    algorithm: KeyAlgorithm,
    lines: Vec<String>,
) -> NextStep {
    NextStep::say(format!(
        "In {block}, which has {} certificates, change {} for the {algorithm} key to",
        block.certificates.len(),
        software.certificate_settings()
    ))
    .with_lines(lines)
}

/// A block also serves `other_names`, which the certificate does not cover.
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
        "Move {names} to a separate block with {these}, because {block} also serves {}, which the \
         certificate does not cover",
        other_names.join(", ")
    ))
    .with_lines(lines)
}

/// A block serves another certificate.
#[must_use]
pub(crate) fn change_block(
    block: &ConfigBlock,
    software: ServerSoftware,
    lines: Vec<String>,
) -> NextStep {
    NextStep::say(format!(
        "To serve the new certificate there, change {} in {block} to",
        software.certificate_settings()
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
        "To serve the new certificate there, change {} in {place} to",
        software.certificate_settings()
    ))
    .with_lines(lines)
}

/// A block has several certificates, each with the paths of its chain and key: the user has to
/// choose one.
#[must_use]
pub(crate) fn name_one_of_several(paths: &[(PathBuf, PathBuf)]) -> NextStep {
    let lines = paths.iter().map(|(chain, key)| {
        format!(
            "--chain-path {} --key-path {}",
            shell_path(chain),
            shell_path(key)
        )
    });
    NextStep::say("Add the paths of the certificate with the same type of key to the command line")
        .with_lines(lines)
}

/// A block speaks TLS and has no certificate.
#[must_use]
pub(crate) fn add_certificate_to_block(block: &str, lines: Vec<String>) -> NextStep {
    NextStep::say(format!(
        "To serve the new certificate there, add to {block}"
    ))
    .with_lines(lines)
}

/// Two blocks have the same name at one address.
#[must_use]
pub(crate) fn remove_duplicate_name(name: &str) -> NextStep {
    NextStep::say(format!("Remove {name} from one of the two blocks"))
}

/// No block has the names: the server answers for them with another certificate.
#[must_use]
pub(crate) fn add_names_to_block(names: &str, software: ServerSoftware) -> NextStep {
    NextStep::say(format!(
        "To serve {names} with the new certificate, add {} to the {} of your block",
        pronoun(names),
        software.names_directive()
    ))
}

/// A block would serve `names` with a certificate that does not cover them.
#[must_use]
pub(crate) fn cover_names_or_allow(
    block: &ConfigBlock,
    names: &str,
    software: ServerSoftware,
) -> [NextStep; 3] {
    [
        NextStep::say(format!("Order a certificate that also covers {names}")),
        NextStep::say(format!(
            "Or, if {names} should not be served, remove {} from {} in {block}",
            pronoun(names),
            software.names_directive()
        )),
        NextStep::say(format!(
            "Or accept that browsers reject the certificate for {names}: add \
             `--allow names-not-covered`"
        )),
    ]
}

/// "it" for one name, "them" for a list of names joined by commas.
fn pronoun(names: &str) -> &'static str {
    if names.contains(", ") { "them" } else { "it" }
}

/// A server staples OCSP responses, and the certificate names no OCSP responder.
#[must_use]
pub(crate) fn remove_stapling(place: &str, software: ServerSoftware) -> NextStep {
    NextStep::say(format!(
        "Remove `{}` from {place}: clients do not need stapled OCSP responses",
        software.stapling_directive()
    ))
}

/// The new block is only an addition to the end of an existing line.
#[must_use]
pub(crate) fn append_to_line(addition: &BlockAddition) -> NextStep {
    NextStep::say(format!(
        "Add this to the end of the line {}:{}",
        addition.file.display(),
        addition.line
    ))
    .with_lines(addition.lines.clone())
}

/// A block could not be written to a file; `place` is the file to paste it into.
#[must_use]
pub(crate) fn paste_block(place: &str, written: &WrittenBlock) -> NextStep {
    let lines = written.text.lines().map(str::to_owned);
    NextStep::say(format!("Paste this block into {place}")).with_lines(lines)
}

/// The configuration includes no folder: it has to include the new file itself.
#[must_use]
pub(crate) fn include_file(software: ServerSoftware, place: &str, file: &Path) -> NextStep {
    let line = match software {
        ServerSoftware::Nginx => format!("include {};", file.display()),
        _ => format!("Include {}", file.display()),
    };
    NextStep::say(format!("Add this line to {place}")).with_lines([line])
}

/// Returns the command that enables `site` of `sites-available` in the folder `enabled`.
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

/// Returns the command that moves the file of a block into a folder that the server reads.
#[must_use]
pub(crate) fn move_file_command(file: &Path, folder: &Path) -> String {
    let folder = shell_word(&format!("{}/", folder.display()));
    format!("sudo mv {} {folder}", shell_path(file))
}

/// Returns the command that appends the file of a block to the main configuration.
#[must_use]
pub(crate) fn append_file_command(main_config: &Path, file: &Path) -> String {
    format!(
        "sudo tee -a {} <{} >/dev/null",
        shell_path(main_config),
        shell_path(file)
    )
}
