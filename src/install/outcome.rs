//! The outcome of a transaction, as `install` and `rollback` report it.

use std::path::PathBuf;
use std::rc::Rc;

use serde_json::Value;

use self::attempt::AttemptedChange;
use self::failed::NewFiles;
use self::progress::FailedProgress;
use crate::advice::{command_lines, install_command, servers};
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, Severity};
use crate::install::preflight::PreflightState;
use crate::install::servers::unserved::UnservedServer;
use crate::install::site_check::SiteReport;
use crate::install::stale_servers::STALE_CODE;
use crate::install_plan::apply::{AppliedPlan, FailedPlan, ProbeAnswer, StepError};
use crate::install_plan::observe;
use crate::install_plan::plan::{InstallPlan, PlanEnd, PlanStep, RollbackTarget, ServerState};
use crate::permissions::Mode;
use crate::pki::certificate::Certificate;
use crate::report::DryRunSummary;
use crate::store::deployed::DeployedCertificate;
use crate::store::layout::ReleasePointer;
use crate::system::fs::folders;
use crate::webserver::model::ServerSoftware;
use crate::wording::with_causes;

mod attempt;
mod audit;
mod deployed_paths;
mod dry_run;
mod evidence;
mod failed;
mod hook;
mod judged;
mod probe_result;
mod problems;
mod progress;
mod render;
mod stale;
mod unread_key;
mod verdict;

pub(crate) use evidence::{check_stapled, report_inconclusive};
pub(crate) use probe_result::ProbeResult;
pub(crate) use problems::show_problems;
pub(crate) use verdict::InstallVerdict;

/// The steps of a rollback after a failure, in words.
#[derive(Debug, Default)]
struct RollbackReport {
    succeeded: Vec<String>,
    failed: Vec<String>,
}

/// The outcome of an install or a rollback.
#[derive(Debug)]
pub(crate) struct TransactionOutcome {
    pub verdict: InstallVerdict,
    /// Whether the files that servers read have changed.
    pub changed: bool,
    pub name: String,
    /// The certificate that was to be installed.
    pub leaf: Certificate,
    /// When it is due, if that is known.
    due: Option<jiff::Timestamp>,
    /// What was or would be done; `None` when it was refused.
    pub plan: Option<InstallPlan>,
    pub seen: Vec<ProbeResult>,
    /// What blocks with other files served.
    pub seen_elsewhere: Vec<ProbeResult>,
    /// What the sites answered over HTTP after the reload.
    sites: SiteReport,
    pub findings: Vec<Finding>,
    /// What to do now.
    pub next: Vec<NextStep>,
    /// Where only the start of servers is missing: the commands, which `next` has too.
    pub start_commands: Vec<String>,
    /// The fields of a dry run.
    pub dry_run: Option<DryRunSummary>,
    /// What servers read at the certificate's paths before this run.
    before: Option<DeployedCertificate>,
    /// What they read after it; after a dry run, what they would read.
    after: Option<DeployedCertificate>,
    pub release: String,
    chain_path: String,
    /// `None` if the key is not a file.
    key_path: Option<String>,
    /// The paths of further files that servers read.
    further_paths: Vec<String>,
    /// `None` if the key is not a file.
    key_mode: Option<Mode>,
    rollback: RollbackReport,
    /// What the servers did, in words: `nginx -t passed`, `reloaded`.
    server: Vec<String>,
    /// The command of `--after` that was run, in words.
    hook: Option<String>,
    /// The options that the next renewal uses.
    settings: Value,
    /// What each server still needs after a dry run.
    left_to_do: Vec<String>,
    folder: PathBuf,
}

impl TransactionOutcome {
    /// `other_probes` are the answers of blocks with other files.
    fn new(
        situation: &PreflightState,
        verdict: InstallVerdict,
        plan: Option<InstallPlan>,
        other_probes: &[ProbeAnswer],
    ) -> Self {
        let PreflightState {
            layout,
            wanted,
            serving,
            ..
        } = situation;
        Self {
            verdict,
            changed: false,
            name: layout.stem().to_owned(),
            leaf: wanted.leaf().clone(),
            due: situation.due,
            plan,
            seen: serving.probes.iter().map(ProbeResult::from).collect(),
            seen_elsewhere: other_probes.iter().map(ProbeResult::from).collect(),
            sites: SiteReport::default(),
            findings: serving.all_findings(other_probes),
            next: Vec::new(),
            start_commands: Vec::new(),
            dry_run: None,
            before: situation.disk.deployed.clone(),
            after: Some(
                DeployedCertificate::new(wanted, layout).created_by(folders::current_owner()),
            ),
            release: wanted.id.to_string(),
            chain_path: layout.chain_path().display().to_string(),
            key_path: deployed_paths::key_path(layout),
            further_paths: deployed_paths::further_paths(layout),
            key_mode: situation.key_mode(),
            rollback: RollbackReport::default(),
            server: Vec::new(),
            hook: None,
            settings: situation.settings.options_json(),
            left_to_do: Vec::new(),
            folder: layout.folder(),
        }
    }

