//! Decides which causes explain what was observed. A cause that explains others hides them.

use super::cause::SiteCause;
use super::facts::{
    AddressPlace, AnsweringBlock, BlockRule, DnsFacts, HttpFacts, KnownServer, PageFacts,
    PlainState, ServedChain, ServerFacts, ServerTest, SiteFacts, TlsFacts, TlsState, UpstreamFault,
    UpstreamState,
};
use crate::pki::verify::ChainProblem;
use crate::probe::http::SiteAnswer;
use crate::webserver::model::UpstreamAddress;

/// Returns the causes, most likely first; none if the site is healthy as far as it was checked.
#[must_use]
pub(crate) fn diagnose(facts: &SiteFacts) -> Vec<SiteCause> {
    let mut diagnosis = Diagnosis {
        facts,
        causes: Vec::new(),
    };
    diagnosis.judge_server();
    if !diagnosis.is_stopped() {
        diagnosis.judge_tls();
        diagnosis.judge_http();
        diagnosis.judge_pages();
    }
    diagnosis.judge_firewall();
    diagnosis.judge_dns();
    diagnosis.causes
}

struct Diagnosis<'a> {
    facts: &'a SiteFacts,
    causes: Vec<SiteCause>,
}

impl Diagnosis<'_> {
    /// Adds a cause, unless the same one is known at another address.
    fn add(&mut self, cause: SiteCause) {
        if !self.causes.iter().any(|known| known.is_like(&cause)) {
            self.causes.push(cause);
        }
    }

    fn server(&self) -> Option<&KnownServer> {
        match &self.facts.server {
            ServerFacts::Known(server) => Some(server),
            ServerFacts::NotInstalled | ServerFacts::Elsewhere | ServerFacts::Unreadable(_) => None,
        }
    }

    fn is_stopped(&self) -> bool {
        self.server().is_some_and(|server| !server.is_running)
    }

    fn is_broken(&self) -> bool {
        let test = self.server().map(|server| &server.test);
        matches!(test, Some(ServerTest::Failed { .. }))
    }

    /// DNS is what everybody else sees: it comes last, unless nothing here is wrong.
    fn judge_dns(&mut self) {
        match &self.facts.dns {
            DnsFacts::Unchecked(_) => {}
            DnsFacts::Missing => self.add(SiteCause::NoAddress),
            DnsFacts::Addresses(addresses) => {
                let mut elsewhere = Vec::new();
                for one in addresses {
                    if let AddressPlace::Other(seen) = &one.place {
                        elsewhere.push((one.address, seen.clone()));
                    }
                }
                if !elsewhere.is_empty() {
                    self.add(SiteCause::AddressElsewhere {
                        addresses: elsewhere,
                    });
                }
            }
        }
    }

    fn judge_server(&mut self) {
        let Some(server) = self.server() else {
            return;
        };
        let software = server.software;
        let mut found = Vec::new();
        if let ServerTest::Failed { lines, command } = &server.test {
            found.push(SiteCause::ConfigBroken {
                software,
                lines: lines.clone(),
                command: command.clone(),
            });
        }
        if !server.is_running {
            let owners = self.facts.tls.iter();
            let mut owners = owners.filter_map(|tls| tls.other_owner.clone());
            if let Some(owner) = owners.next() {
                found.push(SiteCause::PortTaken { owner });
            } else if found.is_empty() {
                found.push(SiteCause::ServerStopped {
                    software,
                    start_command: server.start_command.clone(),
                });
            }
        }
        for cause in found {
            self.add(cause);
        }
    }

    fn judge_tls(&mut self) {
        for tls in &self.facts.tls {
            if let Some(cause) = self.cause_at(tls) {
                self.add(cause);
            }
        }
    }

    fn cause_at(&self, tls: &TlsFacts) -> Option<SiteCause> {
        let address = tls.address;
        match &tls.state {
            TlsState::Closed => self.closed(tls),
            TlsState::Silent(reason) => Some(SiteCause::PortSilent {
                address,
                reason: reason.clone(),
            }),
            TlsState::PlainText => match &tls.block {
                Some(_) => self.not_loaded(tls),
                None => Some(SiteCause::PlainTextAtTls {
                    address,
                    block: self.server().and_then(|server| server.plain_block.clone()),
                }),
            },
            TlsState::Failed(reason) => self.not_loaded_if_changed(tls).or_else(|| {
                Some(SiteCause::HandshakeFails {
                    address,
                    reason: reason.clone(),
                })
            }),
            TlsState::Served(served) => self.certificate_cause(tls, served),
        }
    }

    fn closed(&self, tls: &TlsFacts) -> Option<SiteCause> {
        let is_served = |other: &TlsFacts| matches!(other.state, TlsState::Served(_));
        if tls.block.is_none() && self.facts.tls.iter().any(is_served) {
            return Some(SiteCause::AddressNotServed {
                address: tls.address,
            });
        }
        let Some(server) = self.server() else {
            return Some(SiteCause::PortClosed {
                address: tls.address,
            });
        };
        if tls.block.is_some() {
            return self.not_loaded(tls);
        }
        Some(SiteCause::NoTlsBlock {
            plain_block: server.plain_block.clone(),
        })
    }

    /// The configuration on disk has TLS there, and the server does not: it has not loaded it, or
    /// cannot.
    fn not_loaded(&self, tls: &TlsFacts) -> Option<SiteCause> {
        if self.is_broken() {
            return None;
        }
        if let Some(owner) = &tls.other_owner {
            return Some(SiteCause::PortTaken {
                owner: owner.clone(),
            });
        }
        let server = self.server()?;
        let address = tls.address;
        match &server.reload_command {
            Some(reload) => Some(SiteCause::ConfigNotLoaded {
                software: server.software,
                address,
                reload_command: reload.clone(),
            }),
            None => Some(SiteCause::PortClosed { address }),
        }
    }

    fn not_loaded_if_changed(&self, tls: &TlsFacts) -> Option<SiteCause> {
        let is_changed = self.server()?.has_unloaded_changes && tls.block.is_some();
        if is_changed {
            self.not_loaded(tls)
        } else {
            None
        }
    }

    fn certificate_cause(&self, tls: &TlsFacts, served: &ServedChain) -> Option<SiteCause> {
        if let Some(owner) = &tls.other_owner {
            let is_wrong = !served.problems.is_empty();
            let owner = owner.clone();
            return is_wrong.then_some(SiteCause::PortTaken { owner });
        }
        let waiting = tls
            .block
            .as_ref()
            .and_then(|block| self.waiting(tls, block, served));
        if waiting.is_some() {
            return waiting;
        }
        let problem = served.problems.first()?;
        if let Some(block) = &tls.block
            && is_of_other_site(block, problem)
        {
            return Some(SiteCause::WrongBlock {
                address: tls.address,
                place: block.place.clone(),
                plain_block: self.server().and_then(|server| server.plain_block.clone()),
            });
        }
        Some(self.wrong_certificate(tls, served, problem))
    }

    fn wrong_certificate(
        &self,
        tls: &TlsFacts,
        served: &ServedChain,
        problem: &ChainProblem,
    ) -> SiteCause {
        let available = self.facts.available.as_ref();
        let other = available.filter(|other| other.fingerprint != served.fingerprint);
        if let Some(available) = other {
            return SiteCause::OtherCertificateValid {
                problem: problem.clone(),
                available: available.clone(),
            };
        }
        let block = tls.block.as_ref();
        let file = block.and_then(|block| block.on_disk.as_ref());
        SiteCause::Certificate {
            problem: problem.clone(),
            file: file.map(|file| file.path.clone()),
            managed: self.facts.managed.clone(),
        }
    }

    /// A better certificate that only waits for a reload.
    fn waiting(
        &self,
        tls: &TlsFacts,
        block: &AnsweringBlock,
        served: &ServedChain,
    ) -> Option<SiteCause> {
        let on_disk = block.on_disk.as_ref()?;
        let is_same = on_disk.fingerprint == served.fingerprint;
        let is_same_chain = on_disk.problems == served.problems;
        let is_better = on_disk.problems.is_empty()
            && (!served.problems.is_empty() || on_disk.not_after > served.not_after);
        if (is_same && is_same_chain) || !is_better || self.is_broken() {
            return None;
        }
        let server = self.server()?;
        Some(SiteCause::CertificateNotLoaded {
            address: tls.address,
            file: on_disk.path.clone(),
            not_after: on_disk.not_after,
            reload_command: server.reload_command.clone()?,
        })
    }

    fn judge_pages(&mut self) {
        if self.causes.iter().any(SiteCause::hides_page) {
            return;
        }
        let at = self.place_of_pages();
        let plain = self.causes.split_off(at);
        for page in &self.facts.pages {
            if let Some(cause) = page_cause(page) {
                self.add(cause);
            }
        }
        self.causes.extend(plain);
    }

    /// A page that fails comes before what is wrong with port 80.
    fn place_of_pages(&self) -> usize {
        let mut causes = self.causes.iter();
        let first = causes.position(SiteCause::is_about_port_80);
        first.unwrap_or(self.causes.len())
    }

    fn judge_http(&mut self) {
        let is_taken = |cause: &SiteCause| {
            matches!(
                cause,
                SiteCause::PortTaken { .. } | SiteCause::ConfigNotLoaded { .. }
            )
        };
        if self.causes.iter().any(is_taken) {
            return;
        }
        // Without https, a redirect would lead nowhere.
        let has_https = !self.causes.iter().any(SiteCause::hides_page);
        let is_open = |http: &HttpFacts| http.state != PlainState::Closed;
        let has_open = self.facts.http.iter().any(is_open);
        for http in &self.facts.http {
            let mut cause = http_cause(http, self.facts);
            if has_open && matches!(cause, Some(SiteCause::HttpClosed { .. })) {
                cause = Some(SiteCause::AddressNotServed {
                    address: http.address,
                });
            }
            let is_redirect = matches!(cause, Some(SiteCause::NoRedirect { .. }));
            if let Some(cause) = cause.filter(|_| has_https || !is_redirect) {
                self.add(cause);
            }
        }
    }

    fn judge_firewall(&mut self) {
        let rules = self.facts.firewall.as_deref().unwrap_or_default();
        for rule in rules {
            self.add(SiteCause::FirewallDrops { rule: rule.clone() });
        }
    }
}

