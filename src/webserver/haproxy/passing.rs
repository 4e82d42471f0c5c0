//! TCP frontends, which pass TLS connections on by the name in the handshake (`req.ssl_sni`):
//! <https://docs.haproxy.org/2.6/configuration.html#7>. What certctl cannot evaluate makes the target
//! unknown.

use std::collections::HashMap;

use super::address;
use super::lex::{HaproxyWord, text_at};
use super::route::{ProxyMode, ProxyRoute};
use crate::webserver::model::pass_through::{
    PassRule, PassTarget, PassThrough, SniCondition, SniMatch, SniTerm, SniTest,
};
use crate::webserver::model::{ConfigPosition, ListenAddress};

/// The sections of a configuration, as far as they decide where TCP connections go.
#[derive(Debug, Default)]
pub(crate) struct ProxySections {
    sections: Vec<ProxySection>,
    /// The modes of the `defaults` sections by their names.
    defaults: HashMap<String, ProxyMode>,
    /// The mode of the last `defaults` section.
    last_defaults: ProxyMode,
    current: CurrentSection,
}

/// The section that lines belong to.
#[derive(Debug, Default)]
enum CurrentSection {
    /// The last of the sections.
    Proxy,
    /// A `defaults` section with this name.
    Defaults(String),
    #[default]
    Other,
}

#[derive(Debug, Default)]
struct ProxySection {
    route: ProxyRoute,
    listens: Vec<ListenAddress>,
    acls: HashMap<String, Vec<SniTest>>,
    rules: Vec<BackendRule>,
    default_backend: Option<String>,
    servers: Vec<PassTarget>,
    /// Whether HAProxy waits for the handshake (`tcp-request inspect-delay`).
    waits: bool,
    /// Whether every TLS connection is accepted before any later `tcp-request content` rule.
    accepts_tls: bool,
    disabled: bool,
}

#[derive(Debug)]
struct BackendRule {
    condition: SniCondition,
    target: RuleTarget,
}

#[derive(Debug)]
enum RuleTarget {
    Backend(String),
    /// The connection is closed.
    Rejected,
}

fn unknown(reason: &str) -> PassTarget {
    PassTarget::Unknown(reason.to_owned())
}

impl ProxySections {
    /// Begins a section.
    pub(crate) fn open(
        &mut self,
        position: ConfigPosition<'_>,
        keyword: &str,
        arguments: &[HaproxyWord],
    ) {
        let name = text_at(arguments, 0).to_owned();
        let from = arguments.iter().position(|word| word.text == "from");
        let inherited = from
            .and_then(|at| self.defaults.get(text_at(arguments, at + 1)))
            .copied();
        self.current = match keyword {
            "defaults" => {
                self.last_defaults = inherited.unwrap_or_default();
                self.defaults.insert(name.clone(), self.last_defaults);
                CurrentSection::Defaults(name)
            }
            "frontend" | "listen" | "backend" => {
                self.sections.push(ProxySection {
                    default_backend: (keyword == "listen").then(|| name.clone()),
                    route: ProxyRoute {
                        name,
                        file: position.file.to_owned(),
                        line: position.line,
                        mode: inherited.unwrap_or(self.last_defaults),
                        ..ProxyRoute::default()
                    },
                    ..ProxySection::default()
                });
                CurrentSection::Proxy
            }
            _ => CurrentSection::Other,
        };
    }

    /// Adds the addresses of a `bind` line of the current section.
    pub(crate) fn add_listens(&mut self, listens: &[ListenAddress]) {
        if let (CurrentSection::Proxy, Some(section)) = (&self.current, self.sections.last_mut()) {
            let plain = listens.iter().filter(|listen| !listen.ssl && !listen.udp);
            section.listens.extend(plain.cloned());
        }
    }

    /// Reads a line of the current section.
    pub(crate) fn read(&mut self, keyword: &str, arguments: &[HaproxyWord]) {
        match &self.current {
            CurrentSection::Proxy => {
                if let Some(section) = self.sections.last_mut() {
                    section.read(keyword, arguments);
                }
            }
            CurrentSection::Defaults(name) if keyword == "mode" => {
                self.last_defaults = ProxyMode::parse(text_at(arguments, 0));
                self.defaults.insert(name.clone(), self.last_defaults);
            }
            CurrentSection::Defaults(_) | CurrentSection::Other => {}
        }
    }

