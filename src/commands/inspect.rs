//! `certctl inspect`: what is this file. It never judges.

use std::path::Path;

use serde_json::{Value, json};

use crate::context::Context;
use crate::dcv::ca::Ca;
use crate::dcv::record::{self, DcvRecord};
use crate::delivery::{Delivery, Found, Unused};
use crate::failure::Failure;
use crate::finding::Finding;
use crate::intake::{self, ReadArgs, Reading};
use crate::pki::certificate::Certificate;
use crate::pki::key::PrivateKey;
use crate::pki::request::SigningRequest;
use crate::report::{self, Outcome, Text};

/// What is this file (never judges)
///
/// Examples:
///   certctl inspect example_com.crt
///   certctl inspect example.com.csr --ca sectigo
#[derive(Debug, Default, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct InspectArgs {
    /// A certificate, request, key, chain or zip; - is stdin
    #[arg(value_name = "FILE")]
    pub file: String,
    /// The shop or CA whose record a request is shown with
    #[arg(long)]
    pub ca: Option<Ca>,
    /// How what is locked is opened.
    #[command(flatten)]
    pub reading: ReadArgs,
}

/// What `inspect` ends with.
#[derive(Debug)]
pub struct InspectOutcome {
    file: String,
    delivery: Delivery,
    ca: Option<Ca>,
}

/// Reads the file.
///
/// # Errors
/// When it cannot be read or holds nothing that is known.
pub fn run(context: &Context, args: &InspectArgs) -> Result<InspectOutcome, Failure> {
    let delivery = Reading::new(context, &args.reading)?.file(Path::new(&args.file))?;
    let locked = !delivery.locked.is_empty();
    if delivery.is_empty() && !locked {
        return Err(delivery.ignored.as_slice().into());
    }
    Ok(InspectOutcome { file: args.file.clone(), delivery, ca: args.ca })
}

impl Outcome for InspectOutcome {
    fn json(&self) -> Value {
        json!({
            "schema": "certctl.inspect/1",
            "file": self.file,
            "items": self.items(),
            "findings": self.findings(),
            "next": [],
        })
    }

    fn human(&self, text: &mut Text) {
        let Delivery { certificates, requests, keys, ignored, .. } = &self.delivery;
        for (index, certificate) in certificates.iter().enumerate() {
            show_certificate(text, certificate, index, certificates);
        }
        for request in requests {
            self.show_request(text, request);
        }
        for key in keys {
            text.fact("key", format!("{}, id {}   ({})", key.algorithm(), key.id(), key.source));
        }
        for locked in ignored.iter().filter(|one| one.what == Unused::EncryptedKey) {
            text.fact("key", format!("encrypted   ({})", locked.source));
        }
        text.findings(&self.findings());
    }

    fn exit_code(&self) -> u8 {
        0
    }
}

impl InspectOutcome {
    fn items(&self) -> Vec<Value> {
        let Delivery { certificates, requests, keys, ignored, .. } = &self.delivery;
        let mut items: Vec<Value> =
            certificates.iter().map(|one| item("certificate", one, report::certificate_json(one))).collect();
        items.extend(requests.iter().map(|one| item("request", one, request_json(one, &self.records(one)))));
        items.extend(keys.iter().map(|one| item("key", one, key_json(one))));
        let locked = ignored.iter().filter(|one| one.what == Unused::EncryptedKey);
        items.extend(locked.map(|one| json!({"kind": "encrypted-key", "source": one.source.to_string()})));
        items
    }

    fn records(&self, request: &SigningRequest) -> Vec<DcvRecord> {
        record::records(request, self.ca)
    }

    /// How it was read, as notes: what is wrong with it is for `verify`.
    fn findings(&self) -> Vec<Finding> {
        intake::findings_of(&self.delivery)
    }

    fn show_request(&self, text: &mut Text, request: &Found<SigningRequest>) {
        text.fact("csr", request.source.to_string());
        text.fact("", format!("       names   {}", names(&request.dns_names)));
        text.fact("", format!("       subject {}", request.subject));
        text.fact("", format!("       key     {}, id {}", request.algorithm, request.key_id));
        text.fact("", format!("       md5     {}", request.md5()));
        text.fact("", format!("       sha256  {}", request.sha256()));
        for record in self.records(request) {
            let value = record.value.or(record.shape).unwrap_or_default();
            text.fact("", format!("       record  CNAME {} -> {value}", record.name));
        }
    }
}

fn item<T>(kind: &str, found: &Found<T>, facts: Value) -> Value {
    let mut item = json!({"kind": kind, "source": found.source.to_string()});
    if let (Value::Object(item), Value::Object(facts)) = (&mut item, facts) {
        item.extend(facts);
    }
    item
}

fn request_json(request: &SigningRequest, records: &[DcvRecord]) -> Value {
    json!({
        "subject": request.subject,
        "dns_names": request.dns_names,
        "key": {"algorithm": request.algorithm.to_string(), "id": request.key_id.to_string()},
        "md5": request.md5(),
        "sha256": request.sha256(),
        "records": records,
    })
}

fn key_json(key: &PrivateKey) -> Value {
    json!({"key": {"algorithm": key.algorithm().to_string(), "id": key.id().to_string()}})
}

fn names(dns_names: &[String]) -> String {
    dns_names.iter().map(|name| report::name_in_words(name)).collect::<Vec<_>>().join(", ")
}

fn show_certificate(text: &mut Text, certificate: &Found<Certificate>, index: usize, all: &[Found<Certificate>]) {
    let kind = if certificate.is_site() { "site" } else { "CA" };
    let issuer = all.iter().position(|other| other.subject_der() == certificate.issuer_der());
    let issuer = match issuer {
        Some(own) if own == index => "   (itself)".to_owned(),
        Some(other) => format!("   (number {} here)", other + 1),
        None => String::new(),
    };
    text.fact("cert", format!("{} of {}, {kind}   ({})", index + 1, all.len(), certificate.source));
    text.fact("", format!("       subject {}", certificate.subject));
    if !certificate.dns_names.is_empty() {
        text.fact("", format!("       names   {}", names(&certificate.dns_names)));
    }
    if !certificate.ip_addresses.is_empty() {
        let addresses: Vec<String> = certificate.ip_addresses.iter().map(ToString::to_string).collect();
        text.fact("", format!("       address {}", addresses.join(", ")));
    }
    text.fact("", format!("       issuer  {}{issuer}", certificate.issuer));
    text.fact("", format!("       valid   {} to {}", certificate.not_before, certificate.not_after));
    text.fact("", format!("       serial  {}", certificate.serial));
    text.fact("", format!("       key     {}, id {}", certificate.algorithm, certificate.key_id));
    text.fact("", format!("       sha256  {}", certificate.sha256()));
}
