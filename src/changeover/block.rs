//! The server block for a pair that no block names yet, written beside the user: what is there is never replaced.

use std::path::PathBuf;

use super::serving::names;
use super::situation::Situation;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, shell_word};
use crate::install::nginx::write::WEB;
use crate::install::nginx::{Site, Written};
use crate::install::server::Server;
use crate::system::{files, folders};

/// What is said of the block.
#[derive(Debug)]
pub enum Block {
    /// Blocks serve these names with other files: their lines are to be changed.
    Elsewhere(Vec<String>),
    /// Another file has the name; it stays.
    Kept(PathBuf),
    /// The server is not nginx.
    None,
    /// It is in this file.
    Wrote(PathBuf, Written),
}

/// How the block comes to where nginx reads it.
#[derive(Debug)]
pub enum Placing {
    /// By a line in its configuration, in words.
    ByHand(String),
    /// By this command.
    Move(String),
    /// There is no file to place.
    Nothing,
}

/// A block larger than that was not written here.
const LIMIT: u64 = 1024 * 1024;

/// Writes it, unless that is done already or another file is there.
///
/// # Errors
/// When the file cannot be read or written.
pub fn write(context: &Context, situation: &Situation) -> Result<Block, Failure> {
    let Situation { serving, wanted, layout, .. } = situation;
    let (Server::Nginx(nginx), Some(standing)) = (&serving.server, &serving.standing) else { return Ok(Block::None) };
    if !serving.elsewhere.is_empty() {
        return Ok(Block::Elsewhere(serving.elsewhere.clone()));
    }
    let names = names(&wanted.certificates);
    let (certificate, key) = (serving.named.0.as_path(), serving.named.1.as_path());
    let site = Site {
        names: &names,
        certificate,
        key,
        build: &nginx.build,
        config: &standing.config,
        ipv6: standing.ipv6,
        ports: WEB,
    };
    let written = site.write();
    let path = context.here(format!("{}.nginx.conf", layout.stem()));
    match files::read(&path, LIMIT) {
        Ok(there) if there == written.text.as_bytes() => Ok(Block::Wrote(path, written)),
        Ok(_) => Ok(Block::Kept(path)),
        Err(error) if error.is_missing() => {
            files::create_new(&path, written.text.as_bytes(), 0o644)?;
            Ok(Block::Wrote(path, written))
        }
        Err(error) => Err(error.into()),
    }
}

impl Block {
    /// What is said.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let message = match self {
            Self::Elsewhere(blocks) => format!("nginx serves these names with other files: {}", blocks.join(", ")),
            Self::Kept(path) => {
                format!("nginx does not use them yet; {} is there already, is another one and was kept", path.display())
            }
            Self::None => "the server does not use them yet".to_owned(),
            Self::Wrote(path, written) => {
                let upstream = written.upstream.as_ref().map(|to| format!(", proxy to {to}")).unwrap_or_default();
                format!("nginx does not use them yet; wrote {} (80 to 443{upstream})", path.display())
            }
        };
        let additions = match self {
            Self::Wrote(_, written) => written.additions.as_slice(),
            _ => &[],
        };
        Finding::error("not-served", message).quoting(additions.iter().flat_map(addition))
    }

    /// How the file comes to where nginx reads it.
    ///
    /// # Errors
    /// When the current folder is gone.
    pub fn next(&self, situation: &Situation) -> Result<Placing, Failure> {
        let (Self::Wrote(path, _) | Self::Kept(path)) = self else { return Ok(Placing::Nothing) };
        let Server::Nginx(nginx) = &situation.serving.server else { return Ok(Placing::Nothing) };
        let main = nginx.config_file();
        let folders = ["conf.d", "http.d", "sites-enabled"].map(|name| files::parent(main).join(name));
        Ok(match folders.into_iter().find(|folder| folders::is_folder(folder)) {
            Some(folder) => {
                let words = [path.display().to_string(), format!("{}/", folder.display())];
                Placing::Move(format!("sudo mv {}", words.map(|word| shell_word(&word)).join(" ")))
            }
            None => {
                let path = folders::absolute(path)?;
                Placing::ByHand(format!("add to the http block of {}:  include {};", main.display(), path.display()))
            }
        })
    }
}

fn addition(addition: &crate::install::nginx::Addition) -> Vec<String> {
    let place = format!("add to {}:{}:", addition.file.display(), addition.line);
    std::iter::once(place).chain(addition.lines.iter().cloned()).collect()
}
