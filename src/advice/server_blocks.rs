//! Advice on server blocks: which lines to change or to add, and how to enable a site.

use std::path::{Path, PathBuf};

use super::command_lines::shell_path;
use super::site_command;
use crate::finding::{NextStep, shell_word};
use crate::pki::key::KeyAlgorithm;
use crate::pki::name::DnsName;
use crate::webserver::model::{ConfigBlock, LinesPlace, LinesToAdd, ServerSoftware};
use crate::wording::joined_with_and;

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
    block: &str,
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

/// As [`change_block`], for a block without host names, which may serve other names as well.
#[must_use]
pub(crate) fn change_block_without_names(
    block: &ConfigBlock,
    software: ServerSoftware,
    lines: Vec<String>,
) -> NextStep {
    NextStep::say(format!(
        "If {block} serves only names of the new certificate, change {} in it to",
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

/// A server of the tree below `root` needs the lines; nothing of this machine is changed.
#[must_use]
pub(crate) fn add_lines_in_tree(
    software: ServerSoftware,
    root: &Path,
    lines: Vec<String>,
) -> NextStep {
    NextStep::say(format!(
        "In the configuration of {} below {}, name these files (the paths as it sees them)",
        software.title(),
        root.display()
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

/// No block answers for the names: these lines make the server answer for them.
#[must_use]
pub(crate) fn add_lines(software: ServerSoftware, names: &str, added: LinesToAdd) -> Vec<NextStep> {
    let mut steps = Vec::new();
    if !added.outside.is_empty() {
        let sentence = "Open the port of https: add this line outside of any virtual host";
        steps.push(NextStep::say(sentence).with_lines(added.outside));
    }
    let sentence = match added.place {
        LinesPlace::Block(place) => format!(
            "To serve {names} over https, add these lines to the {} at {place}",
            software.block_word()
        ),
        LinesPlace::LineEnds(places) => format!(
            "To serve {names} over https, add this to the end of {} (or to the folder or list that \
             is named there)",
            joined_with_and(&places)
        ),
        LinesPlace::OwnBlock => format!(
            "Put these lines into the {} for {names} over https, next to those that say what the \
             site serves",
            software.block_word()
        ),
    };
    steps.push(NextStep::say(sentence).with_lines(added.lines));
    steps
}

/// The command that writes the block, for a server for which certctl can.
#[must_use]
pub(crate) fn write_site(
    software: ServerSoftware,
    names: &[DnsName],
    place: &LinesPlace,
) -> Vec<NextStep> {
    let Some(name) = names.first().filter(|_| software == ServerSoftware::Nginx) else {
        return Vec::new();
    };
    match place {
        LinesPlace::Block(_) => vec![site_command::adopt_block(name)],
        LinesPlace::OwnBlock => site_command::choose_content(name).into(),
        LinesPlace::LineEnds(_) => Vec::new(),
    }
}

/// Apache has not loaded its TLS module.
#[must_use]
pub(crate) fn enable_tls_module() -> NextStep {
    NextStep::run_shell("Load Apache's TLS module", "sudo a2enmod ssl")
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
