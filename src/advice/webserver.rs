//! Advice for servers that cannot be looked at.

use crate::failure::{Failure, Kind};
use crate::finding::{Next, shell_word};
use crate::webserver::control::ServerError;
use crate::webserver::model::Software;

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::File(error) => error.into(),
            ServerError::Process(error) => error.into(),
            ServerError::Config(_) => Self::of(Kind::Malformed, &error)
                .with(Next::say("let nginx say it:  sudo nginx -t")),
            ServerError::ApacheConfig(_) => Self::of(Kind::Malformed, &error)
                .with(Next::say("let Apache say it:  sudo apachectl configtest")),
            ServerError::Stranger { ref binary, .. } => {
                let binary = shell_word(&binary.display().to_string());
                Self::of(Kind::Malformed, &error)
                    .with(Next::say(format!("what is it?  {binary} -V")))
            }
            ServerError::TooManyFiles(software) => {
                let folder = match software {
                    Software::Apache => "/etc/apache2 /etc/httpd",
                    Software::Haproxy => "/etc/haproxy",
                    Software::Nginx => "/etc/nginx",
                };
                Self::of(Kind::Hostile, &error).with(Next::say(format!(
                    "look for an include that includes itself:  grep -rn include {folder}"
                )))
            }
        }
    }
}
