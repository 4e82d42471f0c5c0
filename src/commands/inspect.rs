//! `certctl inspect`.

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Outcome, Text};

/// Arguments.
#[derive(Debug, Default, clap::Args)]
pub struct InspectArgs {}

/// Outcome.
#[derive(Debug)]
pub struct InspectOutcome {}

/// Runs it.
///
/// # Errors
/// None yet.
pub fn run(_context: &Context, _args: &InspectArgs) -> Result<InspectOutcome, Failure> {
    Ok(InspectOutcome {})
}

impl Outcome for InspectOutcome {
    fn json(&self) -> Value {
        json!({})
    }
    fn human(&self, _text: &mut Text) {}
    fn exit_code(&self) -> u8 {
        0
    }
}