    /// Whether other files were installed before and can be restored.
    #[must_use]
    pub(crate) fn can_roll_back(&self) -> bool {
        let is_installed = matches!(
            self.verdict,
            InstallVerdict::Live | InstallVerdict::LiveIncomplete | InstallVerdict::Files
        );
        let Some(plan) = self.plan.as_ref().filter(|plan| !plan.steps.is_empty()) else {
            return false;
        };
        is_installed && matches!(&plan.back, RollbackTarget::To(id) if id.as_str() != self.release)
    }

    /// The outcome of a request that was refused for these reasons.
    #[must_use]
    pub(crate) fn refused(situation: &PreflightState, reasons: Vec<Finding>) -> Self {
        let mut refused = Self::new(situation, InstallVerdict::Refused, None, &[]);
        refused.findings.extend(reasons);
        refused.after.clone_from(&refused.before);
        refused
    }

    #[must_use]
    pub(crate) fn planned(situation: &PreflightState, plan: InstallPlan) -> Self {
        let left_to_do = Self::describe_left_to_do(situation, plan.end);
        Self {
            left_to_do,
            next: unserved_steps(situation, &plan),
            ..Self::new(situation, InstallVerdict::Planned, Some(plan), &[])
        }
        .with_unloaded_changes(situation)
        .with_skipped_hook(situation)
    }

    /// Adds a warning for each server that the plan reloads and whose configuration was changed
    /// since it was loaded.
    fn with_unloaded_changes(mut self, situation: &PreflightState) -> Self {
        if let Some(plan) = &self.plan {
            self.findings.extend(unloaded_changes(situation, plan));
        }
        self
    }

    /// The outcome of a plan that was run.
    ///
    /// # Errors
    /// When it failed before the files that servers read were changed, or a signal arrived.
    pub(crate) fn applied(
        context: &Context,
        situation: &PreflightState,
        plan: InstallPlan,
        applied: AppliedPlan,
        sites: SiteReport,
    ) -> Result<Self, Failure> {
        let other_probes = &applied.other_probes;
        let mut outcome = Self::new(situation, InstallVerdict::Unchanged, None, other_probes);
        outcome.findings.extend(unloaded_changes(situation, &plan));
        for (step, error) in &applied.harmless_failures {
            outcome
                .findings
                .push(failed::report_unfinished(step, error));
        }
        if !applied.probes.is_empty() {
            let with_status = |probe| ProbeResult::with_status(probe, sites.status_at(probe));
            outcome.seen = applied.probes.iter().map(with_status).collect();
        }
        let attempt = AttemptedChange::of(&applied, &plan);
        let ended = outcome.record_end(context, situation, &plan, applied, sites);
        outcome.audit(context, situation, attempt);
        ended?;
        outcome.plan = Some(plan);
        Ok(outcome)
    }

    /// Records how the plan ended.
    fn record_end(
        &mut self,
        context: &Context,
        situation: &PreflightState,
        plan: &InstallPlan,
        applied: AppliedPlan,
        sites: SiteReport,
    ) -> Result<(), Failure> {
        if let Some(failed) = applied.failed {
            return self.record_failure(situation, plan, failed);
        }
        self.record_success(context, situation, plan);
        if plan.end == PlanEnd::Proven && situation.serving.is_incomplete(&applied.other_probes) {
            self.verdict = InstallVerdict::LiveIncomplete;
        }
        self.record_sites(sites);
        self.judge_evidence(situation, &applied.probes, applied.test_warnings);
        self.record_hook(context, situation, plan, applied.hook)
    }

