//! Selects the paths at which servers read the certificate: those of the command line, the saved
//! ones, the usual ones, or those that their configuration references already.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::adopt_paths::{self, AdoptionRefusal, PathAdoption};
use super::observed_server::ObservedServer;
use super::{SearchPaths, ServerUse, ServingState};
use crate::advice::{install_command, servers};
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::install_plan::observe;
use crate::pki::name::DnsName;
use crate::store::layout::{KeyStorage, LineageLayout, ReleaseFile, StableLink, primary_links};
use crate::store::root::{path_below_root, resolve_in_tree};
use crate::webserver::model::{ServerConfig, ServerSoftware};

impl SearchPaths<'_> {
    /// The paths of the command line, else the saved ones, else the usual ones.
    pub(super) fn configured_paths(&self) -> Vec<StableLink> {
        let chain_path = &self.settings.chain_path;
        let key_path = &self.settings.key_path;
        // The same path for both means one file with chain and key, as HAProxy reads it.
        if let Some(both) = chain_path.as_ref().filter(|_| chain_path == key_path) {
            return self.paths_with_combined(both);
        }
        let chain = self.given_or_usual(chain_path.as_deref(), self.usual_layout.chain_path());
        let mut paths = vec![StableLink::new(chain, ReleaseFile::FullChain)];
        if let Some(usual_key) = self.usual_layout.key_path() {
            let key = self.given_or_usual(key_path.as_deref(), usual_key);
            paths.push(StableLink::new(key, ReleaseFile::Key));
        }
        paths.extend(self.further_links());
        paths
    }

    fn given_or_usual(&self, given: Option<&Path>, usual: &Path) -> PathBuf {
        given.map_or_else(|| usual.to_owned(), |path| path_below_root(self.root, path))
    }

    /// The usual paths, and `path` as the file with certificates and key.
    fn paths_with_combined(&self, path: &Path) -> Vec<StableLink> {
        let combined = StableLink::new(path_below_root(self.root, path), ReleaseFile::Combined);
        let mut paths = primary_links(self.usual_layout.links()).to_vec();
        paths.push(combined.clone());
        paths.extend(self.further_links().filter(|link| *link != combined));
        paths
    }

    fn further_links(&self) -> impl Iterator<Item = StableLink> {
        self.settings
            .links
            .iter()
            .map(|link| StableLink::new(path_below_root(self.root, &link.path), link.piece))
    }

    /// The links that make a server relevant: the configured ones, and the combined file that
    /// HAProxy would read, which is created only once HAProxy's configuration references it.
    pub(super) fn search_links(&self, configured_paths: &[StableLink]) -> Vec<StableLink> {
        let path = observe::detect_distro_family(self.root).combined_path(self.usual_layout.stem());
        let mut links = configured_paths.to_vec();
        if find_combined(configured_paths).is_none() {
            let path = path_below_root(self.root, &path);
            links.push(StableLink::new(path, ReleaseFile::Combined));
        }
        links
    }

    /// Resolves symbolic links in the path of the link's folder.
    fn resolve(&self, link: &StableLink) -> Result<StableLink, Failure> {
        // The usual paths are resolved already.
        let is_usual = |usual: &StableLink| usual.path == link.path;
        if self.usual_layout.links().iter().any(is_usual) {
            return Ok(link.clone());
        }
        Ok(StableLink::new(
            resolve_in_tree(self.root, &link.path)?,
            link.piece,
        ))
    }

    fn names_paths_on_command_line(&self) -> bool {
        self.flags.chain_path.is_some() || self.flags.key_path.is_some()
    }
}

fn find_combined(links: &[StableLink]) -> Option<&StableLink> {
    links
        .iter()
        .find(|link| link.piece == ReleaseFile::Combined)
}

/// The input of the path selection.
struct PathSelection<'a> {
    search: SearchPaths<'a>,
    names: &'a [DnsName],
    /// Whether chain and key have their final paths.
    is_settled: bool,
}

impl PathSelection<'_> {
    fn adopt(&self, config: &ServerConfig) -> Result<PathAdoption, Failure> {
        adopt_paths::adopt(
            config,
            self.names,
            self.search.root,
            self.search.usual_layout,
        )
    }
}

impl ServingState {
    /// Every path without symbolic links in its folder's path.
    pub(super) fn resolve_layout(&self, search: SearchPaths<'_>) -> Result<LineageLayout, Failure> {
        let links = self
            .configured_paths
            .iter()
            .map(|link| search.resolve(link))
            .collect::<Result<Vec<StableLink>, Failure>>()?;
        let layout = search.usual_layout.at_links(links);
        let links = layout.links();
        if has_conflicting_links(links)
            || links.iter().any(|link| layout.is_in_own_folder(&link.path))
        {
            return Err(self.unusable_paths(&layout));
        }
        Ok(layout)
    }

    fn unusable_paths(&self, layout: &LineageLayout) -> Failure {
        let (primary, _) = self.primary_and_further();
        let paths: Vec<String> = primary
            .iter()
            .map(|link| link.path.display().to_string())
            .collect();
        let message = format!(
            "{} cannot be used as the paths of chain and key",
            paths.join(" and ")
        );
        Failure::new(FailureKind::Usage, message)
            .because(format!(
                "they must be two different paths outside of {}",
                layout.base().display()
            ))
            .with_step(servers::choose_two_paths())
    }

