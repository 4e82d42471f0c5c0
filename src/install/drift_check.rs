//! Checks that the installed files and the served certificate are unchanged since the last install.
//! Changes nothing.

mod probed_targets;

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::outcome::{InstallVerdict, ProbeResult, check_stapled, report_inconclusive};
use super::{installed, placeholder};
use crate::advice::{command_lines, drift, install_command};
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep, Severity};
use crate::install::preflight::{self, PreflightState};
use crate::install::request::{InstallGoal, InstallRequest, RunMode};
use crate::install::rollback;
use crate::install::servers::ServingState;
use crate::install::stale_servers::{
    OPEN_CODE, RecentReload, ReplacedFiles, STALE_CODE, StaleServerScan,
};
use crate::install::{hook, labels};
use crate::install_plan::apply::error::InstallError;
use crate::install_plan::apply::{self, ProbeAnswer, StepError};
use crate::install_plan::observe;
use crate::probe::ProbePatience;
use crate::store::drift::{FileDrift, LinkReplacement};
use crate::store::layout::{LineageLayout, ReleaseId, StableLink};
use crate::store::release::Release;
use crate::store::root::{check_own_folders, resolve_in_tree, resolve_root};
use crate::store::settings::LineageSettings;

/// Codes of findings that can occur although the installed files are unchanged.
const SERVING: [&str; 13] = [
    "apache-reload-risk",
    "config-not-understood",
    "drift-not-configured",
    "drift-served",
    "not-probed",
    "configured-elsewhere",
    "other-certificate-served",
    STALE_CODE,
    OPEN_CODE,
    "process-not-reached",
    "server-config-broken",
    "server-not-running",
    "stapled-response-differs",
];

/// The code of the finding about an install that was not verified live.
const UNVERIFIED: &str = "drift-unverified";

/// The result of checking one certificate.
#[derive(Debug)]
pub(crate) struct DriftCheck {
    pub name: String,
    /// The live release, if it can be loaded.
    pub release: Option<Release>,
    /// The paths where servers read it.
    pub layout: LineageLayout,
    settings: LineageSettings,
    pub probes: Vec<ProbeResult>,
    /// Every difference, and other findings.
    pub findings: Vec<Finding>,
    /// The step that installs it again; for a placeholder, the step that installs the certificate
    /// from the CA.
    pub repair: NextStep,
}

impl DriftCheck {
    /// `Unchanged`; `NotServed` if only the served certificate differs; `Refused` if files or links
    /// were changed.
    #[must_use]
    pub(crate) fn verdict(&self) -> InstallVerdict {
        let errors: Vec<&Finding> = self
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .collect();
        let only_serving = errors.iter().all(|finding| SERVING.contains(&finding.code));
        match (errors.is_empty(), only_serving) {
            (true, _) => InstallVerdict::Unchanged,
            (false, true) => InstallVerdict::NotServed,
            (false, false) => InstallVerdict::Refused,
        }
    }

    /// Returns whether nothing was changed, but the install was not verified live.
    #[must_use]
    pub(crate) fn is_unfinished(&self) -> bool {
        let mut errors = self.findings.iter();
        errors.all(|finding| {
            finding.severity < Severity::Error
                || finding.code == UNVERIFIED
                || SERVING.contains(&finding.code)
        })
    }

    /// The word for the proof in JSON.
    #[must_use]
    pub(crate) fn proof(&self) -> &'static str {
        match self.verdict() {
            InstallVerdict::Unchanged => ProbeResult::proof(&self.probes),
            _ => "none",
        }
    }
}

/// The result of checking files, and the install whose servers are observed.
struct CheckedFiles {
    check: DriftCheck,
    /// `None` if no server can be observed.
    live: Option<LiveInstall>,
}

/// The live release, and the paths where it was installed.
struct LiveInstall {
    stem: String,
    release: ReleaseId,
    paths: LineageSettings,
}

impl LiveInstall {
    fn new(release: &Release, layout: &LineageLayout, settings: &LineageSettings) -> Self {
        Self {
            stem: layout.stem().to_owned(),
            release: release.id.clone(),
            paths: installed_paths(layout, settings),
        }
    }

