//! `certctl bundle`.

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Outcome, Text};

/// Arguments.
#[derive(Debug, Default, clap::Args)]
pub struct BundleArgs {}

/// Outcome.
#[derive(Debug)]
pub struct BundleOutcome {}

/// Runs it.
///
/// # Errors
/// None yet.
pub fn run(_context: &Context, _args: &BundleArgs) -> Result<BundleOutcome, Failure> {
    Ok(BundleOutcome {})
}

impl Outcome for BundleOutcome {
    fn json(&self) -> Value {
        json!({})
    }
    fn human(&self, _text: &mut Text) {}
    fn exit_code(&self) -> u8 {
        0
    }
}
