//! The files of http-01: checked with a test file before anything is ordered, as the CA's validator
//! would fetch it, and written below the webroot.
//!
//! The test finds what most often goes wrong: another folder is served, a redirect of the whole site to
//! https does not keep the path, an old AAAA record leads to another machine, or port 80 is closed.
//! What this machine cannot see (a firewall that lets only others in) is reported as unchecked.

use std::net::{IpAddr, SocketAddr};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::listener::open_listener;
use super::spec::{OrderSpec, ValidationSetup};
use super::webroots::Webroots;
use crate::advice::caa::lookup_error_in_words;
use crate::advice::{order_checks as advice, standalone};
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
pub(super) fn check_files(context: &Context, spec: &OrderSpec) -> Result<Vec<Finding>, Failure> {
    let token = random_text();
    let content = random_text();
    let check = FileCheck {
        context,
        spec,
        token: &token,
        content: &content,
    };
    match &spec.method {
        ValidationSetup::Records(_) | ValidationSetup::Manual => Ok(Vec::new()),
        ValidationSetup::Files(webroots) => check.run_with_webroots(webroots),
        ValidationSetup::Listener(_) => {
            let listener = open_listener(spec)?;
            if let Some(server) = &listener {
                server.add(&token, &content);
            }
            check.run()
        }
    }
}

/// What the CA's validator would fetch.
struct FileCheck<'a> {
    context: &'a Context,
    spec: &'a OrderSpec,
    token: &'a str,
    content: &'a str,
}

/// What one address answers.
enum AddressAnswer {
    Right,
    Wrong(String),
    /// What the CA would get is not known.
    Unknown(String),
    /// There is no route from this machine, and perhaps one from the CA.
    Unreachable,
}

impl FileCheck<'_> {
    /// Writes the file to each webroot, and removes it afterwards.
    fn run_with_webroots(&self, webroots: &Webroots) -> Result<Vec<Finding>, Failure> {
        let mut folders = Vec::new();
        for name in self.spec.name_texts() {
            folders.push(ChallengeFolder::open(webroots.folder_of(&name)?)?);
        }
        let found = self.write_and_run(&folders);
        for folder in &folders {
            folder.remove(self.token)?;
        }
        found
    }

    fn write_and_run(&self, folders: &[ChallengeFolder]) -> Result<Vec<Finding>, Failure> {
        let content = self.content.as_bytes();
        for folder in folders {
            folder.write(self.token, content)?;
        }
        self.run()
    }

    /// The file is not what an address answers.
    fn wrong(&self, name: &str, address: &str, reason: &str) -> Result<Finding, Failure> {
        Ok(match &self.spec.method {
            ValidationSetup::Files(webroots) => {
                advice::file_wrong(name, address, reason, webroots.folder_of(name)?)
            }
            _ => standalone::file_wrong(name, address, reason),
        })
    }

    /// Fetches the file of each name from each of its addresses.
    fn run(&self) -> Result<Vec<Finding>, Failure> {
        let names = self.spec.name_texts();
        let mut questions = Vec::new();
        for name in names.iter().filter(|name| parse_ip(name).is_none()) {
            questions.push((name.clone(), RecordKind::Aaaa));
            questions.push((name.clone(), RecordKind::A));
        }
        let resolvers = ResolverList::new(&self.spec.resolvers);
        let answers = dns::look_up(&questions, &resolvers, &self.context.interrupt)?;
        let mut answers = answers.into_iter();
        let mut findings = Vec::new();
        for name in &names {
            let answers: Vec<DnsAnswer> = match parse_ip(name) {
                Some(ip) => vec![DnsAnswer::Addresses(vec![ip])],
                None => answers.by_ref().take(2).collect(),
            };
            findings.extend(self.check_name(name, &answers)?);
        }
        Ok(findings)
    }

    /// Checks one name. The validator uses any of its addresses, so each has to be right; one without
    /// a route from here does not count if another is right.
    fn check_name(&self, name: &str, answers: &[DnsAnswer]) -> Result<Option<Finding>, Failure> {
        let addresses = addresses_of(answers);
        if addresses.is_empty() {
            return Ok(Some(without_address(name, answers, self)));
        }
        let fetched = self.fetch(name, &addresses)?;
        let mut right = 0;
        let mut unknown = Vec::new();
        for (address, answer) in addresses.iter().zip(&fetched) {
            let address = address.ip().to_string();
            match judge(answer, self.content) {
                AddressAnswer::Right => right += 1,
                AddressAnswer::Unreachable => {}
                AddressAnswer::Unknown(reason) => unknown.push(format!("{address} {reason}")),
                AddressAnswer::Wrong(reason) => {
                    return self.wrong(name, &address, &reason).map(Some);
                }
            }
        }
        if right > 0 && unknown.is_empty() {
            return Ok(None);
        }
        if unknown.is_empty() {
            unknown.push("this machine has no route to its addresses".to_owned());
        }
        Ok(Some(unchecked(name, &unknown.join("; "), self)))
    }

    fn fetch(&self, name: &str, addresses: &[SocketAddr]) -> Result<Vec<ValidatorAnswer>, Failure> {
        let host = host_of(name);
        let url = format!("http://{host}/.well-known/acme-challenge/{}", self.token);
        let mut visits = Vec::new();
        for address in addresses {
            visits.push((url.clone(), *address));
        }
        fetch_as_validator(&visits, &self.context.interrupt).map_err(|signal| {
            Failure::new(
                FailureKind::Interrupted(signal),
                "interrupted while the validation files were checked; nothing was ordered",
            )
        })
    }
}

