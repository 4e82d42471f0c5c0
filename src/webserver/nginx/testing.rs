//! What the tables of these modules stand on.

use std::path::Path;

use super::block::Config;
use super::lex::ParseError;
use super::parse::parse;
use crate::pki::name::DnsName;
use crate::webserver::model::ConfigText;

/// The configuration whose `/etc/nginx/nginx.conf` is `text`.
pub(crate) fn config(text: &str) -> Config {
    let main = ConfigText {
        path: "/etc/nginx/nginx.conf".into(),
        text: text.into(),
    };
    let directives = parse(&main, &mut |_: &Path| Ok::<_, ParseError>(Vec::new())).unwrap();
    Config::new(&directives, &main.path, Path::new("/usr/share/nginx"))
}

pub(crate) fn names(names: &[&str]) -> Vec<DnsName> {
    names
        .iter()
        .map(|name| DnsName::parse(name).unwrap())
        .collect()
}
