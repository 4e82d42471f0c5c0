//! `certctl dcv-check`.

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Outcome, Text};

/// Arguments.
#[derive(Debug, Default, clap::Args)]
pub struct DcvCheckArgs {}

/// Outcome.
#[derive(Debug)]
pub struct DcvCheckOutcome {}

/// Runs it.
///
/// # Errors
/// None yet.
pub fn run(_context: &Context, _args: &DcvCheckArgs) -> Result<DcvCheckOutcome, Failure> {
    Ok(DcvCheckOutcome {})
}

impl Outcome for DcvCheckOutcome {
    fn json(&self) -> Value {
        json!({})
    }
    fn human(&self, _text: &mut Text) {}
    fn exit_code(&self) -> u8 {
        0
    }
}