    /// Whether blocks with other files serve another certificate, or may do so.
    fn serves_others(&self) -> bool {
        let codes = [
            "other-certificate-served",
            "configured-elsewhere",
            STALE_CODE,
        ];
        self.findings
            .iter()
            .any(|finding| finding.severity == Severity::Error && codes.contains(&finding.code))
    }

    /// Records what the sites answer after the reload. A new error makes the install incomplete.
    fn record_sites(&mut self, sites: SiteReport) {
        let errors = sites.findings();
        if !errors.is_empty() && self.verdict.exit_code() == 0 {
            self.verdict = InstallVerdict::LiveIncomplete;
        }
        self.findings.extend(errors);
        self.sites = sites;
    }

    fn record_success(
        &mut self,
        context: &Context,
        situation: &PreflightState,
        plan: &InstallPlan,
    ) {
        self.changed = would_change(plan);
        self.server = server_words(&plan.steps);
        self.verdict = match plan.end {
            PlanEnd::NotNamed | PlanEnd::Partly | PlanEnd::Stopped => InstallVerdict::NotServed,
            PlanEnd::Proven if plan.steps.iter().all(only_saves_options) => {
                InstallVerdict::Unchanged
            }
            PlanEnd::Proven if self.seen.is_empty() => InstallVerdict::Files,
            PlanEnd::Proven => InstallVerdict::Live,
        };
        match plan.end {
            PlanEnd::NotNamed => self.report_unserved(context, situation),
            PlanEnd::Stopped => self.report_stopped(context, situation),
            PlanEnd::Partly => {
                let root = context.root.as_deref();
                self.next
                    .push(install_command::install_after_changes(root, &self.name));
            }
            PlanEnd::Proven => {}
        }
    }

    /// Reports each server whose configuration does not use the files; the last step is to install
    /// again.
    fn report_unserved(&mut self, context: &Context, situation: &PreflightState) {
        let root = context.root.as_deref();
        let mut enable_commands = Vec::new();
        for server in UnservedServer::find_all(situation) {
            self.findings.push(server.finding());
            self.next.extend(server.steps());
            enable_commands.extend(server.enable_command());
        }
        if enable_commands.is_empty() {
            self.next
                .push(install_command::install_after_changes(root, &self.name));
            return;
        }
        let install = install_command::install_again(root, &self.name);
        let step = command_lines::enable_then_install(&enable_commands, &install);
        let has_manual_steps = !self.next.is_empty();
        self.next
            .push(if has_manual_steps { step.later() } else { step });
    }

    fn report_stopped(&mut self, context: &Context, situation: &PreflightState) {
        let stopped = situation
            .serving
            .uses
            .iter()
            .filter(|server_use| matches!(server_use.state, ServerState::Stopped(_)));
        for server_use in stopped {
            let Some(program) = server_use.program() else {
                continue;
            };
            let title = program.software().title();
            let message = format!("{title} is not running; its test of the new files succeeded");
            let finding = Finding::error("server-not-running", message);
            self.findings
                .push(finding.with_quote(server_use.describe_port_owners()));
            self.start_commands.push(program.start_command());
        }
        let start = start_then_install(context, &self.start_commands, &[&self.name]);
        let start = servers::free_before_start(start, &self.findings);
        self.next.push(start);
    }

    /// After a failure, servers read the new release only if it is still live.
    fn keep_before_unless_live(&mut self, situation: &PreflightState) {
        let live = observe::read_pointer(&situation.layout, ReleasePointer::Live);
        if !live.is_ok_and(|live| live.as_ref() == Some(&situation.wanted.id)) {
            self.after.clone_from(&self.before);
        }
    }

    fn record_failure(
        &mut self,
        situation: &PreflightState,
        plan: &InstallPlan,
        failed: FailedPlan,
    ) -> Result<(), Failure> {
        let wanted = &situation.wanted.id;
        let progress = FailedProgress::new(&failed, plan, wanted);
        self.rollback = rollback_report(plan, &failed);
        self.verdict = progress.verdict();
        self.changed = progress.has_changed_links();
        self.keep_before_unless_live(situation);
        if let StepError::Interrupted(signal) = *failed.cause {
            return Err(self.interrupted(signal, progress.new_files));
        }
        if !progress.reached_servers && failed.not_undone.is_empty() {
            return Err(fail_before_switch(failed.cause));
        }
        self.seen.clear();
        if let StepError::NotServed(probes) = &*failed.cause {
            self.seen = probes.iter().map(ProbeResult::from).collect();
        }
        self.findings
            .push(failed::explain_cause(situation, plan, &failed.cause));
        self.findings
            .extend(failed::name_saved_options(situation, &failed.cause));
        self.findings.extend(failed::explain_what_stays(
            situation,
            plan,
            failed.held.as_deref(),
            progress.new_files,
        ));
        Ok(())
    }

