//! Everything that a transaction depends on: paths, settings, files, servers. It is observed before
//! the lock is taken, to refuse early, and again under the lock if something has changed since.

mod checks;
mod deploy_choice;
pub(crate) mod disk_space;
mod key_proof;
pub(crate) mod key_readers;
mod observation;
pub(crate) mod overrides;
mod saved_commands;
mod server_choice;
mod service_options;
mod settings_to_save;
mod usable_defaults;

use std::path::Path;

use jiff::Timestamp;

use self::observation::{ObservationInput, PreflightObservation};
use crate::advice::drift;
use crate::audit::AuditAction;
use crate::configuration::ConfiguredDefaults;
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, Severity};
use crate::install::hook::InstallHook;
use crate::install::request::{InstallGoal, InstallRequest};
use crate::install::servers::discover::ServerDiscovery;
use crate::install::servers::health::ServedLineage;
use crate::install::servers::{self, SearchPaths, ServingState};
use crate::install::{installed, rollback};
use crate::install_plan::apply::{self, ProbeAnswer};
use crate::install_plan::observe::{self, DiskObservation, PathFingerprints};
use crate::install_plan::plan::{
    self, InstallPlan, ServedEvidence, ServerState, SettingsChange, TargetRelease,
};
use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::probe::ProbeTarget;
use crate::store::deployed::DeployedCertificate;
use crate::store::disk::OLDER_RELEASES;
use crate::store::layout::{LineageLayout, ReleasePointer};
use crate::store::release::Release;
use crate::store::root::{check_own_folders, resolve_in_tree, resolve_root};
use crate::store::settings::LineageSettings;

/// Everything that a transaction depends on.
#[derive(Debug)]
pub(crate) struct PreflightState {
    pub layout: LineageLayout,
    /// The saved options, with those of the command line taking precedence.
    pub settings: LineageSettings,
    /// The options that were saved before this run.
    pub settings_before: LineageSettings,
    /// The command of `--after`.
    pub hook: Option<InstallHook>,
    /// How many older releases are kept.
    pub older_releases: usize,
    /// When the certificate is due; `None` if the configured value is wrong.
    pub due: Option<Timestamp>,
    /// The release to install.
    pub wanted: Release,
    pub disk: DiskObservation,
    pub serving: ServingState,
    /// Detects whether something of this has changed.
    pub fingerprints: PathFingerprints,
    /// What the audit log calls it.
    pub action: AuditAction,
}

/// A request whose paths and servers are known; the servers are not tested yet.
struct LocatedRequest<'a, 'b> {
    request: &'a InstallRequest<'b>,
    layout: LineageLayout,
    settings: LineageSettings,
    settings_before: LineageSettings,
    /// The release of a rollback.
    target: Option<Release>,
    serving: ServingState,
    fingerprints: PathFingerprints,
}

