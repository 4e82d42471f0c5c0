//! `certctl site`: the server block of a site, written, tested and verified in one transaction.

use crate::advice::site_application;
use crate::context::Context;
use crate::failure::{Failure, FailureKind};
use crate::finding::Finding;
use crate::install::application::transaction::ApplicationTransaction;
use crate::install::request::{RunMode, refuse_at_option, refuse_root_option};
use crate::install::site_blocks::baseline::{self, SiteBaseline};
use crate::install::site_blocks::certificate;
use crate::install::site_blocks::change_record::{ChangeRecord, PlaceholderOrigin};
use crate::install::site_blocks::evidence::{ExpectedSite, SiteEvidence};
use crate::install::site_blocks::faults;
use crate::install::site_blocks::transaction::{SiteEnd, SiteFault, SiteRollback, SiteTransaction};
use crate::install::transaction::{self, LOCK_TIMEOUT};
use crate::pki::name::DnsName;
use crate::probe::ProbePatience;
use crate::site::application::ApplicationAccount;
use crate::site::plan::SiteChange;
use crate::store::disk::{self, kept_files};
use crate::store::layout::StableLink;
use crate::webserver::model::InstalledPaths;

mod application;
mod goal;
mod outcome;
mod planned_site;

use goal::{ContentArgs, SiteGoal};
use outcome::{SiteOutcome, SiteVerdict};
use planned_site::PlannedSite;

