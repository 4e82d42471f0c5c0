//! The application of a site: what is planned for it, or what prevents that.

use serde_json::{Value, json};

use super::goal::{SiteGoal, SiteServer};
use crate::failure::Failure;
use crate::finding::Finding;
use crate::install::application::observe::{ApplicationPlan, ObservedApplication};
use crate::install::application::obstacles;
use crate::install::worker_access;
use crate::pki::name::DnsName;
use crate::site::plan::SiteChange;

/// What is planned for the application of a site.
#[derive(Debug, Default)]
pub(super) struct PlannedApplication {
    /// `None` if the site has no application and gets none, or something prevents it.
    pub plan: Option<ApplicationPlan>,
    pub obstacle: Option<Finding>,
}

/// What the report shows of the application.
#[derive(Clone, Debug)]
pub(super) struct ShownApplication {
    /// The user that runs it, which is also the name of the service.
    pub user: String,
    pub manager: &'static str,
    /// `Flask application wsgi:app`; `None` if the application is removed.
    pub object: Option<String>,
    /// The change of the service's file.
    pub change: SiteChange,
}

impl PlannedApplication {
    /// Observes the application, and decides what changes.
    ///
    /// # Errors
    /// When files exist and cannot be read.
    pub(super) fn observe(
        server: &SiteServer,
        name: &DnsName,
        goal: &SiteGoal,
    ) -> Result<Self, Failure> {
        let observed = ObservedApplication::observe(&name.file_stem())?;
        let Some(request) = goal.application() else {
            return Ok(match observed.plan_removal() {
                Ok(plan) => Self {
                    plan,
                    obstacle: None,
                },
                Err(obstacle) => Self {
                    plan: None,
                    obstacle: Some(obstacles::report(&obstacle, "".as_ref(), name.as_str())),
                },
            });
        };
        let worker = server
            .observation
            .running
            .and_then(worker_access::find_worker);
        let group = worker.and_then(|worker| worker.group()).unwrap_or(0);
        Ok(match observed.plan_service(request, group) {
            Ok(plan) => Self {
                plan: Some(plan),
                obstacle: None,
            },
            Err(obstacle) => Self {
                plan: None,
                obstacle: Some(obstacles::report(&obstacle, &request.folder, name.as_str())),
            },
        })
    }

    /// Whether anything is to be done.
    pub(super) fn is_needed(&self) -> bool {
        self.plan.as_ref().is_some_and(ApplicationPlan::is_needed)
    }

    /// What the report shows.
    pub(super) fn shown(&self, goal: &SiteGoal) -> Option<ShownApplication> {
        let plan = self.plan.as_ref()?;
        let request = goal.application();
        Some(ShownApplication {
            user: plan.account.name.clone(),
            manager: plan.service.manager.name(),
            object: request.map(|request| request.object.in_words()),
            change: plan.change.clone(),
        })
    }
}

impl ShownApplication {
    /// The application in words.
    pub(super) fn in_words(&self) -> Option<String> {
        let object = self.object.as_ref()?;
        let (manager, user) = (self.manager, &self.user);
        Some(format!("{object}, run by {manager} as the user {user}"))
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "user": self.user,
            "process": self.manager,
            "object": self.object,
        })
    }
}
