//! `certctl inspect`: shows what a file contains or what a host sends, without a verdict.

mod card;
mod document;
mod merge;
mod outcome;

use serde_json::Value;

pub(crate) use self::outcome::InspectOutcome;
use self::outcome::is_locked_key;
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::delivery::{CaDelivery, UnusedContent};
use crate::failure::Failure;
use crate::inputs::{self, InputReader, PasswordArgs};
use crate::probe::StartTls;
use crate::report::{Outcome, TextOutput};

/// Show what a file contains or what a host serves (no verdict)
///
/// Examples:
///   certctl inspect example_com.zip
///   certctl inspect example.com:443
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct InspectArgs {
    /// A certificate, request, key, chain, zip or folder, the name of a certificate or request
    /// here, or a server; - reads stdin
    #[arg(value_name = "FILE|HOST[:PORT]")]
    pub file: String,
    /// Show the validation record that this CA or reseller expects for a request
    #[arg(long)]
    pub ca: Option<Ca>,
    /// Protocol that the server speaks before TLS starts (STARTTLS) [default: implied by the port]
    #[arg(long, value_name = "PROTOCOL")]
    pub starttls: Option<StartTls>,
    /// How encrypted files are opened.
    #[command(flatten)]
    pub reading: PasswordArgs,
}

/// Reads the file or probes the host.
///
/// # Errors
/// The file cannot be read or contains nothing that certctl recognizes; no address of the host
/// sends a certificate.
pub(crate) fn run(context: &Context, args: &InspectArgs) -> Result<InspectOutcome, Failure> {
    let at = context.now();
    let reader = InputReader::new(context, &args.reading)?;
    let (mut delivery, answers) =
        inputs::read_any_argument(context, &reader, &args.file, args.starttls)?;
    let mut file_count = 0;
    if answers.is_none() {
        refuse_nothing_shown(&delivery)?;
        omit_shown_separately(&mut delivery);
        file_count = merge::merge_same_contents(&mut delivery);
    }
    Ok(InspectOutcome {
        file: args.file.clone(),
        at,
        delivery,
        file_count,
        answers,
        ca: args.ca,
    })
}

/// Fails for a file that contains nothing to show.
fn refuse_nothing_shown(delivery: &CaDelivery) -> Result<(), Failure> {
    let has_locked_key = delivery
        .ignored
        .iter()
        .any(|unused| is_locked_key(&unused.content));
    let has_other_cards = !delivery.lists.is_empty()
        || !delivery.public_keys.is_empty()
        || !delivery.short_keys.is_empty()
        || !delivery.unproven_requests.is_empty();
    if delivery.is_empty() && !has_other_cards && !has_locked_key {
        return Err(delivery.ignored.as_slice().into());
    }
    Ok(())
}

/// Removes the content that has a card of its own from the unused content: CRLs and public keys.
fn omit_shown_separately(delivery: &mut CaDelivery) {
    let has_lists = !delivery.lists.is_empty();
    delivery.ignored.retain(|unused| match unused.content {
        UnusedContent::Crl => !has_lists,
        UnusedContent::PublicKey => false,
        _ => true,
    });
}

impl Outcome for InspectOutcome {
    fn json(&self) -> Value {
        self.to_json()
    }

    fn human(&self, text: &mut TextOutput) {
        self.write_cards(text);
    }

    fn exit_code(&self) -> u8 {
        0
    }
}