/// Observes everything about all requests, and each server once. A request whose files cannot be
/// used fails without affecting the others.
///
/// # Errors
/// What prevents all requests from being observed.
pub(crate) fn observe_requests(
    context: &Context,
    requests: &[InstallRequest<'_>],
) -> Result<Vec<Result<PreflightState, Failure>>, Failure> {
    let root = resolve_root(context.root.as_deref())?;
    let allowed = requests.iter().flat_map(|request| request.allow.clone());
    let mut discovery = ServerDiscovery::allowing(allowed);
    let mut located: Vec<Result<LocatedRequest<'_, '_>, Failure>> = requests
        .iter()
        .map(|request| LocatedRequest::locate(context, &root, &mut discovery, request))
        .collect();
    let mut lineages: Vec<ServedLineage<'_>> = located
        .iter_mut()
        .filter_map(|located| located.as_mut().ok())
        .map(LocatedRequest::served_lineage)
        .collect();
    servers::health::test_servers(&mut lineages)?;
    let mut states = finish_requests(context, requests, located)?;
    probe_unchanged(states.iter_mut().filter_map(|state| state.as_mut().ok()));
    Ok(states)
}

/// Finishes the observation of each request.
fn finish_requests(
    context: &Context,
    requests: &[InstallRequest<'_>],
    located: Vec<Result<LocatedRequest<'_, '_>, Failure>>,
) -> Result<Vec<Result<PreflightState, Failure>>, Failure> {
    let (defaults, ignored) = usable_defaults::read(context, requests)?;
    let finish = |located: LocatedRequest<'_, '_>| {
        let mut state = located.finish(context, &defaults)?;
        state.serving.findings.extend(ignored.clone());
        Ok(state)
    };
    let located = located.into_iter();
    Ok(located.map(|located| located.and_then(finish)).collect())
}

/// Probes the servers of requests whose files are all in place: if they serve the certificate, there
/// is nothing to do.
fn probe_unchanged<'a>(states: impl Iterator<Item = &'a mut PreflightState>) {
    let mut unchanged: Vec<&mut PreflightState> =
        states.filter(|state| state.is_in_place()).collect();
    let groups: Vec<_> = unchanged
        .iter()
        .map(|state| (&state.serving.targets[..], &state.wanted.certificates[..]))
        .collect();
    let answers = apply::probe_groups(&groups);
    for (state, probes) in unchanged.iter_mut().zip(answers) {
        let all_agree = probes.iter().all(ProbeAnswer::agrees);
        state.serving.probes = probes;
        if all_agree {
            state.note_served();
        }
    }
}

/// Returns when a certificate is due by the configured rule, if that can be read.
fn due(context: &Context, leaf: &Certificate) -> Option<Timestamp> {
    let before = context.renew_before(None).ok()?;
    Some(before.due(leaf.not_before, leaf.not_after))
}

/// The layout with the usual paths of a certificate.
fn usual_layout(context: &Context, root: &Path, stem: &str) -> Result<LineageLayout, Failure> {
    let (chain, key) = observe::detect_distro_family(root).stable_paths(stem);
    let staged = context.root.as_ref().map(|_| root);
    let chain = resolve_in_tree(root, &chain)?;
    let key = resolve_in_tree(root, &key)?;
    Ok(LineageLayout::new(staged, stem, chain, key))
}

/// Finds the release of a rollback; none for an install.
fn find_target(
    context: &Context,
    goal: InstallGoal<'_>,
    usual: &LineageLayout,
    settings: &LineageSettings,
) -> Result<Option<Release>, Failure> {
    match goal {
        InstallGoal::Install(_) | InstallGoal::Placeholder(_) => Ok(None),
        InstallGoal::Rollback(to) => rollback::find_release(context, usual, settings, to).map(Some),
    }
}

/// Returns the chain that servers should serve; `target` is the release of a rollback.
fn wanted_certificates<'a>(
    goal: InstallGoal<'a>,
    target: Option<&'a Release>,
) -> &'a [Certificate] {
    match goal {
        InstallGoal::Install(certificate) => certificate.chain().chain().certificates(),
        InstallGoal::Placeholder(placeholder) => std::slice::from_ref(placeholder.certificate()),
        InstallGoal::Rollback(_) => target
            .map(|release| release.certificates.as_slice())
            .unwrap_or_default(),
    }
}

/// Returns the saved options, with those of the command line taking precedence.
fn merge_settings(
    context: &Context,
    request: &InstallRequest<'_>,
    usual: &LineageLayout,
    before: &LineageSettings,
) -> Result<LineageSettings, Failure> {
    let mut settings = before.clone().overridden_by(request.flags.clone());
    service_options::add(context, &request.stem, &mut settings)?;
    apply::use_kept_anchors(usual, &mut settings);
    saved_commands::check(context, request, &settings)?;
    Ok(settings)
}

/// Records settings and pointers, to detect later changes.
fn record_state(usual: &LineageLayout) -> Result<PathFingerprints, Failure> {
    let mut fingerprints = PathFingerprints::default();
    fingerprints.record([
        usual.settings(),
        usual.pointer(ReleasePointer::Live),
        usual.pointer(ReleasePointer::Proven),
    ])?;
    Ok(fingerprints)
}

fn audit_action(goal: InstallGoal<'_>) -> AuditAction {
    match goal {
        InstallGoal::Install(_) => AuditAction::Install,
        InstallGoal::Placeholder(_) => AuditAction::InstallPlaceholder,
        InstallGoal::Rollback(_) => AuditAction::Rollback,
    }
}

impl<'a, 'b> LocatedRequest<'a, 'b> {
    /// Reads the settings, and finds paths and servers.
    fn locate(
        context: &Context,
        root: &Path,
        discovery: &mut ServerDiscovery,
        request: &'a InstallRequest<'b>,
    ) -> Result<Self, Failure> {
        check_own_folders(root, &request.stem)?;
        let usual = usual_layout(context, root, &request.stem)?;
        let fingerprints = record_state(&usual)?;
        let settings_before = observe::read_settings(root, &request.stem)?;
        let mut settings = merge_settings(context, request, &usual, &settings_before)?;
        let usual = usual.with_key_storage(settings.key_storage());
        let target = find_target(context, request.goal, &usual, &settings)?;
        let search_paths = SearchPaths {
            root,
            usual_layout: &usual,
            flags: &request.flags,
            settings: &settings,
        };
        let certificates = wanted_certificates(request.goal, target.as_ref());
        let (layout, mut serving) =
            servers::find_serving(context, discovery, search_paths, certificates)?;
        let layout = deploy_choice::choose(request, layout, &mut settings, &mut serving);
        server_choice::require(context, request, &serving)?;
        let by_number = saved_commands::check_process_number(&settings);
        serving.findings.extend(by_number);
        Ok(Self {
            request,
            layout,
            settings,
            settings_before,
            target,
            serving,
            fingerprints,
        })
    }

