//! Advice for matching certificates with keys and requests: nothing to choose from, nothing to
//! choose by, something that does not fit.

use std::path::Path;

use crate::delivery::DecryptError;
use crate::failure::{Failure, FailureKind};
use crate::finding::{Finding, NextStep, shell_word};
use crate::matching::{MatchingError, MatchingRemark, RequestTemplate, ServedFault};
use crate::pki::chain::OmissionReason;
use crate::pki::name::DnsName;

impl From<MatchingError> for Failure {
    fn from(error: MatchingError) -> Self {
        let failure = Self::from_error(failure_kind(&error), &error);
        match &error {
            MatchingError::Ambiguous {
                leaves,
                searched_places: looked,
            } => ambiguous(failure, leaves, looked),
            MatchingError::LockedKey(path) => locked_key(failure, path),
            MatchingError::WrongPassphrase(path, _) => failure.with_step(NextStep::say(format!(
                "try it:  openssl pkey -in {} -noout   and pass what opens it:  --password-file \
                    FILE",
                path_word(path)
            ))),
            MatchingError::NoAnchor(_) => failure.with_step(NextStep::say(
                "pass your CA's root certificate:  --trust root.pem; certctl inspect FILE tells \
                    what a file holds",
            )),
            MatchingError::NoKey { holds, .. } => failure
                .because(format!("it holds {holds}"))
                .with_step(NextStep::say(
                    "pass the key that was made with the request, often NAME.key:  \
                    --key FILE",
                )),
            MatchingError::NoRequest { holds, .. } => failure
                .because(format!("it holds {holds}"))
                .with_step(NextStep::say(
                    "pass the request that was given to the CA, often NAME.csr:  --csr \
                    FILE",
                )),
            MatchingError::NoSuchFile(_) => failure
                .because(
                    "paths are relative to the folder that you are in; names are looked up in \
                    -C",
                )
                .with_step(NextStep::shell("ls -l")),
            MatchingError::NoCertificateInDirectory { name, .. } => {
                nothing_here(failure, name.as_deref())
            }
            MatchingError::OnlyKey(_) => failure.with_step(NextStep::say(
                "pass the certificate that the CA sent too, as \
                    a further file",
            )),
            MatchingError::OnlyRequest(_) => failure
                .because("a request is what the CA is sent; the certificate is what it sends back")
                .with_step(NextStep::say(
                    "pass the zip or the .crt file that the CA sent by mail or offers \
                    in its panel",
                )),
            MatchingError::Unknown { known, .. } => unknown_name(failure, known),
        }
    }
}

fn failure_kind(error: &MatchingError) -> FailureKind {
    match error {
        MatchingError::Ambiguous { .. } => FailureKind::Ambiguous,
        MatchingError::LockedKey(_)
        | MatchingError::WrongPassphrase(..)
        | MatchingError::NoAnchor(_)
        | MatchingError::NoKey { .. }
        | MatchingError::NoRequest { .. }
        | MatchingError::OnlyKey(_)
        | MatchingError::OnlyRequest(_) => FailureKind::Malformed,
        MatchingError::NoSuchFile(_)
        | MatchingError::NoCertificateInDirectory { .. }
        | MatchingError::Unknown { .. } => FailureKind::NotFound,
    }
}

/// Several certificates fit, and neither a key nor a request tells which is meant.
fn ambiguous(mut failure: Failure, leaves: &[String], looked: &str) -> Failure {
    failure.causes.extend(leaves.iter().take(12).cloned());
    failure
        .because(format!("looked at {looked}"))
        .with_step(NextStep::say(
            "name the key or the request of the one that you mean:  --key FILE  or  \
                            --csr FILE",
        ))
        .with_step(search_for_key())
}

fn locked_key(failure: Failure, path: &Path) -> Failure {
    failure
        .with_step(NextStep::say(
            "put its password into a file of mode 0600 and pass that:  \
                    --password-file FILE",
        ))
        .with_step(NextStep::say(format!(
            "or decrypt a copy and pass it:  (umask 077; openssl pkey -in {} -out \
                        plain.key)   --key plain.key",
            path_word(path)
        )))
}

