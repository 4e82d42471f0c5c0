//! What `csr` ends with.

use serde_json::Value;

use super::made::Made;
use super::refused::Refused;
use crate::report::{Outcome, Text};

/// What `csr` ends with.
#[derive(Debug)]
pub enum CsrOutcome {
    /// Key and request are there.
    Made(Box<Made>),
    /// A CA would not take it: nothing was written.
    Refused(Refused),
}

impl CsrOutcome {
    fn either(&self) -> &dyn Outcome {
        match self {
            Self::Made(made) => made.as_ref(),
            Self::Refused(refused) => refused,
        }
    }
}

impl Outcome for CsrOutcome {
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
