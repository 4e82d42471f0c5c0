//! Doubts of certctl about a server that the server itself does not have. Each refuses an install
//! until `--allow` names it, because certctl may be right.

use crate::advice::doubts as advice;
use crate::finding::Finding;
use crate::webserver::control::{ControlledServer, ServerError};
use crate::wording::with_causes;

/// The code of certificates that may make Apache exit at a reload.
pub(crate) const RELOAD_RISK: &str = "apache-reload-risk";
/// The code of a configuration that the server accepts and certctl cannot parse.
const NOT_UNDERSTOOD: &str = "config-not-understood";

/// Lets the server be reloaded although certctl expects that it would exit, if that is allowed;
/// returns the reasons as warnings.
pub(super) fn ignore_allowed_gate(
    server: ControlledServer,
    allowed: &[&'static str],
) -> (ControlledServer, Vec<Finding>) {
    if !allowed.contains(&RELOAD_RISK) {
        return (server, Vec::new());
    }
    let (server, faults) = server.without_reload_gate();
    let findings = faults.map(|faults| {
        let lines: Vec<String> = faults.output.lines().map(str::to_owned).collect();
        report_gate(lines).into_allowed()
    });
    (server, findings.into_iter().collect())
}

/// Reports that certctl does not reload Apache, because a certificate of its configuration would
/// stop it.
pub(super) fn report_gate(lines: Vec<String>) -> Finding {
    let message = "a reload may stop Apache: certctl cannot use a certificate or key of its \
                   configuration (see below), and Apache's configtest does not check keys";
    advice::allow_reload().into_iter().fold(
        Finding::error(RELOAD_RISK, message).with_quote(lines),
        Finding::with_step,
    )
}

/// Reports that the configuration of a server cannot be read. If its own test succeeds, that is
/// certctl's fault, and nothing is to be repaired.
pub(super) fn report_unreadable(server: &ControlledServer, error: &ServerError) -> Finding {
    let is_parse_error = matches!(error, ServerError::Config(_) | ServerError::ApacheConfig(_));
    let is_accepted = || {
        let tested = server.test();
        matches!(tested, Ok(Some(finished)) if finished.succeeded())
    };
    if is_parse_error && is_accepted() {
        let message = format!(
            "the server's own test succeeds, but certctl cannot read its configuration: {}",
            with_causes(error)
        );
        return Finding::error(NOT_UNDERSTOOD, message).with_step(advice::allow_unread_config());
    }
    Finding::from(error)
}
