//! Decides whether certctl may use the paths that a server's configuration references already
//! (product contract, "Files").

use std::path::{Path, PathBuf};

use crate::advice::{install_command, server_blocks};
use crate::failure::Failure;
use crate::finding::Finding;
use crate::install::servers::serving_checks;
use crate::install_plan::observe::{self, PathContent};
use crate::pki::name::DnsName;
use crate::secret::mask_pins;
use crate::store::layout::{KeyStorage, LineageLayout, ReleaseFile, StableLink};
use crate::system::fs::folders;
use crate::webserver::model::{
    self, BlockCoverage, CatchAllBlocks, ConfigBlock, ConfiguredCertificate, ServerConfig,
    ServerSoftware,
};

/// Folders of other tools, which may replace their files at any time.
const OTHER_TOOLS: [(&str, &str); 6] = [
    ("/etc/letsencrypt/", "certbot"),
    ("/etc/dehydrated/", "dehydrated"),
    ("/var/lib/dehydrated/", "dehydrated"),
    ("/var/lib/acme/", "an ACME client"),
    ("/.acme.sh/", "acme.sh"),
    ("/usr/", "a package"),
];

/// The part of /usr that belongs to the administrator, not to packages (Filesystem Hierarchy Standard
/// 4.9): servers that were built by hand, and the whole of FreeBSD's.
const ADMINISTRATORS_FOLDER: &str = "/usr/local/";

/// The decision about the paths that the configuration references for the certificate's names.
#[derive(Debug)]
pub(crate) enum PathAdoption {
    /// These paths are adopted; with findings to report.
    Adopted(Vec<StableLink>, Vec<Finding>),
    /// There is no TLS block for these names.
    Nothing,
    /// There are blocks, but no path of theirs may be adopted.
    Refused(Vec<AdoptionRefusal>),
}

/// Why the paths of a block are not adopted.
#[derive(Debug)]
pub(crate) struct AdoptionRefusal {
    /// `FILE:LINE`.
    pub block: String,
    software: ServerSoftware,
    reason: String,
    /// Chain and key of each of its certificates, if it has several.
    certificates: Vec<(PathBuf, PathBuf)>,
    /// Names that this block serves and the certificate does not cover.
    other_names: Vec<String>,
    /// The names of the certificate.
    names: Vec<String>,
    /// The key of the block, if that is not a file and the certificate is installed with one.
    key_reference: Option<String>,
}

impl AdoptionRefusal {
    /// Returns the finding, with the lines to change so that the server reads `links`.
    #[must_use]
    pub(crate) fn finding(&self, links: &[StableLink]) -> Finding {
        let message = format!(
            "{} uses other files, which certctl does not replace: {}",
            self.block, self.reason
        );
        let lines = self.software.certificate_lines(links);
        if self.key_reference.is_some() {
            return Finding::warning("paths-not-adopted", message)
                .with_step(install_command::install_without_key());
        }
        let next = if !self.other_names.is_empty() {
            // With the new certificate, the block would lose these names.
            let names = self.names.join(", ");
            server_blocks::give_names_their_own_block(&self.block, &names, &self.other_names, lines)
        } else if self.certificates.is_empty() {
            server_blocks::change_unadopted_block(&self.block, self.software, lines)
        } else {
            server_blocks::name_one_of_several(&self.certificates)
        };
        Finding::warning("paths-not-adopted", message).with_step(next)
    }
}

/// The input of the decision whether the paths of a block may be adopted.
struct AdoptionRules<'a> {
    config: &'a ServerConfig,
    names: &'a [DnsName],
    root: &'a Path,
    usual: &'a LineageLayout,
    /// The blocks without a host name that answer for the names.
    catch_alls: CatchAllBlocks,
}

/// The decision about one block.
enum BlockAdoption {
    Allowed(Vec<StableLink>),
    Refused(AdoptionObstacle),
}

