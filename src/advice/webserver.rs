//! Advice for servers whose configuration cannot be read.

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
                .with_step(NextStep::say("let nginx say it:  sudo nginx -t")),
            ServerError::ApacheConfig(_) => Self::from_error(FailureKind::Malformed, &error)
                .with_step(NextStep::say(
                    "let Apache say it:  sudo apachectl configtest",
                )),
            ServerError::UnexpectedProgram { ref binary, .. } => {
                let binary = shell_word(&binary.display().to_string());
                Self::from_error(FailureKind::Malformed, &error)
                    .with_step(NextStep::say(format!("what is it?  {binary} -V")))
            }
            ServerError::TooManyFiles(software) => {
                let folder = match software {
                    ServerSoftware::Apache => "/etc/apache2 /etc/httpd",
                    ServerSoftware::Haproxy => "/etc/haproxy",
                    ServerSoftware::Nginx => "/etc/nginx",
                };
                Self::from_error(FailureKind::Hostile, &error).with_step(NextStep::say(format!(
                    "look for an include that includes itself:  grep -rn include {folder}"
                )))
            }
        }
    }
}
