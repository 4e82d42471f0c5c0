//! Writes a server block for a certificate that no block references yet to the working directory.
//! Existing files are never replaced.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::advice::server_blocks;
use crate::context::Context;
use crate::finding::{Finding, NextStep};
use crate::install::preflight::PreflightState;
use crate::install::servers::disabled_sites;
use crate::install::servers::{ServerUse, dns_names};
use crate::permissions::Mode;
use crate::system::fs::files::{self, FileError};
use crate::system::fs::folders;
use crate::webserver::model::{
    BlockAddition, DEFAULT_WEB_PORTS, NewBlock, ServerSoftware, WrittenBlock,
};
use crate::wording::with_causes;

/// The result of writing a block.
#[derive(Debug)]
pub(crate) enum BlockAdvice {
    /// An existing site references the files, and is not enabled.
    Disabled {
        software: ServerSoftware,
        site: PathBuf,
        /// The folder that the server reads.
        enabled: PathBuf,
    },
    /// Blocks serve these names with other files: their lines have to be changed.
    Elsewhere {
        software: ServerSoftware,
        blocks: Vec<String>,
    },
    /// Another file with this name exists and was kept.
    Kept {
        software: ServerSoftware,
        path: PathBuf,
    },
    /// certctl cannot write blocks for this server.
    None,
    /// It could not be written to `path`.
    Unwritten {
        software: ServerSoftware,
        path: PathBuf,
        reason: String,
        written: WrittenBlock,
    },
    /// It was written to this file, or was there already.
    Wrote {
        software: ServerSoftware,
        path: PathBuf,
        written: WrittenBlock,
    },
}

/// How the block gets to a place where the server reads it.
#[derive(Debug)]
pub(crate) enum BlockPlacement {
    /// A person adds lines to the configuration.
    ByHand(NextStep),
    /// This command moves it.
    Move(String),
    /// There is no file to move.
    Nothing,
}

/// A larger file was not written by certctl.
const LIMIT: u64 = 1024 * 1024;

/// Writes the block, unless it exists already or another file has its name. The certificate is
/// installed at this point, so a failure to write the block is part of the result.
#[must_use]
pub(crate) fn write(
    context: &Context,
    situation: &PreflightState,
    server_use: &ServerUse,
) -> BlockAdvice {
    let (Some(program), Some(observation)) =
        (server_use.program(), &server_use.observed.observation)
    else {
        return BlockAdvice::None;
    };
    let software = program.software();
    if let Some(advice) = use_existing_block(server_use, software) {
        return advice;
    }
    let names = dns_names(&situation.wanted.certificates);
    let written = observation.write_block(NewBlock {
        names: &names,
        links: &server_use.links,
        ipv6: observation.ipv6,
        ports: DEFAULT_WEB_PORTS,
    });
    let path = context.path_of(file_name(situation.layout.stem(), software));
    match write_file(&path, written.text.as_bytes()) {
        Ok(BlockFile::Ours) => BlockAdvice::Wrote {
            software,
            path,
            written,
        },
        Ok(BlockFile::Foreign) => BlockAdvice::Kept { software, path },
        Err(error) => BlockAdvice::Unwritten {
            software,
            path,
            reason: with_causes(&error),
            written,
        },
    }
}

/// Returns the advice if a block exists already, and only its lines or its link are missing.
fn use_existing_block(server_use: &ServerUse, software: ServerSoftware) -> Option<BlockAdvice> {
    if !server_use.blocks_elsewhere.is_empty() {
        let blocks = server_use.blocks_elsewhere.clone();
        return Some(BlockAdvice::Elsewhere { software, blocks });
    }
    let site = server_use
        .observed
        .disabled_sites()
        .iter()
        .find(|site| site.mentions_any(&server_use.links))?;
    Some(BlockAdvice::Disabled {
        software,
        site: site.path.clone(),
        enabled: site.enabled.clone(),
    })
}

/// The content of the file of a block.
enum BlockFile {
    /// The block.
    Ours,
    /// Something else.
    Foreign,
}

fn write_file(path: &Path, block: &[u8]) -> Result<BlockFile, FileError> {
    match files::read(path, LIMIT) {
        Ok(existing) if existing == block => Ok(BlockFile::Ours),
        Ok(_) => Ok(BlockFile::Foreign),
        Err(error) if error.is_missing() => {
            files::create_new(path, block, Mode::new(0o644))?;
            Ok(BlockFile::Ours)
        }
        Err(error) => Err(error),
    }
}

/// Returns the file name of the block.
#[must_use]
pub(crate) fn file_name(stem: &str, software: ServerSoftware) -> String {
    // HAProxy reads only the files of a folder whose names end in .cfg.
    let extension = if software == ServerSoftware::Haproxy {
        "cfg"
    } else {
        "conf"
    };
    format!("{stem}.{}.{extension}", software.name())
}

impl BlockAdvice {
    #[must_use]
    pub(crate) fn finding(&self) -> Finding {
        let additions = self
            .written()
            .map(|written| written.additions.as_slice())
            .unwrap_or_default();
        let lines = additions.iter().flat_map(addition_lines);
        Finding::error("not-served", self.message()).with_quote(lines)
    }

