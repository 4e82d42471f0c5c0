//! Whether certctl may keep the paths that a server's configuration names already (product
//! contract, "Files").

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::finding::{Finding, NextStep, shell_word};
use crate::install_plan::observe;
use crate::pki::name::DnsName;
use crate::store::layout::{LineageLayout, ReleaseFile, StableLink};
use crate::system::fs::folders;
use crate::webserver::model::{
    BlockCoverage, ConfigBlock, ConfiguredCertificate, ServerConfig, ServerSoftware,
};

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
pub(crate) enum PathAdoption {
    /// These, and what is worth telling.
    Adopted(Vec<StableLink>, Vec<Finding>),
    /// There is no TLS block for these names.
    Nothing,
    /// There are, and none may be adopted.
    Refused(Vec<AdoptionRefusal>),
}

/// Why the paths of a block stay as they are.
#[derive(Debug)]
pub(crate) struct AdoptionRefusal {
    /// `FILE:LINE`.
    pub block: String,
    software: ServerSoftware,
    why: String,
    /// Its pairs, where it has several.
    several: Vec<(PathBuf, PathBuf)>,
}

impl AdoptionRefusal {
    /// What to tell: the lines to change, for the server to read `links`.
    #[must_use]
    pub(crate) fn finding(&self, links: &[StableLink]) -> Finding {
        let lines = self.software.lines(links);
        let finding = Finding::warning(
            "paths-not-adopted",
            format!("{} names other files: {}", self.block, self.why),
        );
        if !self.several.is_empty() {
            let next = "add the files of the one with the same kind of key to the command line; \
                these are there:";
            return finding.with(NextStep::say(next).pasting(self.several.iter().map(
                |(chain, key)| {
                    let [chain, key] =
                        [chain, key].map(|path| shell_word(&path.display().to_string()));
                    format!("--chain-path {chain} --key-path {key}")
                },
            )));
        }
        finding.with(
            NextStep::say(format!(
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
    config: &ServerConfig,
    names: &[DnsName],
    root: &Path,
    usual: &LineageLayout,
) -> Result<PathAdoption, Failure> {
    let mut refusals = Vec::new();
    for block in config.serving(names).filter(|block| block.speaks_tls()) {
        match judge(config, block, names, root, usual)? {
            Ok(links) => {
                let nameless = nameless(config, names, &links);
                return Ok(PathAdoption::Adopted(links, nameless));
            }
            Err(why) => {
                let (block, several) = (block.to_string(), several(block));
                refusals.push(AdoptionRefusal {
                    block,
                    software: config.software,
                    why,
                    several,
                });
            }
        }
    }
    Ok(if refusals.is_empty() {
        PathAdoption::Nothing
    } else {
        PathAdoption::Refused(refusals)
    })
}

fn several(block: &ConfigBlock) -> Vec<(PathBuf, PathBuf)> {
    match block.pairs.len() {
        0 | 1 => Vec::new(),
        _ => block.pairs.iter().filter_map(files).collect(),
    }
}

fn files(pair: &ConfiguredCertificate) -> Option<(PathBuf, PathBuf)> {
    match pair.links()?.as_slice() {
        [chain, key] if (chain.piece, key.piece) == (ReleaseFile::FullChain, ReleaseFile::Key) => {
            Some((chain.path.clone(), key.path.clone()))
        }
        [both] if both.piece == ReleaseFile::Combined => {
            Some((both.path.clone(), both.path.clone()))
        }
        _ => None,
    }
}

fn judge(
    config: &ServerConfig,
    block: &ConfigBlock,
    names: &[DnsName],
    root: &Path,
    usual: &LineageLayout,
) -> Result<Result<Vec<StableLink>, String>, Failure> {
    let [pair] = block.pairs.as_slice() else {
        return Ok(Err(format!("it has {} certificates", block.pairs.len())));
    };
    let Some(links) = pair.links() else {
        return Ok(Err("its files are not named by plain paths".to_owned()));
    };
    for (index, link) in links.iter().enumerate() {
        // They are real paths: they are inside of the tree as they are, or not at all.
        let real = StableLink::new(folders::real(&link.path)?, link.piece);
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
            BlockCoverage::Lacks(lacking) => {
                return Ok(Err(format!(
                    "{other} serves {} with them too",
                    lacking.join(", ")
                )));
            }
            BlockCoverage::CannotTell(patterns) => {
                let patterns = patterns.join(", ");
                let title = config.software.title();
                let why = format!(
                    "{other} serves {patterns} with them, and only {title} can tell which names \
                        that is"
                );
                return Ok(Err(why));
            }
            BlockCoverage::All | BlockCoverage::Nameless => {}
        }
    }
    Ok(Ok(links))
}

/// Blocks without a name serve whatever reaches them, with these files too.
fn nameless(config: &ServerConfig, names: &[DnsName], links: &[StableLink]) -> Vec<Finding> {
    let bare = |block: &&ConfigBlock| {
        block.speaks_tls() && block.coverage(names) == BlockCoverage::Nameless
    };
    let warn = |block: &ConfigBlock| {
        let message = format!(
            "{block} has no names: it serves whatever reaches it, with the new certificate too"
        );
        Finding::warning("names-not-covered", message)
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
