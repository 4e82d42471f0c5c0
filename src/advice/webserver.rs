//! Advice for servers whose configuration cannot be read.

use super::servers;
use crate::failure::{Failure, FailureKind};
use crate::finding::{NextStep, shell_word};
use crate::webserver::control::ServerError;
use crate::webserver::model::ServerSoftware;

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::File(error) => error.into(),
            ServerError::Process(error) => error.into(),
            ServerError::Config(_) => Self::from_error(FailureKind::Malformed, &error)
                .with_step(test_configuration("nginx", "sudo nginx -t")),
            ServerError::ApacheConfig(_) => Self::from_error(FailureKind::Malformed, &error)
                .with_step(test_configuration("Apache", "sudo apachectl configtest")),
            ServerError::NoProc => {
                Self::from_error(FailureKind::Io, &error).with_step(NextStep::run_shell(
                    "Mount it, then repeat the command",
                    "sudo mount -t proc proc /proc",
                ))
            }
            // Root sees all processes. How /proc is mounted is the administrator's decision.
            ServerError::ProcessesHidden => {
                Self::from_error(FailureKind::Io, &error).with_step(servers::run_as_root())
            }
            ServerError::UnexpectedProgram { ref binary, .. } => {
                let binary = shell_word(&binary.display().to_string());
                let step =
                    NextStep::run_shell("Find out what this program is", format!("{binary} -V"));
                Self::from_error(FailureKind::Malformed, &error).with_step(step)
            }
            ServerError::TooManyFiles(software) => Self::from_error(FailureKind::Hostile, &error)
                .with_step(NextStep::run_shell(
                    "Look for a file that includes itself",
                    format!("grep -rnsi include {}", config_folders(software)),
                )),
        }
    }
}

/// The server's own test reports more about an error in its configuration than certctl does.
fn test_configuration(server: &str, command: &str) -> NextStep {
    let sentence = format!("Let {server} report the error in its configuration");
    NextStep::run_shell(sentence, command)
}

/// The folders of the configuration, where Debian and Red Hat have them.
fn config_folders(software: ServerSoftware) -> &'static str {
    match software {
        ServerSoftware::Apache => "/etc/apache2 /etc/httpd",
        ServerSoftware::Haproxy => "/etc/haproxy",
        ServerSoftware::Nginx => "/etc/nginx",
    }
}
