//! Which servers read the pair, at which paths, in what state they are, and whom to ask for the
//! proof.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::context::Context;
use crate::delivery::{CaDelivery, DeliveryInput, DeliveryLimits};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::install::request::again;
use crate::install::servers::discover::{DiscoveredServers, ObservedServer, ServerDiscovery};
use crate::install_plan::apply::ProbeAnswer;
use crate::install_plan::observe;
use crate::install_plan::plan::{self, NameCoverage, ServerState};
use crate::pki::certificate::Certificate;
use crate::pki::lint;
use crate::pki::name::DnsName;
use crate::pki::trust::TrustScope;
use crate::probe::ProbeTarget;
use crate::store::disk;
use crate::store::layout::{LineageLayout, ReleaseFile, ReleasePointer, StableLink};
use crate::store::root::{below, real};
use crate::store::settings::LineageSettings;
use crate::system::fs::files;
use crate::webserver::control::ServerProgram;
use crate::webserver::model::name::concrete;
use crate::webserver::model::{InstalledPaths, ProbeTargets, ServerSoftware, chain_and_key};

pub(crate) mod adopt_paths;
mod coverage;
pub(crate) mod disabled_sites;
pub(crate) mod discover;
pub(crate) mod health;
pub(crate) mod new_block;

use adopt_paths::PathAdoption;

/// The servers of a pair as they were found.
#[derive(Debug)]
pub(crate) struct ServingState {
    pub uses: Vec<ServerUse>,
    /// Every path of the pair as configurations spell it; the first two are chain and key.
    pub spelled: Vec<StableLink>,
    /// Whom to ask for which name, over all servers.
    pub targets: Vec<ProbeTarget>,
    /// What was answered before anything was touched.
    pub probes: Vec<ProbeAnswer>,
    /// What is worth telling.
    pub findings: Vec<Finding>,
    /// Why nothing may be touched.
    pub refusals: Vec<Finding>,
    /// Names that blocks serve with the present certificate and that the new one is not for.
    pub lost: Vec<Finding>,
}

/// What one server has to do with the pair.
#[derive(Debug)]
pub(crate) struct ServerUse {
    pub looked: Rc<ObservedServer>,
    /// What it reads of the pair, as its configuration spells it, or should.
    pub links: Vec<StableLink>,
    /// Whether its configuration names the pair (one that cannot be read does).
    pub named: bool,
    /// What decides the plan.
    pub state: ServerState,
    /// The addresses that are asked.
    pub addresses: Vec<String>,
    /// Blocks that serve these names with other files, which certctl leaves alone: `FILE:LINE`.
    pub elsewhere: Vec<String>,
    /// Whether its configuration sends all names to the pair.
    pub reach: NameCoverage,
}

impl ServerUse {
    fn new(looked: Rc<ObservedServer>, links: Vec<StableLink>) -> Self {
        let (state, reach) = (ServerState::Nothing, NameCoverage::All);
        Self {
            looked,
            links,
            named: true,
            state,
            addresses: Vec::new(),
            elsewhere: Vec::new(),
            reach,
        }
    }

    /// Its program, where it has a profile.
    #[must_use]
    pub(crate) fn program(&self) -> Option<&ServerProgram> {
        self.looked.server.program()
    }
}

/// What is looked at: the tree, the usual places of the pair, what was said and what is remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SearchPaths<'a> {
    pub root: &'a Path,
    /// Where the pair lies when nobody says otherwise.
    pub usual: &'a LineageLayout,
    /// What the command line says.
    pub flags: &'a LineageSettings,
    /// That, and what is remembered.
    pub settings: &'a LineageSettings,
}

/// The servers of a pair and its paths; what state they are in is not known yet.
///
/// # Errors
/// Servers that are not here, paths that lead out of the tree, commands that cannot be run,
/// addresses that cannot be resolved.
pub(crate) fn place(
    context: &Context,
    fleet: &mut ServerDiscovery,
    ground: SearchPaths<'_>,
    certificates: &[Certificate],
) -> Result<(LineageLayout, ServingState), Failure> {
    let names = names(certificates);
    let mut serving = ServingState {
        uses: Vec::new(),
        spelled: ground.spelled(),
        targets: Vec::new(),
        probes: Vec::new(),
        findings: Vec::new(),
        refusals: Vec::new(),
        lost: Vec::new(),
    };
    let sought = ground.sought(&serving.spelled);
    let found = fleet.find(context, ground.settings, &sought, &names)?;
    serving.findings.extend(found.left_out());
    let passed_over = fleet.passed_over(context, ground.settings, &found, &sought);
    let told = passed_over
        .iter()
        .filter_map(|one| not_told(context, one, (ground, &found), &sought));
    serving.findings.extend(told);
    let servers = found.servers;
    serving.refusals = servers
        .iter()
        .filter_map(|looked| looked.refusal.clone())
        .collect();
    serving.paths(ground, servers, &names)?;
    let layout = serving.layout(ground)?;
    if serving.refusals.is_empty() {
        serving.ask_at(fleet, &layout, ground.settings, (certificates, &names))?;
    }
    Ok((layout, serving))
}

