//! What the tables of these modules stand on.

use std::path::Path;

use super::block::Config;
use super::lex::ParseError;
use super::parse::parse;
use crate::install::site::ConfigText;
use crate::pki::name::DnsName;

/// The configuration whose `/etc/nginx/nginx.conf` is `text`.
pub(in crate::install) fn config(text: &str) -> Config {
    let main = ConfigText { path: "/etc/nginx/nginx.conf".into(), text: text.into() };
    let directives = parse(&main, &mut |_: &Path| Ok::<_, ParseError>(Vec::new())).unwrap();
    Config::new(&directives, &main.path, Path::new("/usr/share/nginx"))
}

pub(in crate::install) fn names(names: &[&str]) -> Vec<DnsName> {
    names.iter().map(|name| DnsName::parse(name).unwrap()).collect()
}
