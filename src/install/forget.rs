//! Removes a certificate from certctl's management: observes it, refuses while its last install is
//! unfinished, then replaces its links with plain files.

pub(crate) mod apply;
pub(crate) mod plan;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use self::apply::PlainFile;
use self::plan::{ForgetObservation, ForgetRefusal, ForgetStep, NeverProven};
use super::{installed, placeholder, transaction};
use crate::advice::{install_command, lineages};
use crate::audit::{self, AuditAction, AuditEvent};
use crate::context::Context;
use crate::failure::Failure;
use crate::finding::{Finding, NextStep};
use crate::install::preflight::disk_space::SpaceReservation;
use crate::install::request::RunMode;
use crate::install::servers;
use crate::install::servers::discover::ServerDiscovery;
use crate::install_plan::observe::{self, PathContent};
use crate::install_plan::plan::PathState;
use crate::pki::certificate::Certificate;
use crate::report::{self, DryRunSummary};
use crate::store::deployed::DeployedCertificate;
use crate::store::disk::{self, kept_files};
use crate::store::layout::{LineageLayout, ReleaseFile, ReleaseId, ReleasePointer};
use crate::store::release::Release;
use crate::store::root::{check_own_folders, resolve_root};
use crate::store::settings::LineageSettings;
use crate::system::fs::{files, folders};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ForgetVerdict {
    Planned,
    Refused,
    /// The links are plain files now, and the folder is deleted.
    Forgotten,
}

impl ForgetVerdict {
    /// Its name in JSON.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Refused => "refused",
            Self::Forgotten => "forgotten",
        }
    }
}

/// The result of a removal.
#[derive(Debug)]
pub(crate) struct ForgetResult {
    pub verdict: ForgetVerdict,
    pub name: String,
    pub folder: PathBuf,
    pub release: Option<ReleaseId>,
    /// Its certificate, if it could be read.
    pub leaf: Option<Certificate>,
    /// What servers read at the certificate's paths, before and after the removal.
    pub deployed: Option<DeployedCertificate>,
    /// The plain files, as they are or would be.
    pub files: Vec<PlainFile>,
    /// The fields of a dry run.
    pub dry_run: Option<DryRunSummary>,
    /// What was or would be done.
    pub steps: Vec<ForgetStep>,
    pub findings: Vec<Finding>,
    /// What to do now.
    pub next: Vec<NextStep>,
}

impl ForgetResult {
    /// A removal that does nothing yet.
    fn new(layout: &LineageLayout, live: Option<ReleaseId>) -> Self {
        Self {
            verdict: ForgetVerdict::Planned,
            name: layout.stem().to_owned(),
            folder: layout.folder(),
            release: live,
            leaf: None,
            deployed: None,
            files: Vec::new(),
            dry_run: None,
            steps: Vec::new(),
            findings: Vec::new(),
            next: Vec::new(),
        }
    }

    /// Writes a line to the audit log; servers read the same content as before.
    fn audit(&self, context: &Context, result: &str) -> Option<Finding> {
        let fingerprint = self.deployed.as_ref().map(DeployedCertificate::sha256);
        let event = AuditEvent {
            action: AuditAction::Forget,
            subject: &self.name,
            result,
            before: fingerprint,
            after: fingerprint,
            key_id: None,
            proof: "",
        };
        audit::record(context, &event)
    }

    /// Returns the fields of a dry run.
    fn summarize(&self, observation: Option<&ForgetObservation>) -> DryRunSummary {
        let considered = json!({
            "name": self.name,
            "goal": "forget",
            // Not as JSON, because not every path is text.
            "observed": format!("{observation:?}"),
            "deployed": self.deployed,
            "steps": self.steps,
            "findings": report::considered_findings(&self.findings),
        });
        DryRunSummary {
            would_change: self.verdict == ForgetVerdict::Planned,
            plan_id: report::plan_id(considered),
        }
    }

    /// Whether anything on disk has changed.
    #[must_use]
    pub(crate) fn changed(&self) -> bool {
        self.verdict == ForgetVerdict::Forgotten
    }
}

/// What to remove, and how.
pub(crate) struct ForgetRequest<'a> {
    /// The name of the certificate in /etc/ssl.
    pub stem: &'a str,
    /// How long to wait for another certctl.
    pub lock_timeout: Duration,
    pub mode: RunMode,
    pub never_proven: NeverProven,
}