/// No certificate is in the folder; `name` is the one that was looked for.
fn nothing_here(failure: Failure, name: Option<&str>) -> Failure {
    match name {
        Some(name) => failure
            .because("its request is here, and the CA's certificate has not been put beside it")
            .with_step(NextStep::say(format!(
                "pass the zip or the files that the CA sent; if it has sent none yet:  certctl \
                        dcv-check {name}"
            ))),
        None => failure.with_step(NextStep::say(
            "pass the zip or the files that the CA sent, or the folder that \
                    they are in:  -C DIR",
        )),
    }
}

/// The argument is neither a file nor one of the names `known` in the folder.
fn unknown_name(failure: Failure, known: &[String]) -> Failure {
    const SHOWN: usize = 8;
    if known.is_empty() {
        return failure.with_step(NextStep::say(
            "pass a file, or name the folder of the files:  \
                    -C DIR",
        ));
    }
    let shown: Vec<String> = known.iter().take(SHOWN).cloned().collect();
    let shown = shown.join(", ");
    let more = if known.len() > SHOWN { ", ..." } else { "" };
    failure
        .because(format!("names known there: {shown}{more}"))
        .with_step(NextStep::say(
            "pass one of these names, a file, or another folder:  -C DIR",
        ))
}

/// A path as a shell reads it back unchanged.
fn path_word(path: &Path) -> String {
    shell_word(&path.display().to_string())
}

fn search_for_key() -> NextStep {
    NextStep::say("to search for its key:  certctl status DIR...")
}

/// What to do when a key is lost: the CA reissues the certificate for a new request.
fn reissue(template: &RequestTemplate) -> NextStep {
    let command = match template {
        RequestTemplate::File(path) => {
            NextStep::run(&["csr", "--like", &path.display().to_string()]).text
        }
        RequestTemplate::Names(names) => csr_command(names),
    };
    NextStep::say(format!(
        "if it is lost, have the certificate reissued for a new request:  {command}"
    ))
}

fn csr_command(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<&str> = names
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .filter(|name| DnsName::parse(name).is_ok())
        .collect();
    if shown.is_empty() {
        return "certctl csr NAME...".to_owned();
    }
    let more = if names.len() > SHOWN { " ..." } else { "" };
    let words = [&["csr"], shown.as_slice()].concat();
    NextStep::run(&words).text + more
}

impl From<&MatchingRemark> for Finding {
    fn from(remark: &MatchingRemark) -> Self {
        let text = remark.to_string();
        match remark {
            MatchingRemark::IssuerInDirectory { path, bundle } => issuer_here(text, path, bundle),
            MatchingRemark::RootInDirectory { path, .. } => root_here(text, path),
            MatchingRemark::MatchingKeyInDirectory { path } => key_here(text, path),
            MatchingRemark::KeyCameWithCertificate { .. } => Self::note("key-in-delivery", text),
            MatchingRemark::KeyDecrypted { .. } => Self::note("key-decrypted", text),
            MatchingRemark::Omitted { why, .. } => Self::note(omission_code(*why), text),
            MatchingRemark::Repaired { what, .. } => Self::note(what.code(), text),
            MatchingRemark::NameNotIssued { .. } => name_not_issued(text),
            MatchingRemark::Locked {
                path,
                why,
                template,
                ..
            } => key_stays_locked(text, path, *why).with_step(reissue(template)),
            MatchingRemark::NoKey { template, .. } => no_key(text).with_step(reissue(template)),
            MatchingRemark::UnmatchedCertificates { .. } => not_ours(text),
            MatchingRemark::OnlyRequest { .. } => only_request(text),
            MatchingRemark::OlderCertificates { .. } => Self::note("older-certificate", text),
            MatchingRemark::WrongKey { problem, .. } => Self {
                message: text,
                ..Self::from(problem)
            },
            MatchingRemark::WrongRequest { .. } => wrong_request(text),
        }
    }
}

fn issuer_here(text: String, path: &Path, bundle: &[String]) -> Finding {
    let path = path.display().to_string();
    let words = [bundle, &[path]].concat();
    Finding::warning("issuer-found", text).with_step(NextStep::run(&words))
}

fn root_here(text: String, path: &Path) -> Finding {
    Finding::warning("root-found", text).with_step(NextStep::say(format!(
        "if it is your company's CA, the same command with  --trust {}",
        path_word(path)
    )))
}