    fn message(&self) -> String {
        match self {
            Self::Elsewhere { software, blocks } => format!(
                "{} serves these names with other files: {}",
                software.title(),
                blocks.join(", ")
            ),
            Self::Disabled {
                software,
                site,
                enabled,
            } => format!(
                "{} does not use these files yet: the site {} references them, but is not enabled in {}",
                software.title(),
                site.display(),
                enabled.display()
            ),
            Self::Kept { software, path } => format!(
                "{} does not use these files yet; {} exists already with other content and was kept",
                software.title(),
                path.display()
            ),
            Self::None => "the server does not use these files yet".to_owned(),
            Self::Unwritten {
                software, reason, ..
            } => format!(
                "{} does not use these files yet, and the server block could not be written: {reason}",
                software.title()
            ),
            Self::Wrote {
                software,
                path,
                written,
            } => {
                let upstream = written
                    .upstream
                    .as_ref()
                    .map(|to| format!(", which passes requests to {to}"))
                    .unwrap_or_default();
                format!(
                    "{} does not use these files yet; a server block for them is in {}{upstream}",
                    software.title(),
                    path.display()
                )
            }
        }
    }

    fn written(&self) -> Option<&WrittenBlock> {
        match self {
            Self::Wrote { written, .. } | Self::Unwritten { written, .. } => Some(written),
            _ => None,
        }
    }

    /// Returns how the block gets to a place where the server reads it, such as a folder that its
    /// configuration includes.
    #[must_use]
    pub(crate) fn placement(&self, server_use: &ServerUse) -> BlockPlacement {
        let (Some(program), Some(observation)) =
            (server_use.program(), &server_use.observed.observation)
        else {
            return BlockPlacement::Nothing;
        };
        if let Self::Disabled {
            software,
            site,
            enabled,
        } = self
        {
            let command = server_blocks::enable_site_command(*software, site, enabled);
            return BlockPlacement::Move(command);
        }
        let Some(path) = self.file() else {
            return BlockPlacement::Nothing;
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut included = observation.config.folders_including(&name);
        let target = BlockTarget {
            path,
            software: program.software(),
            main_config: program.config_file(),
            folder: included.find(|folder| folders::is_folder(folder)),
        };
        if let Some(addition) = self.written().and_then(only_addition) {
            return BlockPlacement::ByHand(server_blocks::append_to_line(addition));
        }
        if let Self::Unwritten { written, .. } = self {
            let step = server_blocks::paste_block(&target.place_to_paste(), written);
            return BlockPlacement::ByHand(step);
        }
        let commands_before = self
            .written()
            .map(|written| written.commands_before.clone());
        target.place_file(commands_before.unwrap_or_default())
    }

    /// Returns the file of a block that has to be moved.
    fn file(&self) -> Option<&Path> {
        match self {
            Self::Wrote { path, .. } | Self::Kept { path, .. } | Self::Unwritten { path, .. } => {
                Some(path)
            }
            Self::Disabled { .. } | Self::Elsewhere { .. } | Self::None => None,
        }
    }
}

/// The places for a block in the file `path`.
struct BlockTarget<'a> {
    path: &'a Path,
    software: ServerSoftware,
    main_config: &'a Path,
    /// A folder whose files the configuration includes.
    folder: Option<&'a Path>,
}

impl BlockTarget<'_> {
    fn file_name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }

    /// Returns the file into which the block is to be pasted.
    fn place_to_paste(&self) -> String {
        match self.folder {
            Some(folder) => folder.join(self.file_name()).display().to_string(),
            None => self.place_in_main_config(),
        }
    }

    fn place_in_main_config(&self) -> String {
        let main_config = self.main_config.display();
        if self.software == ServerSoftware::Nginx {
            format!("the http block of {main_config}")
        } else {
            main_config.to_string()
        }
    }

    /// Returns the commands that move the file into an included folder, after `commands`.
    fn place_file(&self, mut commands: Vec<String>) -> BlockPlacement {
        match self.folder {
            Some(folder) => commands.extend(self.move_into(folder)),
            // No folder is included: the block is appended to the main configuration.
            None if self.software == ServerSoftware::Haproxy => {
                let append = server_blocks::append_file_command(self.main_config, self.path);
                commands.push(append);
            }
            None => return BlockPlacement::ByHand(self.include_by_hand()),
        }
        BlockPlacement::Move(commands.join(" && "))
    }

    /// Returns the commands that move the file into `folder` or, for Apache on Debian, into
    /// `sites-available` with a link in `folder`.
    fn move_into(&self, folder: &Path) -> Vec<String> {
        let available = disabled_sites::available_sites(folder)
            .filter(|_| self.software == ServerSoftware::Apache);
        let Some(available) = available else {
            return vec![server_blocks::move_file_command(self.path, folder)];
        };
        let site = available.join(self.file_name());
        vec![
            server_blocks::move_file_command(self.path, &available),
            server_blocks::enable_site_command(self.software, &site, folder),
        ]
    }

    fn include_by_hand(&self) -> NextStep {
        let file = folders::absolute(self.path).unwrap_or_else(|_| self.path.to_owned());
        server_blocks::include_file(self.software, &self.place_in_main_config(), &file)
    }
}

/// Returns the only addition of a block that consists of nothing else.
fn only_addition(written: &WrittenBlock) -> Option<&BlockAddition> {
    let is_comment = |line: &str| line.is_empty() || line.starts_with('#');
    match written.additions.as_slice() {
        [addition] if written.text.lines().all(is_comment) => Some(addition),
        _ => None,
    }
}

fn addition_lines(addition: &BlockAddition) -> Vec<String> {
    let place = format!("add to {}:{}:", addition.file.display(), addition.line);
    let mut lines = vec![place];
    lines.extend(addition.lines.iter().cloned());
    lines
}
