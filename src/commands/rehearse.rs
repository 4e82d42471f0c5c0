//! `certctl rehearse`.

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Outcome, Text};

/// Arguments.
#[derive(Debug, Default, clap::Args)]
pub struct RehearseArgs {}

/// Outcome.
#[derive(Debug)]
pub struct RehearseOutcome {}

/// Runs it.
///
/// # Errors
/// None yet.
pub fn run(_context: &Context, _args: &RehearseArgs) -> Result<RehearseOutcome, Failure> {
    Ok(RehearseOutcome {})
}

impl Outcome for RehearseOutcome {
    fn json(&self) -> Value {
        json!({})
    }
    fn human(&self, _text: &mut Text) {}
    fn exit_code(&self) -> u8 {
        0
    }
}
