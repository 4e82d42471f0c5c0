//! Advice for the rehearsal's folder.

use crate::failure::{Failure, FailureKind};
use crate::finding::NextStep;
use crate::system::fs::scratch::ScratchError;

impl From<ScratchError> for Failure {
    fn from(error: ScratchError) -> Self {
        match error {
            ScratchError::Busy(_) => Self::of(FailureKind::LockHeld, &error)
                .with(NextStep::say("wait until it has ended")),
            ScratchError::Foreign(_) => Self::of(FailureKind::Exists, &error)
                .with(NextStep::run(&["-C", "/tmp", "rehearse"])),
            ScratchError::File(error) => error.into(),
        }
    }
}