    fn served_lineage(&mut self) -> ServedLineage<'_> {
        ServedLineage {
            layout: &self.layout,
            serving: &mut self.serving,
            mode: self.request.mode,
        }
    }

    /// Detects later changes of the links.
    fn record_links(&mut self) -> Result<(), Failure> {
        let links = self.layout.links().iter().map(|link| link.path.clone());
        self.fingerprints.record(links)?;
        Ok(())
    }

    /// Observes the disk once, then runs all checks over what was observed.
    fn finish(
        mut self,
        context: &Context,
        defaults: &ConfiguredDefaults,
    ) -> Result<PreflightState, Failure> {
        self.record_links()?;
        self.apply_overrides(context);
        let hook = InstallHook::find(context, self.request, &self.settings, defaults)?;
        let input = ObservationInput {
            request: self.request,
            layout: &self.layout,
            settings: &self.settings,
            settings_before: &self.settings_before,
            serving: &self.serving,
        };
        let observation = PreflightObservation::read(context, input, self.target.take())?;
        for finding in checks::check_all(&observation) {
            self.add_check(finding);
        }
        self.judge(&observation);
        let settings = self.settings_to_save(&observation);
        let obstacles = checks::find_obstacles(context, self.request, &observation);
        let mut disk = observation.disk;
        disk.obstacles.extend(obstacles);
        disk.deployed = self.at_saved_paths(context, disk.deployed, &settings)?;
        Ok(PreflightState {
            layout: self.layout,
            settings,
            settings_before: self.settings_before,
            hook,
            older_releases: defaults.keep.unwrap_or(OLDER_RELEASES),
            due: due(context, observation.wanted.leaf()),
            wanted: observation.wanted,
            disk,
            serving: self.serving,
            fingerprints: self.fingerprints,
            action: audit_action(self.request.goal),
        })
    }

    /// Adds the result of a check. An error refuses an install, unless it is allowed; a rollback goes
    /// on with a warning.
    fn add_check(&mut self, finding: Finding) {
        let is_rollback = matches!(self.request.goal, InstallGoal::Rollback(_));
        let is_allowed = self.request.allow.contains(&finding.code);
        match finding.severity {
            Severity::Error if is_rollback => self.serving.findings.push(Finding {
                severity: Severity::Warning,
                ..finding
            }),
            Severity::Error if is_allowed => self.serving.findings.push(finding.into_allowed()),
            Severity::Error => self.serving.refusals.push(finding),
            _ => self.serving.findings.push(finding),
        }
    }

    /// Refuses a chain without a key file whose key no handshake can prove.
    fn judge_key_proof(&mut self, observation: &PreflightObservation) {
        let loaded = observation.disk.served_leaf.as_ref();
        let wanted = observation.wanted.leaf();
        let risk = key_proof::check_apache(&self.layout, &self.serving, loaded, wanted);
        if !matches!(self.request.goal, InstallGoal::Install(_)) {
            self.serving.refusals.extend(risk);
            return;
        }
        let unproven = key_proof::check(&self.layout, &self.serving);
        for finding in risk.into_iter().chain(unproven) {
            self.add_check(finding);
        }
    }

    /// Refuses a certificate that is older than the live one, or warns about it if that is allowed.
    fn judge_age(&mut self, observation: &PreflightObservation) {
        match checks::check_age(self.request, observation) {
            Some(finding) if finding.severity == Severity::Error => {
                self.serving.refusals.push(finding);
            }
            finding => self.serving.findings.extend(finding),
        }
    }

    /// Judges key and age, and reports that the wanted release is damaged, and written again.
    fn judge(&mut self, observation: &PreflightObservation) {
        self.judge_key_proof(observation);
        self.judge_age(observation);
        let damage = observation.disk.damage.as_deref();
        self.serving
            .findings
            .extend(damage.map(drift::report_repair));
    }

    /// Describes what is deployed at the paths that were saved before, where this run changes them.
    fn at_saved_paths(
        &self,
        context: &Context,
        deployed: Option<DeployedCertificate>,
        settings: &LineageSettings,
    ) -> Result<Option<DeployedCertificate>, Failure> {
        let before = &self.settings_before;
        let has_moved = before.chain_path.is_some()
            && (&before.chain_path, &before.key_path) != (&settings.chain_path, &settings.key_path);
        match deployed {
            Some(deployed) if has_moved => {
                let saved = installed::saved_layout(context, self.layout.stem(), before)?;
                Ok(Some(deployed.at(&saved)))
            }
            unmoved => Ok(unmoved),
        }
    }

    /// Demotes to warnings the findings that do not block this kind of request, and those that
    /// `--allow` names.
    fn apply_overrides(&mut self, context: &Context) {
        let serving = &mut self.serving;
        if let InstallGoal::Rollback(_) | InstallGoal::Placeholder(_) = self.request.goal {
            // A rollback is deliberate, and no browser accepts a placeholder anyway: a warning is
            // enough.
            let demoted = serving.names_losing_coverage.drain(..);
            serving.findings.extend(demoted.map(|finding| Finding {
                severity: Severity::Warning,
                ..finding
            }));
        }
        if let Some(release) = &self.target {
            let judged =
                rollback::judge_target(release, self.request, &self.settings, context.now());
            let (refusals, findings): (Vec<Finding>, Vec<Finding>) = judged
                .into_iter()
                .partition(|finding| finding.severity == Severity::Error);
            serving.refusals.extend(refusals);
            serving.findings.extend(findings);
        }
        overrides::apply(serving, &self.request.allow);
    }
}

