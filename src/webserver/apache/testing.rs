//! Configurations for the unit tests of this dialect.

use std::path::Path;

use super::block::ApacheConfig;
use super::lines::ApacheParseError;
use super::listen::SocketSupport;
use super::read::{ApacheEnvironment, ApacheFiles, read};
use crate::webserver::model::ConfigFile;

/// A machine with IPv6, and an Apache whose IPv6 sockets accept IPv4 connections.
pub(crate) const DUAL_STACK: SocketSupport = SocketSupport {
    ipv4_mapped: true,
    ipv6: true,
};

/// The configuration whose `/etc/apache2/apache2.conf` is `text`.
pub(crate) fn config(text: &str) -> ApacheConfig {
    let main = ConfigFile {
        path: "/etc/apache2/apache2.conf".into(),
        text: text.into(),
    };
    let environment = ApacheEnvironment {
        server_root: "/etc/apache2".into(),
        ..ApacheEnvironment::default()
    };
    let files = ApacheFiles {
        find: &mut |_: &Path| Ok::<_, ApacheParseError>(Vec::new()),
        exists: &|_: &Path| false,
    };
    let read = read(&main, environment, files).unwrap();
    ApacheConfig::new(read, &main.path, DUAL_STACK)
}
