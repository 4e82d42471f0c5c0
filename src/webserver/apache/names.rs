//! The names of a virtual host: `ServerName` and `ServerAlias`.

use super::read::{ApacheDirective, first_words};
use crate::webserver::model::ServerName;

/// The last `ServerName`, then all words of `ServerAlias`.
pub(super) fn server_names(directives: &[&ApacheDirective]) -> Vec<ServerName> {
    let name = first_words(directives, "ServerName").last();
    let name = name.and_then(host_of).map(ServerName::Exact);
    let mut names: Vec<ServerName> = name.into_iter().collect();
    for directive in directives {
        if directive.is("ServerAlias") {
            names.extend(directive.arguments.iter().map(|word| alias(word)));
        }
    }
    names
}

/// The host of `[scheme://]host[:port]`, lower case.
pub(super) fn host_of(word: &str) -> Option<String> {
    let host = word.split_once("://").map_or(word, |(_, rest)| rest);
    let host = host
        .split(':')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    (!host.is_empty()).then_some(host)
}

/// Parses a word of `ServerAlias`: `*` and `?` match anything, including dots.
fn alias(word: &str) -> ServerName {
    let word = word.to_ascii_lowercase();
    match word
        .strip_prefix('*')
        .filter(|base| base.starts_with('.') && !base.contains(['*', '?']))
    {
        Some(base) => ServerName::Below(base.to_owned()),
        None if word.contains(['*', '?']) => ServerName::Glob(word),
        None => ServerName::Exact(word),
    }
}
