//! Advice on a site that answers with an error.

use crate::finding::NextStep;
use crate::webserver::model::ServerSoftware;

/// Whether the reason of an error is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ErrorReason {
    /// The application behind the server does not listen.
    NothingListens,
    Unknown,
}

/// A site that worked before answers with an error after the reload.
#[must_use]
pub(crate) fn find_reason(software: Option<ServerSoftware>, reason: ErrorReason) -> Vec<NextStep> {
    let mut steps = Vec::new();
    if reason == ErrorReason::NothingListens {
        steps.push(NextStep::say(
            "Start the application behind the server, and look why it ended",
        ));
    }
    let log = match software {
        Some(ServerSoftware::Apache) => "sudo tail -n 20 /var/log/apache2/error.log",
        Some(ServerSoftware::Haproxy) => "sudo tail -n 20 /var/log/haproxy.log",
        Some(ServerSoftware::Nginx) => "sudo tail -n 20 /var/log/nginx/error.log",
        None => return steps,
    };
    steps.push(NextStep::run_shell(
        "Read the last lines of the server's log",
        log,
    ));
    steps
}