/// Removes a certificate from certctl's folder. A dry run plans only, and a refusal is a result, too.
///
/// # Errors
/// When files cannot be used, the lock is held by another certctl, or a signal arrives: each path is
/// then the link or a plain file with the same content, and the next run continues.
pub(crate) fn run(context: &Context, request: &ForgetRequest<'_>) -> Result<ForgetResult, Failure> {
    if context.interrupt.listen().is_err() {
        context
            .sink
            .show_detail("cannot handle signals: a signal ends the command at once");
    }
    let (layout, removal) = plan_removal(context, request)?;
    if request.mode == RunMode::DryRun || removal.verdict == ForgetVerdict::Refused {
        return Ok(removal);
    }
    let _lock = transaction::take_lock(context, &layout, request.lock_timeout)?;
    // Another certctl may have held the lock and changed something: everything is observed again.
    disk::sweep(&[&layout])?;
    kept_files::sweep(&[&layout])?;
    let (layout, removal) = plan_removal(context, request)?;
    if removal.verdict == ForgetVerdict::Refused {
        return Ok(removal);
    }
    let mut forgotten = ForgetResult {
        verdict: ForgetVerdict::Forgotten,
        ..removal
    };
    if !forgotten.steps.is_empty() {
        let live = forgotten.release.as_ref();
        let ended = apply::run(&layout, live, &forgotten.steps, || {
            context.interrupt.signal()
        });
        let result = if ended.is_ok() { "forgotten" } else { "failed" };
        let failed_log = forgotten.audit(context, result);
        ended?;
        forgotten.findings.extend(failed_log);
    }
    Ok(forgotten)
}

/// Observes the certificate and plans its removal.
fn plan_removal(
    context: &Context,
    request: &ForgetRequest<'_>,
) -> Result<(LineageLayout, ForgetResult), Failure> {
    let ForgetRequest { stem, mode, .. } = *request;
    let root = resolve_root(context.root.as_deref())?;
    check_own_folders(&root, stem)?;
    let settings = observe::read_settings(&root, stem)?;
    let layout = installed::saved_layout(context, stem, &settings)?;
    let live = observe::read_pointer(&layout, ReleasePointer::Live)?;
    let mut removal = ForgetResult::new(&layout, live);
    if !folders::is_folder(&layout.folder()) {
        // A removal was killed after its last rename: only its leftovers are deleted.
        if mode == RunMode::DryRun {
            removal.dry_run = Some(removal.summarize(None));
        }
        return Ok((layout, removal));
    }
    let (mut observation, findings) =
        observe_lineage(context, &layout, &settings, removal.release.as_ref())?;
    observation.observation.never_proven = request.never_proven;
    removal.findings = findings;
    removal.apply_plan(context, &layout, &observation);
    removal.describe_release(&layout, observation.release.as_ref());
    if mode == RunMode::DryRun {
        removal.dry_run = Some(removal.summarize(Some(&observation.observation)));
    }
    removal.list_files(&layout, observation.release.as_ref())?;
    Ok((layout, removal))
}

/// The observed state, and the live release.
struct ObservedLineage {
    observation: ForgetObservation,
    release: Option<Release>,
}

/// Observes everything that a removal depends on. The findings are reported in any case.
fn observe_lineage(
    context: &Context,
    layout: &LineageLayout,
    settings: &LineageSettings,
    live: Option<&ReleaseId>,
) -> Result<(ObservedLineage, Vec<Finding>), Failure> {
    let mut findings = Vec::new();
    let path_states = observe_links(layout, &mut findings)?;
    let pieces = observe_pieces(layout, live);
    // A placeholder is never proven, and was installed on purpose.
    let placeholder = settings
        .placeholder
        .clone()
        .filter(|placeholder| live == Some(placeholder));
    let is_placeholder = placeholder.is_some();
    let proven = match placeholder {
        Some(placeholder) => Some(placeholder),
        None => observe::read_pointer(layout, ReleasePointer::Proven)?,
    };
    let foreign_files = apply::find_foreign_files(layout)?;
    let release = match live {
        Some(live) => disk::load(layout, live)?,
        None => None,
    };
    if let (true, Some(release)) = (is_placeholder, &release) {
        findings.push(placeholder::warn_about_placeholder(
            context,
            release.not_after(),
        ));
    }
    let observation = ForgetObservation {
        live: live.cloned(),
        proven,
        never_proven: NeverProven::Refused,
        path_states,
        pieces,
        named_files: find_named_files(context, layout, settings, release.as_ref()),
        foreign_files,
    };
    let observed = ObservedLineage {
        observation,
        release,
    };
    Ok((observed, findings))
}

