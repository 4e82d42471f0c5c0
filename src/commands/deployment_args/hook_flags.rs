//! `--after` and `--hook-timeout`: the command that is run once the certificate was verified live.

use std::convert::Infallible;
use std::time::Duration;

use crate::store::settings::{FORGET, LineageSettings};
use crate::system::clock;
use crate::wording::find_keyword;

/// The options for the command that is run last.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct HookArgs {
    /// Command that is run once the new certificate was verified live, without a shell; auto forgets
    /// the saved command
    #[arg(long, value_name = "COMMAND|auto", value_parser = parse_after)]
    pub after: Option<String>,
    /// How long the command of --after may take [default: 300s]
    #[arg(long, value_name = "DURATION", value_parser = clock::parse_duration)]
    pub hook_timeout: Option<Duration>,
}

impl HookArgs {
    /// Adds them to the options of the command line.
    pub(super) fn add_to(&self, flags: LineageSettings) -> LineageSettings {
        LineageSettings {
            after: self.after.clone(),
            hook_timeout: self.hook_timeout.map(|limit| limit.as_secs().max(1)),
            ..flags
        }
    }
}

/// Parses the value of `--after`: `auto` and `none`, in any case, both forget the saved command.
fn parse_after(text: &str) -> Result<String, Infallible> {
    let is_keyword = find_keyword(text, &[FORGET, "none"]).is_some();
    Ok(if is_keyword { FORGET } else { text }.to_owned())
}
