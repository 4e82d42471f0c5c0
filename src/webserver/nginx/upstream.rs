//! The groups of servers that nginx passes requests to.

use super::parse::NginxDirective;

/// An `upstream` block of the http part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UpstreamGroup {
    /// Its name, which `proxy_pass` uses as a host.
    pub name: String,
    /// Its servers, as the configuration spells them.
    pub servers: Vec<String>,
}

/// Collects the `upstream` blocks among the directives of the http part.
pub(super) fn upstream_groups(http: &NginxDirective) -> Vec<UpstreamGroup> {
    let inside = http.inside();
    let groups = inside.iter().filter(|inner| inner.name == "upstream");
    groups
        .filter_map(|group| {
            Some(UpstreamGroup {
                name: group.only()?.to_owned(),
                servers: servers(group),
            })
        })
        .collect()
}

fn servers(group: &NginxDirective) -> Vec<String> {
    let inside = group.inside();
    let servers = inside.iter().filter(|inner| inner.name == "server");
    servers
        .filter_map(|server| server.arguments.first().cloned())
        .collect()
}
