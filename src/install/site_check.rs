//! Asks the sites of a certificate for their home page before and after the switch. A new error is
//! reported and never causes a rollback: the certificate is not what HTTP depends on.

use std::sync::Arc;

use crate::advice::site_check::{self as advice, ErrorReason};
use crate::finding::Finding;
use crate::install::preflight::PreflightState;
use crate::install::servers::{ServerUse, dns_names};
use crate::install_plan::apply::{AppliedPlan, ProbeAnswer};
use crate::install_plan::plan::{InstallPlan, PlanStep, ServerState};
use crate::probe::ProbeTarget;
use crate::probe::http::{
    HomePageVisit, HttpPlace, HttpRequest, HttpScheme, RedirectRules, SiteAnswer,
};
use crate::system::signals::InterruptSignal;
use crate::system::tls::http_get;
use crate::system::{listening, tls};
use crate::webserver::model::{
    InstalledPaths, ServerSoftware, UpstreamAddress, WebPlace, find_web_places,
};

/// A place that is visited before and after the switch.
#[derive(Debug)]
struct CheckedPlace {
    visit: HomePageVisit,
    software: Option<ServerSoftware>,
    /// Where the server passes the requests to.
    upstreams: Vec<UpstreamAddress>,
}

/// What the sites of several certificates answer: one list of places for each.
#[derive(Debug, Default)]
pub(crate) struct SiteCheck {
    certificates: Vec<Vec<CheckedPlace>>,
}

/// What one place answered after the switch.
#[derive(Clone, Debug)]
pub(crate) struct CheckedSite {
    request: HttpRequest,
    software: Option<ServerSoftware>,
    before: Option<SiteAnswer>,
    after: SiteAnswer,
    /// Why it does not work, if that is known.
    cause: Option<String>,
}

/// What the sites of one certificate answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct SiteReport {
    sites: Vec<CheckedSite>,
}

impl SiteCheck {
    /// Finds the places of each certificate whose plan reloads a web server, and visits them.
    /// `situations` and `plans` are in the same order.
    #[must_use]
    pub(crate) fn visit_before<'a>(
        situations: impl Iterator<Item = &'a PreflightState>,
        plans: &[InstallPlan],
        interrupt: &InterruptSignal,
    ) -> Self {
        let mut check = Self {
            certificates: situations
                .zip(plans)
                .map(|(situation, plan)| find_places(situation, plan))
                .collect(),
        };
        let mut visits = Vec::new();
        for place in check.places() {
            visits.push(place.visit.clone());
        }
        let answers = http_get::visit_all(&visits, interrupt);
        let places = check.certificates.iter_mut().flatten();
        for (place, answer) in places.zip(answers) {
            place.visit.before = answer;
        }
        check
    }

    fn places(&self) -> impl Iterator<Item = &CheckedPlace> {
        self.certificates.iter().flatten()
    }

    /// Visits the places of each certificate whose plan has succeeded again.
    #[must_use]
    pub(crate) fn visit_after(
        mut self,
        applied: &[AppliedPlan],
        interrupt: &InterruptSignal,
    ) -> Vec<SiteReport> {
        for (places, applied) in self.certificates.iter_mut().zip(applied) {
            if applied.failed.is_some() {
                places.clear();
            }
        }
        let mut visits = Vec::new();
        for place in self.places() {
            visits.push(place.visit.clone());
        }
        let mut answers = http_get::visit_all(&visits, interrupt).into_iter();
        self.certificates
            .into_iter()
            .map(|places| SiteReport::new(places, &mut answers))
            .collect()
    }
}

/// Returns the places to visit; none for a placeholder, without a reload, or if nothing is probed.
fn find_places(situation: &PreflightState, plan: &InstallPlan) -> Vec<CheckedPlace> {
    let reloads = |step: &PlanStep| matches!(step, PlanStep::Reload { .. });
    let proves = |step: &PlanStep| matches!(step, PlanStep::Prove { .. });
    if !plan.steps.iter().any(reloads) || !plan.steps.iter().any(proves) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for server_use in &situation.serving.uses {
        let is_running = matches!(
            server_use.state,
            ServerState::Serves(..) | ServerState::BrokenUntilInstalled(_)
        );
        if is_running {
            found.extend(places_of(situation, server_use));
        }
    }
    let rules = Arc::new(RedirectRules {
        names: dns_names(&situation.wanted.certificates),
        places: found.iter().map(|(web, ..)| web.place).collect(),
    });
    found
        .into_iter()
        .map(|(web, software, upstreams)| CheckedPlace {
            visit: HomePageVisit {
                request: HttpRequest::home(web.place, web.host),
                rules: Arc::clone(&rules),
                before: None,
            },
            software,
            upstreams,
        })
        .collect()
}