    /// Where each section passes its traffic on to, in their order.
    pub(crate) fn routes(&self) -> Vec<ProxyRoute> {
        let sections = self.sections.iter();
        sections.map(|section| section.route.clone()).collect()
    }

    /// The TCP frontends that pass connections on.
    pub(crate) fn pass_through(&self) -> Vec<PassThrough> {
        let frontends = self.sections.iter().filter(|section| {
            section.route.mode == ProxyMode::Tcp && !section.listens.is_empty() && !section.disabled
        });
        frontends.map(|section| self.pass(section)).collect()
    }

    fn pass(&self, section: &ProxySection) -> PassThrough {
        let rules = section.rules.iter().map(|rule| PassRule {
            condition: if section.waits {
                rule.condition.clone()
            } else {
                // Whether the handshake has arrived yet is a matter of time.
                SniCondition(vec![vec![SniTerm::plain(SniTest::Unknown)]])
            },
            target: match &rule.target {
                RuleTarget::Backend(name) => self.target(name),
                RuleTarget::Rejected => unknown("the connection is rejected"),
            },
        });
        let default = section.default_backend.as_deref();
        PassThrough {
            listens: section.listens.clone(),
            rules: rules.collect(),
            default: default.map_or_else(|| unknown("no backend"), |name| self.target(name)),
        }
    }

    /// The one server of a backend.
    fn target(&self, backend: &str) -> PassTarget {
        let sections = self.sections.iter();
        let servers = sections
            .rev()
            .find(|section| section.route.name == backend && !section.servers.is_empty())
            .map(|section| section.servers.as_slice());
        match servers {
            Some([server]) => server.clone(),
            Some([first, others @ ..]) if others.iter().all(|other| other == first) => {
                first.clone()
            }
            Some(_) => unknown("the connection is passed on to one of several servers"),
            None => unknown("the connection is passed on to a backend without a known server"),
        }
    }
}

impl ProxySection {
    fn read(&mut self, keyword: &str, arguments: &[HaproxyWord]) {
        match keyword {
            "mode" => self.route.mode = ProxyMode::parse(text_at(arguments, 0)),
            "disabled" => self.disabled = true,
            "enabled" => self.disabled = false,
            "acl" => {
                if let Some((name, test)) = arguments.split_first() {
                    let test = parse_test(test);
                    self.acls.entry(name.text.clone()).or_default().push(test);
                }
            }
            "use-server" => self.route.has_rules = true,
            "use_backend" => {
                self.route.has_rules = true;
                if let Some((name, condition)) = arguments.split_first() {
                    let condition = self.condition(condition);
                    self.rules.push(BackendRule {
                        condition,
                        target: RuleTarget::Backend(name.text.clone()),
                    });
                }
            }
            "default_backend" => {
                self.default_backend = Some(text_at(arguments, 0).to_owned());
            }
            "tcp-request" => self.read_tcp_request(arguments),
            "server" => {
                self.route.servers.push(text_at(arguments, 1).to_owned());
                self.servers.extend(parse_server(arguments));
            }
            _ => {}
        }
    }

    fn read_tcp_request(&mut self, arguments: &[HaproxyWord]) {
        let action = text_at(arguments, 1);
        let condition = arguments.get(2..).unwrap_or_default();
        match text_at(arguments, 0) {
            "inspect-delay" => self.waits = true,
            "content" if action == "accept" => {
                let accepts = self.condition(condition);
                let always = [None, Some("x")];
                self.accepts_tls |= always.iter().all(|name| accepts.holds(*name) == Some(true));
            }
            "content" | "connection" | "session" if action == "reject" && !self.accepts_tls => {
                let condition = self.condition(condition);
                self.rules.push(BackendRule {
                    condition,
                    target: RuleTarget::Rejected,
                });
            }
            _ => {}
        }
    }

    /// Parses `if CONDITION`, `unless CONDITION` or nothing.
    fn condition(&self, words: &[HaproxyWord]) -> SniCondition {
        let Some((keyword, words)) = words.split_first() else {
            return SniCondition(vec![vec![SniTerm::plain(SniTest::Always)]]);
        };
        let condition = self.alternatives(words);
        if keyword.text == "unless" {
            let unmet = SniTest::Unmet(Box::new(condition));
            return SniCondition(vec![vec![SniTerm::plain(unmet)]]);
        }
        condition
    }

