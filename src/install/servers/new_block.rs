//! The server block for a pair that no block names yet, written beside the user: what is there is
//! never replaced.

use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::finding::{Finding, NextStep, shell_word};
use crate::install::preflight::PreflightState;
use crate::install::servers::disabled_sites;
use crate::install::servers::{ServerUse, names};
use crate::system::fs::{files, folders};
use crate::webserver::model::{BlockAddition, NewBlock, ServerSoftware, WEB, WrittenBlock};

/// What is said of the block.
#[derive(Debug)]
pub(crate) enum BlockAdvice {
    /// A site that is there names the files, and the server does not read it: its file, and the
    /// folder that it does.
    Disabled(ServerSoftware, PathBuf, PathBuf),
    /// Blocks serve these names with other files: their lines are to be changed.
    Elsewhere(ServerSoftware, Vec<String>),
    /// Another file has the name; it stays.
    Kept(ServerSoftware, PathBuf),
    /// The server is none that certctl can write for.
    None,
    /// It could not be written there, for this reason.
    Unwritten(ServerSoftware, PathBuf, String, WrittenBlock),
    /// It is in this file.
    Wrote(ServerSoftware, PathBuf, WrittenBlock),
}

/// How the block comes to where the server reads it.
#[derive(Debug)]
pub(crate) enum BlockPlacement {
    /// By lines in its configuration.
    ByHand(NextStep),
    Move(String),
    /// There is no file to place.
    Nothing,
}

/// A block larger than that was not written here.
const LIMIT: u64 = 1024 * 1024;

/// Writes it, unless that is done already or another file is there. The certificate is in place by
/// now: a block that cannot be written is told with the rest.
#[must_use]
pub(crate) fn write(context: &Context, situation: &PreflightState, one: &ServerUse) -> BlockAdvice {
    let PreflightState { wanted, layout, .. } = situation;
    let (Some(program), Some(standing)) = (one.program(), &one.looked.standing) else {
        return BlockAdvice::None;
    };
    let software = program.software();
    if !one.elsewhere.is_empty() {
        return BlockAdvice::Elsewhere(software, one.elsewhere.clone());
    }
    if let Some(site) = one
        .looked
        .unread()
        .iter()
        .find(|site| site.names(&one.links))
    {
        return BlockAdvice::Disabled(software, site.path.clone(), site.enabled.clone());
    }
    let names = names(&wanted.certificates);
    let new = NewBlock {
        names: &names,
        links: &one.links,
        ipv6: standing.ipv6,
        ports: WEB,
    };
    let written = standing.write(new);
    let path = context.here(file_name(layout.stem(), software));
    let made = match files::read(&path, LIMIT) {
        Ok(there) if there == written.text.as_bytes() => Ok(()),
        Ok(_) => return BlockAdvice::Kept(software, path),
        Err(error) if error.is_missing() => {
            files::create_new(&path, written.text.as_bytes(), 0o644)
        }
        Err(error) => Err(error),
    };
    match made {
        Ok(()) => BlockAdvice::Wrote(software, path, written),
        Err(error) => BlockAdvice::Unwritten(software, path, reason(&error), written),
    }
}

/// The command that has the server read a site of `sites-available`.
fn enabling(software: ServerSoftware, site: &Path, enabled: &Path) -> String {
    let name = site.file_name().unwrap_or_default().to_string_lossy();
    match name.strip_suffix(".conf") {
        Some(stem) if software == ServerSoftware::Apache => {
            format!("sudo a2ensite -q {}", shell_word(stem))
        }
        _ => {
            let words = [
                format!("../sites-available/{name}"),
                format!("{}/", enabled.display()),
            ];
            format!(
                "sudo ln -s {}",
                words.map(|word| shell_word(&word)).join(" ")
            )
        }
    }
}

/// What the file of the block is called.
#[must_use]
pub(crate) fn file_name(stem: &str, software: ServerSoftware) -> String {
    // What HAProxy reads of a folder ends so.
    let end = if software == ServerSoftware::Haproxy {
        "cfg"
    } else {
        "conf"
    };
    format!("{stem}.{}.{end}", software.name())
}

