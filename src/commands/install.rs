//! `certctl install`.

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Outcome, Text};

/// Arguments.
#[derive(Debug, Default, clap::Args)]
pub struct InstallArgs {}

/// Outcome.
#[derive(Debug)]
pub struct InstallOutcome {}

/// Runs it.
///
/// # Errors
/// None yet.
pub fn run(_context: &Context, _args: &InstallArgs) -> Result<InstallOutcome, Failure> {
    Ok(InstallOutcome {})
}

impl Outcome for InstallOutcome {
    fn json(&self) -> Value {
        json!({})
    }
    fn human(&self, _text: &mut Text) {}
    fn exit_code(&self) -> u8 {
        0
    }
}
