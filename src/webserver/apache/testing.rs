//! What the tables of these modules stand on.

use std::path::Path;

use super::block::Config;
use super::lines::ParseError;
use super::read::{Surroundings, read};
use crate::webserver::model::ConfigText;

/// The configuration whose `/etc/apache2/apache2.conf` is `text`.
pub(crate) fn config(text: &str) -> Config {
    let main = ConfigText {
        path: "/etc/apache2/apache2.conf".into(),
        text: text.into(),
    };
    let surroundings = Surroundings {
        server_root: "/etc/apache2".into(),
        ..Surroundings::default()
    };
    let read = read(&main, surroundings, &mut |_: &Path| {
        Ok::<_, ParseError>(Vec::new())
    })
    .unwrap();
    Config::new(read, &main.path, (true, true))
}