fn key_here(text: String, path: &Path) -> Finding {
    let step = format!("use it:  --key {}", path_word(path));
    Finding::warning("key-found", text).with_step(NextStep::say(step))
}

fn name_not_issued(text: String) -> Finding {
    Finding::warning("name-missing-in-certificate", text).with_step(NextStep::say(
        "if these names are needed, ask the CA to reissue with them; \
                    browsers will refuse them with this certificate",
    ))
}

fn not_ours(text: String) -> Finding {
    Finding::warning("no-matching-key", text).with_step(NextStep::say(
        "name its key to take it as well:  \
                    --key FILE",
    ))
}

fn only_request(text: String) -> Finding {
    Finding::warning("key-missing", text)
        .with_step(NextStep::say(
            "name the key that was made with the request:  --key FILE",
        ))
        .with_step(search_for_key())
}

fn omission_code(reason: OmissionReason) -> &'static str {
    match reason {
        OmissionReason::Duplicate => "duplicate",
        OmissionReason::Root => "root-omitted",
        OmissionReason::Unrelated => "unrelated",
    }
}

/// The key is encrypted: no password was given, or `error` says why the password did not help.
fn key_stays_locked(text: String, path: &Path, error: Option<DecryptError>) -> Finding {
    let word = path_word(path);
    match error {
        None => Finding::warning("key-locked", text)
            .with_step(NextStep::say(
                "pass its password in a file of mode 0600:  \
                            --password-file FILE",
            ))
            .with_step(NextStep::say(
                "or type the same on a terminal: there it is asked for",
            )),
        Some(DecryptError::Wrong) => {
            Finding::warning("wrong-password", text).with_step(NextStep::say(format!(
                "try it:  openssl pkey -in {word} -noout   and pass what opens it:  \
                            --password-file FILE"
            )))
        }
        Some(DecryptError::TooMuchWork(_) | DecryptError::Unknown) => {
            Finding::warning("key-locked", text).with_step(NextStep::say(format!(
                "decrypt a copy and pass it:  (umask 077; openssl pkey -in {word} \
                            -out plain.key)   --key plain.key"
            )))
        }
    }
}

fn no_key(text: String) -> Finding {
    Finding::warning("key-missing", text)
        .with_step(NextStep::say(
            "name the key that was made with the request, or the folder that it lies in:  \
                        --key FILE  or  -C DIR",
        ))
        .with_step(search_for_key())
}

fn wrong_request(text: String) -> Finding {
    Finding::error("wrong-request", text)
        .with_step(NextStep::say(
            "look for the key and request that were made for this order:  \
                    --csr FILE  or  --key FILE",
        ))
        .with_step(NextStep::say(
            "if they are lost, have the certificate reissued for the request \
                    that is here",
        ))
}

/// What is wrong with the files that a server would send; `bundle` is the `certctl bundle` command
/// line that writes them correctly.
#[must_use]
pub(crate) fn served_fault_finding(fault: &ServedFault, bundle: &[String]) -> Finding {
    let text = fault.to_string();
    let finding = match fault {
        ServedFault::Broken { what, .. } => Finding::error(what.code(), text),
        ServedFault::Damaged { .. } => {
            return Finding::error("damaged-block", text).with_step(NextStep::say(
                "copy or download it again: a part of it was lost on the way",
            ));
        }
        ServedFault::Der { .. } => Finding::warning("der", text),
        ServedFault::Duplicate { .. } => Finding::warning("duplicate", text),
        ServedFault::Glued { .. } => Finding::error("glued-lines", text),
        ServedFault::LeafNotFirst { .. } => Finding::error("leaf-not-first", text),
        ServedFault::OutOfOrder { .. } => Finding::warning("out-of-order", text),
        ServedFault::Packed { .. } => Finding::error("still-archived", text),
        ServedFault::RootIncluded { .. } => return Finding::note("root-included", text),
        ServedFault::Unrelated { .. } => Finding::warning("unrelated", text),
    };
    let finding = finding.with_step(NextStep::run(bundle));
    match fault {
        ServedFault::Packed { file } => finding.with_step(NextStep::shell(format!(
            "sudo certctl install {}",
            shell_word(file)
        ))),
        _ => finding,
    }
}