    /// Returns a request with which the servers are observed: a rollback to the live release, at the
    /// saved paths only. Other files that a configuration references by now were not installed.
    fn as_request(&self) -> InstallRequest<'_> {
        InstallRequest {
            stem: self.stem.clone(),
            goal: InstallGoal::Rollback(Some(&self.release)),
            flags: self.paths.clone(),
            allow: Vec::new(),
            lock_timeout: Duration::ZERO,
            patience: ProbePatience::default(),
            mode: RunMode::Check,
            approved: None,
        }
    }
}

/// Checks the certificates of these names, and each server once.
///
/// # Errors
/// When one cannot be read, so that it is unknown whether it was changed.
pub(crate) fn check(context: &Context, stems: &[String]) -> Result<Vec<DriftCheck>, Failure> {
    let mut checks = Vec::new();
    let mut installs = Vec::new();
    for (index, stem) in stems.iter().enumerate() {
        let CheckedFiles { check, live } = check_files(context, stem)?;
        checks.push(check);
        installs.extend(live.map(|live| (index, live)));
    }
    let observed = observe_servers(context, &checks, &installs)?;
    let groups: Vec<_> = observed
        .iter()
        .map(|(_, situation)| {
            let targets = probed_targets::unprobed(situation);
            (targets, &situation.wanted.certificates[..])
        })
        .collect();
    let answers = apply::probe_groups(&groups)
        .into_iter()
        .zip(probed_targets::probe_other_files(&observed));
    for ((index, situation), (probes, other_probes)) in observed.into_iter().zip(answers) {
        checks[index].add_serving(situation.serving, probes, &other_probes);
    }
    let mut scan = StaleServerScan::default();
    for check in &mut checks {
        check.add_stale_servers(context, &mut scan);
    }
    Ok(checks)
}