    fn alternatives(&self, words: &[HaproxyWord]) -> SniCondition {
        let mut alternatives = vec![Vec::new()];
        let mut is_negated = false;
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            let text = word.text.trim_start_matches('!');
            let negations = word.text.len() - text.len();
            is_negated ^= negations % 2 == 1;
            let test = match text {
                "" => continue,
                "||" | "or" | "OR" => {
                    alternatives.push(Vec::new());
                    continue;
                }
                "{" => {
                    let inside = words.get(at..).unwrap_or_default();
                    let end = inside.iter().position(|word| word.text == "}");
                    let end = end.unwrap_or(inside.len());
                    at += end + 1;
                    parse_test(&inside[..end])
                }
                "TRUE" => SniTest::Always,
                "FALSE" => SniTest::Never,
                name => {
                    let tests = self.acls.get(name);
                    tests.map_or(SniTest::Unknown, |tests| SniTest::AnyOf(tests.clone()))
                }
            };
            if let Some(terms) = alternatives.last_mut() {
                terms.push(SniTerm { is_negated, test });
            }
            is_negated = false;
        }
        SniCondition(alternatives)
    }
}

/// Parses the test of an ACL: `req.ssl_sni -m end -i .example .test`.
fn parse_test(words: &[HaproxyWord]) -> SniTest {
    let Some((criterion, words)) = words.split_first() else {
        return SniTest::Unknown;
    };
    let mut parts = criterion.text.split(',');
    let sample = parts.next().unwrap_or_default();
    let converters: Vec<&str> = parts.collect();
    match sample {
        "req.ssl_sni" | "req_ssl_sni" if converters.iter().all(|name| *name == "lower") => {}
        // The name is asked for of TLS clients only.
        "req.ssl_hello_type" | "req_ssl_hello_type" if text_at(words, 0) == "1" => {
            return SniTest::Always;
        }
        "always_true" => return SniTest::Always,
        "always_false" => return SniTest::Never,
        _ => return SniTest::Unknown,
    }
    let case = if converters.contains(&"lower") {
        NameCase::Ignored
    } else {
        NameCase::Significant
    };
    parse_patterns(words, case).unwrap_or(SniTest::Unknown)
}

/// Whether upper and lower case differ in a comparison.
#[derive(Clone, Copy, Eq, PartialEq)]
enum NameCase {
    Ignored,
    Significant,
}

/// Parses the flags and patterns after the criterion; `None` for flags that certctl does not know.
fn parse_patterns(words: &[HaproxyWord], mut case: NameCase) -> Option<SniTest> {
    let mut kind = SniMatch::Equal;
    let mut words = words.iter();
    let mut patterns = Vec::new();
    while let Some(word) = words.next() {
        match word.text.as_str() {
            "-i" => case = NameCase::Ignored,
            "-m" => match words.next()?.text.as_str() {
                "found" => return Some(SniTest::Found),
                method => kind = parse_method(method)?,
            },
            "--" => patterns.extend(words.by_ref()),
            option if option.starts_with('-') => return None,
            _ => patterns.push(word),
        }
    }
    if patterns.iter().any(|word| word.unresolved) {
        return None;
    }
    let tests = patterns.into_iter().map(|word| SniTest::Match {
        kind,
        pattern: word.text.clone(),
        ignores_case: case == NameCase::Ignored,
    });
    Some(SniTest::AnyOf(tests.collect()))
}

fn parse_method(method: &str) -> Option<SniMatch> {
    match method {
        "str" => Some(SniMatch::Equal),
        "beg" => Some(SniMatch::Start),
        "end" => Some(SniMatch::End),
        "sub" => Some(SniMatch::Contained),
        "dom" => Some(SniMatch::Domain),
        _ => None,
    }
}

