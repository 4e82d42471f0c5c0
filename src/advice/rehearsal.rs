//! Advice for the rehearsal's folder.

use crate::failure::{Failure, Kind};
use crate::finding::Next;
use crate::system::fs::scratch::ScratchError;

impl From<ScratchError> for Failure {
    fn from(error: ScratchError) -> Self {
        match error {
            ScratchError::Busy(_) => {
                Self::of(Kind::LockHeld, &error).with(Next::say("wait until it has ended"))
            }
            ScratchError::Foreign(_) => {
                Self::of(Kind::Exists, &error).with(Next::run(&["-C", "/tmp", "rehearse"]))
            }
            ScratchError::File(error) => error.into(),
        }
    }
}
