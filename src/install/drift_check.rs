//! Checks that the installed files and the served certificate are as the last install left them.
//! Changes nothing.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::outcome::{InstallVerdict, ProbeResult};
use super::{installed, placeholder};
use crate::advice::{command_lines, drift, servers};
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep, Severity};
use crate::install::preflight::{self, PreflightState};
use crate::install::request::{InstallGoal, InstallRequest, RunMode, certctl_again};
use crate::install::rollback;
use crate::install::servers::{ServerUse, ServingState};
use crate::install_plan::apply::error::InstallError;
use crate::install_plan::apply::{self, ProbeAnswer, StepError};
use crate::install_plan::observe;
use crate::install_plan::plan::ServerState;
use crate::probe::{ProbePatience, ProbeTarget};
use crate::store::drift::{FileDrift, LinkReplacement};
use crate::store::layout::{LineageLayout, ReleaseId, StableLink};
use crate::store::release::Release;
use crate::store::root::{check_own_folders, resolve_in_tree, resolve_root};
use crate::store::settings::LineageSettings;
use crate::webserver::model::ServerSoftware;

/// Codes of what can be wrong while the files are as they were installed.
const SERVING: [&str; 6] = [
    "drift-not-configured",
    "drift-served",
    "not-probed",
    "configured-elsewhere",
    "server-config-broken",
    "server-not-running",
];

/// One certificate as it was found.
#[derive(Debug)]
pub(crate) struct DriftCheck {
    pub name: String,
    /// What is live, where it can be loaded.
    pub release: Option<Release>,
    /// Where servers read it.
    pub layout: LineageLayout,
    pub probes: Vec<ProbeResult>,
    /// Every difference, and what else is to be reported.
    pub findings: Vec<Finding>,
    /// The line that installs it again; for a placeholder, the real certificate.
    pub repair: NextStep,
}

impl DriftCheck {
    /// Whether all is as it was installed, files or links drifted, or only what is served.
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

    /// What proves it, as JSON reports it.
    #[must_use]
    pub(crate) fn proof(&self) -> &'static str {
        match (self.verdict(), self.probes.is_empty()) {
            (InstallVerdict::Unchanged, true) => "files",
            (InstallVerdict::Unchanged, false) => "live",
            _ => "none",
        }
    }
}

/// The result of checking files, and the rollback that shows what is served.
struct CheckedFiles {
    check: DriftCheck,
    /// None where nothing can be probed.
    live: Option<LiveInstall>,
}

/// The live release, and where it was installed.
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

    /// The request that observes the servers: as for a rollback to what is live, at the saved paths
    /// and no others. Other files that a configuration names by now were not installed.
    fn as_request(&self) -> InstallRequest<'_> {
        InstallRequest {
            stem: self.stem.clone(),
            goal: InstallGoal::Rollback(Some(&self.release)),
            flags: self.paths.clone(),
            allow: Vec::new(),
            lock_timeout: Duration::ZERO,
            patience: ProbePatience::default(),
            mode: RunMode::DryRun,
        }
    }
}

/// Checks the certificates of these names, and each server once.
///
/// # Errors
/// When one cannot be read: it is not known to be fine, and not known to be wrong.
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
            let targets = unprobed_targets(situation);
            (targets, &situation.wanted.certificates[..])
        })
        .collect();
    let answers = apply::probe_groups(&groups);
    for ((index, situation), probes) in observed.into_iter().zip(answers) {
        checks[index].add_serving(situation.serving, probes);
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
            // The changed files are found already; what is served does not matter then.
            Err(failure)
                if checks[*index].verdict() == InstallVerdict::Refused
                    && failure.kind.exit_code() == 3 => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(observed)
}

/// The saved options of a certificate, and why they cannot be used.
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
                finding: Some(report_unusable_settings(error)),
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
    findings.extend(report.placeholder_finding());
    let repair = report.install;
    let release = observed.release;
    // The commands of settings that others may write are not trusted: no server is observed with
    // them.
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
        probes: Vec::new(),
        findings,
        repair,
    };
    Ok(CheckedFiles { check, live })
}

/// The links of an earlier install are saved: one that is gone may be missed.
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

/// Whether the live certificates are valid now.
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

/// Where the certificate was installed, as options of the command line.
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
        key_path: key_path.or_else(|| Some(layout.path_inside_tree(layout.key_path()))),
        ..LineageSettings::default()
    }
}

/// The addresses to probe, where that was not done yet.
fn unprobed_targets(situation: &PreflightState) -> &[ProbeTarget] {
    let serving = &situation.serving;
    let serves = |server_use: &ServerUse| {
        matches!(
            server_use.state,
            ServerState::BrokenUntilInstalled(_) | ServerState::Serves(..)
        )
    };
    if serving.probes.is_empty() && serving.uses.iter().any(serves) {
        &serving.targets
    } else {
        &[]
    }
}

