//! Servers whose own test cannot run here: other users, and a service without root's privileges, may
//! not open what the test opens (keys, logs, the pid file).

use crate::advice::servers;
use crate::finding::{Finding, Severity};
use crate::install::servers::observed_server::ObservedServer;
use crate::system::privileges;
use crate::system::process::FinishedCommand;
use crate::webserver::control::service;
use crate::webserver::model::ServerSoftware;

/// What servers print with the errors EACCES, EPERM and EROFS; HAProxy does not say why it cannot
/// open a file.
const DENIALS: [&str; 4] = [
    "cannot open the file",
    "Permission denied",
    "Operation not permitted",
    "Read-only file system",
];

/// Returns the line of a failed test that shows why it says nothing about the configuration: it was
/// denied something that root may do. What fails in a service without root's privileges is not
/// evidence either, as such a unit also has its own view of the file system (`PrivateTmp`,
/// `ProtectHome`).
pub(super) fn denied_line(finished: &FinishedCommand) -> Option<&str> {
    if privileges::overrides_permissions() {
        return None;
    }
    let mut lines = finished.output.lines();
    let denied = lines.find(|line| DENIALS.iter().any(|denial| line.contains(denial)));
    denied.or_else(|| {
        let mut printed = finished.output.lines().filter(|line| !line.is_empty());
        printed.next().filter(|_| service::runs_in_service())
    })
}

/// Reports a test that cannot run here. It is an error for a run that would reload the server.
pub(super) fn report_untested(
    observed: &ObservedServer,
    denied: &str,
    severity: Severity,
) -> Finding {
    let title = observed
        .software()
        .map_or("the server", ServerSoftware::title);
    let message = format!(
        "{title}'s configuration was not tested: its test opens files that this process cannot open"
    );
    let finding = match severity {
        Severity::Error => Finding::error("server-not-tested", message),
        Severity::Warning => Finding::warning("server-not-tested", message),
        Severity::Note => Finding::note("server-not-tested", message),
    };
    // In a note the output of the test says nothing more.
    let quote = (severity > Severity::Note).then(|| denied.to_owned());
    finding.with_quote(quote).with_step(servers::test_as_root())
}