/// Why the paths of a block are not adopted.
struct AdoptionObstacle {
    reason: String,
    /// Names that this block serves and the certificate does not cover.
    other_names: Vec<String>,
    /// The key of the block, if that is not a file and the certificate is installed with one.
    key_reference: Option<String>,
}

impl From<String> for AdoptionObstacle {
    fn from(reason: String) -> Self {
        Self {
            reason,
            other_names: Vec::new(),
            key_reference: None,
        }
    }
}

/// Adopts the paths of the first TLS block for `names` whose paths may be adopted: a block with one of
/// them, or, if there is none, one without a host name that answers for them.
///
/// # Errors
/// When a path cannot be read.
pub(crate) fn adopt(
    config: &ServerConfig,
    names: &[DnsName],
    root: &Path,
    usual: &LineageLayout,
) -> Result<PathAdoption, Failure> {
    let rules = AdoptionRules {
        config,
        names,
        root,
        usual,
        catch_alls: CatchAllBlocks::find(config, names),
    };
    let mut refusals = Vec::new();
    let named = config
        .blocks_serving(names)
        .filter(|block| block.speaks_tls());
    for block in named.chain(&rules.catch_alls.answering) {
        match rules.check_block(block)? {
            BlockAdoption::Allowed(links) => {
                let findings = rules.check_nameless_blocks(&links);
                return Ok(PathAdoption::Adopted(links, findings));
            }
            BlockAdoption::Refused(obstacle) => refusals.push(rules.refusal(block, obstacle)),
        }
    }
    for block in &rules.catch_alls.undecided {
        let title = config.software.title();
        let reason = format!("only {title} knows whether this block answers for these names");
        refusals.push(rules.refusal(block, reason.into()));
    }
    Ok(if refusals.is_empty() {
        PathAdoption::Nothing
    } else {
        PathAdoption::Refused(refusals)
    })
}

/// Returns chain and key of each certificate of a block, if it has several.
fn list_several(block: &ConfigBlock) -> Vec<(PathBuf, PathBuf)> {
    match block.certificates.len() {
        0 | 1 => Vec::new(),
        _ => block
            .certificates
            .iter()
            .filter_map(chain_and_key_paths)
            .collect(),
    }
}

fn chain_and_key_paths(certificate: &ConfiguredCertificate) -> Option<(PathBuf, PathBuf)> {
    match certificate.links()?.as_slice() {
        [chain, key] if chain.piece == ReleaseFile::FullChain && key.piece == ReleaseFile::Key => {
            Some((chain.path.clone(), key.path.clone()))
        }
        [both] if both.piece == ReleaseFile::Combined => {
            Some((both.path.clone(), both.path.clone()))
        }
        _ => None,
    }
}

