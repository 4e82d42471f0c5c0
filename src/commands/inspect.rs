//! `certctl inspect`: shows what a file holds or what a host sends. It never judges.

mod card;
mod document;
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

/// What is this file, what does this host serve (never judges)
///
/// Examples:
///   certctl inspect example_com.zip
///   certctl inspect example.com:443
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct InspectArgs {
    /// A certificate, request, key, chain, zip or folder, a name known here, or a server; - is
    /// stdin
    #[arg(value_name = "FILE|HOST[:PORT]")]
    pub file: String,
    /// The shop or CA whose record a request is shown with
    #[arg(long)]
    pub ca: Option<Ca>,
    /// What the server speaks before TLS [default: what its port implies]
    #[arg(long, value_name = "PROTOCOL")]
    pub starttls: Option<StartTls>,
    /// How what is locked is opened.
    #[command(flatten)]
    pub reading: PasswordArgs,
}

/// Reads the file or probes the host.
///
/// # Errors
/// A file that cannot be read or holds nothing that certctl knows; a host none of whose addresses
/// sends a certificate.
pub(crate) fn run(context: &Context, args: &InspectArgs) -> Result<InspectOutcome, Failure> {
    let at = context.now();
    let reader = InputReader::new(context, &args.reading)?;
    let (mut delivery, answers) =
        inputs::read_any_argument(context, &reader, &args.file, args.starttls)?;
    if answers.is_none() {
        refuse_nothing_shown(&delivery)?;
        omit_shown_separately(&mut delivery);
    }
    Ok(InspectOutcome {
        file: args.file.clone(),
        at,
        delivery,
        answers,
        ca: args.ca,
    })
}

/// A file that holds nothing with a card.
fn refuse_nothing_shown(delivery: &CaDelivery) -> Result<(), Failure> {
    let has_locked_key = delivery
        .ignored
        .iter()
        .any(|unused| is_locked_key(&unused.content));
    let has_other_cards = !delivery.lists.is_empty()
        || !delivery.public_keys.is_empty()
        || !delivery.unproven_requests.is_empty();
    if delivery.is_empty() && !has_other_cards && !has_locked_key {
        return Err(delivery.ignored.as_slice().into());
    }
    Ok(())
}

/// Removes from the unused content what has a card of its own: CRLs and public keys.
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
