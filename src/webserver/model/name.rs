//! The names of a block, and how well they match a host.

use super::glob;
use crate::pki::name::DnsName;

/// One name of a block, lower case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServerName {
    Exact(String),
    /// `*.example.com`, without the `*`: all names below it.
    Below(String),
    /// `.example.com`, with the dot: the name and all names below it.
    WithBelow(String),
    /// `www.example.*`, without the `*`.
    Trailing(String),
    /// A pattern with `*` and `?`, which match anything, including dots.
    Glob(String),
    /// A regular expression, which certctl does not evaluate.
    Regex(String),
    /// `*.example.com`, without the `*`: the names one label below (HAProxy).
    Label(String),
    /// Excludes this name (HAProxy: `!name`).
    Except(String),
    /// The name of the main server, for a host without a name (Apache): it matches, but the host is
    /// not meant to serve it.
    Inherited(String),
    /// Not a host name (nginx: `_`, the empty name, `$hostname`).
    Nothing(String),
}

impl ServerName {
    /// How well it matches `host`; `None` when it does not match or only the server can decide. An
    /// exact name ranks above the longest leading wildcard, that one above the longest trailing
    /// one.
    pub(crate) fn rank(&self, host: &str) -> Option<(u8, usize)> {
        match self {
            Self::Exact(name) | Self::Inherited(name) => (name == host).then_some((3, 0)),
            // `.example.com` is the exact name too.
            Self::WithBelow(base) if host == &base[1..] => Some((3, 0)),
            Self::Below(base) | Self::WithBelow(base) => {
                (host.len() > base.len() && host.ends_with(base)).then_some((2, base.len()))
            }
            Self::Trailing(base) => {
                (host.len() > base.len() && host.starts_with(base)).then_some((1, base.len()))
            }
            Self::Glob(pattern) => glob::matches(pattern, host).then_some((0, 0)),
            Self::Label(base) => is_one_label_below(host, base).then_some((2, base.len())),
            Self::Except(_) | Self::Regex(_) | Self::Nothing(_) => None,
        }
    }

    /// A host name that it matches; `None` for patterns and words that are not names.
    pub(crate) fn concrete(&self) -> Option<String> {
        match self {
            Self::Exact(name) => Some(name.clone()),
            Self::Below(base) | Self::Label(base) => Some(format!("{LABEL}{base}")),
            Self::WithBelow(base) => Some(base[1..].to_owned()),
            Self::Except(_)
            | Self::Inherited(_)
            | Self::Trailing(_)
            | Self::Glob(_)
            | Self::Regex(_)
            | Self::Nothing(_) => None,
        }
    }

    /// The names that a certificate for everything it matches would need; `None` where only the
    /// server can decide.
    pub(crate) fn required_names(&self) -> Option<Vec<String>> {
        match self {
            Self::Exact(name) => Some(vec![name.clone()]),
            Self::Below(base) | Self::Label(base) => Some(vec![format!("*{base}")]),
            Self::WithBelow(base) => Some(vec![base[1..].to_owned(), format!("*{base}")]),
            Self::Except(_) | Self::Inherited(_) | Self::Nothing(_) => Some(Vec::new()),
            Self::Trailing(_) | Self::Glob(_) | Self::Regex(_) => None,
        }
    }

    /// The name as the configuration spells it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Exact(text)
            | Self::Inherited(text)
            | Self::WithBelow(text)
            | Self::Glob(text)
            | Self::Regex(text)
            | Self::Nothing(text) => text.clone(),
            Self::Below(base) | Self::Label(base) => format!("*{base}"),
            Self::Except(name) => format!("!{name}"),
            Self::Trailing(base) => format!("{base}*"),
        }
    }
}

/// Returns whether `host` is `base`, which begins with a dot, with one label before it.
fn is_one_label_below(host: &str, base: &str) -> bool {
    let label = host.strip_suffix(base).filter(|_| !base.is_empty());
    label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
}

/// Replaces the `*` of a wildcard when a server is probed.
const LABEL: &str = "certctl-probe";

/// The host name to probe for a name of a certificate.
#[must_use]
pub(crate) fn probe_host(name: &DnsName) -> String {
    if name.is_wildcard() {
        format!("{LABEL}.{}", name.base())
    } else {
        name.as_str().to_owned()
    }
}