impl AdoptionRules<'_> {
    fn refusal(&self, block: &ConfigBlock, obstacle: AdoptionObstacle) -> AdoptionRefusal {
        AdoptionRefusal {
            block: block.to_string(),
            software: self.config.software,
            reason: obstacle.reason,
            certificates: list_several(block),
            other_names: obstacle.other_names,
            key_reference: obstacle.key_reference,
            names: self
                .names
                .iter()
                .map(|name| name.as_str().to_owned())
                .collect(),
        }
    }

    fn check_block(&self, block: &ConfigBlock) -> Result<BlockAdoption, Failure> {
        let [certificate] = block.certificates.as_slice() else {
            let reason = format!("it has {} certificates", block.certificates.len());
            return Ok(BlockAdoption::Refused(reason.into()));
        };
        let Some(links) = certificate.links() else {
            let reason = "its configuration does not give plain paths".to_owned();
            return Ok(BlockAdoption::Refused(reason.into()));
        };
        if let Some(obstacle) = self.check_key_storage(certificate, &links) {
            return Ok(BlockAdoption::Refused(obstacle));
        }
        for (index, link) in links.iter().enumerate() {
            if let Some(reason) = self.check_link(link, &links[..index])? {
                return Ok(BlockAdoption::Refused(reason.into()));
            }
        }
        let obstacle = match self.check_other_blocks(block, &links) {
            Some(obstacle) => Some(obstacle),
            None => self.check_present_names(&links)?,
        };
        Ok(match obstacle {
            Some(obstacle) => BlockAdoption::Refused(obstacle),
            None => BlockAdoption::Allowed(links),
        })
    }

    /// Returns an obstacle where the block reads its key from a file and the certificate has none, or
    /// the other way round.
    fn check_key_storage(
        &self,
        certificate: &ConfiguredCertificate,
        links: &[StableLink],
    ) -> Option<AdoptionObstacle> {
        match (self.usual.key_storage(), certificate.key_reference()) {
            (KeyStorage::File, Some(reference)) => Some(AdoptionObstacle {
                reason: format!("its key is not a file but {}", mask_pins(reference)),
                other_names: Vec::new(),
                key_reference: Some(reference.to_owned()),
            }),
            (KeyStorage::External, None) => {
                let key = links.iter().rfind(|link| link.piece.is_secret())?;
                let reason = format!(
                    "it reads its key from {}, and `--key none` installs no key",
                    key.path.display()
                );
                Some(reason.into())
            }
            (KeyStorage::File, None) | (KeyStorage::External, Some(_)) => None,
        }
    }

    /// Returns why names that are served with these files now would lose their certificate: a block
    /// without host names uses them, and only the present certificate shows for which names.
    fn check_present_names(
        &self,
        links: &[StableLink],
    ) -> Result<Option<AdoptionObstacle>, Failure> {
        let Some(block) = self.users_of(links).find(|block| block.has_no_host_name()) else {
            return Ok(None);
        };
        let Some(chain) = links.iter().find(|link| link.piece != ReleaseFile::Key) else {
            return Ok(None);
        };
        let Some(present) = serving_checks::read_leaf(&folders::resolve_links(&chain.path)?) else {
            return Ok(None);
        };
        if present.dns_names.is_empty() {
            let reason = format!(
                "the certificate in {} has no DNS name",
                chain.path.display()
            );
            return Ok(Some(reason.into()));
        }
        let is_lost = |name: &&String| !model::is_covered(name, self.names);
        let lost: Vec<String> = present.dns_names.iter().filter(is_lost).cloned().collect();
        Ok((!lost.is_empty()).then(|| AdoptionObstacle {
            reason: format!(
                "{block} answers for every name, and the present certificate also covers {}",
                lost.join(", ")
            ),
            other_names: lost,
            key_reference: None,
        }))
    }

    /// The blocks that use one of these files.
    fn users_of(&self, links: &[StableLink]) -> impl Iterator<Item = &ConfigBlock> {
        links
            .iter()
            .flat_map(|link| self.config.blocks_mentioning(&link.path))
    }

    /// Returns why a path may not be adopted; `earlier` are the links before it.
    fn check_link(
        &self,
        link: &StableLink,
        earlier: &[StableLink],
    ) -> Result<Option<String>, Failure> {
        // Paths in a configuration are real paths: --root is never prefixed to them.
        let real = StableLink::new(folders::resolve_links(&link.path)?, link.piece);
        if let Some(reason) = self.check_place(link, &real, earlier) {
            return Ok(Some(reason));
        }
        // An absent file, a plain file and certctl's link can be adopted.
        match observe::check_path(self.usual, &real)? {
            PathContent::Replaceable(_) => Ok(None),
            PathContent::Obstacle(obstacle) => Ok(Some(obstacle.to_string())),
        }
    }

    /// Returns why no link may be created at a path, whatever exists there; `real` is the path without
    /// symbolic links.
    fn check_place(
        &self,
        link: &StableLink,
        real: &StableLink,
        earlier: &[StableLink],
    ) -> Option<String> {
        if !real.path.starts_with(self.root) {
            return Some(format!("they are outside of {}", self.root.display()));
        }
        if earlier.iter().any(|other| other.path == link.path) {
            return Some("chain and key are one file".to_owned());
        }
        if self.usual.is_in_own_folder(&real.path) {
            let reason = "they are in certctl's own folder, which servers should read only through its links";
            return Some(reason.to_owned());
        }
        // A symbolic link may lead into another tool's tree.
        check_owner(&self.usual.path_inside_tree(&link.path))
            .or_else(|| check_owner(&self.usual.path_inside_tree(&real.path)))
    }

    /// Returns the reason where `block` or others use the same files for names that the certificate
    /// lacks or may lack. A regular expression does not matter in a block that answers for every
    /// name.
    fn check_other_blocks(
        &self,
        block: &ConfigBlock,
        links: &[StableLink],
    ) -> Option<AdoptionObstacle> {
        let mut others = self.users_of(links);
        others.find_map(|other| match other.coverage(self.names) {
            BlockCoverage::MissingNames(lacking) => Some(AdoptionObstacle {
                reason: format!("{other} uses them for {} as well", lacking.join(", ")),
                other_names: if other.to_string() == block.to_string() {
                    lacking
                } else {
                    Vec::new()
                },
                key_reference: None,
            }),
            BlockCoverage::UnknownPatterns(patterns) if !self.catch_alls.contains(other) => {
                let reason = format!(
                    "{other} uses them for {}, and only {} knows which names that matches",
                    patterns.join(", "),
                    self.config.software.title()
                );
                Some(reason.into())
            }
            BlockCoverage::UnknownPatterns(_) | BlockCoverage::All | BlockCoverage::Nameless => {
                None
            }
        })
    }

    /// Warns about blocks without a host name, which use these files for every request that reaches
    /// them.
    fn check_nameless_blocks(&self, links: &[StableLink]) -> Vec<Finding> {
        let nameless = self.config.blocks_naming(links).filter(|block| {
            block.speaks_tls()
                && (block.coverage(self.names) == BlockCoverage::Nameless
                    || self.catch_alls.contains(block))
        });
        let messages = nameless.map(|block| {
            format!(
                "{block} does not list these names: it serves the new certificate for every name that reaches it"
            )
        });
        messages
            .map(|message| Finding::warning("names-not-covered", message))
            .collect()
    }
}