/// A place with its server and the application behind it.
type FoundPlace = (WebPlace, Option<ServerSoftware>, Vec<UpstreamAddress>);

fn places_of(situation: &PreflightState, server_use: &ServerUse) -> Vec<FoundPlace> {
    let Some(observation) = &server_use.observed.observation else {
        return Vec::new();
    };
    let leaf = situation.wanted.leaf();
    let wanted = InstalledPaths {
        links: &situation.serving.configured_paths,
        names: &dns_names(&situation.wanted.certificates),
        algorithm: leaf.algorithm,
    };
    let targets: Vec<ProbeTarget> = situation.serving.targets.clone();
    let mut places = find_web_places(&observation.config, &wanted, &targets);
    places.retain(|web| {
        let address = web.place.address;
        tls::is_here(address) && observation.speaks_http(address)
    });
    let software = server_use.observed.software();
    places
        .into_iter()
        .map(|web| {
            let upstreams = observation.upstreams(&web);
            (web, software, upstreams)
        })
        .collect()
}

impl SiteReport {
    /// Takes the answers of `places`, in their order.
    fn new(
        places: Vec<CheckedPlace>,
        answers: &mut impl Iterator<Item = Option<SiteAnswer>>,
    ) -> Self {
        let mut sites = Vec::new();
        for place in places {
            let Some(Some(after)) = answers.next() else {
                continue;
            };
            sites.push(CheckedSite {
                cause: find_cause(&after, &place.upstreams),
                request: place.visit.request,
                software: place.software,
                before: place.visit.before,
                after,
            });
        }
        Self { sites }
    }

    /// Returns the status over TLS at a target.
    #[must_use]
    pub(crate) fn status_at(&self, probe: &ProbeAnswer) -> Option<u16> {
        let target = &probe.target;
        let is_there = |site: &&CheckedSite| {
            let HttpPlace {
                scheme, address, ..
            } = site.request.place;
            scheme == HttpScheme::Https
                && address == target.address
                && site.request.host == target.name
        };
        self.sites.iter().find(is_there)?.after.status()
    }

    /// Returns the answers over TLS for a name in words, the worst one: `works (200)`,
    /// `answers 502: nothing listens on 127.0.0.1:8000`.
    #[must_use]
    pub(crate) fn answer_of(&self, name: &str) -> Option<SiteHeadline> {
        let mut of_name = self.sites.iter().filter(|site| {
            site.request.place.scheme == HttpScheme::Https && site.request.host == name
        });
        let first = of_name.next()?;
        let worst = of_name.fold(first, |worst, site| {
            if site.after.is_new_error(&worst.after) {
                site
            } else {
                worst
            }
        });
        Some(SiteHeadline {
            works: worst.after.works(),
            text: format!("{}{}", worst.after, worst.cause_in_words()),
        })
    }

    /// Returns a finding for each new error.
    #[must_use]
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        for site in &self.sites {
            let new_error = site
                .before
                .as_ref()
                .filter(|before| site.after.is_new_error(before));
            if let Some(before) = new_error {
                let finding = site.report_new_error(before);
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
        findings
    }
}

/// What a site answers, in words.
#[derive(Debug)]
pub(crate) struct SiteHeadline {
    pub works: bool,
    pub text: String,
}

impl CheckedSite {
    fn cause_in_words(&self) -> String {
        match &self.cause {
            Some(cause) => format!(": {cause}"),
            None => String::new(),
        }
    }

    fn report_new_error(&self, before: &SiteAnswer) -> Finding {
        let message = format!(
            "{} {} since the reload{} (before: it {before})",
            self.request,
            self.after,
            self.cause_in_words()
        );
        let finding = Finding::error("site-answers-error", message);
        let reason = match self.cause {
            Some(_) => ErrorReason::NothingListens,
            None => ErrorReason::Unknown,
        };
        advice::find_reason(self.software, reason)
            .into_iter()
            .fold(finding, Finding::with_step)
    }
}

/// Why a server answers that the application behind it is not available.
#[must_use]
pub(crate) fn find_cause(answer: &SiteAnswer, upstreams: &[UpstreamAddress]) -> Option<String> {
    if !matches!(answer, SiteAnswer::Status(502..=504)) {
        return None;
    }
    let closed: Vec<String> = upstreams
        .iter()
        .filter(|upstream| match upstream {
            UpstreamAddress::Socket { host, port } => listening::refuses_socket(host, *port),
            UpstreamAddress::Unix(path) => listening::refuses_unix(path),
        })
        .map(ToString::to_string)
        .collect();
    (!closed.is_empty()).then(|| format!("nothing listens on {}", closed.join(" or ")))
}