/// Whether a block without the name serves the certificate of another site.
fn is_of_other_site(block: &AnsweringBlock, problem: &ChainProblem) -> bool {
    let is_other = matches!(
        problem,
        ChainProblem::HostNotCovered { .. } | ChainProblem::SelfSigned { .. }
    );
    block.rule == BlockRule::Default && is_other
}

fn page_cause(page: &PageFacts) -> Option<SiteCause> {
    if page.answer.works() {
        return None;
    }
    let status = page.answer.status();
    let is_gateway = status.is_some_and(|status| (502..=504).contains(&status));
    let faulty = page.upstreams.iter().find(|one| one.fault.is_some());
    if let Some(upstream) = faulty.filter(|_| is_gateway) {
        return upstream_cause(upstream, status.unwrap_or_default());
    }
    file_cause(page).or_else(|| answer_cause(page))
}

/// What is wrong with the files of a page.
fn file_cause(page: &PageFacts) -> Option<SiteCause> {
    let status = page.answer.status()?;
    let is_file_error = matches!(status, 403 | 404 | 500);
    let files = page.files.as_ref().filter(|_| is_file_error)?;
    if let Some(barrier) = &files.barrier {
        return Some(SiteCause::FilesDenied {
            barrier: barrier.clone(),
        });
    }
    let folder = files.folder.clone();
    if !files.folder_exists {
        return Some(SiteCause::FolderMissing { folder });
    }
    (!files.has_index).then_some(SiteCause::IndexMissing { folder, status })
}

