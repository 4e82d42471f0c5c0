//! `certctl inspect`: what is this file, what does this host send. It never judges.

mod card;
mod document;
mod shown;

use std::path::Path;

use serde_json::Value;

pub use self::shown::InspectOutcome;
use self::shown::is_locked_key;
use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::delivery::{Delivery, Found, Ignored, Source, Unused};
use crate::directory::{self, Argument, Directory};
use crate::failure::{Failure, Kind};
use crate::finding::Next;
use crate::intake::{self, Answers, Host, ReadArgs, Reading};
use crate::live::StartTls;
use crate::pairing::PairingError;
use crate::pki::certificate::Certificate;
use crate::pki::name::DnsName;
use crate::report::{Outcome, Text};
use crate::system::files;

/// What is this file, what does this host serve (never judges)
///
/// Examples:
///   certctl inspect example_com.zip
///   certctl inspect example.com:443
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct InspectArgs {
    /// A certificate, request, key, chain, zip or folder, a name known here, or a server; - is stdin
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
    pub reading: ReadArgs,
}

/// Reads the file, or asks the host.
///
/// # Errors
/// When it cannot be read or holds nothing that is known; when no address of the host shows a certificate.
pub fn run(context: &Context, args: &InspectArgs) -> Result<InspectOutcome, Failure> {
    let (file, at, ca) = (args.file.clone(), context.now(), args.ca);
    if let Some(host) = host(context, args)? {
        let answers = intake::ask(&host, args.starttls)?;
        let delivery = sent(&answers);
        return Ok(InspectOutcome { file, at, delivery, answers: Some(answers), ca });
    }
    let mut delivery = read(context, args)?;
    let locked = delivery.ignored.iter().any(|one| is_locked_key(&one.what));
    let shown = delivery.lists.len() + delivery.public_keys.len() + delivery.unproven.len();
    if delivery.is_empty() && shown == 0 && !locked {
        return Err(delivery.ignored.as_slice().into());
    }
    // These have cards of their own.
    let lists = !delivery.lists.is_empty();
    delivery.ignored.retain(|one| !(one.what == Unused::Crl && lists || one.what == Unused::PublicKey));
    Ok(InspectOutcome { file, at, delivery, answers: None, ca })
}

/// A host is what is neither a file nor a name known here; with `--starttls` nothing else can be meant.
fn host(context: &Context, args: &InspectArgs) -> Result<Option<Host>, Failure> {
    let default = match args.starttls {
        None => 443,
        Some(StartTls::Smtp) => 25,
        Some(StartTls::Imap) => 143,
        Some(StartTls::Pop3) => 110,
        Some(StartTls::Postgres) => 5432,
    };
    let named = Host::parse(&args.file, default);
    if args.starttls.is_some() {
        return named.map(Some).ok_or_else(|| {
            Failure::new(Kind::Usage, format!("{} is no host, and --starttls is about one", args.file))
                .with(Next::say("certctl inspect mail.example.com:25 --starttls smtp"))
        });
    }
    if args.file == "-" || files::occupied(Path::new(&args.file)) {
        return Ok(None);
    }
    if let Some(host) = Host::with_port(&args.file) {
        return Ok(Some(host));
    }
    match Argument::resolve(&args.file, &Directory::read(context)?) {
        Ok(_) => Ok(None),
        Err(PairingError::Unknown { .. }) if named.is_some() => Ok(named),
        Err(error) => Err(error.into()),
    }
}

/// A file, stdin, the files of a folder, or those of a name known here.
fn read(context: &Context, args: &InspectArgs) -> Result<Delivery, Failure> {
    let (reading, path) = (Reading::new(context, &args.reading)?, Path::new(&args.file));
    if files::is_folder(path) {
        return reading.open(&directory::read_folder(path)?);
    }
    if args.file == "-" || files::occupied(path) {
        return reading.file(path);
    }
    let name = DnsName::parse(&args.file)?;
    let here = Directory::read(context)?;
    let inputs = here.paths_named(&name, context.now()).into_iter().map(|path| directory::read_input(&path));
    reading.open(&inputs.collect::<Result<Vec<_>, _>>()?)
}

/// What cannot be read of what a host sends is told like a damaged file.
fn sent(answers: &Answers) -> Delivery {
    let mut delivery = Delivery::default();
    for seen in &answers.seen {
        let source = Source { input: seen.places(), entry: None };
        let damaged = seen.sent.iter().filter(|der| Certificate::from_der(der).is_err());
        delivery.ignored.extend(damaged.map(|_| Ignored { what: Unused::DamagedDer, source: source.clone() }));
        let read = seen.certificates().into_iter().map(|value| Found { value, source: source.clone() });
        delivery.certificates.extend(read);
    }
    delivery
}

impl Outcome for InspectOutcome {
    fn json(&self) -> Value {
        self.document()
    }

    fn human(&self, text: &mut Text) {
        self.cards(text);
    }

    fn exit_code(&self) -> u8 {
        0
    }
}
