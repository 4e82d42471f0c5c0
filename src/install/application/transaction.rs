//! Puts the application of a site into service, waits until it answers, and removes everything again
//! if a step fails.

use std::cell::Cell;
use std::time::Duration;

use super::accounts;
use super::fault::ApplicationFault;
use super::observe::{ApplicationPlan, WantedApplication};
use super::service::{LogMark, ServiceState};
use crate::context::Context;
use crate::install::site_blocks::changed_files;
use crate::probe::http::SiteAnswer;
use crate::system::clock::{self, Stopwatch};
use crate::system::fs::{files, folders};
use crate::system::signals::InterruptSignal;
use crate::system::tls::http_get;
use crate::wording::with_causes;

/// How long an application may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

/// The change of one application.
pub(crate) struct ApplicationTransaction<'a> {
    pub context: &'a Context,
    pub plan: &'a ApplicationPlan,
    /// The name of the site.
    pub host: &'a str,
    /// Whether anything was changed, so that a rollback has something to do.
    is_changed: Cell<bool>,
}

impl<'a> ApplicationTransaction<'a> {
    #[must_use]
    pub(crate) fn new(context: &'a Context, plan: &'a ApplicationPlan, host: &'a str) -> Self {
        Self {
            context,
            plan,
            host,
            is_changed: Cell::new(false),
        }
    }

    /// Whether the site no longer has an application.
    #[must_use]
    pub(crate) fn is_removal(&self) -> bool {
        self.plan.wanted.is_none()
    }

    /// Starts the application, if the site has one and it does not run as it should.
    ///
    /// # Errors
    /// The step that failed; nothing is rolled back yet.
    pub(crate) fn start(&self) -> Result<(), ApplicationFault> {
        match &self.plan.wanted {
            Some(wanted) if self.plan.is_needed() => {
                self.is_changed.set(true);
                self.put_into_service(wanted)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Creates user, folders and environment, starts the service, and waits until the application
    /// answers at its socket.
    fn put_into_service(&self, wanted: &WantedApplication) -> Result<(), ApplicationFault> {
        let plan = self.plan;
        let owner = accounts::create(&plan.account)?;
        accounts::create_folders(&plan.account, owner, wanted.web_group)?;
        if let Some(packages) = &wanted.environment.packages
            && !files::exists(&wanted.environment.folder)
        {
            accounts::create_environment_folder(&plan.account, owner)?;
            let made = wanted
                .environment
                .make(self.context, &plan.account, packages);
            if let Err(fault) = made {
                // An environment that is not complete must not be taken for one.
                folders::remove_folder(&wanted.environment.folder)?;
                return Err(fault);
            }
        }
        self.check_signal()?;
        changed_files::write(&plan.change)?;
        let mark = plan.service.mark_log();
        plan.service.start()?;
        self.wait_for_answer(&mark, &self.context.interrupt)
    }

    /// Restores what existed before. Returns the steps that failed.
    #[must_use]
    pub(crate) fn roll_back(&self) -> Vec<String> {
        let plan = self.plan;
        let mut failed = Vec::new();
        if !self.is_changed.get() {
            return failed;
        }
        if plan.change.previous.text.is_none() {
            return self.remove();
        }
        if let Err(fault) = self.restore_service() {
            failed.push(with_causes(&fault));
        }
        failed
    }

    /// Restores the file of the service. An application that ran before has to answer again.
    fn restore_service(&self) -> Result<(), ApplicationFault> {
        let plan = self.plan;
        changed_files::restore(&plan.change)?;
        if !plan.was_running {
            return plan.service.keep_stopped();
        }
        let mark = plan.service.mark_log();
        plan.service.start()?;
        // A signal that ended the change does not end its rollback.
        self.wait_for_answer(&mark, &InterruptSignal::default())
    }

    /// Stops the application and removes all that certctl has created for it. Returns the steps that
    /// failed.
    #[must_use]
    pub(crate) fn remove(&self) -> Vec<String> {
        let plan = self.plan;
        let mut failed = Vec::new();
        let mut note = |result: Result<(), ApplicationFault>| {
            if let Err(fault) = result {
                failed.push(with_causes(&fault));
            }
        };
        if files::exists(&plan.change.file) {
            note(plan.service.stop());
            note(folders::remove(&plan.change.file).map_err(ApplicationFault::from));
            note(plan.service.forget());
        }
        if !self.keeps_account() {
            note(accounts::remove_folders(&plan.account));
            note(accounts::remove(&plan.account));
        }
        failed
    }

    /// Whether user and folders existed before a change that is rolled back.
    fn keeps_account(&self) -> bool {
        self.plan.wanted.is_some() && self.plan.existed
    }

    fn wait_for_answer(
        &self,
        mark: &LogMark,
        interrupt: &InterruptSignal,
    ) -> Result<(), ApplicationFault> {
        let service = &self.plan.service;
        let started = Stopwatch::start();
        let mut first = None;
        loop {
            if let Some(signal) = interrupt.signal() {
                return Err(ApplicationFault::Interrupted(signal));
            }
            let answer = http_get::ask_socket(&self.plan.account.socket(), self.host);
            let ServiceState::Running(pid) = service.state() else {
                let log = service.log_since(mark);
                return Err(ApplicationFault::Ended { log });
            };
            if let SiteAnswer::Status(status) = answer {
                return self.judge(status, mark);
            }
            // Another process: the manager has started the application again after it ended.
            if first.is_some() && pid.is_some() && pid != first {
                let log = service.log_since(mark);
                return Err(ApplicationFault::Ended { log });
            }
            first = first.or(pid);
            if started.elapsed() > PATIENCE {
                return Err(ApplicationFault::Silent {
                    seconds: PATIENCE.as_secs(),
                    log: service.log_since(mark),
                });
            }
            clock::sleep_until_signal(PAUSE, interrupt);
        }
    }

    fn judge(&self, status: u16, mark: &LogMark) -> Result<(), ApplicationFault> {
        if is_page(status) {
            return Ok(());
        }
        Err(ApplicationFault::Answered {
            status,
            host: self.host.to_owned(),
            log: self.plan.service.log_since(mark),
        })
    }

    fn check_signal(&self) -> Result<(), ApplicationFault> {
        match self.context.interrupt.signal() {
            Some(signal) => Err(ApplicationFault::Interrupted(signal)),
            None => Ok(()),
        }
    }
}

/// Whether an application answers as it should. It may refuse `/` (401, 404): that is its own answer.
/// 400 is what Django answers for a host that its settings do not allow.
#[must_use]
pub(crate) fn is_page(status: u16) -> bool {
    status < 500 && status != 400
}