/// Parses `server NAME ADDRESS OPTIONS...`; `None` for a server that takes no connections.
fn parse_server(arguments: &[HaproxyWord]) -> Option<PassTarget> {
    let options = arguments.get(2..).unwrap_or_default();
    let has = |option: &str| options.iter().any(|word| word.text == option);
    if has("disabled") || has("backup") {
        return None;
    }
    if has("ssl") {
        return Some(unknown("the connection is encrypted again for the server"));
    }
    match address::parse(arguments.get(1)?).as_slice() {
        [listen] => Some(PassTarget::Listen(listen.interface.clone(), listen.port)),
        _ => Some(unknown("certctl cannot resolve the address of the server")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::ProxySections;
    use crate::webserver::haproxy::bind::BindLine;
    use crate::webserver::haproxy::lex::{HaproxyEnvironment, words};
    use crate::webserver::model::ConfigPosition;
    use crate::webserver::model::pass_through::PassTarget;

    /// The targets of these names at the first address; `-` stands for no name.
    fn targets(text: &str, names: &[&str]) -> Vec<String> {
        let mut sections = ProxySections::default();
        for line in text.split("; ") {
            let words = words(line, &HaproxyEnvironment::default()).unwrap();
            let (keyword, arguments) = words.split_first().unwrap();
            match keyword.text.as_str() {
                "defaults" | "frontend" | "listen" | "backend" => {
                    let position = ConfigPosition {
                        file: Path::new("/haproxy.cfg"),
                        line: 1,
                    };
                    sections.open(position, &keyword.text, arguments);
                }
                "bind" => sections.add_listens(&BindLine::parse(arguments).listens),
                other => sections.read(other, arguments),
            }
        }
        let passes = sections.pass_through();
        let Some(pass) = passes.first() else {
            return Vec::new();
        };
        let targets = names.iter().map(|name| {
            let name = Some(*name).filter(|name| *name != "-");
            match pass.target(name) {
                PassTarget::Listen(_, port) => port.to_string(),
                _ => "?".to_owned(),
            }
        });
        targets.collect()
    }

    #[test]
    fn connections_are_passed_on_by_the_name_in_the_handshake() {
        let backends = "; backend a; server s 127.0.0.1:1; backend b; server s 127.0.0.1:2; \
             backend two; server s 127.0.0.1:1; server t 127.0.0.1:2";
        let front = "defaults; mode tcp; frontend f; bind :443; tcp-request inspect-delay 5s; \
             tcp-request content accept if { req.ssl_hello_type 1 }; ";
        for (rules, expected) in [
            (
                "use_backend a if { req.ssl_sni -i A.x }; default_backend b",
                "1 2 2",
            ),
            (
                "use_backend a if { req_ssl_sni A.x }; default_backend b",
                "2 2 2",
            ),
            (
                "use_backend a unless { req.ssl_sni -m end .x }; default_backend b",
                "2 1 1",
            ),
            (
                "acl is_a req.ssl_sni a.x; acl is_a req.ssl_sni -m beg b; use_backend a if is_a; default_backend b",
                "1 1 2",
            ),
            (
                "acl is_a req.ssl_sni a.x; use_backend a if !is_a; default_backend b",
                "2 1 1",
            ),
            (
                "use_backend a if { req.ssl_sni a.x } || { req.ssl_sni b.y }; default_backend b",
                "1 1 2",
            ),
            (
                "use_backend a if { req.ssl_sni -m sub . } { req.ssl_sni b.y }; default_backend b",
                "2 1 2",
            ),
            (
                "use_backend a if { src 10.0.0.1 }; default_backend b",
                "? ? ?",
            ),
            (
                "use_backend two if { req.ssl_sni a.x }; default_backend b",
                "? 2 2",
            ),
            ("use_backend %[req.ssl_sni]; default_backend b", "? ? ?"),
            ("tcp-request content reject; default_backend b", "2 2 2"),
            (
                "use_backend a if { req.ssl_sni -m found }; default_backend b",
                "1 1 2",
            ),
        ] {
            let shown = targets(&format!("{front}{rules}{backends}"), &["a.x", "b.y", "-"]);
            assert_eq!(shown.join(" "), expected, "{rules}");
        }
    }

    #[test]
    fn only_tcp_sections_pass_connections_on() {
        for (text, expected) in [
            ("listen l; bind :443; server s 127.0.0.1:9", "9"),
            ("listen l; mode http; bind :443; server s 127.0.0.1:9", ""),
            (
                "defaults d; mode http; defaults; mode tcp; listen l from d; bind :443; server s 127.0.0.1:9",
                "",
            ),
            ("listen l; bind :443 ssl; server s 127.0.0.1:9", ""),
            ("listen l; disabled; bind :443; server s 127.0.0.1:9", ""),
            (
                "listen l; bind :443; server s 127.0.0.1:9; server t 127.0.0.1:8 backup",
                "9",
            ),
            ("listen l; bind :443; server s 127.0.0.1:9 ssl", "?"),
            (
                "frontend f; bind :443; use_backend b if { req.ssl_sni a.x }; default_backend b; backend b; server s :9",
                "?",
            ),
        ] {
            assert_eq!(targets(text, &["a.x"]).join(" "), expected, "{text}");
        }
    }
}