/// An error with its causes on one line.
fn reason(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

impl BlockAdvice {
    #[must_use]
    pub(crate) fn finding(&self) -> Finding {
        let message = match self {
            Self::Elsewhere(software, blocks) => {
                format!(
                    "{} serves these names with other files: {}",
                    software.title(),
                    blocks.join(", ")
                )
            }
            Self::Disabled(software, site, enabled) => format!(
                "{} does not use them yet: {} names them and is not in {}",
                software.title(),
                site.display(),
                enabled.display()
            ),
            Self::Kept(software, path) => format!(
                "{} does not use them yet; {} is there already, is another one and was kept",
                software.title(),
                path.display()
            ),
            Self::None => "the server does not use them yet".to_owned(),
            Self::Unwritten(software, _, reason, _) => {
                format!(
                    "{} does not use them yet, and its block is in no file: {reason}",
                    software.title()
                )
            }
            Self::Wrote(software, path, written) => {
                let upstream = written
                    .upstream
                    .as_ref()
                    .map(|to| format!(", proxy to {to}"))
                    .unwrap_or_default();
                let title = software.title();
                format!(
                    "{title} does not use them yet; wrote {} (80 to 443{upstream})",
                    path.display()
                )
            }
        };
        let additions = match self {
            Self::Wrote(_, _, written) | Self::Unwritten(_, _, _, written) => {
                written.additions.as_slice()
            }
            _ => &[],
        };
        Finding::error("not-served", message).quoting(additions.iter().flat_map(addition))
    }

    /// How it comes to where the server reads it: by a folder that its configuration includes.
    #[must_use]
    pub(crate) fn next(&self, one: &ServerUse) -> BlockPlacement {
        let (Some(program), Some(standing)) = (one.program(), &one.looked.standing) else {
            return BlockPlacement::Nothing;
        };
        if let Self::Disabled(software, site, enabled) = self {
            return BlockPlacement::Move(enabling(*software, site, enabled));
        }
        let (Self::Wrote(_, path, _) | Self::Kept(_, path) | Self::Unwritten(_, path, ..)) = self
        else {
            return BlockPlacement::Nothing;
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let folder = standing
            .config
            .including(&name)
            .find(|folder| folders::is_folder(folder));
        let main = program.config_file();
        let written = match self {
            Self::Wrote(_, _, written) | Self::Unwritten(_, _, _, written) => Some(written),
            _ => None,
        };
        let first = written
            .map(|written| written.first.as_slice())
            .unwrap_or_default();
        if let Some([one]) = written
            .map(|written| written.additions.as_slice())
            .filter(|_| is_all_said(written))
        {
            let place = format!(
                "add to the end of the line {}:{}:",
                one.file.display(),
                one.line
            );
            return BlockPlacement::ByHand(NextStep::say(place).pasting(one.lines.clone()));
        }
        match (self, folder) {
            (Self::Unwritten(_, _, _, written), folder) => {
                let lines = written.text.lines().map(str::to_owned);
                let place = match folder {
                    Some(folder) => format!("paste it into {}:", folder.join(&*name).display()),
                    None => format!("paste it into {}:", whole(program.software(), main)),
                };
                BlockPlacement::ByHand(NextStep::say(place).pasting(lines))
            }
            (_, Some(folder)) => {
                // Debian's way with Apache's sites.
                let software = program.software();
                let kept = disabled_sites::available(folder)
                    .filter(|_| software == ServerSoftware::Apache);
                let words = [
                    path.display().to_string(),
                    format!("{}/", kept.as_deref().unwrap_or(folder).display()),
                ];
                let command = format!("sudo mv {}", words.map(|word| shell_word(&word)).join(" "));
                let enable = kept.map(|kept| enabling(software, &kept.join(&*name), folder));
                BlockPlacement::Move(after(
                    first,
                    std::iter::once(command)
                        .chain(enable)
                        .collect::<Vec<_>>()
                        .join(" && "),
                ))
            }
            // Nothing is included there: the file itself grows.
            (_, None) if program.software() == ServerSoftware::Haproxy => {
                let words = [main, path].map(|path| shell_word(&path.display().to_string()));
                BlockPlacement::Move(after(
                    first,
                    format!("sudo tee -a {} <{} >/dev/null", words[0], words[1]),
                ))
            }
            (_, None) => {
                let path = folders::absolute(path).unwrap_or_else(|_| path.clone());
                let line = match program.software() {
                    ServerSoftware::Nginx => format!("include {};", path.display()),
                    _ => format!("Include {}", path.display()),
                };
                BlockPlacement::ByHand(NextStep::say(format!(
                    "add to {}:  {line}",
                    whole(program.software(), main)
                )))
            }
        }
    }
}

/// Where a block is pasted when nothing is included.
fn whole(software: ServerSoftware, main: &Path) -> String {
    let place = if software == ServerSoftware::Nginx {
        "the http block of "
    } else {
        ""
    };
    format!("{place}{}", main.display())
}

/// Whether there is no block, and the lines to add say all.
fn is_all_said(written: Option<&WrittenBlock>) -> bool {
    written.is_some_and(|written| {
        written
            .text
            .lines()
            .all(|line| line.is_empty() || line.starts_with('#'))
    })
}

fn after(first: &[String], command: String) -> String {
    first
        .iter()
        .cloned()
        .chain([command])
        .collect::<Vec<_>>()
        .join(" && ")
}

fn addition(addition: &BlockAddition) -> Vec<String> {
    let place = format!("add to {}:{}:", addition.file.display(), addition.line);
    std::iter::once(place)
        .chain(addition.lines.iter().cloned())
        .collect()
}
