//! What the addresses of a site answer before a change, and whether they answer the same after a
//! rollback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::evidence::SitePage;
use crate::install_plan::apply::probe_groups;
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::probe::ProbeTarget;
use crate::probe::http::{HomePageVisit, HttpRequest, RedirectRules, SiteAnswer};
use crate::system::clock::{self, Stopwatch};
use crate::system::signals::InterruptSignal;
use crate::system::tls::http_get;
use crate::webserver::control::ServerObservation;
use crate::webserver::model::{InstalledPaths, ProbeTargets, find_web_places};
use crate::wording::with_causes;

/// How long a server may answer with its new configuration after it was reloaded with the old one.
const PATIENCE: Duration = Duration::from_secs(10);
/// The port of https.
const HTTPS: u16 = 443;
/// The pause between two rounds.
const PAUSE: Duration = Duration::from_millis(300);

/// What the addresses of a site answer before a change.
#[derive(Debug)]
pub(crate) struct SiteBaseline {
    targets: Vec<ProbeTarget>,
    /// What each target served: the fingerprint of the leaf, or why there was none.
    served: Vec<String>,
    /// The pages, each with its answer.
    visits: Vec<HomePageVisit>,
}

/// What the addresses of a site answer after a rollback.
#[derive(Debug, Default)]
pub(crate) struct RestoredSite {
    /// The pages, each with its answer now.
    pub pages: Vec<SitePage>,
    /// How many TLS addresses serve the same certificate as before.
    pub same_certificates: usize,
    /// Whether every answer is the same as before. A worker that has not ended yet may give another.
    is_same: bool,
    /// What is worse than before, in words.
    pub differences: Vec<String>,
}

impl SiteBaseline {
    /// Asks every address at which the configuration answers for the names.
    #[must_use]
    pub(crate) fn take(
        observation: &ServerObservation,
        wanted: &InstalledPaths<'_>,
        interrupt: &InterruptSignal,
    ) -> Self {
        let found = ProbeTargets::find(&observation.config, wanted);
        let mut targets = found.targets;
        for other in found.elsewhere {
            if !targets.contains(&other.target) {
                targets.push(other.target);
            }
        }
        let places = find_web_places(&observation.config, wanted, &targets);
        let rules = Arc::new(RedirectRules::default());
        let mut visits = Vec::new();
        for web in places {
            visits.push(HomePageVisit {
                request: HttpRequest::home(web.place, web.host),
                rules: Arc::clone(&rules),
                before: None,
            });
        }
        let answers = http_get::visit_all(&visits, interrupt);
        for (visit, answer) in visits.iter_mut().zip(answers) {
            visit.before = answer;
        }
        // A page that was not visited cannot be compared.
        visits.retain(|visit| visit.before.is_some());
        Self {
            served: served_by(&targets),
            targets,
            visits,
        }
    }

    /// Asks the same addresses until they answer as before, or the time is up. A signal does not end
    /// it: it is part of the rollback.
    #[must_use]
    pub(crate) fn compare(&self) -> RestoredSite {
        let started = Stopwatch::start();
        let never = InterruptSignal::default();
        loop {
            let now = self.observe(&never);
            if now.is_same || started.elapsed() > PATIENCE {
                return now;
            }
            clock::sleep(PAUSE);
        }
    }

    fn observe(&self, interrupt: &InterruptSignal) -> RestoredSite {
        let mut restored = RestoredSite {
            is_same: true,
            ..RestoredSite::default()
        };
        let served = served_by(&self.targets);
        for (target, (before, now)) in self.targets.iter().zip(self.served.iter().zip(&served)) {
            if before == now {
                restored.same_certificates += 1;
            } else {
                restored.is_same = false;
                let name = &target.name;
                let address = target.address;
                let line = format!("{address} serves {now} for {name} (before: {before})");
                restored.differences.push(line);
            }
        }
        let answers = http_get::visit_all(&self.visits, interrupt);
        for (visit, answer) in self.visits.iter().zip(answers) {
            restored.add_page(visit, answer);
        }
        restored
    }
}

impl RestoredSite {
    fn add_page(&mut self, visit: &HomePageVisit, now: Option<SiteAnswer>) {
        self.is_same &= now == visit.before;
        let page = SitePage {
            request: visit.request.clone(),
            is_right: is_as_good(visit.before.as_ref(), now.as_ref()),
            answer: now,
            cause: None,
        };
        if let Some(before) = &visit.before
            && !page.is_right
        {
            let line = format!("{} (before: it {before})", page.in_words());
            self.differences.push(line);
        }
        self.pages.push(page);
    }

    /// What was seen, in words.
    #[must_use]
    pub(crate) fn in_words(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        match self.same_certificates {
            0 => {}
            1 => parts.push("1 address serves the same certificate".to_owned()),
            count => parts.push(format!("{count} addresses serve the same certificate")),
        }
        for page in &self.pages {
            let line = page.in_words();
            if !parts.contains(&line) {
                parts.push(line);
            }
        }
        if parts.is_empty() {
            return "no address answered for the site before".to_owned();
        }
        format!("probed again: {}", parts.join("; "))
    }
}

/// Whether a page answers as well as before.
fn is_as_good(before: Option<&SiteAnswer>, now: Option<&SiteAnswer>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => !now.is_new_error(before),
        _ => false,
    }
}

/// Whether the server at port 443 of this machine serves this certificate for a name.
#[must_use]
pub(crate) fn serves_leaf(name: &DnsName, leaf: &Certificate) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, HTTPS));
    let target = ProbeTarget::new(address, name.as_str());
    served_by(&[target]) == [leaf.sha256()]
}

/// What each target serves: the fingerprint of the leaf, or why there is none.
fn served_by(targets: &[ProbeTarget]) -> Vec<String> {
    let mut served = Vec::new();
    for answer in probe_groups(&[(targets, &[])]).into_iter().flatten() {
        served.push(match &answer.answer {
            Ok((handshake, _)) => handshake.sha256(),
            Err(error) => with_causes(error),
        });
    }
    served
}
