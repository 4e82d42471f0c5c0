//! The files of http-01: checked with a test file before anything is ordered, as the CA's validator
//! would fetch it, and written below the webroot.

use std::net::SocketAddr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::spec::{OrderSpec, ValidationSetup};
use super::webroots::Webroots;
use crate::advice::caa::lookup_error_in_words;
use crate::advice::order as advice;
use crate::context::Context;
use crate::dcv::answer::{DnsAnswer, RecordKind};
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, Severity};
use crate::publication::UncheckedRule;
use crate::system::dns::{self, ResolverList};
use crate::system::fs::webroot::ChallengeFolder;
use crate::system::http::validator::{ValidatorAnswer, fetch_as_validator};

/// The code of a file that could not be fetched from this machine, for `--allow`.
pub(crate) const CHALLENGE_FILE_UNCHECKED: &str = "challenge-file-unchecked";
/// The port of http-01 (RFC 8555 8.3).
const PORT: u16 = 80;

/// Serves a test file for every name and fetches it as the validator would. Returns what is wrong;
/// an error among it means that the CA would refuse, or that nothing is known.
pub(super) fn check_webroots(context: &Context, spec: &OrderSpec) -> Result<Vec<Finding>, Failure> {
    let ValidationSetup::Files(webroots) = &spec.method else {
        return Ok(Vec::new());
    };
    let token = random_text();
    let content = random_text();
    let mut folders = Vec::new();
    for name in spec.name_texts() {
        folders.push(ChallengeFolder::open(webroots.folder_of(&name)?)?);
    }
    let mut written = Ok(());
    for folder in &folders {
        written = written.and_then(|()| folder.write(&token, content.as_bytes()));
    }
    let found = written
        .map_err(Failure::from)
        .and_then(|()| fetch_files(context, spec, webroots, &token, &content));
    for folder in &folders {
        folder.remove(&token)?;
    }
    found
}

fn fetch_files(
    context: &Context,
    spec: &OrderSpec,
    webroots: &Webroots,
    token: &str,
    content: &str,
) -> Result<Vec<Finding>, Failure> {
    let names = spec.name_texts();
    let mut questions = Vec::new();
    for name in &names {
        questions.push((name.clone(), RecordKind::Aaaa));
        questions.push((name.clone(), RecordKind::A));
    }
    let resolvers = ResolverList::new(&spec.resolvers);
    let answers = dns::look_up(&questions, &resolvers, &context.interrupt)?;
    let mut findings = Vec::new();
    for (name, answers) in names.iter().zip(answers.chunks(2)) {
        let url = format!("http://{name}/.well-known/acme-challenge/{token}");
        let addresses = addresses_of(answers);
        if addresses.is_empty() {
            findings.push(without_address(name, answers, spec));
            continue;
        }
        let visits: Vec<(String, SocketAddr)> = addresses
            .iter()
            .map(|address| (url.clone(), *address))
            .collect();
        let fetched = fetch_as_validator(&visits, &context.interrupt);
        let fetched = fetched.map_err(|signal| {
            Failure::new(
                FailureKind::Interrupted(signal),
                "interrupted while the validation files were checked; nothing was ordered",
            )
        })?;
        let judged = judge_name(name, spec, webroots, content, &addresses, &fetched)?;
        findings.extend(judged);
    }
    Ok(findings)
}

fn addresses_of(answers: &[DnsAnswer]) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    for answer in answers {
        if let DnsAnswer::Addresses(found) = answer {
            addresses.extend(found.iter().map(|ip| SocketAddr::new(*ip, PORT)));
        }
    }
    addresses
}

/// Judges what the addresses of one name answer. The validator uses any of them, so each has to be
/// right; one without a route from here does not count if another is right.
fn judge_name(
    name: &str,
    spec: &OrderSpec,
    webroots: &Webroots,
    content: &str,
    addresses: &[SocketAddr],
    fetched: &[ValidatorAnswer],
) -> Result<Option<Finding>, Failure> {
    let mut right = 0;
    let mut unknown = Vec::new();
    for (address, answer) in addresses.iter().zip(fetched) {
        let address = address.ip();
        let reason = match answer {
            ValidatorAnswer::File(body) if body.trim_ascii() == content.as_bytes() => {
                right += 1;
                continue;
            }
            ValidatorAnswer::File(_) => "answers with another content".to_owned(),
            ValidatorAnswer::Status(status) => format!("answers with status {status}"),
            ValidatorAnswer::BadRedirect(to) => {
                format!("redirects to {to}, where the CA does not follow")
            }
            ValidatorAnswer::TooManyRedirects => "redirects in a circle".to_owned(),
            ValidatorAnswer::OtherHost(to) => {
                unknown.push(format!("{address} redirects to another host: {to}"));
                continue;
            }
            ValidatorAnswer::NoRoute => continue,
            ValidatorAnswer::NoResponse(reason) => {
                unknown.push(format!("{address}: {reason}"));
                continue;
            }
        };
        let folder = webroots.folder_of(name)?;
        return Ok(Some(advice::file_wrong(
            name,
            &address.to_string(),
            &reason,
            folder,
        )));
    }
    if right > 0 && unknown.is_empty() {
        return Ok(None);
    }
    if unknown.is_empty() {
        unknown.push("this machine has no route to its addresses".to_owned());
    }
    Ok(Some(unchecked(name, &unknown.join("; "), spec)))
}

/// The name does not exist, has no address, or could not be looked up.
fn without_address(name: &str, answers: &[DnsAnswer], spec: &OrderSpec) -> Finding {
    let is_absent =
        |answer: &&DnsAnswer| matches!(answer, DnsAnswer::NoName(_) | DnsAnswer::NoData(_));
    match answers.iter().find(|answer| !is_absent(answer)) {
        None => advice::no_address(name),
        Some(failed) => {
            let reason = lookup_error_in_words(failed);
            unchecked(
                name,
                &format!("its addresses are not known: {reason}"),
                spec,
            )
        }
    }
}

fn unchecked(name: &str, reason: &str, spec: &OrderSpec) -> Finding {
    let finding = advice::file_unchecked(name, reason);
    match spec.unchecked {
        UncheckedRule::Allow => Finding {
            severity: Severity::Warning,
            ..finding
        },
        UncheckedRule::Refuse => finding,
    }
}

/// Text that nobody can guess, in the alphabet of tokens.
fn random_text() -> String {
    let mut bytes = [0; 24];
    // Without random bytes the text is only easier to guess; it is no secret.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    format!("certctl-{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