fn answer_cause(page: &PageFacts) -> Option<SiteCause> {
    match &page.answer {
        SiteAnswer::RedirectLoop => Some(SiteCause::RedirectLoop),
        // The application refuses `/` (401, 404): that is its own answer.
        SiteAnswer::Status(400..500) if page.files.is_none() => None,
        // The handshake has been judged already.
        SiteAnswer::NoHandshake => None,
        answer => Some(SiteCause::PageFails {
            answer: answer.to_string(),
            log: page.log.clone(),
        }),
    }
}

fn upstream_cause(upstream: &UpstreamState, status: u16) -> Option<SiteCause> {
    let start_command = upstream.start_command.clone();
    let address = upstream.address.clone();
    let UpstreamAddress::Unix(path) = &upstream.address else {
        return Some(SiteCause::UpstreamClosed {
            address,
            status,
            start_command,
        });
    };
    let path = path.clone();
    Some(match upstream.fault.as_ref()? {
        UpstreamFault::Closed | UpstreamFault::SocketDead => SiteCause::SocketDead {
            path,
            start_command,
        },
        UpstreamFault::SocketMissing => SiteCause::SocketMissing {
            path,
            start_command,
        },
        UpstreamFault::Denied(barrier) => SiteCause::SocketDenied {
            path,
            barrier: barrier.clone(),
        },
    })
}

fn http_cause(http: &HttpFacts, facts: &SiteFacts) -> Option<SiteCause> {
    let block = http.block.clone();
    let software = match &facts.server {
        ServerFacts::Known(server) => Some(server.software),
        _ => None,
    };
    match &http.state {
        PlainState::Closed => {
            return Some(SiteCause::HttpClosed {
                address: http.address,
            });
        }
        PlainState::Silent(reason) => {
            return Some(SiteCause::PortSilent {
                address: http.address,
                reason: reason.clone(),
            });
        }
        PlainState::Answers(status) => {
            return Some(SiteCause::NoRedirect {
                software,
                block,
                answer: format!("answers {status}"),
            });
        }
        PlainState::RedirectsElsewhere(url) => {
            return Some(SiteCause::NoRedirect {
                software,
                block,
                answer: format!("redirects to {url}"),
            });
        }
        PlainState::Redirects => {}
    }
    let answer = http.well_known.as_ref()?;
    let is_right = matches!(answer, SiteAnswer::Status(404 | 410));
    (!is_right).then(|| SiteCause::WellKnownSwallowed {
        answer: answer.to_string(),
        block,
    })
}
