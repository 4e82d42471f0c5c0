//! Whether certctl may keep the paths that a server's configuration names already (product
//! contract, "Files").

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::finding::{Finding, Next, shell_word};
use crate::install_plan::observe;
use crate::pki::name::DnsName;
use crate::store::layout::{Layout, Link, Piece};
use crate::system::fs::folders;
use crate::webserver::model::{Block, Config, Coverage, Pair, Software};

/// Other tools' trees: they put their files back whenever they like.
const FOREIGN: [(&str, &str); 6] = [
    ("/etc/letsencrypt/", "certbot"),
    ("/etc/dehydrated/", "dehydrated"),
    ("/var/lib/dehydrated/", "dehydrated"),
    ("/var/lib/acme/", "an ACME client"),
    ("/.acme.sh/", "acme.sh"),
    ("/usr/", "a package"),
];

/// What comes of the paths that the configuration names for these names.
#[derive(Debug)]
pub(crate) enum Adoption {
    /// These, and what is worth telling.
    Adopted(Vec<Link>, Vec<Finding>),
    /// There is no TLS block for these names.
    Nothing,
    /// There are, and none may be adopted.
    Refused(Vec<Refusal>),
}

/// Why the paths of a block stay as they are.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// `FILE:LINE`.
    pub block: String,
    software: Software,
    why: String,
    /// Its pairs, where it has several.
    several: Vec<(PathBuf, PathBuf)>,
}

impl Refusal {
    /// What to tell: the lines to change, for the server to read `links`.
    #[must_use]
    pub(crate) fn finding(&self, links: &[Link]) -> Finding {
        let lines = self.software.lines(links);
        let finding = Finding::warning(
            "paths-not-adopted",
            format!("{} names other files: {}", self.block, self.why),
        );
        if !self.several.is_empty() {
            let next = "add the files of the one with the same kind of key to the command line; \
                these are there:";
            return finding.with(Next::say(next).pasting(self.several.iter().map(
                |(chain, key)| {
                    let [chain, key] =
                        [chain, key].map(|path| shell_word(&path.display().to_string()));
                    format!("--chain-path {chain} --key-path {key}")
                },
            )));
        }
        finding.with(
            Next::say(format!(
                "to serve the new certificate there, change {} of {}:",
                self.software.what_changes(),
                self.block
            ))
            .pasting(lines),
        )
    }
}

/// The first pair of a TLS block for `names` that may be adopted.
///
/// # Errors
/// When a path cannot be looked at.
pub(crate) fn adopt(
    config: &Config,
    names: &[DnsName],
    root: &Path,
    usual: &Layout,
) -> Result<Adoption, Failure> {
    let mut refusals = Vec::new();
    for block in config.serving(names).filter(|block| block.speaks_tls()) {
        match judge(config, block, names, root, usual)? {
            Ok(links) => {
                let nameless = nameless(config, names, &links);
                return Ok(Adoption::Adopted(links, nameless));
            }
            Err(why) => {
                let (block, several) = (block.to_string(), several(block));
                refusals.push(Refusal {
                    block,
                    software: config.software,
                    why,
                    several,
                });
            }
        }
    }
    Ok(if refusals.is_empty() {
        Adoption::Nothing
    } else {
        Adoption::Refused(refusals)
    })
}

fn several(block: &Block) -> Vec<(PathBuf, PathBuf)> {
    match block.pairs.len() {
        0 | 1 => Vec::new(),
        _ => block.pairs.iter().filter_map(files).collect(),
    }
}

fn files(pair: &Pair) -> Option<(PathBuf, PathBuf)> {
    match pair.links()?.as_slice() {
        [chain, key] if (chain.piece, key.piece) == (Piece::FullChain, Piece::Key) => {
            Some((chain.path.clone(), key.path.clone()))
        }
        [both] if both.piece == Piece::Combined => Some((both.path.clone(), both.path.clone())),
        _ => None,
    }
}

fn judge(
    config: &Config,
    block: &Block,
    names: &[DnsName],
    root: &Path,
    usual: &Layout,
) -> Result<Result<Vec<Link>, String>, Failure> {
    let [pair] = block.pairs.as_slice() else {
        return Ok(Err(format!("it has {} certificates", block.pairs.len())));
    };
    let Some(links) = pair.links() else {
        return Ok(Err("its files are not named by plain paths".to_owned()));
    };
    for (index, link) in links.iter().enumerate() {
        // They are real paths: they are inside of the tree as they are, or not at all.
        let real = Link::new(folders::real(&link.path)?, link.piece);
        if !real.path.starts_with(root) {
            return Ok(Err(format!("they lie outside of {}", root.display())));
        }
        if links[..index].iter().any(|other| other.path == link.path) {
            return Ok(Err("chain and key are one file".to_owned()));
        }
        if usual.is_own(&real.path) {
            return Ok(Err(
                "they lie in certctl's own folder, past the links that it keeps for servers"
                    .to_owned(),
            ));
        }
        // A link on the way may lead into another tool's tree.
        for path in [&link.path, &real.path] {
            if let Some(why) = foreign(&usual.inside(path)) {
                return Ok(Err(why));
            }
        }
        // Nothing, a plain file or our link can be adopted.
        if let Err(obstacle) = observe::spot(usual, &real)? {
            return Ok(Err(obstacle.to_string()));
        }
    }
    for other in links.iter().flat_map(|link| config.mentioning(&link.path)) {
        match other.coverage(names) {
            Coverage::Lacks(lacking) => {
                return Ok(Err(format!(
                    "{other} serves {} with them too",
                    lacking.join(", ")
                )));
            }
            Coverage::CannotTell(patterns) => {
                let patterns = patterns.join(", ");
                let title = config.software.title();
                let why = format!(
                    "{other} serves {patterns} with them, and only {title} can tell which names \
                        that is"
                );
                return Ok(Err(why));
            }
            Coverage::All | Coverage::Nameless => {}
        }
    }
    Ok(Ok(links))
}

/// Blocks without a name serve whatever reaches them, with these files too.
fn nameless(config: &Config, names: &[DnsName], links: &[Link]) -> Vec<Finding> {
    let bare = |block: &&Block| block.speaks_tls() && block.coverage(names) == Coverage::Nameless;
    let warn = |block: &Block| {
        let message = format!(
            "{block} has no names: it serves whatever reaches it, with the new certificate too"
        );
        Finding::warning("block-not-covered", message)
    };
    config.naming(links).filter(bare).map(warn).collect()
}

fn foreign(path: &Path) -> Option<String> {
    let text = path.to_string_lossy();
    if text.contains("snakeoil") {
        return Some(format!("{text} is the machine's own test pair"));
    }
    let (_, tool) = FOREIGN
        .iter()
        .find(|(tree, _)| text.starts_with(tree) || (tree.contains("/.") && text.contains(tree)))?;
    Some(format!("{text} is kept by {tool}"))
}

#[cfg(test)]
mod tests {
    use super::foreign;

    #[test]
    fn other_tools_trees_are_theirs() {
        for (path, theirs) in [
            ("/etc/letsencrypt/live/example.com/fullchain.pem", true),
            ("/root/.acme.sh/example.com/fullchain.cer", true),
            ("/etc/ssl/certs/ssl-cert-snakeoil.pem", true),
            ("/usr/share/x/cert.pem", true),
            ("/etc/ssl/your_site.crt", false),
            ("/etc/nginx/ssl/site.key", false),
        ] {
            assert_eq!(foreign(path.as_ref()).is_some(), theirs, "{path}");
        }
    }
}