/// The DNS names of the leaf.
#[must_use]
pub(crate) fn names(certificates: &[Certificate]) -> Vec<DnsName> {
    certificates.first().map(names_of).unwrap_or_default()
}

fn names_of(leaf: &Certificate) -> Vec<DnsName> {
    leaf.dns_names
        .iter()
        .filter_map(|name| DnsName::presented(name))
        .collect()
}

impl SearchPaths<'_> {
    /// What the command line says, else what is remembered, else what is usual.
    fn spelled(&self) -> Vec<StableLink> {
        let given = |path: &Option<PathBuf>, usual: &Path| {
            path.as_ref()
                .map_or_else(|| usual.to_owned(), |path| below(self.root, path))
        };
        let further = self
            .settings
            .links
            .iter()
            .map(|link| StableLink::new(below(self.root, &link.path), link.piece));
        let LineageSettings {
            chain_path,
            key_path,
            ..
        } = self.settings;
        // One path for both is one file with both, as HAProxy reads it.
        if let Some(both) = chain_path.as_ref().filter(|_| chain_path == key_path) {
            let usual = chain_and_key(self.usual.chain_path(), self.usual.key_path());
            let both = StableLink::new(below(self.root, both), ReleaseFile::Combined);
            return usual
                .into_iter()
                .chain([both.clone()])
                .chain(further.filter(|link| *link != both))
                .collect();
        }
        let chain = given(chain_path, self.usual.chain_path());
        let key = given(key_path, self.usual.key_path());
        chain_and_key(&chain, &key)
            .into_iter()
            .chain(further)
            .collect()
    }
}

impl SearchPaths<'_> {
    /// By what a server has to do with the pair: `spelled`, and the one file with both that HAProxy
    /// would read, which is made only once HAProxy names it.
    fn sought(&self, spelled: &[StableLink]) -> Vec<StableLink> {
        let path = observe::family(self.root).combined_path(self.usual.stem());
        let combined = StableLink::new(below(self.root, &path), ReleaseFile::Combined);
        let missing = !spelled
            .iter()
            .any(|link| link.piece == ReleaseFile::Combined);
        spelled
            .iter()
            .cloned()
            .chain(missing.then_some(combined))
            .collect()
    }
}

impl ServingState {
    /// Chain and key, as configurations spell them.
    #[must_use]
    pub(crate) fn chain_and_key(&self) -> (&Path, &Path) {
        (&self.spelled[0].path, &self.spelled[1].path)
    }

    /// Every path as it really is.
    fn layout(&self, ground: SearchPaths<'_>) -> Result<LineageLayout, Failure> {
        // The usual ones are real already.
        let usual = |link: &StableLink| {
            ground
                .usual
                .links()
                .iter()
                .any(|usual| usual.path == link.path)
        };
        let real = |link: &StableLink| match usual(link) {
            true => Ok(link.clone()),
            false => Ok(StableLink::new(real(ground.root, &link.path)?, link.piece)),
        };
        let links = self
            .spelled
            .iter()
            .map(real)
            .collect::<Result<Vec<StableLink>, Failure>>()?;
        let layout = ground
            .usual
            .at(links[0].path.clone(), links[1].path.clone())
            .with(links[2..].iter().cloned());
        let links = layout.links();
        let twice = |(index, link): (usize, &StableLink)| {
            links[..index]
                .iter()
                .any(|other| other.path == link.path && other.piece != link.piece)
        };
        if links.iter().enumerate().any(twice) || links.iter().any(|link| layout.is_own(&link.path))
        {
            let (chain, key) = self.chain_and_key();
            let message = format!(
                "{} and {} cannot be the paths of chain and key",
                chain.display(),
                key.display()
            );
            return Err(Failure::new(FailureKind::Usage, message)
                .because(format!(
                    "they must be two, and outside of {}",
                    layout.base().display()
                ))
                .with(NextStep::say(
                    "choose two paths:  --chain-path PATH --key-path PATH",
                )));
        }
        Ok(layout)
    }

