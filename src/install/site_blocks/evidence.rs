//! What a site answers: the certificate at every address, the page over https, and the redirect at
//! port 80.

use std::sync::Arc;

use crate::install::application::transaction::is_page;
use crate::install::site_check::find_cause;
use crate::install_plan::apply::ProbeAnswer;
use crate::install_plan::apply::prove::{self, ProbeGoal, ProbeGroup};
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::probe::http::{
    HomePageVisit, HttpPlace, HttpRequest, HttpScheme, RedirectRules, SiteAnswer,
};
use crate::probe::{ProbePatience, ProbeTarget};
use crate::site::SiteContent;
use crate::store::layout::StableLink;
use crate::system::signals::InterruptSignal;
use crate::system::tls::http_get;
use crate::webserver::control::ServerObservation;
use crate::webserver::model::{
    InstalledPaths, ProbeTargets, ServedElsewhere, UpstreamAddress, WebPlace, find_web_places,
};

/// What a site has to answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExpectedSite<'a> {
    /// The names that it answers to.
    pub names: &'a [DnsName],
    /// The files of its certificate, as the configuration names them.
    pub links: &'a [StableLink],
    /// Leaf and intermediates.
    pub chain: &'a [Certificate],
    /// What its visitors get.
    pub content: &'a SiteContent,
}

/// What a site answers.
#[derive(Debug, Default)]
pub(crate) struct SiteEvidence {
    /// What each address serves for each name.
    pub probes: Vec<ProbeAnswer>,
    /// The pages; none if another certificate is served.
    pub pages: Vec<SitePage>,
    /// Names that other blocks answer for at some address.
    pub elsewhere: Vec<ServedElsewhere>,
}

/// The answer to one request.
#[derive(Clone, Debug)]
pub(crate) struct SitePage {
    pub request: HttpRequest,
    /// `None` if the request was not made, because the time was up or a signal arrived.
    pub answer: Option<SiteAnswer>,
    /// Why the server cannot answer, if that is known.
    pub cause: Option<String>,
    /// Whether it is the answer that the site should give.
    pub is_right: bool,
}

impl SitePage {
    /// The answer in words, with its cause.
    #[must_use]
    pub(crate) fn in_words(&self) -> String {
        let request = &self.request;
        let is_plain = request.place.scheme == HttpScheme::Http;
        match (&self.answer, &self.cause) {
            (None, _) => format!("{request} was not checked, because the time was up"),
            (Some(SiteAnswer::Status(300..400)), _) if is_plain => {
                format!("{request} redirects to https")
            }
            (Some(answer), Some(cause)) => format!("{request} {answer}: {cause}"),
            (Some(answer), None) => format!("{request} {answer}"),
        }
    }
}

impl SiteEvidence {
    /// Probes a site at every address at which the configuration answers for its names.
    #[must_use]
    pub(crate) fn gather(
        observation: &ServerObservation,
        expected: &ExpectedSite<'_>,
        patience: ProbePatience,
        interrupt: &InterruptSignal,
    ) -> Self {
        let Some(leaf) = expected.chain.first() else {
            return Self::default();
        };
        let wanted = InstalledPaths {
            links: expected.links,
            names: expected.names,
            algorithm: leaf.algorithm,
        };
        let found = ProbeTargets::find(&observation.config, &wanted);
        let places = find_web_places(&observation.config, &wanted, &found.targets);
        let probes = probe(expected, found.targets, patience, interrupt);
        let mut evidence = Self {
            probes,
            pages: Vec::new(),
            elsewhere: found.elsewhere,
        };
        if evidence.serves_certificate() {
            evidence.pages = visit(observation, expected, &places, interrupt);
        }
        evidence
    }

    /// Whether the certificate is served at every address, and at one at least.
    #[must_use]
    pub(crate) fn serves_certificate(&self) -> bool {
        let is_probed = !self.probes.is_empty() && self.elsewhere.is_empty();
        is_probed && self.probes.iter().all(ProbeAnswer::agrees)
    }

    /// Whether every page answers as it should, and one at least over https.
    #[must_use]
    pub(crate) fn shows_page(&self) -> bool {
        let is_https = |page: &SitePage| page.request.place.scheme == HttpScheme::Https;
        self.pages.iter().any(is_https) && self.pages.iter().all(|page| page.is_right)
    }
}

fn probe(
    expected: &ExpectedSite<'_>,
    targets: Vec<ProbeTarget>,
    patience: ProbePatience,
    interrupt: &InterruptSignal,
) -> Vec<ProbeAnswer> {
    let mut groups = [ProbeGroup {
        index: 0,
        targets,
        baselines: Vec::new(),
        certificates: expected.chain.to_vec(),
        goal: ProbeGoal::Installed,
        probes: Vec::new(),
    }];
    prove::probe_until(&mut groups, patience, || interrupt.signal());
    let [group] = groups;
    group.probes
}

fn visit(
    observation: &ServerObservation,
    expected: &ExpectedSite<'_>,
    places: &[WebPlace],
    interrupt: &InterruptSignal,
) -> Vec<SitePage> {
    let follow = Arc::new(RedirectRules {
        names: expected.names.to_vec(),
        places: places.iter().map(|web| web.place).collect(),
    });
    let visits: Vec<HomePageVisit> = places
        .iter()
        .map(|web| HomePageVisit {
            request: HttpRequest::home(web.place, web.host.clone()),
            rules: rules_for(web.place, &follow),
            before: None,
        })
        .collect();
    let answers = http_get::visit_all(&visits, interrupt);
    let mut pages = Vec::new();
    for ((web, visit), answer) in places.iter().zip(visits).zip(answers) {
        let upstreams: Vec<UpstreamAddress> = observation.upstreams(web);
        pages.push(SitePage {
            is_right: is_right(web.place.scheme, expected.content, answer.as_ref()),
            cause: answer
                .as_ref()
                .and_then(|answer| find_cause(answer, &upstreams)),
            request: visit.request,
            answer,
        });
    }
    pages
}

/// At port 80 the redirect itself is the answer.
fn rules_for(place: HttpPlace, follow: &Arc<RedirectRules>) -> Arc<RedirectRules> {
    match place.scheme {
        HttpScheme::Http => Arc::new(RedirectRules::default()),
        HttpScheme::Https => Arc::clone(follow),
    }
}

/// Whether an answer is as it should be. An application may refuse `/` (401, 404): that is its own
/// answer. A folder of files has a home page.
fn is_right(scheme: HttpScheme, content: &SiteContent, answer: Option<&SiteAnswer>) -> bool {
    let Some(SiteAnswer::Status(status)) = answer else {
        return false;
    };
    match (scheme, content) {
        (_, SiteContent::Adopted) => *status < 500,
        (HttpScheme::Http, _) => (300..400).contains(status),
        (HttpScheme::Https, SiteContent::Static(_)) => *status < 400,
        (HttpScheme::Https, SiteContent::Upstream(_)) => *status < 500,
        (HttpScheme::Https, SiteContent::Application(_)) => is_page(*status),
    }
}