/// Returns why the file at a path belongs to another tool, if it does.
fn check_owner(path: &Path) -> Option<String> {
    let text = path.to_string_lossy();
    if text.contains("snakeoil") {
        return Some(format!(
            "{text} is the self-signed test certificate of this machine"
        ));
    }
    let is_below = |tree: &str| {
        let is_own = tree == "/usr/" && text.starts_with(ADMINISTRATORS_FOLDER);
        !is_own && text.starts_with(tree) || (tree.contains("/.") && text.contains(tree))
    };
    let (_, tool) = OTHER_TOOLS.iter().find(|(tree, _)| is_below(tree))?;
    Some(format!("{text} is managed by {tool}"))
}

#[cfg(test)]
mod tests {
    use super::check_owner;

    #[test]
    fn files_of_other_tools_are_recognized() {
        for (path, is_foreign) in [
            ("/etc/letsencrypt/live/example.com/fullchain.pem", true),
            ("/root/.acme.sh/example.com/fullchain.cer", true),
            ("/etc/ssl/certs/ssl-cert-snakeoil.pem", true),
            ("/usr/share/x/cert.pem", true),
            ("/usr/local/nginx/conf/cert.pem", false),
            ("/usr/local/etc/nginx/site.key", false),
            ("/usr/local/x/.acme.sh/a/a.cer", true),
            ("/etc/ssl/your_site.crt", false),
            ("/etc/nginx/ssl/site.key", false),
        ] {
            assert_eq!(check_owner(path.as_ref()).is_some(), is_foreign, "{path}");
        }
    }
}
