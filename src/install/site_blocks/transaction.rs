//! Writes or removes the block of a site, and restores everything if a step fails.

use std::path::Path;

use super::baseline::{RestoredSite, SiteBaseline};
use super::changed_files;
use super::evidence::{ExpectedSite, SiteEvidence, SitePage};
use crate::context::Context;
use crate::install::application::fault::ApplicationFault;
use crate::install::application::transaction::ApplicationTransaction;
use crate::install_plan::apply::StepError;
use crate::probe::ProbePatience;
use crate::site::plan::SiteChange;
use crate::system::fs::files::{self, FileError};
use crate::system::process::{FinishedCommand, ProcessError};
use crate::webserver::control::{ControlledServer, ServerError, ServerObservation, ServerProgram};
use crate::webserver::model::{DefaultBlock, ServedElsewhere};
use crate::wording::with_causes;

/// What is changed, and what the site has to answer afterwards.
pub(crate) struct SiteTransaction<'a> {
    pub context: &'a Context,
    pub program: &'a ServerProgram,
    pub change: &'a SiteChange,
    /// The configuration before.
    pub before: &'a ServerObservation,
    /// `None` if the site is removed.
    pub expected: Option<&'a ExpectedSite<'a>>,
    pub patience: ProbePatience,
    /// What the site answers before; `None` if no server runs, or nothing was asked.
    pub baseline: Option<&'a SiteBaseline>,
    /// The application that changes with the site.
    pub application: Option<&'a ApplicationTransaction<'a>>,
}

/// Why a site was not put into service.
#[derive(Debug)]
pub(crate) enum SiteFault {
    /// The application did not start, or does not answer.
    Application(ApplicationFault),
    /// The test or the reload failed, an address serves another certificate, or a signal arrived.
    Step(StepError),
    /// The configuration cannot be read any more.
    Server(ServerError),
    /// The new block would answer for names that other blocks answer for now.
    DefaultChanged(DefaultBlock),
    /// Other blocks answer for names of the site at some address.
    Elsewhere(Vec<ServedElsewhere>),
    /// A page does not answer as it should.
    Page(Vec<SitePage>),
}

/// How a transaction ended.
#[derive(Debug)]
pub(crate) enum SiteEnd {
    Done(SiteEvidence),
    /// The site is removed or changed, and these steps of removing its application failed.
    LeftOver(SiteEvidence, Vec<String>),
    /// Everything is as it was before.
    RolledBack(SiteFault, SiteRollback),
    /// These steps of the rollback failed, each with its reason.
    RollbackFailed(SiteFault, Vec<String>),
    /// Everything was rolled back, and the site answers worse than before.
    AnswersWorse(SiteFault, RestoredSite),
}

impl SiteEnd {
    /// The signal that interrupted the transaction, if everything was rolled back because of it.
    #[must_use]
    pub(crate) fn signal(&self) -> Option<i32> {
        match self {
            Self::RolledBack(
                SiteFault::Step(StepError::Interrupted(signal))
                | SiteFault::Application(ApplicationFault::Interrupted(signal)),
                _,
            ) => Some(*signal),
            _ => None,
        }
    }
}

/// What a rollback had to do.
#[derive(Debug)]
pub(crate) enum SiteRollback {
    /// The server had not read the new files.
    NotLoaded,
    /// The server was reloaded, and nothing was known about its answers before.
    Reloaded,
    /// The server was reloaded, and answers as before.
    Probed(RestoredSite),
}

impl From<FileError> for SiteFault {
    fn from(error: FileError) -> Self {
        Self::Step(error.into())
    }
}

impl From<ProcessError> for SiteFault {
    fn from(error: ProcessError) -> Self {
        Self::Step(error.into())
    }
}

impl From<ServerError> for SiteFault {
    fn from(error: ServerError) -> Self {
        Self::Server(error)
    }
}

/// Whether the server has read the new files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ReloadState {
    NotYet,
    /// It was reloaded, or a reload was tried.
    Tried,
}

