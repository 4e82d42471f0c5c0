//! The names of a block, and how well they fit a host.

use super::glob;
use crate::pki::name::DnsName;

/// One name of a block, lower case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServerName {
    Exact(String),
    /// `*.example.com`, without the `*`: all names below.
    Below(String),
    /// `.example.com`, with the dot: the name and all names below.
    WithBelow(String),
    /// `www.example.*`, without the `*`.
    Trailing(String),
    /// A pattern of `*` and `?`, which stand for anything, dots too.
    Glob(String),
    /// A regular expression, which is not evaluated here.
    Regex(String),
    /// `*.example.com`, without the `*`: the names one label below (HAProxy).
    Label(String),
    /// Not this name, whatever the others say (HAProxy: `!name`).
    Except(String),
    /// No host name (nginx: `_`, the empty name, `$hostname`).
    Nothing(String),
}

impl ServerName {
    /// How well it fits `host`, `None` when it does not or cannot be told: an exact name wins over
    /// the longest leading wildcard, that over the longest trailing one.
    pub(crate) fn rank(&self, host: &str) -> Option<(u8, usize)> {
        let below = |base: &str| host.len() > base.len() && host.ends_with(base);
        match self {
            Self::Exact(name) => (name == host).then_some((3, 0)),
            // `.example.com` is the exact name too.
            Self::WithBelow(base) if host == &base[1..] => Some((3, 0)),
            Self::Below(base) | Self::WithBelow(base) => below(base).then_some((2, base.len())),
            Self::Trailing(base) => {
                (host.len() > base.len() && host.starts_with(base)).then_some((1, base.len()))
            }
            Self::Glob(pattern) => glob::matches(pattern, host).then_some((0, 0)),
            Self::Label(base) => {
                let label = host
                    .strip_suffix(base.as_str())
                    .filter(|label| !label.is_empty() && !label.contains('.'));
                label.map(|_| (2, base.len()))
            }
            Self::Except(_) | Self::Regex(_) | Self::Nothing(_) => None,
        }
    }

    /// A host name to ask for that this word is for; none for what is no name.
    pub(crate) fn concrete(&self) -> Option<String> {
        match self {
            Self::Exact(name) => Some(name.clone()),
            Self::Below(base) | Self::Label(base) => Some(format!("{LABEL}{base}")),
            Self::WithBelow(base) => Some(base[1..].to_owned()),
            Self::Except(_)
            | Self::Trailing(_)
            | Self::Glob(_)
            | Self::Regex(_)
            | Self::Nothing(_) => None,
        }
    }

    /// The names, as a certificate spells them, that all it serves would need; `None` when that
    /// cannot be told.
    pub(crate) fn needs(&self) -> Option<Vec<String>> {
        match self {
            Self::Exact(name) => Some(vec![name.clone()]),
            Self::Below(base) | Self::Label(base) => Some(vec![format!("*{base}")]),
            Self::WithBelow(base) => Some(vec![base[1..].to_owned(), format!("*{base}")]),
            Self::Except(_) | Self::Nothing(_) => Some(Vec::new()),
            Self::Trailing(_) | Self::Glob(_) | Self::Regex(_) => None,
        }
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Exact(text)
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

/// Stands for `*` when a name below a wildcard is asked for.
const LABEL: &str = "certctl-probe";

/// A host name to ask for that a certificate's name is for.
#[must_use]
pub(crate) fn concrete(name: &DnsName) -> String {
    if name.is_wildcard() {
        format!("{LABEL}.{}", name.base())
    } else {
        name.as_str().to_owned()
    }
}
