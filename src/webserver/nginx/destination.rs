//! Where nginx passes the requests of a block to.

use std::path::Path;

use super::block::NginxConfig;
use super::parse::{NginxDirective, flat};
use crate::webserver::model::{ConfigBlock, UpstreamAddress};

/// The directives that pass requests to an application.
const PASSES: [&str; 5] = [
    "proxy_pass",
    "fastcgi_pass",
    "uwsgi_pass",
    "scgi_pass",
    "grpc_pass",
];

impl NginxConfig {
    /// Returns the folder of the files of the block that begins on this line, if it names one.
    #[must_use]
    pub(crate) fn root_of(&self, file: &Path, line: u32) -> Option<&Path> {
        let is_same = |block: &ConfigBlock| block.file == file && block.line == line;
        let server = self.blocks.iter().find(|server| is_same(&server.block))?;
        let directives = flat(&server.directives);
        let root = directives.into_iter().find(|one| one.name == "root")?;
        root.only().map(Path::new)
    }

    /// Returns the addresses to which a block passes the requests for `/`; none if the configuration
    /// does not show it.
    #[must_use]
    pub(crate) fn upstreams(&self, block: &ConfigBlock) -> Vec<UpstreamAddress> {
        let is_same = |other: &ConfigBlock| other.file == block.file && other.line == block.line;
        let server = self.blocks.iter().find(|server| is_same(&server.block));
        let Some(target) = server.and_then(|server| home_pass(&server.directives)) else {
            return Vec::new();
        };
        let host = target.split_once("://").map_or(target, |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or_default();
        match self.upstream_groups.iter().find(|group| group.name == host) {
            Some(group) => group
                .servers
                .iter()
                .filter_map(|server| UpstreamAddress::parse(&with_port(server)))
                .collect(),
            None => UpstreamAddress::parse(target).into_iter().collect(),
        }
    }
}

/// A server of an `upstream` block without a port has port 80.
fn with_port(server: &str) -> String {
    if server.starts_with("unix:") {
        server.to_owned()
    } else {
        format!("http://{server}")
    }
}

/// The target of `location /`, or of the location that its `try_files` names; without `location /`,
/// that of the first one that passes requests.
fn home_pass(directives: &[NginxDirective]) -> Option<&str> {
    let all = flat(directives);
    let locations = || all.iter().filter(|one| one.name == "location");
    let Some(home) = locations().find(|location| location.only() == Some("/")) else {
        return locations().find_map(|location| passes(location));
    };
    passes(home).or_else(|| {
        let inside = home.inside();
        let fallback = inside.iter().find(|inner| inner.name == "try_files")?;
        let name = fallback.arguments.last()?;
        let named = locations().find(|location| location.only() == Some(name))?;
        passes(named)
    })
}

fn passes(location: &NginxDirective) -> Option<&str> {
    let inside = flat(location.block.as_deref().unwrap_or_default());
    let pass = inside
        .into_iter()
        .find(|inner| PASSES.contains(&inner.name.as_str()))?;
    pass.only()
}

#[cfg(test)]
mod tests {
    use super::super::testing::config;

    #[test]
    fn the_application_of_a_site_is_found() {
        for (server, expected) in [
            (
                "location / { proxy_pass http://127.0.0.1:8000; }",
                &["127.0.0.1:8000"][..],
            ),
            (
                "location /x { proxy_pass http://127.0.0.1:1; } location / { proxy_pass http://app/y; }",
                &["127.0.0.1:8001", "10.0.0.2:80", "unix:/run/a.sock"],
            ),
            (
                "location ~ \\.php$ { fastcgi_pass unix:/run/php.sock; }",
                &["unix:/run/php.sock"],
            ),
            (
                "location / { root /srv; } location /api { proxy_pass http://127.0.0.1:1; }",
                &[],
            ),
            ("location / { proxy_pass http://$up; }", &[]),
            ("root /srv;", &[]),
        ] {
            let config = config(&format!(
                "http {{ upstream app {{ server 127.0.0.1:8001 weight=2; server 10.0.0.2; server unix:/run/a.sock; }}
                 server {{ {server} }} }}"
            ));
            let found = config.upstreams(&config.blocks[0].block);
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{server}");
        }
    }
}
