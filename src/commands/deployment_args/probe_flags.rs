//! `--probe` and `--starttls`: the addresses that are probed besides those of the configuration.

use std::convert::Infallible;

use crate::probe::StartTls;
use crate::store::settings::{FORGET, LineageSettings, PROBE_NONE};
use crate::wording::spell_keyword;

/// The options for addresses to probe.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ProbeArgs {
    /// Additional address to probe after the install (may be repeated); none skips all probes in
    /// this run; auto forgets the saved addresses
    #[arg(long, value_name = "HOST:PORT|none|auto", value_parser = parse_probe)]
    pub probe: Vec<String>,
    /// Protocol that is spoken before TLS starts at the addresses of --probe; with several ports,
    /// at those whose number does not imply one [default: implied by the port]
    #[arg(long, value_enum, value_name = "PROTOCOL")]
    pub starttls: Option<StartTls>,
}

impl ProbeArgs {
    /// Adds them to the options of the command line.
    pub(super) fn add_to(&self, flags: LineageSettings) -> LineageSettings {
        LineageSettings {
            probe: self.probe.clone(),
            starttls: self.starttls,
            ..flags
        }
    }
}

/// Parses the value of `--probe`: the keywords in any case, else an address.
fn parse_probe(text: &str) -> Result<String, Infallible> {
    Ok(spell_keyword(text, &[PROBE_NONE, FORGET]))
}
