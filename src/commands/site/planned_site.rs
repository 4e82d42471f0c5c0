//! A site as it is, and what would change.

use std::path::{Path, PathBuf};

use super::application::PlannedApplication;
use super::goal::{SiteGoal, SiteServer, refuses_connections};
use super::outcome::{SiteOutcome, SiteVerdict};
use crate::advice::{rerun, site_command};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep};
use crate::install::site_blocks::certificate::{CertificateTrust, SiteCertificate};
use crate::install::site_blocks::evidence::SiteEvidence;
use crate::install::site_blocks::observe;
use crate::pki::name::DnsName;
use crate::site::SiteContent;
use crate::site::adoption::{AdoptedLines, find_adopted, insert_into_block};
use crate::site::nginx_site::NginxSite;
use crate::site::plan::{ObservedSite, SiteChange, SiteObstacle};
use crate::system::fs::{files, folders};
use crate::webserver::control::{FILE_LIMIT, ServerDetail, ServerObservation};
use crate::webserver::model::{
    BlockCoverage, ConfigBlock, LinesPlace, LinesToAdd, ServerConfig, UnservedNames,
};
use crate::wording::day;

/// The folder of validation files where the configuration does not name one: Debian's default site
/// serves it.
const WELL_KNOWN: &str = "/var/www/html";

/// A site as it was observed, and the decision about it.
pub(super) struct PlannedSite {
    /// The name of the site.
    pub name: DnsName,
    /// The server that gets the block.
    pub server: SiteServer,
    /// The certificate, if one is installed.
    pub certificate: SiteCertificate,
    /// The names that the block gets.
    pub names: Vec<DnsName>,
    /// What changes; `None` if something prevents it, or there is nothing to remove.
    pub change: Option<SiteChange>,
    /// The folder that port 80 serves below `/.well-known/`.
    pub well_known: PathBuf,
    pub application: PlannedApplication,
    obstacle: Option<SiteObstacle>,
    /// The block of somebody else that answers for the name.
    other_block: Option<ConfigBlock>,
}

/// A file with lines that `--adopt` has added.
struct AdoptedFile {
    file: PathBuf,
    text: String,
    lines: AdoptedLines,
}

