//! Parses configurations in tests of this dialect.

use super::build::HaproxyBuild;
use super::config::{HaproxyConfig, HaproxyFiles};
use super::crt::{CrtCertificate, CrtPathContent};
use super::lex::HaproxyEnvironment;
use crate::webserver::model::ConfigFile;

/// Parses the main file; every certificate in it exists and has no names.
pub(crate) fn config(text: &str) -> HaproxyConfig {
    let files = HaproxyFiles {
        build: HaproxyBuild::default(),
        environment: HaproxyEnvironment::default(),
        folder: None,
        read_crt: &mut |_| CrtPathContent::File(CrtCertificate::default()),
        read_list: &mut |_| None,
    };
    let text = ConfigFile {
        path: "/etc/haproxy/haproxy.cfg".into(),
        text: text.to_owned(),
    };
    HaproxyConfig::read(&[text], files)
}