fn parse_ip(name: &str) -> Option<IpAddr> {
    name.parse().ok()
}

/// The name in a URL: an IPv6 address has brackets (RFC 3986 3.2.2).
fn host_of(name: &str) -> String {
    match parse_ip(name) {
        Some(IpAddr::V6(address)) => format!("[{address}]"),
        _ => name.to_owned(),
    }
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

/// Judges what one address answers.
fn judge(answer: &ValidatorAnswer, content: &str) -> AddressAnswer {
    match answer {
        ValidatorAnswer::File(body) if body.trim_ascii() == content.as_bytes() => {
            AddressAnswer::Right
        }
        ValidatorAnswer::File(_) => AddressAnswer::Wrong("answers with another content".to_owned()),
        ValidatorAnswer::Status(status) => {
            AddressAnswer::Wrong(format!("answers with status {status}"))
        }
        ValidatorAnswer::BadRedirect(to) => {
            AddressAnswer::Wrong(format!("redirects to {to}, where the CA does not follow"))
        }
        ValidatorAnswer::TooManyRedirects => {
            AddressAnswer::Wrong("redirects in a circle".to_owned())
        }
        ValidatorAnswer::OtherHost(to) => {
            AddressAnswer::Unknown(format!("redirects to another host: {to}"))
        }
        ValidatorAnswer::NoRoute => AddressAnswer::Unreachable,
        ValidatorAnswer::NoResponse(reason) => {
            AddressAnswer::Unknown(format!("did not answer: {reason}"))
        }
    }
}

/// The name does not exist, has no address, or could not be looked up.
fn without_address(name: &str, answers: &[DnsAnswer], check: &FileCheck<'_>) -> Finding {
    let is_absent =
        |answer: &&DnsAnswer| matches!(answer, DnsAnswer::NoName(_) | DnsAnswer::NoData(_));
    match answers.iter().find(|answer| !is_absent(answer)) {
        None => advice::no_address(name),
        Some(failed) => {
            let reason = lookup_error_in_words(failed);
            unchecked(
                name,
                &format!("its addresses are not known: {reason}"),
                check,
            )
        }
    }
}

fn unchecked(name: &str, reason: &str, check: &FileCheck<'_>) -> Finding {
    let renewal = check.spec.renewal_as_order(check.context);
    let finding = advice::file_unchecked(name, reason, renewal);
    match check.spec.unchecked {
        UncheckedRule::Allow => Finding {
            severity: Severity::Warning,
            next: Vec::new(),
            ..finding
        },
        UncheckedRule::Refuse => finding,
    }
}

/// Unpredictable text in the alphabet of tokens.
fn random_text() -> String {
    let mut bytes = [0; 24];
    // Without random bytes the text is only easier to guess; it is no secret.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    format!("certctl-{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
