//! `certctl rollback`.

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Outcome, Text};

/// Arguments.
#[derive(Debug, Default, clap::Args)]
pub struct RollbackArgs {}

/// Outcome.
#[derive(Debug)]
pub struct RollbackOutcome {}

/// Runs it.
///
/// # Errors
/// None yet.
pub fn run(_context: &Context, _args: &RollbackArgs) -> Result<RollbackOutcome, Failure> {
    Ok(RollbackOutcome {})
}

impl Outcome for RollbackOutcome {
    fn json(&self) -> Value {
        json!({})
    }
    fn human(&self, _text: &mut Text) {}
    fn exit_code(&self) -> u8 {
        0
    }
}