impl PlannedSite {
    /// Observes the server, the certificate and the files of a site.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn observe(
        context: &Context,
        name: &DnsName,
        goal: &SiteGoal,
    ) -> Result<Self, Failure> {
        let server = SiteServer::find()?;
        let certificate = SiteCertificate::find(context, name)?;
        let config = &server.observation.config;
        let observed = observe_files(config, name)?;
        let others = without_own(config, &observed);
        let other_block = others.blocks_serving(std::slice::from_ref(name)).next();
        let other_block = other_block.cloned();
        let is_adopted = matches!(goal.content(), Some(SiteContent::Adopted));
        let mut names = certificate.names.clone();
        names.retain(|other| {
            let wanted = std::slice::from_ref(other);
            match &other_block {
                Some(block) if is_adopted => block.serves(wanted),
                _ => other == name || others.blocks_serving(wanted).next().is_none(),
            }
        });
        let well_known = find_well_known(&server.observation, &others, name);
        let application = PlannedApplication::observe(&server, name, goal)?;
        let mut planned = Self {
            name: name.clone(),
            server,
            certificate,
            names,
            change: None,
            well_known,
            application,
            obstacle: None,
            other_block,
        };
        planned.decide_change(&observed, &others, goal)?;
        Ok(planned)
    }

    fn decide_change(
        &mut self,
        observed: &ObservedSite,
        others: &ServerConfig,
        goal: &SiteGoal,
    ) -> Result<(), Failure> {
        if matches!(goal.content(), Some(SiteContent::Adopted)) {
            self.change = self.adopt()?;
            return Ok(());
        }
        match self.find_adopted(goal, observed)? {
            Some(adopted) => self.remove_adopted(adopted),
            None => self.decide(observed, others, goal),
        }
        Ok(())
    }

    /// Decides which lines the block that answers for the name gets; `None` if it cannot be adopted.
    fn adopt(&self) -> Result<Option<SiteChange>, Failure> {
        let Some(block) = &self.other_block else {
            return Ok(None);
        };
        let file = folders::resolve_links(&block.file)?;
        let bytes = files::read(&file, FILE_LIMIT)?;
        let before = String::from_utf8(bytes).ok();
        let is_writable = folders::read_status(&file)?
            .is_some_and(|status| status.owner == folders::current_owner());
        let after = if block.names_certificate(&self.certificate.links()) {
            before.clone()
        } else {
            self.text_with_tls(block, before.as_deref())
        };
        let after = after.filter(|_| is_writable);
        Ok(after.map(|after| SiteChange::of_file(file, before, after)))
    }

    /// Finds the block with lines that `--adopt` has added, if they are to be removed.
    fn find_adopted(
        &self,
        goal: &SiteGoal,
        observed: &ObservedSite,
    ) -> Result<Option<AdoptedFile>, Failure> {
        let is_own = observed.text.is_some();
        let block = self.other_block.as_ref();
        let Some(block) = block.filter(|_| goal.content().is_none() && !is_own) else {
            return Ok(None);
        };
        let file = folders::resolve_links(&block.file)?;
        let bytes = files::read(&file, FILE_LIMIT)?;
        let Ok(text) = String::from_utf8(bytes) else {
            return Ok(None);
        };
        let lines = find_adopted(&text, &self.name.file_stem());
        let is_absent = lines == AdoptedLines::Absent;
        Ok((!is_absent).then_some(AdoptedFile { file, text, lines }))
    }

    fn remove_adopted(&mut self, adopted: AdoptedFile) {
        let AdoptedLines::Removable(after) = adopted.lines else {
            self.obstacle = Some(SiteObstacle::AdoptedEdited(adopted.file));
            return;
        };
        self.change = Some(SiteChange::of_file(adopted.file, Some(adopted.text), after));
    }

    /// The file of a block with the lines that add TLS.
    fn text_with_tls(&self, block: &ConfigBlock, text: Option<&str>) -> Option<String> {
        let lines = self.lines_to_add()?;
        let is_here = lines.place == LinesPlace::Block(block.to_string());
        let text = text.filter(|_| is_here)?;
        insert_into_block(text, block.line, &self.name.file_stem(), &lines.lines)
    }

    fn decide(&mut self, observed: &ObservedSite, others: &ServerConfig, goal: &SiteGoal) {
        let text = goal
            .content()
            .and_then(|content| self.text(others, content));
        match observed.decide(text.as_deref()) {
            Ok(change) => self.change = Some(change),
            Err(obstacle) => self.obstacle = Some(obstacle),
        }
    }

    /// The content of the site's file.
    fn text(&self, others: &ServerConfig, content: &SiteContent) -> Option<String> {
        let ServerDetail::Nginx { build, .. } = &self.server.observation.detail else {
            return None;
        };
        let site = NginxSite {
            names: &self.names,
            content,
            links: &self.certificate.links(),
            config: others,
            version: build.version,
            ipv6: self.server.observation.ipv6,
            well_known: self.well_known.clone(),
        };
        Some(site.text())
    }

    /// Returns why the site is not changed.
    #[must_use]
    pub(super) fn refusal(&self, goal: &SiteGoal) -> Vec<Finding> {
        let is_removed = goal.content().is_none();
        if let Some(obstacle) = &self.obstacle
            && (self.other_block.is_none() || is_removed)
        {
            return vec![site_command::report_obstacle(obstacle)];
        }
        let mut findings = Vec::from_iter(self.application.obstacle.clone());
        let Some(content) = goal.content() else {
            return findings;
        };
        match (&self.other_block, content) {
            (None, SiteContent::Adopted) => {
                findings.push(site_command::report_nothing_to_adopt(&self.name));
            }
            (Some(block), SiteContent::Adopted) if self.change.is_some() => {
                findings.extend(self.report_uncovered(block));
            }
            (Some(block), _) => findings.push(self.report_other_block(block)),
            (None, _) => {}
        }
        if self.server.observation.running.is_none() {
            let start = self.server.program.start_command();
            findings.push(site_command::report_stopped(start));
        }
        if let SiteContent::Upstream(upstream) = content
            && refuses_connections(&upstream.address)
        {
            findings.push(site_command::report_closed_upstream(&upstream.address));
        }
        findings
    }

    /// Reports names of the block to adopt that the certificate does not cover. Of a pattern that
    /// only the server can match that is not known, so it counts as one.
    fn report_uncovered(&self, block: &ConfigBlock) -> Option<Finding> {
        let covered = self.covered_names();
        match block.coverage(&covered) {
            BlockCoverage::MissingNames(names) | BlockCoverage::UnknownPatterns(names) => {
                Some(site_command::report_uncovered(block, &covered, &names))
            }
            BlockCoverage::All | BlockCoverage::Nameless => None,
        }
    }

    /// The names of the certificate, or of the placeholder that is installed first.
    fn covered_names(&self) -> Vec<DnsName> {
        let Some(live) = &self.certificate.live else {
            return self.certificate.names.clone();
        };
        let mut covered = Vec::new();
        for name in live.chain.iter().take(1).flat_map(|leaf| &leaf.dns_names) {
            covered.extend(DnsName::parse(name).ok());
        }
        covered
    }

    /// Reports a block that certctl did not write, with the lines that it needs.
    fn report_other_block(&self, block: &ConfigBlock) -> Finding {
        site_command::report_other_block(block, &self.name, self.lines_to_add())
    }

    /// The lines that add TLS to the block that serves the names in plain text.
    fn lines_to_add(&self) -> Option<LinesToAdd> {
        let plain_site = self.server.observation.plain_site(&self.names);
        let unserved = UnservedNames {
            config: &self.server.observation.config,
            names: &self.names,
            links: &self.certificate.links(),
            ipv6: self.server.observation.ipv6,
            plain_site: plain_site.as_ref(),
        };
        plain_site.as_ref().map(|_| unserved.lines_to_add())
    }

    /// Warns that browsers do not trust the certificate.
    #[must_use]
    pub(super) fn warn_about_placeholder(&self) -> Option<Finding> {
        let leaf = self.certificate.live.as_ref()?.chain.first()?;
        let message = format!(
            "the certificate is a self-signed placeholder that expires {}: no browser trusts it",
            day(leaf.not_after)
        );
        Some(Finding::warning("placeholder", message))
    }

    /// Whether a placeholder has to be installed first.
    pub(super) fn needs_placeholder(&self) -> bool {
        self.serves() && self.certificate.live.is_none()
    }

    pub(super) fn has_live_placeholder(&self) -> bool {
        self.certificate.live.is_some() && self.has_placeholder()
    }

    /// Whether browsers do not trust the certificate of the site.
    fn has_placeholder(&self) -> bool {
        let live = self.certificate.live.as_ref();
        live.is_none_or(|live| live.trust == CertificateTrust::Placeholder)
    }

    /// Whether the site is to be served, and nothing is in the way of its file.
    fn serves(&self) -> bool {
        let change = self.change.as_ref();
        change.is_some_and(|change| change.after.is_some())
    }

    #[must_use]
    pub(super) fn outcome(&self, goal: &SiteGoal, verdict: SiteVerdict) -> SiteOutcome {
        let live = self.certificate.live.as_ref();
        let mut outcome = SiteOutcome {
            verdict,
            changed: false,
            findings: Vec::new(),
            name: self.name.clone(),
            names: self.names.clone(),
            leaf: live.and_then(|live| live.chain.first()).cloned(),
            change: self.change.clone(),
            application: self.application.shown(goal),
            evidence: SiteEvidence::default(),
            dry_run: None,
            next: Vec::new(),
            undo: None,
            rollback: String::new(),
        };
        if verdict.is_in_service() && self.serves() && self.has_placeholder() {
            outcome.findings.extend(self.warn_about_placeholder());
        }
        outcome.next = self.next_steps(verdict);
        if verdict == SiteVerdict::Live {
            outcome.undo = Some(site_command::remove_site(&self.name));
        }
        if verdict == SiteVerdict::Planned {
            outcome.dry_run = Some(outcome.summarize());
        }
        outcome
    }

    /// Returns what to do after a run with this verdict.
    fn next_steps(&self, verdict: SiteVerdict) -> Vec<NextStep> {
        if verdict == SiteVerdict::Planned {
            let step = rerun::without_dry_run("Make this change", &["site"]);
            return Vec::from_iter(step);
        }
        if !verdict.is_in_service() {
            return Vec::new();
        }
        if self.serves() && self.has_placeholder() {
            return site_command::replace_placeholder(&self.names, &self.well_known).into();
        }
        let live = self.certificate.live.as_ref();
        match live.is_some_and(|live| !live.is_proven) {
            true => vec![site_command::finish_install(&self.certificate.stem)],
            false => Vec::new(),
        }
    }

    #[must_use]
    pub(super) fn refuse(&self, goal: &SiteGoal, findings: Vec<Finding>) -> SiteOutcome {
        let mut outcome = self.outcome(goal, SiteVerdict::Refused);
        outcome.findings = findings;
        outcome
    }
}