/// Observes each link; adds a note for each path that is not certctl's link.
fn observe_links(
    layout: &LineageLayout,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Option<PathState>>, Failure> {
    let mut path_states = Vec::new();
    for link in layout.links() {
        let path_state = match observe::check_path(layout, link)? {
            PathContent::Replaceable(state) => Some(state),
            PathContent::Obstacle(obstacle) => {
                let message = format!("{obstacle}; it is left unchanged");
                findings.push(Finding::note("path-taken", message));
                None
            }
        };
        path_states.push(path_state);
    }
    Ok(path_states)
}

/// Returns the existing files of the live release.
fn observe_pieces(layout: &LineageLayout, live: Option<&ReleaseId>) -> Vec<ReleaseFile> {
    let Some(live) = live else {
        return Vec::new();
    };
    layout
        .links()
        .iter()
        .map(|link| link.piece)
        .filter(|piece| folders::is_file(&layout.file_path(live, *piece)))
        .collect()
}

impl ForgetResult {
    /// Plans the steps, or reports why the removal is refused.
    fn apply_plan(
        &mut self,
        context: &Context,
        layout: &LineageLayout,
        observed: &ObservedLineage,
    ) {
        let observation = &observed.observation;
        match plan::plan(observation, layout) {
            Ok(steps) => self.steps = steps,
            Err(refusals) => {
                self.verdict = ForgetVerdict::Refused;
                let can_roll_back = observation.proven.is_some();
                for refusal in &refusals {
                    let finding = report_refusal(context, &self.name, refusal);
                    self.findings.push(match refusal {
                        ForgetRefusal::NotProven(_) if can_roll_back => {
                            let root = context.root.as_deref();
                            finding.with_step(install_command::restore_previous(root, &self.name))
                        }
                        ForgetRefusal::NotProven(_) => {
                            let root = context.root.as_deref();
                            finding.with_step(lineages::forget_unproven(root, &self.name))
                        }
                        _ => finding,
                    });
                }
            }
        }
    }

    fn describe_release(&mut self, layout: &LineageLayout, release: Option<&Release>) {
        self.leaf = release.map(|release| release.leaf().clone());
        self.deployed = release.map(|release| DeployedCertificate::new(release, layout));
    }

    /// Lists the plain files that the steps create, and checks that there is enough space for them.
    fn list_files(
        &mut self,
        layout: &LineageLayout,
        release: Option<&Release>,
    ) -> Result<(), Failure> {
        let mut sizes = Vec::new();
        for step in &self.steps {
            if let (Some(live), ForgetStep::Settle { path, piece }) = (&self.release, step) {
                self.files
                    .extend(apply::plain_file(layout, live, path, *piece)?);
                let bytes = release.map_or(0, |release| release.bytes(*piece).len());
                sizes.push((path.clone(), bytes));
            }
        }
        // Fails here rather than halfway through the removal.
        if !self.steps.is_empty() {
            SpaceReservation::default().reserve_removal(&sizes, &layout.folder())?;
        }
        Ok(())
    }
}

/// Finds the files in the certificate's folder that server configurations reference, directly or
/// through another link: the block and the path. A configuration that cannot be read is skipped.
fn find_named_files(
    context: &Context,
    layout: &LineageLayout,
    settings: &LineageSettings,
    release: Option<&Release>,
) -> Vec<(String, PathBuf)> {
    let names = release
        .map(|release| servers::dns_names(&release.certificates))
        .unwrap_or_default();
    let servers = ServerDiscovery::default()
        .find_servers(context, settings, layout.links(), &names)
        .unwrap_or_default()
        .servers;
    let blocks = servers
        .iter()
        .filter_map(|observed| observed.observation.as_ref())
        .flat_map(|observation| observation.config.blocks());
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for block in blocks {
        // One block may reference a file twice.
        let mut named_here = Vec::new();
        let files = block
            .certificates
            .iter()
            .flat_map(|certificate| &certificate.files);
        for path in files.filter_map(|(_, path)| path.file()) {
            let is_known = || found.iter().any(|(_, known)| known == path);
            if leads_into(path, layout) && !is_known() {
                named_here.push((block.to_string(), path.to_owned()));
            }
        }
        found.extend(named_here);
    }
    found
}

fn leads_into(path: &Path, layout: &LineageLayout) -> bool {
    let Ok(real) = folders::resolve_links(path) else {
        return false;
    };
    if layout.links().iter().any(|link| link.path == real) {
        return false;
    }
    let target = match folders::read_status(&real) {
        Ok(Some(folders::FileStatus {
            kind: folders::FileKind::Link(text),
            ..
        })) => folders::normalize(&files::parent(&real).join(text)),
        _ => real,
    };
    target.starts_with(layout.folder())
}

fn report_refusal(context: &Context, stem: &str, refusal: &ForgetRefusal) -> Finding {
    let message = refusal.to_string();
    let root = context.root.as_deref();
    match refusal {
        ForgetRefusal::NotProven(_) => Finding::error("not-verified-live", message)
            .with_step(install_command::finish_install(root, stem)),
        ForgetRefusal::StillNamed { block, .. } => {
            Finding::error("still-configured", message).with_step(lineages::name_the_link(block))
        }
        ForgetRefusal::DanglingLink(_) => Finding::error("path-missing", message)
            .with_step(install_command::check_installed(root, stem)),
        ForgetRefusal::ForeignFile(path) => {
            Finding::error("folder-not-empty", message).with_step(lineages::move_foreign_file(path))
        }
    }
}