impl DriftCheck {
    /// Adds what the servers say; `probes` is what they answered just now.
    fn add_serving(&mut self, serving: ServingState, probes: Vec<ProbeAnswer>) {
        self.add_new_findings(serving.findings);
        self.findings.extend(serving.refusals);
        for server_use in &serving.uses {
            let finding = self.check_server(server_use);
            self.findings.extend(finding);
        }
        let probes = if serving.probes.is_empty() {
            probes
        } else {
            serving.probes
        };
        self.probes = probes.iter().map(ProbeResult::from).collect();
        if !probes.iter().all(ProbeAnswer::agrees) {
            self.findings.push(self.report_other_certificate(probes));
        }
    }

    /// Adds findings about the servers that are not reported yet.
    fn add_new_findings(&mut self, mut findings: Vec<Finding>) {
        // What a new key would inherit concerns the next install.
        findings.retain(|finding| {
            finding.severity != Severity::Note && !finding.code.starts_with("key-")
        });
        // The dates were judged with the files, as errors; a rollback only warns about them.
        findings.retain(|finding| {
            let is_same = |known: &Finding| known.message == finding.message;
            !self.findings.iter().any(is_same)
        });
        self.findings.extend(findings);
    }

    /// Whether a server runs and names the certificate.
    fn check_server(&self, server_use: &ServerUse) -> Option<Finding> {
        let title = server_use
            .observed
            .software()
            .map_or("the server", ServerSoftware::title);
        match &server_use.state {
            ServerState::NotNamed => {
                let message = format!(
                    "{title}'s configuration does not name the files of {}",
                    self.name
                );
                let finding = Finding::error("drift-not-configured", message);
                Some(finding.with_step(self.repair.clone()))
            }
            ServerState::Stopped(_) => {
                let message = format!("{title} does not run: nobody serves {}", self.name);
                let finding = Finding::error("server-not-running", message);
                Some(match server_use.program() {
                    Some(program) => {
                        finding.with_step(servers::start_server(program.start_command()))
                    }
                    None => finding,
                })
            }
            ServerState::BrokenUntilInstalled(_)
            | ServerState::Serves(..)
            | ServerState::Nothing => None,
        }
    }

    fn report_other_certificate(&self, probes: Vec<ProbeAnswer>) -> Finding {
        let message = format!(
            "not every address serves what is installed as {}",
            self.name
        );
        let answers = Finding::from(&StepError::NotServed(probes)).lines;
        Finding::error("drift-served", message)
            .with_quote(answers)
            .with_step(self.repair.clone())
    }
}

/// Settings that cannot be trusted or parsed.
fn report_unusable_settings(error: InstallError) -> Finding {
    Failure::from(error).into_finding("drift-settings")
}

/// What the findings about changed files need.
struct DriftReport<'a> {
    context: &'a Context,
    layout: &'a LineageLayout,
    settings: &'a LineageSettings,
    /// When the placeholder that is live expires.
    placeholder_expiry: Option<Timestamp>,
    /// The line that installs the certificate again.
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
            placeholder_expiry,
            install: match placeholder_expiry {
                Some(_) => command_lines::install_some_file(context.root.as_deref()),
                None => certctl_again(context, &["install", layout.stem()]),
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

    /// Reports a difference, and the line that repairs it.
    fn finding(&self, drifted: &FileDrift) -> Finding {
        let message = drifted.to_string();
        match drifted {
            FileDrift::File { path, .. } => self.report_changed_file(path, message),
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
                Finding::error("drift-unverified", message).with_step(self.install.clone())
            }
            FileDrift::Owner { path, was, .. } => {
                Finding::error("drift-owner", message).with_step(drift::restore_owner(path, *was))
            }
        }
    }

    /// Offers a rollback, where there is a release to go to, else a new install.
    fn report_changed_file(&self, path: &Path, message: String) -> Finding {
        let finding = Finding::error("drift-file", message);
        let root = self.context.root.as_deref();
        let folder = match path.parent() {
            Some(folder) if path.extension().is_some() => folder,
            _ => path,
        };
        let before = rollback::find_release(self.context, self.layout, self.settings, None);
        if before.is_err() {
            return finding.with_step(drift::replace_damaged(folder, root));
        }
        finding
            .with_step(certctl_again(
                self.context,
                &["rollback", self.layout.stem()],
            ))
            .with_step(drift::or_replace_damaged(folder, root))
    }
}
