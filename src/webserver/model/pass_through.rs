//! Addresses at which a server does not decrypt TLS: it passes the connection on to another address
//! by the name in the handshake (HAProxy: TCP frontends with `req.ssl_sni`; nginx: stream servers with
//! `ssl_preread`).

use super::listen::{ListenAddress, ListenInterface};
use super::name_pattern::NamePattern;

/// The addresses and rules of one TCP frontend.
#[derive(Clone, Debug)]
pub(crate) struct PassThrough {
    pub listens: Vec<ListenAddress>,
    /// The first rule whose condition holds decides.
    pub rules: Vec<PassRule>,
    /// Where connections go for which no rule holds.
    pub default: PassTarget,
}

#[derive(Clone, Debug)]
pub(crate) struct PassRule {
    pub condition: SniCondition,
    pub target: PassTarget,
}

/// Where a connection is passed on to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum PassTarget {
    /// A socket, of this server or of another program.
    Listen(ListenInterface, u16),
    /// The server closes the connection.
    Closed,
    /// What only the server knows: the reason.
    Unknown(String),
}

/// Alternatives, each of which is a list of terms that must all hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct SniCondition(pub(crate) Vec<Vec<SniTerm>>);

/// One term of a condition.
#[derive(Clone, Debug)]
pub(crate) struct SniTerm {
    pub is_negated: bool,
    pub test: SniTest,
}

/// A test of the name in the handshake.
#[derive(Clone, Debug)]
pub(crate) enum SniTest {
    /// Holds if one of them does.
    AnyOf(Vec<Self>),
    /// Holds if the condition does not.
    Unmet(Box<SniCondition>),
    Always,
    Never,
    /// Holds if there is a name.
    Found,
    /// Holds for names that the expression matches.
    Pattern(NamePattern),
    Match {
        kind: SniMatch,
        pattern: String,
        ignores_case: bool,
    },
    /// Something else than the name.
    Unknown,
}

/// How a pattern is compared with the name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SniMatch {
    Equal,
    Start,
    End,
    Contained,
    /// One of the parts between dots (`-m dom`): the pattern is surrounded by dots or the ends.
    Domain,
}

impl PassThrough {
    /// Whether one of its rules, not the default, decides for `host`.
    pub(crate) fn has_rule_for(&self, host: &str) -> bool {
        let mut rules = self.rules.iter();
        rules.any(|rule| rule.condition.holds(Some(host)) == Some(true))
    }

    /// Where a connection goes whose handshake has this name.
    pub(crate) fn target(&self, name: Option<&str>) -> &PassTarget {
        static UNKNOWN: std::sync::LazyLock<PassTarget> = std::sync::LazyLock::new(|| {
            PassTarget::Unknown("a condition decides that certctl cannot evaluate".to_owned())
        });
        for rule in &self.rules {
            match rule.condition.holds(name) {
                Some(true) => return &rule.target,
                Some(false) => {}
                None => return &UNKNOWN,
            }
        }
        &self.default
    }
}

impl SniCondition {
    /// Returns whether it holds; `None` where only the server can decide.
    pub(crate) fn holds(&self, name: Option<&str>) -> Option<bool> {
        any(self.0.iter().map(|terms| {
            let unmet = any(terms.iter().map(|term| term.holds(name).map(|met| !met)));
            unmet.map(|unmet| !unmet)
        }))
    }
}

impl SniTerm {
    /// A term that is not negated.
    pub(crate) fn plain(test: SniTest) -> Self {
        Self {
            is_negated: false,
            test,
        }
    }

    fn holds(&self, name: Option<&str>) -> Option<bool> {
        self.test.holds(name).map(|met| met != self.is_negated)
    }
}

impl SniTest {
    fn holds(&self, name: Option<&str>) -> Option<bool> {
        match self {
            Self::Always => Some(true),
            Self::Never => Some(false),
            Self::Unknown => None,
            Self::Found => Some(name.is_some()),
            Self::Pattern(pattern) => match name {
                Some(name) => pattern.matches(name),
                None => Some(false),
            },
            Self::Unmet(condition) => condition.holds(name).map(|met| !met),
            Self::AnyOf(tests) => any(tests.iter().map(|test| test.holds(name))),
            Self::Match {
                kind,
                pattern,
                ignores_case,
            } => {
                let Some(name) = name else {
                    return Some(false);
                };
                let mut name = name.to_owned();
                let mut pattern = pattern.clone();
                if *ignores_case {
                    name.make_ascii_lowercase();
                    pattern.make_ascii_lowercase();
                }
                Some(kind.matches(&name, &pattern))
            }
        }
    }
}

impl SniMatch {
    fn matches(self, name: &str, pattern: &str) -> bool {
        match self {
            Self::Equal => name == pattern,
            Self::Start => name.starts_with(pattern),
            Self::End => name.ends_with(pattern),
            Self::Contained => name.contains(pattern),
            Self::Domain => format!(".{name}.").contains(&format!(".{pattern}.")),
        }
    }
}

/// Returns whether any result is true; `None` if that depends on an unknown one.
fn any(results: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut is_known = true;
    for result in results {
        match result {
            Some(true) => return Some(true),
            Some(false) => {}
            None => is_known = false,
        }
    }
    is_known.then_some(false)
}
