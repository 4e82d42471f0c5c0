//! docs/reference/servers.md: the options that `install --server NAME` stands for.

use super::table::table_row;
use crate::export::{DescribedService, ExportTarget, OWNED_KEY_MODE};

const INTRODUCTION: &str = "\
# Servers by name

certctl reads the configurations of nginx, Apache and HAProxy. For the servers of this page, `certctl install --server NAME`
stands for the options below; `certctl bundle --for NAME` prints the lines for their configuration. Options of the command
line and options that an earlier installation has saved take precedence. The options are saved with the certificate. With
`--root`, only the key's path and owner apply: the services of this machine are not those of the tree. This page is generated from the table that certctl uses.

";

/// Returns the page.
pub(super) fn page() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str(&table_row(&[
        "`--server`",
        "key",
        "`--test`",
        "`--reload`",
        "`--probe`",
        "why (source)",
    ]));
    text.push_str("|---|---|---|---|---|---|\n");
    for service in ExportTarget::services() {
        text.push_str(&service_row(&service));
    }
    text
}

fn service_row(service: &DescribedService) -> String {
    let profile = service.profile;
    let key = match (profile.key_path("NAME"), profile.owner) {
        (Some(path), Some(owner)) => format!("`{path}`, `{owner}`, {OWNED_KEY_MODE}"),
        _ => "at the usual path; read by root".to_owned(),
    };
    let probes: Vec<String> = profile.probes.iter().map(|probe| code(probe)).collect();
    table_row(&[
        &format!("`{}` ({})", service.keyword, service.title),
        &key,
        &profile.test.map_or_else(String::new, code),
        &code(profile.reload),
        &probes.join(", "),
        &format!("{} ({})", service.why, service.source),
    ])
}

fn code(text: &str) -> String {
    format!("`{text}`")
}