/// Observes the servers of these installs, each with the position of its check.
fn observe_servers(
    context: &Context,
    checks: &[DriftCheck],
    installs: &[(usize, LiveInstall)],
) -> Result<Vec<(usize, PreflightState)>, Failure> {
    let requests: Vec<InstallRequest<'_>> =
        installs.iter().map(|(_, live)| live.as_request()).collect();
    let situations = preflight::observe_requests(context, &requests)?;
    let mut observed = Vec::new();
    for (situation, (index, _)) in situations.into_iter().zip(installs) {
        match situation {
            Ok(situation) => observed.push((*index, situation)),
            // The changed files are reported already; the served certificate does not matter then.
            Err(failure)
                if checks[*index].verdict() == InstallVerdict::Refused
                    && failure.kind.exit_code() == 3 => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(observed)
}

/// The saved options of a certificate, or the reason why they cannot be used.
struct CheckedSettings {
    settings: LineageSettings,
    finding: Option<Finding>,
}

fn check_settings(root: &Path, stem: &str) -> Result<CheckedSettings, Failure> {
    match observe::read_settings(root, stem) {
        Ok(settings) => Ok(CheckedSettings {
            settings,
            finding: None,
        }),
        Err(error @ (InstallError::Settings { .. } | InstallError::WritableByOthers { .. })) => {
            Ok(CheckedSettings {
                settings: LineageSettings::default(),
                finding: Some(Failure::from(error).into_finding("drift-settings")),
            })
        }
        Err(error) => Err(error.into()),
    }
}

/// Checks the files of one certificate.
fn check_files(context: &Context, stem: &str) -> Result<CheckedFiles, Failure> {
    let root = resolve_root(context.root.as_deref())?;
    check_own_folders(&root, stem)?;
    let CheckedSettings { settings, finding } = check_settings(&root, stem)?;
    let layout = installed::saved_layout(context, stem, &settings)?;
    let mut observed = observe::drift::find_drifts(&layout, &settings)?;
    let former_drifts = check_former_links(&root, &layout, &settings)?;
    observed.drifts.extend(former_drifts);
    let report = DriftReport::new(context, &layout, &settings, observed.release.as_ref());
    let mut findings = report.drift_findings(&observed.drifts);
    findings.extend(report.further_findings());
    let repair = report.install;
    let release = observed.release;
    // The commands in settings that other users can write to are not trusted: they are not run, and
    // no server is observed.
    let live = release
        .as_ref()
        .filter(|_| finding.is_none())
        .map(|release| LiveInstall::new(release, &layout, &settings));
    findings.extend(finding);
    findings.extend(check_dates(context, release.as_ref()));
    let check = DriftCheck {
        name: stem.to_owned(),
        release,
        layout,
        settings,
        probes: Vec::new(),
        findings,
        repair,
    };
    Ok(CheckedFiles { check, live })
}

/// Checks the saved links of earlier installs, which servers may still read.
fn check_former_links(
    root: &Path,
    layout: &LineageLayout,
    settings: &LineageSettings,
) -> Result<Vec<FileDrift>, Failure> {
    let mut drifts = Vec::new();
    for link in &settings.former {
        let link = StableLink::new(resolve_in_tree(root, &link.path)?, link.piece);
        if !layout.links().contains(&link) {
            drifts.extend(observe::drift::check_link(layout, &link)?);
        }
    }
    Ok(drifts)
}

/// Reports live certificates that are not valid now.
fn check_dates(context: &Context, live: Option<&Release>) -> Vec<Finding> {
    let Some(release) = live else {
        return Vec::new();
    };
    let warnings = rollback::check_validity(release, context.now());
    warnings.into_iter().map(as_error).collect()
}

fn as_error(finding: Finding) -> Finding {
    Finding {
        severity: Severity::Error,
        ..finding
    }
}

/// Returns the paths of the last install as command-line options.
fn installed_paths(layout: &LineageLayout, settings: &LineageSettings) -> LineageSettings {
    let mut links = settings.links.clone();
    for link in layout.further_links() {
        let link = StableLink::new(layout.path_inside_tree(&link.path), link.piece);
        if !settings.links.contains(&link) {
            links.push(link);
        }
    }
    let chain_path = settings.chain_path.clone();
    let key_path = settings.key_path.clone();
    LineageSettings {
        links,
        chain_path: chain_path.or_else(|| Some(layout.path_inside_tree(layout.chain_path()))),
        key_path: key_path.or_else(|| Some(layout.path_inside_tree(layout.key_path()?))),
        ..LineageSettings::default()
    }
}

impl DriftCheck {
    /// Adds the state of the servers; `other_probes` are the answers of blocks with other files.
    fn add_serving(
        &mut self,
        serving: ServingState,
        probes: Vec<ProbeAnswer>,
        other_probes: &[ProbeAnswer],
    ) {
        self.add_new_findings(serving.check_other_files(other_probes));
        self.add_new_findings(serving.findings);
        self.findings.extend(serving.refusals);
        for server_use in &serving.uses {
            let finding = server_use.report_out_of_use(&self.name, &self.repair);
            self.findings.extend(finding);
        }
        let probes = if serving.probes.is_empty() {
            probes
        } else {
            serving.probes
        };
        let all_probes = probes.iter().chain(other_probes);
        self.probes = all_probes.map(ProbeResult::from).collect();
        if let Some(live) = &self.release {
            let stapled = check_stapled(&probes, &live.certificates);
            self.findings.extend(stapled);
        }
        self.findings
            .extend(report_inconclusive(&probes, ProbeAnswer::is_unverifiable));
        if !probes
            .iter()
            .all(|probe| probe.agrees() || probe.is_unverifiable())
        {
            self.findings.push(self.report_other_certificate(probes));
        }
    }

    /// Where no server was probed: adds those that still serve a previous certificate.
    fn add_stale_servers(&mut self, context: &Context, scan: &mut StaleServerScan) {
        if let Some(release) = self.release.as_ref().filter(|_| self.probes.is_empty()) {
            let installed = ReplacedFiles {
                layout: &self.layout,
                settings: &self.settings,
                release,
                before: None,
                reload: RecentReload::Missing,
            };
            self.findings.extend(scan.find(context, &installed));
        }
    }

    /// Adds findings about the servers that are not reported yet.
    fn add_new_findings(&mut self, mut findings: Vec<Finding>) {
        // Findings about a new key and about damage matter only to the next install.
        let is_later =
            |finding: &Finding| finding.code.starts_with("key-") || finding.code == drift::REPAIRED;
        findings.retain(|finding| finding.severity != Severity::Note && !is_later(finding));
        // The validity dates are reported as errors already; a rollback only warns about them.
        findings.retain(|finding| {
            let is_same = |known: &Finding| known.message == finding.message;
            !self.findings.iter().any(is_same)
        });
        self.findings.extend(findings);
    }

    fn report_other_certificate(&self, probes: Vec<ProbeAnswer>) -> Finding {
        let message = format!(
            "not every probed address serves the installed certificate {}",
            self.name
        );
        let answers = Finding::from(&StepError::NotServed(probes)).lines;
        Finding::error("drift-served", message)
            .with_quote(answers)
            .with_step(self.repair.clone())
    }
}

/// The context of the findings about changed files.
struct DriftReport<'a> {
    context: &'a Context,
    layout: &'a LineageLayout,
    settings: &'a LineageSettings,
    /// The live release, if it can be loaded.
    live: Option<ReleaseId>,
    /// When the placeholder that is live expires.
    placeholder_expiry: Option<Timestamp>,
    /// The step that installs the certificate again.
    install: NextStep,
}

impl<'a> DriftReport<'a> {
    fn new(
        context: &'a Context,
        layout: &'a LineageLayout,
        settings: &'a LineageSettings,
        live: Option<&Release>,
    ) -> Self {
        let placeholder_expiry = live
            .filter(|release| settings.placeholder.as_ref() == Some(&release.id))
            .map(Release::not_after);
        Self {
            context,
            layout,
            settings,
            live: live.map(|release| release.id.clone()),
            placeholder_expiry,
            install: match placeholder_expiry {
                Some(_) => command_lines::install_some_file(context.root.as_deref()),
                None => install_command::install_again(context.root.as_deref(), layout.stem()),
            },
        }
    }

    fn drift_findings(&self, drifts: &[FileDrift]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for drifted in drifts {
            // A placeholder is never proven.
            let is_expected =
                self.placeholder_expiry.is_some() && matches!(drifted, FileDrift::NotProven { .. });
            if !is_expected {
                findings.push(self.finding(drifted));
            }
        }
        findings
    }

    fn placeholder_finding(&self) -> Option<Finding> {
        let expiry = self.placeholder_expiry?;
        Some(as_error(placeholder::warn_about_placeholder(
            self.context,
            expiry,
        )))
    }

    /// Reports a placeholder, a command that was not run, and SELinux labels that may be wrong.
    fn further_findings(&self) -> Vec<Finding> {
        let mut findings = Vec::from_iter(self.placeholder_finding());
        if let Some(live) = &self.live {
            let stem = self.layout.stem();
            findings.extend(hook::report_due(self.context, stem, self.settings, live));
            findings.extend(labels::find_odd_labels(self.layout, live));
        }
        findings
    }

    /// Reports a difference, and the step that repairs it.
    fn finding(&self, drifted: &FileDrift) -> Finding {
        let message = drifted.to_string();
        match drifted {
            FileDrift::File { .. } => self.report_changed_file(message),
            FileDrift::Link { link, at } => {
                let next = match at {
                    LinkReplacement::Other => drift::inspect_path(&link.path),
                    LinkReplacement::Link(_) => {
                        drift::remove_link_and_install(&link.path, &self.install)
                    }
                    LinkReplacement::File | LinkReplacement::Nothing => self.install.clone(),
                };
                Finding::error("drift-link", message).with_step(next)
            }
            FileDrift::Live(path) => Finding::error("drift-live", message)
                .with_step(drift::point_live_to_proven(path))
                .with_step(self.install.clone()),
            FileDrift::Mode { path, was, .. } => {
                Finding::error("drift-mode", message).with_step(drift::restore_mode(path, *was))
            }
            FileDrift::NotProven { .. } => {
                Finding::error(UNVERIFIED, message).with_step(self.install.clone())
            }
            FileDrift::Owner { path, was, .. } => {
                Finding::error("drift-owner", message).with_step(drift::restore_owner(path, *was))
            }
        }
    }

    /// Offers a rollback if there is a version to restore, else a new install.
    fn report_changed_file(&self, message: String) -> Finding {
        let finding = Finding::error("drift-file", message);
        let root = self.context.root.as_deref();
        let previous = rollback::find_release(self.context, self.layout, self.settings, None);
        if previous.is_err() {
            return finding.with_step(drift::replace_damaged(root));
        }
        finding
            .with_step(install_command::restore_previous(root, self.layout.stem()))
            .with_step(drift::or_replace_damaged(root))
    }
}