impl PreflightState {
    /// Whether the wanted release is live and proven, and a server serves the certificate.
    fn is_in_place(&self) -> bool {
        let observed = &self.disk.observed;
        let wanted = Some(&self.wanted.id);
        observed.live.as_ref() == wanted
            && observed.proven.as_ref() == wanted
            && self.disk.damage.is_none()
            && observed.any(|state| matches!(state, ServerState::Serves(..)))
    }

    /// Reports running servers that certctl cannot reload; what only they serve is not probed.
    pub(crate) fn exclude_unreloaded(&mut self) {
        self.serving
            .exclude_unreloaded(&mut self.disk.observed.server_uses);
    }

    /// The mode of the key, if it is a file.
    pub(crate) fn key_mode(&self) -> Option<Mode> {
        let has_key = self.layout.key_path().is_some();
        has_key.then_some(self.wanted.access.mode)
    }

    /// Whether a finding with this code is known before anything is changed.
    pub(crate) fn has_finding(&self, code: &str) -> bool {
        let mut findings = self.serving.findings.iter();
        findings.any(|finding| finding.code == code)
    }

    /// Notes that every address serves the wanted release.
    fn note_served(&mut self) {
        for server_use in &mut self.disk.observed.server_uses {
            if let ServerState::Serves(_, evidence) = &mut server_use.state {
                *evidence = ServedEvidence::WantedRelease;
            }
        }
    }

    /// Returns what to probe at blocks with other files; nothing for a placeholder, or if the
    /// certificate itself is not probed.
    #[must_use]
    pub(crate) fn other_targets(&self) -> Vec<ProbeTarget> {
        let is_placeholder = self.settings.placeholder.as_ref() == Some(&self.wanted.id);
        if is_placeholder || self.serving.targets.is_empty() {
            return Vec::new();
        }
        self.serving.other_targets()
    }

    /// Returns what blocks the transaction, if anything does.
    #[must_use]
    pub(crate) fn refusal(&self) -> Option<Vec<Finding>> {
        let mut reasons: Vec<Finding> = self.disk.obstacles.iter().map(Finding::from).collect();
        reasons.extend(self.serving.refusals.iter().cloned());
        reasons.extend(self.serving.names_losing_coverage.iter().cloned());
        (!reasons.is_empty()).then_some(reasons)
    }

    /// Plans the transaction.
    #[must_use]
    pub(crate) fn plan(&self, goal: InstallGoal<'_>) -> InstallPlan {
        let is_rollback = matches!(goal, InstallGoal::Rollback(_));
        let settings_change = if is_rollback || self.settings == self.settings_before {
            SettingsChange::Unchanged
        } else if self.settings.has_commands_of(&self.settings_before) {
            SettingsChange::Otherwise
        } else {
            SettingsChange::Commands
        };
        let wanted = TargetRelease {
            id: self.wanted.id.clone(),
            pieces: self.wanted.pieces(),
            settings_change,
        };
        let plan = match goal {
            InstallGoal::Install(_) => plan::plan_install,
            InstallGoal::Placeholder(_) => plan::plan_placeholder,
            InstallGoal::Rollback(_) => plan::plan_rollback,
        };
        let mut plan = plan(&wanted, &self.disk.observed, &self.layout);
        if let Some(hook) = &self.hook {
            hook.add_to(&mut plan, &self.wanted.id);
        }
        plan
    }
}