    /// What each server reads: what is said, remembered or usual, if its configuration names that;
    /// what it names instead and may be adopted; else again what is remembered or usual.
    fn paths(
        &mut self,
        ground: SearchPaths<'_>,
        servers: Vec<Rc<ObservedServer>>,
        names: &[DnsName],
    ) -> Result<(), Failure> {
        let told = ground.flags.chain_path.is_some() || ground.flags.key_path.is_some();
        let taken = |looked: &Rc<ObservedServer>, links: &[StableLink]| {
            looked
                .standing
                .as_ref()
                .is_some_and(|standing| standing.config.naming(links).next().is_some())
        };
        let mut settled = told
            || servers
                .iter()
                .any(|looked| taken(looked, &self.spelled[..2]));
        for looked in servers {
            let mut links = self.usual(&looked, ground)?;
            let mut elsewhere = Vec::new();
            if let Some(standing) = looked
                .standing
                .as_ref()
                .filter(|_| !(told || taken(&looked, &self.spelled)))
            {
                match adopt_paths::adopt(&standing.config, names, ground.root, ground.usual)? {
                    PathAdoption::Adopted(adopted, findings) => {
                        self.findings.extend(findings);
                        if !settled && chain_and_key_of(&adopted) {
                            self.spelled.splice(..2, adopted.iter().cloned());
                        }
                        settled = true;
                        links = adopted;
                    }
                    PathAdoption::Refused(refusals) => {
                        elsewhere = refusals
                            .iter()
                            .map(|refusal| refusal.block.clone())
                            .collect();
                        self.findings
                            .extend(refusals.iter().map(|refusal| refusal.finding(&links)));
                    }
                    PathAdoption::Nothing => {}
                }
            } else if let Some(standing) = &looked.standing {
                let block = standing.config.naming(&self.spelled).next();
                let pair = block
                    .and_then(|block| block.pairs.iter().find(|pair| pair.is_among(&self.spelled)));
                links = pair.and_then(|pair| pair.links()).unwrap_or(links);
            }
            for link in &links {
                if !self.spelled.contains(link) {
                    self.spelled.push(link.clone());
                }
            }
            self.uses.push(ServerUse {
                elsewhere,
                ..ServerUse::new(looked, links)
            });
        }
        Ok(())
    }

    /// What a server is told to read when its configuration names nothing that can be kept.
    fn usual(
        &self,
        looked: &ObservedServer,
        ground: SearchPaths<'_>,
    ) -> Result<Vec<StableLink>, Failure> {
        if looked.software() != Some(ServerSoftware::Haproxy) {
            return Ok(self.spelled[..2].to_vec());
        }
        let remembered = self
            .spelled
            .iter()
            .find(|link| link.piece == ReleaseFile::Combined);
        if let Some(link) = remembered {
            return Ok(vec![link.clone()]);
        }
        let path = observe::family(ground.root).combined_path(ground.usual.stem());
        Ok(vec![StableLink::new(
            real(ground.root, &path)?,
            ReleaseFile::Combined,
        )])
    }

    /// Finds whom to ask, and what each configuration says of the names.
    fn ask_at(
        &mut self,
        fleet: &mut ServerDiscovery,
        layout: &LineageLayout,
        settings: &LineageSettings,
        (certificates, names): (&[Certificate], &[DnsName]),
    ) -> Result<(), Failure> {
        let probes = &settings.probe;
        let extra = match probes.iter().any(|probe| probe == "none") {
            true => None,
            false => Some(extra_targets(fleet, probes, names)?),
        };
        let present = present(layout, settings)?;
        let before = present.as_ref().map(names_of);
        let lost = present
            .as_ref()
            .zip(certificates.first())
            .and_then(|(present, new)| lint::lost(present, new));
        self.findings
            .extend(lost.map(|lost| Finding::from((&lost, TrustScope::Public))));
        for one in &mut self.uses {
            let mut targets = Vec::new();
            if let (Some(standing), Some(leaf)) = (&one.looked.standing, certificates.first()) {
                let wanted = InstalledPaths {
                    links: &self.spelled,
                    names,
                    algorithm: leaf.algorithm,
                };
                one.named = standing.config.naming(&self.spelled).next().is_some();
                self.findings.extend(coverage::doubts(&standing.config));
                let found = ProbeTargets::of(&standing.config, &wanted);
                if one.named {
                    let (reach, findings) =
                        coverage::judge(&standing.config, &wanted, &one.links, &found, probes);
                    one.reach = reach;
                    self.findings.extend(findings);
                }
                let (lacked, lost) =
                    coverage::uncovered(&standing.config, &wanted, before.as_deref());
                self.findings.extend(lacked);
                self.findings
                    .extend(coverage::unstapled(&standing.config, &wanted, leaf));
                self.findings
                    .extend(coverage::clashes(&standing.config, &wanted, &one.links));
                self.lost.extend(lost);
                targets = found.ask;
            }
            match &extra {
                Some(extra) => targets.extend(extra.iter().cloned()),
                None => targets.clear(),
            }
            one.addresses = targets
                .iter()
                .map(|target| target.address.to_string())
                .collect();
            one.addresses.dedup();
            targets.retain(|target| !self.targets.contains(target));
            self.targets.extend(targets);
        }
        Ok(())
    }

