//! Advice for formats that cannot be given.

use crate::export::ExportError;
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match &error {
            ExportError::Differs(_) => Self::from_error(FailureKind::Io, &error)
                .because(
                    "the disk lost data, or this is a fault of certctl's; nothing was replaced",
                )
                .with_step(NextStep::say("look for disk errors:  sudo dmesg | tail")),
            ExportError::NoChain { .. } => Self::from_error(FailureKind::Usage, &error)
                .with_step(NextStep::say("leave it away:  --format cert")),
            ExportError::NoKey { .. } => Self::from_error(FailureKind::NotFound, &error).with_step(
                NextStep::say("name the key that was made with the request:  --key FILE"),
            ),
            ExportError::NoPassword(_) => Self::from_error(FailureKind::Usage, &error)
                .because(
                    "passwords are asked for on a terminal, and stdin is none; \
                    --password-file opens what was passed, and locks nothing",
                )
                .with_step(NextStep::say(
                    "put it into a file of mode 0600:  --pfx-password-file FILE",
                )),
            ExportError::Password => Self::from_error(FailureKind::Malformed, &error).with_step(NextStep::say(
                "choose another password, or write another into the file of  --pfx-password-file",
            )),
            ExportError::Unpackable { .. } => {
                Self::from_error(FailureKind::Malformed, &error).with_step(NextStep::say(
                    "take another format:  --format \
                    pem",
                ))
            }
        }
    }
}
