//! What the tables of these modules stand on.

use std::path::Path;

use super::block::ApacheConfig;
use super::lines::ApacheParseError;
use super::read::{ApacheEnvironment, read};
use crate::webserver::model::ConfigFile;

/// The configuration whose `/etc/apache2/apache2.conf` is `text`.
pub(crate) fn config(text: &str) -> ApacheConfig {
    let main = ConfigFile {
        path: "/etc/apache2/apache2.conf".into(),
        text: text.into(),
    };
    let surroundings = ApacheEnvironment {
        server_root: "/etc/apache2".into(),
        ..ApacheEnvironment::default()
    };
    let read = read(&main, surroundings, &mut |_: &Path| {
        Ok::<_, ApacheParseError>(Vec::new())
    })
    .unwrap();
    ApacheConfig::new(read, &main.path, (true, true))
}
