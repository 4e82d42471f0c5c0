//! Advice for formats that cannot be given.

use crate::export::ExportError;
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match &error {
            ExportError::Differs(_) => Self::of(FailureKind::Io, &error)
                .because(
                    "the disk lost data, or this is a fault of certctl's; nothing was replaced",
                )
                .with(NextStep::say("look for disk errors:  sudo dmesg | tail")),
            ExportError::NoChain { .. } => Self::of(FailureKind::Usage, &error)
                .with(NextStep::say("leave it away:  --format cert")),
            ExportError::NoKey { .. } => Self::of(FailureKind::NotFound, &error).with(
                NextStep::say("name the key that was made with the request:  --key FILE"),
            ),
            ExportError::NoPassword(_) => Self::of(FailureKind::Usage, &error)
                .because(
                    "passwords are asked for on a terminal, and stdin is none; \
                    --password-file opens what was passed, and locks nothing",
                )
                .with(NextStep::say(
                    "put it into a file of mode 0600:  --pfx-password-file FILE",
                )),
            ExportError::Password => Self::of(FailureKind::Malformed, &error).with(NextStep::say(
                "choose another password, or write another into the file of  --pfx-password-file",
            )),
            ExportError::Unpackable { .. } => {
                Self::of(FailureKind::Malformed, &error).with(NextStep::say(
                    "take another format:  --format \
                    pem",
                ))
            }
        }
    }
}
