//! Advice for formats that cannot be given.

use crate::export::ExportError;
use crate::failure::{Failure, Kind};
use crate::finding::Next;

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match &error {
            ExportError::Differs(_) => Self::of(Kind::Io, &error)
                .because(
                    "the disk lost data, or this is a fault of certctl's; nothing was replaced",
                )
                .with(Next::say("look for disk errors:  sudo dmesg | tail")),
            ExportError::NoChain { .. } => {
                Self::of(Kind::Usage, &error).with(Next::say("leave it away:  --format cert"))
            }
            ExportError::NoKey { .. } => Self::of(Kind::NotFound, &error).with(Next::say(
                "name the key that was made with the request:  --key FILE",
            )),
            ExportError::NoPassword(_) => Self::of(Kind::Usage, &error)
                .because(
                    "passwords are asked for on a terminal, and stdin is none; \
                    --password-file opens what was passed, and locks nothing",
                )
                .with(Next::say(
                    "put it into a file of mode 0600:  --pfx-password-file FILE",
                )),
            ExportError::Password => Self::of(Kind::Malformed, &error).with(Next::say(
                "choose another password, or write another into the file of  --pfx-password-file",
            )),
            ExportError::Unpackable { .. } => Self::of(Kind::Malformed, &error).with(Next::say(
                "take another format:  --format \
                    pem",
            )),
        }
    }
}