    /// Chooses the paths of each server: the given, saved or usual ones, if its configuration
    /// references them; else those that it references and that may be adopted; else the saved or
    /// usual ones.
    pub(super) fn choose_paths(
        &mut self,
        search: SearchPaths<'_>,
        servers: Vec<Rc<ObservedServer>>,
        names: &[DnsName],
    ) -> Result<(), Failure> {
        let is_named = |observed: &Rc<ObservedServer>| {
            observed.names_any(primary_links(&self.configured_paths))
        };
        let mut selection = PathSelection {
            search,
            names,
            is_settled: search.names_paths_on_command_line() || servers.iter().any(is_named),
        };
        for observed in servers {
            let server_use = self.choose_paths_of(observed, &mut selection)?;
            for link in &server_use.links {
                if !self.configured_paths.contains(link) {
                    self.configured_paths.push(link.clone());
                }
            }
            self.uses.push(server_use);
        }
        Ok(())
    }

    fn choose_paths_of(
        &mut self,
        observed: Rc<ObservedServer>,
        selection: &mut PathSelection<'_>,
    ) -> Result<ServerUse, Failure> {
        self.refuse_combined_without_key(&observed, selection.search);
        let links = self.default_links(&observed, selection.search)?;
        let Some(observation) = &observed.observation else {
            return Ok(ServerUse::new(observed, links, Vec::new()));
        };
        if selection.search.names_paths_on_command_line()
            || observed.names_any(&self.configured_paths)
        {
            let links = named_links(&observation.config, &self.configured_paths).unwrap_or(links);
            return Ok(ServerUse::new(observed, links, Vec::new()));
        }
        let adoption = selection.adopt(&observation.config)?;
        Ok(match adoption {
            PathAdoption::Adopted(adopted, findings) => {
                self.findings.extend(findings);
                self.settle_paths(&adopted, selection);
                ServerUse::new(observed, adopted, Vec::new())
            }
            PathAdoption::Refused(refusals) => {
                let blocks = self.report_refusals(refusals, &links);
                ServerUse::new(observed, links, blocks)
            }
            PathAdoption::Nothing => ServerUse::new(observed, links, Vec::new()),
        })
    }

    /// Refuses HAProxy where the key is not a file, because it reads chain and key from files.
    fn refuse_combined_without_key(&mut self, observed: &ObservedServer, search: SearchPaths<'_>) {
        let is_external = search.usual_layout.key_storage() == KeyStorage::External;
        if !is_external || observed.software() != Some(ServerSoftware::Haproxy) {
            return;
        }
        let message = "HAProxy loads keys from files only, and `--key none` installs none";
        let finding = Finding::error("key-file-needed", message);
        let finding = finding.with_step(install_command::install_with_key_file());
        let others = install_command::install_for_other_servers();
        self.refusals.push(finding.with_step(others));
    }

    /// Reports why paths are not adopted; returns the blocks that reference them.
    fn report_refusals(
        &mut self,
        refusals: Vec<AdoptionRefusal>,
        links: &[StableLink],
    ) -> Vec<String> {
        let findings = refusals.iter().map(|refusal| refusal.finding(links));
        self.findings.extend(findings);
        refusals.into_iter().map(|refusal| refusal.block).collect()
    }

    /// The first adopted paths become those of chain and key, unless these are settled.
    fn settle_paths(&mut self, adopted: &[StableLink], selection: &mut PathSelection<'_>) {
        let primary = primary_links(&self.configured_paths);
        if !selection.is_settled && has_pieces_of(adopted, primary) {
            let count = primary.len();
            self.configured_paths
                .splice(..count, adopted.iter().cloned());
        }
        selection.is_settled = true;
    }

    /// Returns what a server should read if its configuration references no path that can be used.
    fn default_links(
        &self,
        observed: &ObservedServer,
        search: SearchPaths<'_>,
    ) -> Result<Vec<StableLink>, Failure> {
        if observed.software() != Some(ServerSoftware::Haproxy) {
            return Ok(primary_links(&self.configured_paths).to_vec());
        }
        if let Some(link) = find_combined(&self.configured_paths) {
            return Ok(vec![link.clone()]);
        }
        let path =
            observe::detect_distro_family(search.root).combined_path(search.usual_layout.stem());
        let path = resolve_in_tree(search.root, &path)?;
        Ok(vec![StableLink::new(path, ReleaseFile::Combined)])
    }
}

/// Returns the links of `paths` that the first block with any of them references.
fn named_links(config: &ServerConfig, paths: &[StableLink]) -> Option<Vec<StableLink>> {
    let block = config.blocks_naming(paths).next()?;
    let certificate = block
        .certificates
        .iter()
        .find(|certificate| certificate.is_among(paths))?;
    certificate.links()
}

/// Whether two files of the release would have the same path.
fn has_conflicting_links(links: &[StableLink]) -> bool {
    let conflicts = |(index, link): (usize, &StableLink)| {
        links[..index]
            .iter()
            .any(|other| other.path == link.path && other.piece != link.piece)
    };
    links.iter().enumerate().any(conflicts)
}

/// Whether the links are for the same files, in the same order.
fn has_pieces_of(links: &[StableLink], others: &[StableLink]) -> bool {
    let pieces = links.iter().map(|link| link.piece);
    pieces.eq(others.iter().map(|link| link.piece))
}
