//! `certctl verify`.

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Outcome, Text};

/// Arguments.
#[derive(Debug, Default, clap::Args)]
pub struct VerifyArgs {}

/// Outcome.
#[derive(Debug)]
pub struct VerifyOutcome {}

/// Runs it.
///
/// # Errors
/// None yet.
pub fn run(_context: &Context, _args: &VerifyArgs) -> Result<VerifyOutcome, Failure> {
    Ok(VerifyOutcome {})
}

impl Outcome for VerifyOutcome {
    fn json(&self) -> Value {
        json!({})
    }
    fn human(&self, _text: &mut Text) {}
    fn exit_code(&self) -> u8 {
        0
    }
}