/// Observes the files of a site.
fn observe_files(config: &ServerConfig, name: &DnsName) -> Result<ObservedSite, Failure> {
    if let Some(observed) = observe::observe_site(config, &name.file_stem())? {
        return Ok(observed);
    }
    let file = config.file.display();
    let message = format!("the configuration {file} includes no folder for sites");
    let failure = Failure::new(FailureKind::NotFound, message);
    Err(failure.with_step(site_command::include_folder(&config.file)))
}

/// The configuration without the blocks of the site itself.
fn without_own(config: &ServerConfig, observed: &ObservedSite) -> ServerConfig {
    let blocks = config.blocks().iter();
    let others = blocks.filter(|block| !observed.is_own(&block.file));
    ServerConfig::new(config.software, &config.file, others.cloned().collect())
}

/// The folder from which port 80 answers for the name now, so that validation files are still found
/// where the owner of the site puts them.
fn find_well_known(
    observation: &ServerObservation,
    others: &ServerConfig,
    name: &DnsName,
) -> PathBuf {
    let ServerDetail::Nginx { config, .. } = &observation.detail else {
        return PathBuf::from(WELL_KNOWN);
    };
    let named = others.blocks_serving(std::slice::from_ref(name)).next();
    let default = others.default_blocks().into_iter();
    let mut at_port_80 = default.filter(|block| block.port == 80);
    let root = match named {
        Some(block) => config.root_of(&block.file, block.line),
        None => at_port_80.find_map(|block| config.root_of(&block.file, block.line)),
    };
    let root: Option<&Path> = root.filter(|root| root.is_absolute());
    root.map_or_else(|| PathBuf::from(WELL_KNOWN), Path::to_owned)
}
