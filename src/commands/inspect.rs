//! `certctl inspect`: what is this file, what does this host send. It never judges.

mod card;
mod document;
mod outcome;

use serde_json::Value;

pub(crate) use self::outcome::InspectOutcome;
use self::outcome::is_locked_key;
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::delivery::UnusedContent;
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

/// Reads the file, or asks the host.
///
/// # Errors
/// When it cannot be read or holds nothing that is known; when no address of the host shows a
/// certificate.
pub(crate) fn run(context: &Context, args: &InspectArgs) -> Result<InspectOutcome, Failure> {
    let (file, at, ca) = (args.file.clone(), context.now(), args.ca);
    let reading = InputReader::new(context, &args.reading)?;
    let (mut delivery, answers) = inputs::anything(context, &reading, &args.file, args.starttls)?;
    if answers.is_some() {
        return Ok(InspectOutcome {
            file,
            at,
            delivery,
            answers,
            ca,
        });
    }
    let locked = delivery.ignored.iter().any(|one| is_locked_key(&one.what));
    let shown = delivery.lists.len() + delivery.public_keys.len() + delivery.unproven.len();
    if delivery.is_empty() && shown == 0 && !locked {
        return Err(delivery.ignored.as_slice().into());
    }
    // These have cards of their own.
    let lists = !delivery.lists.is_empty();
    delivery.ignored.retain(|one| {
        !(one.what == UnusedContent::Crl && lists || one.what == UnusedContent::PublicKey)
    });
    Ok(InspectOutcome {
        file,
        at,
        delivery,
        answers: None,
        ca,
    })
}

impl Outcome for InspectOutcome {
    fn json(&self) -> Value {
        self.document()
    }

    fn human(&self, text: &mut TextOutput) {
        self.cards(text);
    }

    fn exit_code(&self) -> u8 {
        0
    }
}
