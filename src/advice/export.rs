//! Advice for formats that a certificate cannot be exported in.

use crate::export::ExportError;
use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match &error {
            ExportError::Differs(_) => Self::from_error(FailureKind::Io, &error)
                .because("the disk lost data, or certctl has a bug; no file was replaced")
                .with_step(NextStep::run_shell(
                    "Look for disk errors",
                    "sudo dmesg | tail",
                )),
            ExportError::NoChain { .. } => Self::from_error(FailureKind::Usage, &error).with_step(
                NextStep::say("Request the certificate alone with `--format cert`"),
            ),
            ExportError::NoKey { .. } => {
                Self::from_error(FailureKind::NotFound, &error).with_step(NextStep::say(
                    "Pass the key that was created with the request, for example \
                    `--key example.com.key`",
                ))
            }
            ExportError::NoPassword(_) => Self::from_error(FailureKind::Usage, &error)
                .because(
                    "certctl prompts for passwords only on a terminal; `--password-file` is for \
                    opening files, not for protecting the new one",
                )
                .with_step(NextStep::say(
                    "Put the password into a file with mode 0600 and pass it: \
                    `--pfx-password-file password.txt`",
                )),
            ExportError::Password => {
                Self::from_error(FailureKind::Malformed, &error).with_step(NextStep::say(
                    "Choose another password, or change the one in the `--pfx-password-file`",
                ))
            }
            ExportError::Unpackable { .. } => Self::from_error(FailureKind::Malformed, &error)
                .with_step(NextStep::say("Use another format, such as `--format pem`")),
        }
    }
}
