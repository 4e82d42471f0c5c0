//! What `dcv-check` ends with, whatever the method.

use serde_json::Value;

use super::method::MethodOutcome;
use super::outcome::DcvCheckOutcome;
use crate::report::{Outcome, Text};

/// What `dcv-check` ends with.
#[derive(Debug)]
pub enum Proved {
    /// A record in the DNS was looked for.
    Record(DcvCheckOutcome),
    /// A file or a mailbox was.
    Otherwise(MethodOutcome),
}

impl Proved {
    fn either(&self) -> &dyn Outcome {
        match self {
            Self::Record(outcome) => outcome,
            Self::Otherwise(outcome) => outcome,
        }
    }
}

impl Outcome for Proved {
    fn json(&self) -> Value {
        self.either().json()
    }

    fn human(&self, text: &mut Text) {
        self.either().human(text);
    }

    fn exit_code(&self) -> u8 {
        self.either().exit_code()
    }
}