impl SiteTransaction<'_> {
    /// Makes the change.
    #[must_use]
    pub(crate) fn run(&self) -> SiteEnd {
        let server = ControlledServer::Known {
            program: Box::new(self.program.clone()),
            test: None,
            reload: None,
        };
        let mut reloaded = ReloadState::NotYet;
        match self.put_into_service(&server, &mut reloaded) {
            Ok(evidence) => self.remove_application(evidence),
            Err(fault) => self.roll_back(&server, reloaded, fault),
        }
    }

    fn put_into_service(
        &self,
        server: &ControlledServer,
        reloaded: &mut ReloadState,
    ) -> Result<SiteEvidence, SiteFault> {
        if let Some(application) = self.application {
            application.start().map_err(SiteFault::Application)?;
        }
        self.check_signal()?;
        changed_files::write(self.change)?;
        self.check_signal()?;
        require_success(server.test()?, StepError::Test)?;
        let observation = self.program.observe()?;
        self.check_defaults(&observation)?;
        self.check_signal()?;
        if self.before.running.is_some() {
            *reloaded = ReloadState::Tried;
            require_success(server.reload()?, StepError::Reload)?;
        }
        let Some(expected) = self.expected else {
            return Ok(SiteEvidence::default());
        };
        let interrupt = &self.context.interrupt;
        let evidence = SiteEvidence::gather(&observation, expected, self.patience, interrupt);
        self.check_signal()?;
        check_evidence(evidence)
    }

    /// Removes an application that the site no longer has. From here on nothing is rolled back: the
    /// server does not use it any more.
    fn remove_application(&self, evidence: SiteEvidence) -> SiteEnd {
        let application = self
            .application
            .filter(|application| application.is_removal());
        let failed = application.map_or(Vec::new(), ApplicationTransaction::remove);
        if failed.is_empty() {
            SiteEnd::Done(evidence)
        } else {
            SiteEnd::LeftOver(evidence, failed)
        }
    }

    fn check_signal(&self) -> Result<(), SiteFault> {
        match self.context.interrupt.signal() {
            Some(signal) => Err(SiteFault::Step(StepError::Interrupted(signal))),
            None => Ok(()),
        }
    }

    /// Where no block is the explicit default at an address, the first one is. The new file must not
    /// take that place from another block.
    fn check_defaults(&self, now: &ServerObservation) -> Result<(), SiteFault> {
        let after = now.config.default_blocks();
        for default in self.before.config.default_blocks() {
            let is_same = after.contains(&default);
            let is_own = self.is_own(&default.file);
            if !is_same && !is_own && self.expected.is_some() {
                return Err(SiteFault::DefaultChanged(default));
            }
        }
        Ok(())
    }

    fn is_own(&self, path: &Path) -> bool {
        let link = self.change.link.as_ref();
        let is_link = link.is_some_and(|link| link.path == path);
        is_link || files::are_same_file(&self.change.file, path)
    }

    /// Restores the files, and makes the server read them again if it has read the new ones.
    fn roll_back(
        &self,
        server: &ControlledServer,
        reloaded: ReloadState,
        fault: SiteFault,
    ) -> SiteEnd {
        let mut failed = Vec::new();
        if let Err(error) = changed_files::restore(self.change) {
            failed.push(with_causes(&error));
        }
        let application = self.application.map(ApplicationTransaction::roll_back);
        failed.extend(application.into_iter().flatten());
        if reloaded == ReloadState::Tried && failed.is_empty() {
            let again = server
                .reload()
                .map_err(SiteFault::from)
                .and_then(|finished| require_success(finished, StepError::Reload));
            if let Err(error) = again {
                failed.push(error.in_words());
            }
        }
        if !failed.is_empty() {
            return SiteEnd::RollbackFailed(fault, failed);
        }
        if reloaded == ReloadState::NotYet {
            return SiteEnd::RolledBack(fault, SiteRollback::NotLoaded);
        }
        let Some(baseline) = self.baseline else {
            return SiteEnd::RolledBack(fault, SiteRollback::Reloaded);
        };
        let restored = baseline.compare();
        if restored.differences.is_empty() {
            SiteEnd::RolledBack(fault, SiteRollback::Probed(restored))
        } else {
            SiteEnd::AnswersWorse(fault, restored)
        }
    }
}

impl SiteFault {
    /// The fault on one line.
    fn in_words(&self) -> String {
        match self {
            Self::Step(error) => with_causes(error),
            Self::Server(error) => with_causes(error),
            Self::Application(error) => with_causes(error),
            Self::DefaultChanged(_) | Self::Elsewhere(_) | Self::Page(_) => String::new(),
        }
    }
}

fn check_evidence(evidence: SiteEvidence) -> Result<SiteEvidence, SiteFault> {
    if !evidence.elsewhere.is_empty() {
        return Err(SiteFault::Elsewhere(evidence.elsewhere));
    }
    if !evidence.serves_certificate() {
        return Err(SiteFault::Step(StepError::NotServed(evidence.probes)));
    }
    if !evidence.shows_page() {
        let wrong = |page: &SitePage| !page.is_right;
        let pages = evidence.pages.into_iter().filter(wrong).collect();
        return Err(SiteFault::Page(pages));
    }
    Ok(evidence)
}

fn require_success(
    finished: Option<FinishedCommand>,
    fault: fn(FinishedCommand) -> StepError,
) -> Result<(), SiteFault> {
    match finished {
        Some(finished) if !finished.succeeded() => Err(SiteFault::Step(fault(finished))),
        Some(_) | None => Ok(()),
    }
}
