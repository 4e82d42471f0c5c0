//! What the sections of HAProxy understand of their traffic, and the servers that they pass it on to.

use std::path::PathBuf;

/// The value of `mode`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ProxyMode {
    /// Requests and responses.
    Http,
    /// Bytes, whatever they mean.
    #[default]
    Tcp,
    /// Neither.
    Other,
}

impl ProxyMode {
    pub(super) fn parse(word: &str) -> Self {
        match word {
            "http" => Self::Http,
            "tcp" => Self::Tcp,
            _ => Self::Other,
        }
    }
}

/// A `frontend`, `listen` or `backend` section.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ProxyRoute {
    pub name: String,
    pub file: PathBuf,
    pub line: u32,
    pub mode: ProxyMode,
    /// The addresses of its servers, as the configuration spells them.
    pub servers: Vec<String>,
    /// Whether rules choose among several backends or servers.
    pub has_rules: bool,
}