    /// What a plan needs to know of each server.
    #[must_use]
    pub(crate) fn states(&self) -> Vec<plan::PlannedServerUse> {
        let of = |one: &ServerUse| plan::PlannedServerUse {
            server: one.looked.software(),
            state: one.state.clone(),
        };
        self.uses.iter().map(of).collect()
    }

    /// The blocks that name the pair, over all servers: `FILE:LINE`.
    #[must_use]
    pub(crate) fn blocks(&self) -> Vec<String> {
        let standing = self
            .uses
            .iter()
            .filter_map(|one| one.looked.standing.as_ref());
        standing
            .flat_map(|standing| standing.config.naming(&self.spelled))
            .map(ToString::to_string)
            .collect()
    }
}

/// A server that names the pair and is told nothing.
fn not_told(
    context: &Context,
    looked: &ObservedServer,
    named: (SearchPaths<'_>, &DiscoveredServers),
    links: &[StableLink],
) -> Option<Finding> {
    let (software, standing) = (looked.software()?, looked.standing.as_ref()?);
    let (ground, found) = named;
    let blocks: Vec<String> = standing
        .config
        .naming(links)
        .map(ToString::to_string)
        .collect();
    let mut told: Vec<&str> = found
        .servers
        .iter()
        .filter_map(|one| one.software())
        .map(ServerSoftware::name)
        .collect();
    let message = format!(
        "{} runs and names these files ({}): with --server {} it is not told of them, and serves \
            what it has loaded",
        software.title(),
        blocks.join(", "),
        if told.is_empty() {
            "none".to_owned()
        } else {
            told.join(" --server ")
        }
    );
    told.push(software.name());
    let mut words = vec!["install", ground.usual.stem()];
    words.extend(told.into_iter().flat_map(|name| ["--server", name]));
    Some(Finding::warning("server-not-included", message).with(again(context, &words)))
}

/// The certificate that servers read now; a placeholder is none.
fn present(
    layout: &LineageLayout,
    settings: &LineageSettings,
) -> Result<Option<Certificate>, Failure> {
    if settings.placeholder.is_some()
        && observe::pointer(layout, ReleasePointer::Live)? == settings.placeholder
    {
        return Ok(None);
    }
    let links = layout
        .links()
        .iter()
        .filter(|link| link.piece != ReleaseFile::Key);
    Ok(links
        .filter_map(|link| files::read(&link.path, disk::PIECE_LIMIT).ok())
        .next()
        .and_then(first_in))
}

/// The first certificate in a file.
fn first_in(bytes: Vec<u8>) -> Option<Certificate> {
    let file = CaDelivery::read(
        vec![DeliveryInput::new("present", bytes)],
        &DeliveryLimits::default(),
    )
    .ok()?;
    file.bag().into_iter().next()
}

/// Chain and key in a file each.
fn chain_and_key_of(links: &[StableLink]) -> bool {
    matches!(links, [chain, key] if (chain.piece, key.piece) == (ReleaseFile::FullChain, ReleaseFile::Key))
}

/// Every address of `--probe`, for every name of the certificate.
fn extra_targets(
    fleet: &mut ServerDiscovery,
    probes: &[String],
    names: &[DnsName],
) -> Result<Vec<ProbeTarget>, Failure> {
    let mut targets = Vec::new();
    for probe in probes {
        for &address in fleet.addresses(probe)? {
            targets.extend(
                names
                    .iter()
                    .map(|name| ProbeTarget::new(address, concrete(name))),
            );
        }
    }
    Ok(targets)
}
