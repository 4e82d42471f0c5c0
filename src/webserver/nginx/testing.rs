//! Configurations for the unit tests of this dialect.

use std::path::Path;

use super::block::NginxConfig;
use super::lex::NginxParseError;
use super::parse::parse;
use crate::pki::name::DnsName;
use crate::webserver::model::ConfigFile;

/// The configuration whose `/etc/nginx/nginx.conf` is `text`.
pub(crate) fn config(text: &str) -> NginxConfig {
    let main = ConfigFile {
        path: "/etc/nginx/nginx.conf".into(),
        text: text.into(),
    };
    let directives = parse(&main, &mut |_: &Path| Ok::<_, NginxParseError>(Vec::new())).unwrap();
    NginxConfig::new(&directives, &main.path, Path::new("/usr/share/nginx"))
}

pub(crate) fn names(names: &[&str]) -> Vec<DnsName> {
    names
        .iter()
        .map(|name| DnsName::parse(name).unwrap())
        .collect()
}