/// Write a site's server block, test it and verify the page
///
/// Examples:
///   sudo certctl site example.com --upstream http://127.0.0.1:8000
///   sudo certctl site example.com --app /srv/shop
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct SiteArgs {
    /// Name of the site; its certificate is the installed one that covers it, else a placeholder
    pub name: String,
    /// What the site shows.
    #[command(flatten)]
    pub content: ContentArgs,
    /// Show the files and the difference, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Writes or removes the block of a site.
///
/// # Errors
/// When files or the server cannot be used, the lock is held by another certctl, or a signal arrives.
/// A refusal, and a failure that was rolled back, are outcomes.
pub(crate) fn run(context: &Context, args: &SiteArgs) -> Result<SiteOutcome, Failure> {
    let mode = if args.dry_run {
        RunMode::DryRun
    } else {
        RunMode::Run
    };
    refuse_at_option(context, mode)?;
    let reason = "tests and reloads the server of this machine";
    refuse_root_option(context, "site", reason)?;
    let name = DnsName::parse(&args.name)?;
    let goal = SiteGoal::parse(&args.content, &name)?;
    let planned = PlannedSite::observe(context, &name, &goal)?;
    let refusal = planned.refusal(&goal);
    if !refusal.is_empty() {
        return Ok(planned.refuse(&goal, refusal));
    }
    match mode {
        RunMode::DryRun => plan_only(context, &goal, &planned),
        RunMode::Run | RunMode::Check => carry_out(context, &name, &goal, planned),
    }
}

/// Ends a dry run. What the placeholder would be refused for, the site is refused for.
fn plan_only(
    context: &Context,
    goal: &SiteGoal,
    planned: &PlannedSite,
) -> Result<SiteOutcome, Failure> {
    if planned.needs_placeholder() {
        let dry_run = planned
            .certificate
            .install_placeholder(context, RunMode::DryRun)?;
        if certificate::is_refused(&dry_run) {
            return Ok(planned.refuse(goal, dry_run.findings));
        }
    }
    Ok(planned.outcome(goal, SiteVerdict::Planned))
}

/// Installs the placeholder if there is no certificate, then changes the site under the lock.
fn carry_out(
    context: &Context,
    name: &DnsName,
    goal: &SiteGoal,
    mut planned: PlannedSite,
) -> Result<SiteOutcome, Failure> {
    let needs_placeholder = planned.needs_placeholder();
    if needs_placeholder {
        let placeholder = planned
            .certificate
            .install_placeholder(context, RunMode::Run)?;
        if certificate::is_refused(&placeholder) {
            return Ok(planned.refuse(goal, placeholder.findings));
        }
    }
    let mut placeholder = if needs_placeholder {
        PlaceholderOrigin::ThisChange
    } else {
        PlaceholderOrigin::Earlier
    };
    let outcome = change_under_lock(context, name, goal, &mut planned, &mut placeholder);
    let is_new = placeholder == PlaceholderOrigin::ThisChange;
    let is_useless = match &outcome {
        Ok(outcome) if outcome.verdict == SiteVerdict::Removed => planned.has_live_placeholder(),
        Ok(outcome) => is_new && !outcome.verdict.is_in_service(),
        Err(_) => is_new,
    };
    if is_useless {
        let cleanup = context.for_cleanup();
        certificate::remove_placeholder(&cleanup, &planned.certificate.layout)?;
    }
    outcome
}

/// Observes everything again, because another certctl may have held the lock, and makes the change.
fn change_under_lock(
    context: &Context,
    name: &DnsName,
    goal: &SiteGoal,
    planned: &mut PlannedSite,
    placeholder: &mut PlaceholderOrigin,
) -> Result<SiteOutcome, Failure> {
    let (_lock, _) = transaction::take_lock(context, &planned.certificate.layout, LOCK_TIMEOUT)?;
    disk::sweep(&[&planned.certificate.layout])?;
    kept_files::sweep(&[&planned.certificate.layout])?;
    *planned = PlannedSite::observe(context, name, goal)?;
    let refusal = planned.refusal(goal);
    if !refusal.is_empty() {
        return Ok(planned.refuse(goal, refusal));
    }
    let mut outcome = planned.apply(context, goal, placeholder)?;
    let unlogged = outcome.audit(context);
    outcome.findings.extend(unlogged);
    Ok(outcome)
}

impl PlannedSite {
    /// Makes the change, unless the site answers as it should already.
    fn apply(
        &mut self,
        context: &Context,
        goal: &SiteGoal,
        placeholder: &mut PlaceholderOrigin,
    ) -> Result<SiteOutcome, Failure> {
        let record = ChangeRecord::find(context, &self.name)?;
        let Some(change) = &mut self.change else {
            return Ok(self.outcome(goal, SiteVerdict::Unchanged));
        };
        let resumed = record.resume(change, self.application.plan.as_mut())?;
        if resumed == PlaceholderOrigin::ThisChange {
            *placeholder = resumed;
        }
        if let Some(unchanged) = self.confirm(context, goal) {
            record.end()?;
            return Ok(unchanged);
        }
        let Some(change) = &self.change else {
            return Ok(self.outcome(goal, SiteVerdict::Unchanged));
        };
        record.begin(change, self.application.plan.as_ref(), *placeholder)?;
        let end = self.carry_out(context, goal, change);
        if !matches!(end, SiteEnd::RollbackFailed(..) | SiteEnd::LeftOver(..)) {
            record.end()?;
        }
        self.finish(context, goal, change, end)
    }

    /// Returns the outcome if nothing has to be changed, and the site answers as it should.
    fn confirm(&self, context: &Context, goal: &SiteGoal) -> Option<SiteOutcome> {
        let is_needed = self.change.as_ref().is_some_and(SiteChange::is_needed);
        if is_needed || self.application.is_needed() {
            return None;
        }
        let links = self.certificate.links();
        let expected = self.expect(goal, &links);
        let evidence = self.check_now(context, expected.as_ref())?;
        let mut outcome = self.outcome(goal, SiteVerdict::Unchanged);
        outcome.record_evidence(evidence);
        Some(outcome)
    }

    fn carry_out(&self, context: &Context, goal: &SiteGoal, change: &SiteChange) -> SiteEnd {
        let links = self.certificate.links();
        let expected = self.expect(goal, &links);
        let baseline = self.take_baseline(context, &links);
        let plan = self.application.plan.as_ref();
        let host = self.name.as_str();
        let application = plan.map(|plan| ApplicationTransaction::new(context, plan, host));
        let transaction = SiteTransaction {
            context,
            program: &self.server.program,
            change,
            before: &self.server.observation,
            expected: expected.as_ref(),
            patience: ProbePatience::default(),
            baseline: baseline.as_ref(),
            application: application.as_ref(),
        };
        transaction.run()
    }

    /// Returns what the site has to answer; `None` if it is removed.
    fn expect<'a>(
        &'a self,
        goal: &'a SiteGoal,
        links: &'a [StableLink],
    ) -> Option<ExpectedSite<'a>> {
        let live = self.certificate.live.as_ref()?;
        Some(ExpectedSite {
            names: &self.names,
            links,
            chain: &live.chain,
            content: goal.content()?,
        })
    }

    /// Reports how the transaction ended; one that a signal ended is a failure, which is logged.
    fn finish(
        &self,
        context: &Context,
        goal: &SiteGoal,
        change: &SiteChange,
        end: SiteEnd,
    ) -> Result<SiteOutcome, Failure> {
        let signal = end.signal();
        let outcome = self.conclude(goal, change, end);
        let Some(signal) = signal else {
            return Ok(outcome);
        };
        let unlogged = outcome.audit(context);
        let message = outcome.interruption(unlogged.as_ref());
        Err(Failure::new(FailureKind::Interrupted(signal), message))
    }

    /// Asks the site what it answers before the change, for a rollback.
    fn take_baseline(&self, context: &Context, links: &[StableLink]) -> Option<SiteBaseline> {
        self.server.observation.running?;
        let live = self.certificate.live.as_ref()?;
        let wanted = InstalledPaths {
            links,
            names: &self.names,
            algorithm: live.chain.first()?.algorithm,
        };
        let observation = &self.server.observation;
        Some(SiteBaseline::take(observation, &wanted, &context.interrupt))
    }

    /// Returns what the site answers, if that is right without any change.
    fn check_now(
        &self,
        context: &Context,
        expected: Option<&ExpectedSite<'_>>,
    ) -> Option<SiteEvidence> {
        let Some(expected) = expected else {
            return (!self.is_still_loaded()).then(SiteEvidence::default);
        };
        let evidence = SiteEvidence::gather(
            &self.server.observation,
            expected,
            ProbePatience::once(),
            &context.interrupt,
        );
        (evidence.serves_certificate() && evidence.shows_page()).then_some(evidence)
    }

    /// Whether the server still serves a site whose files were removed: certctl ended before the
    /// reload.
    fn is_still_loaded(&self) -> bool {
        let observation = &self.server.observation;
        let Some(live) = self.certificate.live.as_ref() else {
            return false;
        };
        let links = self.certificate.links();
        let is_configured = observation.config.blocks_naming(&links).next().is_some();
        let leaf = live.chain.first().filter(|_| !is_configured);
        let is_running = observation.running.is_some();
        leaf.is_some_and(|leaf| is_running && baseline::serves_leaf(&self.name, leaf))
    }

    /// Reports how the transaction ended.
    fn conclude(&self, goal: &SiteGoal, change: &SiteChange, end: SiteEnd) -> SiteOutcome {
        let verdict = verdict_of(goal, &end);
        let mut outcome = self.outcome(goal, verdict);
        match end {
            SiteEnd::Done(evidence) => {
                outcome.changed = true;
                outcome.record_evidence(evidence);
            }
            SiteEnd::LeftOver(evidence, failed) => {
                outcome.changed = true;
                outcome.record_evidence(evidence);
                outcome.record_fault(self.report_left_over(&failed));
            }
            SiteEnd::RolledBack(fault, rollback) => {
                outcome.record_fault(self.report(goal, &fault));
                outcome.record_rollback(rollback);
            }
            SiteEnd::RollbackFailed(fault, left) => {
                outcome.changed = true;
                outcome.record_fault(self.report(goal, &fault));
                outcome.record_fault(faults::report_failed_rollback(&change.file, &left));
            }
            SiteEnd::AnswersWorse(fault, restored) => {
                outcome.record_fault(self.report(goal, &fault));
                outcome.record_fault(faults::report_worse_answers(&restored));
                outcome.record_rollback(SiteRollback::Probed(restored));
            }
        }
        outcome
    }

    fn report_left_over(&self, failed: &[String]) -> Finding {
        let account = ApplicationAccount::for_site(&self.name.file_stem());
        site_application::report_left_over(&account.name, &account.folder(), failed)
    }

    fn report(&self, goal: &SiteGoal, fault: &SiteFault) -> Finding {
        let content = goal.content();
        faults::report_fault(fault, content)
    }
}

fn verdict_of(goal: &SiteGoal, end: &SiteEnd) -> SiteVerdict {
    match end {
        SiteEnd::Done(_) if goal.content().is_none() => SiteVerdict::Removed,
        SiteEnd::Done(_) => SiteVerdict::Live,
        SiteEnd::RolledBack(..) => SiteVerdict::RolledBack,
        SiteEnd::LeftOver(..) | SiteEnd::RollbackFailed(..) | SiteEnd::AnswersWorse(..) => {
            SiteVerdict::PartlyRolledBack
        }
    }
}