    fn interrupted(&self, signal: i32, new_files: NewFiles) -> Failure {
        let message = format!("interrupted by signal {signal}");
        let reason = match (self.verdict, new_files) {
            (InstallVerdict::PartlyRolledBack, NewFiles::Stay) => {
                "the new files stay: there is no earlier version to restore"
            }
            (InstallVerdict::PartlyRolledBack, NewFiles::Removed) => {
                "not everything was rolled back"
            }
            (InstallVerdict::RolledBack, _) => {
                "rolled back: the files that servers read are as they were before"
            }
            _ => "the files that servers read have not been changed",
        };
        let mut failure = Failure::new(FailureKind::Interrupted(signal), message)
            .because(reason)
            .with_step(command_lines::repeat_to_continue());
        for step in &self.rollback.failed {
            failure = failure.because(format!("not rolled back: {step}"));
        }
        failure
    }
}

fn rollback_report(plan: &InstallPlan, failed: &FailedPlan) -> RollbackReport {
    let not_undone = failed.not_undone.iter();
    RollbackReport {
        succeeded: failed
            .undone
            .iter()
            .map(|step| plan.describe(step))
            .collect(),
        failed: not_undone
            .map(|(step, error)| format!("{}: {}", plan.describe(step), with_causes(&**error)))
            .collect(),
    }
}

/// Returns the step that starts servers and then verifies these certificates.
#[must_use]
pub(crate) fn start_then_install(context: &Context, start: &[String], names: &[&str]) -> NextStep {
    let install = install_command::install_several_again(context.root.as_deref(), names);
    command_lines::start_then_install(start, &install)
}

/// Returns the findings about changes that the plan's reloads activate. Until a certificate was
/// verified live, changes are what the user was asked to make.
fn unloaded_changes(situation: &PreflightState, plan: &InstallPlan) -> Vec<Finding> {
    let mut findings = situation.serving.report_unloaded_changes(plan);
    if situation.disk.observed.proven.is_none() {
        findings
            .iter_mut()
            .for_each(|finding| finding.severity = Severity::Note);
    }
    findings
}

/// What a dry run shows for servers that would not use the files.
fn unserved_steps(situation: &PreflightState, plan: &InstallPlan) -> Vec<NextStep> {
    if plan.end != PlanEnd::NotNamed {
        return Vec::new();
    }
    let servers = UnservedServer::find_all(situation);
    servers.iter().flat_map(UnservedServer::steps).collect()
}

/// Whether a plan changes anything but the options of the next renewal.
#[must_use]
pub(crate) fn would_change(plan: &InstallPlan) -> bool {
    plan.steps.iter().any(|step| {
        let only_reads = matches!(step, PlanStep::TestServer { .. } | PlanStep::Prove { .. });
        !only_reads && !only_saves_options(step)
    })
}

/// Whether a step changes nothing but the options of the next renewal, or is the command of `--after`.
fn only_saves_options(step: &PlanStep) -> bool {
    matches!(step, PlanStep::Remember { .. } | PlanStep::RunHook { .. })
}

/// Describes what the servers did, without repetitions.
fn server_words(steps: &[PlanStep]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for step in steps {
        let word = match step {
            PlanStep::TestServer {
                server: Some(ServerSoftware::Nginx),
                ..
            } => "nginx -t passed".to_owned(),
            PlanStep::TestServer {
                server: Some(other),
                ..
            } => format!("{}'s test passed", other.title()),
            PlanStep::TestServer { server: None, .. } => "test passed".to_owned(),
            PlanStep::Reload { .. } => verdict::RELOADED.to_owned(),
            _ => continue,
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

fn fail_before_switch(cause: Rc<StepError>) -> Failure {
    match Rc::try_unwrap(cause) {
        Ok(StepError::Install(error)) => error.into(),
        Ok(StepError::Process(error)) => error.into(),
        Ok(other) => Failure::from_error(FailureKind::Io, &other),
        Err(shared) => Failure::from_error(FailureKind::Io, &*shared),
    }
}
