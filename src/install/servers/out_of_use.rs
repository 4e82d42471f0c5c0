//! Servers that do not use a certificate that is installed for them.

use super::ServerUse;
use crate::advice::servers;
use crate::finding::{Finding, NextStep};
use crate::install_plan::plan::ServerState;
use crate::webserver::model::ServerSoftware;

impl ServerUse {
    /// Reports a server that is not running or does not reference the certificate `name`; `repair` is
    /// the step that installs it again. The servers were tested before.
    #[must_use]
    pub(crate) fn report_out_of_use(&self, name: &str, repair: &NextStep) -> Option<Finding> {
        let title = self
            .observed
            .software()
            .map_or("the server", ServerSoftware::title);
        match &self.state {
            ServerState::NotNamed => {
                let message =
                    format!("{title}'s configuration does not reference the files of {name}");
                let finding = Finding::error("drift-not-configured", message);
                Some(finding.with_step(servers::show_lines_to_add(repair)))
            }
            ServerState::Stopped(_) => {
                let message = format!("{title} is not running, so it does not serve {name}");
                let finding = Finding::error("server-not-running", message)
                    .with_quote(self.describe_port_owners());
                let program = self.program();
                let start = program.map(|program| servers::start_server(program.start_command()));
                Some(start.into_iter().fold(finding, Finding::with_step))
            }
            ServerState::BrokenUntilInstalled(_)
            | ServerState::Serves(..)
            | ServerState::Nothing => None,
        }
    }
}
