//! The server block for a certificate that no block names yet, written to the working directory.
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

/// What became of the block.
#[derive(Debug)]
pub(crate) enum BlockAdvice {
    /// An existing site names the files, and the server does not read it.
    Disabled {
        software: ServerSoftware,
        site: PathBuf,
        /// The folder that the server reads.
        enabled: PathBuf,
    },
    /// Blocks serve these names with other files: their lines are to be changed.
    Elsewhere {
        software: ServerSoftware,
        blocks: Vec<String>,
    },
    /// Another file has the name; it is kept.
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
    /// It is in this file.
    Wrote {
        software: ServerSoftware,
        path: PathBuf,
        written: WrittenBlock,
    },
}

/// How the block gets to where the server reads it.
#[derive(Debug)]
pub(crate) enum BlockPlacement {
    /// By lines in its configuration.
    ByHand(NextStep),
    /// By this command.
    Move(String),
    /// There is no file to place.
    Nothing,
}

/// A larger block was not written here.
const LIMIT: u64 = 1024 * 1024;

/// Writes the block, unless that is done already or another file exists. The certificate is
/// installed by now: a block that cannot be written is reported with the rest.
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

/// A block that exists: only its lines, or its link, are missing.
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

/// Whose the file of a block is.
enum BlockFile {
    /// It has the block.
    Ours,
    /// It has something else.
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

/// What the file of the block is called.
#[must_use]
pub(crate) fn file_name(stem: &str, software: ServerSoftware) -> String {
    // HAProxy reads the files of a folder whose names end so.
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
                "{} does not use them yet: {} names them and is not in {}",
                software.title(),
                site.display(),
                enabled.display()
            ),
            Self::Kept { software, path } => format!(
                "{} does not use them yet; {} is there already, is another one and was kept",
                software.title(),
                path.display()
            ),
            Self::None => "the server does not use them yet".to_owned(),
            Self::Unwritten {
                software, reason, ..
            } => format!(
                "{} does not use them yet, and its block is in no file: {reason}",
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
                    .map(|to| format!(", proxy to {to}"))
                    .unwrap_or_default();
                format!(
                    "{} does not use them yet; wrote {} (80 to 443{upstream})",
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

    /// How the block gets to where the server reads it: by a folder that its configuration
    /// includes.
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

    /// The file of a block that is to be placed.
    fn file(&self) -> Option<&Path> {
        match self {
            Self::Wrote { path, .. } | Self::Kept { path, .. } | Self::Unwritten { path, .. } => {
                Some(path)
            }
            Self::Disabled { .. } | Self::Elsewhere { .. } | Self::None => None,
        }
    }
}

/// Where a block in the file `path` can go.
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

    /// The file that the block is pasted into.
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

    /// Moves the file to where it is included, after these commands.
    fn place_file(&self, mut commands: Vec<String>) -> BlockPlacement {
        match self.folder {
            Some(folder) => commands.extend(self.move_into(folder)),
            // Nothing is included: the main configuration itself grows.
            None if self.software == ServerSoftware::Haproxy => {
                let append = server_blocks::append_file_command(self.main_config, self.path);
                commands.push(append);
            }
            None => return BlockPlacement::ByHand(self.include_by_hand()),
        }
        BlockPlacement::Move(commands.join(" && "))
    }

    /// The commands that move the file into `folder`, or, for Apache on Debian, into
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

/// The only addition of a block that consists of nothing else.
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
