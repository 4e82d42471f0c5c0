//! What was checked, and what could not be.

use super::facts::{
    AddressPlace, DnsFacts, HttpFacts, PlainState, ServerFacts, ServerTest, SiteFacts, TlsState,
};
use crate::wording::day;

/// One check, in words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DiagnosisCheck {
    /// The word in JSON.
    pub name: &'static str,
    pub state: CheckState,
    pub text: String,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CheckState {
    Right,
    Unchecked,
    Wrong,
}

impl CheckState {
    /// The word in JSON.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Unchecked => "unchecked",
            Self::Wrong => "wrong",
        }
    }

    fn right_if(condition: impl FnOnce() -> bool) -> Self {
        if condition() {
            Self::Right
        } else {
            Self::Wrong
        }
    }
}

/// Lists the checks of a site, in the order in which a visitor's request passes them.
#[must_use]
pub(crate) fn list_checks(facts: &SiteFacts) -> Vec<DiagnosisCheck> {
    let mut checks = vec![check_dns(facts)];
    checks.extend(check_server(facts));
    checks.extend(check_http(&facts.http));
    checks.extend(check_tls(facts));
    checks.extend(check_pages(facts));
    checks.push(check_firewall(facts));
    checks
}

fn check_dns(facts: &SiteFacts) -> DiagnosisCheck {
    let name = &facts.name;
    let addresses = match &facts.dns {
        DnsFacts::Unchecked(reason) => {
            return DiagnosisCheck {
                name: "dns",
                state: CheckState::Unchecked,
                text: format!("DNS was not checked: {reason}"),
            };
        }
        DnsFacts::Missing => {
            return DiagnosisCheck {
                name: "dns",
                state: CheckState::Wrong,
                text: format!("DNS has no address for {name}"),
            };
        }
        DnsFacts::Addresses(addresses) => addresses,
    };
    let mut state = CheckState::Right;
    let mut parts = Vec::new();
    for one in addresses {
        let place = match &one.place {
            AddressPlace::Here => "this machine".to_owned(),
            AddressPlace::SameCertificate => {
                "not this machine, but the same certificate: a router or a proxy".to_owned()
            }
            AddressPlace::Remote => "another machine, which was checked from here".to_owned(),
            AddressPlace::ValidElsewhere => {
                if state == CheckState::Right {
                    state = CheckState::Unchecked;
                }
                "not this machine; a valid certificate for the name is served there: a proxy, a CDN \
                 or another server"
                    .to_owned()
            }
            AddressPlace::BehindRouter => {
                if state == CheckState::Right {
                    state = CheckState::Unchecked;
                }
                "not checked: this machine has no public address, so it cannot see where that leads"
                    .to_owned()
            }
            AddressPlace::Other(seen) => {
                state = CheckState::Wrong;
                format!("not this machine; {seen}")
            }
        };
        parts.push(format!("{} ({place})", one.address));
    }
    DiagnosisCheck {
        name: "dns",
        state,
        text: format!("{name} resolves to {}", parts.join(", ")),
    }
}

fn check_server(facts: &SiteFacts) -> Vec<DiagnosisCheck> {
    let server = match &facts.server {
        ServerFacts::Known(server) => server,
        ServerFacts::NotInstalled => {
            return vec![DiagnosisCheck {
                name: "server",
                state: CheckState::Unchecked,
                text: "no server was checked: neither nginx, Apache nor HAProxy is installed here"
                    .to_owned(),
            }];
        }
        ServerFacts::Elsewhere => {
            return vec![DiagnosisCheck {
                name: "server",
                state: CheckState::Unchecked,
                text: "the server and its files were not checked: they are on another machine"
                    .to_owned(),
            }];
        }
        ServerFacts::Unreadable(reason) => {
            return vec![DiagnosisCheck {
                name: "server",
                state: CheckState::Unchecked,
                text: format!("the server was not checked: {reason}"),
            }];
        }
    };
    let title = server.software.title();
    let state = CheckState::right_if(|| server.is_running);
    let word = if server.is_running {
        "runs"
    } else {
        "does not run"
    };
    let (tested, test) = match &server.test {
        ServerTest::Passed => (CheckState::Right, "passes".to_owned()),
        ServerTest::Failed { .. } => (CheckState::Wrong, "fails".to_owned()),
        ServerTest::Unchecked(reason) => (CheckState::Unchecked, format!("was not run: {reason}")),
    };
    vec![
        DiagnosisCheck {
            name: "server",
            state,
            text: format!("{title} {word}"),
        },
        DiagnosisCheck {
            name: "configuration",
            state: tested,
            text: format!("{title}'s own test of its configuration {test}"),
        },
    ]
}

fn check_tls(facts: &SiteFacts) -> Vec<DiagnosisCheck> {
    let mut checks = Vec::new();
    for tls in &facts.tls {
        let address = tls.address;
        let (state, text) = match &tls.state {
            TlsState::Closed => (CheckState::Wrong, "closed".to_owned()),
            TlsState::Silent(reason) | TlsState::Failed(reason) => {
                (CheckState::Wrong, reason.clone())
            }
            TlsState::PlainText => (CheckState::Wrong, "does not speak TLS".to_owned()),
            TlsState::Served(served) => {
                let expiry = day(served.not_after);
                let state = CheckState::right_if(|| served.problems.is_empty());
                let text = match served.problems.first() {
                    None => format!("valid certificate, full chain, expires {expiry}"),
                    Some(problem) => problem.to_string(),
                };
                (state, text)
            }
        };
        checks.push(DiagnosisCheck {
            name: "certificate",
            state,
            text: format!("{address}: {text}"),
        });
    }
    checks
}

fn check_pages(facts: &SiteFacts) -> Vec<DiagnosisCheck> {
    let mut checks = Vec::new();
    for page in &facts.pages {
        let name = &facts.name;
        let answer = &page.answer;
        checks.push(DiagnosisCheck {
            name: "page",
            state: CheckState::right_if(|| answer.works()),
            text: format!("https://{} at {} {answer}", name.as_str(), page.address),
        });
    }
    checks
}

fn check_http(http: &[HttpFacts]) -> Vec<DiagnosisCheck> {
    let mut checks = Vec::new();
    for one in http {
        let address = one.address;
        let (state, text) = match &one.state {
            PlainState::Closed => (CheckState::Wrong, "closed".to_owned()),
            PlainState::Silent(reason) => (CheckState::Wrong, reason.clone()),
            PlainState::Redirects => (CheckState::Right, "redirects to https".to_owned()),
            PlainState::RedirectsElsewhere(url) => {
                (CheckState::Wrong, format!("redirects to {url}"))
            }
            PlainState::Answers(status) => (CheckState::Wrong, format!("answers {status}")),
        };
        checks.push(DiagnosisCheck {
            name: "http",
            state,
            text: format!("{address}: {text}"),
        });
    }
    checks
}

fn check_firewall(facts: &SiteFacts) -> DiagnosisCheck {
    let (state, text) = match &facts.firewall {
        Err(reason) => (
            CheckState::Unchecked,
            format!("the firewall was not checked: {reason}"),
        ),
        Ok(rules) if rules.is_empty() => (
            CheckState::Unchecked,
            "this machine's packet filter has no rule that drops port 80 or 443; a firewall of the \
             provider cannot be seen from here"
                .to_owned(),
        ),
        Ok(rules) => (CheckState::Wrong, rules.join("; ")),
    };
    DiagnosisCheck {
        name: "firewall",
        state,
        text,
    }
}
